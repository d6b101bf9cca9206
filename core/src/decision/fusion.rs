//! Step 5: one score from the three opinions.

use alloc::vec::Vec;

/// c1, c2, c3: the weights of similarity, similarity with q, and classifier with p.
pub type Weights = [f32; 3];

/// c1 · similarity + c2 · similarity with q + c3 · probability, for one label.
#[inline]
pub fn fused_score(weights: Weights, nearest: f32, nearest_with_new: f32, classifier: f32) -> f32 {
    weights[0] * nearest + weights[1] * nearest_with_new + weights[2] * classifier
}

/// [`fused_score`] for every label. The columns have one length.
pub fn fused_column(
    weights: Weights,
    nearest: &[f32],
    nearest_with_new: &[f32],
    classifier: &[f32],
) -> Vec<f32> {
    nearest
        .iter()
        .zip(nearest_with_new)
        .zip(classifier)
        .map(|((&nearest, &with_new), &classifier)| {
            fused_score(weights, nearest, with_new, classifier)
        })
        .collect()
}
