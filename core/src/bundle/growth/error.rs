//! Why a bundle cannot be changed as asked.

use alloc::string::String;

use crate::gallery::FeatureError;

/// Why a bundle cannot be changed as asked. It is then as it was.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum GrowthError {
    /// There is nothing to enroll.
    #[error("no photo was given; name at least one")]
    NoPhotos,
    /// A photo's feature cannot be used.
    #[error("photo `{file}`: {problem}")]
    Photo {
        /// The photo.
        file: String,
        /// What is wrong with its feature.
        problem: FeatureError,
    },
    /// A photo is there already.
    #[error("photo `{file}` is the same picture as `{earlier}`, which {place}; leave it out")]
    Repeated {
        /// The photo.
        file: String,
        /// The one that is there.
        earlier: String,
        /// Where that is.
        place: &'static str,
    },
    /// Another photo has that file name.
    #[error(
        "another photo called `{file}` {place}; a photo is known by its file name, so give this one another"
    )]
    FileName {
        /// The name.
        file: String,
        /// Where the other is.
        place: &'static str,
    },
    /// A name that no individual can have.
    #[error("`{name}` cannot be an individual's name: {reason}")]
    Name {
        /// The name.
        name: String,
        /// Why not.
        reason: &'static str,
    },
    /// Another individual has that name.
    #[error("there is an individual `{name}` already; `merge` makes two into one")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// There is no such individual.
    #[error("the bundle has no individual `{name}`")]
    UnknownIndividual {
        /// The name given.
        name: String,
    },
    /// There is no such photo.
    #[error("the bundle has no photo `{file}`")]
    UnknownPhoto {
        /// The file name given.
        file: String,
    },
    /// An individual was to be merged with itself.
    #[error("`{name}` cannot be merged with itself; name two individuals")]
    SameIndividual {
        /// The individual.
        name: String,
    },
    /// Nothing would be left to recognise.
    #[error("`{name}` cannot be removed: {reason}")]
    Last {
        /// The individual.
        name: String,
        /// What would be missing.
        reason: &'static str,
    },
    /// An individual would be left without a photo.
    #[error("`{file}` is the only photo of `{name}`; remove the individual instead")]
    LastPhoto {
        /// The photo.
        file: String,
        /// Its individual.
        name: String,
    },
    /// The journal is empty.
    #[error("nothing was changed since the bundle was exported, so there is nothing to take back")]
    NothingToUndo,
    /// A stored change does not fit the bundle.
    #[error("the journal's last entry does not fit the bundle ({reason}); copy the bundle again")]
    Edit {
        /// What does not fit.
        reason: &'static str,
    },
}
