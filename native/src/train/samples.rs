//! Photo to training sample.

use super::losses::Targets;
use super::{Recipe, SampleRecipe};
use crate::data::{
    Augmentation, Batch, Batches, Catalogue, Change, CropCache, Loading, PhotoEntry, epoch_order,
    photo_rng,
};
use crate::{Error, Result};
use burn::tensor::{Device, Tensor, TensorData};
use flukeprint_core::gallery::Label;
use flukeprint_core::photo::{Gray, Photo, Preprocessing, Region};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Beta, Distribution};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Crops are kept at this multiple of the input's size, so that a zoomed sample is still sharp and
/// an unzoomed one does not alias.
const OVERSAMPLING: f32 = 1.25;
/// Bytes of crops kept in memory; the rest is decoded anew each epoch, so that 25,000 photos train
/// within 4 GiB.
const CACHE_BYTES: usize = 1 << 30;
/// Threads that make samples beside those that train: at least, and at most.
const WORKERS: (usize, usize) = (2, 16);
/// Batches made ahead.
const AHEAD: usize = 3;

/// The photos that are trained on. A sample is numbered as its photo's place in the catalogue, a
/// mirrored one as that and the number of photos.
#[derive(Clone)]
pub(super) struct Samples {
    samples: Vec<usize>,
    source: Arc<Source>,
    batch: usize,
    seed: u64,
    mixup: f64,
}

struct Source {
    entries: Vec<PhotoEntry>,
    individuals: usize,
    cache: CropCache,
    preprocessing: Preprocessing,
    augmentation: Augmentation,
}

/// Inputs `[batch, 3, height, width]`, and whom they show, each with its share: two of each where
/// photos are shown through each other.
pub(super) struct Inputs {
    pub(super) input: Tensor<4>,
    pub(super) targets: Vec<(Targets, f64)>,
    /// The class of each photo, on this side of the device; `None` for a new whale.
    pub(super) classes: Vec<Option<u32>>,
}

/// What a photo goes through on its way to the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Look {
    /// The recipe's augmentation, mixup included.
    Mixed,
    /// The recipe's augmentation of single photos.
    Augmented,
    /// Nothing.
    Plain,
}

impl Samples {
    /// The photos among `photos` that the recipe trains on.
    pub(super) fn new(catalogue: &Catalogue, recipe: &Recipe, photos: &[usize]) -> Self {
        let entries = catalogue
            .photos
            .iter()
            .map(|entry| recipe.input.entry(entry));
        let source = Source {
            entries: entries.collect(),
            individuals: catalogue.individuals.len(),
            cache: CropCache::new(catalogue.photos.len(), CACHE_BYTES),
            preprocessing: recipe.preprocessing(),
            augmentation: recipe.augmentation.clone(),
        };
        Self {
            samples: source.samples(photos, &recipe.samples),
            source: Arc::new(source),
            batch: recipe.batch,
            seed: recipe.seed,
            mixup: recipe.samples.mixup,
        }
    }

    /// Steps in an epoch; batches that are not full are left out.
    pub(super) fn steps(&self) -> usize {
        self.samples.len() / self.batch
    }

    /// Photos a step.
    pub(super) fn batch(&self) -> usize {
        self.batch
    }

    /// The class that a sample shows; `None` for a new whale.
    pub(super) fn class(&self, sample: usize) -> Option<u32> {
        self.source.class(sample)
    }

    /// The photos of known whales among them, each once and as it is.
    pub(super) fn photos(&self) -> Vec<usize> {
        let photos = self.source.entries.len();
        let is_photo = |&&sample: &&usize| sample < photos && self.class(sample).is_some();
        let distinct: BTreeSet<usize> = self.samples.iter().filter(is_photo).copied().collect();
        distinct.into_iter().collect()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.samples.len()
    }

    /// How many samples show each of so many classes.
    pub(super) fn of_each(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        for &sample in &self.samples {
            if let Some(class) = self.source.class(sample) {
                counts[class as usize] += 1;
            }
        }
        counts
    }

    /// Those that show a known whale.
    pub(super) fn known(&self) -> Vec<usize> {
        let is_known = |&&sample: &&usize| self.source.class(sample).is_some();
        self.samples.iter().filter(is_known).copied().collect()
    }

    /// The class of each of [`Self::known`].
    pub(super) fn known_classes(&self) -> Vec<u32> {
        let classes = self.samples.iter().map(|&sample| self.source.class(sample));
        classes.flatten().collect()
    }

    /// The batches of an epoch, in the order that seed and epoch give.
    pub(super) fn epoch(
        &self,
        epoch: u64,
        device: &Device,
    ) -> impl Iterator<Item = Result<Inputs>> + use<> {
        let mut order = epoch_order(&self.samples, self.seed, epoch);
        order.truncate(self.steps() * self.batch);
        self.load(order, self.batch, epoch, Look::Mixed, device)
    }

    /// The samples of `order`, which may repeat, so many a batch; the last batch has what is left.
    /// Seed, epoch and a sample's place in the order decide how it is augmented.
    pub(super) fn load(
        &self,
        order: Vec<usize>,
        batch: usize,
        epoch: u64,
        look: Look,
        device: &Device,
    ) -> impl Iterator<Item = Result<Inputs>> + use<> {
        let loading = Loading {
            seed: self.seed,
            epoch,
            batch_size: batch,
            drop_last: false,
            workers: workers(),
            ahead: AHEAD,
        };
        let source = Arc::clone(&self.source);
        let make = move |sample: usize, rng: &mut ChaCha8Rng| match look {
            Look::Mixed | Look::Augmented => source.augmented(sample, rng),
            Look::Plain => source.plain(sample),
        };
        let mixup = if look == Look::Mixed { self.mixup } else { 0.0 };
        let batches = Batches::start(order, loading, make);
        let (source, device) = (Arc::clone(&self.source), device.clone());
        batches.enumerate().map(move |(number, batch)| {
            let mixture = Mixture::draw(mixup, &loading, number);
            Ok(source.inputs(batch?, mixture, &device))
        })
    }
}

/// As many threads as the machine has cores, within [`WORKERS`]. Their number changes no sample.
fn workers() -> usize {
    let cores = std::thread::available_parallelism().map_or(WORKERS.0, usize::from);
    cores.clamp(WORKERS.0, WORKERS.1)
}

/// How much of each photo is seen where every photo of a batch is shown through the next.
#[derive(Clone, Copy)]
struct Mixture {
    share: f64,
}

impl Mixture {
    /// A share from Beta(α, α), `None` without mixup (α = 0).
    fn draw(alpha: f64, loading: &Loading, batch: usize) -> Option<Self> {
        let beta = Beta::new(alpha, alpha).ok()?;
        // No photo has this number.
        let share = beta.sample(&mut photo_rng(loading, usize::MAX, batch));
        Some(Self { share })
    }

    /// Mixes the batch; gives the samples that are seen through its own.
    fn mix(self, batch: &mut Batch<Vec<f32>>) -> Vec<usize> {
        let mut second = batch.photos.clone();
        second.rotate_left(1);
        let mut behind = batch.samples.clone();
        behind.rotate_left(1);
        let share = self.share as f32;
        for (values, behind) in batch.samples.iter_mut().zip(behind) {
            for (value, behind) in values.iter_mut().zip(behind) {
                *value = *value * share + behind * (1.0 - share);
            }
        }
        second
    }
}

impl Source {
    /// The samples that an epoch consists of.
    fn samples(&self, photos: &[usize], recipe: &SampleRecipe) -> Vec<usize> {
        let is_used = |&&photo: &&usize| recipe.new_whales || self.class(photo).is_some();
        let mut samples: Vec<usize> = photos.iter().filter(is_used).copied().collect();
        let mut by_class: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for &sample in &samples {
            if let Some(class) = self.class(sample) {
                by_class.entry(class).or_default().push(sample);
            }
        }
        for of_class in by_class.values() {
            let missing = recipe.at_least.saturating_sub(of_class.len());
            samples.extend(of_class.iter().cycle().take(missing));
        }
        if recipe.flips_as_new {
            let mirrored: Vec<usize> = samples.iter().map(|s| s + self.entries.len()).collect();
            samples.extend(mirrored);
        }
        samples
    }

    /// A sample's photo, and whether it is mirrored.
    fn photo(&self, sample: usize) -> (usize, bool) {
        let photos = self.entries.len();
        (sample % photos, sample >= photos)
    }

    /// The class that a sample shows: mirrored whales stand behind the known ones.
    fn class(&self, sample: usize) -> Option<u32> {
        let (photo, mirrored) = self.photo(sample);
        match self.entries[photo].label {
            Label::Individual(i) if mirrored => Some(i + self.individuals as u32),
            Label::Individual(i) => Some(i),
            Label::New => None,
        }
    }

    fn augmented(&self, sample: usize, rng: &mut ChaCha8Rng) -> Result<Vec<f32>> {
        let (photo, mirrored) = self.photo(sample);
        let crop = self.cache.get_or_make(photo, || self.crop(photo))?;
        let mut change = self.augmentation.draw(rng);
        change.flip ^= mirrored;
        let gray = change.apply(&crop, self.preprocessing.width, self.preprocessing.height);
        Ok(match change.channels(&gray) {
            Some(channels) => self.preprocessing.normalise_channels(channels),
            None => self.preprocessing.normalise(&gray),
        })
    }

    fn plain(&self, sample: usize) -> Result<Vec<f32>> {
        let (photo, flip) = self.photo(sample);
        let crop = self.cache.get_or_make(photo, || self.crop(photo))?;
        let (width, height) = (self.preprocessing.width, self.preprocessing.height);
        let change = Change {
            flip,
            ..Change::default()
        };
        Ok(self
            .preprocessing
            .normalise(&change.apply(&crop, width, height)))
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

    fn inputs(
        &self,
        mut batch: Batch<Vec<f32>>,
        mixture: Option<Mixture>,
        device: &Device,
    ) -> Inputs {
        let classes = |samples: &[usize]| -> Vec<Option<u32>> {
            samples.iter().map(|&sample| self.class(sample)).collect()
        };
        let own = classes(&batch.photos);
        let targets = |classes: &[Option<u32>]| Targets::new(classes, device);
        let targets = match mixture {
            None => vec![(targets(&own), 1.0)],
            Some(mixture) => {
                let behind = classes(&mixture.mix(&mut batch));
                let share = mixture.share;
                vec![(targets(&own), share), (targets(&behind), 1.0 - share)]
            }
        };
        let Preprocessing { height, width, .. } = self.preprocessing;
        let shape = [batch.photos.len(), 3, height, width];
        let data = TensorData::new(batch.samples.concat(), shape);
        Inputs {
            input: Tensor::from_data(data, device),
            targets,
            classes: own,
        }
    }
}

/// The decoded photo and its region: its box, or all of it.
pub(crate) fn read_photo(entry: &PhotoEntry) -> Result<(Photo, Region)> {
    let photo = decode_photo(&entry.path)?;
    let region = entry
        .region
        .unwrap_or(Region::whole(photo.width, photo.height));
    Ok((photo, region))
}

/// The upright photo in a file.
pub(crate) fn decode_photo(path: &Path) -> Result<Photo> {
    let read = |source| Error::Read {
        path: path.to_owned(),
        source,
    };
    let bytes = std::fs::read(path).map_err(read)?;
    Photo::decode(&bytes).map_err(|error| Error::Photo {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}
