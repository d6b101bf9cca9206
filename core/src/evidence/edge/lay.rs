//! The pieces of a query's edge, laid in order along a photo's.
//!
//! A piece is looked for near its own place, and is worth how much nearer it comes there than to all but the nearest photos of the
//! gallery; the more so, the fewer others come near that place. Of all ways to lay the pieces, each shifted little against the one before, the best is found by dynamic
//! programming.

use alloc::vec::Vec;
use core::array;

use super::ground::Ground;
use super::segments::{PIECES, Piece, Scales};
use super::{larger, smaller};

/// How far from its own place a piece is looked for, in pieces.
pub(super) const FAR: usize = 12;
/// Places where a piece is looked for.
const PLACES: usize = 2 * FAR + 1;
/// As many and none of another's, so that they fill vectors of four.
const LAID: usize = PLACES.next_multiple_of(4);
/// How many places a piece may shift against the one before, and what each costs.
const SHIFT: usize = 2;
const SHIFT_COST: f32 = 0.05;
/// The least that a piece is worth: it may be hidden.
const LEAST: f32 = -0.3;
/// The worth of a piece that would lie beyond a tip is that too: a distance that is never near.
const BEYOND: f32 = f32::INFINITY;

/// A piece that is looked for.
pub(super) struct Asked {
    pub(super) number: usize,
    pub(super) piece: Piece,
}

impl Asked {
    pub(super) fn of(edge: &Scales, number: usize) -> Self {
        let piece = edge.piece(number);
        Self { number, piece }
    }
}

/// The distances of a query's pieces to those at each place of a photo's edge, less how rare the places are.
pub(super) struct Distances {
    /// Of every piece.
    pieces: Vec<[f32; LAID]>,
    /// The least of each.
    pub(super) nearest: Vec<f32>,
}

impl Distances {
    pub(super) fn of(query: &[Asked], photo: &Ground) -> Self {
        let scales = photo.scales.scales_of_pieces();
        let of_piece = |asked: &Asked| of_piece(asked, photo, &scales);
        let pieces: Vec<[f32; LAID]> = query.iter().map(of_piece).collect();
        let nearest = |distances: &[f32; LAID]| distances.iter().copied().fold(BEYOND, smaller);
        Self {
            nearest: pieces.iter().map(nearest).collect(),
            pieces,
        }
    }
}

/// The most that the pieces in order are worth on a photo. Of every length that the query's edge is taken at their distances and what is
/// background for each; each half has one length, and that of the right one begins with the piece `notch`.
#[inline(never)]
pub(super) fn best_sum<const LENGTHS: usize>(
    lengths: [(&Distances, &[f32]); LENGTHS],
    notch: usize,
) -> f32 {
    // No piece can begin where no place is, or come there.
    let nowhere: [f32; LAID] = array::from_fn(|place| {
        if place < PLACES {
            0.0
        } else {
            f32::NEG_INFINITY
        }
    });
    let mut best = [nowhere; LENGTHS];
    let pieces = lengths
        .first()
        .map_or(0, |(_, background)| background.len());
    for asked in 0..pieces {
        if asked == notch {
            let any = most_of(&best);
            best.fill(any);
        }
        for (best, (distances, background)) in best.iter_mut().zip(&lengths) {
            if asked > 0 {
                *best = reached(best);
            }
            let (distances, background) = (&distances.pieces[asked], background[asked]);
            for (place, best) in best.iter_mut().enumerate() {
                *best += larger(background - distances[place], LEAST) + nowhere[place];
            }
        }
    }
    let places = most_of(&best).into_iter();
    places.fold(f32::NEG_INFINITY, larger)
}

/// The most of all lengths at each place.
fn most_of(lengths: &[[f32; LAID]]) -> [f32; LAID] {
    let mut most = [f32::NEG_INFINITY; LAID];
    for length in lengths {
        for (most, &value) in most.iter_mut().zip(length) {
            *most = larger(*most, value);
        }
    }
    most
}

/// The distances of a query's piece to those near its place, less how rare those are. Not inlined: a browser makes fast what is
/// called often.
#[inline(never)]
fn of_piece(asked: &Asked, photo: &Ground, scales: &[f32; PIECES]) -> [f32; LAID] {
    let &Asked {
        number: middle,
        ref piece,
    } = asked;
    let (first, last) = (middle.saturating_sub(FAR), (middle + FAR).min(PIECES - 1));
    let mut distances = [BEYOND; LAID];
    let within = &mut distances[first + FAR - middle..=last + FAR - middle];
    for (product, at) in within.iter_mut().zip(first..) {
        *product = photo.scales.product(at, piece);
    }
    piece.distances(within, &scales[first..=last]);
    for (distance, rare) in within.iter_mut().zip(&photo.rare[first..=last]) {
        *distance -= rare;
    }
    distances
}

/// The most that can be had before a piece lies at each place. All places take a shift of one length together,
/// so that it runs in vectors.
fn reached(before: &[f32; LAID]) -> [f32; LAID] {
    let mut padded = [f32::NEG_INFINITY; LAID + 2 * SHIFT];
    padded[SHIFT..SHIFT + LAID].copy_from_slice(before);
    let mut most = *before;
    for shift in 0..=2 * SHIFT {
        let cost = SHIFT_COST * shift.abs_diff(SHIFT) as f32;
        for (place, most) in most.iter_mut().enumerate() {
            *most = larger(*most, padded[place + shift] - cost);
        }
    }
    most
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Numbers, any_edge};
    use super::*;

    /// Pieces that lie at their own places only, so far from what is there.
    fn lying(distances: [f32; 4]) -> Distances {
        let pieces = distances.map(|distance| {
            let mut places = [BEYOND; LAID];
            places[FAR] = distance;
            places
        });
        Distances {
            nearest: distances.to_vec(),
            pieces: pieces.to_vec(),
        }
    }

    #[test]
    fn where_few_come_near_a_piece_counts_more() {
        let mut numbers = Numbers(17);
        let mut ground = Ground::plain(&any_edge(&mut numbers));
        let asked = [Asked::of(&ground.scales, 80)];
        let distances = |ground: &Ground| Distances::of(&asked, ground).pieces[0];
        let plain = distances(&ground);
        ground.rare[80] = 0.1;
        ground.rare[78] = -0.2;
        let rare = distances(&ground);
        let apart: Vec<f32> = rare
            .iter()
            .zip(plain)
            .map(|(rare, plain)| rare - plain)
            .collect();
        assert!((apart[FAR] + 0.1).abs() < 1e-6 && (apart[FAR - 2] - 0.2).abs() < 1e-6);
        assert_eq!(apart[FAR + 1], 0.0);
    }

    #[test]
    fn each_half_has_the_length_that_suits_it() {
        let background = [0.5; 4];
        let (left, right) = (lying([0.0, 0.0, 1.0, 1.0]), lying([1.0, 1.0, 0.0, 0.0]));
        let alone = |one| best_sum([(one, &background)], 2);
        let both = |notch| best_sum([&left, &right].map(|one| (one, &background[..])), notch);
        let is = |sum: f32, expected: f32| assert!((sum - expected).abs() < 1e-6, "{sum}");
        // Two pieces half a unit nearer than the background, two hidden.
        is(alone(&left), 0.4);
        is(alone(&right), 0.4);
        is(both(2), 2.0);
        // Length changes at the notch alone: one piece hidden.
        is(both(3), 1.2);
        is(both(4), 0.4);
    }

    #[test]
    fn a_piece_shifts_little_against_the_one_before() {
        let mut shifted = lying([0.0; 4]);
        // The last two lie three places further on, and a step is of two at most: the second piece goes one on, where it is hidden.
        for piece in &mut shifted.pieces[2..] {
            piece.swap(FAR, FAR + 3);
        }
        let sum = best_sum([(&shifted, &[0.5; 4])], 2);
        // Three pieces half a unit nearer than the background, one hidden, three places of 0.05 each.
        assert!((sum - (1.5 - 0.3 - 0.15)).abs() < 1e-6, "{sum}");
    }
}
