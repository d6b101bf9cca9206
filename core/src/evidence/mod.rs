//! Evidence: what shows that two photos are of one whale.
//!
//! In: the gray pixels of a fluke. Out, in this order:
//!
//! 1. keypoints: places that are found again in another photo, each with a [`Frame`], the piece of
//!    skin around it;
//! 2. descriptors: what that piece looks like, 128 numbers of 8 bits;
//! 3. matches between the descriptors of two photos, or of a photo and a whole catalogue;
//! 4. geometry: which of the matches agree on one way that the two flukes lie to each other.
//!
//! And beside them the trailing edge ([`edge`]), which needs no marks and is compared with all photos of a gallery.
//!
//! All positions are pixels of the image that the keypoints were found in, `x` to the right, `y`
//! down, the centre of the upper left pixel at (0, 0).

mod chip;
mod detect;
mod distances;
pub mod edge;
mod features;
pub mod file;
pub mod geometry;
mod hardnet;
mod hardtfeat;
mod image;
pub mod matching;
mod orientation;
mod patch;
mod place;
pub mod probability;
mod pyramid;
mod rootsift;
mod shape;
#[cfg(all(test, feature = "std"))]
mod tests;
mod trunk;
pub mod verify;
pub mod vote;

use alloc::vec::Vec;

pub use chip::Chip;
pub use edge::Edge;
pub use features::{DescriptorKind, Networks, Options, features};
pub use hardnet::HardNet;
pub use hardtfeat::HardTFeat;
pub use image::GrayImage;
pub use orientation::OriNet;
pub use patch::{PATCH, Patches};
pub use shape::AffNet;

/// Numbers in a descriptor.
pub const DESCRIPTOR: usize = 128;

/// A descriptor's code of the number 1: a unit vector's entries are kept as round(256 · entry), at most
/// ±127. An entry past ±0.496 is cut off there; in a descriptor of 128 entries there are hardly any.
pub const CODE_OF_ONE: f32 = 256.0;

/// A piece of skin: the pixels A · (u, v) + c for u and v from -1 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Frame {
    /// c, `[x, y]` in pixels.
    pub center: [f32; 2],
    /// A, `[a11, a12, a21, a22]` in pixels.
    pub shape: [f32; 4],
}

/// A place that is found again in another photo.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Keypoint {
    /// Where it is and how far it reaches.
    pub frame: Frame,
    /// How strongly the detector answers there; only the order means something.
    pub response: f32,
}

/// The keypoints of one photo's fluke with their descriptors, strongest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Features {
    /// Width and height, in pixels, of the image that the positions count in.
    pub size: [u32; 2],
    /// The keypoints.
    pub keypoints: Vec<Keypoint>,
    /// Their descriptors, `[keypoints, 128]`: unit vectors in steps of 1 / [`CODE_OF_ONE`].
    pub descriptors: Vec<i8>,
}
