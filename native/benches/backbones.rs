//! Median times of the backbones on this machine's CPU.
//!
//! `cargo bench -p flukeprint --bench backbones -- [--inference] [NAME]...`, from nothing a build of
//! minutes. For each backbone: one photo of 384 x 384 in evaluation with batch norms folded, and,
//! without `--inference`, forward and backward of 16 photos of 128 x 256 in training.
#![allow(clippy::print_stdout)] // prints a table

use burn::tensor::{Device, Distribution, Tensor};
use flukeprint_core::model::backbone::{Backbone, BackboneName};
use std::time::Instant;

const ROUNDS: usize = 7;

fn main() {
    let (options, wanted): (Vec<String>, Vec<String>) = std::env::args()
        .skip(1)
        .partition(|word| word.starts_with('-'));
    let trains = !options.iter().any(|option| option == "--inference");
    let heading = "   16 photos, forward and backward, s";
    println!(
        "backbone               1 photo, ms{}",
        if trains { heading } else { "" }
    );
    for &name in BackboneName::ALL {
        if wanted.is_empty() || wanted.iter().any(|w| w == name.name()) {
            let photo = format!("{:22} {:11.0}", name.name(), inference(name) * 1e3);
            match trains {
                true => {
                    let (forward, backward) = training(name);
                    println!("{photo}   {forward:.2} {backward:.2}");
                }
                false => println!("{photo}"),
            }
        }
    }
}

fn inference(name: BackboneName) -> f64 {
    let device = Device::flex();
    let backbone = Backbone::new(name, &device).fold();
    let input = Tensor::<4>::random([1, 3, 384, 384], Distribution::Default, &device);
    median((0..ROUNDS).map(|_| {
        let start = Instant::now();
        let _ = backbone.forward(input.clone()).into_data();
        start.elapsed().as_secs_f64()
    }))
}

fn training(name: BackboneName) -> (f64, f64) {
    let device = Device::flex().autodiff();
    let backbone = Backbone::new(name, &device);
    let input = Tensor::<4>::random([16, 3, 128, 256], Distribution::Default, &device);
    let (forward, backward): (Vec<f64>, Vec<f64>) = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let loss = backbone.forward(input.clone()).mean();
            let between = Instant::now();
            let _ = loss.backward();
            let forward = between.duration_since(start).as_secs_f64();
            (forward, between.elapsed().as_secs_f64())
        })
        .unzip();
    (median(forward.into_iter()), median(backward.into_iter()))
}

fn median(times: impl Iterator<Item = f64>) -> f64 {
    let mut times: Vec<f64> = times.collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
