//! The triplet losses on features of unit length, each a mean, `[1]`.

use super::mining::{distances, hardest_in_batch};
use super::values;
use crate::Result;
use burn::tensor::{Int, Tensor, activation};

/// Added to a distance's square, so that its root has a slope everywhere.
const EPSILON: f64 = 1e-6;

/// Features `[batch, width]` made unit length.
pub fn unit(features: Tensor<2>) -> Tensor<2> {
    let norms = (features.clone().square().sum_dim(1) + 1e-12).sqrt();
    features / norms
}

/// The mean of max(0, d(a, p) − d(a, n) + margin) (Schroff, Kalenichenko and Philbin, 2015, with the
/// distance of the spec's *Deciding*, d = √(‖a − b‖² + 1e-6)) over the rows of three
/// `[batch, width]`.
pub fn triplet(
    anchor: Tensor<2>,
    positive: Tensor<2>,
    negative: Tensor<2>,
    margin: f64,
) -> Tensor<1> {
    let gap = distance(anchor.clone(), positive) - distance(anchor, negative);
    activation::relu(gap + margin).mean()
}

/// [`triplet`] of each photo with the farthest photo of its whale and the nearest of another one,
/// both within the batch `[batch, width]` (Hermans, Beyer and Leibe, 2017, formula 5).
///
/// A photo counts only if the batch has a second photo of its whale and one of another whale; when
/// no photo counts, the loss is 0.
///
/// # Errors
/// When the device does not give the features.
pub fn batch_hard(features: Tensor<2>, individuals: &[u32], margin: f64) -> Result<Tensor<1>> {
    let [_, width] = features.dims();
    let distances = distances(&values(features.clone())?, width);
    let triplets = hardest_in_batch(&distances, individuals);
    if triplets.is_empty() {
        return Ok(features.sum() * 0.0);
    }
    let rows = |place: usize| {
        let rows: Vec<usize> = triplets.iter().map(|triplet| triplet[place]).collect();
        select(features.clone(), &rows)
    };
    Ok(triplet(rows(0), rows(1), rows(2), margin))
}

/// The rows of `features`, `[batch, width]`, at these places.
pub(super) fn select(features: Tensor<2>, rows: &[usize]) -> Tensor<2> {
    let rows: Vec<i64> = rows.iter().map(|&row| row as i64).collect();
    let rows = Tensor::<1, Int>::from_data(rows.as_slice(), &features.device());
    features.select(0, rows)
}

/// The distances between the rows of two `[batch, width]`: `[batch, 1]`.
fn distance(a: Tensor<2>, b: Tensor<2>) -> Tensor<2> {
    ((a - b).square().sum_dim(1) + EPSILON).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn tensor<const N: usize>(rows: [[f32; 2]; N]) -> Tensor<2> {
        Tensor::from_data(rows, &Device::flex().autodiff()).require_grad()
    }

    fn close(found: &[f32], wanted: &[f32]) {
        assert_eq!(found.len(), wanted.len());
        for (a, b) in found.iter().zip(wanted) {
            assert!((a - b).abs() < 1e-4, "{found:?} {wanted:?}");
        }
    }

    #[test]
    fn features_become_unit_length_and_zero_stays_a_number() {
        let features = unit(tensor([[3.0, -4.0], [0.0, 0.0]]));
        close(&values(features).unwrap(), &[0.6, -0.8, 0.0, 0.0]);
    }

    #[test]
    fn triplet_of_a_hand_calculated_batch() {
        // Distances 5 and 4 give 1.5 with the margin; 1 and 3 give nothing.
        let anchor = tensor([[0.0, 0.0], [0.0, 0.0]]);
        let positive = tensor([[3.0, 4.0], [1.0, 0.0]]);
        let negative = tensor([[0.0, 4.0], [0.0, 3.0]]);
        let loss = triplet(anchor.clone(), positive.clone(), negative.clone(), 0.5);
        close(&[loss.clone().into_scalar()], &[0.75]);

        // The slope of ‖a − p‖ is (a − p)/‖a − p‖; the mean halves it; the second row is flat.
        let gradients = loss.backward();
        let gradient = |x: &Tensor<2>| values(x.grad(&gradients).unwrap());
        close(&gradient(&positive).unwrap(), &[0.3, 0.4, 0.0, 0.0]);
        close(&gradient(&negative).unwrap(), &[0.0, -0.5, 0.0, 0.0]);
        close(&gradient(&anchor).unwrap(), &[-0.3, 0.1, 0.0, 0.0]);
    }

    #[test]
    fn equal_photos_are_a_thousandth_apart_and_have_a_slope() {
        let place = tensor([[0.6, 0.8]]);
        let loss = triplet(place.clone(), place.clone(), tensor([[0.6, -0.8]]), 2.0);
        // 0.001 − 1.6 + 2
        close(&[loss.clone().into_scalar()], &[0.401]);
        let gradient = place.grad(&loss.backward()).unwrap();
        assert!(values(gradient).unwrap().iter().all(|v| v.is_finite()));
    }

    #[test]
    fn batch_hard_takes_the_farthest_of_the_whale_and_the_nearest_of_another() {
        let features = tensor([[0.0, 0.0], [3.0, 0.0], [1.0, 0.0], [0.0, 5.0], [0.0, 7.0]]);
        let loss = batch_hard(features.clone(), &[4, 4, 4, 9, 2], 4.0).unwrap();
        // Whale 4 counts: 3 − 5, 3 − √34, 2 − √26, each + 4; whales 9 and 2 have one photo each.
        let wanted =
            ((3.0 - 5.0 + 4.0) + (3.0 - 34f32.sqrt() + 4.0) + (2.0 - 26f32.sqrt() + 4.0)) / 3.0;
        close(&[loss.clone().into_scalar()], &[wanted]);
        let gradient = values(features.grad(&loss.backward()).unwrap()).unwrap();
        close(&gradient[8..], &[0.0, 0.0]);
        // Only as a negative: (a − n)/‖a − n‖ of its three anchors, a third each.
        let x = (3.0 / 34f32.sqrt() + 1.0 / 26f32.sqrt()) / 3.0;
        let y = -(1.0 + 5.0 / 34f32.sqrt() + 5.0 / 26f32.sqrt()) / 3.0;
        close(&gradient[6..8], &[x, y]);
    }

    #[test]
    fn a_batch_in_which_no_photo_counts_has_no_loss() {
        let features = [[0.0, 1.0], [1.0, 0.0]];
        for individuals in [[1, 1], [1, 2]] {
            let loss = batch_hard(tensor(features), &individuals, 0.3).unwrap();
            close(&[loss.into_scalar()], &[0.0]);
        }
    }
}
