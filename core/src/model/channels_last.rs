//! Batch norm of a map as of a table with a row for each place and a column for each channel.
//!
//! On CUDA and wgpu burn 0.22 keeps what a convolution gives with its channels innermost in memory. Its batch
//! norm takes the channels' statistics of `[channels, places]`, for which the map is copied, twice going forward
//! and twice back. As `[places, channels]` it lies there already: nothing is copied, and what comes out lies as
//! the next convolution wants it. The values and gradients are those of burn's own norm, which this is, of two
//! dimensions.

use burn::nn::BatchNorm;
use burn::tensor::Tensor;

use super::grouped::is_on_cpu;
use super::layer::Activation;
use super::precision::in_f32;

/// Whether `x` is a map that is trained on a GPU. In evaluation norms are folded away, and burn's norm of what
/// is left copies nothing.
pub(super) fn applies(x: &Tensor<4>) -> bool {
    x.device().is_autodiff() && !is_on_cpu(x)
}

/// Batch norm and what follows it, on any device; `[batch, channels, height, width]` stays that.
pub(super) fn norm_activation(norm: &BatchNorm, activation: Activation, x: Tensor<4>) -> Tensor<4> {
    let [batch, channels, height, width] = x.dims();
    let places = x
        .permute([0, 2, 3, 1])
        .reshape([batch * height * width, channels]);
    in_f32(places, |places| activation.forward(norm.forward(places)))
        .reshape([batch, height, width, channels])
        .permute([0, 3, 1, 2])
}

#[cfg(all(test, feature = "train"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::norm_activation;
    use crate::model::layer::Activation;
    use alloc::vec::Vec;
    use burn::nn::{BatchNorm, BatchNormConfig};
    use burn::tensor::{Device, Tensor, TensorData};

    const SHAPE: [usize; 4] = [3, 5, 4, 7];

    fn values(step: usize) -> Tensor<4> {
        let count = SHAPE.iter().product::<usize>();
        let values: Vec<f32> = (0..count)
            .map(|i| (i * step % 1009) as f32 / 250.0 - 2.0)
            .collect();
        Tensor::from_data(TensorData::new(values, SHAPE), &Device::flex().autodiff())
    }

    /// Output, running mean and variance, and the gradients of input, scale and shift of a weighted sum.
    fn results(forward: impl Fn(&BatchNorm, Tensor<4>) -> Tensor<4>) -> Vec<Vec<f32>> {
        let norm = BatchNormConfig::new(SHAPE[1]).init(&Device::flex().autodiff());
        let x = values(7919).require_grad();
        let output = forward(&norm, x.clone());
        let gradients = (output.clone() * values(37)).sum().backward();
        [
            output.into_data(),
            norm.running_mean.value_sync().into_data(),
            norm.running_var.value_sync().into_data(),
            x.grad(&gradients).unwrap().into_data(),
            norm.gamma.val().grad(&gradients).unwrap().into_data(),
            norm.beta.val().grad(&gradients).unwrap().into_data(),
        ]
        .map(|data| data.try_into_vec().unwrap())
        .into()
    }

    #[test]
    fn a_table_of_places_gives_burns_values_and_gradients() {
        for activation in [Activation::Linear, Activation::Relu, Activation::Relu6] {
            let ours = results(|norm, x| norm_activation(norm, activation, x));
            let theirs = results(|norm, x| activation.forward(norm.forward(x)));
            for (what, (ours, theirs)) in ours.into_iter().zip(theirs).enumerate() {
                assert_eq!(ours.len(), theirs.len(), "{what}");
                for (a, b) in ours.iter().zip(&theirs) {
                    let near = (a - b).abs() <= 1e-4 * b.abs().max(1.0);
                    assert!(near, "{what} with {activation:?}: {a} and {b}");
                }
            }
        }
    }
}
