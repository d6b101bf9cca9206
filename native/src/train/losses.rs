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

/// ArcFace's logits (Deng et al., 2019, formula 3), `[batch, individuals]`: `scale` times the cosines
/// between features `[batch, width]` and the individuals' directions `[width, individuals]`, the
/// true individual's angle widened by `margin` radians.
///
/// Where the widened angle would pass π, its cosine would rise again; there the cosine is lowered by
/// margin·sin(margin) instead, as the authors' code does.
pub fn arcface(
    features: Tensor<2>,
    directions: Tensor<2>,
    labels: &Tensor<1, Int>,
    scale: f64,
    margin: f64,
) -> Tensor<2> {
    let unit = |x: Tensor<2>, dim| {
        let norms = (x.clone().square().sum_dim(dim) + 1e-12).sqrt();
        x / norms
    };
    let cosines = unit(features, 1).matmul(unit(directions, 0));
    let [batch, individuals] = cosines.dims();
    let is_true = labels.clone().one_hot::<2>(individuals).float();
    let cosine = (cosines.clone() * is_true.clone()).sum_dim(1);
    let sine = (cosine.clone().square() * -1.0 + 1.0)
        .clamp_min(1e-6)
        .sqrt();
    let widened = cosine.clone() * margin.cos() - sine * margin.sin();
    let past = cosine.clone().lower_elem(-margin.cos());
    let lowered = cosine.clone() - margin * margin.sin();
    let step = widened.mask_where(past, lowered) - cosine;
    (cosines + is_true * step.expand([batch, individuals])) * scale
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
    fn arcface_of_hand_calculated_angles() {
        let device = Device::flex();
        // Angles of 60° and 150° to the first direction, 30° and 60° to the second.
        let (half, root) = (0.5f32, 0.75f32.sqrt());
        let features = Tensor::<2>::from_data([[1.0f32, 2.0 * root], [-3.0 * root, 1.5]], &device);
        let directions = Tensor::<2>::from_data([[2.0f32, 0.0], [0.0, 7.0]], &device);
        let labels = Tensor::<1, Int>::from_data([0, 0], &device);
        let margin = core::f64::consts::FRAC_PI_3;
        let logits = arcface(features, directions, &labels, 10.0, margin);
        // 60° + 60° = 120°; 150° + 60° is past 180°, so −√¾ − (π/3)·√¾.
        let lowered = -root - (margin as f32) * root;
        let wanted = [[-10.0 * half, 10.0 * root], [10.0 * lowered, 10.0 * half]];
        let logits: Vec<f32> = logits.into_data().try_into_vec().unwrap();
        for (found, wanted) in logits.iter().zip(wanted.as_flattened()) {
            assert!((found - wanted).abs() < 1e-4, "{found} {wanted}");
        }
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
