//! The measures an identification is judged by.
//!
//! - [`RankCounts`]: MAP@5 as Kaggle scores it and top-k, from the rank of each query's true label;
//! - [`roc_area`]: how well a score tells known whales from new ones.
//!
//! Nothing here knows how an answer was found. Sums are of integers, so they do not depend on the
//! order of the queries.

mod rank_counts;
mod roc;

pub use rank_counts::{LISTED, RankCounts, listed_rank, map_at_5};
pub use roc::roc_area;

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
}
