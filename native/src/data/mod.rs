//! Data: from a folder of photos and its tables to batches for training.
//!
//! In: a folder in Kaggle's layout, or any table of labels beside a folder of photos. Out, in order:
//!
//! 1. [`Catalogue`]: individuals and photos, every row and every photo checked;
//! 2. [`Split`]: which photos train, which tune, which are reported on, by a seed;
//! 3. [`Augmentation`]: what a training photo goes through, drawn anew each epoch;
//! 4. [`Batches`]: samples made by several threads, in an order that the seed alone decides, with
//!    [`CropCache`] keeping crops up to a budget.
//!
//! Bad input is one [`crate::Error`] of one line; nothing is half read.

mod augment;
mod boxes;
mod cache;
mod catalogue;
mod change;
mod check;
mod erasing;
mod homography;
mod light;
mod loader;
mod problem;
mod split;
mod table;
mod write;

#[cfg(test)]
mod bad_input_tests;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod loader_tests;
#[cfg(test)]
mod split_tests;

pub use augment::Augmentation;
pub use boxes::Boxes;
pub use cache::CropCache;
pub use catalogue::{Catalogue, PhotoEntry, Reading, Source};
pub use change::Change;
pub use check::{PhotoProblem, Size, check_photo, check_photos};
pub use erasing::Erased;
pub use flukeprint_core::gallery::NEW_WHALE;
pub use light::Light;
pub(crate) use loader::order_rng;
pub use loader::{Batch, Batches, Loading, epoch_order, photo_rng};
pub use problem::{BadRow, RowProblem};
pub use split::Split;
pub(crate) use table::read_columns;
pub(crate) use write::remove_temporary_files;
pub use write::write_atomically;
