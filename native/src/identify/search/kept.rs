//! How keypoints are sorted, kept beside the bundle that has them.

use super::NotCompared;
use crate::data::write_atomically;
use crate::export::SEARCH;
use crate::{Error, Result};
use flukeprint_core::bundle::sha256_hex;
use flukeprint_core::evidence::DESCRIPTOR;
use flukeprint_core::evidence::vote::{IndexOptions, Sorting};
use flukeprint_core::identify::Identifier;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::path::{Path, PathBuf};

/// Another way of sorting needs another number.
const VERSION: u32 = 1;

/// Where a sorting is kept, and of what it is.
pub(super) struct Kept {
    path: PathBuf,
    key: String,
}

impl Kept {
    /// Of the photos of a bundle but for those that do not vote.
    pub(super) fn of(
        identifier: &Identifier,
        folder: &Path,
        options: &IndexOptions,
        not_voting: &[NotCompared],
    ) -> Self {
        let without = not_voting.iter().map(|photo| photo.photo.as_str());
        // The individuals' file has the hash of every file of keypoints, in the gallery's order.
        let photos = &identifier.manifest().files.individuals.sha256;
        let all: Vec<&str> = [photos.as_str()].into_iter().chain(without).collect();
        let key = sha256_hex(format!("{VERSION} {options:?} {all:?}").as_bytes());
        Self {
            path: folder.join(format!("{SEARCH}.{}.safetensors", &key[..16])),
            key,
        }
    }

    /// The sorting, if it is there and whole.
    pub(super) fn load(&self) -> Option<Sorting> {
        let bytes = std::fs::read(&self.path).ok()?;
        let tensors = SafeTensors::deserialize(&bytes).ok()?;
        let data = |name| Some(tensors.tensor(name).ok()?.data());
        let (centres, lists) = (data("centres")?, data("lists")?);
        if data("key")? != self.mark(centres, lists).as_bytes() {
            return None;
        }
        let (centres, _) = centres.as_chunks::<DESCRIPTOR>();
        let (lists, _) = lists.as_chunks::<4>();
        Some(Sorting {
            centres: centres
                .iter()
                .map(|centre| centre.map(|code| code as i8))
                .collect(),
            lists: lists.iter().map(|&list| u32::from_le_bytes(list)).collect(),
        })
    }

    /// Keeps a sorting.
    ///
    /// # Errors
    /// [`Error::Write`], as in a folder that is only to be read.
    pub(super) fn save(&self, sorting: &Sorting) -> Result<()> {
        let failed = |error: safetensors::SafeTensorError| Error::Write {
            path: self.path.clone(),
            source: std::io::Error::other(error),
        };
        let centres = sorting.centres.as_flattened().iter();
        let centres: Vec<u8> = centres.map(|&code| code as u8).collect();
        let lists: Vec<u8> = sorting.lists.iter().flat_map(|l| l.to_le_bytes()).collect();
        let mark = self.mark(&centres, &lists);
        let count = [sorting.centres.len(), sorting.lists.len()];
        let tensors = [
            ("key", Dtype::U8, vec![mark.len()], mark.as_bytes()),
            ("centres", Dtype::I8, vec![count[0], DESCRIPTOR], &centres),
            ("lists", Dtype::U32, vec![count[1]], &lists),
        ];
        let views = tensors.map(|(name, dtype, shape, data)| {
            Ok((name, TensorView::new(dtype, shape, data).map_err(failed)?))
        });
        let views: Vec<_> = views.into_iter().collect::<Result<_>>()?;
        let bytes = safetensors::serialize(views, None).map_err(failed)?;
        write_atomically(&self.path, &bytes)
    }

    /// Of what the sorting is, and which it is.
    fn mark(&self, centres: &[u8], lists: &[u8]) -> String {
        let hashes = [&self.key, &sha256_hex(centres), &sha256_hex(lists)];
        sha256_hex(hashes.map(String::as_str).concat().as_bytes())
    }
}
