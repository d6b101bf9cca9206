//! What a user of the comparison relies on.

use alloc::vec::Vec;

use super::*;
use crate::evidence::{DESCRIPTOR, Frame, Keypoint};

/// A photo of `count` places, each with a descriptor of its own.
fn photo(count: usize) -> Features {
    let keypoints = (0..count).map(|i| Keypoint {
        frame: Frame {
            center: [20.0 + 13.0 * (i % 25) as f32, 20.0 + 17.0 * (i / 25) as f32],
            shape: [8.0, 0.0, 0.0, 8.0],
        },
        response: 1.0,
    });
    let descriptors = (0..count).flat_map(|i| {
        let mut codes = [0_i8; DESCRIPTOR];
        for k in 0..4 {
            codes[(i * 29 + k * (i / 8 + 3)) % DESCRIPTOR] = 127;
        }
        codes
    });
    Features {
        size: [352, 176],
        keypoints: keypoints.collect(),
        descriptors: descriptors.collect(),
    }
}

fn compared(a: &Features, b: &Features) -> Comparison {
    compare(a, b, &CompareOptions::default())
}

#[test]
fn a_photo_and_its_smaller_copy_are_duplicates() {
    let photo = photo(60);
    let comparison = compared(&photo, &photo);
    assert!(comparison.duplicate);
    assert!(
        comparison.inliers.len() >= 40,
        "{}",
        comparison.inliers.len()
    );
    let mut smaller = photo.clone();
    smaller.size = [176, 88];
    for keypoint in &mut smaller.keypoints {
        keypoint.frame.center = keypoint.frame.center.map(|value| value / 2.0);
        keypoint.frame.shape = keypoint.frame.shape.map(|value| value / 2.0);
    }
    let comparison = compared(&photo, &smaller);
    assert!(comparison.duplicate);
    let [x, y] = comparison.transform.unwrap().map([100.0, 60.0]).unwrap();
    assert!((x - 50.0).abs() < 0.1 && (y - 30.0).abs() < 0.1);
}

#[test]
fn the_same_skin_seen_anew_is_no_duplicate() {
    let photo = photo(60);
    let mut again = photo.clone();
    // Every descriptor 0.4 away.
    for codes in again.descriptors.as_chunks_mut::<DESCRIPTOR>().0 {
        for code in codes.iter_mut().take(16) {
            *code = if *code > 0 { *code - 26 } else { *code + 26 };
        }
    }
    let comparison = compared(&photo, &again);
    assert!(!comparison.duplicate);
    assert!(
        comparison.inliers.len() >= 40,
        "{}",
        comparison.inliers.len()
    );
}

#[test]
fn photos_without_keypoints_show_nothing() {
    let nothing = photo(0);
    for (a, b) in [
        (&nothing, &nothing),
        (&photo(9), &nothing),
        (&nothing, &photo(9)),
    ] {
        let comparison = compared(a, b);
        assert_eq!(comparison.matches, Vec::new());
        assert_eq!(comparison.inliers, Vec::new());
        assert_eq!(comparison.transform, None);
        assert!(!comparison.duplicate);
    }
}
