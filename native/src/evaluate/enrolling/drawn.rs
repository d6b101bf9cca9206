//! Who is enrolled, by which photo.

use crate::data::{Catalogue, Split};
use flukeprint_core::gallery::Label;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The whales that are enrolled.
pub(super) struct Drawn<'a> {
    /// All that were kept out of training.
    pub(super) kept_out: BTreeSet<&'a str>,
    /// The photo that each is enrolled by.
    pub(super) photos: Vec<usize>,
    /// Their other photos.
    pub(super) queries: Vec<usize>,
}

impl<'a> Drawn<'a> {
    /// The whales with the lowest digests of seed and name, and of each the photo with the lowest digest
    /// of seed and file.
    pub(super) fn new(catalogue: &'a Catalogue, split: &Split, whales: usize, seed: u64) -> Self {
        let digest = |word: &str| -> [u8; 32] {
            let hash = Sha256::new().chain_update(seed.to_le_bytes());
            hash.chain_update(word).finalize().into()
        };
        let mut by_name: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for &place in &split.unseen {
            if let Label::Individual(whale) = catalogue.photos[place].label {
                let name = catalogue.individuals[whale as usize].as_str();
                by_name.entry(name).or_default().push(place);
            }
        }
        let kept_out = by_name.keys().copied().collect();
        let mut drawn: Vec<(&str, Vec<usize>)> = by_name.into_iter().collect();
        drawn.sort_by_cached_key(|(name, _)| digest(name));
        drawn.truncate(whales);
        let (mut photos, mut queries) = (Vec::new(), Vec::new());
        for (_, mut places) in drawn {
            places.sort_by_cached_key(|&place| digest(&catalogue.photos[place].file));
            photos.extend(places.first());
            queries.extend(places.iter().skip(1));
        }
        Self {
            kept_out,
            photos,
            queries,
        }
    }

    pub(super) fn name(&self, catalogue: &Catalogue, place: usize) -> Option<String> {
        match catalogue.photos[place].label {
            Label::Individual(whale) => Some(catalogue.individuals[whale as usize].clone()),
            Label::New => None,
        }
    }
}
