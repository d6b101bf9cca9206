//! Training on the CPU: the gradients of convolution and batch norm written by hand.
//!
//! burn 0.22 takes the weight gradient of a convolution by convolving with a kernel as large as the
//! map, once for every group, and composes a training batch norm and its activation of a dozen
//! passes over the map. Here the same gradients are matrix products and two passes. Any other
//! device takes burn's own way ([`applies`]); for evaluation see [`super::folded`].

mod convolution;
mod depthwise;
mod differentiate;
mod geometry;
mod norm;
#[cfg(test)]
mod tests;

use alloc::vec;
use burn::backend::{Backend, Dispatch, Flex, backend_extension, tensor::FloatTensor};
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, PaddingConfig2d};
use burn::tensor::{DType, Tensor};
use convolution::Convolution;
use norm::NormActivation;

use super::grouped;
use crate::model::layer::Activation;

/// What a backend must be able to do, and its differentiable form beside it.
#[backend_extension(Flex, Autodiff)]
trait TrainingLayers: Backend {
    /// `[batch, input, height, width]` convolved with `[output, input / groups, k, l]`.
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        shape: Convolution,
    ) -> FloatTensor<Self>;

    /// Mean and biased variance of each channel, `[2, channels]`; no gradient flows through it.
    fn moments(x: FloatTensor<Self>) -> FloatTensor<Self>;

    /// clamp((x − mean)/√(variance + ε)·gamma + beta), per channel.
    fn norm_activation(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        settings: NormActivation,
    ) -> FloatTensor<Self>;
}

impl TrainingLayers for Flex {
    fn convolve(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        shape: Convolution,
    ) -> FloatTensor<Self> {
        shape.forward(x, weight)
    }

    fn moments(x: FloatTensor<Self>) -> FloatTensor<Self> {
        norm::moments(&x)
    }

    fn norm_activation(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        moments: FloatTensor<Self>,
        settings: NormActivation,
    ) -> FloatTensor<Self> {
        settings.forward(x, &gamma, &beta, &moments)
    }
}

/// Whether `x` is trained on the CPU in f32, which is all that this room knows.
pub(super) fn applies(x: &Tensor<4>) -> bool {
    x.device().is_autodiff() && grouped::is_on_cpu(x) && x.dtype() == DType::F32
}

/// A convolution, its bias included.
pub(super) fn convolution(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let y = products(conv, x);
    match &conv.bias {
        Some(bias) => y + bias.val().reshape([1, -1, 1, 1]),
        None => y,
    }
}

/// A convolution without its bias.
pub(super) fn products(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let PaddingConfig2d::Explicit(rows, columns, _, _) = conv.padding else {
        // No layer of ours has another.
        let conv = Conv2d {
            bias: None,
            ..conv.clone()
        };
        return conv.forward(x);
    };
    let shape = Convolution {
        stride: conv.stride[0],
        padding: [rows, columns],
        groups: conv.groups,
    };
    Tensor::from_dispatch(<Dispatch as TrainingLayers>::convolve(
        x.into_dispatch(),
        conv.weight.val().into_dispatch(),
        shape,
    ))
}

/// Batch norm and activation. A norm that is training takes the batch's statistics and moves its
/// running ones, as burn's does.
pub(super) fn norm_activation(norm: &BatchNorm, activation: Activation, x: Tensor<4>) -> Tensor<4> {
    let x = x.into_dispatch();
    let learns = norm.training.is_enabled();
    let moments = if learns {
        let moments = <Dispatch as TrainingLayers>::moments(x.clone());
        follow(norm, Tensor::from_dispatch(moments.clone()));
        moments
    } else {
        let mean = norm.running_mean.value_sync().detach();
        let variance = norm.running_var.value_sync().detach();
        Tensor::<1>::stack::<2>(vec![mean, variance], 0).into_dispatch()
    };
    let (low, high) = activation.limits();
    let settings = NormActivation {
        epsilon: norm.epsilon as f32,
        low,
        high,
        learns,
    };
    Tensor::from_dispatch(<Dispatch as TrainingLayers>::norm_activation(
        x,
        norm.gamma.val().into_dispatch(),
        norm.beta.val().into_dispatch(),
        moments,
        settings,
    ))
}

/// Moves the running statistics a step towards the batch's.
fn follow(norm: &BatchNorm, moments: Tensor<2>) {
    let [mean, variance] = [0, 1].map(|row| {
        let channels = moments.dims()[1];
        moments
            .clone()
            .slice([row..row + 1, 0..channels])
            .reshape([channels])
            .detach()
            * norm.momentum
    });
    let keep = 1.0 - norm.momentum;
    let mean = norm.running_mean.value_sync() * keep + mean;
    let variance = norm.running_var.value_sync() * keep + variance;
    norm.running_mean.update(mean.detach());
    norm.running_var.update(variance.detach());
}
