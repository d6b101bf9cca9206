//! Tuning: the decision's parameters from held-out photos.
//!
//! In: [`LabelledQueries`], what model and gallery say about photos whose whale is known to us, by
//! logits and by similarities. Out: a [`Tuning`], the [`DecisionParameters`] and a table of what
//! each part of the decision is worth, alone and together.
//!
//! The order is that of the original system (spec, *Deciding*): T and p together by MAP@5 of the
//! classifier alone, q by MAP@5 of the similarity with q alone (and with it, beyond the original, how
//! much the mean of a whale's photos counts), then the weights by MAP@5 of the final score,
//! all by trying every value of [`grid`]. Then β by maximum likelihood of the true
//! labels, and with it how sure the first answer is by maximum likelihood of its being right. Neither
//! changes an order.
//!
//! By construction the tuned whole is, on these photos, at least as good as each of its tuned
//! parts, and those at least as good as with any other value of the grid, the default's included.

mod contest;
mod error;
mod evidence;
mod exponential;
mod first;
pub mod grid;
mod likelihood;
mod operating;
mod queries;
#[cfg(test)]
mod rank_tests;
mod search;
mod sharpness;
mod standing;
#[cfg(test)]
mod tests;

use flukeprint_core::decision::DecisionParameters;

use crate::evaluate::scores::{ScoreRow, score_rows};

pub use error::TuneError;
pub use evidence::{calibrate_evidence, final_scores, weigh_edges, weigh_evidence};
pub use operating::{Answered, MISSED_COSTS, NEW_SHARES, operating_rates};
pub use queries::{LabelledQueries, LabelledQuery};

/// Tuned parameters and what they achieve on the photos they were tuned on.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuning {
    /// The parameters, ready for the bundle.
    pub parameters: DecisionParameters,
    /// Classifier, nearest photo and both, as [`score_rows`] gives them. Flattering, because the
    /// parameters were chosen on the same photos; other photos tell the truth.
    pub rows: Vec<ScoreRow>,
}

/// Chooses all parameters on `queries`.
///
/// # Errors
/// There are only known or only new whales among the queries, so that p and q could be anything;
/// or there are no logits.
pub fn tune(queries: &LabelledQueries) -> Result<Tuning, TuneError> {
    require_both_kinds(queries)?;
    if queries.classified() == 0 {
        return Err(TuneError::NoClassifier);
    }
    let (temperature, new_probability) = search::temperature_and_probability(queries);
    let mut parameters = DecisionParameters {
        temperature,
        new_probability,
        new_share: Some((queries.len() - queries.known()) as f32 / queries.len() as f32),
        ..search::similarity(queries, false)
    };
    parameters.weights = search::weights(queries, &parameters);
    let scored = first::final_scores(queries, &parameters)?;
    parameters.sharpness = sharpness::fit(&scored);
    let [of_whales, of_new] = first::fit_apart(&scored, parameters.sharpness);
    (parameters.first_slope, parameters.first_offset) = (of_whales.slope, of_whales.offset);
    parameters.new_first = Some(of_new);
    let rows = score_rows(queries, &parameters)?;
    Ok(Tuning { parameters, rows })
}

/// Chooses p alone, for a classifier at a given T.
///
/// # Errors
/// As [`tune`].
pub fn tune_classifier_at(queries: &LabelledQueries, temperature: f32) -> Result<f32, TuneError> {
    require_both_kinds(queries)?;
    if queries.classified() == 0 {
        return Err(TuneError::NoClassifier);
    }
    Ok(search::probability_at(queries, temperature))
}

/// Chooses q alone: for a baseline that has features but no classifier.
///
/// # Errors
/// There are only known or only new whales among the queries.
pub fn tune_new_similarity(queries: &LabelledQueries) -> Result<f32, TuneError> {
    require_both_kinds(queries)?;
    Ok(search::similarity(queries, true).new_similarity)
}

fn require_both_kinds(queries: &LabelledQueries) -> Result<(), TuneError> {
    let (known, new) = (queries.known(), queries.len() - queries.known());
    match (known, new) {
        (0, queries) => Err(TuneError::OnlyNew { queries }),
        (queries, 0) => Err(TuneError::OnlyKnown { queries }),
        _ => Ok(()),
    }
}
