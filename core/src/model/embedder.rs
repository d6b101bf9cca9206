//! Backbone, pooling, heads, total classifier: the whole network of the spec.

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;
use burn::module::{Module, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::backbone::{Backbone, BackboneName, check_narrow};
use super::head::{Head, HeadActivation};
use super::pool::{Cut, GEM_P, Pooling, gem, gem_learned, max_average, stripes};
use crate::{Error, Result};

/// What a network is made of. Travels in recipes and in the bundle's manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbedderConfig {
    /// The backbone.
    pub backbone: BackboneName,
    /// What all its channels are divided by: 1, 2, 4 or 8. Published weights fit 1 only.
    #[serde(default = "full", skip_serializing_if = "is_full")]
    pub narrow: usize,
    /// Heads; the original has 4.
    pub heads: usize,
    /// Which part of the map each head reads; the original's read a stripe each.
    #[serde(default)]
    pub cut: Cut,
    /// Length of one head's feature; the original has 512.
    pub head_width: usize,
    /// How a head's part of the map becomes a vector.
    #[serde(default)]
    pub pooling: Pooling,
    /// Exponent of the GeM pooling, or what a learned one starts from; the original has 3.74.
    #[serde(default = "gem_p")]
    pub gem_p: f32,
    /// What follows a head's linear layer.
    #[serde(default)]
    pub activation: HeadActivation,
}

fn full() -> usize {
    1
}

fn is_full(narrow: &usize) -> bool {
    *narrow == 1
}

fn gem_p() -> f32 {
    GEM_P
}

impl EmbedderConfig {
    /// The original's heads, `heads` of them on a stripe each, on a backbone.
    pub fn new(backbone: BackboneName, heads: usize, head_width: usize) -> Self {
        Self {
            backbone,
            narrow: 1,
            heads,
            cut: Cut::Stripes,
            head_width,
            pooling: Pooling::Gem,
            gem_p: GEM_P,
            activation: HeadActivation::Celu,
        }
    }

    /// Length of the embedding: all heads' features one after another.
    pub fn feature_width(&self) -> usize {
        self.heads * self.head_width
    }

    /// Checks that the network can be built and that an input of `height` x `width` pixels leaves
    /// every stripe a column.
    ///
    /// # Errors
    /// [`Error::Model`] naming the value that does not fit.
    pub fn check(&self, height: usize, width: usize) -> Result<()> {
        let refuse = |reason| Err(Error::Model { reason });
        if self.heads == 0 || self.head_width == 0 {
            return refuse(format!(
                "heads = {} and head_width = {} must be at least 1",
                self.heads, self.head_width
            ));
        }
        check_narrow(self.narrow)?;
        if !(self.gem_p.is_finite() && self.gem_p > 0.0) {
            return refuse(format!("gem_p = {} must be positive", self.gem_p));
        }
        let facts = self.backbone.facts();
        let stride = facts.stride;
        let columns = (facts.map_side)(width);
        let stripes = match self.cut {
            Cut::Stripes => self.heads,
            Cut::Whole => 1,
        };
        if height.min(width) < stride || columns < stripes {
            return refuse(format!(
                "an input of {height} x {width} gives the {stripes} stripes fewer columns than one \
                 each ({} makes {columns} of {width} pixels and needs {stride} a side); make it wider \
                 or use fewer heads",
                self.backbone.name()
            ));
        }
        Ok(())
    }

    /// A network with fresh weights, drawn from the device's seed.
    pub fn init(&self, device: &Device) -> Embedder {
        let backbone = Backbone::narrowed(self.backbone, self.narrow, device);
        let pooled = self.pooling.width(self.backbone.channels(self.narrow));
        let heads = (0..self.heads)
            .map(|_| Head::new(pooled, self.head_width, self.activation, device))
            .collect();
        let learned = self.pooling == Pooling::GemLearned;
        Embedder {
            backbone,
            heads,
            learned_p: learned.then(|| Param::from_data([self.gem_p], device)),
            gem_p: self.gem_p,
            cut: self.cut,
            pooling: self.pooling,
        }
    }
}

/// Photo to features: backbone, cut, pooling, heads.
#[derive(Module, Debug)]
pub struct Embedder {
    /// The feature map's network.
    pub backbone: Backbone,
    /// The heads, left to right where each has a stripe.
    pub heads: Vec<Head>,
    /// Exponent of the GeM pooling where it is learned, `[1]`.
    pub learned_p: Option<Param<Tensor<1>>>,
    /// Exponent of the GeM pooling where it is constant.
    pub gem_p: f32,
    #[module(skip)]
    cut: Cut,
    #[module(skip)]
    pooling: Pooling,
}

impl Embedder {
    /// `[batch, 3, height, width]` to one feature `[batch, head_width]` a head.
    pub fn features(&self, input: Tensor<4>) -> Vec<Tensor<2>> {
        self.head_features(self.backbone.forward(input))
    }

    /// The backbone's map to one feature `[batch, head_width]` a head.
    pub fn head_features(&self, map: Tensor<4>) -> Vec<Tensor<2>> {
        let pooled = match self.cut {
            Cut::Stripes => stripes(&map, self.heads.len())
                .into_iter()
                .map(|stripe| self.pool(stripe))
                .collect(),
            Cut::Whole => vec![self.pool(map); self.heads.len()],
        };
        self.heads
            .iter()
            .zip(pooled)
            .map(|(head, pooled)| head.forward(pooled))
            .collect()
    }

    fn pool(&self, map: Tensor<4>) -> Tensor<2> {
        match (self.pooling, &self.learned_p) {
            (Pooling::MaxAverage, _) => max_average(map),
            (_, Some(p)) => gem_learned(map, p.val()),
            (_, None) => gem(map, self.gem_p),
        }
    }

    /// The same function in evaluation with every batch norm folded that can be.
    #[must_use]
    pub fn fold(self) -> Self {
        Self {
            backbone: self.backbone.fold(),
            heads: self.heads.into_iter().map(Head::fold).collect(),
            ..self
        }
    }
}

/// What identifies: the embedder and the total classifier on its concatenated features.
#[derive(Module, Debug)]
pub struct Network {
    /// Photo to features.
    pub embedder: Embedder,
    /// Concatenated features to one logit an individual.
    pub total: Linear,
}

impl Network {
    /// A network with fresh weights for `individuals` known whales.
    pub fn new(config: &EmbedderConfig, individuals: usize, device: &Device) -> Self {
        let total = LinearConfig::new(config.feature_width(), individuals).init(device);
        Self {
            embedder: config.init(device),
            total,
        }
    }

    /// The same network with another share of the pooled values left out while training.
    #[must_use]
    pub fn with_dropout(mut self, share: f64) -> Self {
        for head in &mut self.embedder.heads {
            head.set_dropout(share);
        }
        self
    }

    /// `[batch, 3, height, width]` to the concatenated features `[batch, feature_width]`, not yet
    /// of unit length, and the logits `[batch, individuals]`.
    pub fn forward(&self, input: Tensor<4>) -> (Tensor<2>, Tensor<2>) {
        self.forward_map(self.embedder.backbone.forward(input))
    }

    /// As [`Self::forward`], from the backbone's map.
    pub fn forward_map(&self, map: Tensor<4>) -> (Tensor<2>, Tensor<2>) {
        let features = Tensor::cat(self.embedder.head_features(map), 1);
        let logits = self.total.forward(features.clone());
        (features, logits)
    }

    /// The same function in evaluation with every batch norm folded that can be.
    #[must_use]
    pub fn fold(self) -> Self {
        Self {
            embedder: self.embedder.fold(),
            total: self.total,
        }
    }
}

/// What a bundle answers with: a folded embedder, and the total classifier where the decision asks it.
#[derive(Module, Debug)]
pub struct Answering {
    embedder: Embedder,
    total: Option<Linear>,
}

impl Answering {
    /// A network of this shape for so many logits; without a classifier where there are none.
    pub fn new(config: &EmbedderConfig, logits: usize, device: &Device) -> Self {
        let linear = || LinearConfig::new(config.feature_width(), logits).init(device);
        Self {
            embedder: config.init(device).fold(),
            total: (logits > 0).then(linear),
        }
    }

    /// `[batch, 3, height, width]` to the concatenated features, not yet of unit length, and behind them the logits,
    /// `[batch, feature_width + logits]`.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<2> {
        let features = Tensor::cat(self.embedder.features(input), 1);
        match &self.total {
            Some(total) => Tensor::cat(vec![features.clone(), total.forward(features)], 1),
            None => features,
        }
    }
}
