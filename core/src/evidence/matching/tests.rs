//! What a user of the matches relies on.

use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::evidence::{DESCRIPTOR, Frame, Keypoint};

/// A photo whose keypoint i lies at `xs[i]` and has `descriptors[i]`.
fn photo(xs: &[f32], descriptors: &[[i8; DESCRIPTOR]]) -> Features {
    let keypoint = |&x: &f32| Keypoint {
        frame: Frame {
            center: [x, 10.0],
            shape: [5.0, 0.0, 0.0, 5.0],
        },
        response: 1.0,
    };
    Features {
        size: [80, 60],
        keypoints: xs.iter().map(keypoint).collect(),
        descriptors: descriptors.as_flattened().to_vec(),
    }
}

fn descriptor(entries: &[(usize, i8)]) -> [i8; DESCRIPTOR] {
    let mut codes = [0; DESCRIPTOR];
    for &(place, value) in entries {
        codes[place] = value;
    }
    codes
}

const ALL: MatchOptions = MatchOptions {
    ratio: 1.0,
    mutual: false,
};

fn pairs(a: &Features, b: &Features, options: &MatchOptions) -> Vec<(u32, u32)> {
    find_matches(a, b, options)
        .iter()
        .map(|found| (found.a, found.b))
        .collect()
}

#[test]
fn the_nearest_is_found_with_its_distance_and_ratio() {
    let a = photo(&[0.0], &[descriptor(&[(0, 100)])]);
    // 64 and 80 away.
    let b = photo(
        &[1.0, 2.0],
        &[descriptor(&[(0, 36)]), descriptor(&[(0, 20)])],
    );
    let found = find_matches(&a, &b, &ALL);
    assert_eq!(
        found,
        [Match {
            a: 0,
            b: 0,
            distance: 0.25,
            ratio: 0.8
        }]
    );
    assert_eq!(
        pairs(&a, &b, &MatchOptions { ratio: 0.81, ..ALL }),
        [(0, 0)]
    );
    assert_eq!(pairs(&a, &b, &MatchOptions { ratio: 0.79, ..ALL }), []);
}

#[test]
fn mutual_means_both_ways() {
    let a = photo(
        &[0.0, 1.0],
        &[descriptor(&[(0, 100)]), descriptor(&[(0, 90)])],
    );
    let b = photo(&[0.0], &[descriptor(&[(0, 98)])]);
    assert_eq!(pairs(&a, &b, &ALL), [(0, 0), (1, 0)]);
    assert_eq!(
        pairs(
            &a,
            &b,
            &MatchOptions {
                mutual: true,
                ..ALL
            }
        ),
        [(0, 0)]
    );
}

#[test]
fn photos_with_nothing_have_no_matches() {
    let empty = photo(&[], &[]);
    let one = photo(&[0.0], &[descriptor(&[(0, 100)])]);
    assert_eq!(pairs(&empty, &empty, &ALL), []);
    assert_eq!(pairs(&one, &empty, &ALL), []);
    assert_eq!(pairs(&empty, &one, &ALL), []);
    // Alone in B, but nothing else is nearer than what has nothing in common.
    assert_eq!(
        pairs(&one, &one, &MatchOptions { ratio: 0.5, ..ALL }),
        [(0, 0)]
    );
}

proptest! {
    #[test]
    fn it_is_the_definition(
        a in prop::collection::vec(prop::collection::vec(-127_i8..=127, DESCRIPTOR), 0..6),
        b in prop::collection::vec(prop::collection::vec(-127_i8..=127, DESCRIPTOR), 2..6),
    ) {
        let photos = [&a, &b].map(|rows| Features {
            size: [80, 60],
            keypoints: photo(&vec![0.0; rows.len()], &[]).keypoints,
            descriptors: rows.concat(),
        });
        let found = find_matches(&photos[0], &photos[1], &ALL);
        prop_assert_eq!(found.len(), a.len());
        for (found, a) in found.iter().zip(&a) {
            let mut distances: Vec<f64> = b
                .iter()
                .map(|b| {
                    let square = |(&x, &y): (&i8, &i8)| (f64::from(x) - f64::from(y)).powi(2);
                    a.iter().zip(b).map(square).sum::<f64>().sqrt() / 256.0
                })
                .collect();
            prop_assert!((f64::from(found.distance) - distances[found.b as usize]).abs() < 1e-5);
            distances.sort_by(f64::total_cmp);
            prop_assert!((f64::from(found.distance) - distances[0]).abs() < 1e-5);
            prop_assert!((f64::from(found.ratio) - distances[0] / distances[1]).abs() < 1e-5);
        }
    }
}
