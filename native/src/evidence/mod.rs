//! Evidence on researchers' machines: a photo's fluke with its local features, what inliers are worth,
//! and a picture of the matches.

mod fluke;
mod index;
mod isotonic;
mod picture;
#[cfg(test)]
mod tests;
mod verification;

pub use fluke::Fluke;
pub(crate) use index::{build_index, sort};
pub use isotonic::{Block, LabelledScore, blocks, fit};
pub(crate) use picture::check_name;
pub use picture::draw;
pub use verification::{Pair, Verification, verify};

use flukeprint_core::evidence::file::{ENDING, MAGIC};
use flukeprint_core::evidence::probability::{Curve, CurveError};
use std::path::Path;

/// Inliers, and how often the two photos were of one whale: isotonic regression over a query and the
/// best photo of each of the first five whales that the vote names, `docs/results/local-features.md`,
/// "Matching and geometry".
const MEASURED: [[f64; 2]; 13] = [
    [0.0, 0.0],
    [2.09, 0.0012],
    [4.44, 0.0093],
    [6.0, 0.016],
    [7.86, 0.0251],
    [10.0, 0.0488],
    [11.0, 0.1212],
    [12.48, 0.2208],
    [14.0, 0.5417],
    [15.42, 0.5806],
    [17.0, 0.6667],
    [18.41, 0.8636],
    [56.1, 0.989],
];

/// What inliers are worth where no bundle says so: as measured on real photos.
///
/// # Errors
/// None: the knots are a curve.
pub fn measured_curve() -> Result<Curve, CurveError> {
    Curve::new(MEASURED.to_vec())
}

/// Whether a file is one of keypoints: by its name's ending, or by how it begins.
pub(crate) fn is_keypoint_file(path: &Path, bytes: &[u8]) -> bool {
    path.extension()
        .is_some_and(|extension| extension == ENDING)
        || bytes.starts_with(MAGIC)
}
