//! Draws a catalogue of humpback flukes that no whale has: the data that the demo, the tests and
//! the page run on out of the box.
//!
//! In goes a [`SynthConfig`], out comes a folder in the layout of Kaggle's *Humpback Whale
//! Identification*: `train.csv` and `train/`, `test.csv` (with the truth) and `test/`,
//! `bounding_boxes.csv`, and the settings themselves in `synth.json`. A seed gives the same bytes
//! on every machine and with any number of threads.
//!
//! A whale is an outline (`outline`), a pigment pattern (`pigment`) and scars (`scars`), painted
//! once (`whale`) in fluke coordinates: `u` from −1 at the left tip to 1 at the right one, `v`
//! upwards from the notch in the same unit. A photo bends and turns that fluke in front of a
//! camera (`camera`, `mesh`), lights it (`light`), puts it into a sea (`scene`, `spray`) and sends
//! it through a lens (`lens`). Nothing but the whale is shared between two photos of it.

mod camera;
mod catalogue;
mod dice;
mod lens;
mod light;
mod mesh;
mod noise;
mod outline;
mod photo;
mod pigment;
mod plan;
mod scars;
mod scene;
mod spray;
mod whale;

#[cfg(test)]
mod tests;

use std::io;
use std::path::PathBuf;

pub use catalogue::write_catalogue;
pub use plan::Counts;

use flukeprint_core::gallery::NEW_WHALE;
use serde::{Deserialize, Serialize};

/// What to draw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SynthConfig {
    /// Fixes everything; another seed gives other whales.
    pub seed: u64,
    /// Known whales, 1 or more.
    pub individuals: u32,
    /// Photos in `train` of whales without a name, each of another whale.
    pub new_photos: u32,
    /// Photos in `test`: 72.4 % of known whales, the rest of whales never seen before.
    pub test_photos: u32,
    /// Median width of a photo in pixels, 64 to 4096.
    pub photo_width: u32,
    /// How much the pose varies from photo to photo, 0 to 100 % of what real photos show. It is the
    /// knob that makes a catalogue easier for a net that trains for minutes only.
    pub pose_percent: u32,
    /// Photos in `train` of each known whale.
    pub photos_per_individual: Counts,
}

impl SynthConfig {
    /// A catalogue of so many known whales with everything else in the competition's proportions.
    pub fn like_the_competition(individuals: u32) -> Self {
        let counts = Counts::Competition;
        let known: u32 = counts.of(individuals).iter().sum();
        let (new_photos, test_photos) = plan::in_proportion(known);
        Self {
            seed: 1,
            individuals,
            new_photos,
            test_photos,
            photo_width: 640,
            pose_percent: 100,
            photos_per_individual: counts,
        }
    }
}

impl Default for SynthConfig {
    fn default() -> Self {
        Self::like_the_competition(200)
    }
}

/// What was drawn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Known whales.
    pub individuals: usize,
    /// Known whales with a single photo in `train`.
    pub single_photo_individuals: usize,
    /// Photos in `train`, named or not.
    pub train_photos: usize,
    /// Photos in `train` of whales without a name.
    pub new_photos: usize,
    /// Photos in `test`.
    pub test_photos: usize,
}

/// Why no catalogue was written.
#[derive(Debug, thiserror::Error)]
pub enum SynthError {
    /// A setting is out of its range.
    #[error("{setting} is {value}: it must be {wanted}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// What it is.
        value: u32,
        /// What it may be.
        wanted: &'static str,
    },
    /// The output folder holds something already.
    #[error("{} exists and is not an empty folder: name a new folder, or empty this one", path.display())]
    NotEmpty {
        /// The output folder.
        path: PathBuf,
    },
    /// A file or folder could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A photo could not be encoded.
    #[error("cannot encode {}: {source}", path.display())]
    Encode {
        /// The photo.
        path: PathBuf,
        /// What the encoder said.
        source: image::ImageError,
    },
    /// A table could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Table {
        /// The table.
        path: PathBuf,
        /// What the writer said.
        source: csv::Error,
    },
}
