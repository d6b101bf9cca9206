//! Flukeprint's library for researchers' machines: everything that the command line does.
//!
//! [`synth`] draws a catalogue, [`data`] reads one, [`train`] makes a run of it, [`tune`] and
//! [`evaluate`] choose and measure its decision, [`ensemble`] lets several answer together,
//! [`evidence`] shows why two photos are of one whale,
//! [`export`] packs, [`grow`] changes what is packed, [`mod@identify`] answers from a disk, [`import`] reads
//! weights that others trained; [`device`] and [`mod@bench`] know what
//! computes and how fast. What a photo means stands in [`flukeprint_core`], not here.

pub mod bench;
pub mod cli;
pub mod data;
pub mod device;
pub mod ensemble;
pub mod error;
pub mod evaluate;
pub mod evidence;
pub mod export;
pub mod grow;
pub mod identify;
pub mod import;
pub mod ladder;
pub mod progress;
pub mod synth;
pub mod train;
pub mod tune;

pub use error::{Error, Result};
