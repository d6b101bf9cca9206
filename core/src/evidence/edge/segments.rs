//! Short pieces of an edge.

use alloc::vec;
use alloc::vec::Vec;

use super::curve::{Edge, HEIGHTS, KEPT_BLUR};
use super::{larger, smaller};

/// Pieces of an edge, evenly spread.
pub(super) const PIECES: usize = 192;
/// The first and the last one's middle.
const MIDDLES: (f32, f32) = (9.0, (HEIGHTS - 1 - 9) as f32);
/// Points of a piece at each scale.
const POINTS: usize = 12;
/// Samples from one point of a piece to the next, and from a piece to the next one's. A piece reaches 17.7
/// places to either side.
const POINT_STEP: usize = 5;
const PIECE_STEP: usize = 4;
/// Places of an edge from one sample to the next.
const SAMPLE: f32 = (MIDDLES.1 - MIDDLES.0) / (PIECE_STEP * (PIECES - 1)) as f32;
/// Samples of one phase, those a point's step apart: what a piece is made of stands side by side.
const PHASE: usize = (PIECE_STEP * (PIECES - 1)).div_ceil(POINT_STEP) + POINTS;
/// Numbers of a piece.
pub(super) const FORM: usize = SCALES * POINTS;
/// Numbers that are multiplied together: a piece's points at one scale, and zeros.
const LANES: usize = 16;
/// Scales: heights blurred by one less those blurred by the next.
const BLURS: [f32; SCALES + 1] = [2.0, 4.0, 8.0, 16.0];
const SCALES: usize = 3;
/// Half of all heights of a scale are smaller, times 1.4826, so that scales weigh alike. From data/hwi.
const USUAL: [f32; SCALES] = [0.000_757_54, 0.000_977_07, 0.001_434_63];
/// More than this many times the usual is a fault of the tracing.
const MOST: f32 = 4.0;
/// Kept steps of what is usual: as many as leave the products of all scales together within 16 bits.
const STEPS: f32 = 104.0 / MOST;

/// A piece that is looked for. Its mean stays in it: whether it lies above or below its surroundings tells.
pub(super) struct Piece {
    values: [[i16; LANES]; SCALES],
    /// One over its length, so that it counts as one of unit length.
    scale: f32,
}

/// An edge at every scale, in steps of 4/104 of what is usual: small enough to hold those of a whole gallery.
#[derive(Clone, Debug)]
pub(super) struct Scales([[[i8; PHASE + LANES - POINTS]; SCALES]; POINT_STEP]);

impl Scales {
    pub(super) fn of(edge: &Edge) -> Self {
        Self::stretched(edge, 1.0)
    }

    /// Of an edge whose halves are so many times as long.
    pub(super) fn stretched(edge: &Edge, stretch: f32) -> Self {
        let heights = edge.heights(stretch);
        // A kept edge is blurred a little already.
        let more = |blur: f32| libm::sqrtf(blur * blur - KEPT_BLUR * KEPT_BLUR);
        let blurred = BLURS.map(|blur| blurred(&heights, more(blur)));
        let before_middle = (POINT_STEP * (POINTS - 1)) as f32 / 2.0;
        let mut phases = [[[0; PHASE + LANES - POINTS]; SCALES]; POINT_STEP];
        for (phase, scales) in phases.iter_mut().enumerate() {
            for (scale, line) in scales.iter_mut().enumerate() {
                let apart = |place: usize| blurred[scale][place] - blurred[scale + 1][place];
                for (number, value) in line[..PHASE].iter_mut().enumerate() {
                    let sample = (number * POINT_STEP + phase) as f32;
                    let apart = sampled(apart, MIDDLES.0 + SAMPLE * (sample - before_middle));
                    let kept = larger(smaller(apart / USUAL[scale], MOST), -MOST) * STEPS;
                    *value = rounded(kept);
                }
            }
        }
        Self(phases)
    }

    /// The piece of that number, below [`PIECES`].
    pub(super) fn piece(&self, number: usize) -> Piece {
        let values = self.values(number);
        let squares = values
            .as_flattened()
            .iter()
            .map(|&it| i32::from(it) * i32::from(it));
        Piece {
            scale: one_over_length(squares.sum()),
            values,
        }
    }

    fn values(&self, number: usize) -> [[i16; LANES]; SCALES] {
        let (phase, first) = (
            number * PIECE_STEP % POINT_STEP,
            number * PIECE_STEP / POINT_STEP,
        );
        core::array::from_fn(|scale| {
            let line = &self.0[phase][scale][first..first + POINTS];
            core::array::from_fn(|point| line.get(point).map_or(0, |&value| i16::from(value)))
        })
    }

    /// What the piece of that number is made of, a scale after another, as many times as is usual.
    pub(super) fn form(&self, number: usize) -> [f32; FORM] {
        let values = self.values(number);
        let at = |place: usize| values[place / POINTS][place % POINTS];
        core::array::from_fn(|place| f32::from(at(place)) / STEPS)
    }

    /// One over every piece's length, `[192]`.
    pub(super) fn scales_of_pieces(&self) -> [f32; PIECES] {
        let mut squares = [0; PIECES];
        for (phase, scales) in self.0.iter().enumerate() {
            let mut at_place = [0_i16; PHASE];
            for line in scales {
                for (sum, &value) in at_place.iter_mut().zip(line) {
                    *sum += i16::from(value) * i16::from(value);
                }
            }
            let mut from_place = [0_i32; PHASE - POINTS + 1];
            for point in 0..POINTS {
                for (sum, &square) in from_place.iter_mut().zip(&at_place[point..]) {
                    *sum += i32::from(square);
                }
            }
            // Every fifth piece is of one phase.
            let first = (0..POINT_STEP).find(|piece| piece * PIECE_STEP % POINT_STEP == phase);
            for piece in (first.unwrap_or(0)..PIECES).step_by(POINT_STEP) {
                squares[piece] = from_place[piece * PIECE_STEP / POINT_STEP];
            }
        }
        squares.map(one_over_length)
    }

    /// The product of the piece of that number with one that is looked for, as both are kept. In two halves, each as many numbers as
    /// a vector has, and not inlined: elsewhere the compiler would gather these bytes one by one.
    #[inline(never)]
    pub(super) fn product(&self, number: usize, piece: &Piece) -> f32 {
        let (phase, first) = (
            number * PIECE_STEP % POINT_STEP,
            number * PIECE_STEP / POINT_STEP,
        );
        let mut product = 0;
        for half in [0, LANES / 2] {
            let mut sums = [0_i16; LANES / 2];
            for (line, values) in self.0[phase].iter().zip(&piece.values) {
                let line = &line[first + half..][..LANES / 2];
                for ((sum, &here), &value) in sums.iter_mut().zip(line).zip(&values[half..]) {
                    *sum += i16::from(here) * value;
                }
            }
            product += sums.iter().map(|&sum| i32::from(sum)).sum::<i32>();
        }
        product as f32
    }
}

impl Piece {
    /// The distances to pieces of a photo, all as of unit length, 0 to 2: of each the product with this one and one
    /// over its length.
    #[inline]
    pub(super) fn distances(&self, products: &mut [f32], scales: &[f32]) {
        for (value, scale) in products.iter_mut().zip(scales) {
            let square = larger(2.0 - 2.0 * *value * scale * self.scale, 0.0);
            *value = square * inverse_root(square);
        }
    }
}

/// One over the length of what has this sum of squares; of nothing at all as of one step.
fn one_over_length(squares: i32) -> f32 {
    inverse_root((squares as f32).max(1.0))
}

/// To the nearest whole number, halves away from zero: WASM has no instruction that does it so.
fn rounded(value: f32) -> i8 {
    let whole = value as i8;
    let rest = value - f32::from(whole);
    whole + i8::from(rest >= 0.5) - i8::from(rest <= -0.5)
}

/// The value at a part of a place, those at the ends beyond them.
fn sampled(value: impl Fn(usize) -> f32, at: f32) -> f32 {
    let at = at.clamp(0.0, (HEIGHTS - 1) as f32);
    let before = (at as usize).min(HEIGHTS - 2);
    let share = at - before as f32;
    value(before) * (1.0 - share) + value(before + 1) * share
}

/// One over the square root, to a few millionths, and finite for 0. `libm` has no instruction for roots in WASM, and
/// these are six million a query.
#[inline]
fn inverse_root(value: f32) -> f32 {
    let mut root = f32::from_bits(0x5F37_5A86 - (value.to_bits() >> 1));
    for _ in 0..3 {
        root *= 1.5 - 0.5 * value * root * root;
    }
    root
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
