//! From a source to pairs of patches, drawn anew every time.

use super::DescriptorRecipe;
use super::sources::{Shows, Source, picture};
use crate::Result;
use crate::data::{Batches, Catalogue, Loading, PhotoEntry};
use burn::tensor::{Device, Tensor, TensorData};
use flukeprint_core::evidence::{Frame, PATCH, Patches};
use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use std::sync::Arc;

/// Two patches of each of several points, normalised, `[points, 32, 32]` each.
pub(super) type Pairs = [Vec<f32>; 2];

/// Threads that make patches: a network's step takes far longer.
const WORKERS: usize = 1;
/// Batches made ahead.
const AHEAD: usize = 2;

/// Everything that pairs are made of.
#[derive(Debug)]
pub(super) struct Maker {
    sources: Vec<Source>,
    entries: Vec<PhotoEntry>,
    recipe: DescriptorRecipe,
}

impl Maker {
    pub(super) fn new(
        sources: Vec<Source>,
        catalogue: &Catalogue,
        recipe: &DescriptorRecipe,
    ) -> Self {
        Self {
            sources,
            entries: catalogue.photos.clone(),
            recipe: recipe.clone(),
        }
    }

    /// Sources in all, and those of two photos.
    pub(super) fn counts(&self) -> [usize; 2] {
        let is_pair = |source: &&Source| matches!(source.shows, Shows::Two(..));
        [
            self.sources.len(),
            self.sources.iter().filter(is_pair).count(),
        ]
    }

    /// The batches of an epoch.
    pub(super) fn epoch(self: &Arc<Self>, epoch: u64) -> Batches<Pairs> {
        let loading = Loading {
            seed: self.recipe.seed,
            epoch,
            batch_size: self.recipe.pictures(),
            drop_last: true,
            workers: WORKERS,
            ahead: AHEAD,
        };
        let maker = Arc::clone(self);
        let order = super::sources::order(&self.sources, &self.recipe, epoch);
        Batches::start(order, loading, move |place, rng| maker.pairs(place, rng))
    }

    fn pairs(&self, place: usize, rng: &mut impl Rng) -> Result<Pairs> {
        let entry = |photo: usize| &self.entries[photo];
        match &self.sources[place].shows {
            Shows::One(photo, frames) => self.warped(entry(*photo), frames, rng),
            Shows::Two(photos, frames) => self.across(photos.map(entry), frames, rng),
        }
    }

    /// Points of a picture and of a view of it. Those that the view does not show whole are left out.
    fn warped(&self, entry: &PhotoEntry, frames: &[Frame], rng: &mut impl Rng) -> Result<Pairs> {
        let image = picture(entry)?;
        let (width, height) = (image.width(), image.height());
        let warp = self.recipe.warp.draw(width, height, rng);
        let view = warp.view(&image, rng)?;
        let shown = |frame: &Frame| {
            let there = warp.frame(frame)?;
            there.lies_within(width, height).then_some([*frame, there])
        };
        let frames: Vec<[Frame; 2]> = frames.iter().filter_map(shown).collect();
        let pictures = [Patches::new(&image), Patches::new(&view)];
        Ok(self.take(&pictures, &frames, rng))
    }

    fn across(
        &self,
        entries: [&PhotoEntry; 2],
        frames: &[[Frame; 2]],
        rng: &mut impl Rng,
    ) -> Result<Pairs> {
        let [a, b] = entries.map(picture);
        let pictures = [Patches::new(&a?), Patches::new(&b?)];
        Ok(self.take(&pictures, frames, rng))
    }

    fn take(&self, pictures: &[Patches; 2], frames: &[[Frame; 2]], rng: &mut impl Rng) -> Pairs {
        let mut pairs = Pairs::default();
        for frames in apart(frames, self.recipe.points_a_picture, rng) {
            let [flip, transpose] = [rng.random::<bool>(), rng.random::<bool>()];
            for ((patches, frame), out) in pictures.iter().zip(frames).zip(&mut pairs) {
                out.extend(turned(&patches.take(&frame), flip, transpose));
            }
        }
        pairs
    }
}

/// Half the larger frame's reach: nearer points of one picture are one place.
const NEAREST: f32 = 0.5;

/// At most `most` of the points, drawn, that are not at one place in the first picture.
fn apart(frames: &[[Frame; 2]], most: usize, rng: &mut impl Rng) -> Vec<[Frame; 2]> {
    let mut drawn = frames.to_vec();
    drawn.shuffle(rng);
    let mut kept: Vec<[Frame; 2]> = Vec::with_capacity(most);
    for frames in drawn {
        if kept.len() == most {
            break;
        }
        let is_apart = |other: &[Frame; 2]| {
            let [x, y] = [0, 1].map(|at| frames[0].center[at] - other[0].center[at]);
            let reach = frames[0].radius().max(other[0].radius());
            x.hypot(y) >= NEAREST * reach
        };
        if kept.iter().all(is_apart) {
            kept.push(frames);
        }
    }
    kept
}

/// A patch mirrored left to right, then with rows and columns exchanged, as asked for.
fn turned(patch: &[f32], flip: bool, transpose: bool) -> Vec<f32> {
    let value = |at: usize| {
        let (mut row, mut column) = (at / PATCH, at % PATCH);
        if transpose {
            (row, column) = (column, row);
        }
        if flip {
            column = PATCH - 1 - column;
        }
        patch[row * PATCH + column]
    };
    (0..PATCH * PATCH).map(value).collect()
}

/// The pairs of a batch as two tensors, `[points, 1, 32, 32]` each, and the number of points.
pub(super) fn tensors(batch: &[Pairs], device: &Device) -> (usize, [Tensor<4>; 2]) {
    let area = PATCH * PATCH;
    let points = batch.iter().map(|pairs| pairs[0].len() / area).sum();
    let side = |side: usize| {
        let values: Vec<f32> = batch.iter().flat_map(|pairs| pairs[side].clone()).collect();
        Tensor::from_data(TensorData::new(values, [points, 1, PATCH, PATCH]), device)
    };
    (points, [side(0), side(1)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn frame(x: f32, y: f32, radius: f32) -> Frame {
        Frame {
            center: [x, y],
            shape: [radius, 0.0, 0.0, radius],
        }
    }

    proptest! {
        #[test]
        fn points_of_a_batch_are_different_places(
            places in prop::collection::vec((0f32..200.0, 0f32..80.0, 4f32..30.0), 1..60), most in 1usize..20,
            seed: u64,
        ) {
            let frames: Vec<[Frame; 2]> = places
                .iter()
                .map(|&(x, y, radius)| [frame(x, y, radius), frame(y, x, radius)])
                .collect();
            let kept = apart(&frames, most, &mut ChaCha8Rng::seed_from_u64(seed));
            prop_assert!(!kept.is_empty() && kept.len() <= most);
            for (at, one) in kept.iter().enumerate() {
                prop_assert!(frames.contains(one), "a pair stays together");
                for other in &kept[..at] {
                    let [a, b] = [one[0], other[0]];
                    let apart = (a.center[0] - b.center[0]).hypot(a.center[1] - b.center[1]);
                    prop_assert!(apart >= 0.5 * a.shape[0].max(b.shape[0]));
                }
            }
        }

        #[test]
        fn flips_and_transposes_move_values_and_change_none(row in 0usize..32, column in 0usize..32) {
            let mut patch = vec![0.0; PATCH * PATCH];
            patch[row * PATCH + column] = 1.0;
            for (flip, transpose, at) in [
                (false, false, row * PATCH + column),
                (true, false, row * PATCH + 31 - column),
                (false, true, column * PATCH + row),
                (true, true, (31 - column) * PATCH + row),
            ] {
                let turned = turned(&patch, flip, transpose);
                prop_assert_eq!(turned.iter().position(|&v| v == 1.0), Some(at));
                prop_assert_eq!(turned.iter().sum::<f32>(), 1.0);
            }
        }
    }
}
