//! Trailing edges of a loaded bundle.

use alloc::vec::Vec;

use super::{Embedding, Identifier};
use crate::Result;
use crate::evidence::Edge;
use crate::evidence::vote::LabelVotes;
use crate::gallery::Label;
use crate::photo::{Photo, Region};

impl Identifier {
    /// The trailing edge of the fluke in `region`, as a gallery photo of this bundle keeps it; `None` where the bundle
    /// has none, or the region is no fluke's.
    ///
    /// # Errors
    /// [`Error::Region`](crate::Error::Region) when the region does not lie in the photo.
    pub fn edge(&self, photo: &Photo, region: Region) -> Result<Option<Edge>> {
        match self.edges {
            Some(_) => Edge::trace(photo, region),
            None => Ok(None),
        }
    }

    /// How well every label's edge fits, `[individuals + 1]`; empty where the bundle has none.
    pub(super) fn edge_fits(&self, photo: &Photo, region: Region) -> Result<Vec<f32>> {
        let Some(edges) = &self.edges else {
            return Ok(Vec::new());
        };
        let fits = edges.fit(&Edge::of_query(photo, region)?);
        let labels = self.gallery.rows().iter().map(|row| row.label);
        let individuals = self.gallery.individuals().len();
        Ok(LabelVotes::of(&fits, labels, individuals).votes)
    }
}

impl Embedding {
    /// How well the trailing edge of the label's best photo fits, in standard deviations above the mean of the gallery; `None` where
    /// the bundle has no edges.
    pub fn edge_of(&self, label: Label) -> Option<f32> {
        let individuals = self.edges.len().checked_sub(1)?;
        self.edges.get(label.slot(individuals)).copied()
    }
}
