//! Losses of features, `[batch, width]`, each the mean over the batch, `[1]`.

use super::Targets;
use super::classification::cross_entropy;
use burn::tensor::Tensor;

/// Ring loss (Zheng, Pal and Savvides, 2018): the mean of (‖f‖ − R)² with one learned radius, `[1]`.
pub fn ring(features: Tensor<2>, radius: Tensor<1>) -> Tensor<1> {
    let norms = (features.square().sum_dim(1) + 1e-12).sqrt();
    (norms - radius.reshape([1, 1])).square().mean()
}

/// Center loss (Wen et al., 2016, formula 2, as a mean): ½‖f − c‖² to the center of the photo's
/// class; `centers` are `[classes, width]` and learned. A photo of none of the classes has none.
pub fn center(features: Tensor<2>, centers: Tensor<2>, targets: &Targets) -> Tensor<1> {
    let own = centers.select(0, targets.labels.clone());
    let squares = (features - own).square().sum_dim(1) * 0.5;
    let squares = squares.reshape([-1]);
    match &targets.known {
        Some(known) => (squares * known.clone()).mean(),
        None => squares.mean(),
    }
}

/// Large-margin Gaussian mixture loss (Wan et al., 2018) with identity covariance: cross-entropy of
/// −d·(1 + `margin` at the true class), where d = ½‖f − μ‖² to each of the `centers`,
/// `[classes, width]`, and `likelihood` times the true class's d.
pub fn gaussian_mixture(
    features: Tensor<2>,
    centers: Tensor<2>,
    targets: &Targets,
    margin: f64,
    likelihood: f64,
) -> Tensor<1> {
    let [classes, _] = centers.dims();
    let pull = center(features.clone(), centers.clone(), targets) * likelihood;
    let squares =
        features.clone().square().sum_dim(1) + centers.clone().square().sum_dim(1).transpose();
    let distances = (squares - features.matmul(centers.transpose()) * 2.0) * 0.5;
    let factors = targets.one_hot(classes) * margin + 1.0;
    cross_entropy((distances * factors).neg(), targets) + pull
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn ring_of_a_hand_calculated_batch() {
        let device = Device::flex();
        let features = Tensor::<2>::from_data([[3.0f32, 4.0], [0.0, 2.0]], &device);
        let loss: f32 = ring(features, Tensor::from_data([1.5f32], &device)).into_scalar();
        // ((5 - 1.5)² + (2 - 1.5)²) / 2
        assert!((loss - 6.25).abs() < 1e-5, "{loss}");
    }

    #[test]
    fn center_loss_leaves_photos_of_no_class_alone() {
        let device = Device::flex();
        let features = Tensor::<2>::from_data([[3.0f32, 4.0], [9.0, 9.0]], &device);
        let centers = Tensor::<2>::from_data([[0.0f32, 0.0], [3.0, 2.0]], &device);
        let targets = Targets::new(&[Some(1), None], &device);
        let loss: f32 = center(features, centers, &targets).into_scalar();
        // (½·(0² + 2²) + 0) / 2
        assert!((loss - 1.0).abs() < 1e-6, "{loss}");
    }
}
