//! Photos: from bytes to the values that the model reads.
//!
//! In: the bytes of a JPEG, PNG or WebP. Out: `[3, height, width]` normalised values of the fluke.
//! On the way: an upright [`Photo`] (RGB, 8 bits), the fluke's [`Region`] in its pixels, and the
//! [`Gray`] crop of it.

#[cfg(feature = "decode")]
mod decode;
mod prepare;
mod region;

pub use prepare::{Gray, Preprocessing};
pub use region::Region;

use alloc::vec::Vec;

/// An upright photo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    /// Width in pixels, at least 1.
    pub width: u32,
    /// Height in pixels, at least 1.
    pub height: u32,
    /// Red, green, blue, 8 bits each, row by row: `3 * width * height` values.
    pub pixels: Vec<u8>,
}
