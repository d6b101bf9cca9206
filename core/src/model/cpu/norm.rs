//! Batch norm and the activation behind it, forward in one pass and backward in two.

use alloc::vec;
use alloc::vec::Vec;
use burn::backend::{Flex, TensorMetadata, tensor::FloatTensor};
use burn::tensor::TensorData;
use rayon::prelude::*;

/// Batch norm (Ioffe & Szegedy, 2015) with limits on its output.
#[derive(Clone, Copy, Debug)]
pub(super) struct NormActivation {
    /// Added to the variance.
    pub epsilon: f32,
    /// Outputs below are raised to it; −∞ for no limit.
    pub low: f32,
    /// Outputs above are lowered to it; ∞ for no limit.
    pub high: f32,
    /// Whether the moments are the batch's own, so that the gradient flows through them too.
    pub learns: bool,
}

/// Gradients for x, gamma and beta.
pub(super) struct NormGradients {
    pub x: FloatTensor<Flex>,
    pub gamma: FloatTensor<Flex>,
    pub beta: FloatTensor<Flex>,
}

/// One channel's constants.
#[derive(Clone, Copy)]
struct Channel {
    mean: f32,
    /// 1/√(variance + ε).
    inverse: f32,
    gamma: f32,
    beta: f32,
}

/// Mean and biased variance of each channel of `[batch, channels, height, width]`: `[2, channels]`.
/// Each plane's are taken in two passes and then joined in f64 (Chan et al., 1979), always in the
/// same order.
pub(super) fn moments(x: &FloatTensor<Flex>) -> FloatTensor<Flex> {
    let x = x.to_contiguous();
    let [batch, channels, height, width] = x.shape().dims();
    let plane = height * width;
    let planes: Vec<(f64, f64)> = x
        .storage::<f32>()
        .par_chunks(plane)
        .map(plane_moments)
        .collect();
    let mut result = vec![0.0; 2 * channels];
    for channel in 0..channels {
        let of = |image: usize| planes[image * channels + channel];
        let mean = (0..batch).map(|image| of(image).0).sum::<f64>() / batch as f64;
        let squares: f64 = (0..batch)
            .map(|image| of(image).1 + (of(image).0 - mean).powi(2) * plane as f64)
            .sum();
        result[channel] = mean as f32;
        result[channels + channel] = (squares / (batch * plane) as f64) as f32;
    }
    tensor(result, [2, channels])
}

/// Mean of a plane, and the sum of its squared deviations.
fn plane_moments(values: &[f32]) -> (f64, f64) {
    let mean = sum(values, |v| v) / values.len() as f32;
    let squares = sum(values, |v| (v - mean) * (v - mean));
    (f64::from(mean), f64::from(squares))
}

impl NormActivation {
    /// Same shape as `x`; `moments` are `[2, channels]`, mean first.
    pub(super) fn forward(
        self,
        x: &FloatTensor<Flex>,
        gamma: &FloatTensor<Flex>,
        beta: &FloatTensor<Flex>,
        moments: &FloatTensor<Flex>,
    ) -> FloatTensor<Flex> {
        let x = x.to_contiguous();
        let [batch, count, height, width] = x.shape().dims();
        let channels = self.channels(gamma, beta, moments);
        let mut output = vec![0.0_f32; batch * count * height * width];
        output
            .par_chunks_mut(height * width)
            .zip(x.storage::<f32>().par_chunks(height * width))
            .enumerate()
            .for_each(|(plane, (output, x))| {
                self.plane_forward(channels[plane % count], x, output);
            });
        tensor(output, [batch, count, height, width])
    }

    /// Gradients from that of the output, `[batch, channels, height, width]` like `x`.
    pub(super) fn backward(
        self,
        x: &FloatTensor<Flex>,
        gamma: &FloatTensor<Flex>,
        beta: &FloatTensor<Flex>,
        moments: &FloatTensor<Flex>,
        gradient: &FloatTensor<Flex>,
    ) -> NormGradients {
        let (x, gradient) = (x.to_contiguous(), gradient.to_contiguous());
        let [batch, count, height, width] = x.shape().dims();
        let plane = height * width;
        let channels = self.channels(gamma, beta, moments);
        let (x, gradient) = (x.storage::<f32>(), gradient.storage::<f32>());
        let sums: Vec<(f32, f32)> = x
            .par_chunks(plane)
            .zip(gradient.par_chunks(plane))
            .enumerate()
            .map(|(index, (x, gradient))| self.plane_sums(channels[index % count], x, gradient))
            .collect();
        let total = |channel: usize, of: fn(&(f32, f32)) -> f32| -> f32 {
            (0..batch)
                .map(|image| f64::from(of(&sums[image * count + channel])))
                .sum::<f64>() as f32
        };
        let gamma_gradient: Vec<f32> = (0..count).map(|c| total(c, |s| s.0)).collect();
        let beta_gradient: Vec<f32> = (0..count).map(|c| total(c, |s| s.1)).collect();

        let share = if self.learns {
            1.0 / (batch * plane) as f32
        } else {
            0.0
        };
        let mut result = vec![0.0_f32; x.len()];
        result
            .par_chunks_mut(plane)
            .zip(x.par_chunks(plane).zip(gradient.par_chunks(plane)))
            .enumerate()
            .for_each(|(index, (result, (x, gradient)))| {
                let channel = channels[index % count];
                let means = (
                    gamma_gradient[index % count] * share,
                    beta_gradient[index % count] * share,
                );
                self.plane_gradient(channel, means, x, gradient, result);
            });
        NormGradients {
            x: tensor(result, [batch, count, height, width]),
            gamma: tensor(gamma_gradient, [count]),
            beta: tensor(beta_gradient, [count]),
        }
    }

    fn plane_forward(self, channel: Channel, x: &[f32], output: &mut [f32]) {
        let scale = channel.gamma * channel.inverse;
        let shift = channel.beta - channel.mean * scale;
        for (output, &x) in output.iter_mut().zip(x) {
            *output = self.limit(x * scale + shift);
        }
    }

    /// Σ g·x̂ and Σ g over a plane, where g is the gradient that passes the limits.
    fn plane_sums(self, channel: Channel, x: &[f32], gradient: &[f32]) -> (f32, f32) {
        let mut scaled = [0.0_f32; LANES];
        let mut plain = [0.0_f32; LANES];
        let mut add = |x: &[f32], gradient: &[f32]| {
            let sums = scaled.iter_mut().zip(&mut plain);
            for ((&x, &gradient), (scaled, plain)) in x.iter().zip(gradient).zip(sums) {
                let (normal, gradient) = self.passing(channel, x, gradient);
                *scaled += gradient * normal;
                *plain += gradient;
            }
        };
        let (x, gradient) = (x.chunks_exact(LANES), gradient.chunks_exact(LANES));
        let rest = (x.remainder(), gradient.remainder());
        for (x, gradient) in x.zip(gradient) {
            add(x, gradient);
        }
        add(rest.0, rest.1);
        (scaled.iter().sum(), plain.iter().sum())
    }

    /// γ/√(σ² + ε)·(g − mean(g) − x̂·mean(g·x̂)), the last two only through the batch's moments.
    fn plane_gradient(
        self,
        channel: Channel,
        (mean_scaled, mean_plain): (f32, f32),
        x: &[f32],
        gradient: &[f32],
        result: &mut [f32],
    ) {
        let scale = channel.gamma * channel.inverse;
        for ((result, &x), &gradient) in result.iter_mut().zip(x).zip(gradient) {
            let (normal, gradient) = self.passing(channel, x, gradient);
            *result = scale * (gradient - mean_plain - normal * mean_scaled);
        }
    }

    /// x̂ and the gradient where the output is within the limits, 0 elsewhere.
    fn passing(self, channel: Channel, x: f32, gradient: f32) -> (f32, f32) {
        let normal = (x - channel.mean) * channel.inverse;
        let output = normal * channel.gamma + channel.beta;
        let within = output > self.low && output < self.high;
        (normal, if within { gradient } else { 0.0 })
    }

    /// Not `clamp`: a NaN must stay one, and the loss then stops the training.
    fn limit(self, value: f32) -> f32 {
        let value = if value < self.low { self.low } else { value };
        if value > self.high { self.high } else { value }
    }

    fn channels(
        self,
        gamma: &FloatTensor<Flex>,
        beta: &FloatTensor<Flex>,
        moments: &FloatTensor<Flex>,
    ) -> Vec<Channel> {
        let (gamma, beta) = (gamma.to_contiguous(), beta.to_contiguous());
        let moments = moments.to_contiguous();
        let (mean, variance) = moments
            .storage::<f32>()
            .split_at(moments.storage::<f32>().len() / 2);
        let parts = gamma.storage::<f32>().iter().zip(beta.storage::<f32>());
        mean.iter()
            .zip(variance)
            .zip(parts)
            .map(|((&mean, &variance), (&gamma, &beta))| Channel {
                mean,
                inverse: 1.0 / (variance + self.epsilon).sqrt(),
                gamma,
                beta,
            })
            .collect()
    }
}

/// Partial sums kept side by side, so that the compiler may add them at once.
const LANES: usize = 16;

fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let chunks = values.chunks_exact(LANES);
    let rest: f32 = chunks.remainder().iter().map(|&v| of(v)).sum();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += of(value);
        }
    }
    lanes.iter().sum::<f32>() + rest
}

/// A tensor of these values.
pub(super) fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FloatTensor<Flex> {
    FloatTensor::<Flex>::from_data(TensorData::new(values, shape))
}
