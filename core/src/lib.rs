//! Flukeprint's shared core: everything between the bytes of a photo and a ranked answer.
//!
//! The path can be read in order, one room a stage:
//!
//! 1. [`photo`]: bytes to upright pixels, the fluke's [`photo::Region`], the input tensor's values;
//! 2. [`model`]: input to embedding and logits, and the finder that proposes the region;
//! 3. [`gallery`]: the nearest photo of every individual;
//! 4. [`decision`]: similarities and logits to a ranked, calibrated answer;
//! 5. [`identify`]: the four stages in order, for one photo and one loaded bundle;
//! 6. [`bundle`]: the folder of static files that carries all of the above;
//! 7. [`evidence`]: local features that show why two photos are of one whale;
//! 8. [`metrics`]: how good a list of answers is.
//!
//! The crate is `no_std` + `alloc`. It opens no file, reads no clock and draws no random number.
//! Decoding JPEG, PNG and WebP needs the feature `decode` (which needs `std`).
#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

pub mod bundle;
pub mod decision;
mod embedding;
pub mod error;
pub mod evidence;
pub mod gallery;
pub mod identify;
mod members;
pub mod metrics;
pub mod model;
pub mod photo;

pub use error::{Error, Result};
