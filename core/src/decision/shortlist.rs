//! Whom a query is compared with by local features: the first whales by score, and where the whole
//! catalogue voted, those with most votes.

use alloc::vec::Vec;

use super::EvidenceParameters;
use crate::evidence::vote::LabelVotes;
use crate::gallery::{Gallery, GalleryError, Label};

/// A whale that a query is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The whale's slot.
    pub slot: usize,
    /// Rows of the gallery: the whale's photos that are looked at, in order.
    pub rows: Vec<u32>,
}

/// How long a shortlist is. A shorter one is the beginning of a longer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortlistSize {
    /// The first so many whales.
    pub whales: usize,
    /// So many photos of each.
    pub photos: usize,
}

impl ShortlistSize {
    /// As it was tuned.
    pub fn of(parameters: &EvidenceParameters) -> Self {
        Self {
            whales: parameters.whales as usize,
            photos: parameters.photos as usize,
        }
    }
}

/// The first whales by their final scores, `[individuals + 1]`, equal ones in label order, each with the
/// photos that are nearest to `feature`.
///
/// # Errors
/// As [`Gallery::nearest_of`].
pub fn first_by_score(
    scores: &[f32],
    gallery: &Gallery,
    feature: &[f32],
    size: ShortlistSize,
) -> Result<Vec<Listed>, GalleryError> {
    let whales = first(scores, gallery, size.whales);
    let listed = whales.into_iter().map(|slot| {
        let rows = nearest(gallery, feature, slot, size.photos)?;
        Ok(Listed { slot, rows })
    });
    listed.collect()
}

/// The whales with most votes, as [`first_by_score`]; those without a vote are left out. A whale's photo
/// with most votes is looked at first. The index that voted has the gallery's rows as photos.
///
/// # Errors
/// As [`Gallery::nearest_of`].
pub fn first_by_votes(
    votes: &LabelVotes,
    gallery: &Gallery,
    feature: &[f32],
    size: ShortlistSize,
) -> Result<Vec<Listed>, GalleryError> {
    let whales = first(&votes.votes, gallery, size.whales);
    let voted = whales.into_iter().filter(|&slot| votes.votes[slot] > 0.0);
    let listed = voted.map(|slot| {
        let best = votes.best.get(slot).copied().flatten();
        let mut rows: Vec<u32> = best.into_iter().collect();
        let nearest = nearest(gallery, feature, slot, size.photos)?;
        rows.extend(nearest.into_iter().filter(|&row| Some(row) != best));
        rows.truncate(size.photos);
        Ok(Listed { slot, rows })
    });
    listed.collect()
}

/// The slots of the whales with the highest values; `New` is none.
fn first(values: &[f32], gallery: &Gallery, count: usize) -> Vec<usize> {
    let whales = gallery.individuals().len().min(values.len());
    let mut slots: Vec<usize> = (0..whales).collect();
    slots.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
    slots.truncate(count);
    slots
}

fn nearest(
    gallery: &Gallery,
    feature: &[f32],
    slot: usize,
    photos: usize,
) -> Result<Vec<u32>, GalleryError> {
    let label = Label::from_slot(slot, gallery.individuals().len());
    let nearest = gallery.nearest_of(feature, label, photos)?;
    Ok(nearest.into_iter().map(|one| one.row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::{FeatureStore, GalleryRow, Individual};
    use alloc::string::ToString;
    use alloc::vec;
    use proptest::prelude::*;

    /// Whale 0 has rows 0 and 3, whale 1 has rows 1 and 4, row 2 shows no known whale; of each whale the
    /// later is nearer to (1, 0).
    fn gallery() -> Gallery {
        let labels = [
            Label::Individual(0),
            Label::Individual(1),
            Label::New,
            Label::Individual(0),
            Label::Individual(1),
        ];
        let features = [0.6, 0.8, 0.0, 1.0, 1.0, 0.0, 0.8, 0.6, 0.28, 0.96];
        let rows = (0_u32..).zip(labels);
        let rows = rows.map(|(photo, label)| GalleryRow { label, photo });
        let individuals = ["a", "b"].map(|name| Individual {
            name: name.to_string(),
        });
        let store = FeatureStore::from_features(2, &features).unwrap();
        Gallery::new(individuals.to_vec(), rows.collect(), store).unwrap()
    }

    const ALL: ShortlistSize = ShortlistSize {
        whales: 9,
        photos: 9,
    };

    fn listed(slot: usize, rows: &[u32]) -> Listed {
        Listed {
            slot,
            rows: rows.to_vec(),
        }
    }

    #[test]
    fn whales_come_by_score_with_their_nearest_photos_and_new_not_at_all() {
        let by_score =
            |scores: &[f32]| first_by_score(scores, &gallery(), &[1.0, 0.0], ALL).unwrap();
        assert_eq!(
            by_score(&[0.2, 0.5, 0.9]),
            [listed(1, &[4, 1]), listed(0, &[3, 0])]
        );
        // Equal ones in label order.
        assert_eq!(by_score(&[0.5, 0.5, 0.0])[0].slot, 0);
    }

    #[test]
    fn the_photo_with_most_votes_comes_first_and_a_whale_without_votes_not_at_all() {
        let votes = LabelVotes {
            votes: vec![0.4, 0.0, 3.0],
            best: vec![Some(0), None, Some(2)],
        };
        let by_votes = first_by_votes(&votes, &gallery(), &[1.0, 0.0], ALL).unwrap();
        assert_eq!(by_votes, [listed(0, &[0, 3])]);
    }

    proptest! {
        #[test]
        fn a_shorter_list_is_the_beginning_of_a_longer_one(
            values in prop::array::uniform2(0.0_f32..2.0),
            best in prop::array::uniform2(0_u32..2),
            whales in 1_usize..4,
            photos in 1_usize..4,
        ) {
            let size = ShortlistSize { whales, photos };
            let votes = LabelVotes {
                votes: vec![values[0], values[1], 1.0],
                best: vec![Some(3 * best[0]), Some(1 + 3 * best[1]), None],
            };
            let cut = |mut list: Vec<Listed>| {
                list.truncate(whales);
                list.iter_mut().for_each(|one| one.rows.truncate(photos));
                list
            };
            let (gallery, feature) = (gallery(), [1.0, 0.0]);
            let by_votes = |size| first_by_votes(&votes, &gallery, &feature, size).unwrap();
            prop_assert_eq!(by_votes(size), cut(by_votes(ALL)));
            let by_score =
                |size| first_by_score(&votes.votes, &gallery, &feature, size).unwrap();
            prop_assert_eq!(by_score(size), cut(by_score(ALL)));
        }
    }
}
