//! HardNet as it is trained: how it begins, what of it learns, its loss.

use crate::train::losses::descriptor::{Hardest, hardest};
use crate::train::sgd::{Settings, Sgd};
use burn::module::{Module, ModuleMapper, Param};
use burn::nn::{Dropout, DropoutConfig, Initializer};
use burn::tensor::{Device, Tensor};
use flukeprint_core::evidence::HardNet;

/// The size of the orthogonal matrices that the convolutions begin with.
const GAIN: f64 = 0.6;
/// The share of the last map that is left out at a step.
const DROPOUT: f64 = 0.3;
/// The optimizer's (spec-local, *Training HardNet*).
const DESCENT: Settings = Settings {
    momentum: 0.9,
    dampening: 0.9,
    weight_decay: 1e-4,
};

/// The optimizer as it begins.
pub(super) fn optimizer() -> Sgd {
    Sgd::new(DESCENT)
}

/// A network of orthogonal weights, drawn by `device`, which differentiates. Norms have neither scale nor
/// shift to learn: those of ours stay at 1 and 0.
pub(super) fn fresh(device: &Device) -> HardNet {
    constant_norms(HardNet::init(device).map(&mut Begin))
}

/// `network` with nothing of its norms but their statistics to learn.
pub(super) fn constant_norms(network: HardNet) -> HardNet {
    network.map(&mut ConstantNorms { path: Vec::new() })
}

/// Gives every convolution orthogonal weights (Saxe et al., 2014), as matrices of a row an output.
struct Begin;

impl ModuleMapper for Begin {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if D != 4 {
            return param;
        }
        let (id, tensor, mapper) = param.consume();
        let (shape, device) = (tensor.dims(), tensor.device().inner());
        let drawn: Param<Tensor<D>> = Initializer::Orthogonal { gain: GAIN }.init(shape, &device);
        let weight = Tensor::from_inner(drawn.val());
        Param::from_mapped_value(id, weight.require_grad(), mapper)
    }
}

struct ConstantNorms {
    path: Vec<String>,
}

impl ModuleMapper for ConstantNorms {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self
            .path
            .last()
            .is_some_and(|name| name == "gamma" || name == "beta")
        {
            true => param.set_require_grad(false),
            false => param,
        }
    }
}

/// What a batch comes to: two patches of each point, `[points, 1, 32, 32]` each. Each side goes through the
/// network by itself, as in the original, so that norms see one side's statistics at a time.
pub(super) fn loss(network: &HardNet, patches: [Tensor<4>; 2]) -> Hardest {
    let dropout: Dropout = DropoutConfig::new(DROPOUT).init();
    let describe = |patches| network.forward_with(patches, |map| dropout.forward(map));
    let [anchors, positives] = patches.map(describe);
    hardest(anchors, positives)
}
