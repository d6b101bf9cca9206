//! The loop: the head alone, then everything (spec, *Training*).

use super::network::TrainingNetwork;
use super::optimizer::{AdamW, Pace};
use super::samples::Samples;
use super::schedule::OneCycle;
use super::{FrozenNorms, Recipe, Stage};
use crate::progress::Progress;
use crate::{Error, Result};
use burn::module::{Flag, Module, ModuleMapper, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// Trains the head on a backbone that keeps its weights. The backbone's batch norms may go on
/// learning their statistics ([`FrozenNorms`]), but not their scale and shift as the original's do:
/// those gradients would cost as much as training everything.
pub(super) fn head(
    network: TrainingNetwork,
    samples: &Samples,
    recipe: &Recipe,
    progress: &dyn Progress,
) -> Result<TrainingNetwork> {
    let rates = |path: &str| {
        if is_backbone(path) {
            0.0
        } else {
            recipe.head.head_rate
        }
    };
    run(
        "head",
        network,
        samples,
        recipe,
        &recipe.head,
        0,
        &rates,
        progress,
    )
}

/// Trains everything, the lower backbone more slowly.
pub(super) fn full(
    network: TrainingNetwork,
    samples: &Samples,
    recipe: &Recipe,
    progress: &dyn Progress,
) -> Result<TrainingNetwork> {
    everything(
        "everything",
        network,
        samples,
        recipe,
        recipe.head.epochs,
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
    let first_epoch = recipe.head.epochs + recipe.full.epochs;
    everything(
        "everything again",
        network,
        samples,
        recipe,
        first_epoch,
        progress,
    )
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
    run(
        name,
        network,
        samples,
        recipe,
        stage,
        first_epoch as u64,
        &rates,
        progress,
    )
}

#[allow(clippy::too_many_arguments)] // private, called twice, each of them needed
fn run(
    name: &str,
    network: TrainingNetwork,
    samples: &Samples,
    recipe: &Recipe,
    stage: &Stage,
    first_epoch: u64,
    rates: &dyn Fn(&str) -> f64,
    progress: &dyn Progress,
) -> Result<TrainingNetwork> {
    if stage.epochs == 0 {
        return Ok(network);
    }
    if samples.steps() == 0 {
        return Err(Error::TooFewPhotos {
            photos: samples.len(),
            batch: recipe.batch,
        });
    }
    let steps = samples.steps() * stage.epochs;
    let cycle = OneCycle::new(steps);
    let mut optimizer = AdamW::new(recipe.weight_decay, recipe.clip);
    let mut network = network.map(&mut Freeze {
        rates,
        frozen_norms: stage.frozen_norms,
        path: Vec::new(),
    });
    let device = network.network.total.weight.val().device();
    progress.begin(&format!("training {name}"), steps);
    for epoch in 0..stage.epochs {
        let mut sum = 0.0;
        for (batch, inputs) in samples
            .epoch(first_epoch + epoch as u64, &device)
            .enumerate()
        {
            let inputs = inputs?;
            let step = epoch * samples.steps() + batch;
            let map = network.backbone_map(inputs.input);
            let loss = network.loss(map, &inputs.targets);
            let value: f32 = loss.clone().into_scalar();
            if !value.is_finite() {
                return Err(Error::Loss {
                    stage: name.to_owned(),
                    epoch: epoch + 1,
                    value,
                });
            }
            sum += f64::from(value);
            let gradients = GradientsParams::from_grads(loss.backward(), &network);
            let rate = |path: &str| rates(path) * cycle.rate(step);
            let pace = Pace {
                rate: &rate,
                momentum: cycle.momentum(step),
            };
            network = optimizer.step(network, gradients, pace).0;
            progress.advance(step + 1);
        }
        let mean = sum / samples.steps() as f64;
        progress.note(&format!(
            "{name}, epoch {} of {}: loss {mean:.3}",
            epoch + 1,
            stage.epochs
        ));
    }
    Ok(network.map(&mut Freeze {
        rates: &|_| 1.0,
        frozen_norms: stage.frozen_norms,
        path: Vec::new(),
    }))
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

fn is_backbone(path: &str) -> bool {
    path.contains(".backbone.")
}

/// Whether a backbone's parameter lies in its deeper half, which begins with that block.
fn is_upper(path: &str, first_upper_block: usize) -> bool {
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
