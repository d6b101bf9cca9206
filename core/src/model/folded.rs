//! A convolution that has taken its batch norm in, evaluated on the CPU.
//!
//! burn 0.22 adds the bias in one pass over the map and applies the activation in another, into fresh
//! memory and on one thread, which takes as long as the convolutions. Here both are one pass in place.

use burn::backend::{
    Backend, Dispatch, Flex, TensorMetadata, backend_extension, tensor::FloatTensor,
};
use burn::nn::conv::Conv2d;
use burn::tensor::{DType, Tensor};
#[cfg(feature = "train")]
use rayon::prelude::*;

use super::grouped;
use super::layer::Activation;
use super::vector::{self, Kernel};

#[backend_extension(Flex)]
trait FoldedLayers: Backend {
    /// clamp(x + bias), per channel of `[batch, channels, height, width]`; in the memory of `x` where
    /// nobody else holds it.
    fn bias_activation(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        low: f32,
        high: f32,
    ) -> FloatTensor<Self>;
}

impl FoldedLayers for Flex {
    fn bias_activation(
        x: FloatTensor<Self>,
        bias: FloatTensor<Self>,
        low: f32,
        high: f32,
    ) -> FloatTensor<Self> {
        let [_, count, height, width] = x.shape().dims();
        let (mut x, bias) = (owned(x), bias.to_contiguous());
        let (bias, values) = (bias.storage::<f32>(), x.storage_mut::<f32>());
        let add = |(plane, values): (usize, &mut [f32])| {
            vector::run(PlaneBias {
                values,
                bias: bias[plane % count],
                limits: (low, high),
            });
        };
        #[cfg(feature = "train")]
        values
            .par_chunks_mut(height * width)
            .enumerate()
            .for_each(add);
        #[cfg(not(feature = "train"))]
        values.chunks_mut(height * width).enumerate().for_each(add);
        x
    }
}

/// Whether `x` is evaluated on the CPU in f32, which is all that this room knows.
pub(super) fn applies(x: &Tensor<4>) -> bool {
    !x.device().is_autodiff() && grouped::is_on_cpu(x) && x.dtype() == DType::F32
}

/// The convolution, its bias, and the activation.
pub(super) fn forward(conv: &Conv2d, activation: Activation, x: Tensor<4>) -> Tensor<4> {
    let y = products(conv, x);
    let Some(bias) = &conv.bias else {
        return activation.forward(y);
    };
    let (low, high) = activation.limits();
    Tensor::from_dispatch(<Dispatch as FoldedLayers>::bias_activation(
        y.into_dispatch(),
        bias.val().into_dispatch(),
        low,
        high,
    ))
}

/// The convolution without its bias.
fn products(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    #[cfg(feature = "train")]
    return super::cpu::products(conv, x);
    #[cfg(not(feature = "train"))]
    Conv2d {
        bias: None,
        ..conv.clone()
    }
    .forward(x)
}

/// A plane with a bias added, within limits.
struct PlaneBias<'a> {
    values: &'a mut [f32],
    bias: f32,
    limits: (f32, f32),
}

impl Kernel for PlaneBias<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for value in self.values {
            *value = within(*value + self.bias, self.limits);
        }
    }
}

/// Not `clamp`: a NaN must stay one, and whoever looks at the outcome then stops.
#[inline(always)]
pub(super) fn within(value: f32, (low, high): (f32, f32)) -> f32 {
    let value = if value < low { low } else { value };
    if value > high { high } else { value }
}

/// The same values in order, in memory that is written to without a copy where nobody else holds it.
pub(super) fn owned(values: FloatTensor<Flex>) -> FloatTensor<Flex> {
    values.to_contiguous() // and what was given ends here
}
