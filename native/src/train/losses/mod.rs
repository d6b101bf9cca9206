//! What training makes small, each a mean over the batch, `[1]`.
//!
//! - [`classification`]: losses of logits;
//! - [`margin`]: logits that are harder for the true class;
//! - [`feature`]: losses of features;
//! - [`boxes`]: that of the fluke finder;
//! - [`descriptor`]: that of HardNet.
//!
//! A new one is a function here and a line in [`super::ClassifierKind`] or [`super::LossKind`].

pub mod boxes;
pub mod classification;
pub mod descriptor;
pub mod feature;
pub mod margin;
#[cfg(test)]
mod tests;

pub use classification::Targets;
