//! The finder's loss.

use burn::tensor::Tensor;

/// Smooth L1 (Girshick, 2015) with the bend at `bend`: for boxes, `[batch, 4]`, the mean, `[1]`.
pub fn smooth_l1(found: Tensor<2>, wanted: Tensor<2>, bend: f32) -> Tensor<1> {
    let gap = (found - wanted).abs();
    let near = gap.clone().clamp_max(bend);
    // near²/2 + bend·(gap − near): quadratic up to the bend, linear beyond it, smooth at it.
    (near.clone().square() / 2.0 + (gap - near) * bend).mean()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn smooth_l1_is_quadratic_near_and_linear_far() {
        let device = Device::flex();
        let loss = |gap: f32| -> f32 {
            let zero = Tensor::<2>::from_data([[0.0f32]], &device);
            smooth_l1(zero.clone(), zero + gap, 0.1).into_scalar()
        };
        assert!((loss(0.05) - 0.00125).abs() < 1e-6);
        assert!((loss(0.5) - (0.005 + 0.04)).abs() < 1e-6);
    }
}
