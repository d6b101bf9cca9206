//! What can be wrong with a feature or a gallery.

use alloc::string::String;

use super::Label;

/// What is wrong with one feature vector.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FeatureError {
    /// The vector has another length than the gallery's.
    #[error(
        "the feature has {found} values where the gallery has {expected}: it comes from another model"
    )]
    Dimension {
        /// The gallery's dimension.
        expected: usize,
        /// The vector's length.
        found: usize,
    },
    /// A value is NaN or infinite.
    #[error("value {position} of the feature is {value}, not a finite number")]
    NotFinite {
        /// Index of the value in the vector.
        position: usize,
        /// The value.
        value: f32,
    },
    /// All values are zero, or so small that the vector has no direction.
    #[error("the feature has length zero, so it has no direction to compare")]
    ZeroLength,
    /// A stored row should have length one and has not.
    #[error("the feature has length {length} where 1 is expected: normalize it first")]
    NotUnit {
        /// The length found.
        length: f64,
    },
    /// A stored row's scale is not a positive finite number.
    #[error("the scale of the 8-bit codes is {scale}, not a positive finite number")]
    Scale {
        /// The scale found.
        scale: f32,
    },
}

/// Why a gallery cannot be built, extended or searched.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GalleryError {
    /// The query's feature is unusable.
    #[error("query: {0}")]
    Query(FeatureError),
    /// A gallery row's feature is unusable.
    #[error("gallery row {row}: {problem}")]
    Row {
        /// Row number, from zero.
        row: usize,
        /// What is wrong with it.
        problem: FeatureError,
    },
    /// There is no photo to compare with.
    #[error("the gallery holds no photo: add at least one before asking for a match")]
    Empty,
    /// Features have no values.
    #[error("the gallery's feature dimension is 0: it must be at least 1")]
    NoDimension,
    /// A flat array does not divide into rows.
    #[error("{values} feature values do not divide into rows of {dimension}")]
    Shape {
        /// How many values there are.
        values: usize,
        /// How many a row should have.
        dimension: usize,
    },
    /// Two lists that describe the same rows differ in length.
    #[error("the gallery has {features} feature rows but {described} {what}: one of each a row")]
    RowCount {
        /// Number of feature rows.
        features: usize,
        /// Length of the other list.
        described: usize,
        /// What the other list holds.
        what: &'static str,
    },
    /// A row's label is an individual that the gallery does not have.
    #[error(
        "gallery row {row} is labelled {label:?}, but there are only {individuals} individuals"
    )]
    UnknownIndividual {
        /// Row number, from zero.
        row: usize,
        /// The row's label.
        label: Label,
        /// How many individuals there are.
        individuals: usize,
    },
    /// Two individuals share a name.
    #[error("the gallery has two individuals named {name:?}: give each its own name")]
    DuplicateIndividual {
        /// The name used twice.
        name: String,
    },
    /// More rows or individuals than their numbers can count.
    #[error("the gallery is full: it can hold 4,294,967,295 photos and as many individuals")]
    Full,
}
