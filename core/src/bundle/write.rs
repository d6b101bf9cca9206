//! From networks and a gallery to files.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::evidence::{EdgeFacts, EvidenceFacts};
use super::manifest::{
    CatalogueFacts, FileEntry, Files, GalleryPhoto, Individuals, Manifest, ModelFacts, SelfCheck,
};
use super::weights::{self, Stored};
use crate::decision::{DecisionParameters, OperatingRates};
use crate::gallery::Gallery;
use crate::model::named::Named;
use crate::photo::Preprocessing;
use crate::{Error, Result};

/// What the finder's tensors are called before their own name.
pub(super) const FINDER: &str = "finder.";

/// All that goes into a bundle besides pictures.
#[derive(Clone, Debug)]
pub struct Contents {
    /// What the catalogue is called, for people.
    pub title: String,
    /// The networks' facts.
    pub model: ModelFacts,
    /// How a photo becomes the input.
    pub preprocessing: Preprocessing,
    /// Every number that decides.
    pub decision: DecisionParameters,
    /// What each operating point costs, where that is known.
    pub operating: Vec<OperatingRates>,
    /// How local features verify an answer, where the photos have them.
    pub evidence: Option<EvidenceFacts>,
    /// How trailing edges count, where the photos have them.
    pub edges: Option<EdgeFacts>,
    /// Day of the export and filters; the counts are filled in from the gallery.
    pub date: String,
    /// What was left out, in words.
    pub filters: Vec<String>,
    /// A known input's embedding.
    pub self_check: SelfCheck,
    /// The weights file, see [`weights::encode`], [`join_finder`] and [`super::join_members`].
    pub weights: Vec<u8>,
    /// Individuals and embeddings.
    pub gallery: Gallery,
    /// One a row of the gallery.
    pub photos: Vec<GalleryPhoto>,
}

/// A file to be written, its path relative to the bundle's folder.
#[derive(Debug)]
pub struct StaticFile {
    /// Path with `/`.
    pub path: String,
    /// Content.
    pub bytes: Vec<u8>,
}

/// Puts the finder's tensors beside the network's, for one weights file.
#[must_use]
pub fn join_finder(mut network: Named, finder: Named) -> Named {
    network.extend(
        finder
            .into_iter()
            .map(|(name, values)| (format!("{FINDER}{name}"), values)),
    );
    network
}

/// The network's tensors and the finder's, as [`join_finder`] was given them.
#[must_use]
pub fn split_finder(joined: Named) -> (Named, Named) {
    let (finder, network): (Named, Named) = joined
        .into_iter()
        .partition(|(name, _)| name.starts_with(FINDER));
    let bare = |(name, values): (String, _)| (name[FINDER.len()..].to_string(), values);
    (network, finder.into_iter().map(bare).collect())
}

/// The bundle's files, `bundle.json` last; the same contents give the same bytes.
///
/// # Errors
/// [`Error::Bundle`] when something cannot be written in its format.
pub fn assemble(contents: Contents) -> Result<Vec<StaticFile>> {
    let gallery = &contents.gallery;
    let individuals = Individuals {
        names: gallery
            .individuals()
            .iter()
            .map(|individual| individual.name.clone())
            .collect(),
        photos: contents.photos,
        merged: Vec::new(),
        imprinted: Vec::new(),
    };
    let catalogue = catalogue_facts(&individuals, contents.date, contents.filters);
    let index = encode_index(gallery)?;
    let individuals = json("the individuals", &individuals)?;
    let files = Files {
        weights: FileEntry::of("weights", "safetensors", &contents.weights),
        index: FileEntry::of("index", "safetensors", &index),
        individuals: FileEntry::of("individuals", "json", &individuals),
        journal: None,
    };
    let manifest = Manifest {
        format: contents.model.format(),
        title: contents.title,
        model: contents.model,
        preprocessing: contents.preprocessing,
        decision: contents.decision,
        operating: contents.operating,
        evidence: contents.evidence,
        edges: contents.edges,
        catalogue,
        self_check: contents.self_check,
        files,
    };
    let manifest_bytes = json("bundle.json", &manifest)?;
    let file = |path: &str, bytes| StaticFile {
        path: path.to_string(),
        bytes,
    };
    Ok(vec![
        file(&manifest.files.weights.path, contents.weights),
        file(&manifest.files.index.path, index),
        file(&manifest.files.individuals.path, individuals),
        file("bundle.json", manifest_bytes),
    ])
}

/// The facts of a catalogue, counted.
pub(super) fn catalogue_facts(
    individuals: &Individuals,
    date: String,
    filters: Vec<String>,
) -> CatalogueFacts {
    let photos = &individuals.photos;
    let new = photos.iter().filter(|photo| photo.individual.is_none());
    CatalogueFacts {
        individuals: individuals.names.len(),
        photos: photos.len(),
        new_photos: new.count(),
        date,
        filters,
    }
}

pub(super) fn json<T: serde::Serialize>(file: &str, value: &T) -> Result<Vec<u8>> {
    let refuse = |error| Error::Bundle {
        file: file.to_string(),
        reason: format!("cannot be written ({error})"),
    };
    serde_json::to_vec_pretty(value).map_err(refuse)
}

fn encode_index(gallery: &Gallery) -> Result<Vec<u8>> {
    let store = gallery.features().to_codes();
    let (codes, scales) = store.codes().unwrap_or_default();
    let shape = vec![store.rows(), store.dimension()];
    let tensors = BTreeMap::from([
        ("codes".to_string(), Stored::i8(shape, codes)),
        (
            "scales".to_string(),
            Stored::f32(vec![scales.len()], scales),
        ),
    ]);
    weights::serialize("the index", &tensors)
}
