//! What is said of each query, for measures that look at single answers.

use crate::tune::{LabelledQueries, LabelledQuery, TuneError};
use flukeprint_core::decision::{DecisionParameters, probabilities, rank_of};
use flukeprint_core::gallery::Label;
use rayon::prelude::*;

/// The final answer to one query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Answered {
    /// Whom the photo shows.
    pub truth: Label,
    /// The first label.
    pub first: Label,
    /// The first label's probability.
    pub probability: f32,
    /// The place of the true label among all, from 1.
    pub rank: usize,
    /// The place of a known whale among the known ones.
    pub rank_in_known: Option<usize>,
    /// How far `New` is ahead of the best known whale.
    pub lead: f32,
}

impl Answered {
    /// The answers to all queries, in order.
    ///
    /// # Errors
    /// A parameter out of range.
    pub(super) fn all(
        queries: &LabelledQueries,
        parameters: &DecisionParameters,
    ) -> Result<Vec<Self>, TuneError> {
        queries
            .par_iter()
            .map(|query| Self::of(&query, parameters))
            .collect()
    }

    fn of(query: &LabelledQuery<'_>, parameters: &DecisionParameters) -> Result<Self, TuneError> {
        let scores = query.columns(parameters)?.fused;
        let individuals = scores.len() - 1;
        let known = &scores[..individuals];
        let rank_in_known = match query.truth {
            Label::Individual(number) => Some(rank_of(known, number as usize)),
            Label::New => None,
        };
        let first = (0..scores.len()).fold(0, |first, slot| match scores[slot] > scores[first] {
            true => slot,
            false => first,
        });
        Ok(Self {
            truth: query.truth,
            first: Label::from_slot(first, individuals),
            // The first label never has less than another.
            probability: highest(&probabilities(&scores, parameters)),
            rank: rank_of(&scores, query.truth.slot(individuals)),
            rank_in_known,
            lead: scores[individuals] - highest(known),
        })
    }

    /// Whether the first label is the true one.
    pub(super) fn right(&self) -> bool {
        self.rank == 1
    }

    /// Whether the photo shows a new whale.
    pub(super) fn shows_new(&self) -> bool {
        self.truth == Label::New
    }
}

fn highest(values: &[f32]) -> f32 {
    values.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}
