//! Networks from a photo to a feature map. A new one is a file here and a line in the table.

mod bottleneck;
mod compact;
mod densenet;
mod inception_v4;
mod map_pool;
mod mobilenet_v2;
mod resnet;
mod se_resnext;
mod vgg;

use alloc::format;
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::trace::{Trace, parameters};
use crate::{Error, Result};

/// What a backbone's channels can be divided by; all their numbers are multiples of each.
pub const NARROWINGS: [usize; 4] = [1, 2, 4, 8];

/// Checks that channels can be divided by `narrow`.
///
/// # Errors
/// [`Error::Model`] when it is none of [`NARROWINGS`].
pub fn check_narrow(narrow: usize) -> Result<()> {
    if NARROWINGS.contains(&narrow) {
        return Ok(());
    }
    let reason = format!("narrow = {narrow} must be one of {NARROWINGS:?}");
    Err(Error::Model { reason })
}

/// What must be known of a backbone to use it.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Channels of the feature map at full width; see [`BackboneName::channels`].
    pub channels: usize,
    /// Input pixels from one column or row of the feature map to the next; the fewest that an input
    /// may have.
    pub stride: usize,
    /// Columns or rows of the map of an input with so many.
    pub map_side: fn(usize) -> usize,
    /// The first block of the deeper half, which may be trained at a rate of its own. What is in no
    /// block belongs to the deeper half, but for the stem.
    pub first_upper_block: usize,
    /// Mean of the inputs that published weights were trained on, red, green, blue in 0…1.
    pub mean: [f32; 3],
    /// Their deviation.
    pub deviation: [f32; 3],
}

impl Facts {
    /// A backbone that reads inputs with ImageNet's mean and deviation.
    const fn imagenet(
        channels: usize,
        stride: usize,
        map_side: fn(usize) -> usize,
        first_upper_block: usize,
    ) -> Self {
        Self {
            channels,
            stride,
            map_side,
            first_upper_block,
            mean: [0.485, 0.456, 0.406],
            deviation: [0.229, 0.224, 0.225],
        }
    }
}

/// The names in recipes and manifests, the enum of networks, and what both can do, from one table.
macro_rules! backbones {
    ($($(#[$doc:meta])* $name:ident = $wire:literal, $net:ty, $new:expr, $facts:expr;)*) => {
        /// Which backbone; its name in recipes and manifests.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum BackboneName {
            $($(#[$doc])* #[serde(rename = $wire)] $name,)*
        }

        impl BackboneName {
            /// Every backbone.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The name in recipes and manifests.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $wire,)* }
            }

            /// What must be known to use it.
            pub const fn facts(self) -> Facts {
                match self { $(Self::$name => $facts,)* }
            }

            /// Channels of the feature map when all channels are divided by `narrow`, one of
            /// [`NARROWINGS`].
            pub const fn channels(self, narrow: usize) -> usize {
                self.facts().channels / narrow
            }
        }

        /// A backbone with its weights.
        #[derive(Module, Debug)]
        #[allow(clippy::large_enum_variant)] // there is one of them
        pub enum Backbone {
            $(#[doc = concat!("See [`BackboneName::", stringify!($name), "`].")] $name($net),)*
        }

        impl Backbone {
            /// Fresh weights, drawn from the device's seed.
            pub fn new(name: BackboneName, device: &Device) -> Self {
                Self::narrowed(name, 1, device)
            }

            /// The same network with the channels of every layer divided by `narrow`, one of
            /// [`NARROWINGS`], which [`check_narrow`] sees to. Grouped convolutions keep the channels
            /// of a group and have fewer groups.
            pub fn narrowed(name: BackboneName, narrow: usize, device: &Device) -> Self {
                match name { $(BackboneName::$name => Self::$name($new(narrow, device)),)* }
            }

            /// `[batch, 3, height, width]` to `[batch, channels, rows, columns]`, channels by
            /// [`BackboneName::channels`], rows and columns by [`Facts::map_side`]. Height and width are at least the stride.
            pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
                match self { $(Self::$name(net) => net.forward(input),)* }
            }

            /// The same function in evaluation, batch norms folded.
            #[must_use]
            pub fn fold(self) -> Self {
                match self { $(Self::$name(net) => Self::$name(net.fold()),)* }
            }

            /// [`Self::forward`] with a map's size and cost in the place of the map.
            pub(super) fn trace(&self, map: Trace) -> Trace {
                match self { $(Self::$name(net) => net.trace(map),)* }
            }
        }
    };
}

impl Backbone {
    /// Multiply-adds of all convolutions for one input of `height` x `width` pixels, each at least
    /// the stride. Norms, activations and poolings do not count. Reads shapes only.
    pub fn multiply_adds(&self, height: usize, width: usize) -> u64 {
        self.trace(Trace::new([height, width])).multiply_adds
    }

    /// Trainable values, which the norms' running statistics are not. Reads shapes only.
    pub fn parameters(&self) -> u64 {
        parameters(self)
    }
}

backbones! {
    /// A small residual network of our own, for the demo and for training without weights to begin with.
    Compact = "compact", compact::Compact, compact::Compact::new, compact::FACTS;
    /// MobileNetV2, width 1.0, as torchvision has it (Sandler et al., 2018).
    MobileNetV2 = "mobilenet-v2", mobilenet_v2::MobileNetV2, mobilenet_v2::MobileNetV2::new, mobilenet_v2::FACTS;
    /// MobileNetV2 as MXNet and the ONNX model zoo have it, with an expansion of 32 to 32 channels more.
    MobileNetV2Gluon = "mobilenet-v2-gluon", mobilenet_v2::MobileNetV2, mobilenet_v2::MobileNetV2::gluon, mobilenet_v2::FACTS;
    /// ResNet50 with the strides in the 3x3 convolutions (He et al., 2016), as torchvision has it.
    ResNet50 = "resnet50", resnet::ResNet, resnet::ResNet::resnet50, resnet::RESNET50;
    /// ResNet152, likewise.
    ResNet152 = "resnet152", resnet::ResNet, resnet::ResNet::resnet152, resnet::RESNET152;
    /// SE-ResNeXt50 32x4d (Hu et al., 2018) as timm has it: the stem's pooling is padded.
    SeResNeXt50 = "se-resnext50", resnet::ResNet, se_resnext::timm, resnet::RESNET50;
    /// SE-ResNeXt50 32x4d as Cadene has it: the stem's pooling is not padded and rounds up.
    SeResNeXt50Cadene = "se-resnext50-cadene", resnet::ResNet, se_resnext::cadene, se_resnext::CADENE;
    /// VGG16 with batch norm (Simonyan and Zisserman, 2015), the last pooling included.
    Vgg16Bn = "vgg16-bn", vgg::Vgg, vgg::Vgg::new, vgg::FACTS;
    /// DenseNet121 (Huang et al., 2017), the ReLU behind its last norm included.
    DenseNet121 = "densenet121", densenet::DenseNet, densenet::DenseNet::new, densenet::FACTS;
    /// Inception v4 (Szegedy et al., 2017).
    InceptionV4 = "inception-v4", inception_v4::InceptionV4, inception_v4::InceptionV4::new, inception_v4::FACTS;
}
