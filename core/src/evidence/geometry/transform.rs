//! Maps of the plane from photo A to photo B.

use serde::{Deserialize, Serialize};

use crate::evidence::Frame;

/// A projective map of pixels of photo A to pixels of photo B: the 3 x 3 matrix, row by row, that is
/// applied to (x, y, 1). An affine map has the last row (0, 0, 1).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Transform(pub [[f64; 3]; 3]);

impl Transform {
    /// The affine map L · p + t.
    pub fn affine([l11, l12, l21, l22]: [f64; 4], [x, y]: [f64; 2]) -> Self {
        Self([[l11, l12, x], [l21, l22, y], [0.0, 0.0, 1.0]])
    }

    /// The affine map that takes one piece of skin to another: L = A_b · A_a⁻¹, t = c_b - L · c_a.
    /// `None` where `a` has no area.
    pub fn between(a: &Frame, b: &Frame) -> Option<Self> {
        let linear = product(b.shape.map(f64::from), inverse(a.shape.map(f64::from))?);
        let ([ax, ay], [bx, by]) = (a.center.map(f64::from), b.center.map(f64::from));
        let [l11, l12, l21, l22] = linear;
        let offset = [bx - l11 * ax - l12 * ay, by - l21 * ax - l22 * ay];
        Some(Self::affine(linear, offset))
    }

    /// Where a point of photo A lies in photo B. `None` on and beyond the map's horizon.
    pub fn map(&self, [x, y]: [f64; 2]) -> Option<[f64; 2]> {
        let [u, v, w] = self.0.map(|[a, b, c]| a * x + b * y + c);
        (w > f64::EPSILON).then(|| [u / w, v / w])
    }

    /// The linear part `[l11, l12, l21, l22]` at a point of photo A: how a small piece of skin there
    /// is turned and stretched. `None` on and beyond the map's horizon.
    pub fn linear_at(&self, point: [f64; 2]) -> Option<[f64; 4]> {
        let [u, v] = self.map(point)?;
        let [first, second, [g, h, i]] = self.0;
        let w = g * point[0] + h * point[1] + i;
        let row = |row: [f64; 3], value: f64| [(row[0] - value * g) / w, (row[1] - value * h) / w];
        let ([l11, l12], [l21, l22]) = (row(first, u), row(second, v));
        Some([l11, l12, l21, l22])
    }

    /// The affine map `[a, b, c, d, e, f]` (x' = a x + c y + e, y' = b x + d y + f, as SVG's `matrix`) that
    /// does at a point of photo A, and around it to first order, what this does. `None` on and beyond the map's
    /// horizon, or where a number is not finite.
    pub fn affine_at(&self, point: [f64; 2]) -> Option<[f64; 6]> {
        let [a, c, b, d] = self.linear_at(point)?;
        let [x, y] = self.map(point)?;
        let e = x - a * point[0] - c * point[1];
        let f = y - b * point[0] - d * point[1];
        let affine = [a, b, c, d, e, f];
        affine.iter().all(|one| one.is_finite()).then_some(affine)
    }

    /// The map that does `first` and then this.
    pub fn after(&self, first: &Self) -> Self {
        let mut product = [[0.0; 3]; 3];
        for (row, out) in self.0.iter().zip(&mut product) {
            for (column, out) in out.iter_mut().enumerate() {
                *out = (0..3).map(|k| row[k] * first.0[k][column]).sum();
            }
        }
        Self(product)
    }

    /// The map from photo B to photo A, scaled so that its last entry is 1. `None` where there is
    /// none.
    pub fn inverse(&self) -> Option<Self> {
        let m = &self.0;
        // The two others of 0, 1, 2, in the cyclic order that spares a cofactor its sign.
        let cofactor = |row: usize, column: usize| {
            let ([r1, r2], [c1, c2]) = (
                [(row + 1) % 3, (row + 2) % 3],
                [(column + 1) % 3, (column + 2) % 3],
            );
            m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
        };
        let mut inverse = [[0.0; 3]; 3];
        for (row, out) in inverse.iter_mut().enumerate() {
            for (column, out) in out.iter_mut().enumerate() {
                *out = cofactor(column, row);
            }
        }
        Self(inverse).scaled()
    }

    /// The same map with 1 as the last entry. `None` where that entry is 0 or a number is not finite.
    pub fn scaled(&self) -> Option<Self> {
        let last = self.0[2][2];
        let scaled = self.0.map(|row| row.map(|entry| entry / last));
        let finite = scaled.iter().flatten().all(|entry| entry.is_finite());
        finite.then_some(Self(scaled))
    }
}

pub(super) fn determinant([a, b, c, d]: [f64; 4]) -> f64 {
    a * d - b * c
}

pub(super) fn product(a: [f64; 4], b: [f64; 4]) -> [f64; 4] {
    let [a11, a12, a21, a22] = a;
    let [b11, b12, b21, b22] = b;
    [
        a11 * b11 + a12 * b21,
        a11 * b12 + a12 * b22,
        a21 * b11 + a22 * b21,
        a21 * b12 + a22 * b22,
    ]
}

pub(super) fn inverse(m: [f64; 4]) -> Option<[f64; 4]> {
    let [a, b, c, d] = m;
    let inverse = [d, -b, -c, a].map(|entry| entry / determinant(m));
    inverse
        .iter()
        .all(|entry| entry.is_finite())
        .then_some(inverse)
}
