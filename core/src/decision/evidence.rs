//! Between steps 5 and 6, where local features were compared: what they prove.
//!
//! The first whales' photos are compared with the query, and each of these whales is raised by weight ·
//! ln(odds(inliers) / odds(none)). Evidence only ever raises a whale: a true match may lie in shade, and
//! that no inlier was found says nothing (spec, *Verification*). The odds are those of a calibrated
//! monotone map from inliers to a probability (as in WildFusion: Cermak et al., 2024); their logarithm is
//! what a score grows by, since the scores are the logarithms of the whales' odds up to a factor, β. The
//! raised scores have a calibration of their own.
//!
//! Where the whole catalogue was asked (a *search*), every whale is raised by what its votes are worth too,
//! and by how well its trailing edge fits.
//! `New` is raised by a constant: some whale gets votes and inliers by chance in any photo, and that no
//! photo of the likeliest whales matches speaks a little for a whale that none of them shows. Of that
//! constant it gets as large a share as of those photos could be heard. Where some whale's edge fits, it is lowered by
//! that: among a thousand whales the best fit of a stranger is high too, but not as high.

use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{DecisionError, DecisionParameters, FirstOdds};
use crate::evidence::probability::Curve;

/// How evidence counts. Tuned on held-out photos, and carried by the bundle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceParameters {
    /// How many of the first whales are compared with; at least 1.
    pub whales: u32,
    /// How many photos of each, the nearest first; at least 1.
    pub photos: u32,
    /// What inliers are worth: the probability that two photos with so many show one whale.
    pub worth: Curve,
    /// What is added to a whale's score for every factor e by which inliers raise its odds; 0 to 1,000.
    pub odds_weight: f32,
    /// What any number of votes of the catalogue can add to a whale's score; 0 to 1,000, and 0 where
    /// nothing votes.
    pub votes_weight: f32,
    /// What is added to a whale's score for every 10 standard deviations by which its trailing edge fits
    /// better than the catalogue's photos on average; 0 to 1,000, and 0 where no edge is compared. Of the best 9 standard
    /// deviations, as the next two.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub edge_weight: f32,
    /// What is added besides for every 10 standard deviations beyond 3, where the odds grow faster; likewise.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub clear_edge_weight: f32,
    /// What is added to the score of `New`; 0 to 1,000.
    pub new_raise: f32,
    /// What is taken from the score of `New` for every 10 standard deviations by which the edge of the whale that fits best
    /// does; 0 to 1,000.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub new_fall: f32,
    /// β of the raised scores, as [`DecisionParameters::sharpness`].
    pub sharpness: f32,
    /// As [`DecisionParameters::first_slope`].
    pub first_slope: f32,
    /// As [`DecisionParameters::first_offset`].
    pub first_offset: f32,
    /// As [`DecisionParameters::new_first`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_first: Option<FirstOdds>,
}

/// Parameters of before edges were compared say nothing of them.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_zero(weight: &f32) -> bool {
    *weight == 0.0
}

/// What local features found for a query.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Found<'a> {
    /// Inliers with photos of whales, by the whale's slot; of several entries of a whale the highest
    /// counts.
    pub inliers: &'a [(usize, u32)],
    /// The votes of every label, `[individuals + 1]`; empty where the catalogue did not vote.
    pub votes: &'a [f32],
    /// How well every label's trailing edge fits, `[individuals + 1]`, in standard deviations; empty where
    /// no edge was compared.
    pub edges: &'a [f32],
    /// The share of the photos to be compared that could be, 0 to 1.
    pub heard: f32,
}

impl<'a> Found<'a> {
    /// Edges alone: all that could be heard was, so that `New` is raised in full.
    pub fn of_edges(edges: &'a [f32]) -> Self {
        Self {
            edges,
            heard: 1.0,
            ..Self::default()
        }
    }
}

impl Found<'_> {
    /// Nothing was compared, nobody got a vote and no edge fits: the answer stays as it is.
    pub fn is_nothing(&self) -> bool {
        let mut spoken = self.votes.iter().chain(self.edges);
        self.inliers.is_empty() && !spoken.any(|&value| value > 0.0)
    }
}

/// As [`Found`], for a photo whose encounter is yet to be answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Findings {
    /// As [`Found::inliers`].
    pub inliers: Vec<(usize, u32)>,
    /// As [`Found::votes`].
    pub votes: Vec<f32>,
    /// As [`Found::edges`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<f32>,
    /// As [`Found::heard`].
    pub heard: f32,
}

impl Findings {
    /// As [`Found::of_edges`].
    pub fn of_edges(edges: Vec<f32>) -> Self {
        Self {
            edges,
            heard: 1.0,
            ..Self::default()
        }
    }

    /// As the decision takes it.
    pub fn found(&self) -> Found<'_> {
        Found {
            inliers: &self.inliers,
            votes: &self.votes,
            edges: &self.edges,
            heard: self.heard,
        }
    }
}

/// Votes that are worth half of all that votes can be worth.
const HALF_VOTES: f32 = 0.3;

/// The votes of a whale's best photo between 0 and 1: v / (v + 0.3). Most photos of other whales get 0.1 to
/// 0.2, most of the same whale 0.3 to 4 (300 keypoints, 4 neighbours).
pub fn votes_share(votes: f32) -> f32 {
    votes / (votes + HALF_VOTES)
}

/// How much more a clear match among several photos of one animal is heeded than by the mean, which 1 would be.
const HEEDED: f32 = 1.5;

/// The mean of some values, whose order does not matter.
fn mean(values: &mut [f32]) -> f32 {
    values.sort_unstable_by(f32::total_cmp);
    values.iter().sum::<f32>() / values.len() as f32
}

/// What is measured by: an edge that fits by so many standard deviations is one whale's in nearly all photos.
const PLAIN_FIT: f32 = 10.0;
/// A better fit than this many standard deviations says no more: the odds grow evenly up to there, and hardly beyond
/// (`docs/results/trailing-edge.md`).
const BEST_FIT: f32 = 9.0;

/// What a trailing edge that fits by so many standard deviations is worth, 0 to 0.9. The best of a thousand whales
/// that are not the photo's comes to 3 to 6, most of the same whale to 4 to 25.
pub fn edge_share(fit: f32) -> f32 {
    fit.clamp(0.0, BEST_FIT) / PLAIN_FIT
}

/// A fit of so many standard deviations is rare with another whale, and from there on the odds grow faster.
const CLEAR_FIT: f32 = 3.0;

/// The part of [`edge_share`] that is beyond 3 standard deviations, 0 to 0.6.
fn clear_edge_share(fit: f32) -> f32 {
    (edge_share(fit) - CLEAR_FIT / PLAIN_FIT).max(0.0)
}

impl EvidenceParameters {
    /// Checks every range.
    ///
    /// # Errors
    /// Names the parameter, its value and the range.
    pub fn validate(&self) -> Result<(), DecisionError> {
        let wrong = |name, value: f32, range| Err(DecisionError::Parameter { name, value, range });
        if self.whales == 0 {
            return wrong("evidence whales", 0.0, "at least 1");
        }
        if self.photos == 0 {
            return wrong("evidence photos", 0.0, "at least 1");
        }
        let weights = [
            ("evidence odds_weight", self.odds_weight),
            ("evidence votes_weight", self.votes_weight),
            ("evidence edge_weight", self.edge_weight),
            ("evidence clear_edge_weight", self.clear_edge_weight),
            ("evidence new_raise", self.new_raise),
            ("evidence new_fall", self.new_fall),
        ];
        for (name, value) in weights {
            if !(0.0..=1000.0).contains(&value) {
                return wrong(name, value, "between 0 and 1000");
            }
        }
        self.calibrated(&DecisionParameters::default()).validate()
    }

    /// `parameters` with the calibration of raised scores.
    #[must_use]
    pub fn calibrated(&self, parameters: &DecisionParameters) -> DecisionParameters {
        DecisionParameters {
            sharpness: self.sharpness,
            first_slope: self.first_slope,
            first_offset: self.first_offset,
            new_first: self.new_first,
            ..*parameters
        }
    }

    /// What `inliers` add to a whale's score, 0 or more.
    pub fn raise(&self, inliers: u32) -> f32 {
        self.odds_weight * self.worth.log_odds_gained(f64::from(inliers)) as f32
    }

    /// The final scores of all labels, `New` the last, raised by what was found. Slots beyond the whales
    /// are not raised, and nobody is where nothing was found.
    #[must_use]
    pub fn raised(&self, scores: &[f32], found: Found<'_>) -> Vec<f32> {
        self.raised_together(scores, &[found])
    }

    /// The scores of several photos of one animal, raised by what was found for each: a whale by the power mean with exponent
    /// 3/2 of what each photo raises it by, which heeds one clear match more than the mean does; `New` by the mean. Photos
    /// for which nothing was found say nothing. Of one photo it is [`Self::raised`], to the bit.
    /// docs/results/encounters.md has what the exponent was chosen by.
    #[must_use]
    pub fn raised_together(&self, scores: &[f32], found: &[Found<'_>]) -> Vec<f32> {
        let found = found.iter().filter(|found| !found.is_nothing());
        let raises: Vec<Vec<f32>> = found
            .map(|&found| self.raises(scores.len(), found))
            .collect();
        let new = scores.len().saturating_sub(1);
        let mut values = Vec::with_capacity(raises.len());
        let mut together = |label: usize| {
            values.clear();
            values.extend(raises.iter().map(|raise| raise[label]));
            match &mut values[..] {
                [] => 0.0,
                [only] => *only,
                values if label == new => mean(values),
                values => {
                    let heeded = |value: &mut f32| *value = libm::powf(*value, HEEDED);
                    values.iter_mut().for_each(heeded);
                    libm::powf(mean(values), 1.0 / HEEDED)
                }
            }
        };
        let scores = scores.iter().enumerate();
        scores
            .map(|(label, score)| score + together(label))
            .collect()
    }

    /// What is added to the score of each of so many labels.
    fn raises(&self, labels: usize, found: Found<'_>) -> Vec<f32> {
        let mut raises = vec![0.0; labels];
        let Some((new, whales)) = raises.split_last_mut() else {
            return raises;
        };
        let fits = &found.edges[..found.edges.len().min(whales.len())];
        let best = fits.iter().copied().fold(0.0, f32::max);
        *new = self.new_raise * found.heard - self.new_fall * edge_share(best);
        let mut proved = vec![0.0_f32; whales.len()];
        for &(slot, inliers) in found.inliers {
            if let Some(most) = proved.get_mut(slot) {
                *most = most.max(self.raise(inliers));
            }
        }
        for (whale, &votes) in whales.iter_mut().zip(found.votes) {
            *whale = self.votes_weight * votes_share(votes);
        }
        for (whale, &fit) in whales.iter_mut().zip(fits) {
            *whale += self.edge_weight * edge_share(fit);
            *whale += self.clear_edge_weight * clear_edge_share(fit);
        }
        let all = whales.iter_mut().zip(proved);
        all.for_each(|(whale, proved)| *whale += proved);
        raises
    }
}

#[cfg(test)]
mod tests;
