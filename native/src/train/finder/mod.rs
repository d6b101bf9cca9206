//! Training of the fluke finder: boxes by smooth L1, photos shifted, scaled and relit, and some of them seen from afar.

mod afar;

use super::FinderRecipe;
use super::losses::boxes::smooth_l1;
use super::optimizer::{AdamW, Pace};
use super::samples::read_photo;
use super::schedule::OneCycle;
use super::tally::Tally;
use crate::Result;
use crate::data::{Augmentation, Batches, Catalogue, Loading, PhotoEntry, epoch_order};
use crate::progress::Progress;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor, TensorData};
use flukeprint_core::model::{Finder, FinderConfig};
use flukeprint_core::photo::{Gray, Preprocessing, Region};
use rand::{Rng, RngExt};
use rayon::prelude::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where smooth L1 bends, as a share of the photo's side.
const BEND: f32 = 0.05;
/// Weight decay and the joint norm that gradients are clipped to.
const WEIGHT_DECAY: f64 = 0.01;
const CLIP: f64 = 1.0;
/// The part of a photo that a training sample keeps is at least this share of each side.
const LEAST_KEPT: f32 = 0.75;
/// Of the samples of a recipe that has photos seen from afar, the share that is.
const AFAR: f32 = 0.5;
/// Photos are kept in memory at this multiple of the finder's side.
const OVERSAMPLING: f32 = 1.25;

/// A finder trained on those of `photos` that have a box; none when fewer than a batch have one.
///
/// # Errors
/// A photo that cannot be read any more, a loss that is no number any more.
pub fn train(
    catalogue: &Catalogue,
    photos: &[usize],
    recipe: &FinderRecipe,
    seed: u64,
    device: &Device,
    progress: &dyn Progress,
) -> Result<Option<Finder>> {
    let boxed: Vec<usize> = photos
        .iter()
        .copied()
        .filter(|&photo| catalogue.photos[photo].region.is_some())
        .collect();
    let steps = boxed.len() / recipe.batch;
    if steps == 0 {
        progress.note(&format!(
            "no fluke finder: {} photos have a box, {} are needed",
            boxed.len(),
            recipe.batch
        ));
        return Ok(None);
    }
    let photos = Arc::new(Photos::read(catalogue, &boxed, &recipe.model, progress)?);
    let cycle = OneCycle::new(steps * recipe.epochs);
    let mut optimizer = AdamW::new(WEIGHT_DECAY, CLIP);
    let mut finder = recipe.model.init(device);
    progress.begin("training the fluke finder", steps * recipe.epochs);
    for epoch in 0..recipe.epochs {
        let mut tally = Tally::new("the fluke finder", epoch);
        for inputs in photos.epoch(recipe, seed, epoch as u64) {
            let inputs = inputs?;
            let step = epoch * steps + tally.steps();
            let (input, boxes) = tensors(&inputs.samples, recipe.model.side, device);
            let loss = smooth_l1(finder.forward(input), boxes, BEND);
            tally.add(&loss)?;
            let gradients = GradientsParams::from_grads(loss.backward(), &finder);
            let rate = recipe.rate * cycle.rate(step);
            finder = optimizer
                .step(
                    finder,
                    gradients,
                    Pace {
                        rate: &|_| rate,
                        momentum: cycle.momentum(step),
                    },
                )
                .0;
            progress.advance(step + 1);
        }
        progress.note(&format!(
            "fluke finder, epoch {} of {}: loss {:.5}",
            epoch + 1,
            recipe.epochs,
            tally.mean_loss()?
        ));
    }
    Ok(Some(finder))
}

/// One training sample: `[side, side]` values in −1…1, and left, top, right, bottom as shares.
type Sample = (Vec<f32>, [f32; 4]);

/// A photo, small and gray, and its box's left, top, right and bottom as shares of its sides.
struct Boxed {
    gray: Gray,
    shares: [f32; 4],
}

/// The photos, all in memory: 25,000 of them at 120 x 120 are 360 MB.
struct Photos {
    places: Vec<usize>,
    entries: Vec<Boxed>,
}

impl Photos {
    fn read(
        catalogue: &Catalogue,
        photos: &[usize],
        config: &FinderConfig,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let side = (config.side as f32 * OVERSAMPLING) as u32;
        let done = AtomicUsize::new(0);
        progress.begin("reading whole photos", photos.len());
        let entries = photos.par_iter().map(|&photo| {
            let entry = small(&catalogue.photos[photo], side);
            progress.advance(done.fetch_add(1, Ordering::Relaxed) + 1);
            entry
        });
        Ok(Self {
            places: (0..photos.len()).collect(),
            entries: entries.collect::<Result<_>>()?,
        })
    }

    fn epoch(self: &Arc<Self>, recipe: &FinderRecipe, seed: u64, epoch: u64) -> Batches<Sample> {
        let loading = Loading {
            seed,
            epoch,
            batch_size: recipe.batch,
            drop_last: true,
            workers: 1,
            ahead: 2,
        };
        let photos = Arc::clone(self);
        let (side, times) = (recipe.model.side, recipe.afar as f32);
        let order = epoch_order(&self.places, seed, epoch);
        Batches::start(order, loading, move |place, rng| {
            photos.sample(place, (side, times), rng)
        })
    }

    /// A random part of the photo, or of it seen from afar, in a random light, squashed to `side` x `side`.
    fn sample(
        &self,
        place: usize,
        (side, times): (usize, f32),
        rng: &mut impl Rng,
    ) -> Result<Sample> {
        let near = &self.entries[place];
        let far = match times > 1.0 && rng.random::<f32>() < AFAR {
            true => Some(afar::afar(near, times, rng)?),
            false => None,
        };
        let Boxed { gray, shares } = far.as_ref().unwrap_or(near);
        let [left, top, right, bottom] = shares;
        let (x0, x1) = part(*left, *right, gray.width, rng);
        let (y0, y1) = part(*top, *bottom, gray.height, rng);
        let light = Augmentation {
            rotation_degrees: 0.0,
            zoom: 1.0,
            warp: 0.0,
            ..Augmentation::default()
        };
        let values = light
            .draw(rng)
            .apply(&cut(gray, x0, y0, x1, y1), side, side);
        let values = values.into_iter().map(|value| 2.0 * value - 1.0).collect();
        let share = |value: f32, from: u32, to: u32, size: u32| {
            ((value * size as f32 - from as f32) / (to - from) as f32).clamp(0.0, 1.0)
        };
        let (x, y) = (
            |v| share(v, x0, x1, gray.width),
            |v| share(v, y0, y1, gray.height),
        );
        Ok((values, [x(*left), y(*top), x(*right), y(*bottom)]))
    }
}

/// The first and the last pixel (exclusive) of a random part of a side of `size` pixels: one that
/// holds the fluke, from `low` to `high` as shares of the side, where it can.
fn part(low: f32, high: f32, size: u32, rng: &mut impl Rng) -> (u32, u32) {
    let kept = rng.random_range(LEAST_KEPT..=1.0f32);
    let last = 1.0 - kept;
    let (first, end) = match ((high - kept).max(0.0), low.min(last)) {
        (first, end) if first <= end => (first, end),
        _ => (0.0, last),
    };
    let start = first + (end - first) * rng.random::<f32>();
    let pixel = |share: f32| (share * size as f32).round() as u32;
    let from = pixel(start).min(size - 1);
    (from, pixel(start + kept).clamp(from + 1, size))
}

fn cut(photo: &Gray, x0: u32, y0: u32, x1: u32, y1: u32) -> Gray {
    let rows = photo
        .pixels
        .chunks_exact(photo.width as usize)
        .skip(y0 as usize)
        .take((y1 - y0) as usize);
    let pixels = rows
        .flat_map(|row| row[x0 as usize..x1 as usize].iter().copied())
        .collect();
    Gray {
        width: x1 - x0,
        height: y1 - y0,
        pixels,
    }
}

fn small(entry: &PhotoEntry, side: u32) -> Result<Boxed> {
    let (photo, region) = read_photo(entry)?;
    let whole = Region::whole(photo.width, photo.height);
    let gray = Preprocessing::imagenet(side as usize, side as usize).gray(&photo, whole)?;
    let (width, height) = (photo.width as f32, photo.height as f32);
    let shares = [
        region.x0 / width,
        region.y0 / height,
        region.x1 / width,
        region.y1 / height,
    ];
    Ok(Boxed {
        gray: gray.resize(side, side)?,
        shares,
    })
}

fn tensors(samples: &[Sample], side: usize, device: &Device) -> (Tensor<4>, Tensor<2>) {
    let values: Vec<f32> = samples
        .iter()
        .flat_map(|(values, _)| values.iter().copied())
        .collect();
    let boxes: Vec<f32> = samples.iter().flat_map(|(_, region)| *region).collect();
    let input = TensorData::new(values, [samples.len(), 1, side, side]);
    (
        Tensor::from_data(input, device),
        Tensor::from_data(TensorData::new(boxes, [samples.len(), 4]), device),
    )
}
