//! The two phases of the metric-learning start, and batch-hard in their place.

use super::loss::{batch_hard, select, triplet, unit};
use super::mining::{assigned, distances, hardest};
use super::pairs::{Pairs, Size};
use super::{Mining, TripletRecipe, values};
use crate::Result;
use crate::train::course::{Course, Rates, device_of};
use crate::train::network::TrainingNetwork;
use crate::train::samples::{Inputs, Look, Samples};
use crate::train::trainer::Trainer;
use crate::train::{FrozenNorms, Recipe};
use burn::module::Module;
use burn::tensor::Tensor;
use flukeprint_core::model::Embedder;

/// The first epoch's number where samples are seeded: none that a later stage has.
const FIRST_EPOCH: u64 = 1 << 32;
/// Photos that are embedded at once.
const EMBEDDED_AT_ONCE: usize = 32;

/// Trains backbone and heads by triplets, if the recipe has `[triplet]`.
///
/// # Errors
/// Photos of one whale only, a photo that cannot be read any more, a loss that is no number any
/// more.
pub(in crate::train) fn start(
    network: TrainingNetwork,
    samples: &Samples,
    trainer: &mut Trainer<'_>,
) -> Result<TrainingNetwork> {
    let recipe = trainer.recipe;
    let Some(triplet) = &recipe.triplet else {
        return Ok(network);
    };
    let individuals = samples.known_classes();
    let phases = Phases {
        samples,
        recipe,
        triplet,
        pairs: Pairs::new(&individuals, triplet.pairs)?,
        individuals,
    };
    match triplet.mining {
        Mining::AssignedThenHardest => {
            let network = phases.assigned(network, trainer)?;
            phases.hardest(network, trainer)
        }
        Mining::BatchHard => phases.batch_hard(network, trainer),
    }
}

struct Phases<'a> {
    samples: &'a Samples,
    recipe: &'a Recipe,
    triplet: &'a TripletRecipe,
    pairs: Pairs,
    /// The class of each sample of a known whale.
    individuals: Vec<u32>,
}

impl Phases<'_> {
    /// Every photo of a batch is an anchor, its partner the positive, its row of the assignment the
    /// negative.
    fn assigned(
        &self,
        network: TrainingNetwork,
        trainer: &mut Trainer<'_>,
    ) -> Result<TrainingNetwork> {
        let loss = |features: Tensor<2>, individuals: &[u32]| {
            let [photos, width] = features.dims();
            let distances = distances(&values(features.clone())?, width);
            let negatives = assigned(&distances, individuals)?;
            let partners: Vec<usize> = (0..photos).map(|photo| photo ^ 1).collect();
            let positive = select(features.clone(), &partners);
            let negative = select(features.clone(), &negatives);
            Ok(triplet(features, positive, negative, self.triplet.margin))
        };
        let phase = Phase {
            name: "by assigned triplets",
            epochs: self.triplet.assigned_epochs,
            first_epoch: FIRST_EPOCH,
            photos_of_pair: 2,
        };
        let order = |_: &TrainingNetwork, epoch| Ok(self.paired(epoch));
        self.run(network, &phase, order, loss, trainer)
    }

    /// The first photo of a pair is the anchor, the second the positive, and the photo of another
    /// whale that was nearest to the anchor when the epoch began the negative.
    fn hardest(
        &self,
        network: TrainingNetwork,
        trainer: &mut Trainer<'_>,
    ) -> Result<TrainingNetwork> {
        let order = |network: &TrainingNetwork, epoch| {
            let photos = self.samples.known();
            let features = embed(self.samples, &network.valid().network.embedder, photos)?;
            let width = self.recipe.model.feature_width();
            let negatives = hardest(&features, width, &self.individuals)?;
            let pairs = self.pairs.epoch(self.recipe.seed, epoch).into_iter();
            Ok(pairs.flat_map(|[a, b]| [a, b, negatives[a]]).collect())
        };
        let loss = |features: Tensor<2>, _: &[u32]| {
            let [photos, width] = features.dims();
            let triples = features.reshape([photos / 3, 3, width]);
            let each = |place| {
                let rows = triples.clone().narrow(1, place, 1);
                rows.reshape([photos / 3, width])
            };
            Ok(triplet(each(0), each(1), each(2), self.triplet.margin))
        };
        let phase = Phase {
            name: "by the hardest triplets",
            epochs: self.triplet.hardest_epochs,
            first_epoch: FIRST_EPOCH + self.triplet.assigned_epochs as u64,
            photos_of_pair: 3,
        };
        self.run(network, &phase, order, loss, trainer)
    }

    fn batch_hard(
        &self,
        network: TrainingNetwork,
        trainer: &mut Trainer<'_>,
    ) -> Result<TrainingNetwork> {
        let phase = Phase {
            name: "by the hardest triplets of a batch",
            epochs: self.triplet.epochs(),
            first_epoch: FIRST_EPOCH,
            photos_of_pair: 2,
        };
        let order = |_: &TrainingNetwork, epoch| Ok(self.paired(epoch));
        let loss = |features: Tensor<2>, individuals: &[u32]| {
            batch_hard(features, individuals, self.triplet.margin)
        };
        self.run(network, &phase, order, loss, trainer)
    }

    /// An epoch's pairs, one photo after another.
    fn paired(&self, epoch: u64) -> Vec<usize> {
        self.pairs.epoch(self.recipe.seed, epoch).concat()
    }

    /// Runs the loop on the photos that `order` gives for an epoch, as places among the samples', and
    /// the loss of a batch's features, unit length, and individuals.
    fn run(
        &self,
        network: TrainingNetwork,
        phase: &Phase,
        order: impl Fn(&TrainingNetwork, u64) -> Result<Vec<usize>>,
        loss: impl Fn(Tensor<2>, &[u32]) -> Result<Tensor<1>>,
        trainer: &mut Trainer<'_>,
    ) -> Result<TrainingNetwork> {
        let Size { batches, pairs } = self.pairs.size();
        let rates = Rates {
            heads: self.triplet.head_rate,
            upper: self.triplet.upper_rate,
            lower: self.triplet.lower_rate,
            ..Rates::zero(self.recipe)
        };
        let course = Course {
            name: phase.name,
            epochs: phase.epochs,
            steps: batches,
            photos: pairs * phase.photos_of_pair,
            rates,
            frozen_norms: FrozenNorms::default(),
        };
        let batches = |network: &TrainingNetwork, epoch: usize| {
            let epoch = phase.first_epoch + epoch as u64;
            let photos = self.samples.known();
            let order = order(network, epoch)?
                .into_iter()
                .map(|place| photos[place]);
            let batch = pairs * phase.photos_of_pair;
            let device = device_of(network);
            Ok(self
                .samples
                .load(order.collect(), batch, epoch, Look::Augmented, &device))
        };
        let loss = |network: &TrainingNetwork, inputs: Inputs| {
            let map = network.backbone_map(inputs.input);
            let features = embedding(&network.network.embedder, map);
            let individuals: Vec<u32> = inputs.classes.into_iter().flatten().collect();
            loss(features, &individuals)
        };
        trainer.run(network, &course, batches, loss)
    }
}

/// What tells a phase from another beside its order and its loss.
struct Phase {
    name: &'static str,
    epochs: usize,
    first_epoch: u64,
    /// Photos that the batch has for each pair.
    photos_of_pair: usize,
}

/// The embeddings of these samples as they are, unit length, `[photos, feature_width]`, on the device
/// of `embedder`.
pub(in crate::train) fn embed(
    samples: &Samples,
    embedder: &Embedder,
    photos: Vec<usize>,
) -> Result<Vec<f32>> {
    let device = embedder.devices().into_iter().next().unwrap_or_default();
    // As in a bundle: burn's batch norm would take as long as the convolutions.
    let embedder = &embedder.clone().fold();
    let batches = samples.load(photos, EMBEDDED_AT_ONCE, 0, Look::Plain, &device);
    let mut features = Vec::new();
    for inputs in batches {
        let map = embedder.backbone.forward(inputs?.input);
        features.extend(values(embedding(embedder, map))?);
    }
    Ok(features)
}

/// The embeddings of the photos that a backbone made `map` of: `[batch, feature_width]`, unit length.
fn embedding(embedder: &Embedder, map: Tensor<4>) -> Tensor<2> {
    unit(Tensor::cat(embedder.head_features(map), 1))
}
