//! The block of ResNet, ResNeXt and their squeezing variants.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor, activation};

use crate::model::layer::{Activation, ConvNorm, ConvNormConfig};
use crate::model::precision::in_f32;
use crate::model::trace::Trace;

/// Shape of a [`Bottleneck`].
#[derive(Clone, Copy, Debug)]
pub(super) struct BottleneckConfig {
    pub input: usize,
    /// Channels between the two 1x1 convolutions.
    pub width: usize,
    pub output: usize,
    /// Of the 3x3 convolution and the shortcut.
    pub stride: usize,
    /// Of the 3x3 convolution.
    pub groups: usize,
    /// Whether channels are weighted by what the whole map says.
    pub squeeze: bool,
}

/// 1x1, 3x3 and 1x1 convolution, added to the input (He et al., 2016).
#[derive(Module, Debug)]
pub(super) struct Bottleneck {
    reduce: ConvNorm,
    convolve: ConvNorm,
    expand: ConvNorm,
    squeeze: Option<SqueezeExcitation>,
    shortcut: Option<ConvNorm>,
}

impl BottleneckConfig {
    pub(super) fn init(&self, device: &Device) -> Bottleneck {
        let convolve = ConvNormConfig {
            stride: self.stride,
            groups: self.groups,
            ..ConvNormConfig::new(self.width, self.width, 3)
        };
        let expand = ConvNormConfig {
            activation: Activation::Linear,
            ..ConvNormConfig::new(self.width, self.output, 1)
        };
        let shortcut = ConvNormConfig {
            stride: self.stride,
            activation: Activation::Linear,
            ..ConvNormConfig::new(self.input, self.output, 1)
        };
        let changes_shape = self.stride != 1 || self.input != self.output;
        Bottleneck {
            reduce: ConvNormConfig::new(self.input, self.width, 1).init(device),
            convolve: convolve.init(device),
            expand: expand.init(device),
            squeeze: self
                .squeeze
                .then(|| SqueezeExcitation::new(self.output, device)),
            shortcut: changes_shape.then(|| shortcut.init(device)),
        }
    }
}

impl Bottleneck {
    pub(super) fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let x = self.convolve.forward(self.reduce.forward(input.clone()));
        let x = self.expand.forward(x);
        let x = match &self.squeeze {
            Some(squeeze) => squeeze.forward(x),
            None => x,
        };
        let shortcut = match &self.shortcut {
            Some(shortcut) => shortcut.forward(input),
            None => input,
        };
        activation::relu(x + shortcut)
    }

    pub(super) fn trace(&self, input: Trace) -> Trace {
        let layers = [&self.reduce, &self.convolve, &self.expand];
        let map = layers
            .into_iter()
            .fold(input, |map, layer| layer.trace(map));
        let map = match &self.squeeze {
            Some(squeeze) => map.joined(squeeze.trace()),
            None => map,
        };
        match &self.shortcut {
            Some(shortcut) => map.joined(shortcut.trace(input.branch())),
            None => map,
        }
    }

    pub(super) fn fold(self) -> Self {
        Self {
            reduce: self.reduce.fold(),
            convolve: self.convolve.fold(),
            expand: self.expand.fold(),
            squeeze: self.squeeze,
            shortcut: self.shortcut.map(ConvNorm::fold),
        }
    }
}

/// Each channel times a weight in 0…1 that two small layers read off the channels' means (Hu et al.,
/// 2018), reduction 16, but to one channel at least.
#[derive(Module, Debug)]
struct SqueezeExcitation {
    squeeze: Conv2d,
    excite: Conv2d,
}

impl SqueezeExcitation {
    fn new(channels: usize, device: &Device) -> Self {
        let layer = |input, output| Conv2dConfig::new([input, output], [1, 1]).init(device);
        let squeezed = (channels / 16).max(1);
        Self {
            squeeze: layer(channels, squeezed),
            excite: layer(squeezed, channels),
        }
    }

    fn forward(&self, map: Tensor<4>) -> Tensor<4> {
        let means = map.clone().mean_dim(2).mean_dim(3);
        let weights = in_f32(means, |means| {
            let x = activation::relu(self.squeeze.forward(means));
            activation::sigmoid(self.excite.forward(x))
        });
        map * weights
    }

    /// What the two layers on the means cost.
    fn trace(&self) -> Trace {
        let means = Trace::new([1; 2]);
        means.convolution(&self.squeeze).convolution(&self.excite)
    }
}
