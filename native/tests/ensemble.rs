//! Ensembles, through the real command.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use burn::tensor::Device;
use common::{bundle, catalogue, copy, flukeprint, refused, run_folder, succeed};
use flukeprint::data::Boxes;
use flukeprint::export::open_bundle;
use flukeprint_core::decision::{Query, decide};
use flukeprint_core::identify::{Embedding, Identifier};
use flukeprint_core::photo::{Photo, Region};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn ensemble(runs: &[&Path], out: &Path, words: &[&str]) -> Command {
    let mut command = flukeprint(&["ensemble", "--runs"]);
    command.args(runs).arg("--out").arg(out).args(words);
    command
}

fn export(what: &str, from: &Path, out: &Path) -> Command {
    let mut command = flukeprint(&["export", "--no-thumbnails", "--date", "2026-01-01", what]);
    command.arg(from).arg("--out").arg(out);
    command
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn edit(path: &Path, change: impl Fn(String) -> String) {
    let before = fs::read_to_string(path).unwrap();
    let after = change(before.clone());
    assert_ne!(before, after, "nothing to change in {}", path.display());
    fs::write(path, after).unwrap();
}

/// The one line that a command refuses with, exit code 2.
fn refusal(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    let mut lines = text.lines().filter(|line| line.starts_with("flukeprint: "));
    lines.next().unwrap().to_owned()
}

/// A run and its bundle that differ from the common ones in network and input.
fn train_another(place: &Path) -> (PathBuf, PathBuf) {
    let at = |name: &str| place.join(name);
    let recipe = "base = \"tiny\"\nname = \"other\"\n\n[input]\nheight = 48\nwidth = 80\n\n\
                  [model]\nhead_width = 8\n";
    fs::write(at("other.toml"), recipe).unwrap();
    let mut train = flukeprint(&["train", "--data"]);
    train.arg(catalogue()).arg("--recipe").arg(at("other.toml"));
    succeed(train.arg("--out").arg(at("other")));
    succeed(flukeprint(&["tune", "--run"]).arg(at("other")));
    succeed(&mut export("--run", &at("other"), &at("other-bundle")));
    (at("other"), at("other-bundle"))
}

fn embed(identifier: &Identifier, photo: &Photo, region: Option<Region>) -> (Region, Embedding) {
    let embedded = identifier.embed_photo(photo, region, |_| ());
    let (region, _, embedding) = pollster::block_on(embedded).unwrap();
    (region, embedding)
}

/// Unit features side by side over the root of two, and the mean of the logits.
fn by_hand(members: [Embedding; 2]) -> Embedding {
    let feature = members.iter().flat_map(|one| {
        let length = one.feature.iter().map(|v| v * v).sum::<f32>().sqrt();
        one.feature.iter().map(move |v| v / length / 2f32.sqrt())
    });
    let logits = members[0].logits.iter().zip(&members[1].logits);
    Embedding {
        feature: feature.collect(),
        logits: logits.map(|(a, b)| (a + b) / 2.0).collect(),
        edges: Vec::new(),
    }
}

#[test]
fn runs_with_other_inputs_become_one_bundle_that_answers_for_both() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let (other, other_bundle) = train_another(place.path());
    let runs = [run_folder(), other.as_path()];
    let report = json(&succeed(&mut ensemble(
        &runs,
        &at("both"),
        &["--all", "--json"],
    )));
    assert_eq!(report["members"], serde_json::json!([1, 2]));
    assert_eq!(report["runs"].as_array().unwrap().len(), 2);
    assert_eq!(report["rows"][5]["map5"], report["steps"][0]["row"]["map5"]);
    let evaluated = json(&succeed(
        flukeprint(&["evaluate", "--json", "--run"]).arg(&other),
    ));
    assert_eq!(
        report["runs"][1]["row"]["map5"],
        evaluated["rows"][5]["map5"]
    );

    succeed(&mut export("--ensemble", &at("both"), &at("bundle")));
    let open = |folder: &Path| open_bundle(folder, &Device::flex()).unwrap();
    let (together, members) = (open(&at("bundle")), [bundle(), &other_bundle].map(open));
    assert_eq!(together.manifest().members().len(), 2);
    pollster::block_on(together.self_check()).unwrap();

    let path = fs::read_dir(catalogue().join("test")).unwrap().next();
    let path = path.unwrap().unwrap().path();
    let photo = Photo::decode(&fs::read(&path).unwrap()).unwrap();
    let (region, first) = embed(&members[0], &photo, None);
    let expected = by_hand([first, embed(&members[1], &photo, Some(region)).1]);
    let query = Query {
        feature: &expected.feature,
        logits: &expected.logits,
    };
    let decision = together.manifest().decision;
    let expected = decide(
        &query,
        together.gallery(),
        &decision,
        &Default::default(),
        5,
    )
    .unwrap();
    let mut identify = flukeprint(&["identify", "--json", "--bundle"]);
    let answer = json(&succeed(identify.arg(at("bundle")).arg(&path)));
    let found = answer["photos"][0]["candidates"].as_array().unwrap();
    assert_eq!(found.len(), 5);
    for (found, expected) in found.iter().zip(&expected.candidates) {
        assert_eq!(found["name"], together.name(expected.label));
        let score = found["score"].as_f64().unwrap();
        assert!((score - f64::from(expected.score)).abs() < 1e-4, "{found}");
    }
    gallery_is_fused(&together);
    is_searched(&at("both"), &at("searched"));
}

/// How votes count is tuned for the members' scores together, and kept with the ensemble.
fn is_searched(folder: &Path, out: &Path) {
    let mut export = export("--ensemble", folder, out);
    let refusal = refused(export.arg("--keypoints"));
    assert!(refusal.contains("tune --evidence"), "{refusal}");
    succeed(flukeprint(&["tune", "--evidence", "--ensemble"]).arg(folder));
    succeed(&mut export);
    let searched = open_bundle(out, &Device::flex()).unwrap();
    let mut photos = searched.photos().iter();
    let entry = &photos
        .find(|photo| photo.individual.is_some())
        .unwrap()
        .file;
    let mut identify = flukeprint(&["identify", "--search", "--json", "--boxes"]);
    identify
        .arg(catalogue().join("bounding_boxes.csv"))
        .arg("--bundle");
    let answer = json(&succeed(
        identify.arg(out).arg(catalogue().join("train").join(entry)),
    ));
    let first = &answer["photos"][0]["candidates"][0];
    assert_eq!(first["evidence"]["photo"], entry.as_str());
    assert_eq!(first["evidence"]["duplicate"], true);

    let evaluate = flukeprint(&["evaluate", "--evidence", "--json", "--ensemble"])
        .arg(folder)
        .output();
    let report: Value = serde_json::from_slice(&evaluate.unwrap().stdout).unwrap();
    let manifest: Value =
        serde_json::from_slice(&fs::read(out.join("bundle.json")).unwrap()).unwrap();
    assert_eq!(
        manifest["evidence"]["search"]["parameters"],
        report["search"]
    );
}

/// A photo of the catalogue, with its box, is nearest to itself.
fn gallery_is_fused(identifier: &Identifier) {
    let boxes = Boxes::read(&catalogue().join("bounding_boxes.csv")).unwrap();
    for (row, entry) in identifier.photos().iter().enumerate().step_by(17) {
        let path = catalogue().join("train").join(&entry.file);
        let photo = Photo::decode(&fs::read(path).unwrap()).unwrap();
        let region = boxes.region(&entry.file);
        assert!(region.is_some(), "{} has no box", entry.file);
        let feature = embed(identifier, &photo, region).1.feature;
        let nearest = identifier.gallery().nearest_per_label(&feature).unwrap();
        let nearest = nearest.into_iter().flatten();
        let nearest = nearest
            .min_by(|a, b| a.distance.total_cmp(&b.distance))
            .unwrap();
        assert_eq!(nearest.row as usize, row, "{}", entry.file);
        assert!(nearest.distance < 0.05, "{}", nearest.distance);
    }
}

#[test]
fn the_same_run_twice_helps_nothing_and_is_exported_as_it_is_alone() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let twin = copy(run_folder());
    let output = succeed(&mut ensemble(&[run_folder(), twin.path()], &at("one"), &[]));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("Nothing helps") && text.contains("The ensemble is run 1 alone"),
        "{text}"
    );
    succeed(&mut export(
        "--ensemble",
        &at("one"),
        &at("ensemble-bundle"),
    ));
    succeed(&mut export("--run", run_folder(), &at("run-bundle")));
    let contents = |name: &str| {
        let entries = fs::read_dir(at(name)).unwrap().map(|entry| entry.unwrap());
        let read = |entry: fs::DirEntry| (entry.file_name(), fs::read(entry.path()).unwrap());
        let mut files: Vec<_> = entries.map(read).collect();
        files.sort();
        files
    };
    assert_eq!(contents("run-bundle").len(), 4);
    assert!(contents("ensemble-bundle") == contents("run-bundle"));
}

#[test]
fn runs_that_do_not_belong_together_are_refused_by_name() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("ensemble");
    let refuse = |run: &Path, words: &[&str]| {
        let line = refusal(&mut ensemble(&[run_folder(), run], &out, &[]));
        for word in words.iter().chain([&run.to_str().unwrap()]) {
            assert!(line.contains(word), "{word:?} is not in: {line}");
        }
        assert!(!out.exists());
    };
    refuse(run_folder(), &["named twice"]);
    let other_split = copy(run_folder());
    edit(&other_split.path().join("split.json"), |text| {
        let text = text.replace("\"tune\"", "\"was tune\"");
        let text = text.replace("\"report\"", "\"tune\"");
        text.replace("\"was tune\"", "\"report\"")
    });
    refuse(other_split.path(), &["holds other photos out", "same seed"]);
    let other_data = copy(run_folder());
    edit(&other_data.path().join("facts.json"), |text| {
        text.replace("\"data_sha256\": \"", "\"data_sha256\": \"0")
    });
    refuse(other_data.path(), &["other photos, labels or boxes"]);
    let wider = copy(run_folder());
    edit(&wider.path().join("recipe.toml"), |text| {
        text.replace("head_width = 16", "head_width = 24")
    });
    let mut average = ensemble(&[run_folder(), wider.path()], &out, &["--fuse", "average"]);
    let line = refusal(&mut average);
    assert!(
        line.contains(wider.path().to_str().unwrap()) && line.contains("96 values"),
        "{line}"
    );
}

#[test]
fn a_folder_or_a_member_that_is_not_what_it_was_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    let twin = copy(run_folder());
    let runs = [run_folder(), twin.path()];
    fs::create_dir(at("photos")).unwrap();
    fs::write(at("photos/mine.jpg"), "precious").unwrap();
    let line = refusal(&mut ensemble(&runs, &at("photos"), &[]));
    assert!(line.contains("is there already"), "{line}");
    assert!(at("photos/mine.jpg").exists());

    succeed(&mut ensemble(
        &runs,
        &at("two"),
        &["--all", "--fuse", "average"],
    ));
    edit(&twin.path().join("recipe.toml"), |text| {
        text.replace("margin = 0.1", "margin = 0.2")
    });
    let line = refusal(&mut export("--ensemble", &at("two"), &at("bundle")));
    assert!(
        line.contains(twin.path().to_str().unwrap()) && line.contains("another recipe"),
        "{line}"
    );
    edit(&at("two/ensemble.json"), |text| {
        text.replace("\"fuse\"", "\"fuze\"")
    });
    let line = refusal(&mut export("--ensemble", &at("two"), &at("bundle")));
    assert!(
        line.contains("ensemble.json") && line.contains("fuze"),
        "{line}"
    );
    assert!(!at("bundle").exists());
}
