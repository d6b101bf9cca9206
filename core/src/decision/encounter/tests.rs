//! What an encounter's answer keeps to.

use alloc::vec;

use proptest::prelude::*;

use super::*;
use crate::decision::{Findings, decide};
use crate::evidence::probability::Curve;
use crate::gallery::{FeatureStore, GalleryRow, Individual, Label};

const LABELS: usize = 5;

fn parameters() -> DecisionParameters {
    DecisionParameters {
        weights: [1.0, 2.0, 0.4],
        sharpness: 10.0,
        first_slope: 0.5,
        first_offset: -0.3,
        ..DecisionParameters::default()
    }
}

/// Three whales at 0°, 40° and 90° and a photo of a new one at 200°.
fn gallery() -> Gallery {
    let names = ["a", "b", "c"];
    let labels = [0, 1, 2].map(Label::Individual);
    let rows = labels.into_iter().chain([Label::New]).zip(0..);
    let features = [0.0_f32, 40.0, 90.0, 200.0].map(|degrees| {
        let (sin, cos) = degrees.to_radians().sin_cos();
        [cos, sin]
    });
    Gallery::new(
        names
            .map(|name| Individual { name: name.into() })
            .into_iter()
            .collect(),
        rows.map(|(label, photo)| GalleryRow { label, photo })
            .collect(),
        FeatureStore::from_features(2, features.as_flattened()).unwrap(),
    )
    .unwrap()
}

type Photo = ([f32; 2], [f32; 3]);

fn queries(photos: &[Photo]) -> Vec<Query<'_>> {
    photos
        .iter()
        .map(|(feature, logits)| Query { feature, logits })
        .collect()
}

fn photo() -> impl Strategy<Value = Photo> {
    let feature = prop::array::uniform2(-1.0_f32..1.0);
    let feature = feature.prop_filter("a direction", |f| f[0].hypot(f[1]) > 0.01);
    (feature, prop::array::uniform3(-4.0_f32..4.0))
}

fn columns(photos: core::ops::Range<usize>) -> impl Strategy<Value = Vec<Vec<f32>>> {
    prop::collection::vec(prop::collection::vec(0.0_f32..3.0, LABELS), photos)
}

/// β = 10: a score may be 0.3 from the median. Whale 0: 0.1, 0.2 and 0.9, which counts as 0.5. Whale 1:
/// 0.2, 0.3, 0.4 and 1.0: median 0.35, and the last counts as 0.65.
#[test]
fn the_mean_of_scores_near_the_median_by_hand() {
    let together = |columns: &[Vec<f32>]| encounter_column(columns, &parameters()).unwrap();
    let three = together(&[vec![0.9, 0.0], vec![0.1, 0.0], vec![0.2, 0.0]]);
    assert!(
        (three[0] - (0.1 + 0.2 + 0.5) / 3.0).abs() < 1e-6,
        "{three:?}"
    );
    let four = together(&[0.3, 1.0, 0.2, 0.4].map(|score| vec![score, 0.0]));
    assert!(
        (four[0] - (0.2 + 0.3 + 0.4 + 0.65) / 4.0).abs() < 1e-6,
        "{four:?}"
    );
    // Two photos: the median is their mean, and so is the result.
    let two = together(&[vec![0.0, 0.0], vec![2.0, 0.0]]);
    assert!((two[0] - 1.0).abs() < 1e-6, "{two:?}");
}

/// Sixteen photos of one mind, e⁴ whales: New is lowered by (1 - 1/2) · 1/2 · 4 / 10.
#[test]
fn what_is_known_beforehand_counts_once_against_new() {
    let whales = 55; // e⁴ is 54.6
    let column = vec![0.5; whales + 1];
    let together = encounter_column(&vec![column; 16], &parameters()).unwrap();
    let (new, whales) = together.split_last().unwrap();
    assert!(whales.iter().all(|&score| score == 0.5));
    assert!((new - 0.4).abs() < 1e-3, "{new}");
}

/// Two photos whose scores lie 0.1 apart: softmax(10 · 16^0.25 · 0.1) of sixteen photos is that of a
/// lead of 0.2 of one.
#[test]
fn certainty_grows_with_the_fourth_root_of_the_number_of_photos() {
    let plain = DecisionParameters {
        sharpness: 10.0,
        ..DecisionParameters::default()
    };
    let sixteen = encounter_probabilities(&[0.5, 0.4], 16, &plain);
    let expected = 1.0 / (1.0 + libm::exp(-2.0));
    assert!(
        (f64::from(sixteen[0]) - expected).abs() < 1e-6,
        "{sixteen:?}"
    );
}

#[test]
fn one_photo_of_something_else_does_not_sink_the_others() {
    // Two photos near whale b, one that is whale c's own gallery photo and that the classifier swears by.
    let others = [([0.75, 0.66], [0.0; 3]), ([0.78, 0.62], [0.0; 3])];
    let intruder = ([0.0, 1.0], [-9.0, -9.0, 9.0]);
    let answer = |photos: &[Photo]| {
        let answer = decide_encounter(
            &queries(photos),
            &gallery(),
            &parameters(),
            &OperatingPoint::default(),
            1,
        )
        .unwrap();
        answer.candidates[0].label
    };
    assert_eq!(answer(&[intruder]), Label::Individual(2));
    assert_eq!(
        answer(&[others[0], intruder, others[1]]),
        Label::Individual(1)
    );
}

#[test]
fn the_nearest_photo_is_that_of_any_photo() {
    let photos = [([1.0, 0.1], [0.0; 3]), ([0.1, 1.0], [0.0; 3])];
    let together = decide_encounter(
        &queries(&photos),
        &gallery(),
        &parameters(),
        &OperatingPoint::default(),
        4,
    )
    .unwrap();
    for candidate in &together.candidates {
        let alone = queries(&photos)
            .iter()
            .map(|query| {
                let answer = decide(
                    query,
                    &gallery(),
                    &parameters(),
                    &OperatingPoint::default(),
                    4,
                )
                .unwrap();
                let same = answer
                    .candidates
                    .iter()
                    .find(|c| c.label == candidate.label);
                same.unwrap().nearest.unwrap().distance
            })
            .fold(f32::INFINITY, f32::min);
        assert_eq!(candidate.nearest.unwrap().distance, alone);
    }
}

/// Sure from 20 inliers on, and as little by chance as 10 are worth: kept to 0.998 and 0.002, so that 20
/// raise the odds by a factor of 499².
fn evidence() -> EvidenceParameters {
    EvidenceParameters {
        whales: 3,
        photos: 1,
        worth: Curve::new(vec![[10.0, 0.0], [20.0, 1.0]]).unwrap(),
        odds_weight: 1.0,
        votes_weight: 0.0,
        edge_weight: 0.0,
        clear_edge_weight: 0.0,
        new_raise: 0.1,
        new_fall: 0.0,
        sharpness: 10.0,
        first_slope: 1.0,
        first_offset: 0.0,
        new_first: None,
    }
}

fn compared(inliers: &[(usize, u32)]) -> Findings {
    Findings {
        inliers: inliers.to_vec(),
        votes: Vec::new(),
        edges: Vec::new(),
        heard: 1.0,
    }
}

#[test]
fn a_match_of_one_photo_speaks_for_all_of_them() {
    let gallery = gallery();
    // All three look like whale 0; the second is one that matches whale 2.
    let photos = [([1.0_f32, 0.1], [2.0_f32, 0.0, 0.0]); 3];
    let answer = |findings: &[Findings]| {
        let found: Vec<Found<'_>> = findings.iter().map(Findings::found).collect();
        let (queries, point) = (queries(&photos), OperatingPoint::default());
        decide_verified(
            &queries,
            &gallery,
            &parameters(),
            (&evidence(), &found),
            &point,
            4,
        )
        .unwrap()
    };
    let nothing = compared(&[(0, 4), (2, 3)]);
    let matched = compared(&[(0, 3), (2, 40)]);
    let first = |answer: &Answer| answer.candidates[0].label;
    assert_eq!(
        first(&answer(&[
            nothing.clone(),
            nothing.clone(),
            nothing.clone()
        ])),
        Label::Individual(0)
    );
    let one = answer(&[nothing.clone(), matched.clone(), nothing.clone()]);
    assert_eq!(first(&one), Label::Individual(2));
    // Whichever of them it is.
    assert_eq!(one, answer(&[matched, nothing.clone(), nothing]));
}

#[test]
fn what_was_found_raises_by_the_power_mean_over_photos() {
    let evidence = EvidenceParameters {
        odds_weight: 3.0 / (2.0 * 499.0_f32.ln()),
        votes_weight: 2.0,
        ..evidence()
    };
    let voted = Findings {
        inliers: vec![(0, 20), (0, 3), (1, 15)],
        // 0.3 votes are worth a half.
        votes: vec![0.3, 0.0, 9.0],
        edges: Vec::new(),
        heard: 1.0,
    };
    let silent = Findings::default();
    let other = compared(&[(1, 20)]);
    let scores = [0.0, 1.0, 2.0];
    let raised = |findings: &[&Findings]| {
        let found: Vec<Found<'_>> = findings.iter().map(|one| one.found()).collect();
        evidence.raised_together(&scores, &found)
    };
    let assert_near = |raised: Vec<f32>, expected: [f32; 3]| {
        let mut pairs = raised.iter().zip(expected);
        assert!(pairs.all(|(a, b)| (a - b).abs() < 1e-5), "{raised:?}");
    };
    // 3 · 1 + 2 · 0.5, 3 · 0.5 and 0.1 for New; the other has 3 for the second.
    assert_near(raised(&[&voted]), [4.0, 2.5, 2.1]);
    // ((4^1.5 + 0) / 2)^(2/3), 1 + ((1.5^1.5 + 3^1.5) / 2)^(2/3), and for New the mean.
    assert_near(raised(&[&voted, &other]), [2.519842, 3.312517, 2.1]);
    // A photo without keypoints says nothing, of strangers neither.
    assert_eq!(raised(&[&voted, &silent]), raised(&[&voted]));
    assert_eq!(raised(&[&silent]), scores);
    assert_eq!(raised(&[]), scores);
}

#[test]
fn where_nothing_was_found_an_encounter_is_answered_as_before() {
    let photos = [
        ([1.0_f32, 0.4], [0.5_f32, 0.0, 1.0]),
        ([0.2, 1.0], [0.0, 0.1, 0.3]),
    ];
    let (gallery, queries, point) = (gallery(), queries(&photos), OperatingPoint::default());
    let before = decide_encounter(&queries, &gallery, &parameters(), &point, 4);
    let found = [Found::default(); 2];
    let after = decide_verified(
        &queries,
        &gallery,
        &parameters(),
        (&evidence(), &found),
        &point,
        4,
    );
    assert_eq!(before, after);
}

#[test]
fn an_encounter_without_photos_or_with_unlike_columns_is_refused() {
    let none = decide_encounter(
        &[],
        &gallery(),
        &parameters(),
        &OperatingPoint::default(),
        5,
    );
    assert_eq!(none, Err(DecisionError::NoPhotos));
    let unlike = encounter_column(&[vec![0.5; 3], vec![0.5; 4]], &parameters());
    assert_eq!(unlike, Err(DecisionError::Columns { first: 3, other: 4 }));
}

proptest! {
    #[test]
    fn one_photo_gives_its_own_column_to_the_bit(columns in columns(1..2)) {
        prop_assert_eq!(&encounter_column(&columns, &parameters()).unwrap(), &columns[0]);
        let alone = probabilities(&columns[0], &parameters());
        prop_assert_eq!(encounter_probabilities(&columns[0], 1, &parameters()), alone);
    }

    #[test]
    fn the_same_photo_again_and_again_gives_its_scores_and_less_of_new(one in columns(1..2), times in 1_usize..20) {
        let again = vec![one[0].clone(); times];
        let together = encounter_column(&again, &parameters()).unwrap();
        prop_assert_eq!(&together[..LABELS - 1], &one[0][..LABELS - 1]);
        prop_assert!(together[LABELS - 1] <= one[0][LABELS - 1]);
    }

    #[test]
    fn the_order_of_the_photos_does_not_matter(
        (photos, shuffled) in prop::collection::vec(photo(), 1..7)
            .prop_flat_map(|photos| (Just(photos.clone()), Just(photos).prop_shuffle())),
    ) {
        let answer = |photos: &[Photo]| {
            decide_encounter(&queries(photos), &gallery(), &parameters(), &OperatingPoint::default(), 4).unwrap()
        };
        prop_assert_eq!(answer(&photos), answer(&shuffled));
    }

    #[test]
    fn probabilities_sum_to_one_and_fall_with_the_rank(photos in prop::collection::vec(photo(), 1..7)) {
        let answer = decide_encounter(&queries(&photos), &gallery(), &parameters(), &OperatingPoint::default(), 4).unwrap();
        let of = answer.candidates.iter().map(|candidate| f64::from(candidate.probability));
        let of: Vec<f64> = of.collect();
        prop_assert!((of.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{of:?}");
        prop_assert!(of.windows(2).all(|pair| pair[0] >= pair[1]), "{of:?}");
    }

    /// One photo can say anything: no score leaves what the others say by more than the reach.
    #[test]
    fn a_single_photo_reaches_so_far_and_no_farther(
        others in columns(2..6),
        intruder in prop::collection::vec(-1e6_f32..1e6, LABELS),
        place in 0_usize..6,
    ) {
        let mut with = others.clone();
        with.insert(place.min(others.len()), intruder);
        let together = encounter_column(&with, &parameters()).unwrap();
        let reach = REACH / parameters().sharpness + 1e-4;
        for (label, &score) in together[..LABELS - 1].iter().enumerate() {
            let said = others.iter().map(|column| column[label]);
            let low = said.clone().fold(f32::INFINITY, f32::min) - reach;
            let high = said.fold(f32::NEG_INFINITY, f32::max) + reach;
            prop_assert!((low..=high).contains(&score), "{low} {score} {high}");
        }
    }
}
