//! Training HardNet by the command: bit for bit the same however it is interrupted, by training photos
//! alone, and stopped in a line when it goes wrong.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use burn::tensor::{Device, Tensor};
use common::{catalogue, copy, flukeprint, refused, succeed, whole_and_in_pieces};
use flukeprint_core::evidence::HardNet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Seconds instead of an hour.
const RECIPE: &str = "
base = \"hardnet\"
points = 16
points_a_picture = 4
batches = 2

[across]
inliers = 8

[validation]
new_whales = 4
unseen_whales = 3
";

fn recipe(folder: &Path, head: &str) -> PathBuf {
    let path = folder.join("recipe.toml");
    fs::write(&path, format!("{head}\n{RECIPE}")).unwrap();
    path
}

fn train(data: &Path, recipe: &Path, out: &Path) -> Command {
    let mut command = flukeprint(&["train", "--data"]);
    command.arg(data).arg("--recipe").arg(recipe);
    command.arg("--out").arg(out).stderr(Stdio::null());
    command
}

#[test]
fn killed_again_and_again_it_comes_to_the_same_network_on_one_thread_or_more() {
    let place = tempfile::tempdir().unwrap();
    let recipe = recipe(place.path(), "epochs = 6");
    let files = ["hardnet.safetensors", "training.svg"];
    whole_and_in_pieces(place.path(), &files, &|out| {
        let mut command = train(catalogue(), &recipe, out);
        if out.ends_with("whole") {
            command.env("RAYON_NUM_THREADS", "1");
        }
        command
    });
    let run = place.path().join("whole");
    let events = fs::read_to_string(run.join("events.jsonl")).unwrap();
    let last: serde_json::Value = serde_json::from_str(events.lines().last().unwrap()).unwrap();
    assert_eq!(last["epoch"], 6);
    assert!(last["loss"].as_f64().unwrap() > 0.0 && last["points"].as_u64().unwrap() > 16);

    let bytes = fs::read(run.join("hardnet.safetensors")).unwrap();
    let network = HardNet::load("hardnet.safetensors", &bytes, &Device::flex()).unwrap();
    let described = network.forward(Tensor::ones([1, 1, 32, 32], &Device::flex()));
    let length: f32 = described.square().sum().into_scalar();
    assert!((length - 1.0).abs() < 1e-4, "{length}");

    let said = refused(flukeprint(&["tune", "--run"]).arg(&run));
    assert!(said.contains("trains a descriptor"), "{said}");
}

/// The held-out photos of a run, the training photos of one.
fn photos(run: &Path) -> [Vec<String>; 2] {
    let text = fs::read_to_string(run.join("split.json")).unwrap();
    let split: serde_json::Value = serde_json::from_str(&text).unwrap();
    let list = |name: &str| {
        let names = split[name].as_array().unwrap().iter();
        names
            .map(|name| name.as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    [
        [list("tune"), list("report"), list("unseen")].concat(),
        list("train"),
    ]
}

#[test]
fn held_out_photos_and_unseen_whales_teach_nothing() {
    let (place, data) = (tempfile::tempdir().unwrap(), copy(catalogue()));
    let recipe = recipe(place.path(), "epochs = 1");
    let network = |data: &Path, name: &str| {
        let out = place.path().join(name);
        succeed(&mut train(data, &recipe, &out));
        fs::read(out.join("hardnet.safetensors")).unwrap()
    };
    let before = network(catalogue(), "before");
    let [held_out, training] = photos(&place.path().join("before"));
    assert!(held_out.len() > 10);
    // The negative of a photo has other patches and the same size.
    let turn = |names: &[String]| {
        for name in names {
            let path = data.path().join("train").join(name);
            let mut picture = image::open(&path).unwrap().into_rgb8();
            picture.iter_mut().for_each(|value| *value = 255 - *value);
            picture.save(&path).unwrap();
        }
    };
    turn(&held_out);
    assert!(network(data.path(), "others") == before);
    turn(&training);
    assert!(network(data.path(), "turned") != before);
}

#[test]
fn a_loss_that_is_no_number_and_what_a_descriptor_does_not_take_are_told_in_a_line() {
    let place = tempfile::tempdir().unwrap();
    let (out, wild) = (
        place.path().join("run"),
        recipe(place.path(), "epochs = 2\nrate = 1e30"),
    );
    let output = train(catalogue(), &wild, &out)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("the loss of hardnet became NaN in epoch 2"),
        "{said}"
    );
    assert!(said.contains("--resume") && !out.exists(), "{said}");
    fs::remove_dir_all(place.path().join("run.unfinished")).unwrap();

    let mut start = train(catalogue(), Path::new("hardnet"), &out);
    let said = refused(start.args(["--start", "x.pth"]).stderr(Stdio::piped()));
    assert!(said.contains("takes no --start"), "{said}");

    // The shipped recipe holds more photos out than there are, and wants 16 whales a batch.
    let many = recipe(place.path(), "points_a_picture = 3000");
    let text = fs::read_to_string(&many).unwrap();
    let text = text
        .replacen("points_a_picture = 4\n", "", 1)
        .replace("points = 16", "points = 6000");
    fs::write(&many, text).unwrap();
    let said = refused(train(catalogue(), &many, &out).stderr(Stdio::piped()));
    assert!(
        said.contains("3000 keypoints") && said.contains("2 whales"),
        "{said}"
    );
    assert!(!place.path().join("run.unfinished").exists());
}
