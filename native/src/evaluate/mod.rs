//! Evaluation: what a run is worth on photos that nothing was chosen on.
//!
//! - [`Embeddings`]: what the network, as it ships, says of every photo of the catalogue;
//! - [`scores`]: each part of the decision, alone and together;
//! - [`intervals`]: how much of a score is chance;
//! - [`Confidence`]: whether the probabilities can be believed;
//! - [`reid`]: photos found again among others, whose whales nothing was learnt of;
//! - [`Headline`]: the figures that are looked for first;
//! - [`encounters`]: what several photos of one animal are worth together;
//! - [`evaluate_bundle`]: a bundle against labelled photos from elsewhere;
//! - [`raw_pixel_rows`]: the baseline that a net must leave behind.

mod confidence;
pub(crate) mod embeddings;
pub mod encounters;
mod headline;
pub mod intervals;
mod labelled;
mod raw_pixels;
pub mod reid;
mod report;
pub mod scores;

pub use confidence::Confidence;
pub use embeddings::{Embeddings, embed_catalogue};
pub use headline::Headline;
pub use labelled::{BundleReport, evaluate_bundle};
pub use raw_pixels::raw_pixel_rows;
pub(crate) use report::{Half, queries, read_decision};
pub use report::{Report, evaluate, held_out, tune_run};
