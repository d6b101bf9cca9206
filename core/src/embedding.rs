//! What the networks, and the trailing edge, say of a photo, seen once or in several views, by one network or several.

use alloc::format;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::decision::Query;
use crate::gallery::{GalleryError, normalized};
use crate::{Error, Result};

/// What the network says of one input, or of all views of a photo together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Embedding {
    /// Concatenated features, `[feature_width]`, not of unit length.
    pub feature: Vec<f32>,
    /// One logit an individual that the classifier was trained on.
    pub logits: Vec<f32>,
    /// How well every label's trailing edge fits the photo's, in standard deviations, `[individuals + 1]`; empty
    /// where none are compared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub edges: Vec<f32>,
}

impl Embedding {
    /// As the decision takes it.
    pub fn query(&self) -> Query<'_> {
        Query {
            feature: &self.feature,
            logits: &self.logits,
        }
    }

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
        let (features, logits) = units(views)?;
        Ok(Self {
            feature: mean(&features),
            logits: mean(&logits),
            edges: Vec::new(),
        })
    }

    /// What several networks say of a photo together: their features fused and the mean of their
    /// logits. A single network's embedding stays as it is.
    ///
    /// # Errors
    /// [`GalleryError::Query`] when a member's feature is not finite or has no direction, or when
    /// averaged features cancel each other; [`Error::Model`] when the members answer for different
    /// numbers of individuals, or features of different widths are to be averaged.
    pub fn of_members(members: Vec<Self>, fuse: Fuse) -> Result<Self> {
        let members = match <[Self; 1]>::try_from(members) {
            Ok([only]) => return Ok(only),
            Err(members) => members,
        };
        let (features, logits) = units(members)?;
        same_length("logits", &logits)?;
        let feature = match fuse {
            Fuse::Concatenate => {
                let share = 1.0 / libm::sqrt(features.len() as f64);
                let values = features.iter().flatten();
                values.map(|&v| (f64::from(v) * share) as f32).collect()
            }
            Fuse::Average => {
                same_length("feature values", &features)?;
                let mean = mean(&features);
                normalized(&mean, mean.len()).map_err(GalleryError::Query)?
            }
        };
        Ok(Self {
            feature,
            logits: mean(&logits),
            edges: Vec::new(),
        })
    }
}

/// How the features that several networks make of a photo become one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fuse {
    /// One after another, each of length one and then divided by the square root of their number:
    /// the cosine of two such features is the mean of the members' cosines.
    #[default]
    Concatenate,
    /// The mean of features of length one, made unit length again; for members of one width.
    Average,
}

impl Fuse {
    /// Values in the fused feature of members with features of these `widths`.
    pub fn width(self, widths: impl IntoIterator<Item = usize>) -> usize {
        let mut widths = widths.into_iter();
        match self {
            Self::Concatenate => widths.sum(),
            Self::Average => widths.next().unwrap_or(0),
        }
    }
}

type Rows = Vec<Vec<f32>>;

/// Features, each made unit length, and logits.
fn units(embeddings: Vec<Embedding>) -> Result<(Rows, Rows)> {
    let (mut features, mut logits) = (Vec::new(), Vec::new());
    for one in embeddings {
        let unit = normalized(&one.feature, one.feature.len());
        features.push(unit.map_err(GalleryError::Query)?);
        logits.push(one.logits);
    }
    Ok((features, logits))
}

fn same_length(what: &str, rows: &[Vec<f32>]) -> Result<()> {
    let first = rows.first().map_or(0, Vec::len);
    let other = rows.iter().position(|row| row.len() != first);
    other.map_or(Ok(()), |member| {
        let reason = format!(
            "member {} of the ensemble gives {} {what}, the first {first}",
            member + 1,
            rows[member].len()
        );
        Err(Error::Model { reason })
    })
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
    use alloc::string::ToString;
    use alloc::vec;
    use proptest::prelude::*;

    fn embedding(feature: &[f32], logits: &[f32]) -> Embedding {
        Embedding {
            feature: feature.to_vec(),
            logits: logits.to_vec(),
            edges: Vec::new(),
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

    #[test]
    fn features_are_concatenated_and_logits_averaged_as_by_hand() {
        // (3, 4) / 5 and (0, 0, 2) / 2, both over the root of 2.
        let root = core::f32::consts::FRAC_1_SQRT_2;
        let members = vec![
            embedding(&[3.0, 4.0], &[1.0, -6.0, 8.0]),
            embedding(&[0.0, 0.0, 2.0], &[3.0, 0.0, 1.0]),
        ];
        let both = Embedding::of_members(members, Fuse::Concatenate).unwrap();
        assert_eq!(both.logits, [2.0, -3.0, 4.5]);
        let expected = [0.6 * root, 0.8 * root, 0.0, 0.0, root];
        assert_eq!(both.feature.len(), 5);
        for (found, expected) in both.feature.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-7, "{found} {expected}");
        }
    }

    #[test]
    fn averaged_features_are_of_unit_length_again() {
        // The mean of (0.6, 0.8) and (0, 1) is (0.3, 0.9), of length sqrt(0.9).
        let members = vec![
            embedding(&[3.0, 4.0], &[1.0]),
            embedding(&[0.0, 10.0], &[3.0]),
        ];
        let both = Embedding::of_members(members, Fuse::Average).unwrap();
        assert_eq!(both.logits, [2.0]);
        for (found, expected) in both.feature.iter().zip([0.316_227_77, 0.948_683_3]) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn members_that_cannot_be_fused_are_named() {
        let refused = |second: Embedding, fuse| {
            let members = vec![embedding(&[1.0, 0.0], &[1.0, 2.0]), second];
            Embedding::of_members(members, fuse)
                .unwrap_err()
                .to_string()
        };
        let wider = embedding(&[1.0, 0.0, 0.0], &[1.0, 2.0]);
        let message = refused(wider, Fuse::Average);
        assert!(
            message.contains("member 2 of the ensemble gives 3 feature values"),
            "{message}"
        );
        let knows_less = embedding(&[1.0, 0.0], &[1.0]);
        let message = refused(knows_less, Fuse::Concatenate);
        assert!(message.contains("gives 1 logits, the first 2"), "{message}");
        let opposite = embedding(&[-1.0, 0.0], &[1.0, 2.0]);
        assert!(refused(opposite, Fuse::Average).contains("no direction"));
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
        fn the_cosine_of_concatenated_features_is_the_mean_of_the_cosines(
            photos in prop::array::uniform2(prop::array::uniform3(any_embedding())),
        ) {
            let cosine = |a: &[f32], b: &[f32]| -> f64 {
                a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
            };
            let fused = photos.clone().map(|members| {
                Embedding::of_members(members.to_vec(), Fuse::Concatenate).unwrap().feature
            });
            let mean: f64 = (0..3).map(|member| {
                let [a, b] = [0, 1].map(|photo: usize| {
                    normalized(&photos[photo][member].feature, 4).unwrap()
                });
                cosine(&a, &b) / 3.0
            }).sum();
            prop_assert!((cosine(&fused[0], &fused[1]) - mean).abs() < 1e-6);
        }

        #[test]
        fn a_single_member_stays_as_it_is(one in any_embedding()) {
            for fuse in [Fuse::Concatenate, Fuse::Average] {
                prop_assert_eq!(&Embedding::of_members(vec![one.clone()], fuse).unwrap(), &one);
            }
        }

        #[test]
        fn the_order_of_the_views_does_not_matter(one in any_embedding(), two in any_embedding()) {
            let forth = Embedding::of_views(vec![one.clone(), two.clone()]).unwrap();
            prop_assert_eq!(forth, Embedding::of_views(vec![two, one]).unwrap());
        }
    }
}
