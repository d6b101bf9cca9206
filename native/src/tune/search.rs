//! Every value of the grid by MAP@5, without ranking everything again for each: [`Standing`] for the
//! constants, [`Contest`] for the mixtures.
//!
//! What comes out is what ranking everything would give, ties and all: whatever rounding could turn
//! round is computed as the decision computes it. All counts are integers, so the result does not
//! depend on the number of threads.

use flukeprint_core::decision::{DecisionParameters, Weights, classifier_probabilities};
use flukeprint_core::metrics::RankCounts;
use rayon::prelude::*;

use super::contest::{Contest, Mixtures, Opinions};
use super::grid::{CENTRE_SHARES, NEW_CONSTANTS, TEMPERATURES, new_constants, weights as mixtures};
use super::queries::{LabelledQueries, LabelledQuery};
use super::standing::{Logits, Standing};

/// T and p with the best MAP@5 of the classifier alone; of equal ones the smallest T, then the
/// smallest p.
pub(super) fn temperature_and_probability(queries: &LabelledQueries) -> (f32, f32) {
    let at = |&temperature: &f32| count_temperature(queries, temperature);
    let best = first_best(TEMPERATURES.iter().flat_map(at));
    let (temperature, constant) = (best / NEW_CONSTANTS, best % NEW_CONSTANTS);
    (TEMPERATURES[temperature], new_constants()[constant])
}

/// p with the best MAP@5 of the classifier alone at that T; of equal ones the smallest.
pub(super) fn probability_at(queries: &LabelledQueries, temperature: f32) -> f32 {
    new_constants()[first_best(count_temperature(queries, temperature))]
}

fn count_temperature(queries: &LabelledQueries, temperature: f32) -> Vec<RankCounts> {
    let constants = new_constants();
    count_constants(queries, |query| {
        Logits::new(*query, queries.individuals()).standing(temperature, &constants)
    })
}

/// Centre share and q with the best MAP@5 of the similarity with q alone; of equal
/// ones the first. Without a gallery behind the queries, or with `plain`, q alone is chosen.
pub(super) fn similarity(queries: &LabelledQueries, plain: bool) -> DecisionParameters {
    let individuals = queries.individuals();
    let shares = match plain || !queries.have_centres() {
        true => &CENTRE_SHARES[..1],
        false => &CENTRE_SHARES[..],
    };
    let tried: Vec<DecisionParameters> = shares
        .iter()
        .map(|&centre_share| DecisionParameters {
            centre_share,
            ..DecisionParameters::default()
        })
        .collect();
    let counts = tried.iter().flat_map(|parameters| {
        count_constants(queries, |query| {
            Standing::new(&query.similarity(parameters)[..individuals], query.truth)
        })
    });
    let best = first_best(counts);
    DecisionParameters {
        new_similarity: new_constants()[best % NEW_CONSTANTS],
        ..tried[best / NEW_CONSTANTS]
    }
}

/// The weights with the best MAP@5 of the final score, given T, p and q; of equal ones the first
/// in the order of [`mixtures`].
pub(super) fn weights(queries: &LabelledQueries, parameters: &DecisionParameters) -> Weights {
    let mixtures = Mixtures::new(mixtures());
    let none = || vec![RankCounts::default(); mixtures.weights.len()];
    let counts = queries
        .par_iter()
        .map(|query| contest(&query, parameters, &mixtures))
        .fold(none, |mut counts, contest| {
            for (counts, &weights) in counts.iter_mut().zip(&mixtures.weights) {
                counts.record(Some(contest.rank(weights)));
            }
            counts
        })
        .reduce(none, add_each);
    mixtures.weights[first_best(counts)]
}

/// The contest that a query's true label has with the others.
pub(super) fn contest(
    query: &LabelledQuery<'_>,
    parameters: &DecisionParameters,
    mixtures: &Mixtures,
) -> Contest {
    let column = query.similarity(parameters);
    let individuals = column.len() - 1;
    let (similarity, new) = column.split_at(individuals);
    let opinions = Opinions {
        similarity,
        probability: &classifier_probabilities(query.logits, individuals, parameters.temperature),
        new: [
            new[0],
            parameters.new_similarity,
            parameters.new_probability,
        ],
        truth: query.truth,
    };
    Contest::new(&opinions, mixtures)
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

/// For each constant the ranks of the true labels.
fn count_constants(
    queries: &LabelledQueries,
    standing: impl Fn(&LabelledQuery<'_>) -> Standing + Sync,
) -> Vec<RankCounts> {
    let constants = new_constants();
    let none = || vec![RankCounts::default(); NEW_CONSTANTS];
    queries
        .par_iter()
        .map(|query| standing(&query))
        .fold(none, |mut counts, standing| {
            for (counts, &constant) in counts.iter_mut().zip(&constants) {
                counts.record(Some(standing.rank(constant)));
            }
            counts
        })
        .reduce(none, add_each)
}
