//! From a feature map to one vector a stripe.

use alloc::vec::Vec;
use burn::tensor::Tensor;

/// The exponent of the original's GeM pooling (spec, *Network*).
pub const GEM_P: f32 = 3.74;
/// Values below this are raised to it before the power, whose gradient at zero is infinite.
const FLOOR: f32 = 1e-6;

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
    fn stripes_share_the_columns_out_evenly() {
        let columns: alloc::vec::Vec<f32> = (0..10).map(|i| i as f32).collect();
        let map = Tensor::<4>::from_data(TensorData::new(columns, [1, 1, 1, 10]), &Device::flex());
        let widths: alloc::vec::Vec<usize> = stripes(&map, 4).iter().map(|s| s.dims()[3]).collect();
        assert_eq!(widths, [2, 3, 2, 3]);
    }
}
