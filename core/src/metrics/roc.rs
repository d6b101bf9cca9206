//! The receiver operating characteristic: its points and the area under it.

use alloc::vec::Vec;

use super::MetricsError;

/// The probability that a random positive scores higher than a random negative, ties counting
/// half: the area under the ROC curve, by the Mann-Whitney statistic (Hanley and McNeil, 1982).
/// 0.5 is chance, 1 perfect. For known against new, pass the *newness* of new queries first and of
/// known ones second.
///
/// # Errors
/// One of the two is empty, or a score is NaN.
pub fn roc_area(positives: &[f32], negatives: &[f32]) -> Result<f64, MetricsError> {
    check("positives", positives)?;
    check("negatives", negatives)?;
    let mut negatives: Vec<f32> = negatives.to_vec();
    negatives.sort_unstable_by(f32::total_cmp);
    // Twice the number of pairs won, a tie being half a win: an integer.
    let wins: u64 = positives
        .iter()
        .map(|score| {
            let below = negatives.partition_point(|other| other < score);
            let not_above = negatives.partition_point(|other| other <= score);
            (below + not_above) as u64
        })
        .sum();
    let pairs = positives.len() as f64 * negatives.len() as f64;
    Ok(wins as f64 / (2.0 * pairs))
}

/// A point of the ROC curve: what "positive if the score is at least the threshold" does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RocPoint {
    /// The threshold, a score that occurs; infinite in the first point, where nothing is taken.
    pub threshold: f32,
    /// The share of negatives at or above it (false positive rate).
    pub taken: f64,
    /// The share of positives at or above it (true positive rate).
    pub found: f64,
}

/// The points of the ROC curve, from nothing taken at (0, 0) to everything at (1, 1): one for each
/// score that occurs, equal scores being one step, so that straight lines between the points enclose
/// [`roc_area`] (Fawcett, 2006). For known against new, pass the *newness* of new queries first and of
/// known ones second.
///
/// # Errors
/// As [`roc_area`].
pub fn roc_curve(positives: &[f32], negatives: &[f32]) -> Result<Vec<RocPoint>, MetricsError> {
    check("positives", positives)?;
    check("negatives", negatives)?;
    let of_positives = positives.iter().map(|&score| (score, true));
    let of_negatives = negatives.iter().map(|&score| (score, false));
    let mut scores: Vec<(f32, bool)> = of_positives.chain(of_negatives).collect();
    scores.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let mut points = Vec::with_capacity(scores.len() + 1);
    points.push(RocPoint {
        threshold: f32::INFINITY,
        taken: 0.0,
        found: 0.0,
    });
    let (mut taken, mut found) = (0, 0);
    for equals in scores.chunk_by(|a, b| a.0 == b.0) {
        let of_positives = equals.iter().filter(|(_, positive)| *positive).count();
        found += of_positives;
        taken += equals.len() - of_positives;
        points.push(RocPoint {
            threshold: equals[0].0,
            taken: taken as f64 / negatives.len() as f64,
            found: found as f64 / positives.len() as f64,
        });
    }
    Ok(points)
}

fn check(what: &'static str, scores: &[f32]) -> Result<(), MetricsError> {
    if scores.is_empty() {
        return Err(MetricsError::Nothing { what });
    }
    match scores.iter().position(|score| score.is_nan()) {
        Some(position) => Err(MetricsError::NotANumber { what, position }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn separated_scores_have_area_one_or_zero() {
        assert_eq!(roc_area(&[0.8, 0.9], &[0.1, 0.2, 0.3]), Ok(1.0));
        assert_eq!(roc_area(&[0.1], &[0.2, 0.3]), Ok(0.0));
    }

    #[test]
    fn ties_count_half() {
        assert_eq!(roc_area(&[0.5, 0.5], &[0.5]), Ok(0.5));
        // Pairs: (3,1) won, (3,3) tied, (2,1) won, (2,3) lost: 2.5 of 4.
        assert_eq!(roc_area(&[3.0, 2.0], &[1.0, 3.0]), Ok(0.625));
        // Zero has no sign here.
        assert_eq!(roc_area(&[0.0], &[-0.0]), Ok(0.5));
    }

    #[test]
    fn one_sided_or_broken_scores_are_refused() {
        assert_eq!(
            roc_area(&[], &[1.0]),
            Err(MetricsError::Nothing { what: "positives" })
        );
        assert_eq!(
            roc_area(&[1.0], &[]),
            Err(MetricsError::Nothing { what: "negatives" })
        );
        assert_eq!(
            roc_area(&[1.0], &[0.0, f32::NAN]),
            Err(MetricsError::NotANumber {
                what: "negatives",
                position: 1
            })
        );
    }

    fn shares(points: &[RocPoint]) -> Vec<(f64, f64)> {
        points
            .iter()
            .map(|point| (point.taken, point.found))
            .collect()
    }

    /// scikit-learn's own example, `roc_curve([1, 1, 2, 2], [0.1, 0.4, 0.35, 0.8], pos_label=2)`:
    /// fpr 0, 0, 0.5, 0.5, 1, tpr 0, 0.5, 0.5, 1, 1, thresholds inf, 0.8, 0.4, 0.35, 0.1; its
    /// `roc_auc_score` is 0.75.
    #[test]
    fn the_curve_is_scikit_learns() {
        let (positives, negatives) = ([0.35, 0.8], [0.1, 0.4]);
        let points = roc_curve(&positives, &negatives).unwrap();
        let wanted = [(0.0, 0.0), (0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (1.0, 1.0)];
        assert_eq!(shares(&points), wanted);
        let thresholds: Vec<f32> = points.iter().map(|point| point.threshold).collect();
        assert_eq!(thresholds, [f32::INFINITY, 0.8, 0.4, 0.35, 0.1]);
        assert_eq!(roc_area(&positives, &negatives), Ok(0.75));
    }

    #[test]
    fn equal_scores_are_one_slanted_step() {
        // At 3 one of two positives and one of four negatives, at 1 all: by hand.
        let points = roc_curve(&[3.0, 1.0], &[3.0, 1.0, 1.0, 1.0]).unwrap();
        assert_eq!(shares(&points), [(0.0, 0.0), (0.25, 0.5), (1.0, 1.0)]);
        let nothing = Err(MetricsError::Nothing { what: "negatives" });
        assert_eq!(roc_curve(&[1.0], &[]), nothing);
    }

    proptest! {
        #[test]
        fn straight_lines_between_the_points_enclose_the_area(
            positives in prop::collection::vec(0_u8..9, 1..30),
            negatives in prop::collection::vec(0_u8..9, 1..30),
        ) {
            let positives: Vec<f32> = positives.into_iter().map(f32::from).collect();
            let negatives: Vec<f32> = negatives.into_iter().map(f32::from).collect();
            let points = shares(&roc_curve(&positives, &negatives).unwrap());
            prop_assert_eq!((points[0], points[points.len() - 1]), ((0.0, 0.0), (1.0, 1.0)));
            let trapezoids = points.windows(2).map(|pair| {
                let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
                (x1 - x0) * (y0 + y1) / 2.0
            });
            let area = roc_area(&positives, &negatives).unwrap();
            prop_assert!((trapezoids.sum::<f64>() - area).abs() < 1e-12);
            prop_assert!(points.windows(2).all(|p| p[0].0 <= p[1].0 && p[0].1 <= p[1].1));
        }

        #[test]
        fn equals_the_count_over_all_pairs(
            positives in prop::collection::vec(0_u8..6, 1..20),
            negatives in prop::collection::vec(0_u8..6, 1..20),
        ) {
            let positives: Vec<f32> = positives.into_iter().map(f32::from).collect();
            let negatives: Vec<f32> = negatives.into_iter().map(f32::from).collect();
            let mut won = 0.0;
            for p in &positives {
                for n in &negatives {
                    won += if p > n { 1.0 } else if p == n { 0.5 } else { 0.0 };
                }
            }
            let pairs = (positives.len() * negatives.len()) as f64;
            let area = roc_area(&positives, &negatives).unwrap();
            prop_assert!((area - won / pairs).abs() < 1e-12);
        }

        #[test]
        fn swapping_the_sides_mirrors_the_area(
            a in prop::collection::vec(-1.0_f32..1.0, 1..20),
            b in prop::collection::vec(-1.0_f32..1.0, 1..20),
        ) {
            let sum = roc_area(&a, &b).unwrap() + roc_area(&b, &a).unwrap();
            prop_assert!((sum - 1.0).abs() < 1e-12);
        }
    }
}
