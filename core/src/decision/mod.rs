//! The decision: from a query's feature and logits to a ranked answer.
//!
//! In: a [`Query`] (what the model says about one photo), the [`Gallery`], and the
//! [`DecisionParameters`]. Out: an [`Answer`], the labels in order with scores, probabilities and
//! the nearest photo of each. [`decide`] is the whole path; web page, command line and evaluation
//! all go through the functions it calls.
//!
//! The steps and their numbers are those of the original system (spec, *Deciding*):
//!
//! 1. `classifier`: softmax(T · logits) over the known whales,
//! 2. and beside it a constant p for `New`;
//! 3. `similarity`: (2 - d)/2 with d the distance to the label's nearest photo, photos of new
//!    whales being a label too; beyond the spec, the mean of a whale's photos counts too;
//! 4. the same with `New` replaced by a constant q;
//! 5. `fusion`: c1 · (3) + c2 · (4) + c3 · (2);
//! 6. `calibration`: probabilities that sum to one over all whales and `New`, in the scores' order;
//! 7. `operating`: the same probabilities where another share of new whales is expected, and the
//!    verdict where one mistake costs more than the other; beyond the spec;
//! 8. `rank`: the first k by probability, equal ones by score, and equal scores in label order.
//!
//! Where local features were compared, `evidence` raises whales between steps 5 and 6
//! ([`decide_verified`]); `shortlist` says whom a query is compared with.
//!
//! Several photos of one animal are an *encounter*: `encounter` makes one score a label of theirs
//! between steps 5 and 6. A photo alone is an encounter of one.
//!
//! A slice with one entry per individual and a last one for `New` is called a *column* here, after
//! the tables these scores are collected in.
//!
//! Whales that one half does not know: a whale without a photo in the gallery has similarity 0
//! (d = 2, the farthest there is), a whale that was enrolled after the classifier was trained has
//! probability 0 in it. Each can still win by the other half.

mod calibration;
mod classifier;
mod encounter;
mod evidence;
mod fusion;
mod operating;
mod parameters;
mod rank;
mod shortlist;
mod similarity;
mod softmax;
#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use crate::gallery::{Closeness, Gallery, GalleryError};

pub use calibration::{log_odds_of_first, negative_log_likelihood, probabilities};
pub use classifier::{classifier_column, classifier_probabilities, merged_logits};
pub use encounter::{
    ALLOWANCE, GROWTH, REACH, decide_encounter, decide_verified, encounter_column,
    encounter_probabilities,
};
pub use evidence::{EvidenceParameters, Findings, Found, edge_share, votes_share};
pub use fusion::{Weights, fused_column, fused_score};
pub use operating::{OperatingPoint, OperatingRates};
pub use parameters::{DecisionParameters, FirstOdds};
pub use rank::{Answer, Candidate, rank_of};
pub use shortlist::{Listed, ShortlistSize, first_by_score, first_by_votes};
pub use similarity::{
    cosine, similarity, similarity_column, whale_similarity, with_new_similarity,
};
pub use softmax::softmax;

/// What the model says about one photo.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The embedding, `[dimension]`. Any length but zero; it is normalized.
    pub feature: &'a [f32],
    /// The total classifier's logits, `[individuals it was trained on]`: the gallery's first
    /// individuals, in their order.
    pub logits: &'a [f32],
}

/// Names the whale: the first `k` labels for `query`, best first (all labels if there are fewer), for
/// somebody who expects and fears what `point` says.
///
/// # Errors
/// A parameter or the point out of range; `k` of zero; an empty gallery; a feature of another dimension, of
/// length zero or with a value that is not finite; logits that are not finite, or more of them
/// than there are individuals.
pub fn decide(
    query: &Query<'_>,
    gallery: &Gallery,
    parameters: &DecisionParameters,
    point: &OperatingPoint,
    k: usize,
) -> Result<Answer, DecisionError> {
    decide_encounter(core::slice::from_ref(query), gallery, parameters, point, k)
}

/// The final score (step 5) of every label for one photo, by slot.
///
/// # Errors
/// As [`decide`].
pub fn final_scores(
    query: &Query<'_>,
    gallery: &Gallery,
    parameters: &DecisionParameters,
) -> Result<Vec<f32>, DecisionError> {
    Ok(scores_of_photo(query, gallery, parameters)?.0)
}

/// Steps 1 to 5 for one photo: the final score of every label, and how near it is.
fn scores_of_photo(
    query: &Query<'_>,
    gallery: &Gallery,
    parameters: &DecisionParameters,
) -> Result<(Vec<f32>, Vec<Option<Closeness>>), DecisionError> {
    let closeness = gallery.closeness_per_label(query.feature)?;
    let similarity = similarity_column(&closeness, parameters);
    let columns = Columns::new(query.logits, similarity, parameters)?;
    Ok((columns.fused, closeness))
}

/// Every score that goes into the decision, so that each can be looked at, and measured, alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Columns {
    /// Step 2: softmax(T · logits) with p for `New`.
    pub classifier: Vec<f32>,
    /// Step 3: similarity to the label's photos, of new whales too.
    pub similarity: Vec<f32>,
    /// Step 4: the same with q for `New`.
    pub similarity_with_new: Vec<f32>,
    /// Step 5: the weighted sum of the three, the final score.
    pub fused: Vec<f32>,
}

impl Columns {
    /// Steps 1 to 5 from the logits and the similarity column of one query.
    ///
    /// # Errors
    /// A parameter out of range, a value that is not finite, more logits than individuals, or an
    /// empty similarity column.
    pub fn new(
        logits: &[f32],
        similarity: Vec<f32>,
        parameters: &DecisionParameters,
    ) -> Result<Self, DecisionError> {
        parameters.validate()?;
        check_column("similarity", &similarity)?;
        let individuals = similarity
            .len()
            .checked_sub(1)
            .ok_or(DecisionError::NoLabels)?;
        check_column("logit", logits)?;
        if logits.len() > individuals {
            return Err(DecisionError::TooManyLogits {
                logits: logits.len(),
                individuals,
            });
        }
        let classifier = classifier_column(
            logits,
            individuals,
            parameters.temperature,
            parameters.new_probability,
        );
        let similarity_with_new = with_new_similarity(&similarity, parameters.new_similarity);
        let fused = fused_column(
            parameters.weights,
            &similarity,
            &similarity_with_new,
            &classifier,
        );
        Ok(Self {
            classifier,
            similarity,
            similarity_with_new,
            fused,
        })
    }
}

fn check_column(what: &'static str, values: &[f32]) -> Result<(), DecisionError> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(position) => Err(DecisionError::NotFinite {
            what,
            position,
            value: values[position],
        }),
        None => Ok(()),
    }
}

/// Why a query cannot be decided.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DecisionError {
    /// A parameter is outside its range.
    #[error("decision parameter {name} is {value}, it must be {range}")]
    Parameter {
        /// The parameter's name in the manifest.
        name: &'static str,
        /// Its value.
        value: f32,
        /// The range in words.
        range: &'static str,
    },
    /// All three mixing weights are zero.
    #[error("decision parameter weights is all zero: at least one weight must be above 0")]
    NoWeight,
    /// Another share of new whales is expected than one that nobody knows.
    #[error(
        "these parameters do not say for what share of new whales they were fitted: run `flukeprint tune` again, or expect no other share"
    )]
    NoShare,
    /// A logit or a similarity is NaN or infinite.
    #[error("{what} {position} is {value}, not a finite number")]
    NotFinite {
        /// What kind of value it is.
        what: &'static str,
        /// Its position.
        position: usize,
        /// The value.
        value: f32,
    },
    /// The classifier knows more whales than the gallery.
    #[error(
        "the classifier answers for {logits} individuals but the gallery has {individuals}: they belong to different catalogues"
    )]
    TooManyLogits {
        /// Number of logits.
        logits: usize,
        /// Number of individuals in the gallery.
        individuals: usize,
    },
    /// A column without even an entry for `New`.
    #[error("a column of scores must have one entry per individual and one for New, this is empty")]
    NoLabels,
    /// An encounter of no photos.
    #[error("an encounter needs at least 1 photo, this has none")]
    NoPhotos,
    /// An encounter's photos were scored against different catalogues.
    #[error(
        "one photo of the encounter has {first} scores, another {other}: score all against one catalogue"
    )]
    Columns {
        /// Scores of the first photo.
        first: usize,
        /// Scores of another.
        other: usize,
    },
    /// Asked for no candidates.
    #[error("asked for 0 candidates: ask for at least 1")]
    NoCandidates,
    /// The gallery cannot be searched with this feature.
    #[error(transparent)]
    Gallery(#[from] GalleryError),
}
