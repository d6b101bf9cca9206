//! Logits of angles: cosines between features and directions, the true one's made worse.
//!
//! Features are `[batch, width]`, directions `[width, classes]` and of any length; logits are
//! `[batch, classes]`. A photo of none of the classes has no margin.

use super::Targets;
use burn::tensor::{Tensor, TensorData};

/// A margin a class: 0.271·n^−0.364 + 0.05 radians for a class of n photos, as the 1st place of the
/// Happywhale competition (2022) took it (spec, *What the teams above it … did*).
pub fn dynamic_margins(photos: &[usize]) -> Vec<f32> {
    let margin = |&n: &usize| 0.271 * (n.max(1) as f32).powf(-0.364) + 0.05;
    photos.iter().map(margin).collect()
}

/// ArcFace (Deng et al., 2019, formula 3): `scale` times the cosines, the true class's angle widened
/// by its margin, `margins` in radians, one a class.
///
/// Where the widened angle would pass π, its cosine would rise again; there the cosine is lowered by
/// margin·sin(margin) instead, as the authors' code does.
pub fn arcface(cosines: Tensor<2>, targets: &Targets, scale: f64, margins: &[f32]) -> Tensor<2> {
    let [batch, classes] = cosines.dims();
    let is_true = targets.one_hot(classes);
    let of_true = |values: Vec<f32>| {
        let data = TensorData::new(values, [1, classes]);
        let values = Tensor::<2>::from_data(data, &cosines.device());
        (is_true.clone() * values).sum_dim(1)
    };
    let each = |f: fn(f32) -> f32| of_true(margins.iter().map(|&margin| f(margin)).collect());
    let cosine = (cosines.clone() * is_true.clone()).sum_dim(1);
    let sine = (cosine.clone().square() * -1.0 + 1.0)
        .clamp_min(1e-6)
        .sqrt();
    let widened = cosine.clone() * each(f32::cos) - sine * each(f32::sin);
    let past = (cosine.clone() + each(f32::cos)).lower_elem(0.0);
    let lowered = cosine.clone() - each(|margin| margin * margin.sin());
    let step = widened.mask_where(past, lowered) - cosine;
    (cosines + is_true * step.expand([batch, classes])) * scale
}

/// CosFace (Wang et al., 2018, formula 4): `scale` times the cosines, the true class's lowered by
/// `margin`.
pub fn cosface(cosines: Tensor<2>, targets: &Targets, scale: f64, margin: f64) -> Tensor<2> {
    let [_, classes] = cosines.dims();
    (cosines - targets.one_hot(classes) * margin) * scale
}

/// Cosines between features and directions, `[batch, classes]`.
pub fn cosines(features: Tensor<2>, directions: Tensor<2>) -> Tensor<2> {
    let unit = |x: Tensor<2>, dim| {
        let norms = (x.clone().square().sum_dim(dim) + 1e-12).sqrt();
        x / norms
    };
    unit(features, 1).matmul(unit(directions, 0))
}

/// The greatest cosine of each class to any of its `centers` directions (Deng et al., 2020). The
/// directions of a class stand beside each other, `[width, classes · centers]`.
pub fn nearest_center(cosines: Tensor<2>, centers: usize) -> Tensor<2> {
    let [batch, directions] = cosines.dims();
    let classes = directions / centers;
    cosines
        .reshape([batch, classes, centers])
        .max_dim(2)
        .reshape([batch, classes])
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn arcface_of_hand_calculated_angles() {
        let device = Device::flex();
        // Angles of 60° and 150° to the first direction, 30° and 60° to the second.
        let (half, root) = (0.5f32, 0.75f32.sqrt());
        let features = Tensor::<2>::from_data([[1.0f32, 2.0 * root], [-3.0 * root, 1.5]], &device);
        let directions = Tensor::<2>::from_data([[2.0f32, 0.0], [0.0, 7.0]], &device);
        let targets = Targets::new(&[Some(0), Some(0)], &device);
        let margin = std::f32::consts::FRAC_PI_3;
        let logits = arcface(cosines(features, directions), &targets, 10.0, &[margin; 2]);
        // 60° + 60° = 120°; 150° + 60° is past 180°, so −√¾ − (π/3)·√¾.
        let lowered = -root - margin * root;
        let wanted = [[-10.0 * half, 10.0 * root], [10.0 * lowered, 10.0 * half]];
        let logits: Vec<f32> = logits.into_data().try_into_vec().unwrap();
        for (found, wanted) in logits.iter().zip(wanted.as_flattened()) {
            assert!((found - wanted).abs() < 1e-4, "{found} {wanted}");
        }
    }

    #[test]
    fn a_photo_of_none_of_the_classes_has_no_margin() {
        let device = Device::flex();
        let targets = Targets::new(&[None], &device);
        let cosines = || Tensor::<2>::from_data([[0.5f32, -0.5]], &device);
        for logits in [
            arcface(cosines(), &targets, 2.0, &[0.3; 2]),
            cosface(cosines(), &targets, 2.0, 0.3),
        ] {
            let logits: Vec<f32> = logits.into_data().try_into_vec().unwrap();
            assert_eq!(logits, [1.0, -1.0]);
        }
    }

    #[test]
    fn a_whale_of_one_photo_gets_the_widest_margin() {
        let margins = dynamic_margins(&[1, 10]);
        // 0.271 + 0.05; 0.271 · 10^-0.364 + 0.05
        assert!((margins[0] - 0.321).abs() < 1e-6);
        assert!((margins[1] - 0.167_211).abs() < 1e-5, "{}", margins[1]);
        // One that is kept out of training has none, and no margin either that is no number.
        assert_eq!(dynamic_margins(&[0]), margins[..1]);
    }
}
