//! `bundle.json` and the individuals' file.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use super::evidence::{EdgeFacts, EvidenceFacts};
use super::hash::sha256_hex;
use super::members::EnsembleFacts;
use crate::decision::{DecisionParameters, OperatingRates};
use crate::evidence::Edge;
use crate::model::{EmbedderConfig, FinderConfig};
use crate::photo::Preprocessing;
use crate::{Error, Result};

/// The format of a bundle of one network.
pub const FORMAT: u32 = 1;

/// The format of a bundle of several networks: as [`FORMAT`] with [`ModelFacts::ensemble`]. It has a
/// number of its own so that a program that knows one network only says so.
pub const ENSEMBLE_FORMAT: u32 = 2;

/// The format of a bundle, of one network or several, in which an individual has more than one of the
/// classifier's columns: [`Individuals::merged`]. A program that does not know of it would answer wrong.
pub const MERGED_FORMAT: u32 = 3;

/// `bundle.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Version of the bundle format, [`FORMAT`], [`ENSEMBLE_FORMAT`] or [`MERGED_FORMAT`].
    pub format: u32,
    /// What the catalogue is called, for people.
    pub title: String,
    /// The networks and where they come from.
    pub model: ModelFacts,
    /// How a photo becomes the input, of the first network where there are several.
    pub preprocessing: Preprocessing,
    /// Every number that decides.
    pub decision: DecisionParameters,
    /// What each operating point costs on photos that nothing was fitted to, answered as this bundle answers at once:
    /// with trailing edges where it has them. Empty where it is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operating: Vec<OperatingRates>,
    /// How local features verify an answer; absent where the gallery's photos have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceFacts>,
    /// How trailing edges count; absent where the gallery's photos have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edges: Option<EdgeFacts>,
    /// What the gallery holds.
    pub catalogue: CatalogueFacts,
    /// A known input's embedding, to see that a device computes what it should.
    pub self_check: SelfCheck,
    /// Every other file.
    pub files: Files,
}

/// The networks and where they come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelFacts {
    /// The embedder, the first one where there are several.
    pub embedder: EmbedderConfig,
    /// The fluke finder, if there is one.
    pub finder: Option<FinderConfig>,
    /// The recipe's name.
    pub recipe: String,
    /// SHA-256 of the recipe as it was run.
    pub recipe_sha256: String,
    /// SHA-256 of the photos' names, labels and boxes that it was trained on.
    pub data_sha256: String,
    /// Seed of weights, split and augmentation.
    pub seed: u64,
    /// SHA-256 of the weights that its training began with; absent where they were drawn from the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_sha256: Option<String>,
    /// The other embedders of an ensemble; absent where there is one only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ensemble: Option<EnsembleFacts>,
}

/// What the gallery holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CatalogueFacts {
    /// Known whales.
    pub individuals: usize,
    /// Photos in the index.
    pub photos: usize,
    /// Those of them that show whales without a name.
    pub new_photos: usize,
    /// Day of the export, `YYYY-MM-DD`.
    pub date: String,
    /// What was left out, in words; empty when nothing was.
    pub filters: Vec<String>,
}

/// A known input's embedding. The input is [`SelfCheck::input`], the embedding the one that the
/// exporting machine's CPU computed from the stored (8-bit) weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SelfCheck {
    /// The unit-length embedding; that of all networks, fused, where there are several.
    pub embedding: Vec<f32>,
    /// The largest difference allowed in any of its values.
    pub tolerance: f32,
}

impl SelfCheck {
    /// The known input, `[3, height, width]`: a smooth pattern in about −2…2 that no symmetry
    /// leaves as it is.
    pub fn input(height: usize, width: usize) -> Vec<f32> {
        let value = |i: usize| {
            let (channel, y, x) = (i / (height * width), i / width % height, i % width);
            let phase = 0.11 * x as f32 + 0.07 * y as f32 + 0.5 * channel as f32;
            2.0 * libm::sinf(phase + 0.0005 * (x * y) as f32)
        };
        (0..3 * height * width).map(value).collect()
    }
}

/// A static file of the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Path relative to `bundle.json`, with `/`.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

impl FileEntry {
    /// The entry of `content` named `stem.HASH.extension`.
    pub fn of(stem: &str, extension: &str, content: &[u8]) -> Self {
        let sha256 = sha256_hex(content);
        Self {
            path: format!("{stem}.{}.{extension}", &sha256[..16]),
            bytes: content.len() as u64,
            sha256,
        }
    }

    /// Whether it lies in the bundle's folder.
    pub(super) fn is_inside(&self) -> bool {
        let path = &self.path;
        !(path.contains("..") || path.contains(':') || path.starts_with('/'))
    }

    /// Checks size and hash of `content`.
    ///
    /// # Errors
    /// [`Error::Bundle`] naming the file.
    pub fn check(&self, content: &[u8]) -> Result<()> {
        let refuse = |reason: String| Error::Bundle {
            file: self.path.clone(),
            reason,
        };
        if content.len() as u64 != self.bytes {
            return Err(refuse(format!(
                "has {} bytes, the bundle says {}; copy the bundle again",
                content.len(),
                self.bytes
            )));
        }
        if sha256_hex(content) != self.sha256 {
            return Err(refuse(
                "its content is not the bundle's (wrong SHA-256); copy the bundle again"
                    .to_string(),
            ));
        }
        Ok(())
    }
}

/// The files that must be there before the first photo is named, and the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// The networks.
    pub weights: FileEntry,
    /// The gallery's embeddings.
    pub index: FileEntry,
    /// Names and gallery photos.
    pub individuals: FileEntry,
    /// What was done to the bundle since it was exported; nobody needs it to name a whale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal: Option<FileEntry>,
}

impl Files {
    /// All that must be there.
    pub fn all(&self) -> [&FileEntry; 3] {
        [&self.weights, &self.index, &self.individuals]
    }
}

/// The individuals' file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Individuals {
    /// Names, in the order of the classifier's logits.
    pub names: Vec<String>,
    /// One a row of the index, in its order.
    pub photos: Vec<GalleryPhoto>,
    /// Columns of the classifier beyond an individual's first, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merged: Vec<MergedColumn>,
    /// Columns of the classifier that were made of gallery photos and not trained, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub imprinted: Vec<u32>,
}

/// A column of the classifier that belongs to an individual which has one already: the bundle's user
/// said that two whales of the classifier are one. Its probability is the sum of theirs.
///
/// The other columns are those of the first individuals, in order; such a one stands behind its
/// individual's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MergedColumn {
    /// Its place among the columns.
    pub column: u32,
    /// Position of its whale among the names.
    pub individual: u32,
}

impl Individuals {
    /// Whether [`Self::merged`] keeps its rules.
    pub(super) fn is_sound(&self) -> bool {
        let ascending = self.merged.is_sorted_by(|a, b| a.column < b.column);
        // As many individuals have their first column before it as columns do that are not merged.
        let behind = |(before, one): (u32, &MergedColumn)| {
            let first = one.column.checked_sub(before);
            first.is_some_and(|first| one.individual < first)
        };
        ascending && (0..).zip(&self.merged).all(behind)
    }

    /// Whose each of so many columns is; `None` where they are too few or too many.
    pub(super) fn owners(&self, columns: usize) -> Option<Vec<u32>> {
        let mut merged = self.merged.iter().peekable();
        let mut next = 0..;
        let owner = |column: u32| match merged.next_if(|one| one.column == column) {
            Some(one) => Some(one.individual),
            None => next.next(),
        };
        let owners: Vec<u32> = (0..columns as u32).map_while(owner).collect();
        let known = owners.iter().all(|&one| (one as usize) < self.names.len());
        (known && merged.next().is_none()).then_some(owners)
    }
}

/// A photo of the gallery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GalleryPhoto {
    /// The photo's file name in the catalogue that it comes from.
    pub file: String,
    /// Position of its whale among the names; absent for a whale without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub individual: Option<u32>,
    /// A small picture of it, if the bundle has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<FileEntry>,
    /// Its local features, if the bundle has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keypoints: Option<FileEntry>,
    /// Its trailing edge, if the bundle has them and it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge: Option<Edge>,
    /// SHA-256 of the photo's file, hexadecimal, if it was enrolled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl Manifest {
    /// Reads `bundle.json`.
    ///
    /// # Errors
    /// [`Error::Bundle`] when it is no manifest, of another version, or names a file outside the
    /// bundle's folder; [`Error::Decision`], [`Error::Features`] or [`Error::Preprocessing`] when a number
    /// that decides is out of its range, [`Error::Model`] when a network cannot be built. Of an ensemble's member each is an
    /// [`Error::Bundle`] that names the member.
    pub fn from_json(bytes: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let refuse = |reason: String| Error::Bundle {
            file: "bundle.json".to_string(),
            reason,
        };
        let version: Version = serde_json::from_slice(bytes)
            .map_err(|error| refuse(format!("is no bundle manifest ({error})")))?;
        if !(FORMAT..=MERGED_FORMAT).contains(&version.format) {
            return Err(refuse(format!(
                "has format {}, this program reads formats {FORMAT} to {MERGED_FORMAT}; {}",
                version.format,
                if version.format > MERGED_FORMAT {
                    "update the program"
                } else {
                    "export the bundle again"
                }
            )));
        }
        let manifest: Self = serde_json::from_slice(bytes).map_err(|error| {
            refuse(format!("cannot be used ({error}); export the bundle again"))
        })?;
        let files = manifest.files.all().into_iter();
        for file in files.chain(&manifest.files.journal) {
            if !file.is_inside() {
                return Err(refuse(format!(
                    "names the file `{}`, which lies outside the bundle",
                    file.path
                )));
            }
        }
        manifest.decision.validate()?;
        if let Some(evidence) = &manifest.evidence {
            evidence.validate()?;
        }
        if let Some(edges) = &manifest.edges {
            edges.validate()?;
        }
        manifest.check_members()?;
        Ok(manifest)
    }
}
