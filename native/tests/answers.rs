//! A folder to a table, and encounters, through the real command.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use common::{
    bundle, catalogue, copy, file_name, flukeprint, photos_of, refused, season, succeed, table,
};
use serde_json::Value;
use std::fs;
use std::process::{Command, Output};

fn identify(words: &[&str]) -> Command {
    let mut command = flukeprint(&["identify", "--bundle"]);
    command.arg(bundle()).args(words);
    command
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_folder_becomes_a_table_that_says_how_it_was_made_and_is_the_same_again() {
    let season = season();
    let place = tempfile::tempdir().unwrap();
    let sheet = |name: &str| place.path().join(name);
    let answers = |csv: &str| {
        let mut command = identify(&["--json", "--csv"]);
        let output = succeed(command.arg(sheet(csv)).arg(season.path()));
        let mut answers = json(&output);
        assert!(answers["time"]["seconds"].as_f64().unwrap() > 0.0);
        answers["time"].take();
        for photo in answers["photos"].as_array_mut().unwrap() {
            assert!(!photo["stages"].as_array().unwrap().is_empty());
            photo["stages"].take();
        }
        answers
    };
    let first = answers("first.csv");
    assert_eq!(first, answers("second.csv"));
    assert_eq!(
        fs::read(sheet("first.csv")).unwrap(),
        fs::read(sheet("second.csv")).unwrap()
    );

    assert_eq!(first["program"], "flukeprint");
    assert_eq!(first["program_version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(first["individuals"], 30);
    assert_eq!(first["other_files"], 1);
    let manifest = fs::read(bundle().join("bundle.json")).unwrap();
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    assert_eq!(
        first["model_sha256"],
        manifest["files"]["weights"]["sha256"]
    );
    assert_eq!(first["index_sha256"], manifest["files"]["index"]["sha256"]);
    assert_eq!(first["decision"], manifest["decision"]);
    assert_eq!(first["catalogue_filters"], manifest["catalogue"]["filters"]);

    let rows = table(&sheet("first.csv"));
    let photos = first["photos"].as_array().unwrap();
    assert_eq!((rows.len(), photos.len()), (6, 6));
    for (row, photo) in rows.iter().zip(photos) {
        assert_eq!(row["kind"], "photo");
        assert_eq!(row["photo"], photo["photo"].as_str().unwrap());
        assert_eq!(row["error"], "");
        for place in 1..=5 {
            let candidate = &photo["candidates"][place - 1];
            assert_eq!(
                row[&format!("name_{place}")],
                candidate["name"].as_str().unwrap()
            );
            let probability: f64 = row[&format!("probability_{place}")].parse().unwrap();
            assert!((probability - candidate["probability"].as_f64().unwrap()).abs() < 1e-6);
        }
    }
    assert!(rows.last().unwrap()["photo"].contains("later"));
}

#[test]
fn a_photo_without_an_answer_has_a_row_that_says_why_and_the_others_have_theirs() {
    let season = season();
    fs::write(season.path().join("broken.jpg"), "no photo").unwrap();
    let sheet = season.path().join("answers.csv");
    let mut command = identify(&["--csv"]);
    let output = command.arg(&sheet).arg(season.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("1 of 7 photos"));
    let rows = table(&sheet);
    let (broken, good): (Vec<_>, Vec<_>) = rows
        .iter()
        .partition(|row| row["photo"].ends_with("broken.jpg"));
    assert_eq!((broken.len(), good.len()), (1, 6));
    assert!(
        broken[0]["error"].contains("not a photo"),
        "{:?}",
        broken[0]
    );
    assert_eq!(
        (&broken[0]["name_1"][..], &broken[0]["answered"][..]),
        ("", "0")
    );
    assert!(
        good.iter()
            .all(|row| row["error"].is_empty() && !row["name_5"].is_empty())
    );
}

#[test]
fn an_encounter_gets_one_answer_and_one_photo_the_photos_own() {
    let season = season();
    let photos = photos_of(season.path());
    let photos: Vec<String> = photos.iter().map(|path| file_name(path)).collect();
    fs::write(season.path().join("broken.jpg"), "no photo").unwrap();
    let encounters = season.path().join("encounters.csv");
    let rows = [
        (&photos[0], "alone"),
        (&photos[1], "pair"),
        (&photos[2], "pair"),
        (&photos[3], "with a broken one"),
        (&"broken.jpg".to_owned(), "with a broken one"),
    ];
    let rows = rows.map(|(photo, encounter)| format!("{photo},{encounter}\n"));
    fs::write(&encounters, format!("Image,Encounter\n{}", rows.concat())).unwrap();
    let sheet = season.path().join("answers.csv");
    let mut command = identify(&["--json", "--encounters"]);
    command.arg(&encounters).arg("--csv").arg(&sheet);
    let output = command.arg(season.path()).output().unwrap();
    let answers = json(&output);
    let found = answers["encounters"].as_array().unwrap();
    let names: Vec<&str> = found
        .iter()
        .map(|one| one["encounter"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["alone", "pair", "with a broken one"]);
    let candidates_of = |photo: &str| {
        let mut all = answers["photos"].as_array().unwrap().iter();
        let row = all.find(|row| row["photo"].as_str().unwrap().ends_with(photo));
        row.unwrap()["candidates"].clone()
    };
    assert_eq!(found[0]["candidates"], candidates_of(&photos[0]));
    assert_eq!(found[2]["candidates"], candidates_of(&photos[3]));
    assert_eq!(
        (
            &found[2]["answered"],
            found[2]["photos"].as_array().unwrap().len()
        ),
        (&1.into(), 2)
    );
    assert_eq!(found[1]["candidates"].as_array().unwrap().len(), 5);

    let rows = table(&sheet);
    let of_kind = |kind: &str| rows.iter().filter(|row| row["kind"] == kind).count();
    assert_eq!((of_kind("photo"), of_kind("encounter")), (7, 3));
    let pair: Vec<&str> = rows
        .iter()
        .filter(|row| row["encounter"] == "pair")
        .map(|row| row["kind"].as_str())
        .collect();
    assert_eq!(pair, ["photo", "photo", "encounter"]);
}

#[test]
fn what_cannot_be_answered_is_refused_before_anything_is_computed() {
    let season = season();
    let empty = tempfile::tempdir().unwrap();
    let line = refused(identify(&[]).arg(empty.path()));
    assert!(
        line.contains(empty.path().to_str().unwrap()) && line.contains("no photo"),
        "{line}"
    );

    let line = refused(identify(&["--count", "0"]).arg(season.path()));
    assert!(line.contains("--count"), "{line}");

    // Two photos of one name, and a table that means either.
    let photo = &photos_of(season.path())[0];
    fs::copy(photo, season.path().join("later").join(file_name(photo))).unwrap();
    let other = tempfile::tempdir().unwrap();
    fs::rename(photo, other.path().join(file_name(photo))).unwrap();
    let twice = season.path().join("twice");
    fs::create_dir(&twice).unwrap();
    fs::copy(
        other.path().join(file_name(photo)),
        twice.join(file_name(photo)),
    )
    .unwrap();
    let encounters = season.path().join("encounters.csv");
    fs::write(
        &encounters,
        format!("Image,Encounter\n{},noon\n", file_name(photo)),
    )
    .unwrap();
    let line = refused(
        identify(&["--encounters"])
            .arg(&encounters)
            .arg(season.path()),
    );
    assert!(line.contains("twice") && line.contains("later"), "{line}");
}

#[test]
fn encounters_are_measured_on_labelled_photos_of_a_folder() {
    let labels = catalogue().join("train.csv");
    let mut command = flukeprint(&["evaluate", "--encounters", "--json", "--bundle"]);
    command.arg(bundle()).arg("--labels").arg(&labels);
    let report = json(&succeed(
        command.arg("--photos").arg(catalogue().join("train")),
    ));
    let rows = report["encounters"]["rows"].as_array().unwrap();
    assert_eq!(rows[0]["photos"], 1);
    // A single photo is its own encounter.
    let one = &rows[0]["known"];
    assert_eq!(one["together"], one["alone"]);
    assert_eq!(one["gain"]["top1"]["value"], 0.0);
    for row in rows {
        let scores = &row["known"];
        let together = &scores["together"]["map5"];
        let [low, value, high] = [
            &together["interval"]["low"],
            &together["value"],
            &together["interval"]["high"],
        ]
        .map(|number| number.as_f64().unwrap());
        assert!(
            0.0 <= low && low <= value && value <= high && high <= 1.0,
            "{row}"
        );
    }
    // The test photos of the catalogue show six whales once each, or nobody by name.
    let few = copy(catalogue());
    let table = fs::read_to_string(&labels).unwrap();
    let mut rows = table
        .lines()
        .skip(1)
        .filter(|row| !row.ends_with("new_whale"));
    fs::write(
        few.path().join("one.csv"),
        format!("Image,Id\n{}\n", rows.next().unwrap()),
    )
    .unwrap();
    let mut command = flukeprint(&["evaluate", "--encounters", "--bundle"]);
    command
        .arg(bundle())
        .arg("--labels")
        .arg(few.path().join("one.csv"));
    let line = refused(command.arg("--photos").arg(catalogue().join("train")));
    assert!(line.contains("second photo"), "{line}");
}
