//! Kaggle's file, through the real command.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use common::{
    bundle, catalogue, copy, file_name, flukeprint, photos_of, refused, season, succeed, table,
};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::Command;

fn submission(photos: &Path, out: &Path) -> Command {
    let mut command = flukeprint(&["submission", "--bundle"]);
    command.arg(bundle()).arg("--photos").arg(photos);
    command.arg("--out").arg(out);
    command
}

#[test]
fn a_submission_has_a_row_a_photo_with_five_names_and_says_how_many_are_new() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("submission.csv");
    let photos = catalogue().join("test");
    let output = succeed(&mut submission(&photos, &out));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let rows = table(&out);
    assert!(fs::read_to_string(&out).unwrap().starts_with("Image,Id\n"));
    assert_eq!(rows.len(), 6);
    let mut new = 0;
    for row in &rows {
        let names: Vec<&str> = row["Id"].split(' ').collect();
        let mut unlike = names.clone();
        unlike.sort_unstable();
        unlike.dedup();
        assert_eq!((names.len(), unlike.len()), (5, 5), "{row:?}");
        new += u32::from(names[0] == "new_whale");
    }
    let share = format!("{:.1} %", f64::from(new) / 6.0 * 100.0);
    assert!(said.contains(&share), "{said}");

    // The same answers as identify gives.
    let answers = succeed(
        flukeprint(&["identify", "--json", "--bundle"])
            .arg(bundle())
            .arg(&photos),
    );
    let answers: Value = serde_json::from_slice(&answers.stdout).unwrap();
    for (row, photo) in rows.iter().zip(answers["photos"].as_array().unwrap()) {
        let names = photo["candidates"].as_array().unwrap().iter();
        let names: Vec<&str> = names.map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(row["Id"], names.join(" "));
    }
}

#[test]
fn a_sample_decides_which_photos_and_their_order() {
    let place = tempfile::tempdir().unwrap();
    let (out, sample) = (
        place.path().join("submission.csv"),
        place.path().join("sample.csv"),
    );
    let photos = catalogue().join("test");
    let names: Vec<String> = photos_of(&photos)
        .iter()
        .map(|path| file_name(path))
        .collect();
    fs::write(
        &sample,
        format!("Image,Id\n{},x\n{},x\n", names[4], names[1]),
    )
    .unwrap();
    succeed(submission(&photos, &out).arg("--sample").arg(&sample));
    let listed: Vec<String> = table(&out).iter().map(|row| row["Image"].clone()).collect();
    assert_eq!(listed, [names[4].clone(), names[1].clone()]);

    fs::write(&sample, format!("Image,Id\n{},x\ngone.jpg,x\n", names[4])).unwrap();
    fs::remove_file(&out).unwrap();
    let line = refused(submission(&photos, &out).arg("--sample").arg(&sample));
    assert!(
        line.contains("gone.jpg") && line.contains("1 of the 2"),
        "{line}"
    );
    fs::write(&sample, format!("Image,Id\n{0},x\n{0},x\n", names[4])).unwrap();
    let line = refused(submission(&photos, &out).arg("--sample").arg(&sample));
    assert!(line.contains("twice"), "{line}");
    assert!(!out.exists(), "nothing is written");
}

#[test]
fn a_photo_that_cannot_be_read_stops_a_submission_unless_it_is_to_be_filled() {
    let season = season();
    fs::write(season.path().join("broken.jpg"), "no photo").unwrap();
    let out = season.path().join("submission.csv");
    let line = refused(&mut submission(season.path(), &out));
    assert!(
        line.contains("broken.jpg") && line.contains("--fill-broken"),
        "{line}"
    );
    assert!(!out.exists());
    let output = succeed(submission(season.path(), &out).arg("--fill-broken"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("broken.jpg"));
    let rows = table(&out);
    assert_eq!(rows.len(), 7);
    let broken = rows
        .iter()
        .find(|row| row["Image"] == "broken.jpg")
        .unwrap();
    assert_eq!(broken["Id"], "new_whale");

    let empty = tempfile::tempdir().unwrap();
    let line = refused(&mut submission(empty.path(), &out));
    assert!(line.contains("no photo"), "{line}");
    let line = refused(&mut submission(Path::new("/no/such"), &out));
    assert!(line.contains("/no/such"), "{line}");
}

/// A bundle with other names or fewer whales, its hashes mended.
fn with_individuals(change: impl Fn(&mut Value)) -> tempfile::TempDir {
    use sha2::{Digest, Sha256};
    let changed = copy(bundle());
    let manifest = changed.path().join("bundle.json");
    let mut facts: Value = serde_json::from_slice(&fs::read(&manifest).unwrap()).unwrap();
    let file = changed
        .path()
        .join(facts["files"]["individuals"]["path"].as_str().unwrap());
    let mut individuals: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    change(&mut individuals);
    let bytes = serde_json::to_vec(&individuals).unwrap();
    fs::write(&file, &bytes).unwrap();
    let hash: String = Sha256::digest(&bytes)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    facts["files"]["individuals"]["sha256"] = hash.into();
    facts["files"]["individuals"]["bytes"] = bytes.len().into();
    fs::write(&manifest, serde_json::to_vec(&facts).unwrap()).unwrap();
    changed
}

#[test]
fn a_name_with_a_space_is_refused_for_a_submission() {
    let spaced = with_individuals(|individuals| {
        individuals["names"][3] = "old tom".into();
    });
    let place = tempfile::tempdir().unwrap();
    let mut command = flukeprint(&["submission", "--bundle"]);
    command
        .arg(spaced.path())
        .arg("--photos")
        .arg(catalogue().join("test"));
    let line = refused(
        command
            .arg("--out")
            .arg(place.path().join("submission.csv")),
    );
    assert!(
        line.contains("`old tom`") && line.contains("rename"),
        "{line}"
    );
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}
