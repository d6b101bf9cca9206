//! How long the sum of each label's features is: what turns the sum of a query's dot products with
//! a label's photos into the cosine of the query and the label's centre, with no centre kept.

use alloc::vec;
use alloc::vec::Vec;

use super::store::FeatureStore;
use super::{GalleryRow, Label};

/// |Σ features| of every label slot, `[individuals + 1]`; 0 for a label without a photo.
pub(super) fn lengths_of_sums(
    store: &FeatureStore,
    rows: &[GalleryRow],
    individuals: usize,
) -> Vec<f32> {
    let mut by_label: Vec<(usize, usize)> = rows
        .iter()
        .enumerate()
        .map(|(row, described)| (described.label.slot(individuals), row))
        .collect();
    by_label.sort_unstable();
    let mut lengths = vec![0.0; individuals + 1];
    for group in by_label.chunk_by(|a, b| a.0 == b.0) {
        if let Some(length) = lengths.get_mut(group[0].0) {
            *length = length_of_sum(store, group.iter().map(|&(_, row)| row));
        }
    }
    lengths
}

/// |Σ features| of one label.
pub(super) fn length_of_label(store: &FeatureStore, rows: &[GalleryRow], label: Label) -> f32 {
    let of_label =
        |(row, described): (usize, &GalleryRow)| (described.label == label).then_some(row);
    length_of_sum(store, rows.iter().enumerate().filter_map(of_label))
}

fn length_of_sum(store: &FeatureStore, rows: impl Iterator<Item = usize>) -> f32 {
    let mut sum = vec![0.0_f64; store.dimension()];
    for row in rows {
        store.add_to(row, &mut sum);
    }
    libm::sqrt(sum.iter().map(|value| value * value).sum()) as f32
}
