//! The ladder and the recipes, through the real command.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use common::{catalogue, flukeprint, succeed};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Output;

fn ladder(out: &Path, rungs: &str) -> Output {
    let mut command = flukeprint(&["ladder", "--json", "--rungs", rungs, "--data"]);
    command.arg(catalogue()).arg("--out").arg(out);
    command.output().unwrap()
}

#[test]
fn rungs_are_scored_beside_the_published_scores_and_not_trained_twice() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("ladder");
    // The second answers with the run of the first; the last averages two.
    let rungs = "resnet50-boxes,resnet50-nearest,resnet152-nearest,both-nearest";
    let output = ladder(&out, rungs);
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{stderr}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let rows = report["rungs"].as_array().unwrap();
    let names: Vec<&str> = rows.iter().map(|r| r["name"].as_str().unwrap()).collect();
    assert_eq!(names, rungs.split(',').collect::<Vec<_>>());
    for row in rows {
        let map5 = row["ours"]["map5"].as_f64().unwrap();
        assert!((0.0..=1.0).contains(&map5), "{row}");
        let published = row["published"].as_f64().unwrap();
        assert!((0.8..1.0).contains(&published), "{row}");
    }
    assert_eq!(rows[1]["seconds"], 0.0);
    assert!(out.join("resnet50-boxes").is_dir() && !out.join("resnet50-nearest").exists());
    assert!(
        fs::read_to_string(out.join("ladder.svg"))
            .unwrap()
            .contains("ResNet152")
    );

    let again = ladder(&out, rungs);
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    for (first, second) in rows.iter().zip(again["rungs"].as_array().unwrap()) {
        assert_eq!(first["ours"], second["ours"]);
    }
}

#[test]
fn an_unknown_rung_is_one_line_with_the_nearest() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("ladder");
    let output = ladder(&out, "vgg16-bn,resnet50-bokses");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{stderr}");
    assert!(
        stderr.trim_end().ends_with("did you mean resnet50-boxes?"),
        "{stderr}"
    );
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(!out.exists());
}

#[test]
fn every_recipe_is_listed_and_a_printed_one_can_be_used() {
    let listed = succeed(&mut flukeprint(&["recipes", "--json"]));
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    let listed = listed["recipes"].as_array().unwrap();
    let names: Vec<&str> = listed.iter().map(|r| r["name"].as_str().unwrap()).collect();
    for name in ["demo", "small", "small-scratch", "vgg16-bn-gem", "ensemble"] {
        assert!(names.contains(&name), "{names:?}");
    }
    let rungs = listed.iter().filter(|one| one["published"].is_number());
    assert_eq!(rungs.count(), 19);
    let of = |name: &str| listed.iter().find(|one| one["name"] == name).unwrap();
    assert_eq!(of("ensemble")["recipes"].as_array().unwrap().len(), 4);
    assert_eq!(
        of("vgg16-bn-gem")["recipes"][0]["model"]["backbone"],
        "vgg16-bn"
    );

    let printed = succeed(&mut flukeprint(&["recipes", "vgg16-bn-triplet"])).stdout;
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("mine.toml");
    fs::write(&path, printed).unwrap();
    let again = succeed(flukeprint(&["recipes", "--json"]).arg(&path));
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(&again, &of("vgg16-bn-triplet")["recipes"][0]);
}
