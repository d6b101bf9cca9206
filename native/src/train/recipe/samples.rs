//! Which photos are trained on, beside those of known whales as they are.

use super::range::{positive, within};
use crate::Result;
use serde::{Deserialize, Serialize};

/// Switches that change what an epoch consists of. The default is the original's: every training
/// photo of a known whale once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SampleRecipe {
    /// Whether every photo is shown mirrored too, as a photo of another whale: the classifiers get
    /// twice as many classes, of which the second half is left out of the shipped network.
    pub flips_as_new: bool,
    /// Whether photos of new whales are trained on; they should resemble no known whale.
    pub new_whales: bool,
    /// An individual with fewer photos has them repeated until it has so many an epoch; 1 for none.
    pub at_least: usize,
    /// Mixup (Zhang et al., 2018): two photos shown through each other, the share from Beta(α, α).
    /// This is α, 0 for no mixup.
    pub mixup: f64,
    /// Pseudo-labels: after training, photos of the catalogue's folder `test/` that the classifier
    /// is at least so sure of (0 to 1) are trained on as well, in another run of the second stage. 0
    /// for none.
    pub pseudo_labels: f64,
}

impl Default for SampleRecipe {
    fn default() -> Self {
        Self {
            flips_as_new: false,
            new_whales: false,
            at_least: 1,
            mixup: 0.0,
            pseudo_labels: 0.0,
        }
    }
}

impl SampleRecipe {
    /// Classes that the classifiers tell apart.
    pub fn classes(&self, individuals: usize) -> usize {
        individuals * if self.flips_as_new { 2 } else { 1 }
    }

    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn check(&self) -> Result<()> {
        positive("samples.at_least", self.at_least as f64)?;
        within("samples.mixup", self.mixup, 10.0, "0 to 10")?;
        within("samples.pseudo_labels", self.pseudo_labels, 1.0, "0 to 1")
    }
}
