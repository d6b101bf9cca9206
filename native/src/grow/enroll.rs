//! Photos into a bundle.

use super::BundleFolder;
use crate::data::{Catalogue, PhotoEntry};
use crate::export::{open_bundle, thumbnail, thumbnail_margin};
use crate::progress::Progress;
use crate::{Error, Result};
use burn::tensor::Device;
use flukeprint_core::bundle::{Enrolled, FileEntry, NewPhoto, StaticFile, sha256_hex};
use flukeprint_core::evidence::file::encode;
use flukeprint_core::gallery::Label;
use flukeprint_core::identify::Identifier;
use flukeprint_core::photo::{Photo, Region};
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// A photo to enroll.
#[derive(Clone, Debug, PartialEq)]
pub struct Given {
    /// Where it is.
    pub path: PathBuf,
    /// The name by which the bundle is to know it.
    pub file: String,
    /// Whom it shows; nobody is a whale without a name.
    pub individual: Option<String>,
    /// Where the fluke is; otherwise the finder looks.
    pub region: Option<Region>,
}

impl Given {
    /// The photos of a catalogue.
    pub fn all_of(catalogue: &Catalogue) -> Vec<Self> {
        let given = |entry: &PhotoEntry| Self {
            path: entry.path.clone(),
            file: entry.file.clone(),
            individual: match entry.label {
                Label::Individual(number) => Some(catalogue.individuals[number as usize].clone()),
                Label::New => None,
            },
            region: entry.region,
        };
        catalogue.photos.iter().map(given).collect()
    }
}

/// What an enrolment did and how long it took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Enrolment {
    /// Photos that came in.
    pub photos: usize,
    /// Individuals that came in with them.
    pub individuals: usize,
    /// Columns of the classifier that were made of them.
    pub columns: usize,
    /// Milliseconds a photo for reading, finding, embedding and, where the bundle has them, drawing the
    /// small picture and looking for keypoints.
    pub embedding_milliseconds: f64,
    /// Milliseconds a photo for all else: the bundle read, its columns made, everything written.
    pub adding_milliseconds: f64,
}

/// Adds photos to the bundle in `folder`, or to a copy of it at `out`, all or none. `device` embeds them;
/// `date` is `YYYY-MM-DD`.
///
/// # Errors
/// A photo that cannot be used (each is noted, where there are several), and what
/// [`GrowingBundle::enroll`](flukeprint_core::bundle::GrowingBundle::enroll) refuses; nothing is then
/// written.
pub fn enroll(
    folder: &Path,
    given: &[Given],
    date: &str,
    out: Option<&Path>,
    device: &Device,
    progress: &dyn Progress,
) -> Result<Enrolment> {
    // Not counted: identifying opens the networks as well.
    let identifier = open_bundle(folder, device)?;
    let begun = Instant::now();
    let mut grown = BundleFolder::open(folder)?;
    let opening = begun.elapsed();
    let begun = Instant::now();
    let (photos, pictures) = embed(&identifier, given, grown.bundle.has_thumbnails(), progress)?;
    let embedding = begun.elapsed();
    let begun = Instant::now();
    let Enrolled {
        photos,
        individuals,
        columns,
    } = grown.bundle.enroll(photos, date)?;
    grown.save(pictures, out)?;
    let adding = opening + begun.elapsed();
    let each = |time: std::time::Duration| time.as_secs_f64() * 1e3 / photos as f64;
    Ok(Enrolment {
        photos,
        individuals,
        columns,
        embedding_milliseconds: each(embedding),
        adding_milliseconds: each(adding),
    })
}

/// All photos embedded, or a refusal that counts those that cannot be.
fn embed(
    identifier: &Identifier,
    given: &[Given],
    pictures: bool,
    progress: &dyn Progress,
) -> Result<(Vec<NewPhoto>, Vec<StaticFile>)> {
    let (mut photos, mut files, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    progress.begin("enrolling photos", given.len());
    for (done, one) in given.iter().enumerate() {
        match embed_one(identifier, one, pictures) {
            Ok((photo, on_demand)) => {
                photos.push(photo);
                files.extend(on_demand);
            }
            Err(error) => errors.push(error),
        }
        progress.advance(done + 1);
    }
    match errors.len() {
        0 => Ok((photos, files)),
        1 => Err(errors.remove(0)),
        failed => {
            for error in &errors {
                progress.note(&error.to_string());
            }
            Err(Error::NotEnrolled {
                failed,
                photos: given.len(),
            })
        }
    }
}

fn embed_one(
    identifier: &Identifier,
    given: &Given,
    pictures: bool,
) -> Result<(NewPhoto, Vec<StaticFile>)> {
    let path = &given.path;
    let bytes = std::fs::read(path).map_err(|source| Error::Read {
        path: path.clone(),
        source,
    })?;
    let named = |error: flukeprint_core::Error| Error::Photo {
        path: path.clone(),
        reason: error.to_string(),
    };
    let photo = Photo::decode(&bytes).map_err(named)?;
    let embedded = pollster::block_on(identifier.embed_photo(&photo, given.region, |_| ()));
    let (region, _, embedding) = embedded.map_err(named)?;
    let found = pollster::block_on(identifier.look(&photo, region)).map_err(named)?;
    let edge = identifier.edge(&photo, region).map_err(named)?;
    let (keypoints, file) = found
        .map(|found| FileEntry::of_keypoints(encode(&found)))
        .unzip();
    let margin = thumbnail_margin(identifier.manifest().evidence.as_ref());
    let picture = pictures
        .then(|| thumbnail(photo, region, margin, path))
        .transpose()?;
    let (thumbnail, picture) = picture.unzip();
    let new = NewPhoto {
        file: given.file.clone(),
        sha256: sha256_hex(&bytes),
        individual: given.individual.clone(),
        feature: embedding.feature,
        thumbnail,
        keypoints,
        edge,
    };
    Ok((new, picture.into_iter().chain(file).collect()))
}
