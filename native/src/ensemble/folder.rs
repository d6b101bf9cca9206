//! The folder of an ensemble: `ensemble.json` and `decision.json`.

use super::{Ensemble, Fuse};
use crate::evaluate::{OPERATING, TunedOn, read_decision, read_operating};
use crate::export::{check_place, write_folder};
use crate::train::Run;
use crate::{Error, Result};
use flukeprint_core::bundle::{StaticFile, sha256_hex};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

const MARK: &str = "ensemble.json";
const DECISION: &str = "decision.json";

/// `ensemble.json`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    fuse: Fuse,
    /// At least one, in order.
    members: Vec<StoredMember>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredMember {
    /// The run's folder.
    run: PathBuf,
    /// SHA-256 of its recipe; it can be changed in part when the run is trained already.
    recipe_sha256: String,
    /// SHA-256 of its `network.safetensors`.
    network_sha256: String,
    /// SHA-256 of its photos' names, labels and boxes.
    data_sha256: String,
}

impl StoredMember {
    fn of(run: &Run) -> Result<Self> {
        let path = run.folder().join("network.safetensors");
        let network = std::fs::read(&path).map_err(|source| Error::Read { path, source })?;
        let folder = run.folder();
        Ok(Self {
            run: std::path::absolute(folder).map_err(|source| Error::Read {
                path: folder.to_owned(),
                source,
            })?,
            recipe_sha256: run.recipe.sha256()?,
            network_sha256: sha256_hex(&network),
            data_sha256: run.facts.data_sha256.clone(),
        })
    }

    /// The run, if it is what it was.
    fn open(&self) -> Result<Run> {
        let run = Run::open(&self.run)?;
        let found = Self::of(&run)?;
        let changed = [
            ("recipe", &self.recipe_sha256, &found.recipe_sha256),
            ("network", &self.network_sha256, &found.network_sha256),
            ("catalogue", &self.data_sha256, &found.data_sha256),
        ]
        .into_iter()
        .find(|(_, then, now)| then != now);
        match changed {
            None => Ok(run),
            Some((what, ..)) => Err(Error::Run {
                path: self.run.clone(),
                reason: format!(
                    "has another {what} than when the ensemble was made; run `flukeprint ensemble` \
                     again"
                ),
            }),
        }
    }
}

impl Ensemble {
    /// Whether an ensemble can be written to `folder`: nothing stands there, or an empty folder or
    /// another ensemble.
    ///
    /// # Errors
    /// [`Error::Exists`] when something else does.
    pub fn check_place(folder: &Path) -> Result<()> {
        check_place(folder, MARK)
    }

    /// Writes the ensemble to `folder`: beside it first, then by renaming. An ensemble that stands
    /// there is replaced, anything else is not.
    ///
    /// # Errors
    /// As [`Ensemble::check_place`], a member that cannot be read, and a disk that refuses.
    pub fn save(&self, folder: &Path) -> Result<()> {
        let members = self.members().map(StoredMember::of);
        let stored = Stored {
            fuse: self.fuse,
            members: members.collect::<Result<_>>()?,
        };
        let files = [
            file(folder, MARK, &stored)?,
            file(folder, DECISION, &self.decision)?,
            file(folder, OPERATING, &self.operating)?,
        ];
        write_folder(folder, MARK, &files)
    }

    /// Opens an ensemble and its runs.
    ///
    /// # Errors
    /// When `folder` holds no ensemble, one of its files cannot be used, or a run is not there any
    /// more or not what it was.
    pub fn open(folder: &Path) -> Result<Self> {
        let wanted = "an ensemble, as `flukeprint ensemble` writes it";
        if !folder.is_dir() {
            return Err(Error::MissingFolder {
                path: folder.to_owned(),
                wanted,
            });
        }
        let path = folder.join(MARK);
        if !path.exists() {
            return Err(Error::MissingFile { path, wanted });
        }
        let text = std::fs::read(&path).map_err(|source| Error::Read {
            path: path.clone(),
            source,
        })?;
        let refuse = |reason: String| Error::Ensemble { path, reason };
        let stored: Stored = match serde_json::from_slice(&text) {
            Ok(stored) => stored,
            Err(error) => return Err(refuse(error.to_string())),
        };
        let members = stored.members.iter().map(StoredMember::open);
        let mut members = members.collect::<Result<Vec<Run>>>()?.into_iter();
        let Some(first) = members.next() else {
            return Err(refuse("it names no run".to_owned()));
        };
        Ok(Self {
            first,
            others: members.collect(),
            fuse: stored.fuse,
            tuned_on: TunedOn::Half,
            operating: read_operating(folder)?,
            decision: read_decision(
                &folder.join(DECISION),
                "it belongs to an ensemble; run `flukeprint ensemble` again",
            )?,
        })
    }
}

fn file(folder: &Path, name: &str, value: &impl Serialize) -> Result<StaticFile> {
    let bytes = serde_json::to_vec_pretty(value).map_err(|error| Error::Write {
        path: folder.join(name),
        source: std::io::Error::other(error),
    })?;
    Ok(StaticFile {
        path: name.to_owned(),
        bytes,
    })
}
