//! Answers verified by local features, through the real command.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use common::evidence::{export, individuals, known_photo, with_keypoints};
use common::{bundle, catalogue, copy, file_name, flukeprint, photos_of, refused, succeed};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The gallery's photos were looked at in these boxes too.
fn identify(bundle: &Path, photo: &Path) -> Command {
    let mut command = flukeprint(&["identify", "--verify", "--boxes"]);
    command.arg(catalogue().join("bounding_boxes.csv"));
    command.arg("--bundle").arg(bundle).arg(photo);
    command
}

fn answer(bundle: &Path, photo: &Path) -> Value {
    let output = succeed(identify(bundle, photo).arg("--json"));
    let answers: Value = serde_json::from_slice(&output.stdout).unwrap();
    answers["photos"][0].clone()
}

#[test]
fn a_photo_of_the_gallery_is_found_to_be_the_same_photo() {
    let photo = known_photo();
    let answer = answer(with_keypoints(), &photo);
    let first = &answer["candidates"][0];
    let evidence = &first["evidence"];
    assert_eq!(first["nearest_photo"], file_name(&photo).as_str());
    assert_eq!(evidence["photo"], first["nearest_photo"]);
    assert_eq!(evidence["duplicate"], true, "{answer:#}");
    assert!(evidence["inliers"].as_u64() <= evidence["matches"].as_u64());
    assert!(evidence["probability"].as_f64().unwrap() <= 1.0);
    assert_eq!(answer["not_compared"], Value::Null);
    let stages = answer["stages"].as_array().unwrap();
    assert_eq!(stages.last().unwrap()["name"], "verify");

    let text = succeed(&mut identify(with_keypoints(), &photo)).stdout;
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("the same photo as"), "{text}");
    assert!(text.contains(" inliers"), "{text}");
}

#[test]
fn what_speaks_for_a_photo_speaks_for_its_encounter() {
    let season = tempfile::tempdir().unwrap();
    let known = known_photo();
    let others = photos_of(&catalogue().join("test"));
    let others = &others[..2];
    let table = season.path().join("encounters.csv");
    let name = |path: &Path| file_name(path);
    let rows = [
        (&known, "alone"),
        (&others[0], "pair"),
        (&others[1], "pair"),
    ];
    let rows = rows.map(|(photo, encounter)| format!("{},{encounter}\n", name(photo)));
    fs::write(&table, format!("Image,Encounter\n{}", rows.concat())).unwrap();
    let answers = |how: &[&str]| -> Value {
        let mut command = flukeprint(&["identify", "--json", "--boxes"]);
        command.arg(catalogue().join("bounding_boxes.csv"));
        command.args(how).arg("--encounters").arg(&table);
        command
            .arg("--bundle")
            .arg(with_keypoints())
            .arg(&known)
            .args(others);
        serde_json::from_slice(&succeed(&mut command).stdout).unwrap()
    };
    let without = answers(&[]);
    for how in ["--verify", "--search"] {
        let with = answers(&[how]);
        let (photo, alone) = (&with["photos"][0], &with["encounters"][0]);
        // Of one photo it is the photo's answer, which says more than the networks do.
        for part in ["new_probability", "verdict"] {
            assert_eq!(alone[part], photo[part], "{how}");
        }
        let names = |answer: &Value| -> Vec<Value> {
            let candidates = answer["candidates"].as_array().unwrap().iter();
            candidates.map(|one| one["name"].clone()).collect()
        };
        assert_eq!(names(alone), names(photo));
        for (with, without) in
            [0, 1].map(|one| (&with["encounters"][one], &without["encounters"][one]))
        {
            assert_eq!(with["answered"], without["answered"]);
            assert_ne!(with["new_probability"], without["new_probability"], "{how}");
        }
    }
}

#[test]
fn a_keypoint_file_has_at_most_48_kib_and_is_called_by_its_hash() {
    let individuals = individuals(with_keypoints());
    for photo in individuals["photos"].as_array().unwrap() {
        let entry = &photo["keypoints"];
        let path = entry["path"].as_str().unwrap();
        let size = fs::metadata(with_keypoints().join(path)).unwrap().len();
        assert_eq!(entry["bytes"], size);
        assert!(size <= 48 * 1024);
        let hash = &entry["sha256"].as_str().unwrap()[..16];
        assert_eq!(path, format!("keypoints/{hash}.keypoints"));
    }
}

#[test]
fn a_damaged_and_a_missing_file_leave_the_answer_and_are_named() {
    let spoilt = copy(with_keypoints());
    let photo = known_photo();
    let before = answer(spoilt.path(), &photo);
    let individuals = individuals(spoilt.path());
    let rows = individuals["photos"].as_array().unwrap();
    let path_of = |file: &Value| {
        let row = rows.iter().find(|row| row["file"] == *file).unwrap();
        spoilt
            .path()
            .join(row["keypoints"]["path"].as_str().unwrap())
    };
    let compared: Vec<&Value> = before["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|candidate| candidate.get("evidence"))
        .map(|evidence| &evidence["photo"])
        .collect();
    assert!(compared.len() >= 2, "{before:#}");
    let (damaged, gone) = (compared[0], compared[1]);
    let mut bytes = fs::read(path_of(damaged)).unwrap();
    bytes[30] ^= 1;
    fs::write(path_of(damaged), bytes).unwrap();
    fs::remove_file(path_of(gone)).unwrap();

    let after = answer(spoilt.path(), &photo);
    assert_eq!(
        after["candidates"].as_array().unwrap().len(),
        before["candidates"].as_array().unwrap().len()
    );
    let missing = after["not_compared"].as_array().unwrap();
    let reason = |file: &Value| {
        let one = missing.iter().find(|one| one["photo"] == *file);
        one.unwrap()["reason"].as_str().unwrap().to_owned()
    };
    assert!(reason(damaged).contains("SHA-256"), "{}", reason(damaged));
    assert!(reason(gone).contains("keypoints/"), "{}", reason(gone));
    let text = String::from_utf8(succeed(&mut identify(spoilt.path(), &photo)).stdout).unwrap();
    assert!(text.contains("not compared with"), "{text}");

    // Without any of them the answer is the one that is not verified.
    fs::remove_dir_all(spoilt.path().join("keypoints")).unwrap();
    let after = answer(spoilt.path(), &photo);
    let mut plain = flukeprint(&["identify", "--json", "--boxes"]);
    plain.arg(catalogue().join("bounding_boxes.csv"));
    let plain = succeed(plain.arg("--bundle").arg(spoilt.path()).arg(&photo)).stdout;
    let plain: Value = serde_json::from_slice(&plain).unwrap();
    assert_eq!(after["candidates"], plain["photos"][0]["candidates"]);
}

#[test]
fn a_bundle_without_keypoints_says_what_to_do() {
    let refusal = refused(&mut identify(bundle(), &known_photo()));
    assert!(refusal.contains("--keypoints"), "{refusal}");
}

#[test]
fn a_run_that_is_tuned_anew_needs_its_evidence_tuned_anew() {
    let run = copy(with_keypoints().parent().unwrap());
    let path = run.path().join("decision.json");
    let mut decision: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    decision["temperature"] = (decision["temperature"].as_f64().unwrap() / 2.0).into();
    fs::write(&path, decision.to_string()).unwrap();
    let out = tempfile::tempdir().unwrap();
    let refusal = refused(&mut export(run.path(), &out.path().join("bundle")));
    assert!(refusal.contains("tune --evidence"), "{refusal}");
}

#[test]
fn an_enrolled_photo_gets_keypoints_and_undo_takes_them_away() {
    fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
        let entries = fs::read_dir(folder).unwrap().map(|one| one.unwrap().path());
        let files = entries.flat_map(|path| match path.is_dir() {
            true => contents(&path).into_iter().collect::<Vec<_>>(),
            false => vec![(path.clone(), fs::read(path).unwrap())],
        });
        files.collect()
    }
    let grown = copy(with_keypoints());
    let before = contents(grown.path());
    let photo = &photos_of(&catalogue().join("test"))[0];
    let mut enroll = flukeprint(&["enroll", "--date", "2026-02-03", "--individual", "Nora"]);
    succeed(enroll.arg("--bundle").arg(grown.path()).arg(photo));
    let rows = individuals(grown.path());
    let newest = rows["photos"].as_array().unwrap().last().unwrap();
    let path = newest["keypoints"]["path"].as_str().unwrap();
    assert!(grown.path().join(path).is_file());
    // The finder looked when it was enrolled, and looks again.
    let mut again = flukeprint(&["identify", "--verify", "--json", "--bundle"]);
    let output = succeed(again.arg(grown.path()).arg(photo));
    let answers: Value = serde_json::from_slice(&output.stdout).unwrap();
    let first = &answers["photos"][0]["candidates"][0];
    assert_eq!(first["name"], "Nora");
    assert_eq!(first["evidence"]["photo"], file_name(photo).as_str());
    // Every keypoint agrees with itself.
    assert_eq!(first["evidence"]["inliers"], first["evidence"]["matches"]);
    assert_ne!(first["evidence"]["inliers"], 0);

    let copied = tempfile::tempdir().unwrap();
    let out = copied.path().join("copy");
    let another = &photos_of(&catalogue().join("test"))[1];
    let mut enroll = flukeprint(&["enroll", "--date", "2026-02-04", "--individual", "Ann"]);
    enroll.arg("--bundle").arg(grown.path()).arg(another);
    succeed(enroll.arg("--out").arg(&out));
    assert!(out.join(path).is_file());

    succeed(flukeprint(&["undo", "--bundle"]).arg(grown.path()));
    assert!(contents(grown.path()) == before);
}
