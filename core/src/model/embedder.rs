//! Backbone, stripes, heads, total classifier: the whole network of the spec.

use alloc::format;
use alloc::vec::Vec;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::backbone::{Backbone, BackboneName};
use super::head::StripeHead;
use super::pool::{gem, stripes};
use crate::{Error, Result};

/// What a network is made of. Travels in recipes and in the bundle's manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbedderConfig {
    /// The backbone.
    pub backbone: BackboneName,
    /// Vertical stripes, one head each; the original has 4.
    pub stripes: usize,
    /// Length of one head's feature; the original has 512.
    pub head_width: usize,
    /// Exponent of the GeM pooling; the original has 3.74.
    pub gem_p: f32,
}

impl EmbedderConfig {
    /// Length of the embedding: all heads' features one after another.
    pub fn feature_width(&self) -> usize {
        self.stripes * self.head_width
    }

    /// Checks that an input of `height` x `width` pixels leaves every stripe a column.
    ///
    /// # Errors
    /// [`Error::Model`] naming the value that does not fit.
    pub fn check(&self, height: usize, width: usize) -> Result<()> {
        let refuse = |reason| Err(Error::Model { reason });
        if self.stripes == 0 || self.head_width == 0 {
            return refuse(format!(
                "stripes = {} and head_width = {} must be at least 1",
                self.stripes, self.head_width
            ));
        }
        if !(self.gem_p.is_finite() && self.gem_p > 0.0) {
            return refuse(format!("gem_p = {} must be positive", self.gem_p));
        }
        let facts = self.backbone.facts();
        let stride = facts.stride;
        let columns = (facts.map_side)(width);
        if height.min(width) < stride || columns < self.stripes {
            return refuse(format!(
                "an input of {height} x {width} gives the {} stripes fewer columns than one each \
                 ({} makes {columns} of {width} pixels and needs {stride} a side); make it wider or \
                 use fewer stripes",
                self.stripes,
                self.backbone.name()
            ));
        }
        Ok(())
    }

    /// A network with fresh weights, drawn from the device's seed.
    pub fn init(&self, device: &Device) -> Embedder {
        let backbone = Backbone::new(self.backbone, device);
        let channels = self.backbone.facts().channels;
        let heads = (0..self.stripes).map(|_| StripeHead::new(channels, self.head_width, device));
        Embedder {
            backbone,
            heads: heads.collect(),
            gem_p: self.gem_p,
        }
    }
}

/// Photo to features: backbone, stripes, GeM, heads.
#[derive(Module, Debug)]
pub struct Embedder {
    /// The feature map's network.
    pub backbone: Backbone,
    /// One head a stripe, left to right.
    pub heads: Vec<StripeHead>,
    /// Exponent of the GeM pooling.
    pub gem_p: f32,
}

impl Embedder {
    /// `[batch, 3, height, width]` to one feature `[batch, head_width]` a stripe.
    pub fn features(&self, input: Tensor<4>) -> Vec<Tensor<2>> {
        self.head_features(self.backbone.forward(input))
    }

    /// The backbone's map to one feature `[batch, head_width]` a stripe.
    pub fn head_features(&self, map: Tensor<4>) -> Vec<Tensor<2>> {
        let pooled = stripes(&map, self.heads.len())
            .into_iter()
            .map(|stripe| gem(stripe, self.gem_p));
        self.heads
            .iter()
            .zip(pooled)
            .map(|(head, pooled)| head.forward(pooled))
            .collect()
    }

    /// The same function in evaluation with every batch norm folded that can be.
    #[must_use]
    pub fn fold(self) -> Self {
        Self {
            backbone: self.backbone.fold(),
            heads: self.heads.into_iter().map(StripeHead::fold).collect(),
            gem_p: self.gem_p,
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
        let features = Tensor::cat(self.embedder.features(input), 1);
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
