//! MobileNetV2, width 1.0 (Sandler et al., 2018).
//!
//! In the MXNet/GluonCV reference, whose ImageNet weights circulate in the ONNX model zoo, the first
//! bottleneck has an expansion of 32 to 32 channels; torchvision's has none.

use alloc::vec::Vec;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::Facts;
use crate::model::layer::{Activation, ConvNorm, ConvNormConfig};
use crate::model::trace::Trace;

/// 1280 channels, a column for 32 pixels.
pub(super) const FACTS: Facts = Facts::imagenet(1280, 32, |side| side.div_ceil(32), 11);

/// The paper's table 2: expansion, output channels, repetitions, stride of the first.
const STAGES: [(usize, usize, usize, usize); 7] = [
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
];

/// Stem, seventeen bottlenecks, a 1x1 convolution to 1280 channels.
#[derive(Module, Debug)]
pub struct MobileNetV2 {
    stem: ConvNorm,
    blocks: Vec<Bottleneck>,
    last: ConvNorm,
}

/// Expand, convolve each channel by itself, project; added to its input where shapes allow.
#[derive(Module, Debug)]
struct Bottleneck {
    expand: Option<ConvNorm>,
    depthwise: ConvNorm,
    project: ConvNorm,
    residual: bool,
}

fn layer(input: usize, output: usize, side: usize, activation: Activation) -> ConvNormConfig {
    ConvNormConfig {
        activation,
        ..ConvNormConfig::new(input, output, side)
    }
}

impl MobileNetV2 {
    /// torchvision's layout with fresh weights, drawn from the device's seed; channels divided by
    /// `narrow`.
    pub fn new(narrow: usize, device: &Device) -> Self {
        Self::with_first_expansion(false, narrow, device)
    }

    /// MXNet's and GluonCV's layout, likewise.
    pub fn gluon(narrow: usize, device: &Device) -> Self {
        Self::with_first_expansion(true, narrow, device)
    }

    fn with_first_expansion(first_expansion: bool, narrow: usize, device: &Device) -> Self {
        let mut input = 32 / narrow;
        let stem = ConvNormConfig {
            stride: 2,
            ..layer(3, input, 3, Activation::Relu6)
        }
        .init(device);
        let mut blocks = Vec::new();
        for (expansion, output, repetitions, stride) in STAGES {
            let output = output / narrow;
            for repetition in 0..repetitions {
                let stride = if repetition == 0 { stride } else { 1 };
                let has_expansion = expansion > 1 || first_expansion;
                let hidden = input * expansion;
                let widths = [input, hidden, output];
                blocks.push(Bottleneck::new(widths, has_expansion, stride, device));
                input = output;
            }
        }
        let last = layer(input, FACTS.channels / narrow, 1, Activation::Relu6);
        let last = last.init(device);
        Self { stem, blocks, last }
    }

    /// `[batch, 3, height, width]` to `[batch, 1280 / narrow, ceil(height / 32), ceil(width / 32)]`.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let x = self
            .blocks
            .iter()
            .fold(self.stem.forward(input), |x, block| block.forward(x));
        self.last.forward(x)
    }

    /// [`Self::forward`] with a map's size and cost in the place of the map.
    pub(in crate::model) fn trace(&self, input: Trace) -> Trace {
        let blocks = self.blocks.iter();
        let map = blocks.fold(self.stem.trace(input), |map, block| block.trace(map));
        self.last.trace(map)
    }

    /// The same function in evaluation, batch norms folded.
    #[must_use]
    pub fn fold(self) -> Self {
        Self {
            stem: self.stem.fold(),
            blocks: self.blocks.into_iter().map(Bottleneck::fold).collect(),
            last: self.last.fold(),
        }
    }
}

impl Bottleneck {
    fn new(
        [input, hidden, output]: [usize; 3],
        has_expansion: bool,
        stride: usize,
        device: &Device,
    ) -> Self {
        let depthwise = ConvNormConfig {
            stride,
            groups: hidden,
            ..layer(hidden, hidden, 3, Activation::Relu6)
        };
        Self {
            expand: has_expansion.then(|| layer(input, hidden, 1, Activation::Relu6).init(device)),
            depthwise: depthwise.init(device),
            project: layer(hidden, output, 1, Activation::Linear).init(device),
            residual: stride == 1 && input == output,
        }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let x = match &self.expand {
            Some(expand) => expand.forward(input.clone()),
            None => input.clone(),
        };
        let x = self.project.forward(self.depthwise.forward(x));
        if self.residual { x + input } else { x }
    }

    fn trace(&self, input: Trace) -> Trace {
        let layers = self.expand.iter().chain([&self.depthwise, &self.project]);
        layers.fold(input, |map, layer| layer.trace(map))
    }

    fn fold(self) -> Self {
        Self {
            expand: self.expand.map(ConvNorm::fold),
            depthwise: self.depthwise.fold(),
            project: self.project.fold(),
            residual: self.residual,
        }
    }
}
