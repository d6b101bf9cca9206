//! Step 6: what the scores are worth, as probabilities.

use alloc::vec::Vec;

use super::softmax;

/// exp of anything below is nothing beside 1, even some thousand times over.
const NEGLIGIBLE: f32 = -30.0;

/// softmax(β · score) over all labels, so that the probabilities of all whales and of `New` sum to
/// one and keep the scores' order.
///
/// One number, β, is fitted by maximum likelihood on the tuning photos. That makes the
/// probabilities right on average over photos like those, and no more: it cannot know that one
/// whale is easier than another, or that the share of new whales is different elsewhere.
pub fn probabilities(scores: &[f32], sharpness: f32) -> Vec<f32> {
    softmax(scores, sharpness)
}

/// -ln of the probability that [`probabilities`] gives the label at `slot`: what the fit of β
/// makes small. It is convex in β. The scores must be finite and `slot` be one of them.
pub fn negative_log_likelihood(scores: &[f32], slot: usize, sharpness: f32) -> f64 {
    let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let exponents = scores.iter().map(|&score| sharpness * (score - largest));
    let counting = exponents.filter(|&exponent| exponent > NEGLIGIBLE);
    let sum: f64 = counting
        .map(|exponent| f64::from(libm::expf(exponent)))
        .sum();
    libm::log(sum) + f64::from(sharpness) * f64::from(largest - scores[slot])
}
