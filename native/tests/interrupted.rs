//! Trainings that are interrupted: what is kept, and that they go on to the same weights.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use burn::tensor::Device;
use common::{catalogue, copy, epochs_done, flukeprint, whole_and_in_pieces};
use flukeprint::progress::{Progress, Silent};
use flukeprint::train::{Beginning, Recipe, resume, train};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};

/// Recipe `tiny` with all that a training can have: triplets, dropout, mixup, two stages.
const RECIPE: &str = r#"
base = "tiny"
name = "interrupted"

[classifier]
head_dropout = 0.3
dropout = 0.2

[samples]
flips_as_new = true
mixup = 0.4

[triplet]
assigned_epochs = 2
hardest_epochs = 2
pairs = 8
head_rate = 4e-3
upper_rate = 4e-3
lower_rate = 4e-3
"#;

fn recipe_file(folder: &Path) -> PathBuf {
    let path = folder.join("recipe.toml");
    fs::write(&path, RECIPE).unwrap();
    path
}

/// What a training leaves that must not depend on how often it was interrupted.
const FILES: [&str; 4] = [
    "network.safetensors",
    "training.safetensors",
    "finder.safetensors",
    "training.svg",
];

#[test]
fn killed_again_and_again_it_comes_to_the_same_weights() {
    let place = tempfile::tempdir().unwrap();
    let recipe = recipe_file(place.path());
    whole_and_in_pieces(place.path(), &FILES, &|out| {
        let mut command = flukeprint(&["train", "--data"]);
        command.arg(catalogue()).arg("--recipe").arg(&recipe);
        command.arg("--out").arg(out).stderr(Stdio::null());
        command
    });
}

#[test]
fn an_interrupted_training_is_not_overwritten_and_a_finished_one_not_resumed() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let mut resume = flukeprint(&["train", "--resume", "--out"]);
    let output = resume.arg(&out).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("checkpoint.safetensors"), "{said}");

    let unfinished = place.path().join("run.unfinished");
    fs::create_dir(&unfinished).unwrap();
    fs::write(unfinished.join("checkpoint.safetensors"), b"precious").unwrap();
    let mut again = flukeprint(&["train", "--recipe", "tiny", "--data"]);
    let output = again
        .arg(catalogue())
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("--resume"), "{said}");
    let kept = fs::read(unfinished.join("checkpoint.safetensors")).unwrap();
    assert_eq!(kept, b"precious");

    let mut resume = flukeprint(&["train", "--resume", "--out"]);
    let output = resume.arg(&out).output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(2),
        "a torn checkpoint is refused"
    );

    let mut resume = flukeprint(&["train", "--resume", "--out"]);
    let output = resume.arg(common::run_folder()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.code() == Some(2) && said.contains("finished"),
        "{said}"
    );
}

/// Does something once, when a task of that name begins.
struct When<F: Fn() + Sync> {
    task: &'static str,
    done: AtomicBool,
    act: F,
}

impl<F: Fn() + Sync> When<F> {
    fn new(task: &'static str, act: F) -> Self {
        let done = AtomicBool::new(false);
        Self { task, done, act }
    }
}

impl<F: Fn() + Sync> Progress for When<F> {
    fn begin(&self, task: &str, _total: usize) {
        if task == self.task && !self.done.swap(true, Ordering::SeqCst) {
            (self.act)();
        }
    }

    fn advance(&self, _done: usize) {}

    fn note(&self, _text: &str) {}
}

fn tiny() -> Recipe {
    let mut recipe = Recipe::load("tiny").unwrap();
    recipe.finder = None;
    recipe
}

/// The photos of known whales of a catalogue, and what they hold.
fn photos(data: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let table = fs::read_to_string(data.join("train.csv")).unwrap();
    let rows = table
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(','));
    let known = rows.filter(|(_, whale)| *whale != "new_whale");
    let paths = known.map(|(file, _)| data.join("train").join(file));
    paths
        .map(|path| (path.clone(), fs::read(&path).unwrap()))
        .collect()
}

fn spoil(photos: &[(PathBuf, Vec<u8>)]) {
    for (photo, _) in photos {
        fs::write(photo, b"no photo any more").unwrap();
    }
}

#[test]
fn a_photo_that_turns_unreadable_half_way_stops_it_by_name_and_it_goes_on_when_mended() {
    let (data, place) = (copy(catalogue()), tempfile::tempdir().unwrap());
    let out = place.path().join("run");
    let photos = photos(data.path());
    // The network is trained then, and the finder about to be.
    let progress = When::new("reading whole photos", || spoil(&photos));
    let (recipe, begin) = (Recipe::load("tiny").unwrap(), Beginning::default());
    let device = Device::flex();
    let error = train(data.path(), &recipe, &begin, &out, &device, &progress).unwrap_err();
    let said = error.to_string();
    assert!(said.contains(".jpg") && said.contains("--resume"), "{said}");
    assert_eq!(error.exit_code(), 2);
    for (photo, bytes) in &photos {
        fs::write(photo, bytes).unwrap();
    }
    resume(&out, &device, &Silent).unwrap();
    assert!(out.join("finder.safetensors").exists());
}

#[test]
fn a_training_that_stops_before_it_learned_anything_leaves_nothing() {
    let (data, place) = (copy(catalogue()), tempfile::tempdir().unwrap());
    let out = place.path().join("run");
    let photos = photos(data.path());
    let progress = When::new("training head", || spoil(&photos));
    let (begin, device) = (Beginning::default(), Device::flex());
    let error = train(data.path(), &tiny(), &begin, &out, &device, &progress).unwrap_err();
    let said = error.to_string();
    assert!(
        said.contains(".jpg") && !said.contains("--resume"),
        "{said}"
    );
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn a_disk_that_takes_no_more_stops_it_and_the_last_state_stays() {
    let place = tempfile::tempdir().unwrap();
    let (out, away) = (place.path().join("run"), place.path().join("away"));
    let unfinished = place.path().join("run.unfinished");
    // Nothing can be written to a folder that is not there, whoever asks.
    let unplug = When::new("training everything", || {
        fs::rename(&unfinished, &away).unwrap();
    });
    let device = Device::flex();
    let error = train(
        catalogue(),
        &tiny(),
        &Beginning::default(),
        &out,
        &device,
        &unplug,
    )
    .unwrap_err();
    assert_eq!(error.exit_code(), 1, "{error}");
    assert!(error.to_string().contains("run.unfinished"), "{error}");
    fs::rename(&away, &unfinished).unwrap();
    assert_eq!(epochs_done(&unfinished), 1, "the head's epoch is kept");
    resume(&out, &device, &Silent).unwrap();
    assert_eq!(epochs_done(&out), 4);
}

#[test]
fn a_loss_that_is_no_number_stops_it_and_the_last_good_state_stays() {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let mut recipe = tiny();
    recipe.full.head_rate = 1e30;
    recipe.full.upper_rate = 1e30;
    recipe.full.lower_rate = 1e30;
    let device = Device::flex();
    let error = train(
        catalogue(),
        &recipe,
        &Beginning::default(),
        &out,
        &device,
        &Silent,
    )
    .unwrap_err();
    let said = error.to_string();
    assert!(said.contains("the loss of everything became"), "{said}");
    assert_eq!(error.exit_code(), 1);
    let kept = place.path().join("run.unfinished/checkpoint.safetensors");
    let weights = flukeprint::train::load_weights(&kept).unwrap();
    let mut values = weights.values().flat_map(|tensor| &tensor.values);
    assert!(values.all(|value| value.is_finite()));
}
