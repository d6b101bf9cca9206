//! The local features of every photo of a catalogue, as a bundle would carry them.

use crate::data::{Catalogue, write_atomically};
use crate::evidence::Fluke;
use crate::progress::Progress;
use crate::train::Run;
use crate::train::samples::read_photo;
use crate::{Error, Result};
use burn::tensor::Device;
use flukeprint_core::evidence::file::{decode, encode};
use flukeprint_core::evidence::{Chip, Features, Options};
use rayon::prelude::*;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where a run keeps them.
const STORE: &str = "keypoints.safetensors";

/// As [`keypoint_files`], read.
///
/// # Errors
/// As [`keypoint_files`].
pub(super) fn catalogue_keypoints(
    run: &Run,
    catalogue: &Catalogue,
    progress: &dyn Progress,
) -> Result<Vec<Features>> {
    let files = keypoint_files(run, catalogue, progress)?;
    let features = files.iter().map(|file| decode(STORE, file));
    Ok(features.collect::<flukeprint_core::Result<_>>()?)
}

/// Looks for the local features of every photo, in the catalogue's order, each as the file that a bundle carries. What was
/// found stays in the run's folder and is taken from there the next time.
///
/// # Errors
/// A photo that cannot be read any more; a full disk.
pub fn keypoint_files(
    run: &Run,
    catalogue: &Catalogue,
    progress: &dyn Progress,
) -> Result<Vec<Vec<u8>>> {
    let path = run.folder().join(STORE);
    let key = key(run)?;
    if let Some(files) = load(&path, &key, catalogue.photos.len()) {
        return Ok(files);
    }
    let files = look(catalogue, progress)?;
    save(&path, &key, &files)?;
    Ok(files)
}

fn look(catalogue: &Catalogue, progress: &dyn Progress) -> Result<Vec<Vec<u8>>> {
    let done = AtomicUsize::new(0);
    progress.begin("looking for keypoints", catalogue.photos.len());
    let file = |entry: &crate::data::PhotoEntry| {
        let (photo, region) = read_photo(entry)?;
        let fluke = pollster::block_on(Fluke::look(photo, region, &Device::flex()));
        let fluke = fluke.map_err(|error| Error::Photo {
            path: entry.path.clone(),
            reason: error.to_string(),
        })?;
        progress.advance(done.fetch_add(1, Ordering::Relaxed) + 1);
        Ok(encode(&fluke.features))
    };
    catalogue.photos.par_iter().map(file).collect()
}

/// What stored keypoints belong to: the photos, their boxes, and how one looks.
fn key(run: &Run) -> Result<Vec<u8>> {
    let how = serde_json::to_vec(&(Chip::default(), Options::default())).map_err(|error| {
        Error::Write {
            path: run.folder().to_owned(),
            source: std::io::Error::other(error),
        }
    })?;
    let key = Sha256::new()
        .chain_update(how)
        .chain_update(run.facts.data_sha256.as_bytes());
    Ok(key.finalize().to_vec())
}

/// Stored keypoints, if they are those of `key`. Whatever cannot be read is looked for again.
fn load(path: &Path, key: &[u8], photos: usize) -> Option<Vec<Vec<u8>>> {
    let bytes = std::fs::read(path).ok()?;
    let tensors = SafeTensors::deserialize(&bytes).ok()?;
    if tensors.tensor("key").ok()?.data() != key {
        return None;
    }
    let file = |photo| Some(tensors.tensor(&name(photo)).ok()?.data().to_vec());
    (0..photos).map(file).collect()
}

fn save(path: &Path, key: &[u8], files: &[Vec<u8>]) -> Result<()> {
    let failed = |error: safetensors::SafeTensorError| Error::Write {
        path: path.to_owned(),
        source: std::io::Error::other(error),
    };
    let view = |bytes| TensorView::new(Dtype::U8, vec![<[u8]>::len(bytes)], bytes);
    let mut tensors = vec![("key".to_owned(), view(key).map_err(failed)?)];
    for (photo, file) in files.iter().enumerate() {
        tensors.push((name(photo), view(file).map_err(failed)?));
    }
    let bytes = safetensors::serialize(tensors, None).map_err(failed)?;
    write_atomically(path, &bytes)
}

fn name(photo: usize) -> String {
    format!("photo{photo}")
}
