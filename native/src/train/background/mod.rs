//! Training of what tells, by a piece of a trailing edge alone, how near strangers come to it: measured among the training photos' edges, of
//! every piece of each, and learnt from that.

mod network;

use super::guide::{NEW_WHALES, UNSEEN_WHALES, sights};
use super::optimizer::{AdamW, Pace};
use super::read_catalogue;
use super::schedule::OneCycle;
use super::tally::Tally;
use crate::data::{Split, epoch_order, write_atomically};
use crate::progress::Progress;
use crate::{Error, Result};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use flukeprint_core::bundle::weights;
use flukeprint_core::evidence::edge::background::{INPUTS, inputs};
use flukeprint_core::evidence::edge::guide::Guide;
use flukeprint_core::evidence::edge::{Edge, Strangers};
use flukeprint_core::model::named;
use network::BackgroundNetwork;
use std::path::Path;

/// Pieces a step.
const BATCH: usize = 512;
/// The highest rate of the cycle, weight decay and the joint norm that gradients are clipped to.
const RATE: f64 = 1e-2;
const WEIGHT_DECAY: f64 = 1e-4;
const CLIP: f64 = 1.0;
/// Photos below which fifty of them are no background.
const FEWEST: usize = 100;

/// A piece as the network sees it, and its background.
type Piece = ([f32; INPUTS], f32);

/// Trains a network of backgrounds on the training photos of the catalogue in the folder `data`, and writes it to `out`, 8 bits a weight.
///
/// The same catalogue and seed give the same file on the CPU.
///
/// # Errors
/// Unusable data, fewer than 100 edges, a loss that is no number any more, a full disk.
pub fn train(
    data: &Path,
    out: &Path,
    (seed, epochs): (u64, usize),
    device: &Device,
    progress: &dyn Progress,
) -> Result<()> {
    let catalogue = &read_catalogue(data, progress)?;
    let split = Split::draw(catalogue, seed, NEW_WHALES, UNSEEN_WHALES);
    let sights = sights(catalogue, &split.train, Some(&Guide::shipped()?), progress)?;
    if sights.len() < FEWEST {
        return Err(Error::Setting {
            name: "--data",
            value: data.display().to_string(),
            wanted: "a catalogue with 100 flukes or more that are not held out",
        });
    }
    let edges: Vec<Edge> = sights.iter().map(|(_, sight)| sight.edge.clone()).collect();
    let pieces = measured(&edges, progress);
    let trained = learn(&pieces, seed, epochs, device, progress)?;
    write_atomically(out, &weights::encode(&named::read(&trained)?)?)
}

/// Every piece of every edge.
fn measured(edges: &[Edge], progress: &dyn Progress) -> Vec<Piece> {
    progress.begin("comparing edges", edges.len());
    let strangers: Strangers = edges.iter().collect();
    let of = |(number, edge): (usize, &Edge)| {
        progress.advance(number + 1);
        let background = strangers.background(number);
        inputs(edge).into_iter().zip(background)
    };
    edges.iter().enumerate().flat_map(of).collect()
}

fn learn(
    pieces: &[Piece],
    seed: u64,
    epochs: usize,
    device: &Device,
    progress: &dyn Progress,
) -> Result<BackgroundNetwork> {
    device.seed(seed);
    let device = device.clone().autodiff();
    let mut network = BackgroundNetwork::init(&device);
    let all: Vec<usize> = (0..pieces.len()).collect();
    let steps = pieces.len() / BATCH;
    let cycle = OneCycle::new(steps * epochs);
    let mut optimizer = AdamW::new(WEIGHT_DECAY, CLIP);
    progress.begin("training on backgrounds", steps * epochs);
    for epoch in 0..epochs {
        let mut tally = Tally::new("backgrounds", epoch);
        let order = epoch_order(&all, seed, epoch as u64);
        for batch in order.chunks_exact(BATCH) {
            let (input, target) = tensors(batch.iter().map(|&piece| &pieces[piece]), &device);
            let step = epoch * steps + tally.steps();
            let off = network.forward(input) - target;
            let loss = (off.clone() * off).mean();
            tally.add(&loss)?;
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            let rate = RATE * cycle.rate(step);
            let pace = Pace {
                rate: &|_| rate,
                momentum: cycle.momentum(step),
            };
            network = optimizer.step(network, gradients, pace).0;
            progress.advance(step + 1);
        }
        progress.note(&format!(
            "backgrounds, epoch {} of {epochs}: off by {:.4}",
            epoch + 1,
            tally.mean_loss()?.sqrt()
        ));
    }
    Ok(network)
}

/// Pieces as tensors: `[batch, 76]` and `[batch, 1]`.
fn tensors<'a>(
    pieces: impl Iterator<Item = &'a Piece> + Clone,
    device: &Device,
) -> (Tensor<2>, Tensor<2>) {
    let input: Vec<f32> = pieces.clone().flat_map(|(input, _)| *input).collect();
    let target: Vec<f32> = pieces.map(|(_, background)| *background).collect();
    let count = target.len();
    (
        Tensor::from_data(TensorData::new(input, [count, INPUTS]), device),
        Tensor::from_data(TensorData::new(target, [count, 1]), device),
    )
}
