//! What a user of the calibration relies on.

use super::*;
use proptest::prelude::*;

fn labelled(scores: &[i32], same: &[i32]) -> Vec<LabelledScore> {
    let pairs = scores.iter().zip(same);
    pairs
        .map(|(&score, &same)| LabelledScore {
            score: f64::from(score),
            same: same == 1,
        })
        .collect()
}

#[test]
fn it_is_scikit_learns_isotonic_regression() {
    // sklearn.isotonic.IsotonicRegression().fit(scores, same): its thresholds.
    let scores = [0, 0, 0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 9, 10, 12];
    let same = [0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1, 1, 0, 1, 1, 1];
    let found: Vec<(f64, f64, f64)> = blocks(&labelled(&scores, &same))
        .iter()
        .map(|block| (block.lowest, block.highest, block.worth()))
        .collect();
    let expected = [
        (0.0, 2.0, 1.0 / 6.0),
        (3.0, 5.0, 0.5),
        (6.0, 8.0, 2.0 / 3.0),
        (9.0, 12.0, 1.0),
    ];
    assert_eq!(found, expected);
}

#[test]
fn three_right_pairs_make_nothing_certain() {
    let curve = fit(&labelled(&[0, 0, 9, 10, 11], &[0, 0, 1, 1, 1])).unwrap();
    assert_eq!(curve.knots(), [[0.0, 0.0], [10.0, 0.8]]);
    assert!(fit(&[]).is_err());
}

#[test]
fn the_measured_curve_is_one() {
    let curve = measured_curve().unwrap();
    assert!(curve.probability(0.0) < 0.05);
    // So many come by chance between flukes of 400 keypoints.
    assert!(curve.probability(9.0) < 0.1);
    assert!(curve.probability(60.0) > 0.9);
}

proptest! {
    #[test]
    fn blocks_rise_and_keep_all_pairs(pairs in prop::collection::vec((0..30, 0..2), 1..80)) {
        let (scores, same): (Vec<i32>, Vec<i32>) = pairs.into_iter().unzip();
        let pairs = labelled(&scores, &same);
        let blocks = blocks(&pairs);
        prop_assert!(blocks.windows(2).all(|two| two[0].worth() < two[1].worth()));
        prop_assert!(blocks.windows(2).all(|two| two[0].highest < two[1].lowest));
        prop_assert_eq!(blocks.iter().map(|block| block.pairs).sum::<usize>(), pairs.len());
        let same = pairs.iter().filter(|pair| pair.same).count();
        prop_assert_eq!(blocks.iter().map(|block| block.same).sum::<usize>(), same);
        prop_assert_eq!(fit(&pairs).unwrap().knots().len(), blocks.len());
    }
}
