//! How sure the first answer is, by maximum likelihood of its being right or wrong (Platt, 1999).
//!
//! β is fitted to all labels at once. Most of what the labels' likelihood knows is how the whales
//! below the first compare, of which there are thousands, and the first answer comes out too sure or
//! too modest for it. Slope and offset, fitted to nothing but whether the first answer is right, put
//! that straight: one pair for answers that name a whale and one for those that say `New`, which are
//! uncertain in another way. More numbers (a whale's lead, its score, the square of the log odds) were
//! no better on photos that they were not fitted on, but for a least probability of `New`.

#[cfg(test)]
mod tests;

use flukeprint_core::decision::{DecisionParameters, FirstOdds, log_odds_of_first, rank_of};
use rayon::prelude::*;

use super::TuneError;
use super::queries::LabelledQueries;
use super::sharpness::golden_section;

/// A query's final scores and the slot of its true label.
pub(super) type Scored = (Vec<f32>, usize);

/// Slope and offset are looked for between these; the penalty keeps them well inside.
const SLOPES: [f64; 2] = [0.02, 20.0];
const OFFSETS: [f64; 2] = [-20.0, 20.0];
const PRECISION: f64 = 1e-5;
/// Least probabilities of `New` that are tried: so many, in steps of so much.
const FLOORS: usize = 13;
const FLOOR_STEP: f64 = 0.05;

/// The final scores (step 5) of all queries.
pub(super) fn final_scores(
    queries: &LabelledQueries,
    parameters: &DecisionParameters,
) -> Result<Vec<Scored>, TuneError> {
    let individuals = queries.individuals();
    queries
        .par_iter()
        .map(|query| {
            let columns = query.columns(parameters)?;
            Ok((columns.fused, query.truth.slot(individuals)))
        })
        .collect()
}

/// Slope and offset of the first answer's log odds, given β, for answers that name a whale and for those
/// that say `New`.
pub(super) fn fit_apart(scored: &[Scored], sharpness: f32) -> [FirstOdds; 2] {
    let of = |new| answered(scored, sharpness, |scores| says_new(scores) == new);
    [odds(&of(false), 0.0), with_floor(&of(true))]
}

fn odds(answers: &[Answered], floor: f64) -> FirstOdds {
    let [slope, offset] = fit_answers(answers, floor).map(|value| value as f32);
    FirstOdds {
        slope,
        offset,
        floor: floor as f32,
    }
}

/// With the least probability that makes the answers likeliest. It is a number more, and must make them e
/// times as likely for it (Akaike, 1974).
fn with_floor(answers: &[Answered]) -> FirstOdds {
    let fitted = |step: usize| {
        let floor = FLOOR_STEP * step as f64;
        let loss = loss(answers, fit_answers(answers, floor), floor);
        (loss + if step == 0 { 0.0 } else { 1.0 }, floor)
    };
    let tried: Vec<(f64, f64)> = (0..FLOORS).into_par_iter().map(fitted).collect();
    let best = tried.iter().min_by(|a, b| a.0.total_cmp(&b.0));
    odds(answers, best.map_or(0.0, |best| best.1))
}

fn says_new(scores: &[f32]) -> bool {
    scores
        .split_last()
        .is_some_and(|(new, whales)| whales.iter().all(|whale| whale < new))
}

fn answered(
    scored: &[Scored],
    sharpness: f32,
    counts: impl Fn(&[f32]) -> bool + Sync,
) -> Vec<Answered> {
    let of_kind = scored.par_iter().filter(|(scores, _)| counts(scores));
    of_kind
        .filter_map(|(scores, slot)| {
            let log_odds = log_odds_of_first(scores, sharpness)?;
            Some((log_odds, rank_of(scores, *slot) == 1))
        })
        .collect()
}

/// Log odds of a first answer before, and whether it is right.
type Answered = (f64, bool);

/// Without a floor the loss is convex in both, so that its minimum over the offset is convex in the slope. With
/// one it is not where hardly an answer gets more than the floor; what is found then loses to no floor.
fn fit_answers(answers: &[Answered], floor: f64) -> [f64; 2] {
    let offset = |slope| {
        let loss = |offset| loss(answers, [slope, offset], floor);
        golden_section(loss, OFFSETS[0], OFFSETS[1], PRECISION)
    };
    let of_slope = |slope| loss(answers, [slope, offset(slope)], floor);
    let slope = golden_section(of_slope, SLOPES[0], SLOPES[1], PRECISION);
    [slope, offset(slope)]
}

/// The negative log likelihood, and the squared distance from changing nothing: a few photos, or a
/// run without a mistake, are no reason to be certain.
fn loss(answers: &[Answered], [slope, offset]: [f64; 2], floor: f64) -> f64 {
    let surprise = |&(log_odds, right): &Answered| {
        let calibrated = slope * log_odds + offset;
        match right {
            true if floor == 0.0 => softplus(-calibrated),
            true => -(floor + (1.0 - floor) / (1.0 + (-calibrated).exp())).ln(),
            false => softplus(calibrated) - (1.0 - floor).ln(),
        }
    };
    let surprises: f64 = answers.iter().map(surprise).sum();
    surprises + (slope - 1.0).powi(2) + offset.powi(2)
}

/// ln(1 + exp(x)).
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}
