//! The trailing edge: the line from tip to tip over the notch, whose nicks and scallops tell whales apart as
//! well as their marks do, and on flukes without marks alone (Weideman et al., *Integral Curvature
//! Representation and Matching Algorithms for Identification of Dolphins and Whales*, 2017).
//!
//! In: a photo and the fluke's box. Out, in this order:
//!
//! 1. `field`: how much each pixel looks like an edge with the dark below, in a picture whose box is 640
//!    pixels wide;
//! 2. [`guide`]: where the edge is likely, by what a fluke looks like;
//! 3. `trace`: the one line through all columns that most speaks for, and of it the heights;
//! 4. `curve`: [`Edge`], the heights of both halves, from tip to notch and from notch to tip, in 192 bytes;
//! 5. `segments`: short pieces of it at three scales, each as 36 numbers of unit length;
//! 6. `fit`: how well a query's pieces, in order, lie on those of every photo of a gallery.

mod curve;
mod field;
mod fit;
pub mod guide;
mod segments;
mod sight;
#[cfg(test)]
mod tests;
mod trace;

pub use curve::{EDGE, Edge};
pub use fit::{Edges, FEWEST};
pub use sight::{SEEN, Sight};
