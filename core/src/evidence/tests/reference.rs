//! Keypoints and RootSIFT against PyTorch and numpy.

use super::super::detect::detect;
use super::super::pyramid::Pyramid;
use super::super::rootsift::RootSift;
use super::{answers, assert_near, patches, picture};

#[test]
fn keypoints_are_pytorchs() {
    let found = detect(&Pyramid::new(&picture(180, 130)));
    let expected = &answers()["keypoints"].values;
    assert_eq!(found.len(), expected.len() / 4);
    for expected in expected.chunks_exact(4) {
        let same = found.iter().any(|one| {
            let place = [one.center[0], one.center[1], one.sigma];
            let near = |(a, b): (f32, &f32)| (a - b).abs() < 0.01;
            let as_strong = (one.response / expected[3] - 1.0).abs() < 2e-3;
            place.into_iter().zip(expected).all(near) && as_strong
        });
        assert!(same, "nothing like {expected:?}");
    }
}

#[test]
fn root_sift_is_numpys() {
    let mut found = [0.0; 128];
    let expected = &answers()["root_sift"].values;
    for (patch, expected) in patches().iter().zip(expected.chunks_exact(128)) {
        RootSift::new().describe(patch, &mut found);
        assert_near("RootSIFT", &found, expected, 1e-3);
    }
}
