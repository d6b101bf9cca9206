//! The network as it is trained: the identifying network, and what only its losses need.

use burn::module::{Module, Param};
use burn::nn::{Dropout, DropoutConfig, Linear, LinearConfig};
use burn::tensor::{Device, Int, Tensor};
use flukeprint_core::model::{EmbedderConfig, Network};

use super::losses::{cross_entropy, ring};

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
}

impl TrainingNetwork {
    /// Fresh weights, drawn from the device's seed.
    pub fn new(config: &EmbedderConfig, individuals: usize, device: &Device) -> Self {
        let classifier = || LinearConfig::new(config.head_width, individuals).init(device);
        let radii = vec![FIRST_RADIUS; config.stripes];
        Self {
            network: Network::new(config, individuals, device),
            classifiers: (0..config.stripes).map(|_| classifier()).collect(),
            radii: Param::from_data(radii.as_slice(), device),
            dropout: DropoutConfig::new(0.5).init(),
        }
    }

    /// The backbone's map of `input`, `[batch, 3, height, width]`.
    pub fn backbone_map(&self, input: Tensor<4>) -> Tensor<4> {
        self.network.embedder.backbone.forward(input)
    }

    /// The sum of the cross-entropies of every stripe's classifier and of the total one, which
    /// reads detached features, and of `ring_weight` times ring loss (spec, *Network*).
    ///
    /// `map` is the backbone's, `[batch, channels, height, width]`; `labels` has one individual a
    /// photo, `[batch]`.
    pub fn loss(&self, map: Tensor<4>, labels: Tensor<1, Int>, ring_weight: f64) -> Tensor<1> {
        let features = self.network.embedder.head_features(map);
        let joint = Tensor::cat(features.clone(), 1).detach();
        let logits = self.network.total.forward(self.dropout.forward(joint));
        let mut total = cross_entropy(logits, labels.clone());
        for (stripe, (feature, classifier)) in
            features.into_iter().zip(&self.classifiers).enumerate()
        {
            let radius = self.radii.val().narrow(0, stripe, 1);
            let logits = classifier.forward(self.dropout.forward(feature.clone()));
            total =
                total + cross_entropy(logits, labels.clone()) + ring(feature, radius) * ring_weight;
        }
        total
    }
}
