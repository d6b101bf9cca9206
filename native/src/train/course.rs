//! What one run of the loop is: its name, its length, and how fast each part of the network learns.

use super::network::TrainingNetwork;
use super::schedule::OneCycle;
use super::{FrozenNorms, Recipe};
use burn::module::{Flag, Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// What a run of the loop is called, how long it is and what it trains.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    /// In messages: "training {name}".
    pub(super) name: &'static str,
    /// Passes over the training photos; with 0 the network stays as it is.
    pub(super) epochs: usize,
    /// Batches an epoch.
    pub(super) steps: usize,
    /// Photos a batch.
    pub(super) photos: usize,
    /// The highest rates.
    pub(super) rates: Rates,
    /// What batch norms do whose rate is zero.
    pub(super) frozen_norms: FrozenNorms,
}

impl Course {
    /// How rates and momentum run over all of its steps.
    pub(super) fn cycle(&self) -> OneCycle {
        OneCycle::new(self.steps * self.epochs)
    }
}

/// The highest rate of each part of the network; 0 keeps a part constant.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Rates {
    /// The heads.
    pub(super) heads: f64,
    /// The classifiers, and what ring and center loss learn.
    pub(super) classifiers: f64,
    /// The backbone's deeper half.
    pub(super) upper: f64,
    /// The backbone's shallower half.
    pub(super) lower: f64,
    /// The block with which the deeper half begins.
    #[serde(skip)]
    pub(super) first_upper_block: usize,
    /// So many first blocks are constant, and the stem with them; 0 for none.
    #[serde(skip)]
    pub(super) fixed_blocks: usize,
}

impl Rates {
    /// Nothing learns.
    pub(super) fn zero(recipe: &Recipe) -> Self {
        Self {
            heads: 0.0,
            classifiers: 0.0,
            upper: 0.0,
            lower: 0.0,
            first_upper_block: recipe.model.backbone.facts().first_upper_block,
            fixed_blocks: 0,
        }
    }

    /// The highest rate of the parameter at `path`.
    pub(super) fn of(&self, path: &str) -> f64 {
        match is_backbone(path) {
            true if !is_upper(path, self.fixed_blocks) && self.fixed_blocks > 0 => 0.0,
            true if is_upper(path, self.first_upper_block) => self.upper,
            true => self.lower,
            false if path.contains(".heads.") || path.contains("learned_p") => self.heads,
            false => self.classifiers,
        }
    }

    /// All of them times `factor`.
    pub(super) fn times(self, factor: f64) -> Self {
        Self {
            heads: self.heads * factor,
            classifiers: self.classifiers * factor,
            upper: self.upper * factor,
            lower: self.lower * factor,
            ..self
        }
    }
}

/// Makes the parameters of `network` with a rate of zero constant, and the others variable.
pub(super) fn freeze(
    network: TrainingNetwork,
    rates: &Rates,
    frozen_norms: FrozenNorms,
) -> TrainingNetwork {
    let rates = |path: &str| rates.of(path);
    network.map(&mut Freeze::new(&rates, frozen_norms))
}

/// Makes all parameters of `network` variable.
pub(super) fn thaw(network: TrainingNetwork) -> TrainingNetwork {
    network.map(&mut Freeze::new(&|_| 1.0, FrozenNorms::Learn))
}

/// Where the network's parameters are.
pub(super) fn device_of(network: &TrainingNetwork) -> Device {
    network.network.total.weight.val().device()
}

struct Freeze<'a> {
    rates: &'a dyn Fn(&str) -> f64,
    frozen_norms: FrozenNorms,
    path: Vec<String>,
}

impl<'a> Freeze<'a> {
    fn new(rates: &'a dyn Fn(&str) -> f64, frozen_norms: FrozenNorms) -> Self {
        Self {
            rates,
            frozen_norms,
            path: Vec::new(),
        }
    }
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
    fn fixed_blocks_and_the_stem_below_them_do_not_learn() {
        let rates = Rates {
            heads: 4.0,
            classifiers: 3.0,
            upper: 2.0,
            lower: 1.0,
            first_upper_block: 11,
            fixed_blocks: 2,
        };
        for (path, rate) in [
            ("stem.conv.weight", 0.0),
            ("blocks.1.depthwise.norm.gamma", 0.0),
            ("blocks.2.expand.conv.weight", 1.0),
            ("blocks.11.expand.conv.weight", 2.0),
            ("last.conv.weight", 2.0),
        ] {
            let path = format!("network.embedder.backbone.MobileNetV2.{path}");
            assert_eq!(rates.of(&path), rate, "{path}");
        }
        assert_eq!(rates.of("network.embedder.heads.0.linear.weight"), 4.0);
        let none = Rates {
            fixed_blocks: 0,
            ..rates
        };
        let stem = "network.embedder.backbone.MobileNetV2.stem.conv.weight";
        assert_eq!(none.of(stem), 1.0);
    }

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
