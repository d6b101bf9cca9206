//! Training of what describes a patch of skin: HardNet, on pairs of patches of one place that are made here.
//!
//! - [`DescriptorRecipe`]: what decides;
//! - `sources`: the training photos with their keypoints, and pairs of photos of one whale that agree; which
//!   of them make a batch;
//! - `warp`: the same fluke seen again, every place of it known;
//! - `patches`: sources to pairs of patches;
//! - `network`: how it begins and what is made small; `epoch`: what the journal says.
//!
//! The split decides which photos are seen, as for a network that names whales, and the run's folder is like
//! that one's: `hardnet.safetensors` in it is what was trained.

mod epoch;
mod network;
mod patches;
mod recipe;
mod sources;
mod warp;

pub use recipe::{Across, Descriptor, DescriptorRecipe};
pub use warp::WarpRecipe;

use super::checkpoint::{self, Checkpoint, Position};
use super::journal::{self, Journal};
use super::recipe::AnyRecipe;
use super::run::Facts;
use super::sgd::Sgd;
use super::tally::Tally;
use super::trainer::epoch_seed;
use super::{folder, read_catalogue, save_weights};
use crate::data::{Batch, Catalogue, Split, write_atomically};
use crate::progress::Progress;
use crate::{Error, Result};
use burn::optim::GradientsParams;
use burn::tensor::Device;
use epoch::DescriptorEpoch;
use flukeprint_core::evidence::HardNet;
use flukeprint_core::model::named;
use patches::{Maker, Pairs, tensors};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

/// The network in a run's folder.
pub const FILE: &str = "hardnet.safetensors";

/// Trains by `recipe` on the training photos of the catalogue in the folder `data` and writes the run to
/// `out`.
///
/// The same catalogue and recipe give the same weights on the CPU, whatever the number of threads.
///
/// # Errors
/// Unusable data, too few photos for a batch; a loss that is no number any more, a photo that cannot be
/// read any more, a full disk. Then nothing is left at `out`; after the first epoch, [`resume`] can go on
/// from where the last one ended.
pub fn train(
    data: &Path,
    recipe: &DescriptorRecipe,
    out: &Path,
    device: &Device,
    progress: &dyn Progress,
) -> Result<()> {
    let catalogue = &read_catalogue(data, progress)?;
    let held_out = &recipe.validation;
    let (new, unseen) = (held_out.new_whales, held_out.unseen_whales);
    let split = Split::draw(catalogue, recipe.seed, new, unseen);
    let growing = folder::begin(out)?;
    write_atomically(&growing.join(folder::RECIPE), recipe.to_toml()?.as_bytes())?;
    folder::remember(&growing, data, catalogue, None, &split)?;
    let work = Work {
        recipe,
        catalogue,
        split: &split,
        growing,
        device,
        progress,
    };
    work.end(out, work.run(None))
}

/// Whether an interrupted training of a descriptor is to stand at `out`.
pub fn is_interrupted(out: &Path) -> bool {
    let recipe = recipe_in(&folder::unfinished(out));
    matches!(recipe, Ok(AnyRecipe::Descriptor(_)))
}

fn recipe_in(growing: &Path) -> Result<AnyRecipe> {
    let text = folder::text(growing, folder::RECIPE)?;
    AnyRecipe::parse(&growing.join(folder::RECIPE).display().to_string(), &text)
}

/// Goes on with the training at `out` that was interrupted, from the end of the last epoch.
///
/// # Errors
/// As [`train`]; nothing to go on with; photos, labels or boxes that have changed since.
pub fn resume(out: &Path, device: &Device, progress: &dyn Progress) -> Result<()> {
    let (growing, checkpoint) = folder::interrupted(out)?;
    let AnyRecipe::Descriptor(recipe) = recipe_in(&growing)? else {
        return Err(Error::Run {
            path: growing,
            reason: "trains no descriptor".to_owned(),
        });
    };
    let facts: Facts = folder::facts(&growing)?;
    let catalogue = &read_catalogue(&facts.catalogue, progress)?;
    let split = folder::split(&growing, out, &facts, catalogue)?;
    let work = Work {
        recipe: &recipe,
        catalogue,
        split: &split,
        growing,
        device,
        progress,
    };
    work.end(out, work.run(Some(checkpoint)))
}

/// A training and what it is made on.
struct Work<'a> {
    recipe: &'a DescriptorRecipe,
    catalogue: &'a Catalogue,
    split: &'a Split,
    growing: PathBuf,
    device: &'a Device,
    progress: &'a dyn Progress,
}

/// The network and its optimizer.
struct State {
    network: HardNet,
    optimizer: Sgd,
}

impl Work<'_> {
    fn end(&self, out: &Path, result: Result<()>) -> Result<()> {
        match result {
            Ok(()) => folder::finish(out),
            Err(error) => {
                if !self.growing.join(journal::FILE).exists() {
                    // The error that led here matters more than one from cleaning up.
                    let _ = std::fs::remove_dir_all(&self.growing);
                }
                Err(folder::stopped(out, error))
            }
        }
    }

    fn run(&self, resumed: Option<Checkpoint>) -> Result<()> {
        let (recipe, photos) = (self.recipe, &self.split.train);
        let sources = sources::sources(self.catalogue, photos, recipe, self.progress)?;
        let maker = Arc::new(Maker::new(sources, self.catalogue, recipe));
        let [all, pairs] = maker.counts();
        self.progress.note(&format!(
            "patches of {} photos, and of {pairs} pairs of photos of one whale that agree",
            all - pairs
        ));
        let position = resumed.as_ref().map(|checkpoint| checkpoint.position);
        let first = position.map_or(0, |position| position.epochs);
        let mut journal = Journal::open(&self.growing, position)?;
        let mut state = self.begin(resumed)?;
        let steps = recipe.epochs * recipe.batches;
        self.progress.begin("training hardnet", steps);
        for epoch in first..recipe.epochs {
            let told;
            (state, told) = self.epoch(state, &maker, epoch)?;
            self.progress.note(&told.to_string());
            let position = Position {
                course: 0,
                epochs: epoch + 1,
            };
            journal.add(told)?;
            let memory = state.optimizer.memory(&state.network)?;
            let path = self.growing.join(checkpoint::FILE);
            Checkpoint::of(&state.network, memory, position)?.save(&path)?;
        }
        let path = self.growing.join(FILE);
        save_weights(&named::read(&state.network)?, &path)
    }

    fn begin(&self, resumed: Option<Checkpoint>) -> Result<State> {
        let network = network::fresh(self.recipe.seed, &self.device.clone().autodiff());
        let optimizer = network::optimizer();
        let Some(checkpoint) = resumed else {
            return Ok(State { network, optimizer });
        };
        let network = checkpoint.restore(network, &self.growing.join(checkpoint::FILE))?;
        let network = network::constant_norms(network);
        let optimizer = optimizer.remembering(&network, checkpoint.memory)?;
        Ok(State { network, optimizer })
    }

    fn epoch(
        &self,
        mut state: State,
        maker: &Arc<Maker>,
        epoch: usize,
    ) -> Result<(State, DescriptorEpoch)> {
        let begun = Instant::now();
        self.device.seed(epoch_seed(self.recipe.seed, 0, epoch));
        let first_step = epoch * self.recipe.batches;
        let mut tally = Tally::new("hardnet", epoch);
        let mut right = Tally::new("hardnet", epoch);
        let mut points = 0;
        let mut batches = maker.epoch(epoch as u64);
        while let Some(batch) = tally.wait_for(|| batches.next()) {
            let step = first_step + tally.steps();
            let rate = self.recipe.rate_at(step);
            points += self.step(&mut state, &batch?, rate, &mut tally, &mut right)?;
            self.progress.advance(step + 1);
        }
        let told = DescriptorEpoch {
            epoch: epoch + 1,
            epochs: self.recipe.epochs,
            loss: tally.mean_loss()?,
            right: right.mean_loss()?,
            gradient_norm: tally.last_norm()?,
            rate: self
                .recipe
                .rate_at((first_step + tally.steps()).saturating_sub(1)),
            points,
            seconds: begun.elapsed().as_secs_f64(),
            waited: tally.waited.as_secs_f64(),
        };
        Ok((state, told))
    }

    /// One step; returns how many points it was on.
    fn step(
        &self,
        state: &mut State,
        batch: &Batch<Pairs>,
        rate: f64,
        tally: &mut Tally,
        right: &mut Tally,
    ) -> Result<usize> {
        let (points, patches) = tensors(&batch.samples, &self.device.clone().autodiff());
        let hardest = network::loss(&state.network, patches);
        let gradients = GradientsParams::from_grads(hardest.loss.backward(), &state.network);
        let network = state.network.clone();
        (state.network, tally.norm) = state.optimizer.step(network, gradients, rate);
        tally.add(&hardest.loss)?;
        right.add(&hardest.right)?;
        Ok(points)
    }
}
