//! The feature extractors, one file each; a new one is a file and a line in this table.

mod compact;
mod mobilenet_v2;

pub use compact::Compact;
pub use mobilenet_v2::MobileNetV2;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// The backbones by name, as recipes and manifests spell them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackboneName {
    /// A small residual network of our own, quick to train on a CPU.
    Compact,
    /// Sandler et al., 2018; width 1.0.
    #[serde(rename = "mobilenet-v2")]
    MobileNetV2,
}

impl BackboneName {
    /// Every backbone.
    pub const ALL: [Self; 2] = [Self::Compact, Self::MobileNetV2];

    /// Channels of the feature map.
    pub fn channels(self) -> usize {
        match self {
            Self::Compact => compact::CHANNELS,
            Self::MobileNetV2 => mobilenet_v2::CHANNELS,
        }
    }

    /// Input pixels to one column or row of the feature map; the last one may cover fewer.
    pub fn stride(self) -> usize {
        match self {
            Self::Compact => compact::STRIDE,
            Self::MobileNetV2 => mobilenet_v2::STRIDE,
        }
    }
}

/// A backbone with its weights.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)] // there is one of them
pub enum Backbone {
    /// See [`BackboneName::Compact`].
    Compact(Compact),
    /// See [`BackboneName::MobileNetV2`].
    MobileNetV2(MobileNetV2),
}

impl Backbone {
    /// Fresh weights, drawn from the device's seed.
    pub fn new(name: BackboneName, device: &Device) -> Self {
        match name {
            BackboneName::Compact => Self::Compact(Compact::new(device)),
            BackboneName::MobileNetV2 => Self::MobileNetV2(MobileNetV2::new(device)),
        }
    }

    /// `[batch, 3, height, width]` to
    /// `[batch, channels, ceil(height / stride), ceil(width / stride)]`.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        match self {
            Self::Compact(net) => net.forward(input),
            Self::MobileNetV2(net) => net.forward(input),
        }
    }

    /// The same function in evaluation, batch norms folded.
    #[must_use]
    pub fn fold(self) -> Self {
        match self {
            Self::Compact(net) => Self::Compact(net.fold()),
            Self::MobileNetV2(net) => Self::MobileNetV2(net.fold()),
        }
    }
}
