//! The metric-learning start of training: backbone and heads learn that two photos of a whale are
//! near each other and those of two whales are not, before any classifier learns (spec, *Training*).
//!
//! - [`TripletRecipe`]: what decides;
//! - [`pairs`]: which photos meet in a batch, two a whale;
//! - [`mining`]: which photo of another whale each is compared with;
//! - [`loss`]: the losses;
//! - `phases`: linear assignment over the batch, then the hardest over all photos; or batch-hard.
//!
//! The embedding is all heads' features one after another, made unit length, as the gallery has it.

pub mod loss;
pub mod mining;
pub mod pairs;
mod phases;
mod recipe;

pub(super) use phases::{embed, start};
pub use recipe::{Mining, TripletRecipe};

use super::read::values;
