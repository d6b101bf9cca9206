//! What was done to a bundle, and what takes it back.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::load::refuse;
use super::super::weights::Stored;
use super::content::Row;
use super::edit::Edit;
use crate::Result;

/// The journal's file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Journal {
    /// SHA-256 of the embedders' tensors: rows of another model mean nothing to this one.
    model_sha256: String,
    entries: Vec<Entry>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The day, `YYYY-MM-DD`.
    pub date: String,
    /// What was done, for people.
    pub did: Did,
    /// What takes it back, in order.
    pub(super) undo: Vec<Edit>,
}

/// What was done, in words of people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Did {
    /// Photos came in.
    Enroll {
        /// How many.
        photos: usize,
        /// The individuals that came in with them.
        individuals: Vec<String>,
    },
    /// An individual went, with all its photos.
    RemoveIndividual {
        /// Its name.
        name: String,
        /// How many photos.
        photos: usize,
    },
    /// A photo went.
    RemovePhoto {
        /// Its file.
        file: String,
        /// Whom it showed; nobody is a new whale.
        individual: Option<String>,
    },
    /// Two individuals became one.
    Merge {
        /// The name that stays.
        name: String,
        /// The name that went.
        other: String,
        /// How many photos it had.
        photos: usize,
    },
    /// An individual got another name.
    Rename {
        /// The old one.
        from: String,
        /// The new one.
        to: String,
    },
}

impl fmt::Display for Did {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Enroll {
                photos,
                individuals,
            } => {
                write!(f, "enroll {photos} photos")?;
                match individuals.as_slice() {
                    [] => Ok(()),
                    [one] => write!(f, "; new individual {one}"),
                    [first, ..] => write!(
                        f,
                        "; {} new individuals, the first {first}",
                        individuals.len()
                    ),
                }
            }
            Self::RemoveIndividual { name, photos } => {
                write!(f, "remove {name} with {photos} photos")
            }
            Self::RemovePhoto { file, individual } => {
                let of = individual.as_deref().unwrap_or(crate::gallery::NEW_WHALE);
                write!(f, "remove photo {file} of {of}")
            }
            Self::Merge {
                name,
                other,
                photos,
            } => write!(f, "merge {other} and its {photos} photos into {name}"),
            Self::Rename { from, to } => write!(f, "rename {from} to {to}"),
        }
    }
}

impl Journal {
    /// An empty journal for the model with these tensors.
    pub(super) fn new(tensors: &BTreeMap<String, Stored>) -> Self {
        Self {
            model_sha256: model_sha256(tensors),
            entries: Vec::new(),
        }
    }

    /// Reads the file at `path`, for the model with these tensors.
    pub(super) fn read(
        path: &str,
        bytes: &[u8],
        tensors: &BTreeMap<String, Stored>,
    ) -> Result<Self> {
        let journal: Self = serde_json::from_slice(bytes)
            .map_err(|error| refuse(path, &format!("cannot be used ({error})")))?;
        match journal.model_sha256 == model_sha256(tensors) {
            true => Ok(journal),
            false => Err(refuse(
                path,
                "belongs to another model than the weights; copy the bundle again",
            )),
        }
    }

    /// The file; `None` where nothing was done.
    pub(super) fn write(&self) -> Result<Option<Vec<u8>>> {
        if self.entries.is_empty() {
            return Ok(None);
        }
        let bytes = serde_json::to_vec(self)
            .map_err(|error| refuse("the journal", &format!("cannot be written ({error})")))?;
        Ok(Some(bytes))
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    pub(super) fn last(&self) -> Option<&Entry> {
        self.entries.last()
    }

    pub(super) fn pop(&mut self) -> Option<Entry> {
        self.entries.pop()
    }

    /// The rows that taking something back would bring back.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        let edits = self.entries.iter().flat_map(|entry| &entry.undo);
        let rows = edits.filter_map(|edit| match edit {
            Edit::InsertRows { rows, .. } => Some(rows),
            _ => None,
        });
        rows.flatten()
    }
}

fn model_sha256(tensors: &BTreeMap<String, Stored>) -> String {
    let mut hash = Sha256::new();
    for (name, stored) in tensors {
        hash.update(name.as_bytes());
        hash.update([0]);
        hash.update(&stored.bytes);
    }
    let digest = hash.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
