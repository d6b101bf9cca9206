//! Batch norm and the activation behind it, forward in one pass and backward in two.

use crate::model::folded::{owned, within};
use crate::model::vector::{self, Kernel, LANES, Sums};
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
        .map(|values| vector::run(PlaneMoments(values)))
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
struct PlaneMoments<'a>(&'a [f32]);

impl Kernel for PlaneMoments<'_> {
    type Output = (f64, f64);

    #[inline(always)]
    fn run(self) -> (f64, f64) {
        let mean = sum(self.0, |v| v) / self.0.len() as f32;
        let squares = sum(self.0, |v| (v - mean) * (v - mean));
        (f64::from(mean), f64::from(squares))
    }
}

impl NormActivation {
    /// Same shape as `x`, and its memory where nobody else holds it; `moments` are `[2, channels]`, mean
    /// first.
    pub(super) fn forward(
        self,
        x: FloatTensor<Flex>,
        gamma: &FloatTensor<Flex>,
        beta: &FloatTensor<Flex>,
        moments: &FloatTensor<Flex>,
    ) -> FloatTensor<Flex> {
        let mut x = owned(x);
        let [batch, count, height, width] = x.shape().dims();
        let channels = self.channels(gamma, beta, moments);
        let apply = |plane: usize, values: &mut [f32]| {
            vector::run(PlaneForward {
                norm: self,
                channel: channels[plane % count],
                values,
            });
        };
        if let Some(values) = x.try_storage_mut::<f32>() {
            let planes = values.par_chunks_mut(height * width).enumerate();
            planes.for_each(|(plane, values)| apply(plane, values));
            return x;
        }
        let mut output = vec![0.0_f32; batch * count * height * width];
        output
            .par_chunks_mut(height * width)
            .zip(x.storage::<f32>().par_chunks(height * width))
            .enumerate()
            .for_each(|(plane, (output, x))| {
                output.copy_from_slice(x);
                apply(plane, output);
            });
        tensor(output, [batch, count, height, width])
    }

    /// Gradients from that of the output, `[batch, channels, height, width]` like `x`, whose memory
    /// becomes that of the gradient for x where nobody else holds it.
    pub(super) fn backward(
        self,
        x: &FloatTensor<Flex>,
        gamma: &FloatTensor<Flex>,
        beta: &FloatTensor<Flex>,
        moments: &FloatTensor<Flex>,
        gradient: FloatTensor<Flex>,
    ) -> NormGradients {
        let x = x.to_contiguous();
        let [batch, count, height, width] = x.shape().dims();
        let plane = height * width;
        let x = x.storage::<f32>();
        let mut gradient = owned(gradient);
        let mut planes: Vec<Vec<&mut [f32]>> = Vec::new();
        planes.resize_with(count, || Vec::with_capacity(batch));
        let all = gradient.storage_mut::<f32>().chunks_mut(plane);
        for (index, values) in all.enumerate() {
            planes[index % count].push(values);
        }
        // Channel by channel, so that the second pass finds the first one's values in the cache.
        let (of_gamma, of_beta): (Vec<f32>, Vec<f32>) = planes
            .into_par_iter()
            .zip(self.channels(gamma, beta, moments))
            .enumerate()
            .map(|(index, (mut gradients, channel))| {
                let inputs = || x.chunks(plane).skip(index).step_by(count);
                self.channel_gradient(channel, inputs, &mut gradients)
            })
            .unzip();
        NormGradients {
            x: gradient,
            gamma: tensor(of_gamma, [count]),
            beta: tensor(of_beta, [count]),
        }
    }

    /// Turns a channel's planes of the output's gradient into those of the input's; the gradients for
    /// gamma and beta.
    fn channel_gradient<'a, I: Iterator<Item = &'a [f32]>>(
        self,
        channel: Channel,
        inputs: impl Fn() -> I,
        gradients: &mut [&mut [f32]],
    ) -> (f32, f32) {
        let (mut of_gamma, mut of_beta) = (0.0_f64, 0.0_f64);
        for (x, gradient) in inputs().zip(gradients.iter()) {
            let (scaled, plain) = vector::run(PlaneSums {
                norm: self,
                channel,
                x,
                gradient,
            });
            of_gamma += f64::from(scaled);
            of_beta += f64::from(plain);
        }
        let (of_gamma, of_beta) = (of_gamma as f32, of_beta as f32);
        let values: usize = gradients.iter().map(|plane| plane.len()).sum();
        let share = if self.learns {
            1.0 / values as f32
        } else {
            0.0
        };
        let means = (of_gamma * share, of_beta * share);
        for (x, gradient) in inputs().zip(gradients) {
            vector::run(PlaneGradient {
                norm: self,
                channel,
                means,
                x,
                gradient,
            });
        }
        (of_gamma, of_beta)
    }

    /// x̂ and the gradient where the output is within the limits, 0 elsewhere.
    #[inline(always)]
    fn passing(self, channel: Channel, x: f32, gradient: f32) -> (f32, f32) {
        let normal = (x - channel.mean) * channel.inverse;
        let output = normal * channel.gamma + channel.beta;
        let within = output > self.low && output < self.high;
        (normal, if within { gradient } else { 0.0 })
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

/// A plane's outputs in the place of its inputs.
struct PlaneForward<'a> {
    norm: NormActivation,
    channel: Channel,
    values: &'a mut [f32],
}

impl Kernel for PlaneForward<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let scale = self.channel.gamma * self.channel.inverse;
        let shift = self.channel.beta - self.channel.mean * scale;
        let limits = (self.norm.low, self.norm.high);
        for value in self.values {
            *value = within(*value * scale + shift, limits);
        }
    }
}

/// Σ g·x̂ and Σ g over a plane, where g is the gradient that passes the limits.
struct PlaneSums<'a> {
    norm: NormActivation,
    channel: Channel,
    x: &'a [f32],
    gradient: &'a [f32],
}

impl PlaneSums<'_> {
    #[inline(always)]
    fn add(&self, x: &[f32], gradient: &[f32], scaled: &mut Sums, plain: &mut Sums) {
        let sums = scaled.iter_mut().zip(plain);
        for ((&x, &gradient), (scaled, plain)) in x.iter().zip(gradient).zip(sums) {
            let (normal, gradient) = self.norm.passing(self.channel, x, gradient);
            *scaled += gradient * normal;
            *plain += gradient;
        }
    }
}

impl Kernel for PlaneSums<'_> {
    type Output = (f32, f32);

    #[inline(always)]
    fn run(self) -> (f32, f32) {
        let (mut scaled, mut plain) = ([0.0_f32; LANES], [0.0_f32; LANES]);
        let (x, gradient) = (
            self.x.chunks_exact(LANES),
            self.gradient.chunks_exact(LANES),
        );
        let rest = (x.remainder(), gradient.remainder());
        for (x, gradient) in x.zip(gradient) {
            self.add(x, gradient, &mut scaled, &mut plain);
        }
        self.add(rest.0, rest.1, &mut scaled, &mut plain);
        (scaled.iter().sum(), plain.iter().sum())
    }
}

/// γ/√(σ² + ε)·(g − mean(g) − x̂·mean(g·x̂)) in the place of a plane's gradient; the means are 0 where
/// the moments are not the batch's.
struct PlaneGradient<'a> {
    norm: NormActivation,
    channel: Channel,
    /// Of g·x̂ and of g.
    means: (f32, f32),
    x: &'a [f32],
    gradient: &'a mut [f32],
}

impl Kernel for PlaneGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let scale = self.channel.gamma * self.channel.inverse;
        let (scaled, plain) = self.means;
        for (gradient, &x) in self.gradient.iter_mut().zip(self.x) {
            let (normal, passing) = self.norm.passing(self.channel, x, *gradient);
            *gradient = scale * (passing - plain - normal * scaled);
        }
    }
}

#[inline(always)]
fn sum(values: &[f32], of: impl Fn(f32) -> f32) -> f32 {
    let mut lanes: Sums = [0.0; LANES];
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
