//! The trailing edges of a catalogue's photos: as a bundle would carry them, and as queries have them.

use crate::data::{Catalogue, PhotoEntry, write_atomically};
use crate::progress::Progress;
use crate::train::Run;
use crate::train::samples::read_photo;
use crate::{Error, Result};
use flukeprint_core::evidence::Edge;
use flukeprint_core::evidence::edge::EDGE;
use flukeprint_core::photo::{Photo, Region};
use rayon::prelude::*;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use sha2::{Digest, Sha256};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The file of those of a gallery and of those of queries, and the way in which they are traced: another needs another number.
/// The last is the most edges that a photo has.
const GALLERY: (&str, &str, usize) = ("edges.safetensors", "edges 4", 1);
const QUERIES: (&str, &str, usize) = ("query-edges.safetensors", "query edges 1", 2);
/// What stands in place of the steps of an edge that is not there.
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
    let all: Vec<usize> = (0..catalogue.photos.len()).collect();
    let one = |photo: &Photo, region| Ok(Edge::trace(photo, region)?.into_iter().collect());
    let store = Store::of(run, GALLERY, &[]);
    let edges = store.edges(catalogue, &all, one, progress)?;
    Ok(edges.into_iter().map(|mut edges| edges.pop()).collect())
}

/// Traces the edges of `photos` as those of queries, likewise; the catalogue's others have none.
///
/// # Errors
/// As [`catalogue_edges`].
pub(super) fn query_edges(
    run: &Run,
    catalogue: &Catalogue,
    photos: &[usize],
    progress: &dyn Progress,
) -> Result<Vec<Vec<Edge>>> {
    let store = Store::of(run, QUERIES, photos);
    let edges = store.edges(catalogue, photos, Edge::of_query, progress)?;
    let mut all = vec![Vec::new(); catalogue.photos.len()];
    for (&photo, edges) in photos.iter().zip(edges) {
        all[photo] = edges;
    }
    Ok(all)
}

/// Where a run keeps the edges of some photos.
struct Store {
    path: PathBuf,
    /// What the file must be of.
    key: Vec<u8>,
    /// The most edges of a photo.
    most: usize,
}

impl Store {
    fn of(run: &Run, (file, version, most): (&str, &str, usize), photos: &[usize]) -> Self {
        let key = Sha256::new()
            .chain_update(version)
            .chain_update(run.facts.data_sha256.as_bytes());
        let with_photos = photos.iter().fold(key, |key, photo| {
            key.chain_update((*photo as u64).to_le_bytes())
        });
        Self {
            path: run.folder().join(file),
            key: with_photos.finalize().to_vec(),
            most,
        }
    }

    /// The edges of each of `photos`, from the file or traced.
    fn edges(
        &self,
        catalogue: &Catalogue,
        photos: &[usize],
        trace: impl Fn(&Photo, Region) -> flukeprint_core::Result<Vec<Edge>> + Sync,
        progress: &dyn Progress,
    ) -> Result<Vec<Vec<Edge>>> {
        if let Some(edges) = self.load(photos.len()) {
            return Ok(edges);
        }
        let done = AtomicUsize::new(0);
        progress.begin("tracing edges", photos.len());
        let of = |&number: &usize| {
            let entry: &PhotoEntry = &catalogue.photos[number];
            let (photo, region) = read_photo(entry)?;
            let edges = trace(&photo, region).map_err(|error| Error::Photo {
                path: entry.path.clone(),
                reason: error.to_string(),
            })?;
            progress.advance(done.fetch_add(1, Ordering::Relaxed) + 1);
            Ok(edges)
        };
        let edges: Vec<Vec<Edge>> = photos.par_iter().map(of).collect::<Result<_>>()?;
        self.save(&edges)?;
        Ok(edges)
    }

    /// Stored edges, if they are those of the key. Whatever cannot be read is traced again.
    fn load(&self, photos: usize) -> Option<Vec<Vec<Edge>>> {
        let bytes = std::fs::read(&self.path).ok()?;
        let tensors = SafeTensors::deserialize(&bytes).ok()?;
        if tensors.tensor("key").ok()?.data() != self.key {
            return None;
        }
        let steps = tensors.tensor("steps").ok()?;
        let (rows, rest) = steps.data().as_chunks::<EDGE>();
        let edge = |row: &[u8; EDGE]| {
            let steps = row.map(u8::cast_signed);
            (*row != NONE).then(|| Edge::from_steps(steps))
        };
        let of_photo = |rows: &[[u8; EDGE]]| rows.iter().filter_map(edge).collect();
        let fits = rest.is_empty() && rows.len() == photos * self.most;
        fits.then(|| rows.chunks(self.most).map(of_photo).collect())
    }

    fn save(&self, edges: &[Vec<Edge>]) -> Result<()> {
        let failed = |error: safetensors::SafeTensorError| Error::Write {
            path: self.path.clone(),
            source: std::io::Error::other(error),
        };
        let row = |edge: Option<&Edge>| {
            let steps = edge.map(Edge::as_steps);
            steps.map_or(NONE, |steps| steps.map(i8::cast_unsigned))
        };
        let places = edges
            .iter()
            .flat_map(|edges| (0..self.most).map(|at| edges.get(at)));
        let steps: Vec<u8> = places.flat_map(row).collect();
        let view = |dtype, shape, bytes| TensorView::new(dtype, shape, bytes).map_err(failed);
        let shape = vec![edges.len() * self.most, EDGE];
        let tensors = [
            ("key", view(Dtype::U8, vec![self.key.len()], &self.key)?),
            ("steps", view(Dtype::I8, shape, &steps)?),
        ];
        let bytes = safetensors::serialize(tensors, None).map_err(failed)?;
        write_atomically(&self.path, &bytes)
    }
}
