//! Steps 3 and 4: what a label's photos say.
//!
//! The original system asks a label's nearest photo alone. `centre_share` asks the mean of a whale's
//! photos too: one photo's light and pose are its own, a mean has less of them. The cosine becomes
//! (1 - share) · nearest + share · centre. It does not touch `New`, whose photos are of many whales.
//!
//! What else was tried, and was no better on photos that it was not tuned on, stands in
//! docs/results/decision.md, *Beyond the nearest photo*.

use alloc::vec::Vec;

use super::DecisionParameters;
use crate::gallery::{Closeness, DISTANCE_EPSILON};

/// (2 - d)/2: 1 for the same feature, 0 for the opposite one, 0.3 for a right angle.
pub fn similarity(distance: f32) -> f32 {
    0.5 * (2.0 - distance)
}

/// The cosine of two unit vectors that have this [`similarity`], d = √(2 - 2·cosine + 1e-6).
pub fn cosine(similarity: f32) -> f32 {
    let distance = 2.0 - 2.0 * similarity;
    1.0 - 0.5 * (distance * distance - DISTANCE_EPSILON)
}

/// The similarity of a whale whose nearest photo has the similarity `nearest`, and whose centre the
/// cosine `centre`. With a share of 0, or a similarity of 0, it is `nearest`, to the bit.
#[inline]
pub fn whale_similarity(nearest: f32, centre: f32, centre_share: f32) -> f32 {
    if centre_share == 0.0 || nearest == 0.0 {
        return nearest;
    }
    let cosine = (1.0 - centre_share) * cosine(nearest) + centre_share * centre;
    let square = (2.0 - 2.0 * cosine).clamp(0.0, 4.0);
    similarity(libm::sqrtf(square + DISTANCE_EPSILON).min(2.0))
}

/// Step 3: the similarity to each label's photos, `New` last. A label without a photo gets 0.
pub fn similarity_column(
    closeness: &[Option<Closeness>],
    parameters: &DecisionParameters,
) -> Vec<f32> {
    let individuals = closeness.len().saturating_sub(1);
    let of_label = |(slot, closeness): (usize, &Option<Closeness>)| {
        let Some(closeness) = closeness else {
            return 0.0;
        };
        let nearest = similarity(closeness.nearest.distance);
        if slot < individuals {
            whale_similarity(nearest, closeness.centre, parameters.centre_share)
        } else {
            nearest
        }
    };
    closeness.iter().enumerate().map(of_label).collect()
}

/// Step 4: the same column with the constant q for `New`.
pub fn with_new_similarity(column: &[f32], new_similarity: f32) -> Vec<f32> {
    let mut column = column.to_vec();
    if let Some(new) = column.last_mut() {
        *new = new_similarity;
    }
    column
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    use crate::gallery::{FeatureStore, Gallery, GalleryRow, Individual, Label};

    /// Whale 0 at 30° and 90°, `New` at 0° and 60°; the query at 0°.
    #[test]
    fn the_centre_counts_as_by_hand() {
        let labels = [0, 0, 1, 1].map(|slot| Label::from_slot(slot, 1));
        let rows = labels.map(|label| GalleryRow { label, photo: 0 });
        let half = 0.75_f32.sqrt();
        let features = [half, 0.5, 0.0, 1.0, 1.0, 0.0, 0.5, half];
        let store = FeatureStore::from_features(2, &features).unwrap();
        let whale = Individual {
            name: "Salt".into(),
        };
        let gallery = Gallery::new(vec![whale], rows.to_vec(), store).unwrap();
        let closeness = gallery.closeness_per_label(&[2.0, 0.0]).unwrap();
        // The centre lies at 60°.
        assert!((closeness[0].unwrap().centre - 0.5).abs() < 1e-6);
        let parameters = DecisionParameters {
            centre_share: 0.25,
            ..DecisionParameters::default()
        };
        let column = similarity_column(&closeness, &parameters);
        let cosine = 0.75 * half + 0.25 * 0.5;
        let expected = 1.0 - (2.0 - 2.0 * cosine + 1e-6).sqrt() / 2.0;
        assert!((column[0] - expected).abs() < 1e-5, "{column:?}");
        assert!((column[1] - 1.0).abs() < 1e-3, "{column:?}");
    }

    proptest! {
        #[test]
        fn nothing_said_changes_nothing(nearest in 0.0_f32..1.0, centre in -1.0_f32..1.0) {
            prop_assert_eq!(whale_similarity(nearest, centre, 0.0).to_bits(), nearest.to_bits());
            // A single photo is its own centre.
            let alone = whale_similarity(nearest, cosine(nearest), 0.5);
            prop_assert!((alone - nearest).abs() < 1e-3);
            prop_assert_eq!(whale_similarity(0.0, centre, 0.5), 0.0);
        }

        #[test]
        fn a_nearer_centre_never_hurts(
            nearest in 0.0_f32..1.0,
            centre in -1.0_f32..0.9,
            share in 0.0_f32..1.0,
        ) {
            let said = whale_similarity(nearest, centre, share);
            prop_assert!((0.0..=1.0).contains(&said));
            prop_assert!(whale_similarity(nearest, centre + 0.1, share) >= said);
        }
    }
}
