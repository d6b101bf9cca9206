//! From a feature map to one vector a stripe.

use alloc::vec;
use alloc::vec::Vec;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// The exponent of the original's GeM pooling (spec, *Network*).
pub const GEM_P: f32 = 3.74;
/// Values below this are raised to it before the power, whose gradient at zero is infinite.
const FLOOR: f32 = 1e-6;

/// What becomes of the places of a map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pooling {
    /// Their generalized mean, [`gem`], with a constant exponent.
    #[default]
    Gem,
    /// The same with an exponent that is trained, [`gem_learned`].
    GemLearned,
    /// Their maximum and their mean, [`max_average`]; the original's earlier form.
    MaxAverage,
}

impl Pooling {
    /// Values that a map of so many channels is pooled to.
    pub fn width(self, channels: usize) -> usize {
        match self {
            Self::Gem | Self::GemLearned => channels,
            Self::MaxAverage => 2 * channels,
        }
    }
}

/// Which part of the map a head reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cut {
    /// Each head its own vertical stripe, left to right, [`stripes`].
    #[default]
    Stripes,
    /// Every head the whole map.
    Whole,
}

/// Generalized-mean pooling, (mean of x^p)^(1/p) over a map (Radenović et al., 2018).
///
/// `[batch, channels, height, width]` to `[batch, channels]`.
pub fn gem(map: Tensor<4>, p: f32) -> Tensor<2> {
    let [batch, channels, height, width] = map.dims();
    let values = map
        .clamp_min(FLOOR)
        .reshape([batch, channels, height * width]);
    values
        .powf_scalar(p)
        .mean_dim(2)
        .powf_scalar(1.0 / p)
        .reshape([batch, channels])
}

/// [`gem`] with one exponent of its own, `[1]`, through which the gradient flows.
///
/// `[batch, channels, height, width]` to `[batch, channels]`.
pub fn gem_learned(map: Tensor<4>, p: Tensor<1>) -> Tensor<2> {
    let [batch, channels, height, width] = map.dims();
    let p: Tensor<3> = p.reshape([1, 1, 1]);
    let values = map
        .clamp_min(FLOOR)
        .reshape([batch, channels, height * width]);
    // x^p as exp(p·ln x), whose gradient for p every backend has.
    let mean = (values.log() * p.clone()).exp().mean_dim(2);
    (mean.log() / p).exp().reshape([batch, channels])
}

/// Maximum and mean of every channel over the map, maxima first (fastai's `AdaptiveConcatPool2d`).
///
/// `[batch, channels, height, width]` to `[batch, 2·channels]`.
pub fn max_average(map: Tensor<4>) -> Tensor<2> {
    let [batch, channels, height, width] = map.dims();
    let values = map.reshape([batch, channels, height * width]);
    let most = values.clone().max_dim(2);
    let pooled = Tensor::cat(vec![most, values.mean_dim(2)], 1);
    pooled.reshape([batch, 2 * channels])
}

/// The map cut into `count` vertical stripes along its width, each at most one column wider than
/// another: stripe i holds the columns from ⌊i·width/count⌋ to ⌊(i + 1)·width/count⌋.
///
/// Every stripe has a column when `width >= count`, which [`super::EmbedderConfig`] checks.
pub fn stripes(map: &Tensor<4>, count: usize) -> Vec<Tensor<4>> {
    let width = map.dims()[3];
    let edge = |i: usize| i * width / count;
    (0..count)
        .map(|i| map.clone().narrow(3, edge(i), edge(i + 1) - edge(i)))
        .collect()
}

#[cfg(all(test, feature = "std"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use burn::tensor::{Device, TensorData};

    #[test]
    fn gem_of_hand_calculated_values() {
        let map = Tensor::<4>::from_data([[[[1.0f32, 2.0], [3.0, -4.0]]]], &Device::flex());
        let pooled: f32 = gem(map.clone(), 3.74).into_scalar();
        // Python: ((1 + 2**3.74 + 3**3.74 + 1e-6**3.74) / 4) ** (1 / 3.74)
        assert!((pooled - 2.191_487).abs() < 1e-5, "{pooled}");
        let mean: f32 = gem(map, 1.0).into_scalar();
        assert!((mean - 1.5).abs() < 1e-5);
    }

    #[test]
    fn a_learned_exponent_pools_as_a_constant_one() {
        let map = Tensor::<4>::from_data([[[[1.0f32, 2.0], [3.0, -4.0]]]], &Device::flex());
        let p = Tensor::<1>::from_data([3.74f32], &Device::flex());
        let pooled: f32 = gem_learned(map, p).into_scalar();
        assert!((pooled - 2.191_487).abs() < 1e-5, "{pooled}");
    }

    #[test]
    fn maxima_stand_before_means() {
        let map = [[[[1.0f32, 2.0], [3.0, -4.0]], [[0.0, 0.0], [0.0, 8.0]]]];
        let map = Tensor::<4>::from_data(map, &Device::flex());
        let pooled: Vec<f32> = max_average(map).into_data().try_into_vec().unwrap();
        assert_eq!(pooled, [3.0, 8.0, 0.5, 2.0]);
    }

    #[test]
    fn stripes_share_the_columns_out_evenly() {
        let columns: alloc::vec::Vec<f32> = (0..10).map(|i| i as f32).collect();
        let map = Tensor::<4>::from_data(TensorData::new(columns, [1, 1, 1, 10]), &Device::flex());
        let widths: alloc::vec::Vec<usize> = stripes(&map, 4).iter().map(|s| s.dims()[3]).collect();
        assert_eq!(widths, [2, 3, 2, 3]);
    }
}
