//! What a user of the curve relies on.

use alloc::string::ToString;
use alloc::vec;

use proptest::prelude::*;

use super::*;

fn near(curve: &Curve, expected: &[(f64, f64)]) {
    for &(score, probability) in expected {
        let got = curve.probability(score);
        assert!(
            (got - probability).abs() < 1e-12,
            "{score}: {got}, not {probability}"
        );
    }
}

#[test]
fn it_is_scipys_pchip() {
    // scipy.interpolate.PchipInterpolator(x, y)(scores), SciPy 1.
    let knots = [
        [0.0, 0.01],
        [3.0, 0.01],
        [4.0, 0.2],
        [8.0, 0.5],
        [20.0, 0.9],
        [21.0, 0.99],
    ];
    let curve = Curve::new(knots.to_vec()).unwrap();
    near(
        &curve,
        &[
            (0.5, 0.01),
            (2.0, 0.01),
            (3.25, 0.034_167_097_107_438_02),
            (3.5, 0.090_278_925_619_834_71),
            (5.0, 0.303_873_259_368_278),
            (7.0, 0.447_466_885_542_850_75),
            (10.0, 0.582_597_302_607_554_8),
            (15.0, 0.714_374_992_930_938),
            (20.5, 0.940_191_593_173_281),
        ],
    );
    let line = Curve::new(vec![[0.0, 0.2], [10.0, 0.6]]).unwrap();
    near(&line, &[(2.5, 0.3), (7.5, 0.5)]);
    let three = Curve::new(vec![[0.0, 0.1], [1.0, 0.8], [5.0, 0.9]]).unwrap();
    near(
        &three,
        &[
            (0.25, 0.324_016_154_661_016_9),
            (0.5, 0.546_959_745_762_711_9),
            (2.0, 0.848_993_644_067_796_6),
            (4.0, 0.895_497_881_355_932_2),
        ],
    );
}

#[test]
fn outside_the_knots_it_stays() {
    let curve = Curve::new(vec![[2.0, 0.1], [5.0, 0.9]]).unwrap();
    near(
        &curve,
        &[
            (-1e9, 0.1),
            (2.0, 0.1),
            (5.0, 0.9),
            (1e9, 0.9),
            (f64::INFINITY, 0.9),
            (f64::NAN, 0.1),
        ],
    );
    let constant = Curve::new(vec![[3.0, 0.4]]).unwrap();
    near(&constant, &[(0.0, 0.4), (3.0, 0.4), (9.0, 0.4)]);
}

#[test]
fn knots_that_are_no_curve_are_refused() {
    let refused = |knots: &[[f64; 2]], words: &str| {
        let text = Curve::new(knots.to_vec()).unwrap_err().to_string();
        assert!(text.contains(words), "{text}");
    };
    refused(&[], "no knot");
    refused(&[[0.0, 1.1]], "knot 1");
    refused(&[[f64::NAN, 0.5]], "knot 1");
    refused(&[[0.0, 0.5], [0.0, 0.6]], "knot 2");
    refused(&[[0.0, 0.5], [1.0, 0.6], [2.0, 0.5]], "knot 3");
}

#[test]
fn odds_are_gained_over_those_of_the_lowest_score() {
    // From 1 : 4 by way of 1 : 1 to 4 : 1.
    let curve = Curve::new(vec![[4.0, 0.2], [12.0, 0.5], [20.0, 0.8]]).unwrap();
    let gained = [0.0, 4.0, 12.0, 20.0, 99.0].map(|score| curve.log_odds_gained(score));
    let fourfold = 4.0_f64.ln();
    let expected = [0.0, 0.0, fourfold, 2.0 * fourfold, 2.0 * fourfold];
    for (gained, expected) in gained.into_iter().zip(expected) {
        assert!((gained - expected).abs() < 1e-12, "{gained} {expected}");
    }
    // Neither impossible nor certain: 1 : 499 and 499 : 1.
    let certain = Curve::new(vec![[0.0, 0.0], [9.0, 1.0]]).unwrap();
    assert!((certain.log_odds_gained(9.0) - 2.0 * 499.0_f64.ln()).abs() < 1e-9);
}

#[test]
fn it_travels_as_its_knots_and_is_checked_on_arrival() {
    let curve = Curve::new(vec![[0.0, 0.125], [4.0, 0.5], [9.0, 0.75]]).unwrap();
    let text = serde_json::to_string(&curve).unwrap();
    assert_eq!(text, r#"{"knots":[[0.0,0.125],[4.0,0.5],[9.0,0.75]]}"#);
    assert_eq!(serde_json::from_str::<Curve>(&text).unwrap(), curve);
    let falling = r#"{"knots":[[0.0,0.5],[4.0,0.25]]}"#;
    let error = serde_json::from_str::<Curve>(falling).unwrap_err();
    assert!(error.to_string().contains("knot 2"), "{error}");
}

proptest! {
    #[test]
    fn a_higher_score_is_never_worth_less(
        steps in prop::collection::vec((0.01f64..10.0, 0.0f64..1.0), 1..12),
        scores in prop::collection::vec(-5.0f64..120.0, 2..40),
    ) {
        let total: f64 = steps.iter().map(|step| step.1).sum::<f64>() + 1e-9;
        let mut knot = [0.0, 0.0];
        let knots: Vec<[f64; 2]> = steps
            .iter()
            .map(|&(width, rise)| {
                knot = [knot[0] + width, (knot[1] + rise / total).min(1.0)];
                knot
            })
            .collect();
        let curve = Curve::new(knots.clone()).unwrap();
        let mut scores = scores;
        scores.sort_by(f64::total_cmp);
        for pair in scores.windows(2) {
            // To the last bits, within one piece.
            prop_assert!(curve.probability(pair[1]) >= curve.probability(pair[0]) - 1e-12);
        }
        for [score, probability] in knots {
            prop_assert!((curve.probability(score) - probability).abs() < 1e-12);
        }
    }
}
