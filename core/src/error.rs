//! The one error of this crate.

use alloc::string::String;

/// What can go wrong between the bytes of a photo or a bundle and a ranked answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are not a photo that can be read.
    #[error("this is not a photo that can be read ({reason}); JPEG, PNG and WebP can")]
    Photo {
        /// What the decoder said.
        reason: String,
    },
    /// The photo ends before its picture does.
    #[error("the photo is cut short: its end is missing; copy it again from the camera")]
    PhotoTruncated,
    /// The region lies outside the photo or is empty.
    #[error(
        "the fluke's box ({x0}, {y0}) to ({x1}, {y1}) does not lie in the photo of {width} x {height} pixels"
    )]
    Region {
        /// Left edge, pixels.
        x0: f32,
        /// Top edge, pixels.
        y0: f32,
        /// Right edge, pixels.
        x1: f32,
        /// Bottom edge, pixels.
        y1: f32,
        /// Width of the photo, pixels.
        width: u32,
        /// Height of the photo, pixels.
        height: u32,
    },
    /// A number of the preprocessing is outside its range.
    #[error("preprocessing parameter {name} is {value}, it must be {range}")]
    Preprocessing {
        /// The parameter's name in the manifest.
        name: &'static str,
        /// Its value.
        value: f32,
        /// The range in words.
        range: &'static str,
    },
    /// A model cannot be built as asked.
    #[error("the model cannot be built: {reason}")]
    Model {
        /// Which value does not fit.
        reason: String,
    },
    /// A stored tensor is missing, unknown or of another shape.
    #[error("{file}: tensor `{name}`: {reason}")]
    Tensor {
        /// The file that holds it.
        file: String,
        /// The tensor's name.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A file of the bundle is not what the bundle says it is.
    #[error("{file}: {reason}")]
    Bundle {
        /// The file.
        file: String,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// A photo's file of keypoints cannot be read.
    #[error("{file}: {reason}")]
    Evidence {
        /// The file.
        file: String,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// The device failed to compute.
    #[error("the {device} could not compute the embedding: {reason}")]
    Device {
        /// The device's name.
        device: String,
        /// What it said.
        reason: String,
    },
    /// The curve from a score to a probability refuses.
    #[error(transparent)]
    Curve(#[from] crate::evidence::probability::CurveError),
    /// Local features cannot be computed as asked.
    #[error("the local features cannot be computed: {reason}")]
    Features {
        /// Which value does not fit.
        reason: String,
    },
    /// The gallery refuses.
    #[error(transparent)]
    Gallery(#[from] crate::gallery::GalleryError),
    /// The decision refuses.
    #[error(transparent)]
    Decision(#[from] crate::decision::DecisionError),
}

/// The result of this crate.
pub type Result<T> = core::result::Result<T, Error>;
