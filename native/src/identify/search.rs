//! A bundle's keypoints on a disk, ready to vote.

mod kept;

use super::verified::NotCompared;
use crate::Result;
use crate::evidence::sort;
use crate::progress::Progress;
use flukeprint_core::bundle::FileEntry;
use flukeprint_core::evidence::vote::{Descriptors, Index, IndexOptions};
use flukeprint_core::evidence::{Features, file};
use flukeprint_core::identify::{Identification, Identifier, VerifiedAnswer};
use flukeprint_core::photo::Photo;
use kept::Kept;
use rayon::prelude::*;
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Files that are read before their descriptors move to one place.
const AT_ONCE: usize = 256;

/// The descriptors of all photos of a bundle, and where their files are.
#[derive(Debug)]
pub struct Search {
    folder: PathBuf,
    index: Index,
    facts: SearchedPhotos,
}

/// Who votes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SearchedPhotos {
    /// Photos of the gallery that vote.
    pub voting: usize,
    /// Their keypoints.
    pub keypoints: usize,
    /// Photos that cannot vote, and why.
    pub not_voting: Vec<NotCompared>,
    /// What the index takes in memory.
    pub index_bytes: usize,
}

impl Search {
    /// Reads all keypoints of the bundle in `folder`, checked, and sorts them into lists; which list each
    /// belongs to stays in the folder, for that takes longest. A photo whose file is missing or damaged
    /// does not vote, and is noted.
    ///
    /// # Errors
    /// A bundle that does not say how its photos vote.
    pub fn open(identifier: &Identifier, folder: &Path, progress: &dyn Progress) -> Result<Self> {
        let options = identifier.search_facts()?.index;
        let (descriptors, not_voting) = read_all(identifier, folder, progress);
        let keypoints = descriptors.len();
        let kept = Kept::of(identifier, folder, &options, &not_voting);
        let index = index(descriptors, &options, &kept, progress)?;
        let facts = SearchedPhotos {
            voting: identifier.photos().len() - not_voting.len(),
            keypoints,
            not_voting,
            index_bytes: index.bytes(),
        };
        facts.tell(progress);
        Ok(Self {
            folder: folder.to_owned(),
            index,
            facts,
        })
    }

    /// Who votes.
    pub fn facts(&self) -> &SearchedPhotos {
        &self.facts
    }

    /// The answer for a photo that is answered, with the votes of all and the first whales compared.
    pub(super) fn answer(
        &self,
        identifier: &Identifier,
        photo: &Photo,
        identified: &Identification,
        count: usize,
    ) -> Result<VerifiedAnswer> {
        let fluke = (photo, identified.region);
        let fetch = |entry: &FileEntry| fetch(&self.folder, entry);
        let embedding = &identified.embedding;
        let searched = identifier.search(&self.index, fluke, embedding, fetch, count);
        Ok(pollster::block_on(searched)?)
    }
}

impl SearchedPhotos {
    fn tell(&self, progress: &dyn Progress) {
        if let Some(first) = self.not_voting.first() {
            progress.note(&format!(
                "{} of {} photos of the gallery cannot vote (first: {}: {}); the answers stand without them",
                self.not_voting.len(),
                self.not_voting.len() + self.voting,
                first.photo,
                first.reason
            ));
        }
    }
}

/// The bytes of a file of the bundle in `folder`, or why they cannot be had.
pub(super) fn fetch(folder: &Path, entry: &FileEntry) -> std::result::Result<Vec<u8>, String> {
    let bytes = std::fs::read(folder.join(&entry.path));
    bytes.map_err(|error| format!("{}: {error}", entry.path))
}

/// The descriptors of every row of the gallery, and the photos that have none to be had.
fn read_all(
    identifier: &Identifier,
    folder: &Path,
    progress: &dyn Progress,
) -> (Descriptors, Vec<NotCompared>) {
    let files: Vec<Option<&FileEntry>> = identifier.to_search().collect();
    let sizes = files
        .iter()
        .flatten()
        .map(|file| file.bytes.min(file::LARGEST_FILE as u64));
    let most = sizes.sum();
    let mut descriptors = Descriptors::with_capacity(file::keypoints_in(most));
    let mut not_voting = Vec::new();
    progress.begin("reading keypoints", files.len());
    for (part, files) in files.chunks(AT_ONCE).enumerate() {
        let read: Vec<_> = files.par_iter().map(|&file| read(folder, file)).collect();
        for (place, read) in read.into_iter().enumerate() {
            let row = part * AT_ONCE + place;
            match read {
                Ok(found) => descriptors.add(&found),
                Err(reason) => {
                    descriptors.add(&Features::default());
                    let photo = identifier.photos()[row].file.clone();
                    not_voting.push(NotCompared { photo, reason });
                }
            }
            progress.advance(row + 1);
        }
    }
    (descriptors, not_voting)
}

fn read(folder: &Path, file: Option<&FileEntry>) -> std::result::Result<Features, String> {
    let entry = file.ok_or("the bundle has no keypoints of it")?;
    let bytes = fetch(folder, entry)?;
    let decode = || {
        entry.check(&bytes)?;
        file::decode(&entry.path, &bytes)
    };
    decode().map_err(|error: flukeprint_core::Error| error.to_string())
}

fn index(
    descriptors: Descriptors,
    options: &IndexOptions,
    kept: &Kept,
    progress: &dyn Progress,
) -> Result<Index> {
    let sorted = || {
        let sorting = sort(&descriptors, options, progress);
        if let Err(error) = kept.save(&sorting) {
            progress.note(&format!(
                "the keypoints must be sorted anew the next time: {error}"
            ));
        }
        sorting
    };
    // What does not fit is found out anew.
    let sorting = kept.load().filter(|sorting| sorting.fits(&descriptors));
    let sorting = sorting.unwrap_or_else(sorted);
    Ok(Index::new(descriptors, &sorting)?)
}
