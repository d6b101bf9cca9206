//! The values that are tried (spec, *Deciding*), each list in the order in which equal results are
//! settled: the first value wins.

use flukeprint_core::decision::Weights;

/// T: the original system's seven, and the 2.2 of its write-up.
pub const TEMPERATURES: [f32; 8] = [0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 2.2, 3.0];

/// How much the mean of a whale's photos may count beside the nearest of them: never more than it, so that a
/// photo much like one of the catalogue is found whatever the others look like.
pub const CENTRE_SHARES: [f32; 3] = [0.0, 0.25, 0.5];

/// How many constants for `New` are tried.
pub const NEW_CONSTANTS: usize = 121;

/// p and q: 121 values from 0 to 0.95 at equal steps, both ends included, as the original system
/// has them. For each, the smallest of equally good ones is taken.
pub fn new_constants() -> [f32; NEW_CONSTANTS] {
    let last = (NEW_CONSTANTS - 1) as f64;
    std::array::from_fn(|step| (0.95 * step as f64 / last) as f32)
}

/// c1, c2 and c3: every mixture of {0, 1, 2, 3, 4}, {0, 1, 2, 3, 4} and {0, 0.2, 0.4, 0.6, 0.8}
/// but all zero.
///
/// Many mixtures rank alike. The simplest come first: those with fewer parts, then those with
/// smaller sums, then by c1, c2 and c3.
pub fn weights() -> Vec<Weights> {
    // In fifths, so that sums are exact.
    let mut fifths: Vec<[u8; 3]> = (0..5)
        .flat_map(|c1| (0..5).flat_map(move |c2| (0..5).map(move |c3| [5 * c1, 5 * c2, c3])))
        .filter(|mixture| mixture.iter().any(|&weight| weight > 0))
        .collect();
    fifths.sort_by_key(|mixture| {
        let parts = mixture.iter().filter(|&&weight| weight > 0).count();
        (parts, mixture.iter().sum::<u8>(), *mixture)
    });
    fifths
        .into_iter()
        .map(|mixture| mixture.map(|weight| (f64::from(weight) / 5.0) as f32))
        .collect()
}
