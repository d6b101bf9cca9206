//! What a score is worth, as a probability: a monotone curve through knots.
//!
//! The knots come from labelled pairs (isotonic regression, in `flukeprint`); between them the curve is
//! the monotone cubic of Fritsch and Carlson (1980) with the slopes of Fritsch and Butland (1984), known
//! as PCHIP. It never falls where the knots do not, and has no steps: a higher score is never worth less,
//! and between two knots it is worth more.

#[cfg(test)]
mod tests;

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// A monotone map from a score to a probability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Knots", into = "Knots")]
pub struct Curve {
    knots: Vec<[f64; 2]>,
    slopes: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Knots {
    knots: Vec<[f64; 2]>,
}

/// Why knots make no curve.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the curve from score to probability: {reason}")]
pub struct CurveError {
    reason: String,
}

impl Curve {
    /// The curve through `[score, probability]`.
    ///
    /// # Errors
    /// When there is no knot, a number is not finite, scores do not rise from knot to knot,
    /// probabilities fall or one lies outside 0…1.
    pub fn new(knots: Vec<[f64; 2]>) -> Result<Self, CurveError> {
        let refuse = |reason: String| Err(CurveError { reason });
        if knots.is_empty() {
            return refuse(String::from("it has no knot"));
        }
        for (number, &[score, probability]) in (1..).zip(&knots) {
            if !score.is_finite() || !(0.0..=1.0).contains(&probability) {
                return refuse(alloc::format!(
                    "knot {number} is ({score}, {probability}); a score must be finite and a probability from 0 to 1"
                ));
            }
        }
        for (number, pair) in (2..).zip(knots.windows(2)) {
            if pair[1][0] <= pair[0][0] || pair[1][1] < pair[0][1] {
                return refuse(alloc::format!(
                    "knot {number} must have a higher score than the one before it and no lower probability"
                ));
            }
        }
        let slopes = slopes(&knots);
        Ok(Self { knots, slopes })
    }

    /// The knots, `[score, probability]`, by score.
    pub fn knots(&self) -> &[[f64; 2]] {
        &self.knots
    }

    /// The probability that `score` stands for. Below the first knot that knot's, above the last the
    /// last's; what is not a number is worth what the lowest score is.
    pub fn probability(&self, score: f64) -> f64 {
        let next = self.knots.partition_point(|knot| knot[0] <= score);
        if next == 0 {
            return self.knots[0][1];
        }
        let Some(&[right, high]) = self.knots.get(next) else {
            return self.knots[next - 1][1];
        };
        let [left, low] = self.knots[next - 1];
        let width = right - left;
        let t = (score - left) / width;
        let (t2, t3) = (t * t, t * t * t);
        // Hermite's basis.
        let value = low * (2.0 * t3 - 3.0 * t2 + 1.0)
            + high * (3.0 * t2 - 2.0 * t3)
            + width * self.slopes[next - 1] * (t3 - 2.0 * t2 + t)
            + width * self.slopes[next] * (t3 - t2);
        // Rounding must not leave the two knots.
        value.clamp(low, high)
    }

    /// By what factor the odds of `score` are those of the lowest score, as its natural logarithm; 0 or
    /// more. The probabilities are kept from 0.002 to 0.998: knots of some thousand pairs know nothing of
    /// odds beyond.
    pub fn log_odds_gained(&self, score: f64) -> f64 {
        let lowest = self.knots.first().map_or(0.0, |knot| knot[1]);
        log_odds(self.probability(score)) - log_odds(lowest)
    }
}

/// As far as odds are believed.
const KEPT: f64 = 0.002;

fn log_odds(probability: f64) -> f64 {
    let kept = probability.clamp(KEPT, 1.0 - KEPT);
    libm::log(kept / (1.0 - kept))
}

impl TryFrom<Knots> for Curve {
    type Error = CurveError;

    fn try_from(knots: Knots) -> Result<Self, CurveError> {
        Self::new(knots.knots)
    }
}

impl From<Curve> for Knots {
    fn from(curve: Curve) -> Self {
        Self { knots: curve.knots }
    }
}

/// The slopes at the knots that keep the curve monotone.
fn slopes(knots: &[[f64; 2]]) -> Vec<f64> {
    let steps: Vec<[f64; 2]> = knots
        .windows(2)
        .map(|pair| {
            let width = pair[1][0] - pair[0][0];
            [width, (pair[1][1] - pair[0][1]) / width]
        })
        .collect();
    let (Some(&first), Some(&last)) = (steps.first(), steps.last()) else {
        return alloc::vec![0.0; knots.len()];
    };
    if steps.len() == 1 {
        return alloc::vec![first[1]; 2];
    }
    let mut slopes = Vec::with_capacity(knots.len());
    slopes.push(end_slope(first, steps[1]));
    slopes.extend(steps.windows(2).map(|pair| inner_slope(pair[0], pair[1])));
    slopes.push(end_slope(last, steps[steps.len() - 2]));
    slopes
}

/// The weighted harmonic mean of the slopes to either side (Fritsch and Butland, 1984).
fn inner_slope([width, slope]: [f64; 2], [next_width, next_slope]: [f64; 2]) -> f64 {
    if slope == 0.0 || next_slope == 0.0 {
        return 0.0;
    }
    let (w1, w2) = (2.0 * next_width + width, next_width + 2.0 * width);
    (w1 + w2) / (w1 / slope + w2 / next_slope)
}

/// The slope of the parabola through the last three knots, kept from falling and from overshooting
/// (Moler, *Numerical Computing with MATLAB*, 3.4).
fn end_slope([width, slope]: [f64; 2], [inner_width, inner_slope]: [f64; 2]) -> f64 {
    let parabola =
        ((2.0 * width + inner_width) * slope - width * inner_slope) / (width + inner_width);
    // All slopes are 0 or more, so there is no turn between them.
    parabola.max(0.0).min(3.0 * slope)
}
