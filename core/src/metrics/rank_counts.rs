//! MAP@5 and top-k from ranks.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::AddAssign;

use super::MetricsError;
use crate::gallery::Label;

/// Labels in a list that count (Kaggle's five).
pub const LISTED: usize = 5;

/// 60/1 … 60/5: the precision at each rank in sixtieths, so that MAP@5 is a sum of integers and
/// equal results compare equal.
const SIXTIETHS: [u64; LISTED] = [60, 30, 20, 15, 12];

/// How often the true label came first, second, … fifth, and how many queries there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RankCounts {
    at: [u64; LISTED],
    queries: u64,
}

impl RankCounts {
    /// Counts a query whose true label is at `rank` (from 1), or nowhere in the answer.
    pub fn record(&mut self, rank: Option<usize>) {
        self.queries += 1;
        let place = rank.and_then(|rank| rank.checked_sub(1));
        if let Some(count) = place.and_then(|place| self.at.get_mut(place)) {
            *count += 1;
        }
    }

    /// Queries counted.
    pub fn queries(&self) -> u64 {
        self.queries
    }

    /// Σ 60/rank over the queries: MAP@5 without the division, exact, for comparing results on the
    /// same queries.
    pub fn points(&self) -> u64 {
        self.at
            .iter()
            .zip(SIXTIETHS)
            .map(|(count, worth)| count * worth)
            .sum()
    }

    /// MAP@5 with one true label a photo: the mean of 1/rank, 0 beyond the fifth rank. 0…1, or
    /// `None` without queries.
    pub fn map5(&self) -> Option<f64> {
        (self.queries > 0).then(|| self.points() as f64 / (60 * self.queries) as f64)
    }

    /// The share of queries whose true label is among the first `k` (at most five count). 0…1, or
    /// `None` without queries.
    pub fn top(&self, k: usize) -> Option<f64> {
        let hits: u64 = self.at.iter().take(k).sum();
        (self.queries > 0).then(|| hits as f64 / self.queries as f64)
    }
}

impl AddAssign for RankCounts {
    fn add_assign(&mut self, other: Self) {
        for (count, more) in self.at.iter_mut().zip(other.at) {
            *count += more;
        }
        self.queries += other.queries;
    }
}

/// Where a list of labels has the true one, from 1. Only the first five entries count, and of a
/// label listed twice only the first, as Kaggle does it.
pub fn listed_rank(list: &[Label], truth: Label) -> Option<usize> {
    let place = list.iter().take(LISTED).position(|&label| label == truth)?;
    Some(place + 1)
}

/// The top-k curve: the share of `ranks` (from 1, or `None` where the true label is nowhere) that are
/// among the first 1, 2, … `places`. As long as `places`; empty without ranks.
pub fn top_shares(ranks: &[Option<usize>], places: usize) -> Vec<f64> {
    if ranks.is_empty() {
        return Vec::new();
    }
    let mut at = vec![0_usize; places];
    for rank in ranks.iter().flatten() {
        if let Some(count) = rank.checked_sub(1).and_then(|place| at.get_mut(place)) {
            *count += 1;
        }
    }
    let mut hits = 0;
    let share = |count: usize| {
        hits += count;
        hits as f64 / ranks.len() as f64
    };
    at.into_iter().map(share).collect()
}

/// MAP@5 of a submission: one list of up to five labels and one true label a photo.
///
/// # Errors
/// No photos, or not as many lists as true labels.
pub fn map_at_5(lists: &[Vec<Label>], truths: &[Label]) -> Result<f64, MetricsError> {
    if lists.len() != truths.len() {
        return Err(MetricsError::Count {
            answers: lists.len(),
            truths: truths.len(),
        });
    }
    let mut counts = RankCounts::default();
    for (list, &truth) in lists.iter().zip(truths) {
        counts.record(listed_rank(list, truth));
    }
    counts.map5().ok_or(MetricsError::Nothing { what: "photo" })
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Label = Label::Individual(0);
    const B: Label = Label::Individual(1);
    const C: Label = Label::Individual(2);
    const D: Label = Label::Individual(3);
    const E: Label = Label::Individual(4);
    const NEW: Label = Label::New;

    #[test]
    fn map5_is_the_mean_of_one_over_rank() {
        let lists = [
            vec![A, B, C, D, NEW], // first: 1
            vec![B, NEW, A, D, C], // third: 1/3
            vec![A, B, C, D, NEW], // fifth, New: 1/5
            vec![B, C, D, E, NEW], // not there: 0
        ];
        let truths = [A, A, NEW, A];
        let by_hand = (1.0 + 1.0 / 3.0 + 1.0 / 5.0 + 0.0) / 4.0;
        let map5 = map_at_5(&lists, &truths).unwrap();
        assert!((map5 - by_hand).abs() < 1e-15, "{map5} and not {by_hand}");
    }

    #[test]
    fn a_sixth_label_does_not_count() {
        let lists = [vec![A, B, C, D, NEW, E]];
        assert_eq!(listed_rank(&lists[0], E), None);
        assert_eq!(listed_rank(&lists[0], NEW), Some(5));
        assert_eq!(map_at_5(&lists, &[E]), Ok(0.0));
    }

    #[test]
    fn a_label_listed_twice_counts_once_where_it_is_first() {
        let lists = [vec![A, B, B, B, B]];
        assert_eq!(map_at_5(&lists, &[B]), Ok(0.5));
    }

    #[test]
    fn a_short_list_is_scored_as_it_is() {
        let lists = [vec![], vec![NEW]];
        assert_eq!(map_at_5(&lists, &[A, NEW]), Ok(0.5));
    }

    #[test]
    fn always_answering_new_scores_the_share_of_new() {
        let lists = vec![vec![NEW]; 1063];
        let truths: Vec<Label> = (0..1063).map(|i| if i < 400 { NEW } else { A }).collect();
        let map5 = map_at_5(&lists, &truths).unwrap();
        assert!((map5 - 400.0 / 1063.0).abs() < 1e-15);
    }

    #[test]
    fn top_k_counts_the_first_k() {
        let mut counts = RankCounts::default();
        for rank in [Some(1), Some(2), Some(5), Some(6), None] {
            counts.record(rank);
        }
        assert_eq!(counts.top(1), Some(0.2));
        assert_eq!(counts.top(2), Some(0.4));
        assert_eq!(counts.top(5), Some(0.6));
        assert_eq!(counts.points(), 60 + 30 + 12);
    }

    /// scikit-learn's own example, `top_k_accuracy_score([0, 1, 2, 2], scores, k=2)` with scores
    /// [[.5, .2, .2], [.3, .4, .2], [.2, .4, .3], [.7, .2, .1]], is 0.75: ranks 1, 1, 2, 3.
    #[test]
    fn the_curve_is_scikit_learns() {
        let ranks = [Some(1), Some(1), Some(2), Some(3)];
        assert_eq!(top_shares(&ranks, 4), [0.5, 0.75, 1.0, 1.0]);
        assert_eq!(top_shares(&[Some(7), None], 3), [0.0; 3]);
        assert!(top_shares(&[], 3).is_empty());
    }

    #[test]
    fn the_curve_goes_through_top_k() {
        let ranks = [Some(1), Some(2), Some(5), Some(6), None];
        let mut counts = RankCounts::default();
        ranks.iter().for_each(|&rank| counts.record(rank));
        let curve = top_shares(&ranks, LISTED);
        for (share, k) in curve.into_iter().zip(1..) {
            assert_eq!(counts.top(k), Some(share));
        }
    }

    #[test]
    fn measures_without_photos_are_refused() {
        assert_eq!(RankCounts::default().map5(), None);
        assert_eq!(RankCounts::default().top(1), None);
        assert_eq!(
            map_at_5(&[], &[]),
            Err(MetricsError::Nothing { what: "photo" })
        );
        assert_eq!(
            map_at_5(&[vec![A]], &[A, B]),
            Err(MetricsError::Count {
                answers: 1,
                truths: 2
            })
        );
    }
}
