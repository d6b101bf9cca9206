//! What a user of ensembles relies on.

use super::choose::{Candidates, Choice, Trial, greedy};
use super::fuse::fused;
use super::*;
use crate::data::{PhotoEntry, Size};
use flukeprint_core::gallery::Label;
use std::path::PathBuf;

/// Four whales and new ones, with a photo each to train, to tune and to report on, in this order.
fn catalogue() -> (Catalogue, Split) {
    let photos = (0..15).map(|photo| PhotoEntry {
        file: format!("{photo}.jpg"),
        path: PathBuf::new(),
        label: Label::from_slot(photo % 5, 4),
        region: None,
        size: Size {
            width: 1,
            height: 1,
        },
    });
    let catalogue = Catalogue {
        root: PathBuf::new(),
        individuals: ["a", "b", "c", "d"].map(str::to_owned).to_vec(),
        photos: photos.collect(),
    };
    let split = Split {
        seed: 0,
        train: (0..5).collect(),
        tune: (5..10).collect(),
        report: (10..15).collect(),
        unseen: Vec::new(),
    };
    (catalogue, split)
}

/// A run that sees every whale, the new ones too, in its own direction, but takes each of the held-out
/// photos of the two `confused` whales rather for the other one: cosine 0.8 to it, 0.6 to itself. Its
/// classifier knows nothing.
fn confuses(confused: [usize; 2]) -> Embeddings {
    let feature = |photo: usize| {
        let whale = photo % 5;
        let mut feature = [0.0; 5];
        feature[whale] = 1.0;
        if photo >= 5 && confused.contains(&whale) {
            feature[whale] = 0.6;
            feature[confused[0] + confused[1] - whale] = 0.8;
        }
        feature
    };
    Embeddings {
        width: 5,
        features: (0..15).flat_map(feature).collect(),
        logits: vec![0.0; 10 * 4],
    }
}

/// A run to which all photos look the same.
fn blind() -> Embeddings {
    Embeddings {
        width: 2,
        features: [1.0, 0.0].repeat(15),
        logits: vec![0.0; 10 * 4],
    }
}

fn choose(runs: &[Embeddings]) -> (Choice, f64) {
    let (catalogue, split) = catalogue();
    let candidates = Candidates {
        catalogue: &catalogue,
        split: &split,
        embeddings: runs,
        fuse: Fuse::Concatenate,
    };
    let choice = greedy(runs.len(), |members| candidates.attempt(members)).unwrap();
    let rows = candidates.report(choice.steps.last().unwrap()).unwrap();
    (choice, rows.last().unwrap().map5)
}

fn members(choice: &Choice) -> Vec<&[usize]> {
    let steps = choice.steps.iter();
    steps.map(|step| step.members.as_slice()).collect()
}

#[test]
fn a_run_that_knows_the_others_whales_is_taken_and_one_that_knows_nothing_is_not() {
    // Alone each has three first and two second places. Together the true whale has a cosine of
    // (0.6 + 1) / 2 and the other of (0.8 + 0) / 2.
    let (choice, reported) = choose(&[blind(), confuses([2, 3]), confuses([0, 1])]);
    assert!(choice.singles[0].map5 < 0.8);
    for single in &choice.singles[1..] {
        assert!((single.map5 - 0.8).abs() < 1e-12, "{}", single.map5);
    }
    assert_eq!(members(&choice), [&[1][..], &[1, 2]]);
    assert_eq!(choice.steps[1].map5, 1.0);
    assert_eq!(reported, 1.0);
    assert_eq!(choice.refused.unwrap().members, [1, 2, 0]);
}

#[test]
fn where_nothing_helps_the_best_run_stays_alone() {
    let (choice, reported) = choose(&[blind(), confuses([2, 3]), confuses([2, 3])]);
    assert_eq!(members(&choice), [&[1][..]]);
    assert!((reported - 0.8).abs() < 1e-12, "{reported}");
    let refused = choice.refused.unwrap();
    assert!(refused.members.len() == 2 && refused.map5 <= choice.steps[0].map5);
}

#[test]
fn what_raises_the_score_most_is_taken_first_and_of_equal_ones_the_first() {
    let score = |members: &[usize]| match members {
        [0] => 0.5,
        [1] | [2] => 0.6,
        [3] => 0.55,
        [1, 0] => 0.65,
        [1, 3] => 0.7,
        [1, 3, _] => 0.7,
        _ => 0.0,
    };
    let attempt = |members: Vec<usize>| {
        Ok(Trial {
            map5: score(&members),
            parameters: DecisionParameters::default(),
            members,
        })
    };
    let choice = greedy(4, attempt).unwrap();
    assert_eq!(members(&choice), [&[1][..], &[1, 3]]);
    assert_eq!(choice.refused.unwrap().members, [1, 3, 0]);
}

#[test]
fn photos_are_fused_one_by_one_with_the_logits_of_the_held_out_ones() {
    let split = Split {
        seed: 0,
        train: vec![0],
        tune: vec![2],
        report: vec![1],
        unseen: Vec::new(),
    };
    let first = Embeddings {
        width: 2,
        features: vec![3.0, 4.0, 0.0, 2.0, 5.0, 0.0],
        logits: vec![1.0, 2.0, 3.0, 4.0],
    };
    let second = Embeddings {
        width: 1,
        features: vec![7.0, -1.0, 0.5],
        logits: vec![3.0, 0.0, 5.0, 0.0],
    };
    let both = fused(&[&first, &second], Fuse::Concatenate, &split).unwrap();
    assert_eq!(both.width, 3);
    let root = std::f32::consts::FRAC_1_SQRT_2;
    let expected = [0.6, 0.8, 1.0, 0.0, 1.0, -1.0, 1.0, 0.0, 1.0];
    assert_eq!(both.features.len(), expected.len());
    for (found, expected) in both.features.iter().zip(expected) {
        assert!((found - expected * root).abs() < 1e-6, "{found} {expected}");
    }
    assert_eq!(both.logits, [2.0, 1.0, 4.0, 2.0]);
    let alone = fused(&[&first], Fuse::Concatenate, &split).unwrap();
    assert_eq!(*alone, first);
}
