//! The loop that all courses of a training share: step after step, epoch after epoch, and after each
//! epoch a checkpoint and a line in the journal.

use super::Recipe;
use super::checkpoint::{Checkpoint, Position};
use super::course::{Course, device_of, freeze, thaw};
use super::journal::{Epoch, Journal};
use super::network::TrainingNetwork;
use super::optimizer::{AdamW, Pace};
use super::tally::Tally;
use super::watch::Watch;
use crate::Result;
use crate::progress::Progress;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use std::path::PathBuf;
use std::time::Instant;

/// What the courses of a training have in common.
pub(super) struct Trainer<'a> {
    pub(super) recipe: &'a Recipe,
    pub(super) progress: &'a dyn Progress,
    /// Where checkpoints go.
    checkpoint: PathBuf,
    journal: Journal<Epoch>,
    watch: Watch,
    /// What an interrupted training has come to, until that point is reached.
    resumed: Option<Checkpoint>,
    /// Courses begun.
    courses: usize,
}

impl<'a> Trainer<'a> {
    /// A training whose checkpoints go to the file `checkpoint`; it goes on from `resumed`.
    pub(super) fn new(
        recipe: &'a Recipe,
        progress: &'a dyn Progress,
        checkpoint: PathBuf,
        journal: Journal<Epoch>,
        watch: Watch,
        resumed: Option<Checkpoint>,
    ) -> Self {
        Self {
            recipe,
            progress,
            checkpoint,
            journal,
            watch,
            resumed,
            courses: 0,
        }
    }

    /// One one-cycle run of the optimizer. `batches` gives those of an epoch (from 0) for the network
    /// as it is when the epoch begins, `loss` the loss of one batch, `[1]`.
    ///
    /// A training that goes on passes over the courses that are behind it.
    pub(super) fn run<B, I: Iterator<Item = Result<B>>>(
        &mut self,
        network: TrainingNetwork,
        course: &Course,
        mut batches: impl FnMut(&TrainingNetwork, usize) -> Result<I>,
        loss: impl Fn(&TrainingNetwork, B) -> Result<Tensor<1>>,
    ) -> Result<TrainingNetwork> {
        let number = self.courses;
        self.courses += 1;
        if course.epochs == 0 || self.is_behind(number) {
            return Ok(network);
        }
        let network = freeze(network, &course.rates, course.frozen_norms);
        let (first_epoch, optimizer) = self.begin(number, &network)?;
        let mut state = State { network, optimizer };
        let task = format!("training {}", course.name);
        self.progress.begin(&task, course.steps * course.epochs);
        for epoch in first_epoch..course.epochs {
            let seed = epoch_seed(self.recipe.seed, number, epoch);
            device_of(&state.network).inner().seed(seed);
            let begun = Instant::now();
            let mut tally = Tally::new(course.name, epoch);
            let mut made = batches(&state.network, epoch)?;
            while let Some(batch) = tally.wait_for(|| made.next()) {
                let loss = loss(&state.network, batch?)?;
                state = state.step(&loss, course, epoch, &mut tally);
                tally.add(&loss)?;
                self.progress.advance(epoch * course.steps + tally.steps());
            }
            let place = (number, epoch + 1);
            self.end_epoch(&state, course, place, &mut tally, begun)?;
        }
        Ok(thaw(state.network))
    }

    /// Keeps what an epoch has come to, and tells of it. `place` is the course's number and how many
    /// of its epochs are done.
    fn end_epoch(
        &mut self,
        state: &State,
        course: &Course,
        (number, epoch): (usize, usize),
        tally: &mut Tally,
        begun: Instant,
    ) -> Result<()> {
        let loss = tally.mean_loss()?;
        let seconds = begun.elapsed().as_secs_f64();
        let last = (epoch * course.steps).saturating_sub(1);
        let told = Epoch {
            course: number,
            stage: course.name.to_owned(),
            epoch,
            epochs: course.epochs,
            loss,
            gradient_norm: tally.last_norm()?,
            rates: course.rates.times(course.cycle().rate(last)),
            map5: self.watch.look(&state.network, epoch, course.epochs)?,
            photos: tally.steps() * course.photos,
            seconds,
            waited: tally.waited.as_secs_f64(),
        };
        let position = Position {
            course: number,
            epochs: epoch,
        };
        self.progress.note(&told.to_string());
        // First the journal: what it says beyond the checkpoint is forgotten by a training that goes
        // on, what it does not say would never be made up for.
        self.journal.add(told)?;
        let memory = state.optimizer.memory(&state.network)?;
        Checkpoint::of(&state.network, memory, position)?.save(&self.checkpoint)
    }

    /// Whether an interrupted training has been past this course.
    fn is_behind(&self, course: usize) -> bool {
        let resumed = self.resumed.as_ref();
        resumed.is_some_and(|checkpoint| course < checkpoint.position.course)
    }

    /// The epoch with which a course begins, and the optimizer as it is then.
    fn begin(&mut self, course: usize, network: &TrainingNetwork) -> Result<(usize, AdamW)> {
        let fresh = AdamW::new(self.recipe.weight_decay, self.recipe.clip);
        match self.resumed.take() {
            Some(checkpoint) if checkpoint.position.course == course => Ok((
                checkpoint.position.epochs,
                fresh.remembering(network, checkpoint.memory)?,
            )),
            _ => Ok((0, fresh)),
        }
    }
}

/// The network and what its optimizer remembers.
struct State {
    network: TrainingNetwork,
    optimizer: AdamW,
}

impl State {
    /// One step of the optimizer, the epoch's next.
    fn step(mut self, loss: &Tensor<1>, course: &Course, epoch: usize, tally: &mut Tally) -> Self {
        let (cycle, step) = (course.cycle(), epoch * course.steps + tally.steps());
        let gradients = GradientsParams::from_grads(loss.backward(), &self.network);
        let rate = |path: &str| course.rates.of(path) * cycle.rate(step);
        let pace = Pace {
            rate: &rate,
            momentum: cycle.momentum(step),
        };
        (self.network, tally.norm) = self.optimizer.step(self.network, gradients, pace);
        self
    }
}

/// What the device draws in an epoch, dropout above all, follows from this alone, so that a training
/// that was interrupted draws the same.
pub(super) fn epoch_seed(seed: u64, course: usize, epoch: usize) -> u64 {
    // The golden ratio in 64 bits, an odd number, spreads neighbours far apart.
    let place = ((course as u64) << 32) + epoch as u64 + 1;
    seed ^ place.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}
