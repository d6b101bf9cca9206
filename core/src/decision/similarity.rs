//! Steps 3 and 4: what a label's photos say.
//!
//! The original system asks a label's nearest photo alone. Two numbers go beyond it, and both are 0
//! where nothing is said of them:
//!
//! - `centre_share` asks the mean of a whale's photos too: one photo's light and pose are its own, a
//!   mean has less of them. The cosine becomes (1 - share) · nearest + share · centre.
//! - `photos_penalty` takes penalty · ln(photos) from it: the nearest of many photos is nearer by
//!   chance alone, even if none of them shows the query's whale.
//!
//! Neither touches `New`, whose photos are of many whales.

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

/// The similarity of a whale with `photos` photos, the nearest of which has the similarity
/// `nearest`, and whose centre the cosine `centre`. With both parameters 0 it is `nearest`, to the
/// bit.
#[inline]
pub fn whale_similarity(
    nearest: f32,
    centre: f32,
    photos: u32,
    parameters: &DecisionParameters,
) -> f32 {
    let (share, penalty) = (parameters.centre_share, parameters.photos_penalty);
    if share == 0.0 && penalty == 0.0 {
        return nearest;
    }
    let mixed = (1.0 - share) * cosine(nearest) + share * centre;
    let cosine = mixed - penalty * libm::logf(photos.max(1) as f32);
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
            whale_similarity(nearest, closeness.centre, closeness.photos, parameters)
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

    fn parameters(centre_share: f32, photos_penalty: f32) -> DecisionParameters {
        DecisionParameters {
            centre_share,
            photos_penalty,
            ..DecisionParameters::default()
        }
    }

    /// Whale 0 at 30° and 90°, `New` at 0° and 60°; the query at 0°.
    #[test]
    fn centre_and_number_of_photos_count_as_by_hand() {
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
        assert_eq!(closeness[0].unwrap().photos, 2);
        // The centre lies at 60°.
        assert!((closeness[0].unwrap().centre - 0.5).abs() < 1e-6);
        let column = similarity_column(&closeness, &parameters(0.25, 0.1));
        let cosine = 0.75 * half + 0.25 * 0.5 - 0.1 * 2.0_f32.ln();
        let expected = 1.0 - (2.0 - 2.0 * cosine + 1e-6).sqrt() / 2.0;
        assert!((column[0] - expected).abs() < 1e-5, "{column:?}");
        assert!((column[1] - 1.0).abs() < 1e-3, "{column:?}");
    }

    proptest! {
        #[test]
        fn nothing_said_changes_nothing(nearest in 0.0_f32..1.0, centre in -1.0_f32..1.0, photos in 0_u32..99) {
            let said = whale_similarity(nearest, centre, photos, &parameters(0.0, 0.0));
            prop_assert_eq!(said.to_bits(), nearest.to_bits());
            // A single photo is its own centre, and ln 1 is nothing.
            let alone = whale_similarity(nearest, cosine(nearest), 1, &parameters(0.5, 0.5));
            prop_assert!((alone - nearest).abs() < 1e-3);
        }

        #[test]
        fn more_photos_never_help_and_a_nearer_centre_never_hurts(
            nearest in 0.0_f32..1.0,
            centre in -1.0_f32..0.9,
            photos in 1_u32..99,
            share in 0.0_f32..1.0,
            penalty in 0.0_f32..1.0,
        ) {
            let parameters = parameters(share, penalty);
            let said = whale_similarity(nearest, centre, photos, &parameters);
            prop_assert!((0.0..=1.0).contains(&said));
            prop_assert!(whale_similarity(nearest, centre, photos + 1, &parameters) <= said);
            prop_assert!(whale_similarity(nearest, centre + 0.1, photos, &parameters) >= said);
        }
    }
}
