//! Where pairs of patches come from: pictures with their keypoints, and photos of one whale that agree.

use super::DescriptorRecipe;
use crate::data::{Catalogue, PhotoEntry, order_rng};
use crate::progress::Progress;
use crate::train::samples::read_photo;
use crate::{Error, Result};
use burn::tensor::Device;
use flukeprint_core::evidence::verify::{CompareOptions, compare};
use flukeprint_core::evidence::{Chip, Features, Frame, GrayImage, Networks, Options, features};
use flukeprint_core::gallery::Label;
use rand::seq::SliceRandom;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The epoch that the pairs of photos are drawn in: before the first.
const BEFORE: u64 = u64::MAX;

/// Where a batch can take points from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Source {
    /// The whale that it shows; a photo of a new whale is of one by itself.
    pub whale: usize,
    pub shows: Shows,
}

/// What a source shows twice.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Shows {
    /// One picture, to be warped: a photo's place in the catalogue and its keypoints' frames.
    One(usize, Vec<Frame>),
    /// Two photos, and the frames that show the same skin.
    Two([usize; 2], Vec<[Frame; 2]>),
}

impl Source {
    fn points(&self) -> usize {
        match &self.shows {
            Shows::One(_, frames) => frames.len(),
            Shows::Two(_, frames) => frames.len(),
        }
    }
}

/// The picture that keypoints are found in.
pub(super) fn picture(entry: &PhotoEntry) -> Result<GrayImage> {
    let (photo, region) = read_photo(entry)?;
    let image = Chip::default().image(&photo, region);
    let image = image.and_then(|image| image.with_width(Options::default().width));
    image.map_err(|error| refuse(entry, &error))
}

fn refuse(entry: &PhotoEntry, error: &dyn std::fmt::Display) -> Error {
    Error::Photo {
        path: entry.path.clone(),
        reason: error.to_string(),
    }
}

/// All sources among `photos`, places in the catalogue: the photos with enough keypoints, in their order,
/// then the pairs of photos that agree. The seed draws which pairs are looked at.
///
/// # Errors
/// A photo that cannot be read any more, [`Error::FewPoints`] when there are too few for one batch.
pub(super) fn sources(
    catalogue: &Catalogue,
    photos: &[usize],
    recipe: &DescriptorRecipe,
    progress: &dyn Progress,
) -> Result<Vec<Source>> {
    let found = find(catalogue, photos, progress)?;
    let whale = |photo: usize| match catalogue.photos[photo].label {
        Label::Individual(individual) => individual as usize,
        Label::New => catalogue.individuals.len() + photo,
    };
    let mut all: Vec<Source> = found
        .iter()
        .map(|(&photo, features)| Source {
            whale: whale(photo),
            shows: Shows::One(photo, features.keypoints.iter().map(|k| k.frame).collect()),
        })
        .filter(|source| source.points() >= recipe.points_a_picture)
        .collect();
    let mut whales: Vec<usize> = all.iter().map(|source| source.whale).collect();
    whales.dedup();
    whales.sort_unstable();
    whales.dedup();
    if whales.len() < recipe.pictures() {
        return Err(Error::FewPoints {
            points: recipe.points_a_picture,
            whales: whales.len(),
            wanted: recipe.pictures(),
        });
    }
    let mut of_whale: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for &photo in photos {
        of_whale.entry(whale(photo)).or_default().push(photo);
    }
    let pairs = pairs(&of_whale, recipe.across.pairs_a_whale, recipe.seed);
    all.extend(agreeing(&pairs, &found, recipe, progress));
    Ok(all)
}

/// The local features of photos, by RootSIFT.
fn find(
    catalogue: &Catalogue,
    photos: &[usize],
    progress: &dyn Progress,
) -> Result<BTreeMap<usize, Features>> {
    let done = AtomicUsize::new(0);
    progress.begin("looking for keypoints", photos.len());
    let look = |&photo: &usize| {
        let entry = &catalogue.photos[photo];
        let image = picture(entry)?;
        let (options, networks) = (Options::default(), Networks::default());
        let found = pollster::block_on(features(&image, &options, &networks, &Device::flex()));
        progress.advance(done.fetch_add(1, Ordering::Relaxed) + 1);
        Ok((photo, found.map_err(|error| refuse(entry, &error))?))
    };
    photos.par_iter().map(look).collect()
}

/// Pairs of photos of each whale, at most `most`, by the seed alone, each with its whale.
fn pairs(
    of_whale: &BTreeMap<usize, Vec<usize>>,
    most: usize,
    seed: u64,
) -> Vec<(usize, [usize; 2])> {
    let mut rng = order_rng(seed, BEFORE);
    let mut all = Vec::new();
    for (&whale, photos) in of_whale {
        let firsts = photos.iter().enumerate();
        let mut pairs: Vec<(usize, [usize; 2])> = firsts
            .flat_map(|(at, &a)| photos[at + 1..].iter().map(move |&b| (whale, [a, b])))
            .collect();
        pairs.shuffle(&mut rng);
        pairs.truncate(most);
        all.extend(pairs);
    }
    all
}

/// The pairs whose matches agree on one map. The same photo twice is left out: it teaches nothing.
fn agreeing(
    pairs: &[(usize, [usize; 2])],
    found: &BTreeMap<usize, Features>,
    recipe: &DescriptorRecipe,
    progress: &dyn Progress,
) -> Vec<Source> {
    let done = AtomicUsize::new(0);
    progress.begin("comparing photos of one whale", pairs.len());
    let look = |&(whale, photos): &(usize, [usize; 2])| {
        let [a, b] = photos.map(|photo| found.get(&photo));
        progress.advance(done.fetch_add(1, Ordering::Relaxed) + 1);
        let (a, b) = (a?, b?);
        let comparison = compare(a, b, &CompareOptions::default());
        let agree = !comparison.duplicate && comparison.inliers.len() >= recipe.across.inliers;
        let frames = comparison.inliers.iter().map(|inlier| {
            let found = comparison.matches[inlier.index as usize];
            [
                a.keypoints[found.a as usize].frame,
                b.keypoints[found.b as usize].frame,
            ]
        });
        agree.then(|| Source {
            whale,
            shows: Shows::Two(photos, frames.collect()),
        })
    };
    pairs.par_iter().filter_map(look).collect()
}

/// The sources of an epoch's batches, as places in the list, one batch after another, by seed and epoch
/// alone: of each batch the recipe's share are pairs of photos, and no whale is in it twice.
pub(super) fn order(sources: &[Source], recipe: &DescriptorRecipe, epoch: u64) -> Vec<usize> {
    let mut rng = order_rng(recipe.seed, epoch);
    let is_pair = |&place: &usize| matches!(sources[place].shows, Shows::Two(..));
    let (pairs, ones) = (0..sources.len()).partition(is_pair);
    let mut pairs = Deck::new(pairs);
    let mut ones = Deck::new(ones);
    let of_pairs = (recipe.across.share * recipe.pictures() as f64).round() as usize;
    let mut order = Vec::with_capacity(recipe.batches * recipe.pictures());
    for _ in 0..recipe.batches {
        let mut batch = Vec::with_capacity(recipe.pictures());
        pairs.deal(&mut batch, of_pairs, sources, &mut rng);
        ones.deal(&mut batch, recipe.pictures(), sources, &mut rng);
        order.extend(batch);
    }
    order
}

/// Sources to be dealt out, each once before any comes again.
struct Deck {
    all: Vec<usize>,
    /// Those still to come, the next one last.
    left: Vec<usize>,
}

impl Deck {
    fn new(all: Vec<usize>) -> Self {
        let left = Vec::new();
        Self { all, left }
    }

    /// Fills `batch` up to `size` with sources of whales that are not in it, as far as there are any.
    fn deal(
        &mut self,
        batch: &mut Vec<usize>,
        size: usize,
        sources: &[Source],
        rng: &mut impl rand::Rng,
    ) {
        let is_new = |batch: &[usize], place: usize| {
            let whale = sources[place].whale;
            !batch.iter().any(|&other| sources[other].whale == whale)
        };
        // Once through what is left, once through all of them anew.
        for _ in 0..2 {
            let mut put_back = Vec::new();
            while batch.len() < size
                && let Some(place) = self.left.pop()
            {
                match is_new(batch, place) {
                    true => batch.push(place),
                    false => put_back.push(place),
                }
            }
            self.left.extend(put_back.into_iter().rev());
            if batch.len() >= size {
                return;
            }
            let mut anew = self.all.clone();
            anew.shuffle(rng);
            // What is left comes first.
            anew.retain(|place| !self.left.contains(place));
            anew.append(&mut self.left);
            self.left = anew;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::recipe::AnyRecipe;
    use proptest::prelude::*;

    fn recipe(batches: usize, pictures: usize, share: f64) -> DescriptorRecipe {
        let Ok(AnyRecipe::Descriptor(mut recipe)) = AnyRecipe::load("hardnet") else {
            panic!("the shipped recipe");
        };
        recipe.batches = batches;
        recipe.points = pictures * recipe.points_a_picture;
        recipe.across.share = share;
        *recipe
    }

    fn one(whale: usize, photo: usize) -> Source {
        let shows = Shows::One(photo, Vec::new());
        Source { whale, shows }
    }

    fn two(whale: usize, photos: [usize; 2]) -> Source {
        let shows = Shows::Two(photos, Vec::new());
        Source { whale, shows }
    }

    proptest! {
        #[test]
        fn batches_are_full_and_show_no_whale_twice(
            photos in prop::collection::vec(1usize..4, 6..14), pictures in 2usize..6, batches in 1usize..9,
            share in 0.0f64..1.0, epoch in 0u64..5,
        ) {
            let mut sources = Vec::new();
            for (whale, &count) in photos.iter().enumerate() {
                sources.extend((0..count).map(|photo| one(whale, 10 * whale + photo)));
            }
            for (whale, &count) in photos.iter().enumerate() {
                sources.extend((1..count).map(|photo| two(whale, [10 * whale, 10 * whale + photo])));
            }
            let recipe = recipe(batches, pictures, share);
            let order = order(&sources, &recipe, epoch);
            prop_assert_eq!(order.len(), batches * pictures);
            prop_assert_eq!(&order, &super::order(&sources, &recipe, epoch));
            for batch in order.chunks(pictures) {
                let mut whales: Vec<usize> = batch.iter().map(|&place| sources[place].whale).collect();
                whales.sort_unstable();
                whales.dedup();
                prop_assert_eq!(whales.len(), pictures);
                let pairs = batch.iter().filter(|&&place| matches!(sources[place].shows, Shows::Two(..)));
                prop_assert!(pairs.count() <= (share * pictures as f64).round() as usize);
            }
        }
    }

    #[test]
    fn every_photo_is_dealt_before_any_comes_again() {
        let sources: Vec<Source> = (0..12).map(|photo| one(photo, photo)).collect();
        let order = order(&sources, &recipe(6, 4, 0.5), 0);
        for round in order.chunks(12) {
            let mut seen = round.to_vec();
            seen.sort_unstable();
            assert_eq!(seen, (0..12).collect::<Vec<_>>());
        }
    }

    #[test]
    fn pairs_are_of_one_whale_and_of_no_more_than_asked_for() {
        let of_whale = [(3, vec![1, 2, 5, 9]), (4, vec![0]), (7, vec![6, 8])];
        let of_whale = of_whale.into_iter().collect();
        let found = pairs(&of_whale, 4, 7);
        assert_eq!(found.len(), 5);
        for (whale, [a, b]) in &found {
            assert!(a < b && of_whale[whale].contains(a) && of_whale[whale].contains(b));
        }
        assert_eq!(found, pairs(&of_whale, 4, 7));
    }
}
