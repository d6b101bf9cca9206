//! What the network says of a photo, seen once or in several views.

use alloc::vec::Vec;

use crate::Result;
use crate::gallery::{GalleryError, normalized};

/// What the network says of one input, or of all views of a photo together.
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding {
    /// Concatenated features, `[feature_width]`, not of unit length.
    pub feature: Vec<f32>,
    /// One logit an individual that the classifier was trained on.
    pub logits: Vec<f32>,
}

impl Embedding {
    /// What is said of a photo after each of its views, see
    /// [`views`](crate::photo::Preprocessing::views): the mean of the features, each made unit
    /// length before, and the mean of the logits. A single view stays as it is.
    ///
    /// # Errors
    /// [`GalleryError::Query`] when the feature of one of several views is not finite or has no
    /// direction.
    pub fn of_views(views: Vec<Self>) -> Result<Self> {
        let views = match <[Self; 1]>::try_from(views) {
            Ok([only]) => return Ok(only),
            Err(views) => views,
        };
        let (mut features, mut logits) = (Vec::new(), Vec::new());
        for view in views {
            let unit = normalized(&view.feature, view.feature.len());
            features.push(unit.map_err(GalleryError::Query)?);
            logits.push(view.logits);
        }
        Ok(Self {
            feature: mean(&features),
            logits: mean(&logits),
        })
    }
}

/// The mean of rows of the same length, place by place.
fn mean(rows: &[Vec<f32>]) -> Vec<f32> {
    let width = rows.first().map_or(0, Vec::len);
    let column = |i: usize| rows.iter().map(move |row| f64::from(row[i])).sum::<f64>();
    (0..width)
        .map(|i| (column(i) / rows.len() as f64) as f32)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn embedding(feature: &[f32], logits: &[f32]) -> Embedding {
        Embedding {
            feature: feature.to_vec(),
            logits: logits.to_vec(),
        }
    }

    #[test]
    fn features_are_made_unit_length_before_the_mean_and_logits_are_not() {
        // (3, 4) / 5 and (0, 10) / 10: the longer one does not weigh more.
        let views = vec![
            embedding(&[3.0, 4.0], &[1.0, -6.0, 8.0]),
            embedding(&[0.0, 10.0], &[3.0, 0.0, 1.0]),
        ];
        let both = Embedding::of_views(views).unwrap();
        assert_eq!(both, embedding(&[0.3, 0.9], &[2.0, -3.0, 4.5]));
    }

    #[test]
    fn a_view_without_a_direction_is_refused() {
        for spoilt in [0.0, f32::NAN] {
            let views = vec![
                embedding(&[1.0, 2.0], &[1.0]),
                embedding(&[spoilt; 2], &[1.0]),
            ];
            assert!(Embedding::of_views(views).is_err(), "{spoilt}");
        }
    }

    fn any_embedding() -> impl Strategy<Value = Embedding> {
        let values = prop::array::uniform3(-50f32..50.0);
        (0.5f32..9.0, values.clone(), values).prop_map(|(first, rest, logits)| {
            embedding(&[first, rest[0], rest[1], rest[2]], &logits)
        })
    }

    proptest! {
        #[test]
        fn a_single_view_stays_as_it_is(one in any_embedding()) {
            prop_assert_eq!(Embedding::of_views(vec![one.clone()]).unwrap(), one);
        }

        #[test]
        fn the_mean_of_identical_views_is_the_single_view(one in any_embedding(), views in 2usize..9) {
            let mean = Embedding::of_views(vec![one.clone(); views]).unwrap();
            prop_assert_eq!(mean.logits, one.logits);
            prop_assert_eq!(mean.feature, normalized(&one.feature, 4).unwrap());
        }

        #[test]
        fn the_order_of_the_views_does_not_matter(one in any_embedding(), two in any_embedding()) {
            let forth = Embedding::of_views(vec![one.clone(), two.clone()]).unwrap();
            prop_assert_eq!(forth, Embedding::of_views(vec![two, one]).unwrap());
        }
    }
}
