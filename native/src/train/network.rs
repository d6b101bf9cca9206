//! The network as it is trained: the identifying network, and what only its losses need.

use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Distribution, Tensor};
use flukeprint_core::model::named::Named;
use flukeprint_core::model::{Network, Precision};

use super::losses::Targets;
use super::losses::classification::{cross_entropy, focal, hard_binary};
use super::losses::feature::{center, gaussian_mixture, ring};
use super::losses::margin::{arcface, cosface, cosines, dynamic_margins, nearest_center};
use super::start;
use super::{Classifier, ClassifierKind, LossKind, Recipe};

/// The radius that ring loss starts from (spec, *Network*).
const FIRST_RADIUS: f32 = 1.5;

/// The identifying network, a classifier for each head, and what ring and center loss learn.
#[derive(Module, Debug)]
pub struct TrainingNetwork {
    /// What is exported. Its total classifier may know more classes than there are individuals, see
    /// [`Self::identifying`].
    pub network: Network,
    /// One a head, or none where the total classifier alone trains everything.
    classifiers: Vec<Linear>,
    /// One a head.
    radii: Param<Tensor<1>>,
    /// `[classes, head_width]` for each head, or none without center loss.
    centers: Vec<Param<Tensor<2>>>,
    dropout: Dropout,
    #[module(skip)]
    classifier: Classifier,
    #[module(skip)]
    precision: Precision,
    #[module(skip)]
    ring: f64,
    #[module(skip)]
    center: f64,
    /// ArcFace's margin of each class.
    #[module(skip)]
    margins: Vec<f32>,
}

impl TrainingNetwork {
    /// Fresh weights, drawn from the device's seed. `photos` has the number of training photos of
    /// each class.
    pub fn new(recipe: &Recipe, photos: &[usize], device: &Device) -> Self {
        let (config, classifier) = (&recipe.model, &recipe.classifier);
        let classes = photos.len();
        let outputs = match classifier.kind {
            ClassifierKind::SubcenterArcface => classes * classifier.centers,
            _ => classes,
        };
        let heads = if classifier.per_head { config.heads } else { 0 };
        let radii = vec![FIRST_RADIUS; config.heads];
        let network = Network::new(config, classes, device);
        let network = network.with_dropout(classifier.head_dropout);
        let linear = || LinearConfig::new(config.head_width, outputs).init(device);
        let classifiers = (0..heads).map(|_| linear()).collect();
        let shape = [classes, config.head_width];
        let center = || Tensor::random(shape, Distribution::Normal(0.0, 1.0), device);
        let with_center = if recipe.center > 0.0 { config.heads } else { 0 };
        let margins = match classifier.kind {
            ClassifierKind::SubcenterArcface => dynamic_margins(photos),
            _ => vec![classifier.margin as f32; classes],
        };
        Self {
            network,
            classifiers,
            radii: Param::from_data(radii.as_slice(), device),
            centers: (0..with_center)
                .map(|_| Param::from_tensor(center()))
                .collect(),
            dropout: DropoutConfig::new(classifier.dropout).init(),
            classifier: classifier.clone(),
            precision: recipe.precision,
            ring: recipe.ring,
            center: recipe.center,
            margins,
        }
    }

    /// The network that is exported: its total classifier knows the first `individuals` classes only;
    /// mirrored whales, which stand behind them, are no whales.
    #[must_use]
    pub fn identifying(&self, individuals: usize) -> Network {
        let mut network = self.network.clone();
        let total = &mut network.total;
        total.weight = Param::from_tensor(total.weight.val().narrow(1, 0, individuals));
        total.bias = total
            .bias
            .as_ref()
            .map(|bias| Param::from_tensor(bias.val().narrow(0, 0, individuals)));
        network
    }

    /// In the form of the weights `named`: with its batch norms folded in, where they are folded there.
    pub(super) fn in_form_of(self, named: &Named) -> Self {
        if !start::is_folded(named) {
            return self;
        }
        // What is computed of tensors that are trained is no tensor to train.
        let network = self.network.valid().fold().train();
        Self { network, ..self }
    }

    /// The backbone's map of `input`, `[batch, 3, height, width]`, computed in the recipe's precision.
    pub fn backbone_map(&self, input: Tensor<4>) -> Tensor<4> {
        let backbone = &self.network.embedder.backbone;
        self.precision
            .through(input, |input| backbone.forward(input))
    }

    /// The sum of the losses of every head's classifier and of the total one, which reads detached
    /// features where the heads have their own, and of the recipe's shares of ring and center loss
    /// (spec, *Network*).
    ///
    /// `map` is the backbone's, `[batch, channels, height, width]`. Each of the `targets` counts by
    /// its share; photos that are shown through each other have two.
    pub fn loss(&self, map: Tensor<4>, targets: &[(Targets, f64)]) -> Tensor<1> {
        let features = self.network.embedder.head_features(map);
        let joint = Tensor::cat(features.clone(), 1);
        let joint = match self.classifiers.is_empty() {
            true => joint,
            false => joint.detach(),
        };
        let logits = self.network.total.forward(self.dropout.forward(joint));
        let shared = |loss: &dyn Fn(&Targets) -> Tensor<1>| {
            let losses = targets
                .iter()
                .map(|(targets, share)| loss(targets) * *share);
            losses.reduce(|sum, loss| sum + loss)
        };
        let mut losses = vec![shared(&|targets| self.compare(logits.clone(), targets))];
        for (head, feature) in features.into_iter().enumerate() {
            if let Some(classifier) = self.classifiers.get(head) {
                let seen = self.dropout.forward(feature.clone());
                losses.push(shared(&|t| self.classify(classifier, seen.clone(), t)));
            }
            if let Some(centers) = self.centers.get(head) {
                let loss = |t: &Targets| center(feature.clone(), centers.val(), t) * self.center;
                losses.push(shared(&loss));
            }
            let radius = self.radii.val().narrow(0, head, 1);
            losses.push((self.ring > 0.0).then(|| ring(feature, radius) * self.ring));
        }
        let sum = losses.into_iter().flatten().reduce(|sum, loss| sum + loss);
        sum.unwrap_or_else(|| logits.sum() * 0.0)
    }

    /// The loss of a head's classifier for its feature, `[batch, width]`.
    fn classify(&self, head: &Linear, feature: Tensor<2>, targets: &Targets) -> Tensor<1> {
        let classifier = &self.classifier;
        let weight = || head.weight.val();
        let logits = match classifier.kind {
            ClassifierKind::Linear => head.forward(feature),
            ClassifierKind::Arcface => {
                let cosines = cosines(feature, weight());
                arcface(cosines, targets, classifier.scale, &self.margins)
            }
            ClassifierKind::Cosface => {
                let cosines = cosines(feature, weight());
                cosface(cosines, targets, classifier.scale, classifier.margin)
            }
            ClassifierKind::SubcenterArcface => {
                let cosines = nearest_center(cosines(feature, weight()), classifier.centers);
                arcface(cosines, targets, classifier.scale, &self.margins)
            }
            ClassifierKind::Lgm => {
                let (margin, likelihood) = (classifier.margin, classifier.likelihood);
                let centers = weight().transpose();
                return gaussian_mixture(feature, centers, targets, margin, likelihood);
            }
        };
        self.compare(logits, targets)
    }

    /// How far logits, `[batch, classes]`, are from the truth.
    fn compare(&self, logits: Tensor<2>, targets: &Targets) -> Tensor<1> {
        match self.classifier.loss {
            LossKind::CrossEntropy => cross_entropy(logits, targets),
            LossKind::Focal => focal(logits, targets, self.classifier.focal_gamma),
            LossKind::Binary => hard_binary(logits, targets, self.classifier.hardest),
        }
    }
}
