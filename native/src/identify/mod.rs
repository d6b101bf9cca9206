//! Photos from a disk to answers: in a list, a table or Kaggle's file.
//!
//! - [`find_photos`]: files and folders to photos, each once, in an order that does not depend on the disk;
//! - [`Names`]: which photo a table means;
//! - [`answer_photo`], [`answer_verified`], [`answer_encounters`]: a row for each, with candidates or the reason why there are
//!   none;
//! - [`sheet`]: the rows as a table for a spreadsheet;
//! - [`submission`]: Kaggle's file.
//!
//! Nothing is decided here: that is [`flukeprint_core::identify::Identifier`]'s.

mod answers;
mod encounters;
mod names;
mod photos;
pub mod sheet;
pub mod submission;
#[cfg(test)]
mod tests;
mod verified;

pub use answers::{Named, PhotoAnswer, TimedStage, answer_photo, answer_verified, named};
pub use encounters::{Encounter, EncounterAnswer, Encounters, answer_encounters};
pub use names::Names;
pub use photos::{Found, PhotoFile, find_photos, is_photo};
pub use verified::{Evidence, NotCompared};
