//! Least squares: the map that takes points of photo A nearest to points of photo B.

use super::transform::Transform;

/// A point of photo A and its match in photo B, pixels.
pub type Pair = ([f64; 2], [f64; 2]);

/// What is left of a unit pivot when points lie on a line.
const SINGULAR: f64 = 1e-9;
/// Sweeps over a 9 x 9 matrix; six are enough to the last bit.
const SWEEPS: usize = 12;

/// The affine map with the least sum of squared residuals in photo B. `None` for less than three
/// pairs or where A's points lie on a line.
pub fn affine(pairs: &[Pair]) -> Option<Transform> {
    if pairs.len() < 3 {
        return None;
    }
    let (from, to) = normalisations(pairs)?;
    // (x, y, 1) against both coordinates at once: the third unknown is zero, for both clouds are
    // centred.
    let (mut xx, mut xy, mut yy) = (0.0, 0.0, 0.0);
    let (mut xu, mut yu, mut xv, mut yv) = (0.0, 0.0, 0.0, 0.0);
    for (a, b) in pairs {
        let ([x, y], [u, v]) = (from.apply(*a), to.apply(*b));
        (xx, xy, yy) = (xx + x * x, xy + x * y, yy + y * y);
        (xu, yu, xv, yv) = (xu + x * u, yu + y * u, xv + x * v, yv + y * v);
    }
    let determinant = xx * yy - xy * xy;
    if determinant <= SINGULAR * (xx + yy) * (xx + yy) {
        return None;
    }
    let solve = |x: f64, y: f64| {
        [
            (yy * x - xy * y) / determinant,
            (xx * y - xy * x) / determinant,
        ]
    };
    let ([l11, l12], [l21, l22]) = (solve(xu, yu), solve(xv, yv));
    let normalised = Transform::affine([l11, l12, l21, l22], [0.0, 0.0]);
    to.inverse()
        .after(&normalised)
        .after(&from.matrix())
        .scaled()
}

/// The projective map by the normalised direct linear transform (Hartley and Zisserman, *Multiple View
/// Geometry*, 2004, algorithm 4.2): the least algebraic error. `None` for less than four pairs or
/// where they do not decide it.
pub fn homography(pairs: &[Pair]) -> Option<Transform> {
    if pairs.len() < 4 {
        return None;
    }
    let (from, to) = normalisations(pairs)?;
    let mut normal = [[0.0; 9]; 9];
    for (a, b) in pairs {
        let ([x, y], [u, v]) = (from.apply(*a), to.apply(*b));
        let rows = [
            [x, y, 1.0, 0.0, 0.0, 0.0, -u * x, -u * y, -u],
            [0.0, 0.0, 0.0, x, y, 1.0, -v * x, -v * y, -v],
        ];
        for row in rows {
            for (out, &left) in normal.iter_mut().zip(&row) {
                for (out, &right) in out.iter_mut().zip(&row) {
                    *out += left * right;
                }
            }
        }
    }
    let h = least_eigenvector(normal)?;
    let normalised = Transform([[h[0], h[1], h[2]], [h[3], h[4], h[5]], [h[6], h[7], h[8]]]);
    to.inverse()
        .after(&normalised)
        .after(&from.matrix())
        .scaled()
}

/// Moves the points' mean to the origin and scales their mean distance from it to √2.
struct Normalisation {
    scale: f64,
    mean: [f64; 2],
}

impl Normalisation {
    fn of(points: impl Iterator<Item = [f64; 2]> + Clone) -> Option<Self> {
        let count = points.clone().count() as f64;
        let (x, y) = points
            .clone()
            .fold((0.0, 0.0), |(sx, sy), [x, y]| (sx + x, sy + y));
        let mean = [x / count, y / count];
        let spread = points
            .map(|[x, y]| libm::hypot(x - mean[0], y - mean[1]))
            .sum::<f64>()
            / count;
        let scale = core::f64::consts::SQRT_2 / spread;
        scale.is_finite().then_some(Self { scale, mean })
    }

    fn apply(&self, [x, y]: [f64; 2]) -> [f64; 2] {
        [
            (x - self.mean[0]) * self.scale,
            (y - self.mean[1]) * self.scale,
        ]
    }

    fn matrix(&self) -> Transform {
        let ([x, y], scale) = (self.mean, self.scale);
        Transform::affine([scale, 0.0, 0.0, scale], [-scale * x, -scale * y])
    }

    fn inverse(&self) -> Transform {
        let back = 1.0 / self.scale;
        Transform::affine([back, 0.0, 0.0, back], self.mean)
    }
}

fn normalisations(pairs: &[Pair]) -> Option<(Normalisation, Normalisation)> {
    let from = Normalisation::of(pairs.iter().map(|pair| pair.0))?;
    let to = Normalisation::of(pairs.iter().map(|pair| pair.1))?;
    Some((from, to))
}

/// The eigenvector of the least eigenvalue of a symmetric matrix, by Jacobi's rotations (Golub and Van
/// Loan, *Matrix Computations*, 8.5). `None` where the next eigenvalue is as small: then the points
/// allow more than one map.
fn least_eigenvector(mut m: [[f64; 9]; 9]) -> Option<[f64; 9]> {
    let trace: f64 = (0..9).map(|i| m[i][i]).sum();
    // Rows are the vectors.
    let mut vectors = [[0.0; 9]; 9];
    for (i, row) in vectors.iter_mut().enumerate() {
        row[i] = 1.0;
    }
    for _ in 0..SWEEPS {
        for p in 0..8 {
            for q in p + 1..9 {
                rotate(&mut m, &mut vectors, p, q);
            }
        }
    }
    let mut order = [0, 1, 2, 3, 4, 5, 6, 7, 8];
    order.sort_by(|&a: &usize, &b| m[a][a].total_cmp(&m[b][b]));
    let decided = m[order[1]][order[1]] > SINGULAR * trace;
    decided.then_some(vectors[order[0]])
}

/// Makes the entry (p, q) zero.
fn rotate(m: &mut [[f64; 9]; 9], vectors: &mut [[f64; 9]; 9], p: usize, q: usize) {
    if m[p][q] == 0.0 {
        return;
    }
    let theta = (m[q][q] - m[p][p]) / (2.0 * m[p][q]);
    let t = libm::copysign(1.0, theta) / (libm::fabs(theta) + libm::hypot(theta, 1.0));
    let cos = 1.0 / libm::hypot(t, 1.0);
    let sin = t * cos;
    for row in m.iter_mut() {
        (row[p], row[q]) = (cos * row[p] - sin * row[q], sin * row[p] + cos * row[q]);
    }
    for matrix in [m, vectors] {
        let (first, second) = (matrix[p], matrix[q]);
        for k in 0..9 {
            matrix[p][k] = cos * first[k] - sin * second[k];
            matrix[q][k] = sin * first[k] + cos * second[k];
        }
    }
}
