//! What only training has: classifiers and their losses.

use super::range::{positive, within};
use crate::Result;
use serde::{Deserialize, Serialize};

/// The classifiers, and what they are trained by. All numbers that a kind does not name are not used
/// by it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Classifier {
    /// What the heads' classifiers compute.
    pub kind: ClassifierKind,
    /// How logits are compared with the truth.
    pub loss: LossKind,
    /// Whether each head has a classifier of its own, as in the original's published form, and the
    /// total one reads detached features. Without, the total one alone trains everything.
    pub per_head: bool,
    /// The factor on cosines (ArcFace, CosFace, sub-center ArcFace).
    pub scale: f64,
    /// The margin: radians (ArcFace), of the cosine (CosFace), a share of the distance (LGM, α).
    pub margin: f64,
    /// Share of a head's pooled values left out, in front of it.
    pub head_dropout: f64,
    /// Share of a feature's values left out, in front of its classifier.
    pub dropout: f64,
    /// Directions a class (sub-center ArcFace).
    pub centers: usize,
    /// Weight of the true class's distance (LGM, λ).
    pub likelihood: f64,
    /// The exponent of focal loss.
    pub focal_gamma: f64,
    /// Wrong classes that binary cross-entropy looks at, the most likely ones.
    pub hardest: usize,
}

impl Default for Classifier {
    /// The original's.
    fn default() -> Self {
        Self {
            kind: ClassifierKind::Linear,
            loss: LossKind::CrossEntropy,
            per_head: true,
            scale: 30.0,
            margin: 0.3,
            head_dropout: 0.3,
            dropout: 0.5,
            centers: 2,
            likelihood: 0.1,
            focal_gamma: 2.0,
            hardest: 30,
        }
    }
}

/// What a head's classifier computes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClassifierKind {
    /// A linear layer, as in the original.
    #[default]
    Linear,
    /// Cosines to one direction an individual, with an angular margin (Deng et al., 2019). It learns
    /// whales of two photos in far fewer epochs.
    Arcface,
    /// Cosines to one direction an individual, with a margin of the cosine (Wang et al., 2018).
    Cosface,
    /// Cosines to the nearest of several directions an individual, with a margin by its number of
    /// photos (Deng et al., 2020; the 1st place of Happywhale 2022).
    SubcenterArcface,
    /// Distances to one center an individual: the large-margin Gaussian mixture (Wan et al., 2018).
    Lgm,
}

/// How logits are compared with the truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossKind {
    /// Cross-entropy, the original's.
    #[default]
    CrossEntropy,
    /// Cross-entropy with little weight on what is easy (Lin et al., 2017).
    Focal,
    /// Binary cross-entropy of the true class and of the hardest wrong ones.
    Binary,
}

impl Classifier {
    pub(super) fn check(&self) -> Result<()> {
        positive("classifier.scale", self.scale)?;
        within("classifier.margin", self.margin, 1.5, "0 to 1.5")?;
        let most = 0.99;
        within(
            "classifier.head_dropout",
            self.head_dropout,
            most,
            "0 to 0.99",
        )?;
        within("classifier.dropout", self.dropout, most, "0 to 0.99")?;
        positive("classifier.centers", self.centers as f64)?;
        within("classifier.likelihood", self.likelihood, 100.0, "0 to 100")?;
        within("classifier.focal_gamma", self.focal_gamma, 10.0, "0 to 10")?;
        positive("classifier.hardest", self.hardest as f64)
    }
}
