//! Squared distances of descriptors, in whole numbers.
//!
//! |a - b|² = |a|² + |b|² - 2·a·b is exact in integers, so it is the same on every machine. Both
//! sides are widened to 16 bits beforehand: products of a fixed number of pairs become the
//! multiply-and-add instruction of 16-bit pairs that every SIMD set has.

use alloc::vec::Vec;

use super::{CODE_OF_ONE, DESCRIPTOR};

/// The squared distance of unit vectors that have nothing in common, √2 apart.
pub(super) const UNRELATED: i32 = 2 * (CODE_OF_ONE as i32) * (CODE_OF_ONE as i32);

/// A descriptor.
pub(super) type Codes = [i8; DESCRIPTOR];

/// Descriptors in 16 bits with their squared lengths.
pub(super) struct Wide {
    rows: Vec<[i16; DESCRIPTOR]>,
    squares: Vec<i32>,
}

impl Wide {
    /// Widens `[rows, 128]` codes. What is left over after the last whole row is not looked at.
    pub fn new(codes: &[i8]) -> Self {
        let (rows, _) = codes.as_chunks::<DESCRIPTOR>();
        Self {
            rows: rows.iter().map(|row| row.map(i16::from)).collect(),
            squares: rows.iter().map(square).collect(),
        }
    }

    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The squared distance, in steps of 1 / 256², of row `index` and row `other` of `others`.
    pub fn distance(&self, index: usize, others: &Self, other: usize) -> i32 {
        self.squares[index] + others.squares[other]
            - 2 * dot(&self.rows[index], &others.rows[other])
    }

    /// The squared distances of row `index` and every row of `others`, in their order.
    pub fn distances(&self, index: usize, others: &Self, out: &mut Vec<i32>) {
        let (row, square) = (&self.rows[index], self.squares[index]);
        let others = others.rows.iter().zip(&others.squares);
        out.clear();
        out.extend(others.map(|(other, other_square)| square + other_square - 2 * dot(row, other)));
    }
}

/// |a|², at most 128 · 127².
fn square(codes: &Codes) -> i32 {
    codes
        .iter()
        .map(|&code| i32::from(code) * i32::from(code))
        .sum()
}

/// The length that a squared distance stands for: 0 (the same) to 2 (opposite).
pub(super) fn length(square: i32) -> f32 {
    libm::sqrtf(square.max(0) as f32) / CODE_OF_ONE
}

fn dot(a: &[i16; DESCRIPTOR], b: &[i16; DESCRIPTOR]) -> i32 {
    let pairs = a.iter().zip(b);
    pairs.map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}
