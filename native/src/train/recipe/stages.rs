//! What the network reads, the stages of training, the held-out photos and the finder.

use super::range::{positive, ranged};
use crate::Result;
use crate::data::PhotoEntry;
use flukeprint_core::model::FinderConfig;
use serde::{Deserialize, Serialize};

/// What the network reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// Share of the box added on each side; the original has 0.1.
    pub margin: f32,
    /// Further margins, -0.2 to 1, with which a photo is read again when it is named (not in
    /// training), and what the network says of all views is averaged: test-time augmentation, see
    /// [`Preprocessing::views`](flukeprint_core::photo::Preprocessing::views). Each makes naming
    /// longer by once the network. Empty, the default, reads it once; more views did not help the
    /// original.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<f32>,
    /// Whether boxes are used where there are any; without them the whole photo is read.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub boxes: bool,
}

fn yes() -> bool {
    true
}

impl Input {
    /// The photo as the network reads it: without its box where boxes are not used.
    pub(crate) fn entry(&self, entry: &PhotoEntry) -> PhotoEntry {
        PhotoEntry {
            region: entry.region.filter(|_| self.boxes),
            ..entry.clone()
        }
    }
}

/// One stage of training: a one-cycle run over so many epochs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Passes over the training photos; 0 leaves the stage out.
    pub epochs: usize,
    /// Highest rate of the head.
    pub head_rate: f64,
    /// Highest rate of the backbone's deeper half, which the first stage does not train.
    #[serde(default)]
    pub upper_rate: f64,
    /// Highest rate of the backbone's shallower half, which the first stage does not train.
    #[serde(default)]
    pub lower_rate: f64,
    /// So many of the backbone's first blocks keep what they have, and its stem with them; 0 keeps
    /// none. The largest maps are theirs, so that with `frozen_norms = "rest"` a step takes a CPU half
    /// the time.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fixed_blocks: usize,
    /// What batch norms do in parts whose rate is zero; the original's learn.
    #[serde(default)]
    pub frozen_norms: FrozenNorms,
}

impl Stage {
    pub(super) fn check(&self, head_rate: &'static str) -> Result<()> {
        match self.epochs {
            0 => Ok(()),
            _ => positive(head_rate, self.head_rate),
        }
    }
}

/// What the batch norms of layers do whose rate is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrozenNorms {
    /// They normalise by the batch and go on learning their statistics, as in the original.
    #[default]
    Learn,
    /// They normalise by the statistics they have, which spares a CPU most of the work below the
    /// first layer that learns.
    Rest,
}

/// The held-out photos: spec, *Data*.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validation {
    /// Photos of new whales among them, as far as there are enough.
    pub new_whales: usize,
    /// Epochs from one look at held-out photos of known whales to the next while training, and after
    /// the last; 0 never looks. It decides nothing and costs a third of an epoch each time.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub watch: usize,
    /// Individuals with two photos or more of which no photo is trained, tuned or reported on, as far
    /// as 80 % of those there are; 0 for none. `evaluate --run` measures re-identification on them:
    /// what the features are worth on whales that were never seen. The exported gallery has them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unseen_whales: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// How the fluke finder is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FinderRecipe {
    /// The network.
    #[serde(default)]
    pub model: FinderConfig,
    /// Passes over the photos that have a box.
    pub epochs: usize,
    /// Photos a step.
    pub batch: usize,
    /// Highest rate.
    pub rate: f64,
    /// Half of the samples show the photo from afar, up to so many times as small, where this is above 1; to 16.
    #[serde(default = "near", skip_serializing_if = "is_near")]
    pub afar: f64,
}

impl FinderRecipe {
    /// Of a finder that is taken as it is.
    pub(crate) fn untrained(model: FinderConfig) -> Self {
        Self {
            model,
            epochs: 0,
            batch: 32,
            rate: 3e-3,
            afar: near(),
        }
    }

    /// # Errors
    /// The first value that is out of range.
    pub(super) fn check(&self) -> Result<()> {
        positive("finder.batch", self.batch.saturating_sub(1) as f64)?;
        ranged("finder.afar", self.afar, 1.0..=16.0, "1 to 16")
    }
}

fn near() -> f64 {
    1.0
}

fn is_near(times: &f64) -> bool {
    *times == near()
}
