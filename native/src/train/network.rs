//! The network as it is trained: the identifying network, and what only its losses need.

use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor};
use flukeprint_core::model::Network;

use super::losses::{arcface, cross_entropy, ring};
use super::{Classifier, ClassifierKind, Recipe};

/// The radius that ring loss starts from (spec, *Network*).
const FIRST_RADIUS: f32 = 1.5;

/// The identifying network, a classifier for each stripe, and ring loss's radii.
#[derive(Module, Debug)]
pub struct TrainingNetwork {
    /// What is exported.
    pub network: Network,
    classifiers: Vec<Linear>,
    radii: Param<Tensor<1>>,
    dropout: Dropout,
    #[module(skip)]
    classifier: Classifier,
    #[module(skip)]
    ring: f64,
}

impl TrainingNetwork {
    /// Fresh weights, drawn from the device's seed.
    pub fn new(recipe: &Recipe, individuals: usize, device: &Device) -> Self {
        let config = &recipe.model;
        let classifier = || LinearConfig::new(config.head_width, individuals).init(device);
        let radii = vec![FIRST_RADIUS; config.stripes];
        let network = Network::new(config, individuals, device);
        Self {
            network: network.with_dropout(recipe.classifier.head_dropout),
            classifiers: (0..config.stripes).map(|_| classifier()).collect(),
            radii: Param::from_data(radii.as_slice(), device),
            dropout: DropoutConfig::new(recipe.classifier.dropout).init(),
            classifier: recipe.classifier.clone(),
            ring: recipe.ring,
        }
    }

    /// The backbone's map of `input`, `[batch, 3, height, width]`.
    pub fn backbone_map(&self, input: Tensor<4>) -> Tensor<4> {
        self.network.embedder.backbone.forward(input)
    }

    /// The sum of the cross-entropies of every stripe's classifier and of the total one, which
    /// reads detached features, and of the recipe's share of ring loss (spec, *Network*).
    ///
    /// `map` is the backbone's, `[batch, channels, height, width]`; `labels` has one individual a
    /// photo, `[batch]`.
    pub fn loss(&self, map: Tensor<4>, labels: Tensor<1, Int>) -> Tensor<1> {
        let features = self.network.embedder.head_features(map);
        let joint = Tensor::cat(features.clone(), 1).detach();
        let logits = self.network.total.forward(self.dropout.forward(joint));
        let mut total = cross_entropy(logits, labels.clone());
        for (stripe, (feature, classifier)) in
            features.into_iter().zip(&self.classifiers).enumerate()
        {
            let radius = self.radii.val().narrow(0, stripe, 1);
            let logits = self.logits(classifier, feature.clone(), &labels);
            total =
                total + cross_entropy(logits, labels.clone()) + ring(feature, radius) * self.ring;
        }
        total
    }

    /// What a stripe's classifier says of its feature, `[batch, width]`: `[batch, individuals]`.
    fn logits(
        &self,
        classifier: &Linear,
        feature: Tensor<2>,
        labels: &Tensor<1, Int>,
    ) -> Tensor<2> {
        let feature = self.dropout.forward(feature);
        match self.classifier.kind {
            ClassifierKind::Linear => classifier.forward(feature),
            ClassifierKind::Arcface => arcface(
                feature,
                classifier.weight.val(),
                labels,
                self.classifier.scale,
                self.classifier.margin,
            ),
        }
    }
}
