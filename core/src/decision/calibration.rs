//! Step 6: what the scores are worth, as probabilities.
//!
//! Two stages. softmax(β · score) shares one among all labels; then the first label's log odds o
//! become slope · o + offset (Platt, 1999) and the others share the rest in the proportions they
//! had. The second stage is there because β has to serve two ends: how fast the probabilities fall
//! from whale to whale, and how often the first answer is right, which is what people read.
//!
//! The answer's order is that of the scores, and a list whose numbers rise on the way down would
//! contradict itself: nobody could say which of the two to believe. So the first label never gets
//! less than the second, and the order of the others is not touched. `New` is a label as any other
//! here, unless the parameters have a slope and an offset of its own for where it is the first: that no
//! whale was found is another kind of certainty than that one was, where local features speak: it may be no
//! more than that nothing spoke for any of them, and then it is right as often as strangers come (`floor`).
//!
//! All these numbers are fitted by maximum likelihood on the tuning photos. That makes the
//! probabilities right on average over photos like those, and no more: it cannot know that one whale
//! is easier than another, or that the share of new whales is different elsewhere.

#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use super::{DecisionParameters, FirstOdds, softmax};

/// exp of anything below is nothing beside 1, even some thousand times over.
const NEGLIGIBLE: f32 = -30.0;

/// The probabilities of all labels, `New` the last. They sum to one and never fall where the scores
/// rise; of equal best scores, the first in label order may get more. The scores must be finite.
pub fn probabilities(scores: &[f32], parameters: &DecisionParameters) -> Vec<f32> {
    match First::of(scores, parameters.sharpness) {
        Some(first) => {
            let map = parameters.first_odds(first.slot + 1 == scores.len());
            if map == FirstOdds::UNCHANGED {
                return softmax(scores, parameters.sharpness);
            }
            first.with_log_odds(first.calibrated(map), scores, parameters.sharpness)
        }
        None => softmax(scores, parameters.sharpness),
    }
}

/// The log odds that softmax(β · score) gives the first label, against all others together: what
/// [`DecisionParameters::first_slope`] and [`DecisionParameters::first_offset`] are fitted to.
/// `None` where there are no others. The scores must be finite.
pub fn log_odds_of_first(scores: &[f32], sharpness: f32) -> Option<f64> {
    First::of(scores, sharpness).map(|first| first.log_odds)
}

impl FirstOdds {
    /// The log odds that become of these.
    pub fn of(self, log_odds: f64) -> f64 {
        let mapped = f64::from(self.slope) * log_odds + f64::from(self.offset);
        match f64::from(self.floor) {
            0.0 => mapped,
            // (floor + (1 - floor)·p) / ((1 - floor)·(1 - p)) with p / (1 - p) = exp(mapped).
            floor => libm::log((floor + libm::exp(mapped)) / (1.0 - floor)),
        }
    }
}

/// The first label of a column, against the others.
struct First {
    slot: usize,
    log_odds: f64,
    /// The second label's score.
    second: f32,
    /// Σ exp(β · (score - second)) over all labels but the first: 1 or more.
    others: f64,
}

impl First {
    fn of(scores: &[f32], sharpness: f32) -> Option<Self> {
        let mut slot = 0;
        for (other, &score) in scores.iter().enumerate() {
            if score > scores[slot] {
                slot = other;
            }
        }
        let (before, rest) = scores.split_at_checked(slot)?;
        let (first, after) = rest.split_first()?;
        let others = || before.iter().chain(after).copied();
        let second = others().reduce(f32::max)?;
        let powers = others().map(|score| power(score, second, sharpness));
        let others: f64 = powers.map(f64::from).sum();
        Some(Self {
            slot,
            log_odds: f64::from(sharpness) * f64::from(first - second) - libm::log(others),
            second,
            others,
        })
    }

    /// What `map` makes of the log odds, but no less than leaves the first label as probable as the second.
    fn calibrated(&self, map: FirstOdds) -> f64 {
        map.of(self.log_odds).max(-libm::log(self.others))
    }

    fn with_log_odds(&self, odds: f64, scores: &[f32], sharpness: f32) -> Vec<f32> {
        let rest = 1.0 / (1.0 + libm::exp(odds));
        let share = |score| f64::from(power(score, self.second, sharpness)) / self.others;
        let mut shared: Vec<f32> = scores
            .iter()
            .map(|&score| (rest * share(score)) as f32)
            .collect();
        let first = 1.0 / (1.0 + libm::exp(-odds));
        // Rounding must not put the second above it.
        shared[self.slot] = (first as f32).max((rest * (1.0 / self.others)) as f32);
        shared
    }
}

/// exp(β · (score - second)). The first label's is never used, and kept from overflowing.
fn power(score: f32, second: f32, sharpness: f32) -> f32 {
    libm::expf((sharpness * (score - second)).min(0.0))
}

/// -ln of the share that softmax(β · score) gives the label at `slot`: what the fit of β makes
/// small. It is convex in β. The scores must be finite and `slot` be one of them.
pub fn negative_log_likelihood(scores: &[f32], slot: usize, sharpness: f32) -> f64 {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponents = scores.iter().map(|&score| sharpness * (score - largest));
    let counting = exponents.filter(|&exponent| exponent > NEGLIGIBLE);
    let sum: f64 = counting
        .map(|exponent| f64::from(libm::expf(exponent)))
        .sum();
    libm::log(sum) + f64::from(sharpness) * f64::from(largest - scores[slot])
}
