//! The one error of this crate.

use crate::data::BadRow;
use std::io;
use std::path::PathBuf;

/// The result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// What can go wrong. Every message is one line that names the file, row or value and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A folder that was asked for does not exist.
    #[error("there is no folder {}; {wanted}", path.display())]
    MissingFolder {
        /// The folder.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
    },
    /// A file that was asked for does not exist.
    #[error("there is no file {}; {wanted}", path.display())]
    MissingFile {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        wanted: &'static str,
    },
    /// The system refuses to read a file.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system refuses to write a file. Nothing is left behind.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A table is not text in UTF-8.
    #[error("{} line {line} is not UTF-8 text; save the table as \"CSV UTF-8\"", path.display())]
    NotText {
        /// The table.
        path: PathBuf,
        /// The first line that is not, from 1.
        line: u64,
    },
    /// A table is not CSV.
    #[error("cannot read {} as a table of comma-separated values: {source}", path.display())]
    Csv {
        /// The table.
        path: PathBuf,
        /// What the reader says.
        source: csv::Error,
    },
    /// A table lacks a column.
    #[error(
        "{} has the columns [{}], but [{}] are needed, in any order, separated by commas",
        path.display(), found.join(", "), wanted.join(", ")
    )]
    MissingColumns {
        /// The table.
        path: PathBuf,
        /// The columns in its first line.
        found: Vec<String>,
        /// The columns that are needed.
        wanted: Vec<&'static str>,
    },
    /// One row of a table cannot be used.
    #[error("{0}")]
    Row(Box<BadRow>),
    /// Several rows cannot be used.
    #[error(
        "{bad} of {total} rows cannot be used (first: {first}); {}",
        list.as_ref().map_or_else(
            || "the list of all could not be written".to_owned(),
            |list| format!("all are listed in {}", list.display())
        )
    )]
    Rows {
        /// How many rows.
        bad: usize,
        /// Of how many in the tables that have such rows.
        total: usize,
        /// The first of them.
        first: Box<BadRow>,
        /// The file that lists all of them.
        list: Option<PathBuf>,
    },
    /// A catalogue has no photo at all.
    #[error("{} lists no photo; add one row `file,individual` a photo", path.display())]
    NoPhotos {
        /// The table of labels.
        path: PathBuf,
    },
    /// A catalogue has no individual to learn.
    #[error(
        "every photo in {} is `new_whale`; name the individual on some, or there is nothing to recognise",
        path.display()
    )]
    OnlyNewWhales {
        /// The table of labels.
        path: PathBuf,
    },
    /// An individual has no photo where one is needed.
    #[error("whale `{name}` has no photo among the {place}; add one or remove the whale")]
    WhaleWithoutPhoto {
        /// The individual.
        name: String,
        /// Among which photos one was looked for.
        place: String,
    },
    /// A photo cannot be used.
    #[error("photo {} cannot be used: {reason}", path.display())]
    Photo {
        /// The photo.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A stored split does not fit its catalogue.
    #[error("{}: {reason}; draw the split again from this catalogue", path.display())]
    Split {
        /// The stored split.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A setting is out of its range.
    #[error("`{name}` is {value}, but must be {wanted}")]
    Setting {
        /// The setting's name, as the recipe spells it.
        name: &'static str,
        /// The value given.
        value: String,
        /// The range that is allowed.
        wanted: &'static str,
    },
    /// A recipe cannot be used.
    #[error("recipe {recipe}: {reason}")]
    Recipe {
        /// Its name or path.
        recipe: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is no such backbone.
    #[error("there is no backbone `{name}`; `flukeprint models` lists those there are{meant}")]
    Backbone {
        /// The name given.
        name: String,
        /// "; did you mean …?", or nothing.
        meant: String,
    },
    /// A run's folder cannot be used.
    #[error("run {}: {reason}", path.display())]
    Run {
        /// The folder or the file in it.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An ensemble's folder cannot be used.
    #[error("ensemble {}: {reason}; run `flukeprint ensemble` again", path.display())]
    Ensemble {
        /// The folder or the file in it.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A weights file cannot be used.
    #[error("weights {}: {reason}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Something stands where a new folder is to be made.
    #[error("{} is there already; choose another place or remove it", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// There are too few photos for a batch.
    #[error(
        "{photos} photos of known whales are left to train on, a batch takes {batch}; \
         add photos or set a smaller `batch` in the recipe"
    )]
    TooFewPhotos {
        /// Photos there are.
        photos: usize,
        /// Photos a batch takes.
        batch: usize,
    },
    /// There are too few points for a batch of a descriptor's training.
    #[error(
        "a batch takes patches of {wanted} whales, and {whales} of those to train on have a photo with {points} \
         keypoints; add photos, or set a smaller `points` or `points_a_picture` in the recipe"
    )]
    FewPoints {
        /// Keypoints that a photo must have.
        points: usize,
        /// Whales that have such a photo.
        whales: usize,
        /// Whales a batch shows.
        wanted: usize,
    },
    /// A catalogue names a single whale.
    #[error(
        "the catalogue names one whale only, `{name}`, and there is nothing to tell it from; add photos of \
         another whale"
    )]
    SingleWhale {
        /// Its name.
        name: String,
    },
    /// All photos to train on show the same whale.
    #[error(
        "the photos to train on show one whale only, and a triplet needs a second; add photos of \
         another whale or take [triplet] out of the recipe"
    )]
    OneWhale,
    /// No photo can be looked up among the others.
    #[error(
        "no whale has two of the {photos} photos, so none can be found again by another; add a second \
         photo of a whale"
    )]
    NoSecondPhoto {
        /// Photos there are.
        photos: usize,
    },
    /// The loss is no number any more.
    #[error(
        "the loss of {stage} became {value} in epoch {epoch}; lower the rates in the recipe (a run in progress reads its own recipe.toml)"
    )]
    Loss {
        /// Which stage.
        stage: String,
        /// Which epoch, from 1.
        epoch: usize,
        /// The loss.
        value: f32,
    },
    /// A training stopped from which it can go on.
    #[error(
        "{cause}\nwhat was trained until then is kept in {}; when the cause is mended, go on with \
         `flukeprint train --resume --out {}`", path.display(), out.display()
    )]
    Stopped {
        /// Why.
        cause: Box<Self>,
        /// The unfinished run.
        path: PathBuf,
        /// Where the run is to stand.
        out: PathBuf,
    },
    /// An interrupted training stands where a new one is to begin.
    #[error(
        "{} holds an interrupted training; go on with it by `train --resume`, or remove the folder",
        path.display()
    )]
    Unfinished {
        /// The unfinished run.
        path: PathBuf,
    },
    /// A folder to answer has no photo.
    #[error(
        "{} holds no photo, and {others} other files; photos are named .jpg, .jpeg, .png or .webp",
        path.display()
    )]
    NoPhotosIn {
        /// The folder.
        path: PathBuf,
        /// Files in it that are no photos.
        others: usize,
    },
    /// A table's name could mean either of two photos.
    #[error(
        "{} says `{name}`, which could be {} or {}; write the path in the folder that is given, or answer \
         one folder at a time", table.display(), one.display(), other.display()
    )]
    SameName {
        /// The table.
        table: PathBuf,
        /// The name in it.
        name: String,
        /// A photo of that name.
        one: PathBuf,
        /// Another.
        other: PathBuf,
    },
    /// A table of encounters cannot be used.
    #[error("{}: {reason}", path.display())]
    Encounters {
        /// The table.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// Kaggle's file cannot be written for these photos.
    #[error("{reason}")]
    Submission {
        /// Why, and what to do.
        reason: String,
    },
    /// Some photos have no answer; each says why in its place.
    #[error("{failed} of {photos} photos could not be answered; each says why in its place")]
    Unanswered {
        /// Photos without an answer.
        failed: usize,
        /// Photos that were asked for.
        photos: usize,
    },
    /// Some photos cannot be enrolled, and so none was.
    #[error(
        "{failed} of {photos} photos cannot be used, each named above; nothing was enrolled. Mend them or leave them out"
    )]
    NotEnrolled {
        /// Photos that cannot be used.
        failed: usize,
        /// Photos that were given.
        photos: usize,
    },
    /// A bundle that cannot be what it is asked to be.
    #[error("bundle {}: {reason}", path.display())]
    Bundle {
        /// Its folder.
        path: PathBuf,
        /// What is in the way, and what to do.
        reason: String,
    },
    /// A bundle is not what it was when it was read.
    #[error("bundle {} was changed by somebody else meanwhile; run the command again", path.display())]
    BundleChanged {
        /// Its folder.
        path: PathBuf,
    },
    /// A device cannot be used.
    #[error("device `{device}`: {reason}")]
    Device {
        /// As it was chosen.
        device: String,
        /// Why it cannot be used, and what to do.
        reason: String,
    },
    /// The page cannot be served.
    #[error("cannot serve at {address}: {source}; choose another --port")]
    Serve {
        /// Where.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// The core refuses.
    #[error(transparent)]
    Core(#[from] flukeprint_core::Error),
    /// Tuning or scoring refuses.
    #[error(transparent)]
    Tune(#[from] crate::tune::TuneError),
    /// A bundle cannot be changed as asked.
    #[error(transparent)]
    Growth(#[from] flukeprint_core::bundle::GrowthError),
    /// The synthetic catalogue cannot be drawn.
    #[error(transparent)]
    Synth(#[from] crate::synth::SynthError),
    /// A worker stopped in a way that is our fault.
    #[error(
        "reading photo number {photo} of the catalogue failed inside: {reason}; please report this"
    )]
    Worker {
        /// The photo's place in the catalogue, from 0.
        photo: usize,
        /// What the worker said.
        reason: String,
    },
}

impl Error {
    /// The exit code of the command line: 2 where the input is at fault, 1 otherwise.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Write { .. } | Self::Worker { .. } | Self::Loss { .. } => 1,
            Self::Stopped { cause, .. } => cause.exit_code(),
            _ => 2,
        }
    }
}
