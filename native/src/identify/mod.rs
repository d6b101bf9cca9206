//! Photos from a disk to answers: in a list, a table or Kaggle's file.
//!
//! - [`find_photos`]: files and folders to photos, each once, in an order that does not depend on the disk;
//! - [`Names`]: which photo a table means;
//! - [`answer_photo`], [`answer_encounters`]: a row for each, with candidates or the reason why there are
//!   none; [`Beside`] says by what else than the networks, [`Search`] has what all photos vote by;
//! - [`sheet`]: the rows as a table for a spreadsheet;
//! - [`submission`]: Kaggle's file.
//!
//! Nothing is decided here: that is [`flukeprint_core::identify::Identifier`]'s.

mod answers;
mod encounters;
mod names;
mod photos;
mod search;
pub mod sheet;
pub mod submission;
#[cfg(test)]
mod tests;
mod verified;

pub use answers::{Beside, Named, PhotoAnswer, TimedStage, answer_photo, named};
pub use encounters::{Encounter, EncounterAnswer, Encounters, answer_encounters};
pub use names::Names;
pub use photos::{Found, PhotoFile, find_photos, is_photo};
pub use search::{Search, SearchedPhotos};
pub use verified::{Evidence, NotCompared};
