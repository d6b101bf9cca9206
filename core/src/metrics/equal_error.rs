//! Where a threshold errs equally often on both sides.

use alloc::vec::Vec;

use super::MetricsError;

/// An equal-error rate and where it is reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EqualError {
    /// The share of positives below the threshold and of negatives at or above it; 0…1, 0.5 is
    /// chance and 0 perfect.
    pub rate: f64,
    /// A score is taken for a positive's from here on.
    pub threshold: f64,
}

/// The equal-error rate of "positive if the score is at least the threshold": where the share of
/// positives that are missed is the share of negatives that are taken.
///
/// Both shares jump from score to score and seldom meet on one; rate and threshold are interpolated
/// on the line between the two points of the ROC curve where the order of the shares changes. For
/// known against new, pass the *newness* of new queries first and of known ones second.
///
/// # Errors
/// One of the two is empty, or a score is not finite.
pub fn equal_error_rate(positives: &[f32], negatives: &[f32]) -> Result<EqualError, MetricsError> {
    check("positives", positives)?;
    check("negatives", negatives)?;
    let of_positives = positives.iter().map(|&score| (score, true));
    let of_negatives = negatives.iter().map(|&score| (score, false));
    let mut scores: Vec<(f32, bool)> = of_positives.chain(of_negatives).collect();
    scores.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));

    let (mut found, mut taken) = (0, 0);
    let mut before = Point::above(scores[0].0);
    for equals in scores.chunk_by(|a, b| a.0 == b.0) {
        let of_group = equals.iter().filter(|(_, positive)| *positive).count();
        found += of_group;
        taken += equals.len() - of_group;
        let here = Point {
            threshold: f64::from(equals[0].0),
            missed: (positives.len() - found) as f64 / positives.len() as f64,
            taken: taken as f64 / negatives.len() as f64,
        };
        if here.taken >= here.missed {
            return Ok(crossing(&before, &here));
        }
        before = here;
    }
    // The lowest score misses none and takes all, so the loop has ended before here.
    Ok(crossing(&before, &before))
}

fn check(what: &'static str, scores: &[f32]) -> Result<(), MetricsError> {
    if scores.is_empty() {
        return Err(MetricsError::Nothing { what });
    }
    match scores.iter().position(|score| !score.is_finite()) {
        Some(position) => Err(MetricsError::NotFinite { what, position }),
        None => Ok(()),
    }
}

/// What a threshold does.
struct Point {
    threshold: f64,
    /// The share of positives below it.
    missed: f64,
    /// The share of negatives at or above it.
    taken: f64,
}

impl Point {
    /// Nothing is taken yet. A threshold just above the highest score is told as that score.
    fn above(highest: f32) -> Self {
        Self {
            threshold: f64::from(highest),
            missed: 1.0,
            taken: 0.0,
        }
    }

    fn surplus(&self) -> f64 {
        self.missed - self.taken
    }
}

/// Where the line from `before`, which misses more than it takes, to `after`, which does not, has
/// both shares equal.
fn crossing(before: &Point, after: &Point) -> EqualError {
    let width = before.surplus() - after.surplus();
    let share = if width > 0.0 {
        before.surplus() / width
    } else {
        1.0
    };
    let between = |from: f64, to: f64| from + share * (to - from);
    EqualError {
        rate: between(before.missed, after.missed),
        threshold: between(before.threshold, after.threshold),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(positives: &[f32], negatives: &[f32]) -> (f64, f64) {
        let found = equal_error_rate(positives, negatives).unwrap();
        (found.rate, found.threshold)
    }

    #[test]
    fn separated_scores_have_no_error_and_mirrored_ones_nothing_else() {
        assert_eq!(of(&[2.0, 3.0], &[-1.0, 0.0, 1.0]), (0.0, 2.0));
        assert_eq!(of(&[-1.0], &[1.0, 2.0]).0, 1.0);
    }

    #[test]
    fn scores_that_say_nothing_err_in_half_of_the_cases() {
        assert_eq!(of(&[0.5, 0.5], &[0.5, 0.5, 0.5]), (0.5, 0.5));
    }

    /// Thresholds 4, 3, 2, 1: missed 3/4, 2/4, 1/4, 1/4; taken 0, 0, 1/2, 1. Between 3 and 2 the
    /// difference goes from 1/2 to -1/4, so two thirds of the way.
    #[test]
    fn between_two_scores_it_is_interpolated() {
        let (rate, threshold) = of(&[4.0, 3.0, 2.0, 0.0], &[2.0, 1.0]);
        assert!((rate - 1.0 / 3.0).abs() < 1e-12, "{rate}");
        assert!((threshold - (3.0 - 2.0 / 3.0)).abs() < 1e-12, "{threshold}");
    }

    /// numpy 2.4, by every threshold in turn:
    /// ```python
    /// import numpy as np
    /// p = np.array([2.1, 1.4, 0.9, 0.3, -0.2, 1.1, 0.6]); n = np.array([0.5, -0.4, -1.2, 0.8, 1.2, -0.9, 0.1, -2.0, 0.0])
    /// t = np.sort(np.r_[p, n])[::-1]
    /// miss = np.array([(p < x).mean() for x in t]); take = np.array([(n >= x).mean() for x in t])
    /// d = miss - take; i = np.argmax(d <= 0); s = d[i-1] / (d[i-1] - d[i])
    /// print(miss[i-1] + s * (miss[i] - miss[i-1]), t[i-1] + s * (t[i] - t[i-1]))
    /// # 0.2857142857142857 0.5428571428571428
    /// ```
    #[test]
    fn agrees_with_numpy() {
        let positives = [2.1, 1.4, 0.9, 0.3, -0.2, 1.1, 0.6];
        let negatives = [0.5, -0.4, -1.2, 0.8, 1.2, -0.9, 0.1, -2.0, 0.0];
        let (rate, threshold) = of(&positives, &negatives);
        assert!((rate - 0.285_714_285).abs() < 1e-6, "{rate}");
        assert!((threshold - 0.542_857_142).abs() < 1e-6, "{threshold}");
    }

    #[test]
    fn one_sided_or_broken_scores_are_refused() {
        assert_eq!(
            equal_error_rate(&[1.0], &[]),
            Err(MetricsError::Nothing { what: "negatives" })
        );
        assert_eq!(
            equal_error_rate(&[0.0, f32::INFINITY], &[1.0]),
            Err(MetricsError::NotFinite {
                what: "positives",
                position: 1
            })
        );
    }

    fn scores() -> impl Strategy<Value = Vec<f32>> {
        prop::collection::vec((0_u8..12).prop_map(f32::from), 1..20)
    }

    proptest! {
        /// No threshold has both shares below the rate, nor both above it.
        #[test]
        fn every_threshold_has_one_share_on_each_side(
            positives in scores(),
            negatives in scores(),
            threshold in 0_u8..13,
        ) {
            let rate = equal_error_rate(&positives, &negatives).unwrap().rate;
            let threshold = f32::from(threshold);
            let share = |scores: &[f32], wanted: &dyn Fn(f32) -> bool| {
                scores.iter().filter(|&&score| wanted(score)).count() as f64 / scores.len() as f64
            };
            let missed = share(&positives, &|score| score < threshold);
            let taken = share(&negatives, &|score| score >= threshold);
            prop_assert!(missed.min(taken) <= rate + 1e-12);
            prop_assert!(missed.max(taken) >= rate - 1e-12);
        }

        #[test]
        fn the_rate_is_of_the_order_alone_and_the_same_seen_from_the_other_side(
            positives in scores(),
            negatives in scores(),
        ) {
            let rate = equal_error_rate(&positives, &negatives).unwrap().rate;
            let cubes = |scores: &[f32]| scores.iter().map(|x| x * x * x).collect::<Vec<_>>();
            let cubed = equal_error_rate(&cubes(&positives), &cubes(&negatives)).unwrap().rate;
            prop_assert_eq!(rate, cubed);
            let minus = |scores: &[f32]| scores.iter().map(|x| -x).collect::<Vec<_>>();
            let other = equal_error_rate(&minus(&negatives), &minus(&positives)).unwrap().rate;
            prop_assert!((rate - other).abs() < 1e-12, "{} {}", rate, other);
        }
    }
}
