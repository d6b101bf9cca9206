//! Bad input: one clear line that names the thing, exit code 2, nothing half written.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use common::{bundle, catalogue, copy, flukeprint, refusal, run_folder};
use std::fs;
use std::path::Path;

/// Trains on `data` and expects a refusal that says all of `words` and leaves nothing behind.
fn train_refuses(data: &Path, words: &[&str]) -> String {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let output = flukeprint(&["train", "--recipe", "tiny", "--data"])
        .arg(data)
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    let line = refusal(&output);
    for word in words {
        assert!(line.contains(word), "{word:?} is not in: {line}");
    }
    assert_eq!(
        fs::read_dir(place.path()).unwrap().count(),
        0,
        "something was half written"
    );
    line
}

fn edit(path: &Path, change: impl Fn(String) -> String) {
    let text = fs::read_to_string(path).unwrap();
    fs::write(path, change(text)).unwrap();
}

/// The photo in the first row of `train.csv`.
fn first_photo(data: &Path) -> String {
    let table = fs::read_to_string(data.join("train.csv")).unwrap();
    table
        .lines()
        .nth(1)
        .unwrap()
        .split(',')
        .next()
        .unwrap()
        .to_owned()
}

#[test]
fn a_missing_folder_is_named() {
    train_refuses(
        Path::new("/no/such/catalogue"),
        &["/no/such/catalogue", "train.csv"],
    );
}

#[test]
fn a_table_without_the_columns_names_those_it_has() {
    let data = copy(catalogue());
    edit(&data.path().join("train.csv"), |text| {
        text.replacen("Image,Id", "picture,whale", 1)
    });
    train_refuses(data.path(), &["train.csv", "picture, whale", "Image, Id"]);
}

#[test]
fn a_missing_photo_is_named_with_its_row() {
    let data = copy(catalogue());
    let photo = first_photo(data.path());
    fs::remove_file(data.path().join("train").join(&photo)).unwrap();
    train_refuses(data.path(), &[&photo, "line 2"]);
}

#[test]
fn a_truncated_photo_is_named() {
    let data = copy(catalogue());
    let photo = first_photo(data.path());
    let path = data.path().join("train").join(&photo);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    train_refuses(data.path(), &[&photo]);
}

#[test]
fn two_rows_for_one_photo_are_refused() {
    let data = copy(catalogue());
    let photo = first_photo(data.path());
    edit(&data.path().join("train.csv"), |text| {
        format!("{text}{photo},w_other\n")
    });
    train_refuses(data.path(), &[&photo]);
}

#[test]
fn a_box_outside_its_photo_is_refused() {
    let data = copy(catalogue());
    let photo = first_photo(data.path());
    edit(&data.path().join("bounding_boxes.csv"), |text| {
        let rows = text.lines().map(|row| match row.starts_with(&photo) {
            true => format!("{photo},5000,10,6000,90\n"),
            false => format!("{row}\n"),
        });
        rows.collect()
    });
    train_refuses(data.path(), &[&photo, "5000"]);
}

#[test]
fn a_whale_without_a_photo_is_named() {
    let data = copy(catalogue());
    edit(&data.path().join("train.csv"), |text| {
        format!("{text},w_nobody\n")
    });
    train_refuses(data.path(), &["w_nobody"]);
}

#[test]
fn an_empty_catalogue_is_refused() {
    let data = copy(catalogue());
    fs::write(data.path().join("train.csv"), "Image,Id\n").unwrap();
    train_refuses(data.path(), &["train.csv", "no photo"]);
}

#[test]
fn many_bad_rows_are_one_line_and_a_list() {
    let data = copy(catalogue());
    edit(&data.path().join("train.csv"), |text| {
        format!("{text}a.jpg,w_a\nb.jpg,w_b\nc.jpg,w_c\n")
    });
    let line = train_refuses(data.path(), &["3 of", "a.jpg"]);
    let list = line.split("listed in ").nth(1).unwrap();
    let list = fs::read_to_string(list).unwrap();
    for photo in ["a.jpg", "b.jpg", "c.jpg"] {
        assert!(list.contains(photo), "{list}");
    }
}

#[test]
fn an_unknown_recipe_names_the_nearest() {
    let output = flukeprint(&["train", "--recipe", "smal", "--out", "x", "--data"])
        .arg(catalogue())
        .output()
        .unwrap();
    let line = refusal(&output);
    assert!(line.contains("flukeprint recipes"), "{line}");
    assert!(line.ends_with("did you mean small?"), "{line}");
}

#[test]
fn start_weights_that_are_none_leave_nothing_behind() {
    let place = tempfile::tempdir().unwrap();
    let weights = tempfile::NamedTempFile::new().unwrap();
    fs::write(weights.path(), "no weights").unwrap();
    let output = flukeprint(&["train", "--recipe", "small", "--start"])
        .arg(weights.path())
        .arg("--data")
        .arg(catalogue())
        .arg("--out")
        .arg(place.path().join("run"))
        .output()
        .unwrap();
    assert!(refusal(&output).contains("is no safetensors file"));
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn a_run_that_is_none_is_refused() {
    let line = refusal(
        &flukeprint(&["tune", "--run", "/no/such/run"])
            .output()
            .unwrap(),
    );
    assert!(line.contains("/no/such/run"), "{line}");
}

#[test]
fn a_catalogue_that_changed_after_training_is_refused() {
    let run = copy(run_folder());
    let data = copy(catalogue());
    edit(&run.path().join("facts.json"), |text| {
        text.replace(
            &catalogue().display().to_string(),
            &data.path().display().to_string(),
        )
    });
    edit(&data.path().join("train.csv"), |text| {
        let last = text.trim_end().rfind('\n').unwrap();
        text[..=last].to_owned()
    });
    let line = refusal(
        &flukeprint(&["evaluate", "--run"])
            .arg(run.path())
            .output()
            .unwrap(),
    );
    assert!(line.contains("train again"), "{line}");
}

fn identify_refuses(bundle: &Path) -> String {
    let photo = catalogue().join("train").join(first_photo(catalogue()));
    refusal(
        &flukeprint(&["identify", "--bundle"])
            .arg(bundle)
            .arg(photo)
            .output()
            .unwrap(),
    )
}

#[test]
fn one_flipped_bit_in_any_file_of_a_bundle_is_found() {
    for entry in fs::read_dir(bundle()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !name.contains('.') || name == "bundle.json" {
            continue;
        }
        let spoilt = copy(bundle());
        let path = spoilt.path().join(&name);
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).unwrap();
        let line = identify_refuses(spoilt.path());
        assert!(line.contains(&name), "{line}");
    }
}

#[test]
fn a_missing_file_of_a_bundle_is_named() {
    let spoilt = copy(bundle());
    let entries = fs::read_dir(spoilt.path()).unwrap();
    let weights = entries
        .map(|e| e.unwrap().path())
        .find(|p| p.display().to_string().contains("weights."))
        .unwrap();
    fs::remove_file(&weights).unwrap();
    let line = identify_refuses(spoilt.path());
    assert!(
        line.contains(weights.file_name().unwrap().to_str().unwrap()),
        "{line}"
    );
}

#[test]
fn a_bundle_of_a_newer_version_says_so() {
    let newer = copy(bundle());
    edit(&newer.path().join("bundle.json"), |text| {
        text.replacen("\"format\": 1", "\"format\": 9", 1)
    });
    let line = identify_refuses(newer.path());
    assert!(
        line.contains("bundle.json") && line.contains("format 9") && line.contains("update"),
        "{line}"
    );
}

#[test]
fn a_photo_that_is_none_keeps_its_row_and_says_why() {
    let place = tempfile::tempdir().unwrap();
    let text = place.path().join("tail.jpg");
    fs::write(&text, "no photo").unwrap();
    let good = catalogue().join("train").join(first_photo(catalogue()));
    let output = flukeprint(&["identify", "--json", "--bundle"])
        .arg(bundle())
        .arg(&text)
        .arg(good)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let answers: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let photos = answers["photos"].as_array().unwrap();
    assert_eq!(photos.len(), 2);
    assert!(photos[0]["error"].as_str().unwrap().contains("not a photo"));
    assert_eq!(photos[1]["candidates"].as_array().unwrap().len(), 5);
}

#[test]
fn nothing_is_written_over_a_folder_that_is_no_bundle() {
    let other = tempfile::tempdir().unwrap();
    fs::write(other.path().join("precious.txt"), "mine").unwrap();
    let output = flukeprint(&["export", "--run"])
        .arg(run_folder())
        .arg("--out")
        .arg(other.path())
        .output()
        .unwrap();
    refusal(&output);
    assert_eq!(
        fs::read_to_string(other.path().join("precious.txt")).unwrap(),
        "mine"
    );
}

#[test]
fn an_unknown_backbone_is_one_line_with_the_nearest() {
    let place = tempfile::tempdir().unwrap();
    let output = flukeprint(&["import", "--arch", "resnet-50", "checkpoint.pth", "--out"])
        .arg(place.path().join("weights.safetensors"))
        .output()
        .unwrap();
    let line = refusal(&output);
    assert!(line.ends_with("did you mean resnet50?"), "{line}");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}
