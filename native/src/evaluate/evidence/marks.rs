//! What the photos of a catalogue are compared by.

use super::edges::{catalogue_edges, query_edges};
use super::keypoints::catalogue_keypoints;
use crate::Result;
use crate::data::{Catalogue, Split};
use crate::evaluate::report::HeldOut;
use crate::progress::Progress;
use crate::train::Run;
use flukeprint_core::evidence::edge::Edges;
use flukeprint_core::evidence::{Edge, Features};

/// Of every photo, by its place in the catalogue.
pub(crate) struct Marks {
    /// Its keypoints; none where they are not compared.
    pub keypoints: Vec<Features>,
    /// Its edge, as a gallery keeps it.
    edges: Vec<Option<Edge>>,
    /// Its edges where it is asked for; none where it never is.
    pub asked: Vec<Vec<Edge>>,
}

impl Marks {
    /// Held-out photos and those of whales that training left out are asked for. Without `compared` no keypoints are looked for.
    ///
    /// # Errors
    /// A photo that cannot be read any more; a full disk.
    pub(crate) fn of(
        run: &Run,
        catalogue: &Catalogue,
        split: &Split,
        compared: bool,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let queries = [&HeldOut::All.photos(split)[..], &split.unseen].concat();
        Ok(Self {
            keypoints: match compared {
                true => catalogue_keypoints(run, catalogue, progress)?,
                false => vec![Features::default(); catalogue.photos.len()],
            },
            edges: catalogue_edges(run, catalogue, progress)?,
            asked: query_edges(run, catalogue, &queries, progress)?,
        })
    }

    /// The edges of a gallery of `photos`.
    ///
    /// # Errors
    /// None that a program of this version can have.
    pub(super) fn gallery(&self, photos: &[usize]) -> Result<Edges> {
        let edge = |&photo: &usize| self.edges[photo].as_ref();
        Ok(Edges::of(photos.iter().map(edge))?)
    }
}
