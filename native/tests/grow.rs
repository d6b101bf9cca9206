//! A bundle in its folder grows, and is what it was when everything is taken back.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use common::{bundle, catalogue, copy, flukeprint, succeed};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

const DAY: [&str; 2] = ["--date", "2026-02-03"];

/// Every file below `folder`, by its path.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(contents(&path));
        } else {
            files.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    files
}

/// `flukeprint VERB --bundle BUNDLE`.
fn verb(verb: &str, bundle: &Path) -> Command {
    let mut command = flukeprint(&[verb, "--bundle"]);
    command.arg(bundle);
    command
}

fn json(command: &mut Command) -> Value {
    serde_json::from_slice(&succeed(command).stdout).unwrap()
}

/// The one line of a refusal, exit code 2.
fn refusal(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(output.stdout.is_empty());
    let lines = text.lines().filter(|line| line.starts_with("flukeprint: "));
    let lines: Vec<&str> = lines.collect();
    assert_eq!(lines.len(), 1, "{text}");
    text
}

/// The photos of the catalogue that no gallery holds.
fn strangers() -> Vec<PathBuf> {
    let photos = fs::read_dir(catalogue().join("test")).unwrap();
    let mut photos: Vec<PathBuf> = photos.map(|photo| photo.unwrap().path()).collect();
    photos.sort();
    photos
}

fn file(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

/// A table that gives the photos to these whales.
fn table(place: &TempDir, rows: &[(&Path, &str)]) -> PathBuf {
    let path = place.path().join("labels.csv");
    let rows = rows
        .iter()
        .map(|(photo, whale)| format!("{},{whale}\n", file(photo)));
    fs::write(&path, format!("Image,Id\n{}", rows.collect::<String>())).unwrap();
    path
}

fn enroll_table(bundle: &Path, labels: &Path) -> Command {
    let mut command = verb("enroll", bundle);
    command.args(DAY).arg("--labels").arg(labels);
    command.arg("--photos").arg(catalogue().join("test"));
    command
}

fn boxes() -> PathBuf {
    catalogue().join("bounding_boxes.csv")
}

/// The candidates for a photo that is in the gallery, of all whales, whose nearest photo it is.
fn known_by(bundle: &Path, photo: &Path) -> Vec<String> {
    let mut command = verb("identify", bundle);
    command.args(["--json", "--count", "100", "--boxes"]);
    let answer = json(command.arg(boxes()).arg(photo));
    let candidates = answer["photos"][0]["candidates"].as_array().unwrap();
    let nearest = |one: &&Value| one["nearest_photo"] == file(photo);
    let names = candidates.iter().filter(nearest);
    names
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn enrolled_whales_are_named_and_undo_gives_the_folder_back_to_the_byte() {
    let grown = copy(bundle());
    let grown = grown.path();
    let before = contents(grown);
    let photos = strangers();
    let place = tempfile::tempdir().unwrap();
    let labels = table(
        &place,
        &[
            (&photos[0], "Nora"),
            (&photos[1], "new_whale"),
            (&photos[2], "Bo"),
        ],
    );
    let report = json(
        enroll_table(grown, &labels)
            .arg("--json")
            .arg("--boxes")
            .arg(boxes()),
    );
    assert_eq!(
        (
            &report["photos"],
            &report["individuals"],
            &report["columns"]
        ),
        (&3.into(), &2.into(), &2.into())
    );
    let by_hand = verb("enroll", grown)
        .args(DAY)
        .args(["--individual", "Nora"])
        .arg(&photos[3])
        .arg("--boxes")
        .arg(boxes())
        .output()
        .unwrap();
    let told = String::from_utf8(by_hand.stdout).unwrap();
    assert!(told.contains("1 photos and 0 new individuals"), "{told}");

    for (photo, whale) in [(0, "Nora"), (3, "Nora"), (2, "Bo"), (1, "new_whale")] {
        assert_eq!(known_by(grown, &photos[photo]), [whale], "photo {photo}");
    }
    let manifest: Value =
        serde_json::from_slice(&fs::read(grown.join("bundle.json")).unwrap()).unwrap();
    let individuals = manifest["files"]["individuals"]["path"].as_str().unwrap();
    let individuals: Value =
        serde_json::from_slice(&fs::read(grown.join(individuals)).unwrap()).unwrap();
    let rows = individuals["photos"].as_array().unwrap();
    let newest = rows.last().unwrap();
    assert_eq!(newest["file"], file(&photos[3]));
    let picture = newest["thumbnail"]["path"].as_str().unwrap();
    assert!(grown.join(picture).is_file());

    succeed(verb("rename", grown).args(DAY).args(["Nora", "Nora Ann"]));
    succeed(verb("merge", grown).args(DAY).args(["Nora Ann", "Bo"]));
    assert_eq!(known_by(grown, &photos[2]), ["Nora Ann"]);
    let gone = file(&photos[0]);
    succeed(verb("remove", grown).args(DAY).args(["--photo", gone]));
    let whale = individuals["names"][0].as_str().unwrap();
    succeed(verb("remove", grown).args(DAY).arg(whale));
    // What is gone keeps its picture, for it may come back.
    assert!(grown.join(picture).is_file());
    let of_gone = rows.iter().find(|row| row["individual"] == 0).unwrap();
    assert!(
        grown
            .join(of_gone["thumbnail"]["path"].as_str().unwrap())
            .is_file()
    );

    let history = json(verb("history", grown).arg("--json"));
    assert_eq!(history.as_array().unwrap().len(), 6);
    assert_eq!(history[3]["did"]["merge"]["other"], "Bo");
    let text = String::from_utf8(succeed(&mut verb("history", grown)).stdout).unwrap();
    assert!(
        text.contains("2026-02-03  rename Nora to Nora Ann"),
        "{text}"
    );
    for _ in 0..6 {
        succeed(&mut verb("undo", grown));
    }
    assert!(contents(grown) == before);
    let message = refusal(&verb("undo", grown).output().unwrap());
    assert!(message.contains("nothing to take back"), "{message}");
}

#[test]
fn a_copy_that_grows_leaves_the_bundle_as_it_is() {
    let before = contents(bundle());
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("grown");
    let photo = &strangers()[0];
    succeed(
        verb("enroll", bundle())
            .args(["--individual", "Nora"])
            .arg(photo)
            .arg("--boxes")
            .arg(boxes())
            .arg("--out")
            .arg(&out),
    );
    assert!(contents(bundle()) == before);
    assert_eq!(known_by(&out, photo), ["Nora"]);
    // Everything is there, and nothing else.
    succeed(&mut verb("undo", &out));
    let names = |files: BTreeMap<PathBuf, Vec<u8>>, root: &Path| -> BTreeMap<PathBuf, Vec<u8>> {
        let relative = |path: PathBuf| path.strip_prefix(root).unwrap().to_owned();
        files
            .into_iter()
            .map(|(path, bytes)| (relative(path), bytes))
            .collect()
    };
    assert!(names(contents(&out), &out) == names(before, bundle()));
}

#[test]
fn what_cannot_be_enrolled_is_named_and_nothing_is_half_done() {
    let grown = copy(bundle());
    let grown = grown.path();
    let photos = strangers();
    let place = tempfile::tempdir().unwrap();
    let refuses = |command: &mut Command, words: &[&str]| {
        let before = contents(grown);
        let message = refusal(&command.output().unwrap());
        for word in words {
            assert!(message.contains(word), "{word:?} is not in: {message}");
        }
        assert!(contents(grown) == before, "something was half done");
    };
    // A picture that is spoilt in the middle shows when it is decoded.
    let spoilt = ["spoilt_1.jpg", "spoilt_2.jpg"].map(|name| place.path().join(name));
    for (spoilt, photo) in spoilt.iter().zip(&photos) {
        let mut bytes = fs::read(photo).unwrap();
        bytes.truncate(bytes.len() / 2);
        fs::write(spoilt, bytes).unwrap();
    }
    let by_hand = |name: &str, photos: &[&PathBuf]| {
        let mut command = verb("enroll", grown);
        command.args(["--individual", name]).args(photos);
        command
    };
    refuses(
        &mut by_hand("Nora", &[&photos[0], &spoilt[0], &spoilt[1]]),
        &[
            "spoilt_1.jpg",
            "spoilt_2.jpg",
            "2 of 3 photos",
            "nothing was enrolled",
        ],
    );
    refuses(
        &mut by_hand("Nora", &[&photos[0], &spoilt[0]]),
        &["spoilt_1.jpg"],
    );
    refuses(&mut by_hand("new_whale", &[&photos[0]]), &["new_whale"]);
    let again = place.path().join("again.jpg");
    fs::copy(&photos[0], &again).unwrap();
    refuses(
        &mut by_hand("Nora", &[&photos[0], &again]),
        &["again.jpg", "same picture", file(&photos[0])],
    );
    let first_row = fs::read_to_string(catalogue().join("train.csv")).unwrap();
    let known = first_row.lines().nth(1).unwrap().split(',').next().unwrap();
    let known = catalogue().join("train").join(known);
    refuses(
        by_hand("Nora", &[&known]).arg("--boxes").arg(boxes()),
        &["is in the bundle already"],
    );
    fs::write(place.path().join("empty.csv"), "Image,Id\n").unwrap();
    refuses(
        &mut enroll_table(grown, &place.path().join("empty.csv")),
        &["lists no photo"],
    );
    let missing = table(&place, &[(Path::new("no such.jpg"), "Nora")]);
    refuses(
        &mut enroll_table(grown, &missing),
        &["no such.jpg", "is missing"],
    );
    refuses(
        verb("merge", grown).args(["Nora", "Bo"]),
        &["no individual `Nora`"],
    );
    refuses(
        verb("rename", grown).args(["Nora", "Bo"]),
        &["no individual `Nora`"],
    );
    refuses(verb("remove", grown).arg("Nora"), &["no individual `Nora`"]);
    refuses(
        verb("remove", grown).args(["--photo", "no.jpg"]),
        &["no photo `no.jpg`"],
    );

    // Names alone, and whales without one alone, will do.
    let nameless = table(&place, &[(&photos[4], "new_whale")]);
    succeed(&mut enroll_table(grown, &nameless));
}

#[test]
fn files_of_others_stay_in_the_folder_and_left_ones_of_the_bundle_go() {
    let grown = copy(bundle());
    let grown = grown.path();
    fs::write(grown.join("MODEL_CARD.md"), "mine").unwrap();
    let left = grown.join("index.0123456789abcdef.safetensors");
    fs::write(&left, "of a process that was killed").unwrap();
    succeed(
        verb("enroll", grown)
            .args(["--individual", "Nora"])
            .arg(&strangers()[0]),
    );
    assert!(grown.join("MODEL_CARD.md").is_file());
    assert!(!left.exists());
    let files = fs::read_dir(grown).unwrap().count();
    // bundle.json, weights, index, individuals, journal, thumbnails and the card.
    assert_eq!(files, 7);
}
