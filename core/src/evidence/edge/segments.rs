//! Short pieces of an edge.

use alloc::vec;
use alloc::vec::Vec;

use super::curve::{Edge, HEIGHTS, KEPT_BLUR};

/// Pieces of an edge, evenly spread.
pub(super) const PIECES: usize = 192;
/// The first and the last one's middle.
const MIDDLES: (f32, f32) = (9.0, (HEIGHTS - 1 - 9) as f32);
/// How far a piece reaches to either side.
const REACH: f32 = 18.0;
/// Points of a piece at each scale.
const POINTS: usize = 12;
/// Scales: heights blurred by one less those blurred by the next.
const BLURS: [f32; SCALES + 1] = [2.0, 4.0, 8.0, 16.0];
const SCALES: usize = 3;
/// Half of all heights of a scale are smaller, times 1.4826, so that scales weigh alike. From data/hwi.
const USUAL: [f32; SCALES] = [0.000_757_54, 0.000_977_07, 0.001_434_63];
/// More than this many times the usual is a fault of the tracing.
const MOST: f32 = 4.0;
/// Kept steps of what is usual.
const STEPS: f32 = 127.0 / MOST;
/// Numbers of a piece.
pub(super) const PIECE: usize = SCALES * POINTS;

/// A piece, of unit length.
pub(super) type Piece = [f32; PIECE];

/// An edge at every scale, in steps of 4/127 of what is usual: small enough to hold those of a whole gallery.
#[derive(Clone, Debug)]
pub(super) struct Scales([[i8; HEIGHTS]; SCALES]);

impl Scales {
    pub(super) fn of(edge: &Edge) -> Self {
        let heights = edge.heights();
        // A kept edge is blurred a little already.
        let more = |blur: f32| libm::sqrtf(blur * blur - KEPT_BLUR * KEPT_BLUR);
        let blurred = BLURS.map(|blur| blurred(&heights, more(blur)));
        Self(core::array::from_fn(|scale| {
            let (fine, coarse) = (&blurred[scale], &blurred[scale + 1]);
            core::array::from_fn(|place| {
                let apart = (fine[place] - coarse[place]) / USUAL[scale];
                libm::roundf(apart.clamp(-MOST, MOST) * STEPS) as i8
            })
        }))
    }

    /// The pieces, `[192]`.
    pub(super) fn pieces(&self) -> Vec<Piece> {
        let step = (MIDDLES.1 - MIDDLES.0) / (PIECES - 1) as f32;
        (0..PIECES)
            .map(|piece| piece_at(&self.0, MIDDLES.0 + step * piece as f32))
            .collect()
    }
}

/// The piece around a place. Its mean stays in it: whether it lies above or below its surroundings tells.
fn piece_at(scales: &[[i8; HEIGHTS]; SCALES], middle: f32) -> Piece {
    let mut piece = [0.0; PIECE];
    for point in 0..POINTS {
        let at = middle - REACH + 2.0 * REACH * point as f32 / (POINTS - 1) as f32;
        let at = at.clamp(0.0, (HEIGHTS - 1) as f32);
        let before = (at as usize).min(HEIGHTS - 2);
        let share = at - before as f32;
        for (scale, heights) in scales.iter().enumerate() {
            let [a, b] = [before, before + 1].map(|place| f32::from(heights[place]));
            piece[scale * POINTS + point] = a * (1.0 - share) + b * share;
        }
    }
    let square: f32 = piece.iter().map(|value| value * value).sum();
    let length = libm::sqrtf(square).max(1.0);
    piece.map(|value| value / length)
}

/// Convolved with a Gaussian of so many places, above 0, the ends replicated.
pub(super) fn blurred(values: &[f32], deviation: f32) -> Vec<f32> {
    let radius = libm::ceilf(4.0 * deviation) as usize;
    let weight = |offset: usize| {
        let far = offset as f32 / deviation;
        libm::expf(-0.5 * far * far)
    };
    let weights: Vec<f32> = (0..=radius).map(weight).collect();
    let sum = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
    let (first, last) = (values[0], values[values.len() - 1]);
    let mut padded = vec![first; radius];
    padded.extend_from_slice(values);
    padded.resize(values.len() + 2 * radius, last);
    let mut blurred = vec![0.0; values.len()];
    // All places by one weight together, so that it runs in vectors.
    for (offset, weight) in weights.iter().enumerate() {
        let share = weight / if offset == 0 { 2.0 * sum } else { sum };
        let before = &padded[radius - offset..];
        let after = &padded[radius + offset..];
        for ((blurred, before), after) in blurred.iter_mut().zip(before).zip(after) {
            *blurred += share * (before + after);
        }
    }
    blurred
}
