//! Plane projective maps on the square -1…1 x -1…1, as 3 x 3 matrices on homogeneous columns.

/// A projective map of the plane.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Homography(pub [[f64; 3]; 3]);

impl Homography {
    /// Scales by `x` and `y`, then moves by `dx` and `dy`.
    pub fn scale_and_move([x, y]: [f64; 2], [dx, dy]: [f64; 2]) -> Self {
        Self([[x, 0.0, dx], [0.0, y, dy], [0.0, 0.0, 1.0]])
    }

    /// Turns by `radians` about the middle of a picture whose width is `aspect` times its height.
    pub fn rotation(radians: f64, aspect: f64) -> Self {
        let (sin, cos) = radians.sin_cos();
        Self([
            [cos, -sin / aspect, 0.0],
            [sin * aspect, cos, 0.0],
            [0.0, 0.0, 1.0],
        ])
    }

    /// Takes the corners (-1,-1), (1,-1), (1,1), (-1,1) to `quad`, a convex quadrangle (P. Heckbert,
    /// *Fundamentals of Texture Mapping and Image Warping*, 1989, section 2.2.3).
    pub fn to_quad([p0, p1, p2, p3]: [[f64; 2]; 4]) -> Self {
        let sum = [0, 1].map(|i| p0[i] - p1[i] + p2[i] - p3[i]);
        let (d1, d2) = ([0, 1].map(|i| p1[i] - p2[i]), [0, 1].map(|i| p3[i] - p2[i]));
        let area = d1[0] * d2[1] - d2[0] * d1[1];
        let g = (sum[0] * d2[1] - d2[0] * sum[1]) / area;
        let h = (d1[0] * sum[1] - sum[0] * d1[1]) / area;
        let row = |i: usize| [p1[i] - p0[i] + g * p1[i], p3[i] - p0[i] + h * p3[i], p0[i]];
        let from_unit_square = Self([row(0), row(1), [g, h, 1.0]]);
        from_unit_square.after(&Self::scale_and_move([0.5, 0.5], [0.5, 0.5]))
    }

    /// The map that does `first` and then this.
    pub fn after(&self, first: &Self) -> Self {
        let entry =
            |row: usize, column: usize| (0..3).map(|k| self.0[row][k] * first.0[k][column]).sum();
        Self(std::array::from_fn(|row| {
            std::array::from_fn(|column| entry(row, column))
        }))
    }

    /// The map back, up to the scale that homogeneous columns ignore.
    pub fn inverse(&self) -> Self {
        let m = &self.0;
        let cofactor = |row: usize, column: usize| {
            let ([r1, r2], [c1, c2]) = (others(row), others(column));
            m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
        };
        Self(std::array::from_fn(|row| {
            std::array::from_fn(|column| cofactor(column, row))
        }))
    }
}

/// The two others of 0, 1, 2, in the cyclic order that spares a cofactor its sign.
fn others(index: usize) -> [usize; 2] {
    [(index + 1) % 3, (index + 2) % 3]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const CORNERS: [[f64; 2]; 4] = [[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]];

    fn map(homography: &Homography, [x, y]: [f64; 2]) -> [f64; 2] {
        let [u, v, w] = homography.0.map(|[a, b, c]| a * x + b * y + c);
        [u / w, v / w]
    }

    fn near(a: [f64; 2], b: [f64; 2]) -> bool {
        (a[0] - b[0]).abs() < 1e-9 && (a[1] - b[1]).abs() < 1e-9
    }

    #[test]
    fn a_quarter_turn_of_a_wide_picture_keeps_its_pixels_square() {
        // Twice as wide as high: the right edge's middle, one width from the centre, is two heights.
        let turn = Homography::rotation(std::f64::consts::FRAC_PI_2, 2.0);
        assert!(near(map(&turn, [1.0, 0.0]), [0.0, 2.0]));
        assert!(near(map(&turn, [0.0, 1.0]), [-0.5, 0.0]));
    }

    #[test]
    fn maps_are_done_in_order() {
        let first = Homography::scale_and_move([2.0, 3.0], [0.0, 1.0]);
        let then = Homography::scale_and_move([1.0, 1.0], [5.0, 0.0]);
        assert!(near(map(&then.after(&first), [1.0, 1.0]), [7.0, 4.0]));
    }

    proptest! {
        #[test]
        fn corners_go_to_the_quad_and_back(shifts in prop::array::uniform8(-0.4f64..0.4)) {
            let quad: [[f64; 2]; 4] =
                std::array::from_fn(|i| [CORNERS[i][0] + shifts[2 * i], CORNERS[i][1] + shifts[2 * i + 1]]);
            let there = Homography::to_quad(quad);
            for (corner, goal) in CORNERS.into_iter().zip(quad) {
                prop_assert!(near(map(&there, corner), goal));
                prop_assert!(near(map(&there.inverse(), goal), corner));
            }
        }
    }
}
