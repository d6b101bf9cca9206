//! What the folders of all trainings have in common: they grow beside their place, remember their data,
//! and are whole or can be gone on with, whatever ends the program.

use super::checkpoint::{self, Checkpoint};
use super::run::Facts;
use crate::data::{Catalogue, Split, remove_temporary_files, write_atomically};
use crate::{Error, Result};
use flukeprint_core::bundle::sha256_hex;
use flukeprint_core::gallery::Label;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// The recipe as it was run.
pub(super) const RECIPE: &str = "recipe.toml";
const FACTS: &str = "facts.json";
const SPLIT: &str = "split.json";

/// Where a run grows before it is finished.
pub(super) fn unfinished(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".unfinished");
    folder.with_file_name(name)
}

/// Makes the folder in which the run at `folder` grows; nothing may stand there.
pub(super) fn begin(folder: &Path) -> Result<PathBuf> {
    if folder.exists() {
        return Err(Error::Exists {
            path: folder.to_owned(),
        });
    }
    let unfinished = unfinished(folder);
    if unfinished.join(checkpoint::FILE).exists() {
        return Err(Error::Unfinished { path: unfinished });
    }
    let failed = |source| Error::Write {
        path: unfinished.clone(),
        source,
    };
    if unfinished.exists() {
        std::fs::remove_dir_all(&unfinished).map_err(failed)?;
    }
    std::fs::create_dir_all(&unfinished).map_err(failed)?;
    Ok(unfinished)
}

/// Writes what a run in `growing` remembers of its data, the catalogue in the folder `data`.
pub(super) fn remember(
    growing: &Path,
    data: &Path,
    catalogue: &Catalogue,
    start_sha256: Option<String>,
    split: &Split,
) -> Result<Facts> {
    let failed = |source| Error::Write {
        path: growing.to_owned(),
        source,
    };
    let facts = Facts {
        catalogue: std::path::absolute(data).map_err(failed)?,
        individuals: catalogue.individuals.clone(),
        data_sha256: data_hash(catalogue),
        start_sha256,
    };
    split.save(catalogue, &growing.join(SPLIT))?;
    let json = serde_json::to_vec_pretty(&facts)
        .map_err(std::io::Error::other)
        .map_err(failed)?;
    write_atomically(&growing.join(FACTS), &json)?;
    Ok(facts)
}

/// The folder in which the interrupted run that is to stand at `folder` grew, and where it stopped.
pub(super) fn interrupted(folder: &Path) -> Result<(PathBuf, Checkpoint)> {
    if folder.exists() {
        return Err(Error::Run {
            path: folder.to_owned(),
            reason: "is finished; there is nothing to resume".to_owned(),
        });
    }
    let wanted = "`train --resume` goes on with what an interrupted training left there";
    let growing = unfinished(folder);
    let path = growing.join(checkpoint::FILE);
    if !path.exists() {
        return Err(Error::MissingFile { path, wanted });
    }
    let checkpoint = Checkpoint::load(&path)?;
    Ok((growing, checkpoint))
}

/// The text of one of a run's own files.
pub(super) fn text(folder: &Path, name: &str) -> Result<String> {
    let path = folder.join(name);
    if !path.exists() {
        return Err(Error::MissingFile {
            path,
            wanted: "it belongs to a run; train again",
        });
    }
    std::fs::read_to_string(&path).map_err(|source| Error::Read { path, source })
}

/// What the run in `folder` remembers of its data.
pub(super) fn facts(folder: &Path) -> Result<Facts> {
    serde_json::from_str(&text(folder, FACTS)?).map_err(|error| Error::Run {
        path: folder.join(FACTS),
        reason: error.to_string(),
    })
}

/// The split in `folder` of the run at `run`, for the catalogue that it was trained on.
pub(super) fn split(
    folder: &Path,
    run: &Path,
    facts: &Facts,
    catalogue: &Catalogue,
) -> Result<Split> {
    if data_hash(catalogue) != facts.data_sha256 {
        return Err(Error::Run {
            path: run.to_owned(),
            reason: format!(
                "was trained on other photos, labels or boxes than {} holds now; train again",
                catalogue.root.display()
            ),
        });
    }
    Split::load(catalogue, &folder.join(SPLIT))
}

/// Moves what has grown to its place.
pub(super) fn finish(folder: &Path) -> Result<()> {
    let failed = |source| Error::Write {
        path: folder.to_owned(),
        source,
    };
    let growing = unfinished(folder);
    remove_temporary_files(&growing).map_err(failed)?;
    // The checkpoint goes last: whenever the program is killed, the run is whole or can go on.
    std::fs::rename(growing, folder).map_err(failed)?;
    std::fs::remove_file(folder.join(checkpoint::FILE)).map_err(failed)
}

/// What to say of a training that `cause` stopped: the cause alone, or with the way to go on where
/// something of it is left.
pub(super) fn stopped(folder: &Path, cause: Error) -> Error {
    let growing = unfinished(folder);
    match growing.exists() {
        true => Error::Stopped {
            cause: Box::new(cause),
            path: growing,
            out: folder.to_owned(),
        },
        false => cause,
    }
}

/// SHA-256 of what a catalogue says: names, labels and boxes, in its order.
pub(crate) fn data_hash(catalogue: &Catalogue) -> String {
    let mut text = String::new();
    for photo in &catalogue.photos {
        let label = match photo.label {
            Label::Individual(i) => catalogue.individuals[i as usize].as_str(),
            Label::New => crate::data::NEW_WHALE,
        };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{},{label},{:?}", photo.file, photo.region);
    }
    sha256_hex(text.as_bytes())
}
