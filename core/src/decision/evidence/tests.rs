//! What evidence adds to scores.

use super::*;
use alloc::string::ToString;
use proptest::prelude::*;

fn parameters() -> EvidenceParameters {
    EvidenceParameters {
        whales: 5,
        photos: 2,
        // 12 inliers raise the odds of 4 fourfold, from 1 : 4, and 20 sixteenfold.
        worth: Curve::new(vec![[4.0, 0.2], [12.0, 0.5], [20.0, 0.8]]).unwrap(),
        odds_weight: 1.0 / 4.0_f32.ln(),
        votes_weight: 0.0,
        edge_weight: 0.0,
        clear_edge_weight: 0.0,
        new_raise: 0.0,
        new_fall: 0.0,
        sharpness: 5.0,
        first_slope: 1.0,
        first_offset: 0.0,
        new_first: None,
    }
}

fn compared(inliers: &[(usize, u32)]) -> Found<'_> {
    Found {
        inliers,
        votes: &[],
        edges: &[],
        heard: 1.0,
    }
}

fn assert_near(raised: &[f32], expected: [f32; 3]) {
    let far = |(raised, expected): (&f32, f32)| (raised - expected).abs() > 1e-6;
    assert!(
        !raised.iter().zip(expected).any(far),
        "{raised:?} {expected:?}"
    );
}

#[test]
fn a_match_raises_its_whale_and_nobody_else() {
    let scores = [0.5, 0.9, 0.7];
    let raised = parameters().raised(&scores, compared(&[(0, 12), (0, 3), (2, 99), (7, 99)]));
    assert_near(&raised, [1.5, 0.9, 0.7]);
    let twice = parameters().raised(&scores, compared(&[(0, 2), (1, 20)]));
    assert_near(&twice, [0.5, 2.9, 0.7]);
    let none = parameters().raised(&[], compared(&[(0, 12)]));
    assert_eq!(none, Vec::<f32>::new());
}

#[test]
fn votes_raise_every_whale_and_new_by_a_constant() {
    let searched = EvidenceParameters {
        votes_weight: 2.0,
        new_raise: 0.25,
        ..parameters()
    };
    // 0.3 votes are half of all that votes are worth.
    let found = Found {
        inliers: &[(1, 12)],
        votes: &[0.3, 0.0, 9.0],
        edges: &[],
        heard: 1.0,
    };
    assert_near(&searched.raised(&[0.5, 0.9, 0.75], found), [1.5, 1.9, 1.0]);
    assert!(!found.is_nothing());
    // Of four photos to compare one could be.
    let found = Found {
        heard: 0.25,
        ..found
    };
    let raised = searched.raised(&[0.5, 0.9, 0.75], found);
    assert_near(&raised, [1.5, 1.9, 0.8125]);
    // A photo without keypoints says nothing about strangers either.
    let silent = Found {
        inliers: &[],
        votes: &[0.0; 3],
        edges: &[],
        heard: 1.0,
    };
    assert_eq!(searched.raised(&[0.5, 0.9, 0.75], silent), [0.5, 0.9, 0.75]);
    assert!(silent.is_nothing());
}

#[test]
fn an_edge_raises_by_its_fit_and_no_further_than_the_best() {
    let searched = EvidenceParameters {
        edge_weight: 2.0,
        ..parameters()
    };
    let fits = |edges| Found {
        edges,
        ..compared(&[])
    };
    let raised = searched.raised(&[0.5, 0.9, 0.75], fits(&[5.0, -3.0, 9.0]));
    assert_near(&raised, [1.5, 0.9, 0.75]);
    let raised = searched.raised(&[0.5, 0.9, 0.75], fits(&[9.0, 99.0, 0.0]));
    assert_near(&raised, [2.3, 2.7, 0.75]);
    // Beyond 3 standard deviations by 3 more in 10; `New` is lowered by the whale that fits best, not by its own photos.
    let curved = EvidenceParameters {
        clear_edge_weight: 3.0,
        new_raise: 0.5,
        new_fall: 1.0,
        ..searched
    };
    let raised = curved.raised(&[0.5, 0.9, 0.75], fits(&[5.0, 2.0, 9.0]));
    assert_near(&raised, [2.1, 1.3, 0.75]);
    let raised = curved.raised(&[0.5, 0.9, 0.75], fits(&[-5.0, 99.0, 9.0]));
    assert_near(&raised, [0.5, 4.5, 0.35]);
    assert!(fits(&[0.0, -1.0, 0.0]).is_nothing());
}

#[test]
fn what_is_out_of_range_is_refused_by_name() {
    assert_eq!(parameters().validate(), Ok(()));
    let message = |parameters: EvidenceParameters| parameters.validate().unwrap_err().to_string();
    let none = EvidenceParameters {
        whales: 0,
        ..parameters()
    };
    assert!(message(none).contains("evidence whales is 0"));
    let heavy = EvidenceParameters {
        odds_weight: f32::NAN,
        ..parameters()
    };
    assert!(message(heavy).contains("evidence odds_weight is NaN"));
    let dull = EvidenceParameters {
        sharpness: 0.0,
        ..parameters()
    };
    assert!(message(dull).contains("sharpness is 0"));
}

proptest! {
    /// One clear match among several photos counts for more than their mean, and for less than all of them would.
    #[test]
    fn a_whale_is_raised_between_the_mean_and_the_most_of_its_photos(
        fits in prop::collection::vec(prop::array::uniform3(-3.0_f32..12.0), 2..6),
    ) {
        let evidence = EvidenceParameters { edge_weight: 2.0, clear_edge_weight: 1.0, new_fall: 0.5, ..parameters() };
        let edges: Vec<Found<'_>> = fits.iter().map(|fits| Found::of_edges(fits)).filter(|one| !one.is_nothing()).collect();
        let scores = [0.5, 0.9, 0.7];
        let alone: Vec<Vec<f32>> = edges.iter().map(|&found| evidence.raised(&scores, found)).collect();
        let together = evidence.raised_together(&scores, &edges);
        let turned: Vec<Found<'_>> = edges.iter().rev().copied().collect();
        prop_assert_eq!(&evidence.raised_together(&scores, &turned), &together);
        let label = |label: usize| alone.iter().map(move |raised| raised[label]);
        let mean = |at: usize| label(at).sum::<f32>() / alone.len().max(1) as f32;
        for whale in (0..2).filter(|_| !edges.is_empty()) {
            let most = label(whale).fold(f32::MIN, f32::max);
            prop_assert!(together[whale] >= mean(whale) - 1e-5 && together[whale] <= most + 1e-5);
        }
        if !edges.is_empty() {
            prop_assert!((together[2] - mean(2)).abs() < 1e-5, "New by the mean");
        }
    }

    #[test]
    fn evidence_only_ever_raises(
        scores in prop::collection::vec(-1.0_f32..3.0, 1..9),
        found in prop::collection::vec((0_usize..9, 0_u32..60), 0..12),
    ) {
        let raised = parameters().raised(&scores, compared(&found));
        prop_assert!(raised.iter().zip(&scores).all(|(raised, before)| raised >= before));
        prop_assert_eq!(raised.last(), scores.last());
        let mut turned = found.clone();
        turned.reverse();
        prop_assert_eq!(parameters().raised(&scores, compared(&turned)), raised);
    }
}
