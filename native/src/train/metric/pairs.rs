//! The pairs of an epoch: two photos of one whale each, in batches of many whales.

use crate::data::order_rng;
use crate::{Error, Result};
use rand::Rng;
use rand::seq::SliceRandom;
use std::collections::BTreeMap;

/// Two photos of one whale; the same photo twice where the whale has only one.
pub type Pair = [usize; 2];

/// The photos of each whale, and how many pairs of them a batch has.
#[derive(Clone, Debug)]
pub struct Pairs {
    /// Photos by whale, as places in the list that they were made from.
    whales: Vec<Vec<usize>>,
    most: usize,
    size: Size,
}

/// How an epoch is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Batches an epoch.
    pub batches: usize,
    /// Pairs a batch.
    pub pairs: usize,
}

impl Pairs {
    /// The pairs of photos that show `individuals`, at most `most` of them a batch (2 or more).
    ///
    /// # Errors
    /// [`Error::OneWhale`] when there are fewer than two individuals.
    pub fn new(individuals: &[u32], most: usize) -> Result<Self> {
        let mut whales: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (photo, individual) in individuals.iter().enumerate() {
            whales.entry(*individual).or_default().push(photo);
        }
        if whales.len() < 2 {
            return Err(Error::OneWhale);
        }
        let whales: Vec<Vec<usize>> = whales.into_values().collect();
        let most = most.max(2);
        let size = fill_up(&mut counts(&whales), most);
        Ok(Self { whales, most, size })
    }

    /// How an epoch is cut, the same for every epoch.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The pairs of an epoch, batch after batch, by seed and epoch alone. Every photo is in one at
    /// least; every batch shows two whales or more, and no whale twice if its pairs are no more than
    /// the batches.
    pub fn epoch(&self, seed: u64, epoch: u64) -> Vec<Pair> {
        let mut rng = order_rng(seed, epoch);
        let mut whales = self.whales.clone();
        whales.shuffle(&mut rng);
        let mut counts = counts(&whales);
        let Size { batches, .. } = fill_up(&mut counts, self.most);
        // A whale's pairs are dealt out one after another, so that they meet only if they must.
        let mut dealt = vec![Vec::new(); batches];
        let pairs = whales
            .into_iter()
            .zip(counts)
            .flat_map(|(photos, count)| paired(photos, count, &mut rng));
        for (place, pair) in pairs.enumerate() {
            dealt[place % batches].push(pair);
        }
        dealt.shuffle(&mut rng);
        for batch in &mut dealt {
            batch.shuffle(&mut rng);
        }
        dealt.concat()
    }
}

/// The fewest pairs of each whale that show all its photos.
fn counts(whales: &[Vec<usize>]) -> Vec<usize> {
    whales
        .iter()
        .map(|photos| photos.len().div_ceil(2))
        .collect()
}

/// Adds pairs, first to the whale with the fewest, until batches of one size take them all and every
/// batch can have two whales.
fn fill_up(counts: &mut [usize], most: usize) -> Size {
    loop {
        let total: usize = counts.iter().sum();
        let others = total - counts.iter().max().copied().unwrap_or(0);
        let batches = total.div_ceil(most).max(1);
        match counts.iter_mut().min() {
            Some(fewest) if !total.is_multiple_of(batches) || others < batches => *fewest += 1,
            _ => {
                let pairs = total / batches;
                return Size { batches, pairs };
            }
        }
    }
}

/// So many pairs of a whale's photos; a photo that is left over goes with another one.
fn paired(mut photos: Vec<usize>, count: usize, rng: &mut impl Rng) -> Vec<Pair> {
    let mut pairs = Vec::with_capacity(count);
    while pairs.len() < count {
        photos.shuffle(rng);
        pairs.extend(photos.chunks(2).map(|pair| match *pair {
            [first, second] => [first, second],
            _ => [pair[0], photos[0]],
        }));
    }
    pairs.truncate(count);
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn whales() -> impl Strategy<Value = Vec<u32>> {
        let individuals = proptest::collection::vec(0u32..12, 2..80);
        individuals.prop_filter("one whale", |whales| whales.iter().any(|w| *w != whales[0]))
    }

    #[test]
    fn a_whale_of_one_photo_pairs_with_itself_and_an_odd_one_out_with_another() {
        let pairs = Pairs::new(&[3, 8, 8, 8], 16).unwrap();
        assert_eq!(
            pairs.size(),
            Size {
                batches: 1,
                pairs: 3
            }
        );
        for epoch in 0..20 {
            for [a, b] in pairs.epoch(1, epoch) {
                assert_eq!((a == 0, a == b), (b == 0, a == 0), "{a} {b}");
            }
        }
    }

    #[test]
    fn seed_and_epoch_decide() {
        let individuals: Vec<u32> = (0..40).map(|photo| photo / 3).collect();
        let pairs = Pairs::new(&individuals, 8).unwrap();
        assert_eq!(pairs.epoch(4, 2), pairs.epoch(4, 2));
        assert_ne!(pairs.epoch(4, 2), pairs.epoch(4, 3));
        assert_ne!(pairs.epoch(4, 2), pairs.epoch(5, 2));
    }

    #[test]
    fn one_whale_is_refused() {
        assert!(matches!(Pairs::new(&[1, 1, 1], 16), Err(Error::OneWhale)));
        assert!(matches!(Pairs::new(&[], 16), Err(Error::OneWhale)));
    }

    #[test]
    fn a_whale_with_most_of_the_photos_still_meets_another_in_every_batch() {
        let mut individuals = vec![1; 100];
        individuals.push(2);
        let pairs = Pairs::new(&individuals, 4).unwrap();
        for batch in pairs.epoch(0, 0).chunks(pairs.size().pairs) {
            assert!(batch.len() <= 4 && batch.contains(&[100, 100]), "{batch:?}");
        }
    }

    proptest! {
        #[test]
        fn an_epoch_shows_every_photo_in_pairs_of_one_whale(whales in whales(), most in 2usize..20, seed: u64) {
            let pairs = Pairs::new(&whales, most).unwrap();
            let Size { batches, pairs: size } = pairs.size();
            let epoch = pairs.epoch(seed, 0);
            prop_assert!(size <= most);
            prop_assert_eq!(epoch.len(), batches * size);
            let shown: BTreeSet<usize> = epoch.iter().flatten().copied().collect();
            prop_assert_eq!(shown.len(), whales.len());
            let count = |whale: u32| epoch.iter().filter(|pair| whales[pair[0]] == whale).count();
            for batch in epoch.chunks(size) {
                prop_assert!(batch.iter().all(|&[a, b]| whales[a] == whales[b]));
                let mut shown: Vec<u32> = batch.iter().map(|pair| whales[pair[0]]).collect();
                shown.sort_unstable();
                for twice in shown.windows(2).filter(|two| two[0] == two[1]) {
                    prop_assert!(count(twice[0]) > batches, "{twice:?}");
                }
                shown.dedup();
                prop_assert!(shown.len() >= 2);
            }
        }
    }
}
