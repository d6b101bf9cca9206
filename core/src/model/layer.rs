//! Convolution, batch norm, activation: the brick of every backbone.

use burn::module::{Initializer, Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, PaddingConfig2d};
use burn::tensor::{Device, Tensor, activation};

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
}

/// Shape of a [`ConvNorm`].
#[derive(Clone, Copy, Debug)]
pub struct ConvNormConfig {
    /// Input channels.
    pub input: usize,
    /// Output channels.
    pub output: usize,
    /// Side of the square kernel, odd; the padding keeps the size at stride 1.
    pub kernel: usize,
    /// Stride, both ways.
    pub stride: usize,
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// What follows.
    pub activation: Activation,
}

impl ConvNormConfig {
    /// A layer with weights drawn for rectified activations (He et al., 2015, fan out) and a batch
    /// norm that starts as the identity.
    pub fn init(&self, device: &Device) -> ConvNorm {
        let padding = (self.kernel - 1) / 2;
        let conv = Conv2dConfig::new([self.input, self.output], [self.kernel, self.kernel])
            .with_stride([self.stride, self.stride])
            .with_groups(self.groups)
            .with_padding(PaddingConfig2d::Explicit(
                padding, padding, padding, padding,
            ))
            .with_bias(false)
            .with_initializer(Initializer::KaimingNormal {
                gain: core::f64::consts::SQRT_2,
                fan_out_only: true,
            })
            .init(device);
        let norm = Some(BatchNormConfig::new(self.output).init(device));
        ConvNorm {
            conv,
            norm,
            activation: self.activation,
        }
    }
}

/// Convolution without bias, batch norm, activation; after [`ConvNorm::fold`] a convolution with
/// bias and the activation.
#[derive(Module, Debug)]
pub struct ConvNorm {
    conv: Conv2d,
    norm: Option<BatchNorm>,
    #[module(skip)]
    activation: Activation,
}

impl ConvNorm {
    /// `[batch, input, height, width]` to
    /// `[batch, output, ceil(height / stride), ceil(width / stride)]`.
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = self.conv.forward(x);
        let x = match &self.norm {
            Some(norm) => norm.forward(x),
            None => x,
        };
        self.activation.forward(x)
    }

    /// The same function in evaluation, with the batch norm's running statistics moved into the
    /// convolution: w' = w·γ/√(σ² + ε), b' = β − μ·γ/√(σ² + ε).
    #[must_use]
    pub fn fold(mut self) -> Self {
        let Some(norm) = self.norm.take() else {
            return self;
        };
        let (scale, shift) = scale_and_shift(&norm);
        let channels = scale.dims()[0];
        let weight = self.conv.weight.val().detach() * scale.reshape([channels, 1, 1, 1]);
        self.conv.weight = Param::from_tensor(weight);
        self.conv.bias = Some(Param::from_tensor(shift));
        self
    }
}

/// A batch norm in evaluation as x·scale + shift, each `[channels]`.
pub fn scale_and_shift(norm: &BatchNorm) -> (Tensor<1>, Tensor<1>) {
    let deviation = (norm.running_var.value_sync().detach() + norm.epsilon).sqrt();
    let scale = norm.gamma.val().detach() / deviation;
    let shift = norm.beta.val().detach() - norm.running_mean.value_sync().detach() * scale.clone();
    (scale, shift)
}
