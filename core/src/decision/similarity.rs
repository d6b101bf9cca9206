//! Steps 3 and 4: the nearest photo's opinion.

use alloc::vec::Vec;

use crate::gallery::Nearest;

/// (2 - d)/2: 1 for the same feature, 0 for the opposite one, 0.3 for a right angle.
pub fn similarity(distance: f32) -> f32 {
    0.5 * (2.0 - distance)
}

/// Step 3: the similarity to each label's nearest photo. A label without a photo gets 0.
pub fn similarity_column(nearest: &[Option<Nearest>]) -> Vec<f32> {
    nearest
        .iter()
        .map(|nearest| nearest.map_or(0.0, |nearest| similarity(nearest.distance)))
        .collect()
}

/// Step 4: the same column with the constant q for `New`.
pub fn with_new_similarity(column: &[f32], new_similarity: f32) -> Vec<f32> {
    let mut column = column.to_vec();
    if let Some(new) = column.last_mut() {
        *new = new_similarity;
    }
    column
}
