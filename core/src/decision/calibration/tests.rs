//! What a reader of the probabilities relies on.

use alloc::string::ToString;
use alloc::vec;

use proptest::prelude::*;

use super::super::rank;
use super::*;

/// What a manifest of before there were `first_slope` and `first_offset` says.
#[test]
fn parameters_without_a_second_calibration_leave_the_softmax_as_it_is() {
    let json = r#"{"temperature": 2.0, "new_probability": 0.3, "new_similarity": 0.4,
        "weights": [0.0, 1.0, 0.2], "sharpness": 12.5}"#;
    let parameters: DecisionParameters = serde_json::from_str(json).unwrap();
    assert_eq!(
        (parameters.first_slope, parameters.first_offset),
        (1.0, 0.0)
    );
    let scores = [0.3, 0.9, 0.7, 0.85];
    assert_eq!(probabilities(&scores, &parameters), softmax(&scores, 12.5));
}

/// Shares 4, 2 and 1 of 7: odds 4/3. Slope 2 makes them 16/9, so 16/25; the others have 6/25 and
/// 3/25. Offset ln(9/16) · 2 makes odds 16/9 · 81/256 = 9/16, so 9/25, and 32/75 would be left for
/// the second: more than the first has, so both get the same, 2/5.
#[test]
fn the_first_gets_its_calibrated_odds_unless_the_second_would_overtake() {
    let ln_2 = core::f32::consts::LN_2;
    let scores = [ln_2, 0.0, 2.0 * ln_2];
    let with = |first_offset: f32| {
        let parameters = DecisionParameters {
            sharpness: 1.0,
            first_slope: 2.0,
            first_offset,
            ..DecisionParameters::default()
        };
        probabilities(&scores, &parameters)
    };
    let expect = |found: Vec<f32>, expected: [f64; 3]| {
        let all = found
            .iter()
            .zip(expected)
            .all(|(&a, b)| (f64::from(a) - b).abs() < 1e-6);
        assert!(all, "{found:?}");
    };
    expect(with(0.0), [6.0 / 25.0, 3.0 / 25.0, 16.0 / 25.0]);
    expect(with(2.0 * (9.0_f32 / 16.0).ln()), [0.4, 0.2, 0.4]);
    assert_eq!(log_odds_of_first(&[0.5], 1.0), None);
}

/// Odds 2 of `New` become 4 by its own slope; where a whale is first, 8 by the other.
#[test]
fn new_has_numbers_of_its_own_where_it_is_first() {
    let ln_2 = core::f32::consts::LN_2;
    let parameters = DecisionParameters {
        sharpness: 1.0,
        first_slope: 3.0,
        new_first: Some(FirstOdds {
            slope: 2.0,
            offset: 0.0,
            floor: 0.0,
        }),
        ..DecisionParameters::default()
    };
    let new = probabilities(&[0.0, ln_2], &parameters);
    assert!((new[1] - 0.8).abs() < 1e-6, "{new:?}");
    let whale = probabilities(&[ln_2, 0.0], &parameters);
    assert!((whale[0] - 8.0 / 9.0).abs() < 1e-6, "{whale:?}");
    let tie = probabilities(&[ln_2, ln_2], &parameters);
    assert_eq!(tie, [0.5, 0.5]);
    let refused = |slope, floor| {
        let offset = 0.0;
        let parameters = DecisionParameters {
            new_first: Some(FirstOdds {
                slope,
                offset,
                floor,
            }),
            ..parameters
        };
        parameters.validate().unwrap_err().to_string()
    };
    let reason = refused(-1.0, 0.0);
    assert!(reason.contains("new_first slope is -1"), "{reason}");
    let reason = refused(1.0, f32::NAN);
    assert!(reason.contains("new_first floor is NaN"), "{reason}");
}

/// Of a probability of 0.8 a floor of a quarter makes 0.25 + 0.75 · 0.8, and of next to none a quarter.
#[test]
fn new_may_have_a_floor() {
    let parameters = DecisionParameters {
        sharpness: 1.0,
        new_first: Some(FirstOdds {
            slope: 2.0,
            offset: 0.0,
            floor: 0.25,
        }),
        ..DecisionParameters::default()
    };
    let new = probabilities(&[0.0, core::f32::consts::LN_2], &parameters);
    assert!((new[1] - 0.85).abs() < 1e-6, "{new:?}");
    // New is one of 100,000 that are alike.
    let mut alike = vec![0.0_f32; 100_000];
    alike[99_999] = 1e-4;
    let new = probabilities(&alike, &parameters);
    assert!((new[99_999] - 0.25).abs() < 1e-6, "{}", new[99_999]);
    let whale = probabilities(&[core::f32::consts::LN_2, 0.0], &parameters);
    assert!((whale[0] - 2.0 / 3.0).abs() < 1e-6, "{whale:?}");
}

fn scores() -> impl Strategy<Value = Vec<f32>> {
    // Coarse, so that ties happen.
    prop::collection::vec((0_u8..20).prop_map(|x| f32::from(x) / 20.0), 9)
}

proptest! {
    #[test]
    fn no_calibration_contradicts_the_list(
        scores in scores(),
        sharpness in prop_oneof![0.01_f32..90.0, Just(1e6_f32)],
        first_slope in 0.01_f32..9.0,
        first_offset in -20.0_f32..20.0,
        slope in 0.01_f32..9.0,
        offset in -20.0_f32..20.0,
        floor in prop_oneof![Just(0.0_f32), 0.0_f32..0.9],
    ) {
        let plain = DecisionParameters { sharpness, ..DecisionParameters::default() };
        let parameters = DecisionParameters {
            first_slope,
            first_offset,
            new_first: Some(FirstOdds { slope, offset, floor }),
            ..plain
        };
        let probability = probabilities(&scores, &parameters);
        let sum: f32 = probability.iter().sum();
        prop_assert!((sum - 1.0).abs() < 1e-5, "{:?}", probability);
        let listed = rank::answer(&scores, &probability, &[None; 9], &Default::default(), 9).unwrap().candidates;
        prop_assert!(listed.windows(2).all(|two| two[0].probability >= two[1].probability));
        for pair in listed[1..].windows(2) {
            prop_assert!(pair[0].score > pair[1].score || pair[0].probability == pair[1].probability);
        }
        // The others keep their proportions.
        let before = probabilities(&scores, &plain);
        let slot = |place: usize| listed[place].label.slot(8);
        for place in 2..9 {
            let cross = probability[slot(place)] * before[slot(1)];
            prop_assert!((cross - before[slot(place)] * probability[slot(1)]).abs() < 1e-5);
        }
    }

    #[test]
    fn the_log_odds_are_those_of_the_softmax(
        scores in scores(),
        sharpness in 0.1_f32..12.0,
        more in 0.0_f32..3.0,
    ) {
        let odds = log_odds_of_first(&scores, sharpness).unwrap();
        let highest = softmax(&scores, sharpness).into_iter().fold(0.0, f32::max);
        prop_assert!((1.0 / (1.0 + (-odds).exp()) - f64::from(highest)).abs() < 1e-5);
        let sharper = log_odds_of_first(&scores, sharpness + more).unwrap();
        prop_assert!(sharper >= odds - 1e-4);
    }

    #[test]
    fn the_likelihood_is_that_of_the_probabilities(
        scores in scores(),
        slot in 0_usize..9,
        sharpness in 0.1_f32..60.0,
    ) {
        let probability = f64::from(softmax(&scores, sharpness)[slot]);
        prop_assume!(probability > 1e-20);
        let likelihood = negative_log_likelihood(&scores, slot, sharpness);
        prop_assert!((likelihood + probability.ln()).abs() < 1e-4);
    }
}
