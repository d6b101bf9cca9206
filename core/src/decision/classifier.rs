//! Steps 1 and 2: the classifier's opinion.

use alloc::vec::Vec;

use super::softmax;

/// Step 1: softmax(T · logits), `[individuals]`. Individuals beyond the logits were enrolled after
/// the classifier was trained and get 0.
pub fn classifier_probabilities(logits: &[f32], individuals: usize, temperature: f32) -> Vec<f32> {
    let mut probabilities = softmax(logits, temperature);
    probabilities.resize(individuals, 0.0);
    probabilities
}

/// Step 2: the probabilities with the constant p for `New` beside them, `[individuals + 1]`. p is
/// outside the softmax: it takes nothing from the others.
pub fn classifier_column(
    logits: &[f32],
    individuals: usize,
    temperature: f32,
    new_probability: f32,
) -> Vec<f32> {
    let mut column = classifier_probabilities(logits, individuals, temperature);
    column.push(new_probability);
    column
}
