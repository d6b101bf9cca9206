//! A training step of everything, as the second stage takes it.

use super::Workload;
use super::measure::Work;
use crate::Result;
use crate::train::Recipe;
use crate::train::losses::Targets;
use crate::train::network::TrainingNetwork;
use crate::train::optimizer::{AdamW, Pace};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Distribution, Tensor};

/// Rates and momentum do not change a step's time; these keep the weights near where they are.
const PACE: Pace<'static> = Pace {
    rate: &|_| 1e-5,
    momentum: 0.9,
};

/// Photos that each whale is said to have; only some margins look at it.
const PHOTOS_OF_EACH: usize = 5;

pub(super) struct Training {
    network: TrainingNetwork,
    optimizer: AdamW,
    input: Tensor<4>,
    targets: [(Targets, f64); 1],
}

impl Training {
    /// `device` differentiates.
    pub(super) fn new(workload: &Workload, recipe: &Recipe, device: &Device) -> Self {
        let photos = vec![PHOTOS_OF_EACH; workload.individuals];
        let shape = [workload.batch, 3, workload.height, workload.width];
        let whales = 0..workload.individuals as u32;
        let classes: Vec<Option<u32>> = whales.cycle().map(Some).take(workload.batch).collect();
        Self {
            network: TrainingNetwork::new(recipe, &photos, device),
            optimizer: AdamW::new(recipe.weight_decay, recipe.clip),
            input: Tensor::random(shape, Distribution::Default, device),
            targets: [(Targets::new(&classes, device), 1.0)],
        }
    }
}

impl Work for Training {
    fn step(mut self, after: &mut dyn FnMut(&'static str) -> Result<()>) -> Result<Self> {
        let map = self.network.backbone_map(self.input.clone());
        let loss = self.network.loss(map, &self.targets);
        after("forward")?;
        let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        after("backward")?;
        self.network = self.optimizer.step(self.network, gradients, PACE).0;
        after("optimizer")?;
        Ok(self)
    }
}
