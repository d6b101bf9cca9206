//! What the verbs promise, through the real command.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use common::{bundle, catalogue, flukeprint, make, photos_of, run_folder, succeed};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn json(arguments: &mut Command) -> Value {
    serde_json::from_slice(&succeed(arguments).stdout).unwrap()
}

/// A photo that no gallery holds.
fn unseen_photo() -> std::path::PathBuf {
    let mut photos = fs::read_dir(catalogue().join("test")).unwrap();
    photos.next().unwrap().unwrap().path()
}

/// Every file below `folder` with its content, but not what depends on where it is.
fn contents(folder: &Path, except: &[&str]) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            files.extend(contents(&path, except));
        } else if !except.contains(&name.as_str()) {
            files.push((name, fs::read(path).unwrap()));
        }
    }
    files.sort();
    files
}

#[test]
fn the_same_seed_gives_the_same_catalogue_weights_and_bundle() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    make(place.path(), "1"); // the other has two threads
    assert_eq!(contents(&at("catalogue"), &[]), contents(catalogue(), &[]));
    let elsewhere = ["facts.json", "events.jsonl"]; // a path, times
    assert_eq!(
        contents(&at("run"), &elsewhere),
        contents(run_folder(), &elsewhere)
    );
    assert_eq!(contents(&at("bundle"), &[]), contents(bundle(), &[]));
}

#[test]
fn evaluate_reports_each_part_alone_and_together() {
    let report = json(flukeprint(&["evaluate", "--json", "--run"]).arg(run_folder()));
    let names: Vec<&str> = report["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "classifier, T = 1",
            "classifier, T and p",
            "nearest photo",
            "photos of a whale",
            "photos of a whale, q",
            "all"
        ]
    );
    assert_eq!(report["raw_pixels"].as_array().unwrap().len(), 2);
    for row in report["rows"].as_array().unwrap() {
        let (map5, top1, top5) = (
            row["map5"].as_f64().unwrap(),
            row["top1"].as_f64().unwrap(),
            row["top5"].as_f64().unwrap(),
        );
        assert!(
            0.0 <= top1 && top1 <= map5 && map5 <= top5 && top5 <= 1.0,
            "{row}"
        );
    }
}

#[test]
fn a_bundle_is_measured_on_labelled_photos() {
    let mut command = flukeprint(&["evaluate", "--json", "--bundle"]);
    command
        .arg(bundle())
        .arg("--labels")
        .arg(catalogue().join("test.csv"))
        .arg("--photos")
        .arg(catalogue().join("test"));
    let found = json(&mut command);
    command
        .arg("--boxes")
        .arg(catalogue().join("bounding_boxes.csv"));
    let given = json(&mut command);
    for report in [found, given] {
        assert_eq!(report["photos"], 6);
        assert_eq!(report["rows"].as_array().unwrap().len(), 6);
        assert!(report["seconds_per_photo"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn identify_gives_the_same_answer_again() {
    let photo = unseen_photo();
    let answer = || {
        let mut answer = json(
            flukeprint(&["identify", "--json", "--bundle"])
                .arg(bundle())
                .arg(&photo),
        );
        answer["photos"][0]["stages"].take(); // times differ
        answer["time"].take();
        answer
    };
    let first = answer();
    assert_eq!(first, answer());
    let candidates = first["photos"][0]["candidates"].as_array().unwrap();
    assert_eq!(candidates.len(), 5);
    let scores: Vec<f64> = candidates
        .iter()
        .map(|one| one["score"].as_f64().unwrap())
        .collect();
    assert!(scores.windows(2).all(|pair| pair[0] >= pair[1]));
}

#[test]
fn a_box_from_a_table_is_used() {
    let photo = unseen_photo();
    let boxes = catalogue().join("bounding_boxes.csv");
    let answers = json(
        flukeprint(&["identify", "--json", "--bundle"])
            .arg(bundle())
            .arg("--boxes")
            .arg(boxes)
            .arg(photo),
    );
    assert_eq!(answers["photos"][0]["region_source"], "given");
}

#[test]
fn models_lists_every_backbone_with_the_references_parameters() {
    // torchvision's, timm's and Cadene's trunks; compact is our own: 16, 32, 64, 128 channels, two
    // 3x3 and a 1x1 convolution a block, and two values a channel of each norm.
    let block = |i: u64, o: u64| 9 * i * o + 9 * o * o + i * o + 3 * 2 * o;
    let compact = 27 * 16 + 2 * 16 + block(16, 32) + block(32, 64) + block(64, 128);
    let expected = [
        ("compact", compact),
        ("mobilenet-v2", 2_223_872),
        ("mobilenet-v2-gluon", 2_223_872 + 32 * 32 + 2 * 32),
        ("resnet50", 23_508_032),
        ("resnet152", 58_143_808),
        ("se-resnext50", 25_510_896),
        ("se-resnext50-cadene", 25_510_896),
        ("vgg16-bn", 14_723_136),
        ("densenet121", 6_953_856),
        ("inception-v4", 41_142_816),
    ];
    let list = json(&mut flukeprint(&["models", "--json"]));
    assert_eq!(list["input"], serde_json::json!([384, 384]));
    let rows = list["backbones"].as_array().unwrap();
    let found: Vec<(&str, u64)> = rows
        .iter()
        .map(|row| {
            let name = row["name"].as_str().unwrap();
            (name, row["parameters"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(found, expected);
    let inception = &rows[9];
    assert_eq!(inception["feature_width"], 1536);
    assert_eq!(inception["mean"], serde_json::json!([0.5, 0.5, 0.5]));
    for row in rows {
        assert!(row["stride"].as_u64().unwrap() >= 16, "{row}");
        assert!(row["multiply_adds"].as_u64().unwrap() > 0, "{row}");
    }
    let table = succeed(&mut flukeprint(&["models"])).stdout;
    let table = String::from_utf8_lossy(&table).into_owned();
    assert!(
        found.iter().all(|(name, _)| table.contains(name)),
        "{table}"
    );
}

#[test]
fn every_verb_has_help_with_an_example() {
    for verb in [
        "synth",
        "import",
        "models",
        "recipes",
        "ladder",
        "train",
        "tune",
        "evaluate",
        "ensemble",
        "export",
        "identify",
        "submission",
        "enroll",
        "remove",
        "merge",
        "rename",
        "undo",
        "history",
        "devices",
        "bench",
        "serve",
    ] {
        let help = succeed(&mut flukeprint(&[verb, "--help"]));
        assert!(
            String::from_utf8_lossy(&help.stdout).contains(&format!("flukeprint {verb}")),
            "{verb}"
        );
    }
}

/// Runs a command whose reader went away before the first line.
fn unread(command: &mut Command) -> Output {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    child.wait_with_output().unwrap()
}

#[test]
fn a_reader_that_goes_away_ends_nothing_with_a_panic() {
    let photo = &photos_of(&catalogue().join("test"))[0];
    let mut identify = flukeprint(&["identify", "--bundle"]);
    identify.arg(bundle()).arg(photo);
    let mut commands = [
        identify,
        flukeprint(&["recipes"]),
        flukeprint(&["recipes", "tiny"]),
        flukeprint(&["models", "--json"]),
    ];
    for command in &mut commands {
        let output = unread(command);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?}: {told}");
        assert!(!told.contains("panic"), "{command:?}: {told}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said() {
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let output = flukeprint(&["recipes"]).stdout(full).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("cannot write the standard output"), "{told}");
}
