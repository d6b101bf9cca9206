//! How well a query's edge lies on those of a gallery.
//!
//! A piece of the query is looked for near its own place on the edge of each photo, and is worth how much nearer it
//! comes there than to all but the best 50 of the gallery (McCann and Lowe, *Local Naive Bayes Nearest
//! Neighbor*, 2012). Pieces follow each other: of all ways to lay them along a photo's edge, each shifted little
//! against the one before, the best is found by dynamic programming. That sum is measured in standard
//! deviations from the mean of all photos. Of a query with several edges each has its share of the pieces, in turn, and the
//! photo's fit is the mean: it takes no longer than one edge does.

use alloc::vec;
use alloc::vec::Vec;
use core::array;

use super::curve::Edge;
use super::segments::{PIECES, Piece, Scales};
use super::{larger, smaller};

/// Every so manyeth piece of a query is looked for: one from its first edge, one from its second, and so on in turn.
const EVERY: usize = 4;
/// How far from its own place a piece is looked for, in pieces.
const FAR: usize = 12;
/// Places where a piece is looked for.
const PLACES: usize = 2 * FAR + 1;
/// As many and none of another's, so that they fill vectors of four.
const LAID: usize = PLACES.next_multiple_of(4);
/// How many places a piece may shift against the one before, and what each costs.
const SHIFT: usize = 2;
const SHIFT_COST: f32 = 0.05;
/// Photos that come nearer than the background.
const NEARER: usize = 50;
/// The least that a piece is worth: it may be hidden.
const LEAST: f32 = -0.3;
/// The worth of a piece that would lie beyond a tip is that too: a distance that is never near.
const BEYOND: f32 = f32::INFINITY;
/// Photos with an edge that a gallery needs, to tell what is usual.
pub const FEWEST: usize = 20;

/// The edges of a gallery's photos, ready to be compared with: 2.5 KB a photo.
#[derive(Clone, Debug, Default)]
pub struct Edges {
    photos: Vec<Option<Scales>>,
}

impl<'a> FromIterator<Option<&'a Edge>> for Edges {
    fn from_iter<Photos: IntoIterator<Item = Option<&'a Edge>>>(photos: Photos) -> Self {
        let photos = photos.into_iter().map(|edge| edge.map(Scales::of));
        Self {
            photos: photos.collect(),
        }
    }
}

impl Edges {
    /// Photos, those without an edge too.
    pub fn photos(&self) -> usize {
        self.photos.len()
    }

    /// What they take in memory, bytes.
    pub fn bytes(&self) -> usize {
        self.photos.len() * size_of::<Option<Scales>>()
    }

    /// How well each photo's edge fits those of a query, [`Edge::of_query`], in standard deviations above the mean of all photos,
    /// on average of the query's, `[photos]`; 0 for those without an edge, and for all where the query has none or fewer than
    /// [`FEWEST`] photos have one.
    pub fn fit(&self, query: &[Edge]) -> Vec<f32> {
        self.fit_among(query, &|_| true)
    }

    /// As [`Self::fit`], as if only the photos that are `in_it`, `[photos]`, were in the gallery.
    pub fn fit_of_some(&self, in_it: &[bool], query: &[Edge]) -> Vec<f32> {
        self.fit_among(query, &|photo| in_it[photo])
    }

    fn fit_among(&self, query: &[Edge], in_it: &dyn Fn(usize) -> bool) -> Vec<f32> {
        let mut fits = vec![0.0; self.photos.len()];
        let with_edges = self.photos.iter().enumerate();
        let among: Vec<(usize, &Scales)> = with_edges
            .filter(|(photo, _)| in_it(*photo))
            .filter_map(|(photo, scales)| Some((photo, scales.as_ref()?)))
            .collect();
        if among.len() < FEWEST {
            return fits;
        }
        let edges = query.len();
        for (number, edge) in query.iter().enumerate() {
            let in_turn = (EVERY * number..PIECES).step_by(EVERY * edges);
            let fit = laid(edge, in_turn, &among);
            for ((photo, _), fit) in among.iter().zip(fit) {
                fits[*photo] += fit / edges as f32;
            }
        }
        fits
    }
}

/// How well the pieces of an edge that have these numbers lie on each photo's, in standard deviations.
fn laid(
    edge: &Edge,
    numbers: impl Iterator<Item = usize>,
    photos: &[(usize, &Scales)],
) -> Vec<f32> {
    let query = Scales::of(edge);
    let asked: Vec<Asked> = numbers
        .map(|number| Asked {
            number,
            piece: query.piece(number),
        })
        .collect();
    let distances = of_all(photos, |(_, scales)| Distances::of(&asked, scales));
    let background = background(&distances);
    let sums = of_all(&distances, |distances| distances.best_sum(&background));
    standardised(&sums)
}

/// A piece that is looked for.
struct Asked {
    number: usize,
    piece: Piece,
}

/// Of every item, on all threads that there are.
fn of_all<Item: Sync, Out: Send>(
    items: &[Item],
    of: impl Fn(&Item) -> Out + Send + Sync,
) -> Vec<Out> {
    #[cfg(feature = "train")]
    {
        use rayon::prelude::*;
        items.par_iter().map(of).collect()
    }
    #[cfg(not(feature = "train"))]
    {
        items.iter().map(of).collect()
    }
}

/// The distances of a query's pieces to those at each place of a photo's edge.
struct Distances {
    /// Of every piece.
    pieces: Vec<[f32; LAID]>,
    /// The least of each.
    nearest: Vec<f32>,
}

impl Distances {
    fn of(query: &[Asked], photo: &Scales) -> Self {
        let scales = photo.scales_of_pieces();
        let of_piece = |asked: &Asked| of_piece(asked, photo, &scales);
        let pieces: Vec<[f32; LAID]> = query.iter().map(of_piece).collect();
        let nearest = |distances: &[f32; LAID]| distances.iter().copied().fold(BEYOND, smaller);
        Self {
            nearest: pieces.iter().map(nearest).collect(),
            pieces,
        }
    }

    /// The most that the pieces in order are worth.
    #[inline(never)]
    fn best_sum(&self, background: &[f32]) -> f32 {
        // No piece can begin where no place is, or come there.
        let nowhere: [f32; LAID] = array::from_fn(|place| {
            if place < PLACES {
                0.0
            } else {
                f32::NEG_INFINITY
            }
        });
        let mut best = nowhere;
        for (asked, (distances, background)) in self.pieces.iter().zip(background).enumerate() {
            if asked > 0 {
                best = reached(&best);
            }
            for (place, best) in best.iter_mut().enumerate() {
                *best += larger(background - distances[place], LEAST) + nowhere[place];
            }
        }
        best.into_iter().fold(f32::NEG_INFINITY, larger)
    }
}

/// The distances of a query's piece to those near its place. Not inlined: a browser makes fast what is
/// called often.
#[inline(never)]
fn of_piece(asked: &Asked, photo: &Scales, scales: &[f32; PIECES]) -> [f32; LAID] {
    let &Asked {
        number: middle,
        ref piece,
    } = asked;
    let (first, last) = (middle.saturating_sub(FAR), (middle + FAR).min(PIECES - 1));
    let mut distances = [BEYOND; LAID];
    let within = &mut distances[first + FAR - middle..=last + FAR - middle];
    for (product, at) in within.iter_mut().zip(first..) {
        *product = photo.product(at, piece);
    }
    piece.distances(within, &scales[first..=last]);
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

/// For every piece the distance at which all but the nearest photos are background.
fn background(photos: &[Distances]) -> Vec<f32> {
    let rank = NEARER.min(photos.len() - 1);
    let of_piece = |asked: usize| {
        let mut nearest: Vec<f32> = photos.iter().map(|photo| photo.nearest[asked]).collect();
        *nearest.select_nth_unstable_by(rank, f32::total_cmp).1
    };
    (0..photos[0].nearest.len()).map(of_piece).collect()
}

/// Values less their mean, over their standard deviation; zeros where they are all the same.
fn standardised(values: &[f32]) -> Vec<f32> {
    let count = values.len() as f64;
    let mean = values.iter().map(|&value| f64::from(value)).sum::<f64>() / count;
    let square = |&value: &f32| (f64::from(value) - mean) * (f64::from(value) - mean);
    let deviation = libm::sqrt(values.iter().map(square).sum::<f64>() / count);
    let standard = |&value: &f32| match deviation > 0.0 {
        true => ((f64::from(value) - mean) / deviation) as f32,
        false => 0.0,
    };
    values.iter().map(standard).collect()
}
