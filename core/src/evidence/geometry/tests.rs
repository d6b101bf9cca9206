//! What a user of the geometry relies on.

use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::evidence::Frame;

const SIZE: [u32; 2] = [400, 200];

/// A keypoint with an upright round piece of skin.
fn keypoint(center: [f64; 2], radius: f64) -> Keypoint {
    framed(center, [radius, 0.0, 0.0, radius])
}

fn framed(center: [f64; 2], shape: [f64; 4]) -> Keypoint {
    Keypoint {
        frame: Frame {
            center: center.map(|value| value as f32),
            shape: shape.map(|value| value as f32),
        },
        response: 1.0,
    }
}

fn features(keypoints: Vec<Keypoint>) -> Features {
    Features {
        size: SIZE,
        descriptors: vec![0; keypoints.len() * crate::evidence::DESCRIPTOR],
        keypoints,
    }
}

/// Keypoint i of A with keypoint i of B.
fn matched(count: usize) -> Vec<Match> {
    (0..count as u32)
        .map(|index| Match {
            a: index,
            b: index,
            distance: 0.3,
            ratio: 0.5,
        })
        .collect()
}

/// Photo A's keypoints at `points`, and the same skin in photo B as `transform` takes it there.
fn moved(points: &[[f64; 2]], transform: &Transform) -> [Features; 2] {
    let a = points.iter().map(|&point| keypoint(point, 9.0));
    let b = points.iter().map(|&point| {
        let linear = transform.linear_at(point).unwrap();
        framed(
            transform.map(point).unwrap(),
            linear.map(|entry| 9.0 * entry),
        )
    });
    [features(a.collect()), features(b.collect())]
}

fn grid() -> Vec<[f64; 2]> {
    (0..24)
        .map(|i| {
            [
                30.0 + 60.0 * f64::from(i % 6),
                25.0 + 45.0 * f64::from(i / 6),
            ]
        })
        .collect()
}

/// How far two maps take the corners of photo A apart, at most.
fn apart(one: &Transform, other: &Transform) -> f64 {
    [[0.0, 0.0], [400.0, 0.0], [400.0, 200.0], [0.0, 200.0]]
        .into_iter()
        .map(|corner| match (one.map(corner), other.map(corner)) {
            (Some(a), Some(b)) => libm::hypot(a[0] - b[0], a[1] - b[1]),
            _ => f64::INFINITY,
        })
        .fold(0.0, f64::max)
}

#[test]
fn one_match_says_how_the_photos_lie() {
    // Twice as large, a quarter turn: (1, 0) goes to (0, 2), (0, 1) to (-2, 0).
    let a = framed([10.0, 20.0], [3.0, 0.0, 0.0, 3.0]).frame;
    let b = framed([100.0, 50.0], [0.0, -6.0, 6.0, 0.0]).frame;
    let transform = Transform::between(&a, &b).unwrap();
    assert_eq!(transform.map([10.0, 20.0]), Some([100.0, 50.0]));
    assert_eq!(transform.map([11.0, 20.0]), Some([100.0, 52.0]));
    assert_eq!(transform.map([10.0, 21.0]), Some([98.0, 50.0]));
    let flat = framed([0.0, 0.0], [1.0, 2.0, 2.0, 4.0]).frame;
    assert_eq!(Transform::between(&flat, &b), None);
}

#[test]
fn least_squares_affine_is_the_textbooks() {
    // u = x + residuals (+1, -1, -1, +1)/2 at the corners of a square: the residuals are orthogonal to
    // 1, x and y, so the best map is the identity.
    let pairs = [
        ([0.0, 0.0], [0.5, 0.0]),
        ([2.0, 0.0], [1.5, 0.0]),
        ([0.0, 2.0], [-0.5, 2.0]),
        ([2.0, 2.0], [2.5, 2.0]),
    ];
    let fitted = fit::affine(&pairs).unwrap();
    let identity = Transform::affine([1.0, 0.0, 0.0, 1.0], [0.0, 0.0]);
    assert!(apart(&fitted, &identity) < 1e-9);
}

#[test]
fn a_homography_of_four_corners_is_heckberts() {
    // The unit square to (0,0), (2,0), (1,1), (0,1). The formulas of Heckbert (1989, section 2.2.3), by hand:
    // g = 0, h = 1, so w = y + 1, u = 2x / w, v = 2y / w.
    let pairs = [
        ([0.0, 0.0], [0.0, 0.0]),
        ([1.0, 0.0], [2.0, 0.0]),
        ([1.0, 1.0], [1.0, 1.0]),
        ([0.0, 1.0], [0.0, 1.0]),
    ];
    let fitted = fit::homography(&pairs).unwrap();
    let wanted = [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 1.0, 1.0]];
    for (row, wanted) in fitted.0.iter().zip(wanted) {
        for (entry, wanted) in row.iter().zip(wanted) {
            assert!((entry - wanted).abs() < 1e-9, "{fitted:?}");
        }
    }
    let linear = fitted.linear_at([0.5, 1.0]).unwrap();
    // d/dx 2x/(y+1) = 1, d/dy = -2x/(y+1)² = -1/4; 2y/(y+1): 0 and 2/(y+1)² = 1/2.
    for (entry, wanted) in linear.iter().zip([1.0, -0.25, 0.0, 0.5]) {
        assert!((entry - wanted).abs() < 1e-9, "{linear:?}");
    }
}

#[test]
fn points_on_a_line_decide_no_map() {
    let line: Vec<fit::Pair> = (0..9)
        .map(|i| [f64::from(i), 2.0 * f64::from(i)])
        .map(|p| (p, p))
        .collect();
    assert_eq!(fit::affine(&line), None);
    assert_eq!(fit::homography(&line), None);
    assert_eq!(fit::homography(&[([1.0, 1.0], [1.0, 1.0]); 6]), None);
}

#[test]
fn a_mirrored_photo_does_not_agree() {
    let [a, mut b] = moved(
        &grid(),
        &Transform::affine([1.0, 0.0, 0.0, 1.0], [0.0, 0.0]),
    );
    for keypoint in &mut b.keypoints {
        keypoint.frame.center[0] = 400.0 - keypoint.frame.center[0];
    }
    let agreement = agree(&matched(24), &a, &b, &GeometryOptions::default());
    assert!(agreement.inliers.len() < 12, "{}", agreement.inliers.len());
}

#[test]
fn skin_that_is_turned_or_of_another_size_does_not_agree() {
    let identity = Transform::affine([1.0, 0.0, 0.0, 1.0], [0.0, 0.0]);
    let [a, b] = moved(&grid(), &identity);
    for shape in [
        [-1.0, -9.0, 9.0, -1.0],
        [19.0, 0.0, 0.0, 19.0],
        [4.0, 0.0, 0.0, 4.0],
        [9.0, 0.0, 0.0, -10.0],
    ] {
        let mut spoilt = b.clone();
        spoilt.keypoints[5].frame.shape = shape;
        let agreement = agree(&matched(24), &a, &spoilt, &GeometryOptions::default());
        assert_eq!(agreement.inliers.len(), 23);
        assert!(agreement.inliers.iter().all(|inlier| inlier.index != 5));
    }
}

#[test]
fn every_keypoint_is_used_once() {
    let [a, b] = moved(
        &grid(),
        &Transform::affine([1.0, 0.0, 0.0, 1.0], [3.0, 2.0]),
    );
    let mut matches = matched(24);
    // Neighbours in A claim keypoint 0 of B too; its own match is nearer.
    matches.insert(
        0,
        Match {
            a: 1,
            b: 0,
            ..matches[0]
        },
    );
    let tolerant = GeometryOptions {
        tolerance: 0.3,
        refined_tolerance: 0.3,
        ..GeometryOptions::default()
    };
    let agreement = agree(&matches, &a, &b, &tolerant);
    let indices: Vec<u32> = agreement
        .inliers
        .iter()
        .map(|inlier| inlier.index)
        .collect();
    assert_eq!(indices, (1..25).collect::<Vec<u32>>());
}

/// A map as cameras make them between flukes: some scale, turn and shear, moved, a little perspective.
fn plausible(perspective: f64) -> impl Strategy<Value = Transform> {
    let linear = (0.7f64..1.4, -0.5f64..0.5, -0.2f64..0.2, 0.8f64..1.2);
    (
        linear,
        -40.0f64..40.0,
        -30.0f64..30.0,
        -1.0f64..1.0,
        -1.0f64..1.0,
    )
        .prop_map(move |((scale, turn, shear, stretch), x, y, g, h)| {
            let (sin, cos) = turn.sin_cos();
            let turned = [
                scale * cos,
                -scale * sin * stretch,
                scale * sin,
                scale * cos * stretch,
            ];
            let sheared = product(turned, [1.0, shear, 0.0, 1.0]);
            let mut transform = Transform::affine(sheared, [x, y]);
            transform.0[2] = [g * perspective, h * perspective, 1.0];
            transform
        })
}

fn any_keypoint() -> impl Strategy<Value = Keypoint> {
    let number = prop_oneof![
        -500.0f32..900.0,
        Just(0.0),
        Just(f32::INFINITY),
        Just(f32::NAN),
        Just(1e30),
        Just(1e-30),
    ];
    prop::collection::vec(number, 6).prop_map(|v| Keypoint {
        frame: Frame {
            center: [v[0], v[1]],
            shape: [v[2], v[3], v[4], v[5]],
        },
        response: 1.0,
    })
}

proptest! {
    #[test]
    fn an_affine_map_is_found_among_outliers(
        truth in plausible(0.0),
        strays in prop::collection::vec((0.0f64..400.0, 0.0f64..200.0), 12),
    ) {
        let [mut a, mut b] = moved(&grid(), &truth);
        for (i, (x, y)) in strays.into_iter().enumerate() {
            a.keypoints.push(keypoint([x, y], 9.0));
            // Far from where the map would have it.
            let there = truth.map([x, y]).unwrap();
            b.keypoints.push(keypoint([there[0] + 90.0 + 40.0 * i as f64, there[1] - 70.0], 9.0));
        }
        let agreement = agree(&matched(36), &a, &b, &GeometryOptions::default());
        let indices: Vec<u32> = agreement.inliers.iter().map(|inlier| inlier.index).collect();
        prop_assert_eq!(indices, (0..24).collect::<Vec<u32>>());
        prop_assert!(apart(&agreement.transform.unwrap(), &truth) < 0.05);
        prop_assert!(agreement.inliers.iter().all(|inlier| inlier.residual < 0.01));
    }

    #[test]
    fn a_homography_is_found_though_frames_only_say_affine(truth in plausible(3e-4)) {
        let [a, b] = moved(&grid(), &truth);
        let options = GeometryOptions {
            homography_from: 8,
            ..GeometryOptions::default()
        };
        let agreement = agree(&matched(24), &a, &b, &options);
        prop_assert_eq!(agreement.inliers.len(), 24);
        prop_assert!(apart(&agreement.transform.unwrap(), &truth) < 0.1);
    }

    #[test]
    fn there_and_back_is_where_it_was(truth in plausible(4e-4), x in 0.0f64..400.0, y in 0.0f64..200.0) {
        let back = truth.inverse().unwrap();
        let [u, v] = back.map(truth.map([x, y]).unwrap()).unwrap();
        prop_assert!((u - x).abs() < 1e-6 && (v - y).abs() < 1e-6);
        let identity = back.after(&truth).scaled().unwrap();
        prop_assert!(apart(&identity, &Transform::affine([1.0, 0.0, 0.0, 1.0], [0.0, 0.0])) < 1e-6);
    }

    #[test]
    fn anything_at_all_gives_finite_numbers_and_no_keypoint_twice(
        a in prop::collection::vec(any_keypoint(), 0..12),
        b in prop::collection::vec(any_keypoint(), 0..12),
        pairs in prop::collection::vec((0_u32..14, 0_u32..14), 0..20),
    ) {
        let matches: Vec<Match> = pairs
            .into_iter()
            .map(|(a, b)| Match { a, b, distance: 0.5, ratio: 0.5 })
            .collect();
        let agreement = agree(&matches, &features(a), &features(b), &GeometryOptions::default());
        let inliers = || agreement.inliers.iter().map(|inlier| matches[inlier.index as usize]);
        prop_assert!(agreement.inliers.iter().all(|inlier| inlier.residual.is_finite()));
        let mut ends: [Vec<u32>; 2] = [inliers().map(|m| m.a).collect(), inliers().map(|m| m.b).collect()];
        for ends in &mut ends {
            ends.sort_unstable();
            ends.dedup();
            prop_assert_eq!(ends.len(), agreement.inliers.len());
        }
    }

    #[test]
    fn points_on_a_line_still_agree(count in 0_usize..12, slope in -0.4f64..0.4) {
        let line: Vec<[f64; 2]> = (0..count)
            .map(|i| [20.0 + 30.0 * i as f64, 100.0 + slope * 30.0 * i as f64])
            .collect();
        let [a, b] = moved(&line, &Transform::affine([1.1, 0.0, 0.0, 1.1], [5.0, -3.0]));
        let agreement = agree(&matched(count), &a, &b, &GeometryOptions::default());
        prop_assert_eq!(agreement.inliers.len(), count);
        prop_assert_eq!(agreement.transform.is_some(), count > 0);
    }
}

/// x' = 2x / (1 + x), y' = y / (1 + x): at (1, 2) it is (1, 1), with slopes 2/4, 0, -2/4 and 1/2.
#[test]
fn the_affine_map_at_a_point_by_hand() {
    let transform = Transform([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]);
    let expected = [0.5, -0.5, 0.0, 0.5, 0.5, 0.5];
    assert_eq!(transform.affine_at([1.0, 2.0]), Some(expected));
    assert_eq!(transform.affine_at([-1.0, 2.0]), None);
    assert_eq!(transform.affine_at([f64::NAN, 0.0]), None);
}
