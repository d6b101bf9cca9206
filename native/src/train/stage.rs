//! The loop, and its two last runs: the head alone, then everything (spec, *Training*). The first
//! one is [`metric`](super::metric)'s.

use super::network::TrainingNetwork;
use super::optimizer::{AdamW, Pace};
use super::samples::{Inputs, Samples};
use super::schedule::OneCycle;
use super::{FrozenNorms, Recipe, Stage};
use crate::progress::Progress;
use crate::{Error, Result};
use burn::module::{Flag, Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};

/// Trains the head on a backbone that keeps its weights. The backbone's batch norms may go on
/// learning their statistics ([`FrozenNorms`]), but not their scale and shift as the original's do:
/// those gradients would cost as much as training everything.
pub(super) fn head(
    network: TrainingNetwork,
    samples: &Samples,
    recipe: &Recipe,
    progress: &dyn Progress,
) -> Result<TrainingNetwork> {
    let stage = &recipe.head;
    let rates = |path: &str| match is_backbone(path) {
        true => 0.0,
        false => stage.head_rate,
    };
    let course = Course::of("head", stage, samples, &rates);
    classify(network, samples, recipe, &course, 0, progress)
}

/// Trains everything, the lower backbone more slowly.
pub(super) fn full(
    network: TrainingNetwork,
    samples: &Samples,
    recipe: &Recipe,
    progress: &dyn Progress,
) -> Result<TrainingNetwork> {
    let first_epoch = recipe.head.epochs;
    everything(
        "everything",
        network,
        samples,
        recipe,
        first_epoch,
        progress,
    )
}

/// [`full`] once more, with other samples.
pub(super) fn again(
    network: TrainingNetwork,
    samples: &Samples,
    recipe: &Recipe,
    progress: &dyn Progress,
) -> Result<TrainingNetwork> {
    let (name, first_epoch) = ("everything again", recipe.head.epochs + recipe.full.epochs);
    everything(name, network, samples, recipe, first_epoch, progress)
}

fn everything(
    name: &str,
    network: TrainingNetwork,
    samples: &Samples,
    recipe: &Recipe,
    first_epoch: usize,
    progress: &dyn Progress,
) -> Result<TrainingNetwork> {
    let stage = &recipe.full;
    let first_upper = recipe.model.backbone.facts().first_upper_block;
    let rates = |path: &str| match (is_backbone(path), is_upper(path, first_upper)) {
        (false, _) => stage.head_rate,
        (true, true) => stage.upper_rate,
        (true, false) => stage.lower_rate,
    };
    let course = Course::of(name, stage, samples, &rates);
    classify(
        network,
        samples,
        recipe,
        &course,
        first_epoch as u64,
        progress,
    )
}

/// Runs a course on shuffled photos and the loss of the classifiers.
fn classify(
    network: TrainingNetwork,
    samples: &Samples,
    recipe: &Recipe,
    course: &Course<'_>,
    first_epoch: u64,
    progress: &dyn Progress,
) -> Result<TrainingNetwork> {
    if course.epochs == 0 {
        return Ok(network);
    }
    if course.steps == 0 {
        return Err(Error::TooFewPhotos {
            photos: samples.len(),
            batch: recipe.batch,
        });
    }
    let batches = |network: &TrainingNetwork, epoch: usize| {
        Ok(samples.epoch(first_epoch + epoch as u64, &device_of(network)))
    };
    let loss = |network: &TrainingNetwork, inputs: Inputs| {
        let map = network.backbone_map(inputs.input);
        Ok(network.loss(map, &inputs.targets))
    };
    run(network, recipe, course, batches, loss, progress)
}

/// What a run of the loop is called, how long it is and what it trains.
#[derive(Clone, Copy)]
pub(super) struct Course<'a> {
    /// In messages: "training {name}".
    pub(super) name: &'a str,
    /// Passes over the training photos; with 0 the network stays as it is.
    pub(super) epochs: usize,
    /// Batches an epoch.
    pub(super) steps: usize,
    /// The highest rate of the parameter at a path; 0 keeps it constant.
    pub(super) rates: &'a dyn Fn(&str) -> f64,
    /// What batch norms do whose rate is zero.
    pub(super) frozen_norms: FrozenNorms,
}

impl<'a> Course<'a> {
    fn of(name: &'a str, stage: &Stage, samples: &Samples, rates: &'a dyn Fn(&str) -> f64) -> Self {
        Self {
            name,
            epochs: stage.epochs,
            steps: samples.steps(),
            rates,
            frozen_norms: stage.frozen_norms,
        }
    }
}

/// One one-cycle run of the optimizer. `batches` gives those of an epoch (from 0) for the network as
/// it is when the epoch begins, `loss` the loss of one batch, `[1]`.
pub(super) fn run<B, I: Iterator<Item = Result<B>>>(
    network: TrainingNetwork,
    recipe: &Recipe,
    course: &Course<'_>,
    mut batches: impl FnMut(&TrainingNetwork, usize) -> Result<I>,
    loss: impl Fn(&TrainingNetwork, B) -> Result<Tensor<1>>,
    progress: &dyn Progress,
) -> Result<TrainingNetwork> {
    let &Course {
        name,
        epochs,
        steps,
        ..
    } = course;
    let cycle = OneCycle::new(steps * epochs);
    let mut optimizer = AdamW::new(recipe.weight_decay, recipe.clip);
    let mut network = network.map(&mut Freeze {
        rates: course.rates,
        frozen_norms: course.frozen_norms,
        path: Vec::new(),
    });
    progress.begin(&format!("training {name}"), steps * epochs);
    for epoch in 0..epochs {
        let mut sum = 0.0;
        for (batch, inputs) in batches(&network, epoch)?.enumerate() {
            let step = epoch * steps + batch;
            let loss = loss(&network, inputs?)?;
            sum += f64::from(finite(&loss, name, epoch)?);
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            let rate = |path: &str| (course.rates)(path) * cycle.rate(step);
            let pace = Pace {
                rate: &rate,
                momentum: cycle.momentum(step),
            };
            network = optimizer.step(network, gradients, pace).0;
            progress.advance(step + 1);
        }
        progress.note(&format!(
            "{name}, epoch {} of {epochs}: loss {:.3}",
            epoch + 1,
            sum / steps as f64
        ));
    }
    Ok(network.map(&mut Freeze {
        rates: &|_| 1.0,
        frozen_norms: course.frozen_norms,
        path: Vec::new(),
    }))
}

/// The value of a loss, which must be a number.
fn finite(loss: &Tensor<1>, name: &str, epoch: usize) -> Result<f32> {
    let value: f32 = loss.clone().into_scalar();
    match value.is_finite() {
        true => Ok(value),
        false => Err(Error::Loss {
            stage: name.to_owned(),
            epoch: epoch + 1,
            value,
        }),
    }
}

/// Where the network's parameters are.
pub(super) fn device_of(network: &TrainingNetwork) -> Device {
    network.network.total.weight.val().device()
}

/// Makes the parameters with a rate of zero constant, and the others variable.
struct Freeze<'a> {
    rates: &'a dyn Fn(&str) -> f64,
    frozen_norms: FrozenNorms,
    path: Vec<String>,
}

impl ModuleMapper for Freeze<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let is_statistic = self
            .path
            .last()
            .is_some_and(|name| name.starts_with("running_"));
        match is_statistic {
            true => param,
            false => param.set_require_grad((self.rates)(&self.path.join(".")) > 0.0),
        }
    }

    /// The switch between batch statistics and running ones.
    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        let learns =
            self.frozen_norms == FrozenNorms::Learn || (self.rates)(&self.path.join(".")) > 0.0;
        flag.with_value(learns)
    }
}

/// Whether a parameter is the backbone's.
pub(super) fn is_backbone(path: &str) -> bool {
    path.contains(".backbone.")
}

/// Whether a backbone's parameter lies in its deeper half, which begins with that block.
pub(super) fn is_upper(path: &str, first_upper_block: usize) -> bool {
    match path.split_once(".blocks.") {
        Some((_, rest)) => rest
            .split('.')
            .next()
            .and_then(|block| block.parse::<usize>().ok())
            .is_some_and(|block| block >= first_upper_block),
        None => !path.contains(".stem."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flukeprint_core::model::backbone::BackboneName;

    #[test]
    fn the_deeper_half_of_a_backbone_is_its_upper_part() {
        for (backbone, path, upper) in [
            (BackboneName::MobileNetV2, "stem.conv.weight", false),
            (
                BackboneName::MobileNetV2,
                "blocks.10.expand.conv.weight",
                false,
            ),
            (
                BackboneName::MobileNetV2,
                "blocks.11.expand.conv.weight",
                true,
            ),
            (BackboneName::MobileNetV2, "last.conv.weight", true),
            (BackboneName::Compact, "blocks.1.first.conv.weight", false),
            (BackboneName::Compact, "blocks.2.first.conv.weight", true),
        ] {
            let path = format!("network.embedder.backbone.{backbone:?}.{path}");
            assert!(is_backbone(&path));
            assert_eq!(
                is_upper(&path, backbone.facts().first_upper_block),
                upper,
                "{path}"
            );
        }
        assert!(!is_backbone("network.embedder.heads.0.linear.weight"));
    }
}
