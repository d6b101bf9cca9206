//! Training what tells how common a piece of a trailing edge is, by the real command.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use common::{flukeprint, refusal, succeed};
use flukeprint_core::evidence::edge::background::{Background, inputs};
use flukeprint_core::evidence::edge::{Edge, Strangers};
use flukeprint_core::photo::{Photo, Region};
use std::fs;
use std::path::Path;
use std::process::Command;

fn drawn(out: &Path, whales: &str, new_photos: &str) {
    let mut synth = flukeprint(&["synth", "--seed", "6", "--photo-width", "160"]);
    synth.args(["--individuals", whales, "--new-photos", new_photos]);
    succeed(synth.arg("--out").arg(out));
}

fn train(data: &Path, out: &Path, threads: &str) -> Command {
    let mut train = flukeprint(&["background", "--epochs", "2", "--data"]);
    train.env("RAYON_NUM_THREADS", threads);
    train.arg(data).arg("--out").arg(out);
    train
}

/// The edges of the photos in a folder, each in the whole photo.
fn edges(photos: &Path) -> Vec<Edge> {
    let of = |entry: std::io::Result<fs::DirEntry>| {
        let photo = image::open(entry.unwrap().path()).unwrap().to_rgb8();
        let (width, height) = photo.dimensions();
        let whole = Region {
            x0: 0.0,
            y0: 0.0,
            x1: width as f32,
            y1: height as f32,
        };
        let pixels = photo.into_raw();
        let photo = Photo {
            width,
            height,
            pixels,
        };
        Edge::trace(&photo, whole).unwrap()
    };
    fs::read_dir(photos).unwrap().filter_map(of).collect()
}

/// How much of what pieces' backgrounds differ by is told.
fn told(network: &Background, edges: &[Edge]) -> f32 {
    let strangers: Strangers = edges.iter().collect();
    let pairs = edges.iter().enumerate().flat_map(|(number, edge)| {
        let guesses = inputs(edge).into_iter().map(|input| network.of(&input));
        strangers.background(number).into_iter().zip(guesses)
    });
    let pairs: Vec<(f32, f32)> = pairs.collect();
    let mean = pairs.iter().map(|pair| pair.0).sum::<f32>() / pairs.len() as f32;
    let square =
        |of: &dyn Fn(&(f32, f32)) -> f32| pairs.iter().map(|pair| of(pair).powi(2)).sum::<f32>();
    1.0 - square(&|(is, guess)| is - guess) / square(&|(is, _)| is - mean)
}

#[test]
fn what_is_trained_is_the_same_every_time_and_tells_backgrounds_of_other_edges() {
    let place = tempfile::tempdir().unwrap();
    let [data, others] = ["catalogue", "others"].map(|name| place.path().join(name));
    drawn(&data, "10", "600");
    let made = |name: &str, threads| {
        let out = place.path().join(name);
        succeed(&mut train(&data, &out, threads));
        fs::read(out).unwrap()
    };
    let bytes = made("one.safetensors", "1");
    assert!(bytes == made("two.safetensors", "2"));
    let mut synth = flukeprint(&["synth", "--seed", "8", "--photo-width", "160"]);
    synth.args(["--individuals", "60", "--new-photos", "60"]);
    succeed(synth.arg("--out").arg(&others));
    let trained = Background::read("one.safetensors", &bytes).unwrap();
    let told = told(&trained, &edges(&others.join("train")));
    assert!(told > 0.3, "{told}");
}

#[test]
fn too_few_flukes_are_refused_and_nothing_is_written() {
    let place = tempfile::tempdir().unwrap();
    let few = place.path().join("few");
    drawn(&few, "6", "0");
    let out = place.path().join("background.safetensors");
    let message = refusal(&train(&few, &out, "2").output().unwrap());
    assert!(message.contains("100 flukes"), "{message}");
    assert!(!out.exists());
}
