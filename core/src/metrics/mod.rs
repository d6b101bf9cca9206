//! The measures an identification is judged by.
//!
//! - [`RankCounts`]: MAP@5 as Kaggle scores it and top-k, from the rank of each query's true label;
//! - [`ByPhotos`]: the same, whales with few photos counting as much as whales with many;
//! - [`roc_area`], [`roc_curve`], [`equal_error_rate`]: how well a score tells known whales from new ones;
//! - [`reliability_bins`], [`ece`]: whether probabilities are what they say.
//!
//! Nothing here knows how an answer was found. Sums are of integers, or of values put in order, so
//! they do not depend on the order of the queries.

mod by_photos;
mod calibration;
mod equal_error;
mod rank_counts;
mod roc;

pub use by_photos::{ByPhotos, PHOTO_GROUP_NAMES, PHOTO_GROUPS, photo_group};
pub use calibration::{
    BINS, Binning, ReliabilityBin, ece, ece_by_chance, expected_calibration_error,
    reliability_bins, squared_error_beyond_chance,
};
pub use equal_error::{EqualError, equal_error_rate};
pub use rank_counts::{LISTED, RankCounts, listed_rank, map_at_5, top_shares};
pub use roc::{RocPoint, roc_area, roc_curve};

/// Why a measure cannot be taken.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum MetricsError {
    /// There are not as many answers as true labels.
    #[error("{answers} answers for {truths} true labels: one answer a photo is needed")]
    Count {
        /// Number of answers.
        answers: usize,
        /// Number of true labels.
        truths: usize,
    },
    /// Nothing to measure.
    #[error("no {what} to measure with: at least one is needed")]
    Nothing {
        /// What is missing.
        what: &'static str,
    },
    /// A score is NaN.
    #[error("score {position} of the {what} is not a number")]
    NotANumber {
        /// Which list it is in.
        what: &'static str,
        /// Its position there.
        position: usize,
    },
    /// A score is NaN or infinite where a threshold is asked for.
    #[error("score {position} of the {what} is not finite")]
    NotFinite {
        /// Which list it is in.
        what: &'static str,
        /// Its position there.
        position: usize,
    },
    /// A probability is NaN or not within 0…1.
    #[error("probability {position} is {value}, it must be between 0 and 1")]
    NotAProbability {
        /// Its position.
        position: usize,
        /// Its value.
        value: f32,
    },
}
