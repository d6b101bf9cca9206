//! Sums of exponentials, fast: what a softmax divides by, where its last digits do not matter.
//!
//! The exact exponential takes most of the time that trying every temperature and every sharpness
//! would take. This one is arithmetic alone, which compilers turn into SIMD, in a fixed order, so that
//! it gives the same everywhere.

/// Values that are summed side by side.
const LANES: usize = 16;
/// Values after which a sum goes on in double precision.
const BLOCK: usize = 16 * LANES;
/// exp of less is taken as exp of this, 2⁻¹²⁵.
const LOWEST: f32 = -86.6;
/// Added and subtracted, it rounds to a whole number: 1.5 · 2²³.
const ROUND: f32 = 12_582_912.0;
/// ln(2)ᵏ/k!, k = 6 … 1: the powers of two between -1/2 and 1/2 to 2e-7.
const TERMS: [f32; 6] = [
    1.540_353e-4,
    1.333_355_8e-3,
    9.618_129e-3,
    5.550_411e-2,
    0.240_226_5,
    std::f32::consts::LN_2,
];

/// The relative error that [`sum`] stays below.
pub(super) const ERROR: f32 = 2e-5;

/// Σ exp(scale · (value - largest)); `largest` is the largest of the finite values, scale above 0.
pub(super) fn sum(values: &[f32], largest: f32, scale: f32) -> f64 {
    let blocks = values.chunks(BLOCK);
    blocks.map(|block| block_sum(block, largest, scale)).sum()
}

fn block_sum(values: &[f32], largest: f32, scale: f32) -> f64 {
    let (rows, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for row in rows {
        for (sum, value) in sums.iter_mut().zip(row) {
            *sum += exp(scale * (value - largest));
        }
    }
    for (sum, value) in sums.iter_mut().zip(rest) {
        *sum += exp(scale * (value - largest));
    }
    sums.iter().copied().map(f64::from).sum()
}

/// exp of a number that is not above 0.
#[inline]
fn exp(x: f32) -> f32 {
    let exponent = x.max(LOWEST) * std::f32::consts::LOG2_E;
    let rounded = exponent + ROUND;
    let part = exponent - (rounded - ROUND);
    // The whole number stands in the lowest bits; it becomes the exponent of a power of two.
    let whole = rounded.to_bits().wrapping_sub(ROUND.to_bits());
    let power = f32::from_bits(whole.wrapping_add(127) << 23);
    let series = TERMS.iter().fold(0.0, |sum, term| (sum + term) * part);
    power + power * series
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_the_exact_sum(
            values in prop::collection::vec(-60.0_f32..60.0, 1..600),
            scale in 0.01_f32..5.0,
        ) {
            let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let exact: f64 = values
                .iter()
                .map(|&value| (f64::from(scale) * f64::from(value - largest)).exp())
                .sum();
            let fast = sum(&values, largest, scale);
            prop_assert!((fast / exact - 1.0).abs() < f64::from(ERROR) / 2.0, "{} {}", fast, exact);
        }
    }

    #[test]
    fn nothing_is_lost_at_the_ends() {
        assert_eq!(sum(&[5.0], 5.0, 1000.0), 1.0);
        let far = sum(&[0.0, -1e30], 0.0, 1e6);
        assert!((far - 1.0).abs() < 1e-12, "{far}");
        assert!((f64::from(exp(-1.0)) - (-1.0_f64).exp()).abs() < 1e-7);
    }
}
