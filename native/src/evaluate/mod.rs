//! Evaluation: what a run is worth on photos that nothing was chosen on.
//!
//! - [`Embeddings`]: what the network, as it ships, says of every photo of the catalogue;
//! - [`scores`]: each part of the decision, alone and together;
//! - [`intervals`]: how much of a score is chance;
//! - [`Confidence`]: whether the probabilities can be believed;
//! - [`reid`]: photos found again among others, whose whales nothing was learnt of;
//! - [`Breakdown`], [`Mistake`]: where it is right, and where it is not;
//! - [`enrolling`]: whales enrolled from one photo, and what they cost the others;
//! - [`evidence`]: what local features add, alone and fused;
//! - [`Headline`]: the figures that are looked for first;
//! - [`encounters`]: what several photos of one animal are worth together;
//! - [`evaluate_bundle`]: a bundle against labelled photos from elsewhere;
//! - [`html`]: all of it as one page;
//! - [`raw_pixel_rows`]: the baseline that a net must leave behind.

mod answered;
mod breakdown;
mod confidence;
mod crossed;
pub(crate) mod embeddings;
pub mod encounters;
pub mod enrolling;
pub mod evidence;
mod headline;
pub mod html;
pub mod intervals;
mod labelled;
mod mistakes;
mod raw_pixels;
pub mod reid;
mod report;
pub mod scores;
mod stages;
mod tuned;

pub use breakdown::{Breakdown, GroupIntervals, PhotoGroup, PhotoTable, TopK};
pub use confidence::Confidence;
pub use crossed::{CrossedReport, evaluate_crossed};
pub use embeddings::{Embeddings, embed_catalogue};
pub use headline::Headline;
pub use labelled::{BundleQuestion, BundleReport, evaluate_bundle};
pub use mistakes::{MISTAKES, Mistake, Shown};
pub use raw_pixels::raw_pixel_rows;
pub(crate) use report::{HeldOut, queries};
pub use report::{Report, evaluate, held_out, tune_run};
pub use stages::StageSeconds;
pub use tuned::TunedOn;
pub(crate) use tuned::{OPERATING, read_decision, read_operating};
