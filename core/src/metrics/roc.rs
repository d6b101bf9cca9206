//! The area under the receiver operating characteristic.

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

    proptest! {
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
