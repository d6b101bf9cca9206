//! RootSIFT: a histogram of gradients (Lowe, 2004), root of its share (Arandjelović and Zisserman,
//! 2012).

use super::DESCRIPTOR;
use super::patch::PATCH;

/// Spatial bins of a side.
const BINS: usize = 4;
/// Bins of the gradient's direction.
const ANGLES: usize = 8;
/// No bin has more than this of the descriptor's length before the last normalisation.
const MOST: f32 = 0.2;

/// What one column of a patch gives to each spatial bin; the same for rows.
type Shares = [[f32; BINS]; PATCH];

/// Turns patches into descriptors.
pub(super) struct RootSift {
    shares: Shares,
}

impl RootSift {
    pub fn new() -> Self {
        let side = PATCH as f32;
        let share = |at: usize, bin: usize| {
            let off = (at as f32 + 0.5) / (side / BINS as f32) - 0.5 - bin as f32;
            // Lowe's weight: a Gaussian of half the patch's width around its centre.
            let out = (at as f32 + 0.5 - side / 2.0) / (side / 2.0);
            (1.0 - off.abs()).max(0.0) * libm::expf(-0.5 * out * out)
        };
        Self {
            shares: core::array::from_fn(|at| core::array::from_fn(|bin| share(at, bin))),
        }
    }

    /// Writes the descriptor of `patch`, `[32, 32]`, to `out`: 128 numbers, rows of bins, columns,
    /// directions; of unit length, or all 0 for a patch without a gradient.
    pub fn describe(&self, patch: &[f32], out: &mut [f32; DESCRIPTOR]) {
        out.fill(0.0);
        for y in 0..PATCH {
            let histogram = self.row_histogram(patch, y);
            for (row, out) in out.chunks_exact_mut(BINS * ANGLES).enumerate() {
                let share = self.shares[y][row];
                if share > 0.0 {
                    let values = histogram.as_flattened();
                    out.iter_mut()
                        .zip(values)
                        .for_each(|(out, value)| *out += share * value);
                }
            }
        }
        root_of_share(out);
    }

    /// Gradients of one row by column bin and direction, each shared between neighbouring bins.
    fn row_histogram(&self, patch: &[f32], y: usize) -> [[f32; ANGLES]; BINS] {
        let (lengths, angles) = gradients(patch, y);
        let mut histogram = [[0.0; ANGLES]; BINS];
        for (x, (&length, &angle)) in lengths.iter().zip(&angles).enumerate() {
            let low = angle as usize;
            let upper = length * (angle - low as f32);
            let lower = length - upper;
            // A column lies between the centres of two bins, or outside the first or the last.
            let first = (x.saturating_sub(PATCH / BINS / 2) / (PATCH / BINS)).min(BINS - 2);
            let shares = &self.shares[x][first..first + 2];
            for (bin, share) in histogram[first..].iter_mut().zip(shares) {
                bin[low % ANGLES] += share * lower;
                bin[(low + 1) % ANGLES] += share * upper;
            }
        }
        histogram
    }
}

/// Length and direction (0 to 8 for a whole turn) of the gradient in row `y`, by central differences,
/// one-sided at the edge.
fn gradients(patch: &[f32], y: usize) -> ([f32; PATCH], [f32; PATCH]) {
    let row = |y: usize| &patch[y * PATCH..][..PATCH];
    let (above, below) = (row(y.saturating_sub(1)), row((y + 1).min(PATCH - 1)));
    let mut padded = [0.0; PATCH + 2];
    padded[1..=PATCH].copy_from_slice(row(y));
    padded[0] = padded[1];
    padded[PATCH + 1] = padded[PATCH];
    let (mut lengths, mut angles) = ([0.0; PATCH], [0.0; PATCH]);
    for x in 0..PATCH {
        let gx = padded[x + 2] - padded[x];
        let gy = below[x] - above[x];
        lengths[x] = root(gx * gx + gy * gy);
        angles[x] = direction(gx, gy);
    }
    (lengths, angles)
}

/// √x to seven digits for x >= 0: the classic first guess from the exponent and three steps of Newton's
/// method, because the core has no square root that runs in vectors.
fn root(x: f32) -> f32 {
    let mut inverse = f32::from_bits(0x5F37_59DF - (x.to_bits() >> 1));
    for _ in 0..3 {
        inverse *= 1.5 - 0.5 * x * inverse * inverse;
    }
    x * inverse
}

/// The direction of (x, y) in eighths of a turn, 0 to 8: Abramowitz and Stegun 4.4.49 for the arc
/// tangent, to 1e-5, without a branch.
fn direction(x: f32, y: f32) -> f32 {
    let (wide, tall) = (x.abs(), y.abs());
    let ratio = wide.min(tall) / wide.max(tall).max(f32::MIN_POSITIVE);
    let s = ratio * ratio;
    let polynomial =
        0.999_866 + s * (-0.330_299_5 + s * (0.180_141 + s * (-0.085_133 + s * 0.020_835_1)));
    let octant = ratio * polynomial * (4.0 / core::f32::consts::PI);
    let quadrant = if tall > wide { 2.0 - octant } else { octant };
    let half = if x < 0.0 { 4.0 - quadrant } else { quadrant };
    if y < 0.0 { 8.0 - half } else { half }
}

/// Unit length, no bin above 0.2, then the root of every bin's share: of unit length again.
fn root_of_share(values: &mut [f32; DESCRIPTOR]) {
    let length = libm::sqrtf(values.iter().map(|value| value * value).sum());
    if length <= 0.0 {
        return;
    }
    values
        .iter_mut()
        .for_each(|value| *value = (*value / length).min(MOST));
    let sum: f32 = values.iter().sum();
    values
        .iter_mut()
        .for_each(|value| *value = libm::sqrtf(*value / sum));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::patch::AREA;
    use proptest::prelude::*;

    fn describe(patch: &[f32]) -> [f32; DESCRIPTOR] {
        let mut out = [0.0; DESCRIPTOR];
        RootSift::new().describe(patch, &mut out);
        out
    }

    fn wave(angle: f32) -> [f32; AREA] {
        core::array::from_fn(|i| {
            let (x, y) = ((i % PATCH) as f32, (i / PATCH) as f32);
            100.0 + 3.0 * (x * libm::cosf(angle) + y * libm::sinf(angle))
        })
    }

    #[test]
    fn a_slope_fills_the_bin_of_its_direction() {
        for (angle, bin) in [(0.0, 0), (0.25, 1), (0.5, 2), (0.75, 3), (1.0, 4), (1.5, 6)] {
            let found = describe(&wave(angle * core::f32::consts::PI));
            for cell in found.chunks_exact(ANGLES) {
                let largest = (0..ANGLES).max_by(|&a, &b| cell[a].total_cmp(&cell[b]));
                assert_eq!(largest, Some(bin), "{angle} {cell:?}");
            }
        }
    }

    #[test]
    fn a_slope_between_two_directions_is_shared() {
        let found = describe(&wave(core::f32::consts::PI / 8.0));
        assert!((found[0] - found[1]).abs() < 1e-3 && found[0] > 0.1);
    }

    #[test]
    fn a_flat_patch_has_no_descriptor() {
        assert_eq!(describe(&[9.0; AREA]), [0.0; DESCRIPTOR]);
    }

    proptest! {
        #[test]
        fn light_does_not_matter_and_the_length_is_one(
            patch in proptest::collection::vec(0f32..255.0, AREA), gain in 0.1f32..3.0, bias in -50f32..50.0,
        ) {
            let found = describe(&patch);
            let squares: f32 = found.iter().map(|v| v * v).sum();
            prop_assert!((squares - 1.0).abs() < 1e-4);
            let lit: alloc::vec::Vec<f32> = patch.iter().map(|v| v * gain + bias).collect();
            for (a, b) in found.iter().zip(describe(&lit)) {
                prop_assert!((a - b).abs() < 1e-2);
            }
        }

        #[test]
        fn quick_functions_are_the_exact_ones(x in -300f32..300.0, y in -300f32..300.0) {
            let turn = libm::atan2f(y, x) / core::f32::consts::FRAC_PI_4;
            let exact = if turn < 0.0 { turn + 8.0 } else { turn };
            let apart = (direction(x, y) - exact).abs();
            prop_assert!(apart.min(8.0 - apart) < 5e-5, "{} {exact}", direction(x, y));
            prop_assert!((root(x * x) - x.abs()).abs() <= 1e-5 * x.abs());
        }
    }
}
