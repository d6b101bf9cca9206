//! The two last courses: the head alone, then everything (spec, *Training*). The first one is
//! [`metric`](super::metric)'s.

use super::course::{Course, Rates, device_of};
use super::network::TrainingNetwork;
use super::samples::{Inputs, Samples};
use super::trainer::Trainer;
use super::{Recipe, Stage};
use crate::{Error, Result};

/// Trains the head on a backbone that keeps its weights. The backbone's batch norms may go on
/// learning their statistics ([`FrozenNorms`](super::FrozenNorms)), but not their scale and shift as
/// the original's do: those gradients would cost as much as training everything.
pub(super) fn head(
    network: TrainingNetwork,
    samples: &Samples,
    trainer: &mut Trainer<'_>,
) -> Result<TrainingNetwork> {
    let stage = &trainer.recipe.head;
    let rates = Rates {
        heads: stage.head_rate,
        classifiers: stage.head_rate,
        ..Rates::zero(trainer.recipe)
    };
    let course = course("head", stage, rates, samples);
    classify(network, samples, &course, 0, trainer)
}

/// Trains everything, the lower backbone more slowly.
pub(super) fn full(
    network: TrainingNetwork,
    samples: &Samples,
    trainer: &mut Trainer<'_>,
) -> Result<TrainingNetwork> {
    let first_epoch = trainer.recipe.head.epochs;
    everything("everything", network, samples, first_epoch, trainer)
}

/// [`full`] once more, with other samples.
pub(super) fn again(
    network: TrainingNetwork,
    samples: &Samples,
    trainer: &mut Trainer<'_>,
) -> Result<TrainingNetwork> {
    let first_epoch = trainer.recipe.head.epochs + trainer.recipe.full.epochs;
    everything("everything again", network, samples, first_epoch, trainer)
}

fn everything(
    name: &'static str,
    network: TrainingNetwork,
    samples: &Samples,
    first_epoch: usize,
    trainer: &mut Trainer<'_>,
) -> Result<TrainingNetwork> {
    let recipe: &Recipe = trainer.recipe;
    let rates = Rates {
        heads: recipe.full.head_rate,
        classifiers: recipe.full.head_rate,
        upper: recipe.full.upper_rate,
        lower: recipe.full.lower_rate,
        fixed_blocks: recipe.full.fixed_blocks,
        ..Rates::zero(recipe)
    };
    let course = course(name, &recipe.full, rates, samples);
    classify(network, samples, &course, first_epoch as u64, trainer)
}

fn course(name: &'static str, stage: &Stage, rates: Rates, samples: &Samples) -> Course {
    Course {
        name,
        epochs: stage.epochs,
        steps: samples.steps(),
        photos: samples.batch(),
        rates,
        frozen_norms: stage.frozen_norms,
    }
}

/// Runs a course on shuffled photos and the loss of the classifiers.
fn classify(
    network: TrainingNetwork,
    samples: &Samples,
    course: &Course,
    first_epoch: u64,
    trainer: &mut Trainer<'_>,
) -> Result<TrainingNetwork> {
    if course.epochs > 0 && course.steps == 0 {
        return Err(Error::TooFewPhotos {
            photos: samples.len(),
            batch: samples.batch(),
        });
    }
    let batches = |network: &TrainingNetwork, epoch: usize| {
        Ok(samples.epoch(first_epoch + epoch as u64, &device_of(network)))
    };
    let loss = |network: &TrainingNetwork, inputs: Inputs| {
        let map = network.backbone_map(inputs.input);
        Ok(network.loss(map, &inputs.targets))
    };
    trainer.run(network, course, batches, loss)
}
