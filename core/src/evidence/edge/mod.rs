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
//! 6. `query`: a query's edges, for it is traced in two boxes;
//! 7. [`background`]: how near strangers come to a piece, by its form;
//! 8. `fit`: how well a query's pieces, laid in order (`lay`), lie on the edge of every photo of a gallery (`ground`), each half
//!    shorter and longer too;
//! 9. `back`: how well the pieces of the photos that fit best lie on the query's edges.

mod back;
pub mod background;
mod curve;
mod field;
mod fit;
mod ground;
pub mod guide;
mod lay;
mod query;
mod segments;
mod sight;
mod strangers;
#[cfg(test)]
mod tests;
mod trace;

pub use curve::{EDGE, Edge};
pub use fit::{Edges, FEWEST};
pub use sight::{SEEN, Sight};
pub use strangers::Strangers;

/// The larger of two numbers, none of them NaN. `f32::max` heeds NaN, which WASM has no instruction for: there it is a
/// call, and keeps a loop from running in vectors.
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// The smaller one, likewise.
fn smaller(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// The square root. `libm` computes it bit by bit in WASM, which has an instruction that the standard library uses; both round to
/// the nearest, so they are equal.
fn root(value: f32) -> f32 {
    #[cfg(feature = "std")]
    {
        value.sqrt()
    }
    #[cfg(not(feature = "std"))]
    {
        libm::sqrtf(value)
    }
}
