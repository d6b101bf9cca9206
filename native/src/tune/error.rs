//! Why queries cannot be scored or tuned on.

use flukeprint_core::decision::DecisionError;
use flukeprint_core::evidence::probability::CurveError;
use flukeprint_core::gallery::{FeatureError, GalleryError};
use flukeprint_core::metrics::MetricsError;

/// What is wrong with labelled queries, or with tuning on them.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TuneError {
    /// Nothing to score.
    #[error("there is no query: at least one photo is needed to score")]
    NoQueries,
    /// Members of an ensemble disagree on what they were asked.
    #[error(
        "the members of an ensemble answer for other photos or whales; use runs of one catalogue and split"
    )]
    OtherQueries,
    /// No known whale at all.
    #[error("there is no individual: at least one known whale is needed to score")]
    NoIndividuals,
    /// A flat array does not divide into one row a query.
    #[error("{found} {what} for {queries} queries: {wanted}")]
    Shape {
        /// What the values are.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many queries there are.
        queries: usize,
        /// How many there should be, in words.
        wanted: String,
    },
    /// A value is NaN or infinite.
    #[error("query {query}: {what} {position} is {value}, not a finite number")]
    NotFinite {
        /// The query's number, from zero.
        query: usize,
        /// What the value is.
        what: &'static str,
        /// Its position in the query's row.
        position: usize,
        /// The value.
        value: f32,
    },
    /// A query's feature cannot be compared.
    #[error("query {query}: {problem}")]
    Feature {
        /// The query's number, from zero.
        query: usize,
        /// What is wrong with it.
        problem: FeatureError,
    },
    /// A true label is no individual of the catalogue.
    #[error("query {query} shows individual {number}, but there are only {individuals}")]
    UnknownIndividual {
        /// The query's number, from zero.
        query: usize,
        /// The individual's number.
        number: u32,
        /// How many there are.
        individuals: usize,
    },
    /// Only known whales to tune on.
    #[error(
        "all {queries} tuning photos show known whales: thresholds for new whales need photos of new whales too"
    )]
    OnlyKnown {
        /// How many queries.
        queries: usize,
    },
    /// Only new whales to tune on.
    #[error(
        "all {queries} tuning photos show new whales: hold out photos of known whales too, or the answer would always be new"
    )]
    OnlyNew {
        /// How many queries.
        queries: usize,
    },
    /// Held-out photos cannot be cut so.
    #[error("{photos} held-out photos cannot be cut into {parts} parts: ask for 2 to {photos}")]
    Parts {
        /// How many parts were asked for.
        parts: usize,
        /// How many photos there are.
        photos: usize,
    },
    /// No logits to tune a temperature on.
    #[error("the queries have no logits: without a classifier only q can be tuned")]
    NoClassifier,
    /// The gallery refuses.
    #[error(transparent)]
    Gallery(#[from] GalleryError),
    /// The decision refuses.
    #[error(transparent)]
    Decision(#[from] DecisionError),
    /// What inliers are worth cannot be told.
    #[error(transparent)]
    Worth(#[from] CurveError),
    /// A measure cannot be taken.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
}
