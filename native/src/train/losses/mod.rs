//! What training makes small, each a mean over the batch, `[1]`.
//!
//! - [`classification`]: losses of logits;
//! - [`margin`]: logits that are harder for the true class;
//! - [`feature`]: losses of features;
//! - [`boxes`]: the fluke finder's.
//!
//! A new one is a function here and a line in [`super::ClassifierKind`] or [`super::LossKind`].

pub mod boxes;
pub mod classification;
pub mod feature;
pub mod margin;

pub use classification::Targets;
