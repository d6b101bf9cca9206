//! Which photos train, which tune and which are reported on: spec, *Data*.
//!
//! Validation is one photo of each individual that has two or more, and some photos of new whales.
//! Half of it, [`Split::tune`], chooses thresholds; the other half, [`Split::report`], is only ever
//! measured on. What a photo becomes follows from the seed, its individual and its file name alone:
//! row order does not matter, and another whale's photos do not move it. (The halves are of equal
//! size, so a whale that joins may move one photo across the middle.)
//!
//! Whole whales may be kept out of all that ([`Split::unseen`]), to measure what features are worth on
//! whales that nothing was learnt of. The other whales' photos stay where they are without them, so
//! the halves may then differ in size.

use super::catalogue::Catalogue;
use super::write::write_atomically;
use crate::{Error, Result};
use flukeprint_core::gallery::{Label, NEW_WHALE};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::Path;

/// The share of the new whales' photos that validation takes at most, in percent.
const MOST_NEW_PERCENT: usize = 80;
/// The share of the individuals with two photos or more that are kept out at most, in percent.
const MOST_UNSEEN_PERCENT: usize = 80;

/// Places of photos in a catalogue, each place in one of the four lists, each list ascending.
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
    /// All photos of the whales that are kept out of the other lists.
    pub unseen: Vec<usize>,
}

/// How a split is stored: by file name, so that rows may be reordered.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    seed: u64,
    train: Vec<String>,
    tune: Vec<String>,
    report: Vec<String>,
    /// Empty in the splits of older runs, which do not have it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    unseen: Vec<String>,
}

impl Split {
    /// The number of new whales' photos in the spec's validation.
    pub const NEW_WHALES: usize = 1000;

    /// Draws a split: one photo of each individual with two or more, and `new_whales` photos of new
    /// whales, but at most 80 % of those there are, go to validation. Then all photos of
    /// `unseen_whales` individuals with two or more, but of at most 80 % of those there are, are taken
    /// out.
    pub fn draw(catalogue: &Catalogue, seed: u64, new_whales: usize, unseen_whales: usize) -> Self {
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
        let mut train: Vec<usize> = (0..catalogue.photos.len())
            .filter(|place| !validation(place))
            .collect();
        let unseen = draw.unseen(unseen_whales);
        for list in [&mut train, &mut tune, &mut report] {
            list.retain(|place| unseen.binary_search(place).is_err());
        }
        Self {
            seed,
            train,
            tune,
            report,
            unseen,
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
            unseen: Vec::new(),
        }
    }

    /// Every photo: the gallery to identify from once tuning is done (spec, *Deciding* 6).
    pub fn everything(&self) -> Vec<usize> {
        let mut all = [&self.train[..], &self.tune, &self.report, &self.unseen].concat();
        all.sort_unstable();
        all
    }

    /// How many whales are kept out.
    pub fn unseen_whales(&self, catalogue: &Catalogue) -> usize {
        let labels = self
            .unseen
            .iter()
            .map(|&place| catalogue.photos[place].label);
        labels.collect::<BTreeSet<Label>>().len()
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
            unseen: files(&self.unseen),
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
    /// twice or one that the catalogue has not, leaves one out, or keeps a part of a whale's photos
    /// out or those of new whales; [`Error::WhaleWithoutPhoto`] when an individual that is not kept
    /// out has no training photo.
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
        split.require_whole_whales(catalogue).map_err(refuse)?;
        let gallery = [&split.train[..], &split.unseen].concat();
        catalogue.require_each_individual(&gallery, "training photos")?;
        Ok(split)
    }

    /// Makes sure that a whale is kept out with all its photos or not at all.
    fn require_whole_whales(&self, catalogue: &Catalogue) -> std::result::Result<(), String> {
        let of = |&place: &usize| &catalogue.photos[place];
        let unseen: BTreeSet<Label> = self.unseen.iter().map(|place| of(place).label).collect();
        let others = [&self.train[..], &self.tune, &self.report].concat();
        let split = others
            .iter()
            .map(of)
            .find(|photo| unseen.contains(&photo.label));
        match (unseen.contains(&Label::New), split) {
            (true, _) => Err("photos of new whales are among the unseen ones".to_owned()),
            (false, Some(photo)) => Err(format!(
                "`{}` shows a whale of which other photos are among the unseen ones",
                photo.file
            )),
            (false, None) => Ok(()),
        }
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
            unseen: places(&self.unseen)?,
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

    /// The photos of `wanted` individuals with two or more, or of the most that are kept out.
    fn unseen(&self, wanted: usize) -> Vec<usize> {
        let by_individual = self.catalogue.photos_by_individual();
        let mut several: Vec<(usize, Vec<usize>)> = (0..)
            .zip(by_individual)
            .filter(|(_, photos)| photos.len() >= 2)
            .collect();
        let most = several.len() * MOST_UNSEEN_PERCENT / 100;
        let name = |whale: usize| self.catalogue.individuals[whale].as_str();
        several.sort_by_cached_key(|&(whale, _)| self.digest("unseen", name(whale), ""));
        several.truncate(wanted.min(most));
        let mut photos: Vec<usize> = several.into_iter().flat_map(|(_, photos)| photos).collect();
        photos.sort_unstable();
        photos
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
        photos.sort_by_cached_key(|&photo| {
            let photo = &self.catalogue.photos[photo];
            let individual = match photo.label {
                Label::Individual(number) => self.catalogue.individuals[number as usize].as_str(),
                Label::New => NEW_WHALE,
            };
            self.digest(purpose, individual, &photo.file)
        });
        photos.truncate(count);
        photos
    }

    /// SHA-256 of the purpose, the seed, the individual and the file, each preceded by its length.
    fn digest(&self, purpose: &str, individual: &str, file: &str) -> [u8; 32] {
        let mut hasher = Sha256::new();
        for part in [
            purpose.as_bytes(),
            &self.seed.to_le_bytes(),
            individual.as_bytes(),
            file.as_bytes(),
        ] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        hasher.finalize().into()
    }
}
