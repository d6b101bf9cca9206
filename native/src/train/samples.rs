//! Photo to training sample.

use super::Recipe;
use crate::data::{Augmentation, Batches, Catalogue, CropCache, Loading, PhotoEntry, epoch_order};
use crate::{Error, Result};
use burn::tensor::{Device, Int, Tensor, TensorData};
use flukeprint_core::gallery::Label;
use flukeprint_core::photo::{Gray, Photo, Preprocessing, Region};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// Crops are kept at this multiple of the input's size, so that a zoomed sample is still sharp and
/// an unzoomed one does not alias.
const OVERSAMPLING: f32 = 1.25;
/// Bytes of crops kept in memory; the rest is decoded anew each epoch, so that 25,000 photos train
/// within 4 GiB.
const CACHE_BYTES: usize = 1 << 30;
/// Threads that make samples beside those that train.
const WORKERS: usize = 2;
/// Batches made ahead.
const AHEAD: usize = 3;

/// The photos of known whales that are trained on.
#[derive(Clone)]
pub(super) struct Samples {
    photos: Vec<usize>,
    source: Arc<Source>,
    batch: usize,
    seed: u64,
}

struct Source {
    entries: Vec<PhotoEntry>,
    cache: CropCache,
    preprocessing: Preprocessing,
    augmentation: Augmentation,
}

/// Inputs `[batch, 3, height, width]` and their individuals `[batch]`.
pub(super) struct Inputs {
    pub(super) input: Tensor<4>,
    pub(super) labels: Tensor<1, Int>,
}

impl Samples {
    /// The photos among `photos` that show known whales.
    pub(super) fn new(catalogue: &Catalogue, recipe: &Recipe, photos: &[usize]) -> Self {
        let known = |&&photo: &&usize| catalogue.photos[photo].label != Label::New;
        let source = Source {
            entries: catalogue.photos.clone(),
            cache: CropCache::new(catalogue.photos.len(), CACHE_BYTES),
            preprocessing: recipe.preprocessing(),
            augmentation: recipe.augmentation.clone(),
        };
        Self {
            photos: photos.iter().filter(known).copied().collect(),
            source: Arc::new(source),
            batch: recipe.batch,
            seed: recipe.seed,
        }
    }

    /// Steps in an epoch; batches that are not full are left out.
    pub(super) fn steps(&self) -> usize {
        self.photos.len() / self.batch
    }

    /// How many photos there are.
    pub(super) fn len(&self) -> usize {
        self.photos.len()
    }

    /// The batches of an epoch, in the order that seed and epoch give.
    pub(super) fn epoch(
        &self,
        epoch: u64,
        device: &Device,
    ) -> impl Iterator<Item = Result<Inputs>> + use<> {
        let loading = Loading {
            seed: self.seed,
            epoch,
            batch_size: self.batch,
            drop_last: true,
            workers: WORKERS,
            ahead: AHEAD,
        };
        let source = Arc::clone(&self.source);
        let make = move |photo: usize, rng: &mut ChaCha8Rng| source.sample(photo, rng);
        let batches = Batches::start(epoch_order(&self.photos, self.seed, epoch), loading, make);
        let (source, device) = (Arc::clone(&self.source), device.clone());
        batches.map(move |batch| {
            batch.map(|batch| source.inputs(&batch.photos, batch.samples, &device))
        })
    }
}

impl Source {
    fn sample(&self, photo: usize, rng: &mut ChaCha8Rng) -> Result<Vec<f32>> {
        let crop = self.cache.get_or_make(photo, || self.crop(photo))?;
        let change = self.augmentation.draw(rng);
        let gray = change.apply(&crop, self.preprocessing.width, self.preprocessing.height);
        Ok(match change.channels(&gray) {
            Some(channels) => self.preprocessing.normalise_channels(channels),
            None => self.preprocessing.normalise(&gray),
        })
    }

    fn crop(&self, photo: usize) -> Result<Gray> {
        let entry = &self.entries[photo];
        let side = |pixels: usize| (pixels as f32 * OVERSAMPLING) as u32;
        let (photo, region) = read_photo(entry)?;
        let crop = self.preprocessing.gray(&photo, region).and_then(|crop| {
            crop.resize(
                side(self.preprocessing.width),
                side(self.preprocessing.height),
            )
        });
        crop.map_err(|error| Error::Photo {
            path: entry.path.clone(),
            reason: error.to_string(),
        })
    }

    fn inputs(&self, photos: &[usize], samples: Vec<Vec<f32>>, device: &Device) -> Inputs {
        let shape = [
            photos.len(),
            3,
            self.preprocessing.height,
            self.preprocessing.width,
        ];
        let individual = |&photo: &usize| match self.entries[photo].label {
            Label::Individual(i) => i64::from(i),
            Label::New => unreachable!("photos of new whales are not trained on"),
        };
        let labels: Vec<i64> = photos.iter().map(individual).collect();
        Inputs {
            input: Tensor::from_data(TensorData::new(samples.concat(), shape), device),
            labels: Tensor::from_data(labels.as_slice(), device),
        }
    }
}

/// The decoded photo and its region: its box, or all of it.
pub(crate) fn read_photo(entry: &PhotoEntry) -> Result<(Photo, Region)> {
    let read = |source| Error::Read {
        path: entry.path.clone(),
        source,
    };
    let bytes = std::fs::read(&entry.path).map_err(read)?;
    let photo = Photo::decode(&bytes).map_err(|error| Error::Photo {
        path: entry.path.clone(),
        reason: error.to_string(),
    })?;
    let region = entry
        .region
        .unwrap_or(Region::whole(photo.width, photo.height));
    Ok((photo, region))
}
