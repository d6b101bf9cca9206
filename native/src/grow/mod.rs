//! Bundles that grow without training: photos come in and go, and everything can be taken back.
//!
//! What a change is stands in [`flukeprint_core::bundle::GrowingBundle`]; here are the folder, which holds
//! a whole bundle at all times, and the photos.

mod enroll;
mod folder;

pub use enroll::{Enrolment, Given, enroll};
pub use folder::BundleFolder;
