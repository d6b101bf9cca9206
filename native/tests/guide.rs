//! Training what guides the tracing of trailing edges, by the real command.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use common::{flukeprint, refusal, succeed};
use flukeprint_core::evidence::edge::guide::{COLUMNS, Guide, ROWS};
use std::fs;
use std::path::{Path, PathBuf};

/// Draws so many whales with names, and so many photos of others, a fifth of which are not held out.
fn drawn(out: &Path, whales: &str, new_photos: &str) {
    let mut synth = flukeprint(&["synth", "--seed", "5", "--photo-width", "160"]);
    synth.args(["--individuals", whales, "--new-photos", new_photos]);
    succeed(synth.arg("--out").arg(out));
}

fn train(data: &Path, out: &Path, threads: &str) -> std::process::Command {
    let mut train = flukeprint(&["guide", "--epochs", "1", "--data"]);
    train.env("RAYON_NUM_THREADS", threads);
    train.arg(data).arg("--out").arg(out);
    train
}

#[test]
fn a_guide_is_the_same_every_time_and_is_one_to_trace_with() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("catalogue");
    drawn(&data, "10", "400");
    let made = |name: &str, threads| -> PathBuf {
        let out = place.path().join(name);
        succeed(&mut train(&data, &out, threads));
        out
    };
    let bytes = fs::read(made("one.safetensors", "1")).unwrap();
    assert!(bytes == fs::read(made("two.safetensors", "2")).unwrap());
    // A second round, on lines that are found with the first one's guide.
    let out = place.path().join("second.safetensors");
    let mut second = train(&data, &out, "2");
    succeed(
        second
            .arg("--before")
            .arg(place.path().join("one.safetensors")),
    );
    assert!(bytes != fs::read(&out).unwrap());
    is_a_guide(&bytes);
    is_a_guide(&fs::read(&out).unwrap());
}

/// In every column it says how likely each row is.
fn is_a_guide(bytes: &[u8]) {
    let guide = Guide::read("guide.safetensors", bytes).unwrap();
    let likely = guide.likely(&[0.0; ROWS * COLUMNS]);
    for column in 0..COLUMNS {
        let shares = (0..ROWS).map(|row| likely[row * COLUMNS + column].exp());
        assert!((shares.sum::<f32>() - 1.0).abs() < 1e-4, "{column}");
    }
}

#[test]
fn a_round_before_that_is_no_guide_is_refused_by_its_name() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("catalogue");
    drawn(&data, "6", "0");
    let out = place.path().join("guide.safetensors");
    let before = place.path().join("before.safetensors");
    let refused = || {
        let mut train = train(&data, &out, "2");
        refusal(&train.arg("--before").arg(&before).output().unwrap())
    };
    assert!(refused().contains("before.safetensors"), "{}", refused());
    fs::write(&before, b"no guide").unwrap();
    assert!(refused().contains("before.safetensors"), "{}", refused());
    assert!(!out.exists());
}

#[test]
fn too_few_flukes_teach_nothing() {
    let place = tempfile::tempdir().unwrap();
    let few = place.path().join("few");
    drawn(&few, "6", "0");
    let out = place.path().join("guide.safetensors");
    let output = train(&few, &out, "2").output().unwrap();
    let message = refusal(&output);
    assert!(message.contains("32 flukes"), "{message}");
    assert!(!out.exists());
}
