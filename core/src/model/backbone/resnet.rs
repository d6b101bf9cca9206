//! ResNet50 and ResNet152 (He et al., 2016), and what SE-ResNeXt50 shares with them.

use alloc::vec::Vec;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::Facts;
use super::bottleneck::{Bottleneck, BottleneckConfig};
use super::map_pool::{Edge, max_3x3, side_of_3x3};
use crate::model::layer::{ConvNorm, ConvNormConfig};
use crate::model::trace::Trace;

/// The deeper half begins with the third of the four stages.
pub(super) const RESNET50: Facts = Facts::imagenet(2048, 32, |side| side.div_ceil(32), 7);
/// See [`RESNET50`].
pub(super) const RESNET152: Facts = Facts::imagenet(2048, 32, |side| side.div_ceil(32), 11);
/// A strided 7x7 convolution, a pooling, four stages of bottlenecks.
#[derive(Module, Debug)]
pub struct ResNet {
    stem: ConvNorm,
    blocks: Vec<Bottleneck>,
    #[module(skip)]
    edge: Edge,
}

/// What the variants differ in.
pub(super) struct Variant {
    /// Blocks of each stage.
    pub depths: [usize; 4],
    /// Groups of the 3x3 convolutions at full width.
    pub groups: usize,
    /// Channels between the 1x1 convolutions, as a share of the block's output.
    pub narrowing: usize,
    /// Whether blocks weigh their channels.
    pub squeeze: bool,
    /// Of the stem's pooling.
    pub edge: Edge,
}

/// ResNet50's.
pub(super) const PLAIN: Variant = Variant {
    depths: [3, 4, 6, 3],
    groups: 1,
    narrowing: 4,
    squeeze: false,
    edge: Edge::Padded,
};

impl ResNet {
    /// ResNet50 with fresh weights; channels divided by `narrow`.
    pub fn resnet50(narrow: usize, device: &Device) -> Self {
        Self::new(&PLAIN, narrow, device)
    }

    /// ResNet152, likewise.
    pub fn resnet152(narrow: usize, device: &Device) -> Self {
        let depths = [3, 8, 36, 3];
        Self::new(&Variant { depths, ..PLAIN }, narrow, device)
    }

    /// Fresh weights, drawn from the device's seed; channels divided by `narrow`.
    pub(super) fn new(variant: &Variant, narrow: usize, device: &Device) -> Self {
        let mut input = 64 / narrow;
        let stem = ConvNormConfig {
            stride: 2,
            ..ConvNormConfig::new(3, input, 7)
        };
        let mut blocks = Vec::new();
        for (stage, &depth) in variant.depths.iter().enumerate() {
            let output = (256 << stage) / narrow;
            for block in 0..depth {
                let config = BottleneckConfig {
                    input,
                    width: output / variant.narrowing,
                    output,
                    stride: if block == 0 && stage > 0 { 2 } else { 1 },
                    groups: variant.groups.div_ceil(narrow),
                    squeeze: variant.squeeze,
                };
                blocks.push(config.init(device));
                input = output;
            }
        }
        Self {
            stem: stem.init(device),
            blocks,
            edge: variant.edge,
        }
    }

    /// `[batch, 3, height, width]` to `[batch, 2048 / narrow, ceil(height / 32), ceil(width / 32)]`.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let map = max_3x3(self.stem.forward(input), self.edge);
        self.blocks
            .iter()
            .fold(map, |map, block| block.forward(map))
    }

    /// [`Self::forward`] with a map's size and cost in the place of the map.
    pub(in crate::model) fn trace(&self, input: Trace) -> Trace {
        let map = self.stem.trace(input);
        let map = map.resized(|side| side_of_3x3(side, self.edge));
        self.blocks.iter().fold(map, |map, block| block.trace(map))
    }

    /// The same function in evaluation, batch norms folded.
    #[must_use]
    pub fn fold(self) -> Self {
        Self {
            stem: self.stem.fold(),
            blocks: self.blocks.into_iter().map(Bottleneck::fold).collect(),
            edge: self.edge,
        }
    }
}
