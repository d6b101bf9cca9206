//! DenseNet121 (Huang et al., 2017; torchvision's `features` and the ReLU behind it).

use alloc::vec;
use alloc::vec::Vec;
use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};

use super::Facts;
use super::map_pool::{Edge, max_3x3, mean_2x2, side_of_2x2, side_of_3x3};
use crate::model::layer::{ConvNorm, ConvNormConfig, NormRelu, convolve};
use crate::model::trace::Trace;

pub(super) const FACTS: Facts = Facts::imagenet(1024, 32, |side| side.div_ceil(4) / 8, 2);

/// Layers of each dense block.
const DEPTHS: [usize; 4] = [6, 12, 24, 16];
/// Channels that a layer adds, at full width.
const GROWTH: usize = 32;

/// A strided 7x7 convolution, a pooling, four dense blocks with transitions between, a last norm.
#[derive(Module, Debug)]
pub struct DenseNet {
    stem: ConvNorm,
    blocks: Vec<DenseBlock>,
    last: NormRelu,
}

/// Layers that each read all maps before them, and what leads to the next block.
#[derive(Module, Debug)]
struct DenseBlock {
    layers: Vec<DenseLayer>,
    transition: Option<Transition>,
}

#[derive(Module, Debug)]
struct DenseLayer {
    norm: NormRelu,
    reduce: ConvNorm,
    grow: Conv2d,
}

/// Half the channels, half the map.
#[derive(Module, Debug)]
struct Transition {
    norm: NormRelu,
    reduce: Conv2d,
}

impl DenseNet {
    /// Fresh weights, drawn from the device's seed; channels divided by `narrow`.
    pub fn new(narrow: usize, device: &Device) -> Self {
        let growth = GROWTH / narrow;
        let mut channels = 64 / narrow;
        let stem = ConvNormConfig {
            stride: 2,
            ..ConvNormConfig::new(3, channels, 7)
        };
        let mut blocks = Vec::new();
        for (index, depth) in DEPTHS.into_iter().enumerate() {
            let inputs = (0..depth).map(|layer| channels + layer * growth);
            let layers = inputs.map(|input| DenseLayer::new(input, growth, device));
            let layers = layers.collect();
            channels += depth * growth;
            let is_last = index + 1 == DEPTHS.len();
            let transition = (!is_last).then(|| Transition::new(channels, device));
            channels = if is_last { channels } else { channels / 2 };
            blocks.push(DenseBlock { layers, transition });
        }
        Self {
            stem: stem.init(device),
            blocks,
            last: NormRelu::new(channels, device),
        }
    }

    /// `[batch, 3, height, width]` to `[batch, 1024 / narrow, height / 32, width / 32]`, rounded
    /// up by the stem and down by the transitions.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let map = max_3x3(self.stem.forward(input), Edge::Padded);
        let map = self
            .blocks
            .iter()
            .fold(map, |map, block| block.forward(map));
        self.last.forward(map)
    }

    /// [`Self::forward`] with a map's size and cost in the place of the map.
    pub(in crate::model) fn trace(&self, input: Trace) -> Trace {
        let map = self.stem.trace(input);
        let map = map.resized(|side| side_of_3x3(side, Edge::Padded));
        self.blocks.iter().fold(map, |map, block| block.trace(map))
    }

    /// The same function in evaluation, batch norms folded where a convolution stands before them.
    #[must_use]
    pub fn fold(self) -> Self {
        Self {
            stem: self.stem.fold(),
            blocks: self.blocks.into_iter().map(DenseBlock::fold).collect(),
            last: self.last,
        }
    }
}

impl DenseBlock {
    fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let mut maps = vec![input];
        for layer in &self.layers {
            maps.push(layer.forward(Tensor::cat(maps.clone(), 1)));
        }
        let map = Tensor::cat(maps, 1);
        match &self.transition {
            Some(transition) => transition.forward(map),
            None => map,
        }
    }

    fn trace(&self, input: Trace) -> Trace {
        let layers = self.layers.iter();
        let map = layers.fold(input, |map, layer| {
            layer.reduce.trace(map).convolution(&layer.grow)
        });
        match &self.transition {
            Some(transition) => map.convolution(&transition.reduce).resized(side_of_2x2),
            None => map,
        }
    }

    fn fold(self) -> Self {
        Self {
            layers: self.layers.into_iter().map(DenseLayer::fold).collect(),
            transition: self.transition,
        }
    }
}

impl DenseLayer {
    fn new(input: usize, growth: usize, device: &Device) -> Self {
        Self {
            norm: NormRelu::new(input, device),
            reduce: ConvNormConfig::new(input, 4 * growth, 1).init(device),
            grow: ConvNormConfig::new(4 * growth, growth, 3).convolution(device),
        }
    }

    fn forward(&self, maps: Tensor<4>) -> Tensor<4> {
        let x = self.reduce.forward(self.norm.forward(maps));
        convolve(&self.grow, x)
    }

    fn fold(self) -> Self {
        Self {
            reduce: self.reduce.fold(),
            ..self
        }
    }
}

impl Transition {
    fn new(channels: usize, device: &Device) -> Self {
        Self {
            norm: NormRelu::new(channels, device),
            reduce: ConvNormConfig::new(channels, channels / 2, 1).convolution(device),
        }
    }

    fn forward(&self, map: Tensor<4>) -> Tensor<4> {
        mean_2x2(convolve(&self.reduce, self.norm.forward(map)))
    }
}
