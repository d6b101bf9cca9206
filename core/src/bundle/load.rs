//! From files to a bundle that can be trusted, or to a clear refusal.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use safetensors::tensor::{Dtype, SafeTensors};

use super::manifest::{
    FileEntry, GalleryPhoto, Individuals, MERGED_FORMAT, Manifest, MergedColumn,
};
use super::members::split_members;
use super::weights;
use super::write::split_finder;
use crate::gallery::{FeatureStore, Gallery, GalleryRow, Individual, Label};
use crate::model::named::Named;
use crate::{Error, Result};

/// A bundle, checked and decoded, on no device yet.
#[derive(Debug)]
pub struct Bundle {
    /// What `bundle.json` says.
    pub manifest: Manifest,
    /// The tensors of each of the [`Manifest::members`], batch norms folded.
    pub networks: Vec<Named>,
    /// The finder's tensors; empty when there is no finder.
    pub finder: Named,
    /// Individuals and embeddings.
    pub gallery: Gallery,
    /// One a row of the gallery.
    pub photos: Vec<GalleryPhoto>,
    /// The classifier's columns beyond an individual's first.
    pub merged: Vec<MergedColumn>,
}

/// Takes the files of a bundle one by one, in any order.
#[derive(Debug)]
pub struct Loader {
    manifest: Manifest,
    contents: BTreeMap<String, Vec<u8>>,
}

impl Loader {
    /// Reads the manifest.
    ///
    /// # Errors
    /// See [`Manifest::from_json`].
    pub fn new(bundle_json: &[u8]) -> Result<Self> {
        Ok(Self {
            manifest: Manifest::from_json(bundle_json)?,
            contents: BTreeMap::new(),
        })
    }

    /// What the manifest says.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The files that [`Loader::finish`] needs.
    pub fn files(&self) -> [&FileEntry; 3] {
        self.manifest.files.all()
    }

    /// Takes one file after checking its size and hash.
    ///
    /// # Errors
    /// [`Error::Bundle`] when the bundle has no such file or the content is not the bundle's.
    pub fn add(&mut self, path: &str, content: Vec<u8>) -> Result<()> {
        let entry = self.files().into_iter().find(|entry| entry.path == path);
        let entry = entry.ok_or_else(|| refuse(path, "is no file of this bundle"))?;
        entry.check(&content)?;
        self.contents.insert(path.to_string(), content);
        Ok(())
    }

    /// Decodes everything.
    ///
    /// # Errors
    /// [`Error::Bundle`] or [`Error::Tensor`] naming the file that is missing or does not fit the
    /// others, [`Error::Gallery`] when the index cannot be used.
    pub fn finish(mut self) -> Result<Bundle> {
        let files = self.manifest.files.clone();
        let weights = self.take(&files.weights)?;
        let index = self.take(&files.index)?;
        let individuals = self.take(&files.individuals)?;

        let (network, finder) = split_finder(weights::decode(&files.weights.path, &weights)?);
        let networks = split_members(network, self.manifest.members().len());
        let individuals = read_individuals(&files.individuals.path, &individuals)?;
        let merged = !individuals.merged.is_empty();
        if merged != (self.manifest.format == MERGED_FORMAT) {
            return Err(refuse(
                &files.individuals.path,
                "does not fit the bundle's format; copy the bundle again",
            ));
        }
        let store = read_index(&files.index.path, &index)?;
        let expected = self.manifest.feature_width();
        if store.dimension() != expected {
            return Err(refuse(
                &files.index.path,
                &format!(
                    "holds embeddings of {} values, the model makes {expected}: it comes from another \
                     model; export the bundle again",
                    store.dimension()
                ),
            ));
        }
        let rows = individuals
            .photos
            .iter()
            .enumerate()
            .map(|(photo, fact)| GalleryRow {
                label: fact.individual.map_or(Label::New, Label::Individual),
                photo: photo as u32,
            });
        let names = individuals
            .names
            .into_iter()
            .map(|name| Individual { name });
        let gallery = Gallery::new(names.collect(), rows.collect(), store)?;
        Ok(Bundle {
            manifest: self.manifest,
            networks,
            finder,
            gallery,
            photos: individuals.photos,
            merged: individuals.merged,
        })
    }

    fn take(&mut self, entry: &FileEntry) -> Result<Vec<u8>> {
        self.contents
            .remove(&entry.path)
            .ok_or_else(|| refuse(&entry.path, "is missing; copy the bundle again"))
    }
}

pub(super) fn refuse(file: &str, reason: &str) -> Error {
    Error::Bundle {
        file: file.to_string(),
        reason: reason.to_string(),
    }
}

pub(super) fn read_individuals(file: &str, bytes: &[u8]) -> Result<Individuals> {
    let individuals: Individuals = serde_json::from_slice(bytes).map_err(|error| {
        refuse(
            file,
            &format!("cannot be used ({error}); export the bundle again"),
        )
    })?;
    if !individuals.is_sound() {
        return Err(refuse(
            file,
            "gives a column of the classifier to an individual without one of its own; copy the bundle again",
        ));
    }
    let of_photos = individuals.photos.iter();
    let mut of_photos = of_photos.filter_map(|photo| photo.keypoints.as_ref());
    if let Some(outside) = of_photos.find(|file| !file.is_inside()) {
        return Err(refuse(
            file,
            &format!(
                "names the file `{}`, which lies outside the bundle",
                outside.path
            ),
        ));
    }
    let mut names = BTreeSet::new();
    match individuals
        .names
        .iter()
        .find(|name| !names.insert(name.as_str()))
    {
        Some(twice) => Err(refuse(
            file,
            &format!("names the individual `{twice}` twice"),
        )),
        None => Ok(individuals),
    }
}

/// The index file: `codes` I8 `[photos, dimension]`, `scales` F32 `[photos]`.
fn read_index(file: &str, bytes: &[u8]) -> Result<FeatureStore> {
    let tensors = SafeTensors::deserialize(bytes)
        .map_err(|error| refuse(file, &format!("is no safetensors file ({error:?})")))?;
    let tensor = |name: &str, dtype| {
        let view = tensors
            .tensor(name)
            .map_err(|_| refuse(file, &format!("has no tensor `{name}`")))?;
        if view.dtype() == dtype {
            Ok(view)
        } else {
            Err(refuse(file, &format!("`{name}` is not {dtype:?}")))
        }
    };
    let codes = tensor("codes", Dtype::I8)?;
    let scales = tensor("scales", Dtype::F32)?;
    let &[photos, dimension] = codes.shape() else {
        return Err(refuse(file, "`codes` is not [photos, dimension]"));
    };
    if scales.shape() != [photos] {
        return Err(refuse(file, "has not one scale a photo"));
    }
    let values = codes.data().iter().map(|&code| code as i8).collect();
    Ok(FeatureStore::from_codes(
        dimension,
        values,
        weights::floats(scales.data()),
    )?)
}
