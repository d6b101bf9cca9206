//! A bundle's network, taken as it is for a catalogue.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use common::{bundle, catalogue, copy, flukeprint, refused, run_folder, succeed};
use flukeprint_core::bundle::weights;
use flukeprint_core::model::named::Named;
use serde_json::Value;
use std::fs;
use std::path::Path;

fn facts(bundle: &Path) -> Value {
    serde_json::from_slice(&fs::read(bundle.join("bundle.json")).unwrap()).unwrap()
}

/// Backbone, heads and finder; the classifier knows other whales.
fn networks(bundle: &Path) -> Named {
    let file = facts(bundle)["files"]["weights"]["path"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut named = weights::decode(&file, &fs::read(bundle.join(&file)).unwrap()).unwrap();
    named.retain(|name, _| !name.starts_with("total."));
    named
}

/// Tunes a run and packs it beside it.
fn packed(run: &Path) -> std::path::PathBuf {
    let out = run.with_extension("bundle");
    succeed(flukeprint(&["tune", "--run"]).arg(run));
    succeed(
        flukeprint(&["export", "--run"])
            .arg(run)
            .arg("--out")
            .arg(&out),
    );
    out
}

/// What it says of a photo is what the first bundle says, so the whole way round changes nothing: unfolded, expanded from 8
/// bits and packed again.
#[test]
fn a_bundles_network_and_finder_come_out_as_they_went_in() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("kept");
    let mut train = flukeprint(&["train", "--data"]);
    train.arg(catalogue()).arg("--start").arg(bundle());
    let said = String::from_utf8(succeed(train.arg("--out").arg(&out)).stderr).unwrap();
    assert!(said.contains("as it is"), "{said}");
    let again = packed(&out);
    let (before, after) = (networks(bundle()), networks(&again));
    assert!(before.keys().any(|name| name.starts_with("finder.")));
    assert_eq!(
        before.keys().collect::<Vec<_>>(),
        after.keys().collect::<Vec<_>>()
    );
    for (name, values) in &before {
        for (a, b) in values.values.iter().zip(&after[name].values) {
            assert!((a - b).abs() <= a.abs() * 1e-6, "{name}: {a} {b}");
        }
    }
    let (before, after) = (facts(bundle()), facts(&again));
    assert_eq!(after["preprocessing"], before["preprocessing"]);
    assert_eq!(after["model"]["embedder"], before["model"]["embedder"]);
    assert_eq!(after["model"]["finder"], before["model"]["finder"]);
    assert_eq!(
        after["model"]["start_sha256"],
        before["files"]["weights"]["sha256"]
    );
    assert_eq!(
        before["model"]["start_sha256"],
        Value::Null,
        "`tiny` begins with chance"
    );
}

#[test]
fn its_finder_can_be_taken_alone() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let recipe = place.path().join("nothing.toml");
    let text = "base = \"tiny\"\nname = \"nothing\"\n[head]\nepochs = 0\n[full]\nepochs = 0\n";
    fs::write(&recipe, text).unwrap();
    let mut train = flukeprint(&["train", "--data"]);
    train
        .arg(catalogue())
        .arg("--start")
        .arg(run_folder())
        .arg("--finder")
        .arg(bundle());
    succeed(train.arg("--recipe").arg(&recipe).arg("--out").arg(&out));
    let finder = |bundle: &Path| -> Named {
        let mut named = networks(bundle);
        named.retain(|name, _| name.starts_with("finder."));
        named
    };
    let (before, after) = (finder(bundle()), finder(&packed(&out)));
    assert!(!before.is_empty());
    for (name, values) in &before {
        for (a, b) in values.values.iter().zip(&after[name].values) {
            assert!((a - b).abs() <= a.abs() * 1e-6, "{name}: {a} {b}");
        }
    }
}

#[test]
fn what_cannot_be_done_with_a_bundle_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let refuse = |start: &Path, more: &[&str]| {
        let mut train = flukeprint(&["train", "--data"]);
        train.arg(catalogue()).arg("--start").arg(start).args(more);
        let line = refused(train.arg("--out").arg(&out));
        assert!(
            !out.exists() && !out.with_extension("unfinished").exists(),
            "{line}"
        );
        line
    };
    // Batch norms that are folded in cannot learn.
    let line = refuse(bundle(), &["--recipe", "tiny"]);
    assert!(line.contains("can only be taken as it is"), "{line}");
    let spoiled = copy(bundle());
    let file = facts(bundle())["files"]["weights"]["path"]
        .as_str()
        .unwrap()
        .to_owned();
    fs::write(spoiled.path().join(&file), b"rubbish").unwrap();
    let line = refuse(spoiled.path(), &[]);
    assert!(
        line.contains(&file) && line.contains("copy the bundle again"),
        "{line}"
    );
}

/// A recipe without a finder's epochs names a finder that nobody trained.
#[test]
fn a_finder_of_no_epochs_must_be_taken_from_somewhere() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("kept");
    let mut train = flukeprint(&["train", "--data"]);
    train.arg(catalogue()).arg("--start").arg(bundle());
    succeed(train.arg("--out").arg(&out));
    succeed(flukeprint(&["tune", "--run"]).arg(&out));
    let mut all = flukeprint(&["train", "--all-of"]);
    all.arg(&out).arg("--start").arg(&out);
    let line = refused(all.arg("--out").arg(place.path().join("all")));
    assert!(line.contains("--finder"), "{line}");
    // Nor can what was taken from a bundle be trained a run later.
    let mut on = flukeprint(&["train", "--recipe", "tiny", "--data"]);
    on.arg(catalogue()).arg("--start").arg(&out);
    let line = refused(on.arg("--out").arg(place.path().join("on")));
    assert!(line.contains("can only be taken as it is"), "{line}");
    succeed(all.arg("--finder").arg(&out));
}
