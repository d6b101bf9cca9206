//! Short pieces of an edge.

use alloc::vec;
use alloc::vec::Vec;

use super::curve::{EDGE, Edge};

/// Pieces of an edge, evenly spread.
pub(super) const PIECES: usize = 192;
/// The first and the last one's middle.
const MIDDLES: (f32, f32) = (9.0, (EDGE - 1 - 9) as f32);
/// How far a piece reaches to either side.
const REACH: f32 = 18.0;
/// Heights of a piece at each scale.
const HEIGHTS: usize = 12;
/// Scales: heights blurred by one less those blurred by the next.
const BLURS: [f32; SCALES + 1] = [2.0, 4.0, 8.0, 16.0];
const SCALES: usize = 3;
/// Half of all heights of a scale are smaller, times 1.4826, so that scales weigh alike. From data/hwi.
const USUAL: [f32; SCALES] = [0.000_757_54, 0.000_977_07, 0.001_434_63];
/// More than this many times the usual is a fault of the tracing.
const MOST: f32 = 4.0;
/// Numbers of a piece.
pub(super) const PIECE: usize = SCALES * HEIGHTS;

/// A piece, of unit length.
pub(super) type Piece = [f32; PIECE];

/// The pieces of an edge, `[192]`.
pub(super) fn pieces(edge: &Edge) -> Vec<Piece> {
    let scales = scales(&edge.shares());
    let step = (MIDDLES.1 - MIDDLES.0) / (PIECES - 1) as f32;
    (0..PIECES)
        .map(|piece| piece_at(&scales, MIDDLES.0 + step * piece as f32))
        .collect()
}

/// The edge at every scale, `[3][512]`.
fn scales(heights: &[f32]) -> Vec<Vec<f32>> {
    let blurred = BLURS.map(|blur| blurred(heights, blur));
    let apart = |scale: usize| {
        let pairs = blurred[scale].iter().zip(&blurred[scale + 1]);
        pairs
            .map(|(fine, coarse)| ((fine - coarse) / USUAL[scale]).clamp(-MOST, MOST))
            .collect()
    };
    (0..SCALES).map(apart).collect()
}

/// The piece around a place. Its mean stays in it: whether it lies above or below its surroundings tells.
fn piece_at(scales: &[Vec<f32>], middle: f32) -> Piece {
    let mut piece = [0.0; PIECE];
    for (scale, heights) in scales.iter().enumerate() {
        for height in 0..HEIGHTS {
            let at = middle - REACH + 2.0 * REACH * height as f32 / (HEIGHTS - 1) as f32;
            let at = at.clamp(0.0, (EDGE - 1) as f32);
            let before = (at as usize).min(EDGE - 2);
            let share = at - before as f32;
            piece[scale * HEIGHTS + height] =
                heights[before] * (1.0 - share) + heights[before + 1] * share;
        }
    }
    let square: f32 = piece.iter().map(|value| value * value).sum();
    let length = libm::sqrtf(square) + 1e-6;
    piece.map(|value| value / length)
}

/// Convolved with a Gaussian of so many places, the ends replicated.
pub(super) fn blurred(values: &[f32], deviation: f32) -> Vec<f32> {
    let radius = libm::ceilf(4.0 * deviation) as usize;
    let weight = |offset: usize| {
        let far = offset as f32 / deviation;
        libm::expf(-0.5 * far * far)
    };
    let weights: Vec<f32> = (0..=radius).map(weight).collect();
    let sum = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
    let mut blurred = vec![0.0; values.len()];
    for (place, blurred) in blurred.iter_mut().enumerate() {
        let mut value = weights[0] * values[place];
        for (offset, weight) in weights.iter().enumerate().skip(1) {
            let before = values[place.saturating_sub(offset)];
            let after = values[(place + offset).min(values.len() - 1)];
            value += weight * (before + after);
        }
        *blurred = value / sum;
    }
    blurred
}
