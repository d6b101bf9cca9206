//! A small residual network of our own: dense 3x3 convolutions, which a CPU trains well.

use alloc::vec::Vec;
use burn::module::Module;
use burn::tensor::{Device, Tensor, activation};

use super::Facts;
use crate::model::layer::{Activation, ConvNorm, ConvNormConfig};
use crate::model::trace::Trace;

/// 128 channels, a column for 16 pixels.
pub(super) const FACTS: Facts = Facts::imagenet(WIDTHS[3], 16, |side| side.div_ceil(16), 2);

/// Channels of the stem and of each residual block; each halves the map.
const WIDTHS: [usize; 4] = [16, 32, 64, 128];

/// A strided stem and one residual block a further halving (He et al., 2016, figure 2).
#[derive(Module, Debug)]
pub struct Compact {
    stem: ConvNorm,
    blocks: Vec<Block>,
}

#[derive(Module, Debug)]
struct Block {
    first: ConvNorm,
    second: ConvNorm,
    shortcut: ConvNorm,
}

fn layer(
    input: usize,
    output: usize,
    side: usize,
    stride: usize,
    activation: Activation,
) -> ConvNormConfig {
    ConvNormConfig {
        stride,
        activation,
        ..ConvNormConfig::new(input, output, side)
    }
}

impl Compact {
    /// Fresh weights, drawn from the device's seed; channels divided by `narrow`.
    pub fn new(narrow: usize, device: &Device) -> Self {
        let widths = WIDTHS.map(|width| width / narrow);
        let stem = layer(3, widths[0], 3, 2, Activation::Relu).init(device);
        let blocks = widths
            .windows(2)
            .map(|widths| Block::new(widths[0], widths[1], device));
        Self {
            stem,
            blocks: blocks.collect(),
        }
    }

    /// `[batch, 3, height, width]` to `[batch, 128 / narrow, ceil(height / 16), ceil(width / 16)]`.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        self.blocks
            .iter()
            .fold(self.stem.forward(input), |x, block| block.forward(x))
    }

    /// [`Self::forward`] with a map's size and cost in the place of the map.
    pub(in crate::model) fn trace(&self, input: Trace) -> Trace {
        self.blocks
            .iter()
            .fold(self.stem.trace(input), |map, block| block.trace(map))
    }

    /// The same function in evaluation, batch norms folded.
    #[must_use]
    pub fn fold(self) -> Self {
        Self {
            stem: self.stem.fold(),
            blocks: self.blocks.into_iter().map(Block::fold).collect(),
        }
    }
}

impl Block {
    fn new(input: usize, output: usize, device: &Device) -> Self {
        Self {
            first: layer(input, output, 3, 2, Activation::Relu).init(device),
            second: layer(output, output, 3, 1, Activation::Linear).init(device),
            shortcut: layer(input, output, 1, 2, Activation::Linear).init(device),
        }
    }

    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let x = self.second.forward(self.first.forward(input.clone()));
        activation::relu(x + self.shortcut.forward(input))
    }

    fn trace(&self, input: Trace) -> Trace {
        let map = self.second.trace(self.first.trace(input));
        map.joined(self.shortcut.trace(input.branch()))
    }

    fn fold(self) -> Self {
        Self {
            first: self.first.fold(),
            second: self.second.fold(),
            shortcut: self.shortcut.fold(),
        }
    }
}
