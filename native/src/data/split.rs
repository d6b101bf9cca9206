//! Which photos train, which tune and which are reported on: spec, *Data*.
//!
//! Validation is one photo of each individual that has two or more, and some photos of new whales.
//! Half of it, [`Split::tune`], chooses thresholds; the other half, [`Split::report`], is only ever
//! measured on. What a photo becomes follows from the seed, its individual and its file name alone:
//! row order does not matter, and another whale's photos do not move it. (The halves are of equal
//! size, so a whale that joins may move one photo across the middle.)

use super::catalogue::Catalogue;
use super::write::write_atomically;
use crate::{Error, Result};
use flukeprint_core::gallery::{Label, NEW_WHALE};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io;
use std::path::Path;

/// The share of the new whales' photos that validation takes at most, in percent.
const MOST_NEW_PERCENT: usize = 80;

/// Places of photos in a catalogue, each place in one of the three lists, each list ascending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Split {
    /// The seed that drew it.
    pub seed: u64,
    /// Photos to train on; the gallery in which validation photos are looked up.
    pub train: Vec<usize>,
    /// Validation photos on which thresholds and weights are chosen.
    pub tune: Vec<usize>,
    /// Validation photos that are only measured on.
    pub report: Vec<usize>,
}

/// How a split is stored: by file name, so that rows may be reordered.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    seed: u64,
    train: Vec<String>,
    tune: Vec<String>,
    report: Vec<String>,
}

impl Split {
    /// The number of new whales' photos in the spec's validation.
    pub const NEW_WHALES: usize = 1000;

    /// Draws a split: one photo of each individual with two or more, and `new_whales` photos of new
    /// whales, but at most 80 % of those there are, go to validation.
    pub fn draw(catalogue: &Catalogue, seed: u64, new_whales: usize) -> Self {
        let draw = Draw { catalogue, seed };
        let known = draw.known();
        let new = draw.unknown(new_whales);
        let (mut tune, mut report) = draw.halves(known);
        let (new_tune, new_report) = draw.halves(new);
        tune.extend(new_tune);
        report.extend(new_report);
        tune.sort_unstable();
        report.sort_unstable();
        let validation = |place: &usize| {
            tune.binary_search(place).is_ok() || report.binary_search(place).is_ok()
        };
        let train = (0..catalogue.photos.len())
            .filter(|place| !validation(place))
            .collect();
        Self {
            seed,
            train,
            tune,
            report,
        }
    }

    /// The same photos, all of them to train on.
    #[must_use]
    pub fn all_to_train(&self) -> Self {
        Self {
            seed: self.seed,
            train: self.everything(),
            tune: Vec::new(),
            report: Vec::new(),
        }
    }

    /// Every photo: the gallery to identify from once tuning is done (spec, *Deciding* 6).
    pub fn everything(&self) -> Vec<usize> {
        let mut all = [&self.train[..], &self.tune, &self.report].concat();
        all.sort_unstable();
        all
    }

    /// Stores the split as JSON, by file name.
    ///
    /// # Errors
    /// [`Error::Write`]; nothing is then half written.
    pub fn save(&self, catalogue: &Catalogue, path: &Path) -> Result<()> {
        let files = |places: &[usize]| -> Vec<String> {
            places
                .iter()
                .map(|&place| catalogue.photos[place].file.clone())
                .collect()
        };
        let stored = Stored {
            seed: self.seed,
            train: files(&self.train),
            tune: files(&self.tune),
            report: files(&self.report),
        };
        let failed = |error: serde_json::Error| Error::Write {
            path: path.to_owned(),
            source: error.into(),
        };
        write_atomically(path, &serde_json::to_vec_pretty(&stored).map_err(failed)?)
    }

    /// Reads a stored split of `catalogue`.
    ///
    /// # Errors
    /// [`Error::MissingFile`], [`Error::Read`]; [`Error::Split`] when it is no split, names a photo
    /// twice or one that the catalogue has not, or leaves one out; [`Error::WhaleWithoutPhoto`] when
    /// an individual has no training photo.
    pub fn load(catalogue: &Catalogue, path: &Path) -> Result<Self> {
        let text = std::fs::read(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => Error::MissingFile {
                path: path.to_owned(),
                wanted: "training writes the split there",
            },
            _ => Error::Read {
                path: path.to_owned(),
                source,
            },
        })?;
        let refuse = |reason: String| Error::Split {
            path: path.to_owned(),
            reason,
        };
        let stored: Stored = serde_json::from_slice(&text)
            .map_err(|error| refuse(format!("this is no stored split ({error})")))?;
        let split = stored.in_catalogue(catalogue).map_err(refuse)?;
        catalogue.require_each_individual(&split.train, "training photos")?;
        Ok(split)
    }
}

impl Stored {
    fn in_catalogue(&self, catalogue: &Catalogue) -> std::result::Result<Split, String> {
        let files = catalogue.photos.iter().map(|photo| photo.file.as_str());
        let mut left: HashMap<&str, usize> = files.zip(0..).collect();
        let mut places = |files: &[String]| -> std::result::Result<Vec<usize>, String> {
            let taken = files.iter().map(|file| {
                let place = left.remove(file.as_str());
                place.ok_or_else(|| {
                    format!("`{file}` stands in it twice or is not in the catalogue")
                })
            });
            let mut taken = taken.collect::<std::result::Result<Vec<_>, _>>()?;
            taken.sort_unstable();
            Ok(taken)
        };
        let split = Split {
            seed: self.seed,
            train: places(&self.train)?,
            tune: places(&self.tune)?,
            report: places(&self.report)?,
        };
        match left.keys().min() {
            Some(file) => Err(format!(
                "{} photos of the catalogue are not in it, as `{file}`",
                left.len()
            )),
            None => Ok(split),
        }
    }
}

/// A draw: every choice takes the photos with the lowest digests.
struct Draw<'a> {
    catalogue: &'a Catalogue,
    seed: u64,
}

impl Draw<'_> {
    /// One photo of each individual that has two or more.
    fn known(&self) -> Vec<usize> {
        let by_individual = self.catalogue.photos_by_individual();
        let several = by_individual.into_iter().filter(|photos| photos.len() >= 2);
        several
            .filter_map(|photos| self.lowest("validation", photos, 1).pop())
            .collect()
    }

    /// `wanted` photos of new whales, or the most that validation takes.
    fn unknown(&self, wanted: usize) -> Vec<usize> {
        let photos = self.catalogue.new_whale_photos();
        let most = photos.len() * MOST_NEW_PERCENT / 100;
        self.lowest("validation", photos, wanted.min(most))
    }

    /// Two halves; the first is the larger by one where the number is odd.
    fn halves(&self, photos: Vec<usize>) -> (Vec<usize>, Vec<usize>) {
        let half = photos.len().div_ceil(2);
        let count = photos.len();
        let mut first = self.lowest("half", photos, count);
        let second = first.split_off(half);
        (first, second)
    }

    /// The `count` photos with the lowest digests for `purpose`, in that order.
    fn lowest(&self, purpose: &str, mut photos: Vec<usize>, count: usize) -> Vec<usize> {
        photos.sort_by_cached_key(|&photo| self.digest(purpose, photo));
        photos.truncate(count);
        photos
    }

    /// SHA-256 of the purpose, the seed, the individual and the file, each preceded by its length.
    fn digest(&self, purpose: &str, photo: usize) -> [u8; 32] {
        let photo = &self.catalogue.photos[photo];
        let individual = match photo.label {
            Label::Individual(number) => self.catalogue.individuals[number as usize].as_str(),
            Label::New => NEW_WHALE,
        };
        let mut hasher = Sha256::new();
        for part in [
            purpose.as_bytes(),
            &self.seed.to_le_bytes(),
            individual.as_bytes(),
            photo.file.as_bytes(),
        ] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.finalize().into()
    }
}
