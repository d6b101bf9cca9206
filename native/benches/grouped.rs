//! Median times of SE-ResNeXt50's grouped convolutions on this machine's CPU, three ways.
//!
//! `cargo bench -p flukeprint --bench grouped`, from nothing a build of minutes. In evaluation and in
//! training (forward and backward): burn's own convolution, the one that the layers take, and the
//! batched matrix product of `model::grouped`.
#![allow(clippy::print_stdout)] // prints a table

use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Distribution, Tensor};
use flukeprint_core::model::grouped;
use flukeprint_core::model::layer::{ConvNormConfig, convolve};
use std::time::Instant;

const ROUNDS: usize = 7;
const GROUPS: usize = 32;
/// Channels, side of the input, stride.
const LAYERS: [(usize, usize, usize); 5] = [
    (128, 96, 1),
    (256, 96, 2),
    (256, 48, 1),
    (512, 24, 1),
    (1024, 12, 1),
];

type Way = fn(&Conv2d, Tensor<4>) -> Tensor<4>;
const WAYS: [Way; 3] = [Conv2d::forward, convolve, grouped::convolve];

fn main() {
    println!("                              evaluation, ms            training, ms");
    println!("channels side stride batch    burn  layer product       burn  layer product");
    for (channels, side, stride) in LAYERS {
        for batch in [1, 4] {
            let shape = [batch, channels, side, side];
            let evaluation = WAYS.map(|way| evaluation(way, shape, stride) * 1e3);
            let training = WAYS.map(|way| training(way, shape, stride) * 1e3);
            let [a, b, c] = evaluation;
            let [d, e, f] = training;
            println!(
                "{channels:8} {side:4} {stride:6} {batch:5} {a:7.1} {b:6.1} {c:7.1}   {d:8.1} {e:6.1} {f:7.1}"
            );
        }
    }
}

fn layer(channels: usize, stride: usize, device: &Device) -> Conv2d {
    ConvNormConfig {
        stride,
        groups: GROUPS,
        ..ConvNormConfig::new(channels, channels, 3)
    }
    .convolution(device)
}

fn evaluation(way: Way, shape: [usize; 4], stride: usize) -> f64 {
    let device = Device::flex();
    let conv = layer(shape[1], stride, &device);
    let input = Tensor::<4>::random(shape, Distribution::Default, &device);
    median(|| {
        let _ = way(&conv, input.clone()).into_data();
    })
}

fn training(way: Way, shape: [usize; 4], stride: usize) -> f64 {
    let device = Device::flex().autodiff();
    let conv = layer(shape[1], stride, &device);
    let input = Tensor::<4>::random(shape, Distribution::Default, &device).require_grad();
    median(|| {
        let _ = way(&conv, input.clone()).mean().backward();
    })
}

fn median(mut run: impl FnMut()) -> f64 {
    run(); // weights are drawn at their first use
    let mut times: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
