//! What holds for any picture.

use super::super::{
    DESCRIPTOR, DescriptorKind, Features, Frame, GrayImage, Networks, Options, features,
};
use super::{affnet, hardtfeat, orinet, picture};
use crate::Result;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use burn::tensor::Device;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use proptest::prelude::*;

fn networks() -> Networks {
    Networks {
        affnet: Some(affnet()),
        orinet: Some(orinet()),
        hardtfeat: Some(hardtfeat()),
        hardnet: None,
    }
}

/// On the CPU a future is ready at once.
fn found_by(image: &GrayImage, options: &Options, networks: &Networks) -> Result<Features> {
    let device = Device::flex();
    let options = Options {
        width: image.width(),
        ..options.clone()
    };
    let future = pin!(features(image, &options, networks, &device));
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(found) => found,
        Poll::Pending => panic!("the CPU makes nobody wait"),
    }
}

fn found(image: &GrayImage, options: &Options) -> Features {
    found_by(image, options, &Networks::default()).unwrap()
}

/// Round frames, described by RootSIFT.
fn plain(keypoints: usize) -> Options {
    Options {
        width: 1, // found_by keeps the picture's
        keypoints,
        upright: true,
        affine: false,
        region: 1.0,
        descriptor: DescriptorKind::RootSift,
        trailing_edge: 0.0,
    }
}

#[test]
fn a_photo_without_texture_has_no_keypoints() {
    for value in [0.0, 77.3, 255.0] {
        let image = GrayImage::new(200, 100, vec![value; 20_000]).unwrap();
        assert!(found(&image, &plain(300)).keypoints.is_empty(), "{value}");
    }
    let slope = (0..20_000).map(|i| (i % 200) as f32 * 1.1).collect();
    let slope = GrayImage::new(200, 100, slope).unwrap();
    // Replicating the edge bends the slope there; inside it is none the less straight.
    let edge = |frame: &Frame| (20.0..180.0).contains(&frame.center[0]);
    let inside = found(&slope, &plain(300)).keypoints;
    assert!(!inside.iter().any(|keypoint| edge(&keypoint.frame)));
}

#[test]
fn tiny_photos_have_few_keypoints_and_do_no_harm() {
    for side in 1..=30 {
        let all = Options {
            affine: true,
            upright: false,
            ..plain(300)
        };
        let few = found_by(&picture(side, 31 - side), &all, &networks()).unwrap();
        assert!(few.keypoints.len() <= 10, "{side}: {}", few.keypoints.len());
        found(&picture(side, side), &plain(300));
    }
}

#[test]
fn as_many_as_asked_strongest_first_inside_the_photo() {
    let image = picture(180, 130);
    let many = found(&image, &plain(100));
    assert_eq!((many.size, many.keypoints.len()), ([180, 130], 100));
    assert_eq!(many.descriptors.len(), 100 * DESCRIPTOR);
    assert!(many.keypoints.is_sorted_by(|a, b| a.response >= b.response));
    assert!(
        many.keypoints
            .iter()
            .all(|one| one.frame.lies_within(180, 130))
    );
    // Of 20 the 30 strongest detections go on, which lie inside or do not as among 100.
    let few = found(&image, &plain(20)).keypoints;
    assert!(!few.is_empty() && few.iter().eq(&many.keypoints[..few.len()]));
    for descriptor in many.descriptors.chunks_exact(DESCRIPTOR) {
        let squares: i32 = descriptor.iter().map(|&code| i32::from(code).pow(2)).sum();
        assert!((squares - 256 * 256).abs() < 2_600, "{squares}");
    }
}

#[test]
fn the_default_brings_a_fluke_to_its_width() {
    let device = Device::flex();
    let (options, networks) = (Options::default(), Networks::default());
    let image = picture(180, 130);
    let future = pin!(features(&image, &options, &networks, &device));
    let Poll::Ready(found) = future.poll(&mut Context::from_waker(Waker::noop())) else {
        panic!("the CPU makes nobody wait");
    };
    let found = found.unwrap();
    let width = options.width as u32;
    assert_eq!(found.size, [width, (130 * width + 90) / 180]);
    assert!(found.keypoints.len() > 100);
    let far = |one: &super::super::Keypoint| one.frame.center[0] > 180.0;
    assert!(found.keypoints.iter().any(far));
}

#[test]
fn frames_take_shape_and_turn_but_keep_their_area() {
    let image = picture(180, 130);
    let round = found(&image, &plain(1_000));
    let options = Options {
        affine: true,
        descriptor: DescriptorKind::HardTFeat,
        ..plain(100)
    };
    for upright in [true, false] {
        let options = Options {
            upright,
            ..options.clone()
        };
        let shaped = found_by(&image, &options, &networks()).unwrap();
        assert!(shaped.keypoints.len() > 20);
        assert_eq!(
            shaped.descriptors.len(),
            shaped.keypoints.len() * DESCRIPTOR
        );
        let mut turned = 0;
        for one in &shaped.keypoints {
            turned += usize::from(one.frame.shape[1].abs() > 1e-3 * one.frame.radius());
            let same = round
                .keypoints
                .iter()
                .filter(|r| r.frame.center == one.frame.center);
            for before in same.filter(|before| before.response == one.response) {
                let (a, b) = (before.frame.radius(), one.frame.radius());
                assert!((a - b).abs() < 1e-3 * a, "{a} {b}");
            }
        }
        assert_eq!(turned > 0, !upright);
    }
}

#[test]
fn the_trailing_edge_can_be_favoured() {
    let image = picture(180, 130);
    let mean_row = |trailing_edge| {
        let options = Options {
            trailing_edge,
            ..plain(50)
        };
        let keypoints = found(&image, &options).keypoints;
        keypoints.iter().map(|one| one.frame.center[1]).sum::<f32>() / keypoints.len() as f32
    };
    assert!(mean_row(4.0) + 10.0 < mean_row(0.0));
}

#[test]
fn what_cannot_be_done_is_refused_in_words() {
    let image = picture(60, 40);
    for (options, words) in [
        (
            Options {
                keypoints: 0,
                ..plain(1)
            },
            "keypoints is 0, it must be 1 to 10000",
        ),
        (
            Options {
                region: f32::NAN,
                ..plain(1)
            },
            "region is NaN",
        ),
        (
            Options {
                affine: true,
                ..plain(1)
            },
            "affine shapes need AffNet, which is not loaded",
        ),
        (
            Options {
                upright: false,
                ..plain(1)
            },
            "turned frames need OriNet",
        ),
        (
            Options {
                descriptor: DescriptorKind::HardNet,
                ..plain(1)
            },
            "HardNet, which is not",
        ),
    ] {
        let message = found_by(&image, &options, &Networks::default())
            .unwrap_err()
            .to_string();
        assert!(message.contains(words), "{message}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn a_photo_moved_by_whole_pixels_has_its_keypoints_moved(dx in 0usize..4, dy in 0usize..4) {
        // Of four octaves' pixels, so that every octave sees the same pixels.
        let (dx, dy) = (8 * dx, 8 * dy);
        let whole = picture(260, 200);
        let cut = |left: usize, top: usize| {
            let rows = (top..top + 170).flat_map(|y| whole.row(y)[left..left + 220].to_vec());
            GrayImage::new(220, 170, rows.collect::<Vec<f32>>()).unwrap()
        };
        let (still, moved) = (found(&cut(0, 0), &plain(1_000)), found(&cut(dx, dy), &plain(1_000)));
        let mut checked = 0;
        for (index, one) in still.keypoints.iter().enumerate() {
            let ([x, y], reach) = (one.frame.center, 2.5 * one.frame.radius());
            let inside = x - dx as f32 > reach && y - dy as f32 > reach && x + reach < 220.0 && y + reach < 170.0;
            if !inside {
                continue; // the edge has a hand in it
            }
            checked += 1;
            let at = moved.keypoints.iter().position(|other| {
                let [a, b] = other.frame.center;
                (a + dx as f32 - x).abs() + (b + dy as f32 - y).abs() < 0.02
                    && (other.frame.radius() / one.frame.radius() - 1.0).abs() < 0.01
            });
            prop_assert!(at.is_some(), "{one:?} is gone");
            let of = |features: &Features, at: usize| {
                features.descriptors[at * DESCRIPTOR..][..DESCRIPTOR].to_vec()
            };
            let codes = of(&still, index).into_iter().zip(of(&moved, at.unwrap_or_default()));
            for (a, b) in codes {
                prop_assert!((i32::from(a) - i32::from(b)).abs() <= 3);
            }
        }
        prop_assert!(checked > 20, "{checked}");
    }
}
