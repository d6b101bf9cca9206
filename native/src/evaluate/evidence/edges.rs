//! The trailing edge of every photo of a catalogue, as a bundle would carry it.

use crate::data::{Catalogue, PhotoEntry, write_atomically};
use crate::progress::Progress;
use crate::train::Run;
use crate::train::samples::read_photo;
use crate::{Error, Result};
use flukeprint_core::evidence::Edge;
use flukeprint_core::evidence::edge::EDGE;
use rayon::prelude::*;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use sha2::{Digest, Sha256};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where a run keeps them.
const STORE: &str = "edges.safetensors";
/// Another way of tracing needs another number.
const VERSION: &[u8] = b"edges 3";
/// What stands in place of the steps of a photo without an edge.
const NONE: [u8; EDGE] = [0x80; EDGE];

/// Traces the edge of every photo, in the catalogue's order. What was traced stays in the run's folder and is
/// taken from there the next time.
///
/// # Errors
/// A photo that cannot be read any more; a full disk.
pub fn catalogue_edges(
    run: &Run,
    catalogue: &Catalogue,
    progress: &dyn Progress,
) -> Result<Vec<Option<Edge>>> {
    let path = run.folder().join(STORE);
    let key = Sha256::new()
        .chain_update(VERSION)
        .chain_update(run.facts.data_sha256.as_bytes())
        .finalize();
    if let Some(edges) = load(&path, &key, catalogue.photos.len()) {
        return Ok(edges);
    }
    let edges = trace(catalogue, progress)?;
    save(&path, &key, &edges)?;
    Ok(edges)
}

fn trace(catalogue: &Catalogue, progress: &dyn Progress) -> Result<Vec<Option<Edge>>> {
    let done = AtomicUsize::new(0);
    progress.begin("tracing edges", catalogue.photos.len());
    let of = |entry: &PhotoEntry| {
        let (photo, region) = read_photo(entry)?;
        let edge = Edge::trace(&photo, region).map_err(|error| Error::Photo {
            path: entry.path.clone(),
            reason: error.to_string(),
        })?;
        progress.advance(done.fetch_add(1, Ordering::Relaxed) + 1);
        Ok(edge)
    };
    catalogue.photos.par_iter().map(of).collect()
}

/// Stored edges, if they are those of `key`. Whatever cannot be read is traced again.
fn load(path: &Path, key: &[u8], photos: usize) -> Option<Vec<Option<Edge>>> {
    let bytes = std::fs::read(path).ok()?;
    let tensors = SafeTensors::deserialize(&bytes).ok()?;
    if tensors.tensor("key").ok()?.data() != key {
        return None;
    }
    let steps = tensors.tensor("steps").ok()?;
    let (rows, rest) = steps.data().as_chunks::<EDGE>();
    let edge = |row: &[u8; EDGE]| {
        let steps = row.map(u8::cast_signed);
        (*row != NONE).then(|| Edge::from_steps(steps))
    };
    (rest.is_empty() && rows.len() == photos).then(|| rows.iter().map(edge).collect())
}

fn save(path: &Path, key: &[u8], edges: &[Option<Edge>]) -> Result<()> {
    let failed = |error: safetensors::SafeTensorError| Error::Write {
        path: path.to_owned(),
        source: std::io::Error::other(error),
    };
    let row = |edge: &Option<Edge>| {
        let steps = edge.as_ref().map(Edge::as_steps);
        steps.map_or(NONE, |steps| steps.map(i8::cast_unsigned))
    };
    let steps: Vec<u8> = edges.iter().flat_map(row).collect();
    let view = |dtype, shape, bytes| TensorView::new(dtype, shape, bytes).map_err(failed);
    let tensors = [
        ("key", view(Dtype::U8, vec![key.len()], key)?),
        ("steps", view(Dtype::I8, vec![edges.len(), EDGE], &steps)?),
    ];
    let bytes = safetensors::serialize(tensors, None).map_err(failed)?;
    write_atomically(path, &bytes)
}
