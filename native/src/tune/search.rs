//! Every value of the grid by MAP@5, without ranking everything again for each.
//!
//! A constant for `New` leaves the whales' own order alone: `New` is put into it somewhere. So a
//! query is ranked once ([`Standing`]), and each of the 121 constants costs a few comparisons.
//! Mixing weights do change the order, but MAP@5 needs only the rank of the true label, which
//! counts the labels with a better score and sorts nothing.
//!
//! All counts are integers, so the result does not depend on the number of threads.

use flukeprint_core::decision::{
    DecisionParameters, Weights, classifier_probabilities, fused_score, rank_of,
};
use flukeprint_core::gallery::Label;
use flukeprint_core::metrics::{LISTED, RankCounts};
use rayon::prelude::*;
use std::borrow::Cow;

use super::grid::{
    CENTRE_SHARES, NEW_CONSTANTS, PHOTOS_PENALTIES, TEMPERATURES, new_constants,
    weights as mixtures,
};
use super::queries::{LabelledQueries, LabelledQuery};

/// T and p with the best MAP@5 of the classifier alone; of equal ones the smallest T, then the
/// smallest p.
pub(super) fn temperature_and_probability(queries: &LabelledQueries) -> (f32, f32) {
    let counts = TEMPERATURES.iter().flat_map(|&temperature| {
        count_constants(queries, |query| {
            classifier_probabilities(query.logits, queries.individuals(), temperature)
        })
    });
    let best = first_best(counts);
    let (temperature, constant) = (best / NEW_CONSTANTS, best % NEW_CONSTANTS);
    (TEMPERATURES[temperature], new_constants()[constant])
}

/// p with the best MAP@5 of the classifier alone at that T; of equal ones the smallest.
pub(super) fn probability_at(queries: &LabelledQueries, temperature: f32) -> f32 {
    let individuals = queries.individuals();
    let counts = count_constants(queries, |query| {
        classifier_probabilities(query.logits, individuals, temperature)
    });
    new_constants()[first_best(counts)]
}

/// Centre share, photos penalty and q with the best MAP@5 of the similarity with q alone; of equal
/// ones the first. Without a gallery behind the queries, or with `plain`, q alone is chosen.
pub(super) fn similarity(queries: &LabelledQueries, plain: bool) -> DecisionParameters {
    let individuals = queries.individuals();
    let few = plain || !queries.have_centres();
    let (shares, penalties) = match few {
        true => (&CENTRE_SHARES[..1], &PHOTOS_PENALTIES[..1]),
        false => (&CENTRE_SHARES[..], &PHOTOS_PENALTIES[..]),
    };
    let mixtures: Vec<DecisionParameters> = shares
        .iter()
        .flat_map(|&centre_share| {
            penalties
                .iter()
                .map(move |&photos_penalty| DecisionParameters {
                    centre_share,
                    photos_penalty,
                    ..DecisionParameters::default()
                })
        })
        .collect();
    let counts = mixtures.iter().flat_map(|mixture| {
        count_constants(queries, |query| {
            let mut whales = query.similarity(mixture).into_owned();
            whales.truncate(individuals);
            whales
        })
    });
    let best = first_best(counts);
    DecisionParameters {
        new_similarity: new_constants()[best % NEW_CONSTANTS],
        ..mixtures[best / NEW_CONSTANTS]
    }
}

/// The weights with the best MAP@5 of the final score, given T, p and q; of equal ones the first
/// in the order of [`mixtures`].
pub(super) fn weights(queries: &LabelledQueries, parameters: &DecisionParameters) -> Weights {
    let mixtures = mixtures();
    let counts = queries
        .par_iter()
        .map(|query| Opinions::new(&query, queries.individuals(), parameters))
        .fold(
            || vec![RankCounts::default(); mixtures.len()],
            |mut counts, opinions| {
                for (counts, &weights) in counts.iter_mut().zip(&mixtures) {
                    counts.record(Some(opinions.rank(weights)));
                }
                counts
            },
        )
        .reduce(|| vec![RankCounts::default(); mixtures.len()], add_each);
    mixtures[first_best(counts)]
}

/// The position of the first of the best results.
fn first_best(counts: impl IntoIterator<Item = RankCounts>) -> usize {
    let (mut best, mut most) = (0, None);
    for (position, counts) in counts.into_iter().enumerate() {
        if most.is_none_or(|most| counts.points() > most) {
            (best, most) = (position, Some(counts.points()));
        }
    }
    best
}

fn add_each(mut counts: Vec<RankCounts>, more: Vec<RankCounts>) -> Vec<RankCounts> {
    for (counts, more) in counts.iter_mut().zip(more) {
        *counts += more;
    }
    counts
}

/// For each constant the ranks of the true labels, with the whales' `scores` of a query given.
fn count_constants(
    queries: &LabelledQueries,
    scores: impl Fn(&LabelledQuery<'_>) -> Vec<f32> + Sync,
) -> Vec<RankCounts> {
    let constants = new_constants();
    queries
        .par_iter()
        .map(|query| Standing::new(&scores(&query), query.truth))
        .fold(
            || vec![RankCounts::default(); NEW_CONSTANTS],
            |mut counts, standing| {
                for (counts, &constant) in counts.iter_mut().zip(&constants) {
                    counts.record(Some(standing.rank(constant)));
                }
                counts
            },
        )
        .reduce(|| vec![RankCounts::default(); NEW_CONSTANTS], add_each)
}

/// What a query's ranking of the known whales leaves to be said about any constant for `New`.
enum Standing {
    /// The true whale's rank among the whales, and its score.
    Known { rank: usize, score: f32 },
    /// The photo shows a new whale: the best scores of the whales.
    New { best: [f32; LISTED] },
}

impl Standing {
    fn new(scores: &[f32], truth: Label) -> Self {
        match truth {
            Label::Individual(number) => Self::Known {
                rank: rank_of(scores, number as usize),
                score: scores[number as usize],
            },
            Label::New => Self::New {
                best: best_scores(scores),
            },
        }
    }

    /// The true label's rank once `New` with this constant is among the labels. `New` is the last
    /// of equals. Ranks beyond the list are not told apart.
    fn rank(&self, constant: f32) -> usize {
        match self {
            Self::Known { rank, score } => rank + usize::from(constant > *score),
            Self::New { best } => 1 + best.iter().filter(|&&score| score >= constant).count(),
        }
    }
}

/// The highest scores, highest first; minus infinity where there are no more.
fn best_scores(scores: &[f32]) -> [f32; LISTED] {
    let mut best = [f32::NEG_INFINITY; LISTED];
    for &score in scores {
        if score > best[LISTED - 1] {
            best[LISTED - 1] = score;
            best.sort_unstable_by(|a, b| b.total_cmp(a));
        }
    }
    best
}

/// The parts of a query's final score: `similarity` and `similarity with q` differ in `New` only.
pub(super) struct Opinions<'a> {
    similarity: Cow<'a, [f32]>,
    probability: Vec<f32>,
    new: [f32; 3],
    truth: Label,
}

impl<'a> Opinions<'a> {
    pub(super) fn new(
        query: &LabelledQuery<'a>,
        individuals: usize,
        parameters: &DecisionParameters,
    ) -> Self {
        let mut similarity = query.similarity(parameters);
        let new = similarity[individuals];
        match &mut similarity {
            Cow::Borrowed(column) => *column = &column[..individuals],
            Cow::Owned(column) => column.truncate(individuals),
        }
        Self {
            similarity,
            probability: classifier_probabilities(
                query.logits,
                individuals,
                parameters.temperature,
            ),
            new: [new, parameters.new_similarity, parameters.new_probability],
            truth: query.truth,
        }
    }

    /// The rank that `rank_of` would find in the fused column, without making the column.
    pub(super) fn rank(&self, weights: Weights) -> usize {
        let new = fused_score(weights, self.new[0], self.new[1], self.new[2]);
        match self.truth {
            Label::New => 1 + self.count(weights, 0..self.similarity.len(), |score| score >= new),
            Label::Individual(number) => {
                let slot = number as usize;
                let similarity = self.similarity[slot];
                let target = fused_score(weights, similarity, similarity, self.probability[slot]);
                let before = self.count(weights, 0..slot, |score| score >= target);
                let after = slot + 1..self.similarity.len();
                let after = self.count(weights, after, |score| score > target);
                1 + before + after + usize::from(new > target)
            }
        }
    }

    /// How many whales in the range have a score that is `better`.
    fn count(
        &self,
        weights: Weights,
        whales: std::ops::Range<usize>,
        better: impl Fn(f32) -> bool,
    ) -> usize {
        let similarity = &self.similarity[whales.clone()];
        let probability = &self.probability[whales];
        let better = similarity
            .iter()
            .zip(probability)
            .map(|(&similarity, &probability)| {
                u32::from(better(fused_score(
                    weights,
                    similarity,
                    similarity,
                    probability,
                )))
            });
        better.sum::<u32>() as usize
    }
}
