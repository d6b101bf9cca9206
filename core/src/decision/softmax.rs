//! Softmax, for the classifier and for the calibration.

use alloc::vec::Vec;

/// `exp(scale · v) / Σ exp(scale · v)` for every value. The values must be finite; none gives none.
///
/// The largest value is subtracted first, so nothing overflows however large the values are.
pub fn softmax(values: &[f32], scale: f32) -> Vec<f32> {
    let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut powers: Vec<f32> = values
        .iter()
        .map(|&value| libm::expf(scale * (value - largest)))
        .collect();
    let sum: f64 = powers.iter().copied().map(f64::from).sum();
    for power in &mut powers {
        *power = (f64::from(*power) / sum) as f32;
    }
    powers
}
