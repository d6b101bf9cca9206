//! Training of what guides the tracing of trailing edges: no table says where an edge runs, so the lines that are
//! found without a guide are learnt from, where there is reason to trust them; then those that are found with that guide,
//! more of which are right.
//!
//! - `trusted`: which lines those are;
//! - `samples`: the fluke seen again, moved and in other light, its line known;
//! - `clutter`: what else looks like an edge, drawn into samples;
//! - `network`: the guide as burn trains it.

mod clutter;
mod network;
mod samples;
mod trusted;

use super::optimizer::{AdamW, Pace};
use super::read_catalogue;
use super::samples::read_photo;
use super::schedule::OneCycle;
use super::tally::Tally;
use crate::data::{Batches, Catalogue, Loading, PhotoEntry, Split, epoch_order, write_atomically};
use crate::progress::Progress;
use crate::{Error, Result};
use burn::optim::GradientsParams;
use burn::tensor::Device;
use flukeprint_core::bundle::weights;
use flukeprint_core::evidence::edge::Sight;
use flukeprint_core::evidence::edge::guide::Guide;
use flukeprint_core::gallery::Label;
use flukeprint_core::model::named;
use network::GuideNetwork;
use rayon::prelude::*;
use samples::Sample;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Flukes a step.
const BATCH: usize = 32;
/// The highest rate of the cycle, weight decay and the joint norm that gradients are clipped to.
const RATE: f64 = 4e-3;
const WEIGHT_DECAY: f64 = 1e-3;
const CLIP: f64 = 1.0;
/// Held out, as the shipped recipes hold out: nothing is learnt of these.
pub(super) const NEW_WHALES: usize = 400;
pub(super) const UNSEEN_WHALES: usize = 150;

/// A fluke whose line is trusted.
type Fluke = Arc<Sight>;

/// How a guide is trained.
#[derive(Clone, Copy, Debug)]
pub struct Round<'a> {
    /// Of weights, split, order and views.
    pub seed: u64,
    /// How often every fluke is seen.
    pub epochs: usize,
    /// The guide of the round before, a file; without one lines are found without a guide, and flukes seen without clutter.
    pub before: Option<&'a Path>,
}

/// Trains a guide on the training photos of the catalogue in the folder `data`, and writes it to `out`, 8 bits a weight.
///
/// The same catalogue and seed give the same file on the CPU.
///
/// # Errors
/// Unusable data, a guide before that is none, fewer trusted lines than a batch, a loss that is no number any more, a full disk.
pub fn train(
    data: &Path,
    out: &Path,
    round: &Round<'_>,
    device: &Device,
    progress: &dyn Progress,
) -> Result<()> {
    let before = round.before.map(read).transpose()?;
    let catalogue = &read_catalogue(data, progress)?;
    let split = Split::draw(catalogue, round.seed, NEW_WHALES, UNSEEN_WHALES);
    let sights = sights(catalogue, &split.train, before.as_ref(), progress)?;
    let labels: Vec<Label> = sights
        .iter()
        .map(|(photo, _)| catalogue.photos[*photo].label)
        .collect();
    let flukes: Vec<Fluke> = sights.into_iter().map(|(_, sight)| sight).collect();
    let trusted = trusted::trusted(&labels, &flukes, progress)?;
    progress.note(&format!(
        "{} of {} lines are trusted",
        trusted.len(),
        flukes.len()
    ));
    if trusted.len() < BATCH {
        return Err(Error::Setting {
            name: "--data",
            value: data.display().to_string(),
            wanted: "a catalogue with 32 flukes or more whose trailing edge is plain",
        });
    }
    let trained = learn(&flukes, &trusted, round, device, progress)?;
    write_atomically(out, &weights::encode(&named::read(&trained)?)?)
}

/// The guide in a file.
fn read(path: &Path) -> Result<Guide> {
    let bytes = std::fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    Ok(Guide::read(&path.display().to_string(), &bytes)?)
}

/// The flukes among `photos` that have an edge, each with its photo's place in the catalogue.
pub(super) fn sights(
    catalogue: &Catalogue,
    photos: &[usize],
    guide: Option<&Guide>,
    progress: &dyn Progress,
) -> Result<Vec<(usize, Fluke)>> {
    let done = AtomicUsize::new(0);
    progress.begin("tracing edges", photos.len());
    let of = |&place: &usize| {
        let entry: &PhotoEntry = &catalogue.photos[place];
        let (photo, region) = read_photo(entry)?;
        let sight = Sight::of(&photo, region, guide).map_err(|error| Error::Photo {
            path: entry.path.clone(),
            reason: error.to_string(),
        })?;
        progress.advance(done.fetch_add(1, Ordering::Relaxed) + 1);
        Ok(sight.map(|sight| (place, Arc::new(sight))))
    };
    let sights: Result<Vec<Option<_>>> = photos.par_iter().map(of).collect();
    Ok(sights?.into_iter().flatten().collect())
}

fn learn(
    flukes: &[Fluke],
    trusted: &[usize],
    round: &Round<'_>,
    device: &Device,
    progress: &dyn Progress,
) -> Result<GuideNetwork> {
    let &Round { seed, epochs, .. } = round;
    device.seed(seed);
    let device = device.clone().autodiff();
    let mut guide = GuideNetwork::init(&device);
    let steps = trusted.len() / BATCH;
    let cycle = OneCycle::new(steps * epochs);
    let mut optimizer = AdamW::new(WEIGHT_DECAY, CLIP);
    progress.begin("training the guide", steps * epochs);
    for epoch in 0..epochs {
        let mut tally = Tally::new("the guide", epoch);
        for batch in batches(flukes, trusted, round, epoch as u64) {
            let (input, target) = samples::tensors(&batch?.samples, &device);
            let step = epoch * steps + tally.steps();
            let loss = network::loss(guide.forward(input), target);
            tally.add(&loss)?;
            let gradients = GradientsParams::from_grads(loss.backward(), &guide);
            let rate = RATE * cycle.rate(step);
            let pace = Pace {
                rate: &|_| rate,
                momentum: cycle.momentum(step),
            };
            guide = optimizer.step(guide, gradients, pace).0;
            progress.advance(step + 1);
        }
        progress.note(&format!(
            "guide, epoch {} of {epochs}: loss {:.4}",
            epoch + 1,
            tally.mean_loss()?
        ));
    }
    Ok(guide)
}

fn batches(flukes: &[Fluke], trusted: &[usize], round: &Round<'_>, epoch: u64) -> Batches<Sample> {
    let &Round { seed, before, .. } = round;
    let cluttered = before.is_some();
    let loading = Loading {
        seed,
        epoch,
        batch_size: BATCH,
        drop_last: true,
        workers: 1,
        ahead: 2,
    };
    let flukes = flukes.to_vec();
    Batches::start(
        epoch_order(trusted, seed, epoch),
        loading,
        move |place, rng| Ok(samples::sample(&flukes[place], cluttered, rng)),
    )
}
