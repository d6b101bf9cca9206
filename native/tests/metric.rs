//! The metric-learning start: what it teaches, and that it does so again.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use burn::tensor::Device;
use common::{catalogue, flukeprint, succeed};
use flukeprint::data::{Catalogue, Split};
use flukeprint::evaluate::{Embeddings, embed_catalogue};
use flukeprint::progress::Silent;
use flukeprint::synth::{Counts, SynthConfig, write_catalogue};
use flukeprint::train::{
    Beginning, Mining, Recipe, TripletRecipe, load_weights, read_catalogue, train,
};
use flukeprint_core::model::named::Named;
use std::fs;
use std::path::Path;

/// Recipe `tiny` without finder and dropout, whose later stages have so many epochs.
fn recipe(later: usize, triplet: Option<TripletRecipe>) -> Recipe {
    let mut recipe = Recipe::load("tiny").unwrap();
    recipe.head.epochs = later;
    recipe.full.epochs = later;
    recipe.finder = None;
    recipe.classifier.head_dropout = 0.0;
    recipe.triplet = triplet;
    recipe
}

fn triplet(mining: Mining, assigned_epochs: usize, hardest_epochs: usize) -> TripletRecipe {
    let rate = 4e-3;
    TripletRecipe {
        assigned_epochs,
        hardest_epochs,
        pairs: 8,
        margin: 0.3,
        head_rate: rate,
        upper_rate: rate,
        lower_rate: rate,
        mining,
    }
}

/// What a run has learnt.
struct Learnt {
    /// The share of held-out photos whose nearest training photo shows the same whale.
    top1: f64,
    weights: Named,
}

fn learn(data: &Path, recipe: &Recipe) -> Learnt {
    let place = tempfile::tempdir().unwrap();
    let out = place.path().join("run");
    let run = train(
        data,
        recipe,
        &Beginning::default(),
        &out,
        &Device::flex(),
        &Silent,
    )
    .unwrap();
    let catalogue = read_catalogue(data, &Silent).unwrap();
    let split = run.split(&catalogue).unwrap();
    let embeddings = embed_catalogue(&run, &catalogue, &split, &Device::flex(), &Silent).unwrap();
    Learnt {
        top1: share_recognised(&catalogue, &split, &embeddings),
        weights: load_weights(&out.join("network.safetensors")).unwrap(),
    }
}

fn share_recognised(catalogue: &Catalogue, split: &Split, embeddings: &Embeddings) -> f64 {
    let unit = |photo: usize| {
        let feature = embeddings.feature(photo);
        let length = feature.iter().map(|v| v * v).sum::<f32>().sqrt();
        feature.iter().map(|v| v / length).collect::<Vec<f32>>()
    };
    let cosine = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let gallery: Vec<_> = split
        .train
        .iter()
        .map(|&photo| (photo, unit(photo)))
        .collect();
    let queries: Vec<usize> = split.tune.iter().chain(&split.report).copied().collect();
    let recognised = queries.iter().filter(|&&query| {
        let feature = unit(query);
        let nearest = gallery
            .iter()
            .max_by(|a, b| cosine(&a.1, &feature).total_cmp(&cosine(&b.1, &feature)));
        catalogue.photos[nearest.unwrap().0].label == catalogue.photos[query].label
    });
    recognised.count() as f64 / queries.len() as f64
}

/// A catalogue of so many whales with six photos each, in poses that are easy to compare.
fn draw(individuals: u32, out: &Path) {
    let config = SynthConfig {
        new_photos: 0,
        test_photos: 0,
        photo_width: 128,
        pose_percent: 30,
        photos_per_individual: Counts::Each(6),
        ..SynthConfig::like_the_competition(individuals)
    };
    write_catalogue(&config, out, &|_, _| {}).unwrap();
}

// The only test of this file that draws random numbers in this process, where their generator is
// everybody's.
#[test]
fn triplets_teach_to_recognise_whales_and_leave_the_classifier_alone() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("catalogue");
    draw(30, &data);
    let untrained = learn(&data, &recipe(0, None));
    let learnt = [
        triplet(Mining::AssignedThenHardest, 8, 4),
        triplet(Mining::BatchHard, 8, 0),
    ]
    .map(|triplet| {
        let mining = triplet.mining;
        let learnt = learn(&data, &recipe(0, Some(triplet)));
        // One photo in thirty is what chance finds.
        assert!(
            learnt.top1 > untrained.top1 + 0.15,
            "{mining:?}: {} is hardly more than the untrained network's {}",
            learnt.top1,
            untrained.top1
        );
        learnt.weights
    });
    // Both began with the same weights, and only the classifier's are still the same.
    let [assigned, hard] = learnt;
    for (name, values) in &assigned {
        let is_classifier = name.starts_with("total.");
        assert_eq!(*values == hard[name], is_classifier, "{name}");
    }
}

#[test]
fn one_whale_alone_is_refused_and_leaves_nothing() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    draw(1, &at("catalogue"));
    let recipe = recipe(1, Some(triplet(Mining::BatchHard, 1, 0)));
    fs::write(at("recipe.toml"), recipe.to_toml().unwrap()).unwrap();
    let mut train = flukeprint(&["train", "--recipe"]);
    train
        .arg(at("recipe.toml"))
        .arg("--data")
        .arg(at("catalogue"));
    let output = train.arg("--out").arg(at("run")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("add photos of another whale"), "{message}");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
}

#[test]
fn the_same_recipe_gives_the_same_weights_with_any_number_of_threads() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("recipe.toml");
    let recipe = recipe(1, Some(triplet(Mining::AssignedThenHardest, 1, 1)));
    fs::write(&file, recipe.to_toml().unwrap()).unwrap();
    let weights = |threads: &str| {
        let out = place.path().join(threads);
        let mut train = flukeprint(&["train", "--recipe"]);
        train.env("RAYON_NUM_THREADS", threads).arg(&file);
        succeed(train.arg("--data").arg(catalogue()).arg("--out").arg(&out));
        fs::read(out.join("network.safetensors")).unwrap()
    };
    assert_eq!(weights("1"), weights("2"));
}
