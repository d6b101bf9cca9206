//! The gallery: the catalogue's photos as feature vectors, and the exact search for the nearest of
//! them.
//!
//! In: unit-length features (`[photos, dimension]`, row by row), a [`Label`] and a photo number for
//! each. Out: for every label, the nearest photo and its distance.
//!
//! - [`Gallery`] holds the individuals, the rows and the features, and takes in new ones.
//! - [`FeatureStore`] keeps the features as `f32` or as 8-bit codes with one scale a row.
//! - [`Gallery::nearest_per_label`] compares a query with every row; nothing is approximated
//!   beyond the 8-bit codes themselves.
//!
//! # Slots
//!
//! Whatever is said per label (a distance, a score, a probability) is a slice with one entry per
//! individual in their order, and one last entry for [`Label::New`]. The position in such a slice
//! is the label's *slot*; [`Label::slot`] and [`Label::from_slot`] convert. Slot order is label
//! order, and equal scores are ranked in it, so an answer is the same everywhere.

mod centre;
mod error;
mod index;
mod search;
mod store;
#[cfg(test)]
mod tests;

use alloc::string::String;

use serde::{Deserialize, Serialize};

pub use error::{FeatureError, GalleryError};
pub use index::{Gallery, GalleryRow};
pub use search::{Closeness, DISTANCE_EPSILON, Nearest, dot};
pub use store::{FeatureStore, normalized};

/// What tables and answers call a whale that nobody has named, as in Kaggle's files.
pub const NEW_WHALE: &str = "new_whale";

/// What a photo can be said to show: one of the known whales, or a whale not in the catalogue.
///
/// Individuals come before `New` in label order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Label {
    /// The known whale of this number, an index into [`Gallery::individuals`].
    Individual(u32),
    /// A whale nobody has named yet (`new_whale` in Kaggle's files).
    New,
}

impl Label {
    /// The label's position in a slice of `individuals + 1` entries.
    pub fn slot(self, individuals: usize) -> usize {
        match self {
            Self::Individual(number) => number as usize,
            Self::New => individuals,
        }
    }

    /// The label at a position in a slice of `individuals + 1` entries. Anything from
    /// `individuals` on is `New`.
    pub fn from_slot(slot: usize, individuals: usize) -> Self {
        match u32::try_from(slot) {
            Ok(number) if slot < individuals => Self::Individual(number),
            _ => Self::New,
        }
    }
}

/// A known whale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Individual {
    /// The name the catalogue gives it, unique within the gallery.
    pub name: String,
}
