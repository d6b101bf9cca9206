//! The losses, each the mean over the batch, `[1]`.

use burn::tensor::{Int, Tensor, activation};

/// Cross-entropy of `logits`, `[batch, individuals]`, with one true individual a photo, `[batch]`.
pub fn cross_entropy(logits: Tensor<2>, labels: Tensor<1, Int>) -> Tensor<1> {
    let [batch, _] = logits.dims();
    let log_probabilities = activation::log_softmax(logits, 1);
    log_probabilities
        .gather(1, labels.reshape([batch, 1]))
        .mean()
        .neg()
}

/// Ring loss (Zheng, Pal and Savvides, 2018): the mean of (‖f‖ − R)² over features `[batch, width]`
/// with one learned radius, `[1]`.
pub fn ring(features: Tensor<2>, radius: Tensor<1>) -> Tensor<1> {
    let norms = (features.square().sum_dim(1) + 1e-12).sqrt();
    (norms - radius.reshape([1, 1])).square().mean()
}

/// Smooth L1 (Girshick, 2015) with the bend at `bend`: for boxes, `[batch, 4]`.
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
    fn cross_entropy_of_a_hand_calculated_batch() {
        let device = Device::flex();
        let logits = Tensor::<2>::from_data([[0.0f32, 3.0f32.ln()], [0.0, 0.0]], &device);
        let labels = Tensor::<1, Int>::from_data([1, 0], &device);
        let loss: f32 = cross_entropy(logits, labels).into_scalar();
        // -(ln(3/4) + ln(1/2)) / 2
        assert!((loss - 0.490_415).abs() < 1e-5, "{loss}");
    }

    #[test]
    fn ring_of_a_hand_calculated_batch() {
        let device = Device::flex();
        let features = Tensor::<2>::from_data([[3.0f32, 4.0], [0.0, 2.0]], &device);
        let loss: f32 = ring(features, Tensor::from_data([1.5f32], &device)).into_scalar();
        // ((5 - 1.5)² + (2 - 1.5)²) / 2
        assert!((loss - 6.25).abs() < 1e-5, "{loss}");
    }

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
