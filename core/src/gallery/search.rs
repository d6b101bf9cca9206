//! Exact nearest neighbours: every row is compared with the query.
//!
//! For unit vectors |a-b|² = 2 - 2·a·b, so one dot product a row is all the work. The dot products
//! keep many independent sums of a fixed number, in a fixed order. The compiler turns them into
//! SIMD on every target, and the sums are the same to the bit on all of them. The 8-bit path sums
//! integers, which is exact.

use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::store::{FeatureStore, Values};
use super::{GalleryRow, Label};

/// Added to the squared distance before the root (spec, *Deciding*, step 3).
pub const DISTANCE_EPSILON: f32 = 1e-6;

/// A sum of unit features that is shorter than this points nowhere.
const SHORTEST_SUM: f32 = 1e-3;

/// Independent sums in a dot product: eight registers of 128 bits.
const LANES: usize = 32;
/// Rows that are compared with every query in turn while they are in the cache.
const ROWS_AT_ONCE: usize = 16;
/// The largest code of a query in the 8-bit path: sixteen times finer than a row's, and products
/// of one block still fit 32 bits (127 · 2047 · 4096 < 2³¹).
const LARGEST_QUERY_CODE: f32 = 2047.0;
const CODE_BLOCK: usize = 4096;

/// The nearest photo of a label.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Nearest {
    /// The photo's row in the gallery.
    pub row: u32,
    /// d = √(|a-b|² + 1e-6), from 0.001 (the same) to 2 (opposite).
    pub distance: f32,
}

/// How near a label's photos are to a query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Closeness {
    /// The nearest of them.
    pub nearest: Nearest,
    /// The cosine of the query and the sum of the label's features, -1 to 1.
    pub centre: f32,
}

/// For each query (unit length), per label slot how near it is. Of equally near rows the first
/// counts. `lengths` are those of the labels' summed features.
pub(super) fn closeness_per_label(
    queries: &[Vec<f32>],
    store: &FeatureStore,
    rows: &[GalleryRow],
    lengths: &[f32],
) -> Vec<Vec<Option<Closeness>>> {
    let individuals = lengths.len().saturating_sub(1);
    let labels: Vec<Label> = rows.iter().map(|row| row.label).collect();
    let best = match store.values() {
        Values::Float(features) => {
            let rows = features.chunks_exact(store.dimension());
            closest(queries, rows, &labels, individuals, |a, b| dot(a, b))
        }
        Values::Codes { codes, scales } => {
            let queries: Vec<QueryCodes> = queries.iter().map(|q| QueryCodes::new(q)).collect();
            let rows = codes.chunks_exact(store.dimension()).zip(scales);
            closest(&queries, rows, &labels, individuals, |q, (row, scale)| {
                q.dot(row, *scale)
            })
        }
    };
    best.into_iter()
        .map(|slots| {
            let slots = slots.into_iter().zip(lengths);
            slots
                .map(|(closest, &length)| closest.into_closeness(length))
                .collect()
        })
        .collect()
}

/// The distances of all photos of a label from a query (unit length), in the order of the rows.
pub(super) fn photos_of_label(
    query: &[f32],
    store: &FeatureStore,
    rows: &[GalleryRow],
    label: Label,
) -> Vec<Nearest> {
    let of_label = rows
        .iter()
        .zip(0_u32..)
        .filter(|(described, _)| described.label == label);
    let query_codes = QueryCodes::new(query);
    let dot_with = |row: u32| match store.values() {
        Values::Float(_) => store
            .float_row(row as usize)
            .map(|feature| dot(query, feature)),
        Values::Codes { .. } => store
            .code_row(row as usize)
            .map(|(codes, scale)| query_codes.dot(codes, scale)),
    };
    of_label
        .filter_map(|(_, row)| {
            let distance = distance(dot_with(row)?);
            Some(Nearest { row, distance })
        })
        .collect()
}

/// The row with the largest dot product so far, and the sum over all rows.
#[derive(Clone, Copy)]
struct Closest {
    dot: f32,
    row: Option<u32>,
    sum: f32,
}

impl Closest {
    const NONE: Self = Self {
        dot: f32::NEG_INFINITY,
        row: None,
        sum: 0.0,
    };

    fn see(&mut self, dot: f32, row: usize) {
        self.sum += dot;
        if dot > self.dot {
            self.dot = dot;
            self.row = u32::try_from(row).ok();
        }
    }

    /// `length` is that of the label's summed features. Photos that cancel out have no centre.
    fn into_closeness(self, length: f32) -> Option<Closeness> {
        let centre = if length > SHORTEST_SUM {
            (self.sum / length).clamp(-1.0, 1.0)
        } else {
            0.0
        };
        self.row.map(|row| Closeness {
            nearest: Nearest {
                row,
                distance: distance(self.dot),
            },
            centre,
        })
    }
}

/// The distance of two unit vectors from their dot product. Rounding may take the square a hair
/// outside 0…4; it is put back.
fn distance(dot: f32) -> f32 {
    let square = (2.0 - 2.0 * dot).clamp(0.0, 4.0);
    libm::sqrtf(square + DISTANCE_EPSILON).min(2.0)
}

/// Walks the rows in small groups and compares each group with every query, so that a group is
/// read from memory once however many queries there are.
fn closest<Q, R: Copy>(
    queries: &[Q],
    rows: impl Iterator<Item = R>,
    labels: &[Label],
    individuals: usize,
    dot: impl Fn(&Q, R) -> f32,
) -> Vec<Vec<Closest>> {
    let mut best = vec![vec![Closest::NONE; individuals + 1]; queries.len()];
    let rows: Vec<R> = rows.collect();
    let groups = rows.chunks(ROWS_AT_ONCE).zip(labels.chunks(ROWS_AT_ONCE));
    for (group, (rows, labels)) in groups.enumerate() {
        let first = group * ROWS_AT_ONCE;
        for (query, best) in queries.iter().zip(&mut best) {
            for (offset, (&row, label)) in rows.iter().zip(labels).enumerate() {
                best[label.slot(individuals)].see(dot(query, row), first + offset);
            }
        }
    }
    best
}

/// The dot product of two slices of one length, always summed in the same order; of features of unit
/// length their cosine.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    for (sum, (a, b)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *sum += a * b;
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            sums[lane] += sums[lane + width];
        }
        width /= 2;
    }
    sums[0]
}

/// A query as 12-bit codes: the same idea as a row's 8-bit codes, so that their dot product is a
/// sum of integers.
struct QueryCodes {
    codes: Vec<i16>,
    scale: f32,
}

impl QueryCodes {
    fn new(feature: &[f32]) -> Self {
        let largest = feature
            .iter()
            .fold(0.0_f32, |most, &value| most.max(libm::fabsf(value)));
        let codes: Vec<i16> = feature
            .iter()
            .map(|&value| libm::roundf(value / largest * LARGEST_QUERY_CODE) as i16)
            .collect();
        let squares: i64 = codes
            .iter()
            .map(|&code| i64::from(code) * i64::from(code))
            .sum();
        let scale = (1.0 / libm::sqrt(squares as f64)) as f32;
        Self { codes, scale }
    }

    fn dot(&self, row: &[i8], scale: f32) -> f32 {
        let blocks = self.codes.chunks(CODE_BLOCK).zip(row.chunks(CODE_BLOCK));
        let sum: i64 = blocks.map(|(a, b)| i64::from(integer_dot(a, b))).sum();
        sum as f32 * (self.scale * scale)
    }
}

/// The dot product of at most [`CODE_BLOCK`] codes.
fn integer_dot(a: &[i16], b: &[i8]) -> i32 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| i32::from(a) * i32::from(i16::from(b)))
        .sum()
}
