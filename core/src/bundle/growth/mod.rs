//! A bundle that grows without training: photos and whales come in, go, change names, and every
//! change can be taken back.
//!
//! - `content`: what changes: names, gallery rows, the classifier's columns;
//! - `edit`: the smallest changes, each of which gives its own inverse;
//! - `imprint`: a classifier's column out of gallery photos;
//! - `operations`: what people ask for, made of edits, and `enroll`, the largest of them;
//! - `journal`: what was done, and the edits that take it back.
//!
//! Whatever is not changed stays as it was stored, to the bit: nothing is decoded and coded again.
//! So taking every change back gives the bundle's files back as they were.

mod content;
mod edit;
mod enroll;
mod error;
mod imprint;
mod journal;
mod operations;

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::load::{Loader, refuse};
use super::manifest::{FileEntry, Files, Individuals, MERGED_FORMAT, Manifest};
use super::weights::{self, Stored, stored};
use super::write::{StaticFile, catalogue_facts, json};
use crate::identify::Fuse;
use crate::{Error, Result};
use content::Content;
use journal::Journal;

pub use enroll::{Enrolled, NewPhoto};
pub use error::GrowthError;
pub use journal::{Did, Entry};

/// A bundle's files, taken apart as far as they can change.
#[derive(Clone, Debug)]
pub struct GrowingBundle {
    manifest: Manifest,
    /// The tensors of the weights file but the classifiers'.
    tensors: BTreeMap<String, Stored>,
    content: Content,
    journal: Journal,
}

impl GrowingBundle {
    /// Takes a bundle apart. `read` gives the content of the file with a path, relative to
    /// `bundle.json`; it is asked for those that the manifest names, the journal included.
    ///
    /// # Errors
    /// What [`Loader`] refuses, a journal that cannot be used or belongs to another model, and
    /// what `read` returns.
    pub fn open<E: From<Error>>(
        bundle_json: &[u8],
        mut read: impl FnMut(&str) -> core::result::Result<Vec<u8>, E>,
    ) -> core::result::Result<Self, E> {
        let mut loader = Loader::new(bundle_json)?;
        let files = loader.manifest().files.clone();
        let mut contents = Vec::new();
        for entry in files.all() {
            let bytes = read(&entry.path)?;
            loader.add(&entry.path, bytes.clone())?;
            contents.push(bytes);
        }
        let journal = match &files.journal {
            None => None,
            Some(entry) => {
                let bytes = read(&entry.path)?;
                entry.check(&bytes)?;
                Some((entry.path.as_str(), bytes))
            }
        };
        let manifest = loader.manifest().clone();
        // Whatever a reader of the bundle would refuse is refused here too.
        loader.finish()?;
        Ok(Self::take_apart(manifest, &contents, journal)?)
    }

    fn take_apart(
        manifest: Manifest,
        contents: &[Vec<u8>],
        journal: Option<(&str, Vec<u8>)>,
    ) -> Result<Self> {
        let [weights, index, individuals] = contents else {
            return Err(refuse("bundle.json", "does not name three files"));
        };
        let mut tensors = stored(&manifest.files.weights.path, weights)?;
        let content = Content::read(&manifest, &mut tensors, index, individuals)?;
        let journal = match journal {
            None => Journal::new(&tensors),
            Some((path, bytes)) => Journal::read(path, &bytes, &tensors)?,
        };
        Ok(Self {
            manifest,
            tensors,
            content,
            journal,
        })
    }

    /// What `bundle.json` said when it was opened.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The individuals' names, in their order.
    pub fn names(&self) -> &[String] {
        &self.content.names
    }

    /// Photos in the gallery.
    pub fn photos(&self) -> usize {
        self.content.rows.len()
    }

    /// How many individuals the classifier answers for: the first so many.
    pub fn classified(&self) -> usize {
        self.content.classified()
    }

    /// Whether the gallery's photos have small pictures.
    pub fn has_thumbnails(&self) -> bool {
        let mut rows = self.content.rows.iter();
        rows.any(|row| row.photo.thumbnail.is_some())
    }

    /// What was done to the bundle and can be taken back, the oldest first.
    pub fn history(&self) -> &[Entry] {
        self.journal.entries()
    }

    /// The small pictures and keypoints that the bundle needs: those of its photos, and those that taking
    /// something back would bring back.
    pub fn on_demand(&self) -> Vec<&FileEntry> {
        let rows = self.content.rows.iter();
        let rows = rows.chain(self.journal.rows());
        rows.flat_map(|row| row.photo.thumbnail.iter().chain(&row.photo.keypoints))
            .collect()
    }

    /// The bundle's files, `bundle.json` last, without small pictures and keypoints. The same content gives the
    /// same bytes.
    ///
    /// # Errors
    /// [`Error::Bundle`] when something cannot be written in its format.
    pub fn files(&self) -> Result<Vec<StaticFile>> {
        let individuals = self.content.individuals();
        let merged = !individuals.merged.is_empty();
        let (weights, index) = (self.weights()?, self.content.index()?);
        let catalogue = catalogue_facts(
            &individuals,
            self.manifest.catalogue.date.clone(),
            self.manifest.catalogue.filters.clone(),
        );
        let individuals = json("the individuals", &individuals)?;
        let journal = self.journal.write()?;
        let journal_entry = journal
            .as_ref()
            .map(|bytes| FileEntry::of("journal", "json", bytes));
        let files = Files {
            weights: FileEntry::of("weights", "safetensors", &weights),
            index: FileEntry::of("index", "safetensors", &index),
            individuals: FileEntry::of("individuals", "json", &individuals),
            journal: journal_entry.clone(),
        };
        let manifest = Manifest {
            format: match merged {
                true => MERGED_FORMAT,
                false => self.manifest.model.format(),
            },
            catalogue,
            files,
            ..self.manifest.clone()
        };
        let bytes = json("bundle.json", &manifest)?;
        let mut all = Vec::new();
        let files = manifest.files;
        let mut push = |path: &str, bytes| {
            all.push(StaticFile {
                path: path.to_string(),
                bytes,
            });
        };
        push(&files.weights.path, weights);
        push(&files.index.path, index);
        push(&files.individuals.path, individuals);
        if let (Some(entry), Some(bytes)) = (journal_entry, journal) {
            push(&entry.path, bytes);
        }
        push("bundle.json", bytes);
        Ok(all)
    }

    /// The weights file: every tensor as it was, and the classifiers' columns.
    fn weights(&self) -> Result<Vec<u8>> {
        let mut tensors = self.tensors.clone();
        self.content.write_columns(&mut tensors);
        weights::serialize("the weights", &tensors)
    }

    /// The members' shares of a fused feature, for those whose features can be told apart.
    fn slices(&self) -> Option<Vec<usize>> {
        let members = self.manifest.members();
        let apart = members.len() == 1 || self.manifest.fuse() == Fuse::Concatenate;
        let widths = members.iter().map(|one| one.embedder.feature_width());
        apart.then(|| widths.collect())
    }
}

/// The individuals' file as [`Loader`] reads it.
fn read_individuals(file: &str, bytes: &[u8]) -> Result<Individuals> {
    super::load::read_individuals(file, bytes)
}
