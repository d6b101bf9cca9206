//! What a user of the decision relies on.

use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::gallery::{FeatureStore, GalleryRow, Individual, Label};

use Label::{Individual as Whale, New};

fn gallery(individuals: usize, labels: &[Label], features: &[f32]) -> Gallery {
    let names = (0..individuals).map(|number| Individual {
        name: format!("w_{number}"),
    });
    let rows = labels.iter().zip(0..);
    Gallery::new(
        names.collect(),
        rows.map(|(&label, photo)| GalleryRow { label, photo })
            .collect(),
        FeatureStore::from_features(2, features).unwrap(),
    )
    .unwrap()
}

/// What most people ask.
const POINT: OperatingPoint = OperatingPoint {
    new_share: None,
    missed_cost: 1.0,
};

fn close(a: f32, b: f64) -> bool {
    (f64::from(a) - b).abs() < 1e-5
}

fn labels(answer: &Answer) -> Vec<Label> {
    answer
        .candidates
        .iter()
        .map(|candidate| candidate.label)
        .collect()
}

/// The six steps by hand, with a photo each of whale 0 and of a new whale, and whale 1 known to
/// the classifier only.
#[test]
fn follows_the_steps_of_the_spec() {
    let gallery = gallery(2, &[Whale(0), New], &[0.6, 0.8, 0.0, -1.0]);
    let parameters = DecisionParameters {
        temperature: 2.0,
        new_probability: 0.25,
        new_similarity: 0.5,
        weights: [1.0, 2.0, 0.4],
        sharpness: 3.0,
        ..DecisionParameters::default()
    };
    // e^(2·0.5) against e^(2·1.5) is 1 against e² = 7.389056.
    let query = Query {
        feature: &[0.0, 2.0],
        logits: &[0.5, 1.5],
    };
    let whale_0 = 1.0 / 8.389_056;
    let whale_1 = 7.389_056 / 8.389_056;
    // |(0,1)-(0.6,0.8)|² = 0.4; (0,1) and (0,-1) are opposite.
    let similar_0 = (2.0 - 0.400_001_f64.sqrt()) / 2.0;
    let scores = [
        1.0 * similar_0 + 2.0 * similar_0 + 0.4 * whale_0,
        0.4 * whale_1,
        2.0 * 0.5 + 0.4 * 0.25,
    ];
    let sum: f64 = scores.iter().map(|score| (3.0 * score).exp()).sum();

    let answer = decide(&query, &gallery, &parameters, &POINT, 5).unwrap();
    assert_eq!(labels(&answer), [Whale(0), New, Whale(1)]);
    let slots = [0, 2, 1];
    for (candidate, slot) in answer.candidates.iter().zip(slots) {
        assert!(close(candidate.score, scores[slot]), "{candidate:?}");
        let probability = (3.0 * scores[slot]).exp() / sum;
        assert!(close(candidate.probability, probability), "{candidate:?}");
    }
    assert_eq!(
        answer.candidates[0].nearest.map(|nearest| nearest.row),
        Some(0)
    );
    assert_eq!(answer.candidates[2].nearest, None);
    assert_eq!(answer.new, answer.candidates[1]);

    let closeness = gallery.closeness_per_label(query.feature).unwrap();
    let similarity = similarity_column(&closeness, &parameters);
    let columns = Columns::new(query.logits, similarity, &parameters).unwrap();
    assert!(close(columns.classifier[1], whale_1));
    assert_eq!(columns.classifier[2], 0.25);
    assert!(close(columns.similarity[0], similar_0));
    assert_eq!(columns.similarity[1], 0.0);
    assert!(columns.similarity[2] < 1e-6);
    assert_eq!(columns.similarity_with_new[..2], columns.similarity[..2]);
    assert_eq!(columns.similarity_with_new[2], 0.5);
}

#[test]
fn a_whale_enrolled_after_training_can_win_by_its_photo() {
    let gallery = gallery(2, &[Whale(0), Whale(1)], &[1.0, 0.0, 0.0, 1.0]);
    let query = Query {
        feature: &[0.1, 1.0],
        logits: &[3.0],
    };
    let parameters = DecisionParameters {
        weights: [1.0, 1.0, 0.2],
        ..DecisionParameters::default()
    };
    let answer = decide(&query, &gallery, &parameters, &POINT, 1).unwrap();
    assert_eq!(labels(&answer), [Whale(1)]);
    assert_eq!(answer.new.label, New);
}

#[test]
fn equal_scores_come_in_label_order_with_new_last() {
    let gallery = gallery(3, &[New], &[1.0, 0.0]);
    let query = Query {
        feature: &[-1.0, 0.0],
        logits: &[1.0, 1.0, 1.0],
    };
    let parameters = DecisionParameters {
        new_similarity: 0.0,
        ..DecisionParameters::default()
    };
    let answer = decide(&query, &gallery, &parameters, &POINT, 9).unwrap();
    assert_eq!(labels(&answer), [Whale(0), Whale(1), Whale(2), New]);
    assert_eq!(rank_of(&[0.5, 0.5, 0.5], 2), 3);
    assert_eq!(rank_of(&[0.5, 0.5, 0.5], 0), 1);
}

#[test]
fn bad_input_is_refused_with_the_reason() {
    let gallery = gallery(1, &[Whale(0)], &[1.0, 0.0]);
    let default = DecisionParameters::default();
    let message = |feature: &[f32], logits: &[f32], k: usize| {
        let query = Query { feature, logits };
        decide(&query, &gallery, &default, &POINT, k)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(
        message(&[1.0, 0.0], &[f32::NAN], 5),
        "logit 0 is NaN, not a finite number"
    );
    assert_eq!(
        message(&[1.0, 0.0], &[1.0, 2.0], 5),
        "the classifier answers for 2 individuals but the gallery has 1: they belong to different catalogues"
    );
    assert_eq!(
        message(&[0.0, 0.0], &[1.0], 5),
        "query: the feature has length zero, so it has no direction to compare"
    );
    assert_eq!(
        message(&[1.0, 0.0], &[1.0], 0),
        "asked for 0 candidates: ask for at least 1"
    );
    assert_eq!(
        Columns::new(&[], vec![], &default),
        Err(DecisionError::NoLabels)
    );
}

#[test]
fn parameters_out_of_range_are_refused_by_name() {
    let default = DecisionParameters::default();
    assert_eq!(default.validate(), Ok(()));
    let broken = [
        DecisionParameters {
            temperature: 0.0,
            ..default
        },
        DecisionParameters {
            temperature: f32::NAN,
            ..default
        },
        DecisionParameters {
            new_probability: 1.5,
            ..default
        },
        DecisionParameters {
            new_similarity: -0.1,
            ..default
        },
        DecisionParameters {
            weights: [1.0, f32::INFINITY, 0.0],
            ..default
        },
        DecisionParameters {
            sharpness: -1.0,
            ..default
        },
        DecisionParameters {
            first_slope: 0.0,
            ..default
        },
        DecisionParameters {
            first_offset: f32::NEG_INFINITY,
            ..default
        },
    ];
    let names = [
        "temperature",
        "temperature",
        "new_probability",
        "new_similarity",
        "weights",
        "sharpness",
        "first_slope",
        "first_offset",
    ];
    for (parameters, expected) in broken.iter().zip(names) {
        match parameters.validate() {
            Err(DecisionError::Parameter { name, .. }) => assert_eq!(name, expected),
            other => panic!("{expected}: {other:?}"),
        }
    }
    let none = DecisionParameters {
        weights: [0.0; 3],
        ..default
    };
    assert_eq!(none.validate(), Err(DecisionError::NoWeight));
    let message = broken[0].validate().unwrap_err().to_string();
    assert_eq!(
        message,
        "decision parameter temperature is 0, it must be above 0 and at most 1000"
    );
}

#[test]
fn parameters_survive_json_and_unknown_ones_are_refused() {
    let parameters = DecisionParameters {
        new_probability: (0.95 * 37.0 / 120.0) as f32,
        ..DecisionParameters::default()
    };
    let json = serde_json::to_string(&parameters).unwrap();
    assert_eq!(
        serde_json::from_str::<DecisionParameters>(&json).unwrap(),
        parameters
    );
    let more = json.replacen('{', "{\"verify\":1,", 1);
    assert!(serde_json::from_str::<DecisionParameters>(&more).is_err());
}

fn values(count: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec(-30.0_f32..30.0, count)
}

fn unit_values(count: usize) -> impl Strategy<Value = Vec<f32>> {
    // Coarse, so that ties happen.
    prop::collection::vec((0_u8..20).prop_map(|x| f32::from(x) / 20.0), count)
}

fn parameters() -> impl Strategy<Value = DecisionParameters> {
    (
        0.05_f32..5.0,
        0.0_f32..1.0,
        0.0_f32..1.0,
        0.0_f32..4.0,
        0.1_f32..4.0,
        0.0_f32..1.0,
    )
        .prop_map(|(temperature, p, q, c1, c2, c3)| DecisionParameters {
            temperature,
            new_probability: p,
            new_similarity: q,
            weights: [c1, c2, c3],
            sharpness: 7.0,
            ..DecisionParameters::default()
        })
}

proptest! {
    #[test]
    fn the_whales_share_one_and_p_stays_beside(
        logits in values(1..50),
        later in 0_usize..4,
        temperature in 0.05_f32..5.0,
        p in 0.0_f32..1.0,
    ) {
        let individuals = logits.len() + later;
        let column = classifier_column(&logits, individuals, temperature, p);
        prop_assert_eq!(column.len(), individuals + 1);
        let sum: f32 = column[..individuals].iter().sum();
        prop_assert!((sum - 1.0).abs() < 1e-5);
        prop_assert_eq!(column[individuals], p);
        prop_assert!(column[logits.len()..individuals].iter().all(|&x| x == 0.0));
    }

    #[test]
    fn temperature_is_a_factor_of_the_logits(
        logits in values(1..50),
        temperature in 0.05_f32..5.0,
    ) {
        let scaled: Vec<f32> = logits.iter().map(|x| x * temperature).collect();
        let a = classifier_probabilities(&logits, logits.len(), temperature);
        let b = classifier_probabilities(&scaled, logits.len(), 1.0);
        for (a, b) in a.iter().zip(b) {
            prop_assert!((a - b).abs() < 1e-4);
        }
    }

    #[test]
    fn a_constant_on_all_logits_changes_little(logits in values(1..50), shift in -9.0_f32..9.0) {
        let shifted: Vec<f32> = logits.iter().map(|x| x + shift).collect();
        for (a, b) in softmax(&logits, 1.0).iter().zip(softmax(&shifted, 1.0)) {
            prop_assert!((a - b).abs() < 1e-4);
        }
    }

    #[test]
    fn no_finite_logit_breaks_the_softmax(
        logits in prop::collection::vec(any::<f32>().prop_filter("finite", |x| x.is_finite()), 1..9),
        temperature in prop_oneof![Just(f32::MIN_POSITIVE), 0.1_f32..5.0, Just(1000.0_f32)],
    ) {
        let column = softmax(&logits, temperature);
        let sum: f32 = column.iter().sum();
        prop_assert!((sum - 1.0).abs() < 1e-5, "{:?}", column);
    }

    #[test]
    fn probabilities_sum_to_one_and_keep_the_order(
        logits in values(8),
        similarity in unit_values(9),
        parameters in parameters(),
    ) {
        let fused = Columns::new(&logits, similarity, &parameters).unwrap().fused;
        let probability = probabilities(&fused, &parameters);
        let sum: f32 = probability.iter().sum();
        prop_assert!((sum - 1.0).abs() < 1e-5);
        for a in 0..9 {
            for b in 0..9 {
                if fused[a] >= fused[b] {
                    prop_assert!(probability[a] >= probability[b]);
                }
            }
        }
    }

    #[test]
    fn raising_p_or_q_never_lowers_new(
        logits in values(8),
        similarity in unit_values(9),
        parameters in parameters(),
        more in 0.0_f32..0.5,
    ) {
        let rank = |parameters: &DecisionParameters| {
            rank_of(&Columns::new(&logits, similarity.clone(), parameters).unwrap().fused, 8)
        };
        let before = rank(&parameters);
        let mut raised = parameters;
        raised.new_similarity = (raised.new_similarity + more).min(1.0);
        prop_assert!(rank(&raised) <= before);
        raised.new_probability = (raised.new_probability + more).min(1.0);
        prop_assert!(rank(&raised) <= before);
    }

    #[test]
    fn rank_of_is_the_place_in_the_answer(
        logits in values(8),
        similarity in unit_values(9),
        parameters in parameters(),
        k in 1_usize..12,
    ) {
        let fused = Columns::new(&logits, similarity, &parameters).unwrap().fused;
        let nearest = vec![None; 9];
        let answer = rank::answer(&fused, &fused, &nearest, &POINT, k).unwrap();
        prop_assert_eq!(answer.candidates.len(), k.min(9));
        for (place, candidate) in answer.candidates.iter().enumerate() {
            prop_assert_eq!(rank_of(&fused, candidate.label.slot(8)), place + 1);
        }
    }

    #[test]
    fn the_order_of_the_gallery_changes_no_name(
        angles in prop::collection::vec((0.0_f32..6.3, 0_usize..4), 1..20),
        angle in 0.0_f32..6.3,
        logits in values(3),
        parameters in parameters(),
    ) {
        let build = |angles: &[(f32, usize)]| {
            let labels: Vec<Label> = angles.iter().map(|a| Label::from_slot(a.1, 3)).collect();
            let features: Vec<f32> = angles.iter().flat_map(|a| [a.0.cos(), a.0.sin()]).collect();
            gallery(3, &labels, &features)
        };
        let query = Query { feature: &[angle.cos(), angle.sin()], logits: &logits };
        let answer = |gallery: &Gallery| {
            let answer = decide(&query, gallery, &parameters, &POINT, 4).unwrap();
            let said = answer.candidates.iter().map(|c| (c.label, c.score, c.probability));
            said.collect::<Vec<_>>()
        };
        let mut reversed = angles.clone();
        reversed.reverse();
        prop_assert_eq!(answer(&build(&angles)), answer(&build(&reversed)));
    }
}
