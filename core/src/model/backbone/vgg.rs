//! VGG16 with batch norm (Simonyan and Zisserman, 2015; torchvision's `features`).

use alloc::vec::Vec;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::Facts;
use super::map_pool::{max_2x2, side_of_2x2};
use crate::model::layer::{ConvNorm, ConvNormConfig};
use crate::model::trace::Trace;

pub(super) const FACTS: Facts = Facts::imagenet(512, 32, |side| side / 32, 7);

/// Channels of the convolutions between one pooling and the next.
const STAGES: [&[usize]; 5] = [
    &[64, 64],
    &[128, 128],
    &[256, 256, 256],
    &[512, 512, 512],
    &[512, 512, 512],
];

/// Thirteen 3x3 convolutions with bias and five poolings.
#[derive(Module, Debug)]
pub struct Vgg {
    blocks: Vec<ConvNorm>,
}

impl Vgg {
    /// Fresh weights, drawn from the device's seed; channels divided by `narrow`.
    pub fn new(narrow: usize, device: &Device) -> Self {
        let mut input = 3;
        let layers = STAGES.iter().copied().flatten().map(|&output| {
            let output = output / narrow;
            let config = ConvNormConfig {
                bias: true,
                ..ConvNormConfig::new(input, output, 3)
            };
            input = output;
            config.init(device)
        });
        Self {
            blocks: layers.collect(),
        }
    }

    /// `[batch, 3, height, width]` to `[batch, 512 / narrow, height / 32, width / 32]`, rounded down.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let mut layers = self.blocks.iter();
        STAGES.iter().fold(input, |map, stage| {
            let stage = layers.by_ref().take(stage.len());
            max_2x2(stage.fold(map, |map, layer| layer.forward(map)))
        })
    }

    /// [`Self::forward`] with a map's size and cost in the place of the map.
    pub(in crate::model) fn trace(&self, input: Trace) -> Trace {
        let mut layers = self.blocks.iter();
        STAGES.iter().fold(input, |map, stage| {
            let stage = layers.by_ref().take(stage.len());
            let map = stage.fold(map, |map, layer| layer.trace(map));
            map.resized(side_of_2x2)
        })
    }

    /// The same function in evaluation, batch norms folded.
    #[must_use]
    pub fn fold(self) -> Self {
        Self {
            blocks: self.blocks.into_iter().map(ConvNorm::fold).collect(),
        }
    }
}
