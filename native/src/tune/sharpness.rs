//! β, by maximum likelihood.

use rayon::prelude::*;

use super::exponential;
use super::first::Scored;

/// β is looked for between these. Where every tuning photo is named rightly the likelihood only
/// grows with β; the upper end keeps the probabilities short of certainty.
const SMALLEST: f64 = 0.01;
const LARGEST: f64 = 1000.0;
/// The search ends when ln β is known to this.
const PRECISION: f64 = 1e-3;

/// The β with the smallest mean negative log likelihood of the true labels
/// ([`flukeprint_core::decision::negative_log_likelihood`], with faster exponentials).
pub(super) fn fit(scored: &[Scored]) -> f32 {
    let largest = |(scores, _): &Scored| scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let largest: Vec<f32> = scored.par_iter().map(largest).collect();
    let loss = |log_sharpness: f64| {
        let sharpness = log_sharpness.exp() as f32;
        // Collected before it is summed: the order of a sum of floats matters.
        let losses: Vec<f64> = scored
            .par_iter()
            .zip(&largest)
            .map(|((scores, slot), &largest)| {
                let behind = f64::from(sharpness) * f64::from(largest - scores[*slot]);
                exponential::sum(scores, largest, sharpness).ln() + behind
            })
            .collect();
        losses.iter().sum::<f64>()
    };
    golden_section(loss, SMALLEST.ln(), LARGEST.ln(), PRECISION).exp() as f32
}

/// The place of the minimum of a function that falls and then rises between `low` and `high`
/// (Kiefer, 1953). The likelihood does so in ln β, being convex in β.
pub(super) fn golden_section(
    mut function: impl FnMut(f64) -> f64,
    mut low: f64,
    mut high: f64,
    precision: f64,
) -> f64 {
    let share = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut left, mut right) = (high - share * (high - low), low + share * (high - low));
    let (mut at_left, mut at_right) = (function(left), function(right));
    while high - low > precision {
        if at_left <= at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - share * (high - low);
            at_left = function(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + share * (high - low);
            at_right = function(right);
        }
    }
    f64::midpoint(low, high)
}
