//! How far a score may be from what other whales would give: percentile bootstrap over whales.
//!
//! Photos of one whale are no independent trials: a whale with a plain fluke is missed again and
//! again. So whales are drawn with replacement, each with all its photos (the cluster bootstrap of
//! Davison and Hinkley, 1997, 3.8); the spread of the score over such draws is the interval. Photos
//! of new whales count as a whale each, since nobody knows who they are.
//!
//! An interval says how much chance is in the choice of whales. It knows nothing of the chance in
//! training, nor of other seas.

#[cfg(test)]
mod tests;

use flukeprint_core::gallery::Label;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;
use std::cmp::Ordering;

/// How the intervals are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bootstrap {
    /// The share of draws inside the interval, percent.
    pub percent: u32,
    /// How often whales are drawn, 1 or more.
    pub resamples: u32,
    /// Decides the draws; the number of threads and the order of the queries do not.
    pub seed: u64,
}

impl Default for Bootstrap {
    /// 95 % of 1,000 draws by seed 7.
    fn default() -> Self {
        Self {
            percent: 95,
            resamples: 1000,
            seed: 7,
        }
    }
}

/// Where a score lies, from the lower to the upper end.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Bootstrap {
    /// The intervals of K measures that are means over the queries, each given as its whale and its K
    /// values. All K are taken from the same draws. `None` without queries.
    ///
    /// With a single whale, or where all values are equal, the width is zero: such data say nothing
    /// of other whales.
    pub fn means<const K: usize>(&self, queries: &[(Label, [f64; K])]) -> Option<[Interval; K]> {
        let mut queries = queries.to_vec();
        queries.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| compare(&a.1, &b.1)));
        let whales: Vec<Sum<K>> = queries
            .chunk_by(|a, b| is_one_whale(a.0, b.0))
            .map(|of_whale| Sum::of(of_whale.iter().map(|(_, values)| values)))
            .collect();
        if whales.is_empty() {
            return None;
        }
        let draws = self.draw(|rng| {
            let mut sum = Sum::default();
            for _ in 0..whales.len() {
                sum.add(&whales[rng.random_range(0..whales.len())]);
            }
            sum.mean()
        });
        Some(std::array::from_fn(|measure| {
            self.interval(draws.iter().map(|means| means[measure]).collect())
        }))
    }

    /// The interval of the area under the ROC curve of new against known, by a score of each query
    /// that is higher for new whales ([`flukeprint_core::metrics::roc_area`]). Known and new whales
    /// are drawn apart, so that both are in every draw. `None` unless there are both, or where a
    /// score is not a number.
    pub fn roc_area(&self, queries: &[(Label, f32)]) -> Option<Interval> {
        if queries.iter().any(|(_, score)| score.is_nan()) {
            return None;
        }
        let mut queries = queries.to_vec();
        queries.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut by_score = Vec::with_capacity(queries.len());
        let whales = Whales::of(&queries);
        if whales.known == 0 || whales.known == whales.queries.len() {
            return None;
        }
        for (whale, of_whale) in whales.queries.iter().enumerate() {
            by_score.extend(of_whale.iter().map(|&(_, score)| (score, whale)));
        }
        by_score.sort_by(|a, b| a.0.total_cmp(&b.0));
        let draws = self.draw(|rng| {
            let mut times = vec![0; whales.queries.len()];
            whales.draw(rng, |whale| times[whale] += 1);
            weighted_area(&by_score, &times, whales.known)
        });
        Some(self.interval(draws))
    }

    /// A measure of each draw, `[resamples]`; the queries are given as their whale, a number and a
    /// fact, in any order, and arrive at `measure` as number and fact. Known and new whales are drawn
    /// apart.
    pub(super) fn measures(
        &self,
        queries: &[(Label, f32, bool)],
        measure: impl Fn(&[(f32, bool)]) -> f64 + Sync,
    ) -> Vec<f64> {
        let mut queries = queries.to_vec();
        queries.sort_by(|a, b| {
            let by_value = a.1.total_cmp(&b.1).then(a.2.cmp(&b.2));
            a.0.cmp(&b.0).then(by_value)
        });
        let queries: Vec<(Label, (f32, bool))> = queries
            .into_iter()
            .map(|(whale, number, fact)| (whale, (number, fact)))
            .collect();
        let whales = Whales::of(&queries);
        self.draw(|rng| {
            let mut drawn = Vec::with_capacity(queries.len());
            whales.draw(rng, |whale| {
                drawn.extend(whales.queries[whale].iter().map(|&(_, values)| values));
            });
            measure(&drawn)
        })
    }

    /// What `measure` makes of each draw. Every draw has a generator of its own, so that threads do
    /// not matter.
    fn draw<T: Send>(&self, measure: impl Fn(&mut ChaCha8Rng) -> T + Sync) -> Vec<T> {
        let draw = |number| {
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            rng.set_stream(number);
            measure(&mut rng)
        };
        (0..u64::from(self.resamples.max(1)))
            .into_par_iter()
            .map(draw)
            .collect()
    }

    /// The ends of what is left without as many of the lowest as of the highest values (Efron, 1981).
    pub(super) fn interval(&self, mut values: Vec<f64>) -> Interval {
        values.sort_unstable_by(f64::total_cmp);
        let outside = 100_usize.saturating_sub(self.percent as usize);
        let cut = (values.len() * outside / 200).min((values.len() - 1) / 2);
        Interval {
            low: values[cut],
            high: values[values.len() - 1 - cut],
        }
    }
}

/// Queries by whale.
struct Whales<'a, T> {
    /// The queries of each whale, known whales first, as labels are ordered.
    queries: Vec<&'a [(Label, T)]>,
    /// How many whales are known.
    known: usize,
}

impl<'a, T> Whales<'a, T> {
    /// From queries that are sorted by label.
    fn of(queries: &'a [(Label, T)]) -> Self {
        let queries: Vec<_> = queries.chunk_by(|a, b| is_one_whale(a.0, b.0)).collect();
        let known = queries.partition_point(|of_whale| of_whale[0].0 != Label::New);
        Self { queries, known }
    }

    /// Draws as many known whales as there are, and as many new ones.
    fn draw(&self, rng: &mut ChaCha8Rng, mut drawn: impl FnMut(usize)) {
        for kind in [0..self.known, self.known..self.queries.len()] {
            for _ in kind.clone() {
                drawn(rng.random_range(kind.clone()));
            }
        }
    }
}

/// Whether two queries that stand beside each other show one whale for sure.
fn is_one_whale(a: Label, b: Label) -> bool {
    a == b && a != Label::New
}

fn compare(a: &[f64], b: &[f64]) -> Ordering {
    let orders = a.iter().zip(b).map(|(a, b)| a.total_cmp(b));
    orders.fold(Ordering::Equal, Ordering::then)
}

/// Values of queries, added up.
#[derive(Clone, Copy)]
struct Sum<const K: usize> {
    values: [f64; K],
    queries: usize,
}

impl<const K: usize> Default for Sum<K> {
    fn default() -> Self {
        Self {
            values: [0.0; K],
            queries: 0,
        }
    }
}

impl<const K: usize> Sum<K> {
    fn of<'a>(queries: impl Iterator<Item = &'a [f64; K]>) -> Self {
        let mut sum = Self::default();
        for &values in queries {
            sum.add(&Self { values, queries: 1 });
        }
        sum
    }

    fn add(&mut self, other: &Self) {
        for (sum, value) in self.values.iter_mut().zip(other.values) {
            *sum += value;
        }
        self.queries += other.queries;
    }

    fn mean(&self) -> [f64; K] {
        self.values.map(|value| value / self.queries as f64)
    }
}

/// The share of pairs of a new and a known query in which the new one scores higher, a tie being half
/// a win. `by_score` is ascending, each with its whale; a whale counts as often as `times` says, and
/// those below `known` are known.
fn weighted_area(by_score: &[(f32, usize)], times: &[u64], known: usize) -> f64 {
    let (mut wins, mut all_known, mut all_new) = (0, 0, 0);
    for equals in by_score.chunk_by(|a, b| a.0 == b.0) {
        let count = |is_known: bool| -> u64 {
            let of_kind = equals
                .iter()
                .filter(|&&(_, whale)| (whale < known) == is_known);
            of_kind.map(|&(_, whale)| times[whale]).sum()
        };
        let (of_known, of_new) = (count(true), count(false));
        wins += of_new * (2 * all_known + of_known);
        all_known += of_known;
        all_new += of_new;
    }
    wins as f64 / (2 * all_known * all_new) as f64
}
