//! Ranks of known whales, balanced by how many photos the gallery has of them.

use super::RankCounts;

/// How many groups of whales [`ByPhotos`] keeps apart.
pub const PHOTO_GROUPS: usize = 4;

/// What the groups are called: how many photos the gallery has of a whale.
pub const PHOTO_GROUP_NAMES: [&str; PHOTO_GROUPS] = ["1", "2", "3 to 5", "6 or more"];

/// The group of a whale with so many photos in the gallery. One without any counts with those that
/// have one.
pub fn photo_group(photos: usize) -> usize {
    match photos {
        0 | 1 => 0,
        2 => 1,
        3..=5 => 2,
        _ => 3,
    }
}

/// Rank counts of known whales in four groups: those with 1, with 2, with 3 to 5 and with 6 or more
/// photos in the gallery.
///
/// A catalogue's photos are mostly of a few whales that are seen often, and a mean over photos says
/// how well those are known. A mean over the groups says it of the rarely seen as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByPhotos {
    groups: [RankCounts; PHOTO_GROUPS],
}

impl ByPhotos {
    /// Counts a query whose true whale has `photos` in the gallery and came at `rank` (from 1), or
    /// nowhere.
    pub fn record(&mut self, photos: usize, rank: Option<usize>) {
        self.groups[photo_group(photos)].record(rank);
    }

    /// The four groups, the fewest photos first.
    pub fn groups(&self) -> &[RankCounts; PHOTO_GROUPS] {
        &self.groups
    }

    /// The mean of the groups' MAP@5, each group with queries counting the same. 0…1, or `None`
    /// without queries.
    pub fn map5(&self) -> Option<f64> {
        self.mean(RankCounts::map5)
    }

    /// The mean of the groups' top-k as [`RankCounts::top`] has it. 0…1, or `None` without queries.
    pub fn top(&self, k: usize) -> Option<f64> {
        self.mean(|group| group.top(k))
    }

    fn mean(&self, score: impl Fn(&RankCounts) -> Option<f64>) -> Option<f64> {
        let scores = || self.groups.iter().filter_map(&score);
        let counted = scores().count();
        (counted > 0).then(|| scores().sum::<f64>() / counted as f64)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rare_whales_count_as_much_as_frequent_ones() {
        let mut scores = ByPhotos::default();
        for _ in 0..90 {
            scores.record(20, Some(1));
        }
        for rank in [Some(1), Some(2), None, Some(4)] {
            scores.record(1, rank);
        }
        // Frequent: 1. One photo: (1 + 1/2 + 0 + 1/4)/4 = 0.4375.
        assert_eq!(scores.map5(), Some((1.0 + 0.4375) / 2.0));
        assert_eq!(scores.top(1), Some((1.0 + 0.25) / 2.0));
        assert_eq!(scores.top(5), Some((1.0 + 0.75) / 2.0));
    }

    #[test]
    fn whales_are_grouped_by_1_2_3_to_5_and_6_photos() {
        let mut scores = ByPhotos::default();
        for photos in 0..9 {
            scores.record(photos, Some(1));
        }
        let queries: Vec<u64> = scores.groups().iter().map(RankCounts::queries).collect();
        // 0 and 1; 2; 3, 4 and 5; 6, 7 and 8.
        assert_eq!(queries, [2, 1, 3, 3]);
        assert_eq!(ByPhotos::default().map5(), None);
        assert_eq!(ByPhotos::default().top(1), None);
    }

    proptest! {
        #[test]
        fn repeating_a_groups_queries_changes_nothing(
            queries in prop::collection::vec((1_usize..9, 1_usize..8), 1..30),
            times in 2_usize..5,
        ) {
            let (mut once, mut repeated) = (ByPhotos::default(), ByPhotos::default());
            for &(photos, rank) in &queries {
                once.record(photos, Some(rank));
                let times = if photos == 2 { times } else { 1 };
                (0..times).for_each(|_| repeated.record(photos, Some(rank)));
            }
            let difference = once.map5().unwrap() - repeated.map5().unwrap();
            prop_assert!(difference.abs() < 1e-12);
        }
    }
}
