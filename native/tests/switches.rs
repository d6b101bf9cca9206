//! Every switch of a recipe trains a network of its own that can be tuned, through the real command.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use common::{catalogue, flukeprint, succeed};
use flukeprint::train::load_weights;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What each recipe says beside the smallest training there is.
const SWITCHES: &[&str] = &[
    "",
    "center = 0.5",
    "precision = 'bf16'",
    "ring = 0.0",
    "[classifier]\nkind = 'arcface'",
    "[classifier]\nkind = 'cosface'",
    "[classifier]\nkind = 'subcenter-arcface'\nscale = 20.9",
    "[classifier]\nkind = 'lgm'",
    "[classifier]\nloss = 'focal'",
    "[classifier]\nloss = 'binary'\nhardest = 5",
    "[classifier]\nper_head = false",
    "[model]\npooling = 'max-average'\nactivation = 'relu'",
    "[model]\npooling = 'gem-learned'",
    "[model]\ncut = 'whole'\nheads = 2",
    "[model]\nnarrow = 2",
    "[samples]\nflips_as_new = true",
    "[samples]\nnew_whales = true",
    "[samples]\nnew_whales = true\nflips_as_new = true\nmixup = 0.4\n[classifier]\nloss = 'binary'",
    "[samples]\nat_least = 4",
    "[samples]\nmixup = 0.4",
    "[samples]\npseudo_labels = 0.01",
    "[augmentation]\nerasing = 1.0",
    "[augmentation]\nrgb = 1.0",
    "[input]\nboxes = false",
    "[triplet]\nassigned_epochs = 1\nhardest_epochs = 1\npairs = 6\nhead_rate = 1e-3\nupper_rate = 1e-3\nlower_rate = 1e-3",
    "precision = 'bf16'\n[triplet]\nassigned_epochs = 1\nhardest_epochs = 1\npairs = 6\nhead_rate = 1e-3\nupper_rate = 1e-3\nlower_rate = 1e-3",
];

fn train(folder: &Path, number: usize, switch: &str) -> PathBuf {
    let recipe = folder.join(format!("{number}.toml"));
    let (values, tables) = switch.split_at(switch.find('[').unwrap_or(switch.len()));
    let text = format!(
        "base = 'tiny'\nname = 'switch'\nbatch = 12\n{values}\n[head]\nepochs = 0\n[full]\nepochs = 1\n\
         [finder]\nepochs = 1\n{tables}"
    );
    fs::write(&recipe, text).unwrap();
    let run = folder.join(format!("run{number}"));
    let mut command = flukeprint(&["train", "--data"]);
    command.arg(catalogue()).arg("--recipe").arg(&recipe);
    succeed(command.arg("--out").arg(&run));
    run
}

#[test]
fn every_switch_makes_a_network_of_its_own_that_can_be_tuned() {
    let place = tempfile::tempdir().unwrap();
    let mut networks = BTreeSet::new();
    for (number, switch) in SWITCHES.iter().enumerate() {
        let run = train(place.path(), number, switch);
        let weights = load_weights(&run.join("network.safetensors")).unwrap();
        // Mirrored whales are no whales: the network that is kept knows the catalogue's 30.
        assert_eq!(weights["total.bias"].values.len(), 30, "{switch}");
        assert!(
            weights["total.bias"].values.iter().all(|v| v.is_finite()),
            "{switch}"
        );
        let total = &weights["total.weight"].values;
        let bits: Vec<u32> = total.iter().map(|value| value.to_bits()).collect();
        assert!(networks.insert(bits), "{switch} changed nothing");
        succeed(flukeprint(&["tune", "--run"]).arg(&run));
    }
}

#[test]
fn pseudo_labels_without_test_photos_are_refused() {
    let data = common::copy(catalogue());
    fs::remove_dir_all(data.path().join("test")).unwrap();
    let place = tempfile::tempdir().unwrap();
    let recipe = place.path().join("mine.toml");
    fs::write(&recipe, "base = 'tiny'\n[samples]\npseudo_labels = 0.5\n").unwrap();
    let mut command = flukeprint(&["train", "--data"]);
    command.arg(data.path()).arg("--recipe").arg(&recipe);
    let output = command
        .arg("--out")
        .arg(place.path().join("run"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("pseudo_labels"), "{text}");
    assert!(!place.path().join("run").exists());
}
