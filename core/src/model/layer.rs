//! Convolution, batch norm, activation: the brick of every backbone.

use burn::module::{Initializer, Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor, activation};

use super::precision::{self, in_f32, is_half};
use super::trace::Trace;
use super::{channels_last, grouped};

/// What follows the normalisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// Nothing.
    Linear,
    /// max(0, x).
    Relu,
    /// min(max(0, x), 6), MobileNetV2's.
    Relu6,
}

impl Activation {
    /// Applies it, shape unchanged.
    pub fn forward<const D: usize>(self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Linear => x,
            Self::Relu => activation::relu(x),
            Self::Relu6 => x.clamp(0.0, 6.0),
        }
    }

    /// The least and the greatest value that it lets through.
    #[cfg(feature = "flex")]
    pub(super) fn limits(self) -> (f32, f32) {
        match self {
            Self::Linear => (f32::NEG_INFINITY, f32::INFINITY),
            Self::Relu => (0.0, f32::INFINITY),
            Self::Relu6 => (0.0, 6.0),
        }
    }
}

/// Shape of a [`ConvNorm`].
#[derive(Clone, Copy, Debug)]
pub struct ConvNormConfig {
    /// Input channels.
    pub input: usize,
    /// Output channels.
    pub output: usize,
    /// Height and width of the kernel.
    pub kernel: [usize; 2],
    /// Stride, both ways.
    pub stride: usize,
    /// Rows of zeros above and below, columns of zeros left and right.
    pub padding: [usize; 2],
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// Whether the convolution has a bias, which the norm behind it makes superfluous.
    pub bias: bool,
    /// Added to the norm's variance.
    pub epsilon: f64,
    /// What follows.
    pub activation: Activation,
}

impl ConvNormConfig {
    /// A square kernel of odd side with the padding that keeps the size at stride 1, no bias, ReLU.
    pub fn new(input: usize, output: usize, side: usize) -> Self {
        Self {
            input,
            output,
            kernel: [side; 2],
            stride: 1,
            padding: [(side - 1) / 2; 2],
            groups: 1,
            bias: false,
            epsilon: 1e-5,
            activation: Activation::Relu,
        }
    }

    /// A layer with weights drawn for rectified activations (He et al., 2015, fan out) and a batch
    /// norm that starts as the identity.
    pub fn init(&self, device: &Device) -> ConvNorm {
        ConvNorm {
            conv: self.convolution(device),
            norm: Some(norm(self.output, self.epsilon, device)),
            activation: self.activation,
        }
    }

    /// The convolution alone.
    pub fn convolution(&self, device: &Device) -> Conv2d {
        let [rows, columns] = self.padding;
        Conv2dConfig::new([self.input, self.output], self.kernel)
            .with_stride([self.stride; 2])
            .with_groups(self.groups)
            .with_padding(PaddingConfig2d::Explicit(rows, columns, rows, columns))
            .with_bias(self.bias)
            .with_initializer(Initializer::KaimingNormal {
                gain: core::f64::consts::SQRT_2,
                fan_out_only: true,
            })
            .init(device)
    }
}

fn norm(channels: usize, epsilon: f64, device: &Device) -> BatchNorm {
    BatchNormConfig::new(channels)
        .with_epsilon(epsilon)
        .init(device)
}

/// Convolution, batch norm, activation; after [`ConvNorm::fold`] a convolution with
/// bias and the activation.
#[derive(Module, Debug)]
pub struct ConvNorm {
    pub(super) conv: Conv2d,
    pub(super) norm: Option<BatchNorm>,
    #[module(skip)]
    activation: Activation,
}

impl ConvNorm {
    /// `[batch, input, height, width]` to
    /// `[batch, output, ceil(height / stride), ceil(width / stride)]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        #[cfg(feature = "train")]
        if let Some(norm) = &self.norm
            && super::cpu::applies(&x)
        {
            let x = super::cpu::convolution(&self.conv, x);
            return super::cpu::norm_activation(norm, self.activation, x);
        }
        #[cfg(feature = "flex")]
        if self.norm.is_none() && super::folded::applies(&x) {
            return super::folded::forward(&self.conv, self.activation, x);
        }
        self.finish(convolve(&self.conv, x))
    }

    /// [`Self::forward`] out of burn's own layers.
    #[cfg(all(test, feature = "train"))]
    pub(super) fn composed(&self, x: Tensor<4>) -> Tensor<4> {
        self.finish(self.conv.forward(x))
    }

    /// What follows the convolution.
    fn finish(&self, x: Tensor<4>) -> Tensor<4> {
        match &self.norm {
            Some(norm) if channels_last::applies(&x) => {
                channels_last::norm_activation(norm, self.activation, x)
            }
            Some(norm) => in_f32(x, |x| self.activation.forward(norm.forward(x))),
            None => self.activation.forward(x),
        }
    }

    /// [`Self::forward`] with a map's size and cost in the place of the map.
    pub(super) fn trace(&self, map: Trace) -> Trace {
        map.convolution(&self.conv)
    }

    /// The same function in evaluation, with the batch norm's running statistics moved into the
    /// convolution: w' = w·γ/√(σ² + ε), b' = β + (b − μ)·γ/√(σ² + ε).
    #[must_use]
    pub fn fold(mut self) -> Self {
        let Some(norm) = self.norm.take() else {
            return self;
        };
        let (scale, shift) = scale_and_shift(&norm);
        let shift = match &self.conv.bias {
            Some(bias) => shift + bias.val().detach() * scale.clone(),
            None => shift,
        };
        let channels = scale.dims()[0];
        let weight = self.conv.weight.val().detach() * scale.reshape([channels, 1, 1, 1]);
        self.conv.weight = Param::from_tensor(weight);
        self.conv.bias = Some(Param::from_tensor(shift));
        self
    }
}

/// Batch norm and ReLU in front of a convolution, where no convolution can take the norm in (He et
/// al., 2016, *Identity mappings*).
#[derive(Module, Debug)]
pub struct NormRelu {
    norm: BatchNorm,
}

impl NormRelu {
    /// The identity on what is above zero, to begin with.
    pub fn new(channels: usize, device: &Device) -> Self {
        let norm = norm(channels, 1e-5, device);
        Self { norm }
    }

    /// Shape unchanged.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        #[cfg(feature = "train")]
        if super::cpu::applies(&x) {
            return super::cpu::norm_activation(&self.norm, Activation::Relu, x);
        }
        if channels_last::applies(&x) {
            return channels_last::norm_activation(&self.norm, Activation::Relu, x);
        }
        in_f32(x, |x| activation::relu(self.norm.forward(x)))
    }
}

/// A convolution by itself: with the CPU's own gradients where it is trained there, and in groups
/// as the device does it fastest.
pub fn convolve(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "train")]
    if super::cpu::applies(&x) || super::folded::applies(&x) {
        return super::cpu::convolution(conv, x);
    }
    if grouped::applies(conv, &x) {
        return grouped::convolve(conv, x);
    }
    if is_half(&x) {
        return precision::convolve(conv, x);
    }
    conv.forward(x)
}

/// A batch norm in evaluation as x·scale + shift, each `[channels]`.
pub fn scale_and_shift(norm: &BatchNorm) -> (Tensor<1>, Tensor<1>) {
    let deviation = (norm.running_var.value_sync().detach() + norm.epsilon).sqrt();
    let scale = norm.gamma.val().detach() / deviation;
    let shift = norm.beta.val().detach() - norm.running_mean.value_sync().detach() * scale.clone();
    (scale, shift)
}
