//! Recipes: everything that decides what a training run makes, as a TOML file.
//!
//! - [`Recipe`]: the whole of it; its parts stand in `stages`, `classifier` and `samples`;
//! - `load`: from a name or a file to a checked recipe;
//! - [`shipped`]: the recipes that come with the program.

mod classifier;
pub(crate) mod load;
mod range;
mod samples;
pub mod shipped;
mod stages;
#[cfg(test)]
mod tests;

pub use classifier::{Classifier, ClassifierKind, LossKind};
pub use load::{AnyRecipe, nearest};
pub(crate) use range::{positive, ranged, within};
pub use samples::SampleRecipe;
pub use stages::{FinderRecipe, FrozenNorms, Input, Stage, Validation};

use super::metric::TripletRecipe;
use crate::data::{Augmentation, write_atomically};
use crate::{Error, Result};
use flukeprint_core::bundle::sha256_hex;
use flukeprint_core::model::{EmbedderConfig, Precision};
use flukeprint_core::photo::Preprocessing;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// A training run, in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What it is called.
    pub name: String,
    /// Seed of weights, split, order and augmentation.
    pub seed: u64,
    /// The network.
    pub model: EmbedderConfig,
    /// What the network reads.
    pub input: Input,
    /// Photos a step.
    pub batch: usize,
    /// What the backbone computes in while it is trained; the original has 32 bits.
    #[serde(default, skip_serializing_if = "is_f32")]
    pub precision: Precision,
    /// Weight of ring loss; the original has 0.01.
    pub ring: f64,
    /// Weight of center loss; the original had 0.5 before ring loss.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub center: f64,
    /// How photos are classed while training.
    #[serde(default)]
    pub classifier: Classifier,
    /// Weight decay as a share of the rate; the original has 0.01.
    pub weight_decay: f64,
    /// The joint norm that gradients are clipped to; the original has 0.1.
    pub clip: f64,
    /// First stage: the head alone.
    pub head: Stage,
    /// Second stage: everything.
    pub full: Stage,
    /// Which photos an epoch consists of.
    #[serde(default, skip_serializing_if = "SampleRecipe::is_default")]
    pub samples: SampleRecipe,
    /// What a training photo goes through.
    pub augmentation: Augmentation,
    /// The held-out photos.
    pub validation: Validation,
    /// The fluke finder; without it the bundle takes a photo as it is.
    #[serde(default)]
    pub finder: Option<FinderRecipe>,
    /// The metric-learning start before the first stage; without it there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triplet: Option<TripletRecipe>,
}

fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// The default is not written, so that recipes from before it keep their hash.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_f32(precision: &Precision) -> bool {
    *precision == Precision::F32
}

impl Recipe {
    fn check(&self) -> Result<()> {
        self.model.check(self.input.height, self.input.width)?;
        self.preprocessing().validate()?;
        self.augmentation.validate()?;
        positive("batch", self.batch.saturating_sub(1) as f64)?; // batch norm needs two photos
        positive("clip", self.clip)?;
        within("ring", self.ring, 100.0, "0 to 100")?;
        within("center", self.center, 100.0, "0 to 100")?;
        self.classifier.check()?;
        self.samples.check()?;
        self.head.check("head.head_rate")?;
        self.full.check("full.head_rate")?;
        self.triplet.as_ref().map_or(Ok(()), TripletRecipe::check)?;
        match &self.finder {
            Some(finder) => finder.check(),
            None => Ok(()),
        }
    }

    /// Whether anything is learnt of who is who: a recipe may be for the fluke finder alone.
    pub fn tells_whales_apart(&self) -> bool {
        self.triplet.is_some() || self.head.epochs + self.full.epochs > 0
    }

    /// How photos become inputs.
    pub fn preprocessing(&self) -> Preprocessing {
        let facts = self.model.backbone.facts();
        Preprocessing {
            margin: self.input.margin,
            views: self.input.views.clone(),
            mean: facts.mean,
            deviation: facts.deviation,
            ..Preprocessing::imagenet(self.input.height, self.input.width)
        }
    }

    /// The recipe as TOML.
    ///
    /// # Errors
    /// When a value has no TOML form.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| Error::Recipe {
            recipe: self.name.clone(),
            reason: error.to_string(),
        })
    }

    /// SHA-256 of the recipe as TOML.
    ///
    /// # Errors
    /// As [`Recipe::to_toml`].
    pub fn sha256(&self) -> Result<String> {
        Ok(sha256_hex(self.to_toml()?.as_bytes()))
    }

    /// Writes the recipe as TOML.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_atomically(path, self.to_toml()?.as_bytes())
    }
}
