//! Trainings that begin with what another run has learned.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use common::{bundle, catalogue, copy, flukeprint, run_folder, succeed};
use flukeprint::train::load_weights;
use std::fs;
use std::path::Path;

/// A file of recipe `tiny` with some lines more.
fn recipe(folder: &Path, name: &str, lines: &str) -> std::path::PathBuf {
    let path = folder.join(format!("{name}.toml"));
    fs::write(
        &path,
        format!("base = \"tiny\"\nname = \"{name}\"\n{lines}"),
    )
    .unwrap();
    path
}

const NOTHING: &str = "[head]\nepochs = 0\n[full]\nepochs = 0\n";

#[test]
fn what_is_not_trained_on_stays_as_the_other_run_left_it() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let mut train = flukeprint(&["train", "--data"]);
    train.arg(catalogue()).arg("--start").arg(run_folder());
    train
        .arg("--recipe")
        .arg(recipe(place.path(), "nothing", NOTHING));
    succeed(train.arg("--out").arg(&out));
    for file in ["network.safetensors", "training.safetensors"] {
        let weights = |run: &Path| load_weights(&run.join(file)).unwrap();
        assert_eq!(weights(&out), weights(run_folder()), "{file}");
    }
}

/// What must be there and load elsewhere: backbone and heads, rounded to half precision, and no whale's column.
#[test]
fn weights_kept_of_a_run_are_what_another_training_begins_with() {
    let place = tempfile::tempdir().unwrap();
    let kept = place.path().join("whales.safetensors");
    succeed(
        flukeprint(&["weights", "--run"])
            .arg(run_folder())
            .arg("--out")
            .arg(&kept),
    );
    let learned = load_weights(&run_folder().join("training.safetensors")).unwrap();
    let weights = load_weights(&kept).unwrap();
    assert!(weights.keys().any(|name| name.contains(".heads.")));
    for (name, values) in &weights {
        assert!(name.starts_with("network.embedder."), "{name}");
        let own = &learned[name];
        assert_eq!(values.shape, own.shape, "{name}");
        for (kept, own) in values.values.iter().zip(&own.values) {
            let close = (kept - own).abs() <= own.abs() / 2048.0 + 1e-7;
            assert!(close, "{name}: {kept} for {own}");
        }
    }

    let out = place.path().join("run");
    let mut train = flukeprint(&["train", "--data"]);
    train.arg(catalogue()).arg("--start").arg(&kept);
    let nothing = recipe(place.path(), "nothing", NOTHING);
    train.arg("--recipe").arg(nothing).arg("--out").arg(&out);
    let said = succeed(&mut train).stderr;
    let said = String::from_utf8(said).unwrap();
    assert!(said.contains("0 of 30 classes are known there"), "{said}");
    let begun = load_weights(&out.join("training.safetensors")).unwrap();
    for (name, values) in &weights {
        assert_eq!(&begun[name], values, "{name}");
    }
    assert!(begun.len() > weights.len());

    let mut other = flukeprint(&["train", "--data"]);
    other.arg(catalogue()).arg("--start").arg(&kept);
    let wider = recipe(place.path(), "wider", "[model]\nhead_width = 24\n");
    let output = other
        .arg("--recipe")
        .arg(wider)
        .arg("--out")
        .arg(place.path().join("none"))
        .output()
        .unwrap();
    let said = common::refusal(&output);
    assert!(
        said.contains("whales.safetensors") && said.contains("[model]"),
        "{said}"
    );
}

#[test]
fn a_run_of_another_shape_is_refused_by_the_tensor_that_differs() {
    let place = tempfile::tempdir().unwrap();
    let lines = "[model]\nhead_width = 24\n";
    let mut train = flukeprint(&["train", "--data"]);
    train.arg(catalogue()).arg("--start").arg(run_folder());
    train
        .arg("--recipe")
        .arg(recipe(place.path(), "wider", lines));
    let out = place.path().join("run");
    let output = train.arg("--out").arg(&out).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("heads.0") && said.contains("[model]"),
        "{said}"
    );
    assert!(
        fs::read_dir(place.path()).unwrap().count() == 1,
        "nothing is left behind"
    );
}

#[test]
fn training_on_all_photos_keeps_the_thresholds_and_holds_nothing_out() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("final");
    let mut train = flukeprint(&["train", "--all-of"]);
    train.arg(run_folder()).arg("--start").arg(run_folder());
    train.arg("--recipe").arg(recipe(
        place.path(),
        "short",
        "[head]\nepochs = 0\n[full]\nepochs = 1\n",
    ));
    succeed(train.arg("--out").arg(&out));
    let decision = |run: &Path| fs::read(run.join("decision.json")).unwrap();
    assert_eq!(decision(&out), decision(run_folder()));
    let split: serde_json::Value =
        serde_json::from_slice(&fs::read(out.join("split.json")).unwrap()).unwrap();
    assert!(split["tune"].as_array().unwrap().is_empty());
    let photos = fs::read_to_string(catalogue().join("train.csv"))
        .unwrap()
        .lines()
        .count()
        - 1;
    assert_eq!(split["train"].as_array().unwrap().len(), photos);

    let packed = place.path().join("bundle");
    succeed(
        flukeprint(&["export", "--run"])
            .arg(&out)
            .arg("--out")
            .arg(&packed),
    );
    let facts = |bundle: &Path| -> serde_json::Value {
        serde_json::from_slice(&fs::read(bundle.join("bundle.json")).unwrap()).unwrap()
    };
    assert_eq!(facts(&packed)["decision"], facts(bundle())["decision"]);
    let output = flukeprint(&["evaluate", "--run"])
        .arg(&out)
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
}

#[test]
fn a_finder_is_taken_over_as_it_is() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let mut train = flukeprint(&["train", "--data"]);
    train.arg(catalogue()).arg("--finder").arg(run_folder());
    let lines = format!("{NOTHING}[finder]\nepochs = 9\nbatch = 16\nrate = 1.0\n");
    train
        .arg("--recipe")
        .arg(recipe(place.path(), "taken", &lines));
    succeed(train.arg("--out").arg(&out));
    let finder = |run: &Path| load_weights(&run.join("finder.safetensors")).unwrap();
    assert_eq!(finder(&out), finder(run_folder()));

    fs::remove_file(out.join("finder.safetensors")).unwrap();
    let mut again = flukeprint(&["train", "--recipe", "tiny", "--data"]);
    again.arg(catalogue()).arg("--finder").arg(&out);
    let output = again
        .arg("--out")
        .arg(place.path().join("none"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("no fluke finder"), "{said}");
}

/// Whose photo it is does not matter to the finder.
#[test]
fn a_finder_is_trained_on_photos_that_nobody_named() {
    let somebody = copy(catalogue());
    let table = somebody.path().join("train.csv");
    let rows = fs::read_to_string(&table).unwrap();
    let photos = rows
        .lines()
        .skip(1)
        .map(|row| row.split(',').next().unwrap());
    let rows: String = photos.map(|photo| format!("{photo},somebody\n")).collect();
    fs::write(&table, format!("Image,Id\n{rows}")).unwrap();
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let train = |lines: &str| {
        let mut train = flukeprint(&["train", "--data"]);
        train.arg(somebody.path()).arg("--recipe");
        train.arg(recipe(place.path(), "finder", lines));
        train.arg("--out").arg(&out).output().unwrap()
    };
    let said = String::from_utf8(train("").stderr).unwrap();
    assert!(said.contains("one whale only, `somebody`"), "{said}");
    let output = train(NOTHING);
    assert!(output.status.success(), "{output:?}");
    assert!(out.join("finder.safetensors").exists());
}
