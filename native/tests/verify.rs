//! `flukeprint verify` on photos as people have them.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use common::{bundle, flukeprint, succeed};
use flukeprint_core::evidence::file::encode;
use flukeprint_core::evidence::{Features, Frame, Keypoint};
use image::{DynamicImage, Rgb, RgbImage};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use tempfile::TempDir;

/// A folder with a drawn whale's photo `a.png` and what is made of it.
fn photos() -> &'static Path {
    static MADE: OnceLock<TempDir> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let catalogue = folder.path().join("catalogue");
        let words =
            "synth --seed 3 --individuals 2 --new-photos 1 --test-photos 1 --photo-width 480 --out";
        succeed(flukeprint(&words.split(' ').collect::<Vec<_>>()).arg(&catalogue));
        let mut drawn: Vec<PathBuf> = fs::read_dir(catalogue.join("train"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        drawn.sort();
        let photo = image::open(&drawn[0]).unwrap().into_rgb8();
        let at = |name: &str| folder.path().join(name);
        photo.save(at("a.png")).unwrap();
        DynamicImage::from(photo.clone())
            .fliph()
            .save(at("mirrored.png"))
            .unwrap();
        let smaller = DynamicImage::from(photo.clone()).resize(400, 400, image::imageops::Triangle);
        smaller.into_rgb8().save(at("smaller.jpg")).unwrap();
        DynamicImage::from(photo)
            .thumbnail(30, 30)
            .save(at("tiny.png"))
            .unwrap();
        let gray = RgbImage::from_pixel(300, 150, Rgb([120, 130, 140]));
        gray.save(at("gray.png")).unwrap();
        folder
    })
    .path()
}

fn verify(a: &str, b: &str) -> Value {
    let mut command = flukeprint(&["verify", "--json"]);
    command.args([a, b].map(|name| photos().join(name)));
    serde_json::from_slice(&succeed(&mut command).stdout).unwrap()
}

fn notes(answer: &Value) -> String {
    let notes = answer["notes"].as_array().unwrap();
    notes
        .iter()
        .map(|note| note.as_str().unwrap())
        .collect::<Vec<_>>()
        .join("\n")
}

/// The one line that the command printed, with exit code 2.
fn refusal(arguments: &[&str], files: &[PathBuf]) -> String {
    let output = flukeprint(arguments).args(files).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    text
}

#[test]
fn a_photo_and_itself_are_said_to_be_duplicates() {
    for other in ["a.png", "smaller.jpg"] {
        let answer = verify("a.png", other);
        assert_eq!(answer["duplicate"], true, "{other}: {}", answer["inliers"]);
        assert!(
            answer["inliers"].as_u64().unwrap() >= 20,
            "{other}: {}",
            answer["inliers"]
        );
        assert!(answer["matches"].as_u64() >= answer["inliers"].as_u64());
        assert!(answer["probability"].as_f64().unwrap() > 0.9);
        assert!(notes(&answer).contains("duplicates"), "{}", notes(&answer));
        assert_eq!(
            answer["pairs"].as_array().unwrap().len() as u64,
            answer["inliers"].as_u64().unwrap()
        );
    }
    let text =
        succeed(flukeprint(&["verify"]).args([photos().join("a.png"), photos().join("a.png")]));
    assert!(String::from_utf8_lossy(&text.stdout).contains("duplicates"));
}

#[test]
fn the_map_counts_in_pixels_of_the_photos() {
    let answer = verify("a.png", "smaller.jpg");
    let (of_a, of_b) = (
        image::image_dimensions(photos().join("a.png")).unwrap(),
        image::image_dimensions(photos().join("smaller.jpg")).unwrap(),
    );
    let scale = f64::from(of_b.0) / f64::from(of_a.0);
    for pair in answer["pairs"].as_array().unwrap() {
        for axis in 0..2 {
            let [a, b] = ["a", "b"].map(|side| pair[side][axis].as_f64().unwrap());
            assert!((a * scale - b).abs() < 8.0, "{a} to {b}, scale {scale}");
        }
    }
    assert!((answer["transform"][0][0].as_f64().unwrap() - scale).abs() < 0.05);
}

#[test]
fn a_mirrored_photo_is_said_to_be_one() {
    let answer = verify("a.png", "mirrored.png");
    assert_eq!(answer["mirrored"], true, "{}", answer["inliers"]);
    assert_eq!(answer["duplicate"], false);
    assert!(answer["probability"].as_f64().unwrap() < 0.5);
    assert!(notes(&answer).contains("flip"), "{}", notes(&answer));
}

#[test]
fn a_photo_without_texture_shows_nothing_and_is_named() {
    for (a, b) in [
        ("gray.png", "a.png"),
        ("a.png", "gray.png"),
        ("gray.png", "gray.png"),
    ] {
        let answer = verify(a, b);
        assert_eq!(answer["matches"], 0);
        assert_eq!(answer["inliers"], 0);
        assert_eq!(answer["duplicate"], false);
        assert!(answer["probability"].as_f64().unwrap() < 0.05);
        assert!(
            notes(&answer).contains("gray.png shows no keypoints"),
            "{}",
            notes(&answer)
        );
    }
}

#[test]
fn a_photo_of_thirty_pixels_is_answered() {
    let answer = verify("tiny.png", "a.png");
    assert!(answer["inliers"].as_u64().unwrap() < 10);
    assert!(answer["probability"].as_f64().unwrap() < 0.5);
}

#[test]
fn a_keypoint_file_is_as_good_as_its_photo_and_a_corrupt_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let keypoints = (0..30).map(|i| Keypoint {
        frame: Frame {
            center: [20.0 + 10.0 * i as f32, 30.0 + (i * i % 90) as f32],
            shape: [8.0, 0.0, 0.0, 8.0],
        },
        response: 1.0,
    });
    let mut codes = vec![0_i8; 30 * 128];
    for i in 0..30 {
        for place in [i, 2 * i + 31, 127 - i] {
            codes[i * 128 + place] = 127;
        }
    }
    let bytes = encode(&Features {
        size: [352, 160],
        keypoints: keypoints.collect(),
        descriptors: codes,
    });
    let good = folder.path().join("good.keypoints");
    fs::write(&good, &bytes).unwrap();
    let output = succeed(flukeprint(&["verify", "--json"]).args([&good, &good]));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["inliers"], 30);
    assert_eq!(answer["duplicate"], true);
    let spoilt = folder.path().join("spoilt.keypoints");
    let mut changed = bytes.clone();
    changed[200] ^= 1;
    for content in [&changed[..], &bytes[..bytes.len() - 1], b"", b"not one"] {
        fs::write(&spoilt, content).unwrap();
        let line = refusal(&["verify"], &[good.clone(), spoilt.clone()]);
        assert!(line.contains("spoilt.keypoints: "), "{line}");
    }
    let picture = folder.path().join("picture.png");
    let line = refusal(
        &["verify", "--picture", picture.to_str().unwrap()],
        &[good.clone(), good],
    );
    assert!(line.contains("two photos"), "{line}");
    assert!(!picture.exists());
}

#[test]
fn the_picture_shows_both_photos_with_lines() {
    let folder = tempfile::tempdir().unwrap();
    let pair = [photos().join("a.png"), photos().join("smaller.jpg")];
    for name in ["matches.png", "matches.JPG"] {
        let path = folder.path().join(name);
        succeed(flukeprint(&["verify", "--picture"]).arg(&path).args(&pair));
        let picture = image::load_from_memory(&fs::read(&path).unwrap())
            .unwrap()
            .into_rgb8();
        let (width, height) = picture.dimensions();
        assert!(width > 2 * height, "{width} x {height}");
        // The gap between the photos is white but for the lines that cross it.
        let gap = (0..width).find(|&x| {
            (0..height).filter(|&y| bright(&picture, x, y)).count() * 2 > height as usize
        });
        let crossing = (0..height)
            .filter(|&y| !bright(&picture, gap.unwrap() + 3, y))
            .count();
        assert!(crossing >= 10, "{crossing}");
    }
    let line = refusal(&["verify", "--picture", "matches.gif"], &pair);
    assert!(
        line.contains("matches.gif") && line.contains(".png"),
        "{line}"
    );
}

fn bright(picture: &RgbImage, x: u32, y: u32) -> bool {
    picture.get_pixel(x, y).0.iter().all(|&value| value > 235)
}

#[test]
fn what_is_no_photo_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text.jpg");
    fs::write(&text, "no photo").unwrap();
    let line = refusal(&["verify"], &[photos().join("a.png"), text]);
    assert!(line.contains("text.jpg"), "{line}");
    let missing = PathBuf::from("/no/such/photo.jpg");
    let line = refusal(&["verify"], &[missing, photos().join("a.png")]);
    assert!(line.contains("/no/such/photo.jpg"), "{line}");
}

#[test]
fn a_bundles_finder_looks_for_the_flukes() {
    let a = photos().join("a.png");
    let output = succeed(
        flukeprint(&["verify", "--json", "--bundle"])
            .arg(bundle())
            .args([&a, &a]),
    );
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["mirrored"], false);
    assert_eq!(answer["keypoints"][0], answer["keypoints"][1]);
}
