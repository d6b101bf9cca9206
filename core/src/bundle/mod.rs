//! The bundle: a folder of static files that holds all that naming a whale needs.
//!
//! - `bundle.json`: the [`Manifest`], read whole and checked before anything else;
//! - `weights.HASH.safetensors`: the networks, 8-bit with one scale an output channel, see
//!   [`weights`];
//! - `index.HASH.safetensors`: one embedding a gallery photo, 8-bit with one scale a row;
//! - `individuals.HASH.json`: the names, and what is known of every gallery photo;
//! - `journal.HASH.json`: what was done to the bundle since, and how to take it back, see
//!   [`GrowingBundle`]; nobody needs it to name a whale, and most bundles have none;
//! - `thumbnails/HASH.jpg`: one a gallery photo, if the bundle has them, listed with size and hash
//!   in the individuals' file and fetched on demand;
//! - `keypoints/HASH.keypoints`: likewise, the local features of one gallery photo, by which a match is
//!   verified; [`EdgeFacts, EvidenceFacts`] in the manifest says how.
//!
//! Several networks can answer together: [`ModelFacts::ensemble`] lists those after the first, and
//! their tensors stand in the same weights file, see [`join_members`].
//!
//! File names carry the first 16 digits of their SHA-256, so that a cache never lies. Nothing is
//! half loaded: [`Loader`] checks size and hash of every file before anything is built.

mod evidence;
mod growth;
mod hash;
mod load;
mod manifest;
mod members;
pub mod weights;
mod write;

pub use evidence::{EdgeFacts, EvidenceFacts, KEYPOINTS, SearchFacts};
pub use growth::{Did, Enrolled, Entry, GrowingBundle, GrowthError, NewPhoto};
pub use hash::sha256_hex;
pub use load::{Bundle, Loader};
pub use manifest::{
    CatalogueFacts, ENSEMBLE_FORMAT, FORMAT, FileEntry, Files, GalleryPhoto, Individuals,
    MERGED_FORMAT, Manifest, MergedColumn, ModelFacts, SelfCheck,
};
pub use members::{EnsembleFacts, Member, MemberFacts, join_members, split_members};
pub use write::{Contents, StaticFile, assemble, join_finder, split_finder};
