//! A search of galleries that are drawn out of the same photos again and again.

use super::by_all;
use super::found::{Found, Heard, Looked, Pairs};
use crate::Result;
use crate::evidence::build_index;
use crate::progress::Progress;
use flukeprint_core::decision::{EvidenceParameters, Findings};
use flukeprint_core::evidence::edge::Edges;
use flukeprint_core::evidence::vote::{Index, IndexOptions, VoteOptions};
use flukeprint_core::evidence::{Edge, Features};
use flukeprint_core::gallery::Gallery;
use std::collections::HashMap;

/// All photos that a gallery may hold, ready to vote.
pub(crate) struct Searching<'a> {
    keypoints: &'a [Features],
    index: Index,
    /// Those of all photos of the catalogue, and of those that a gallery may hold.
    edges: &'a [Option<Edge>],
    gallery_edges: Edges,
    /// Where a photo of the catalogue stands in the index.
    places: HashMap<usize, usize>,
    pairs: Pairs<'a>,
}

impl<'a> Searching<'a> {
    /// `photos` by their places in the catalogue, of all of whose photos these are the keypoints.
    pub(crate) fn new(
        (keypoints, edges): (&'a [Features], &'a [Option<Edge>]),
        photos: &[usize],
        progress: &dyn Progress,
    ) -> Self {
        let descriptors = photos.iter().map(|&photo| &keypoints[photo]);
        Self {
            gallery_edges: photos.iter().map(|&photo| edges[photo].as_ref()).collect(),
            edges,
            index: build_index(descriptors.collect(), &IndexOptions::default(), progress),
            places: photos.iter().copied().zip(0..).collect(),
            pairs: Pairs::of(keypoints),
            keypoints,
        }
    }

    /// What is found in `gallery` for a photo of the catalogue whose final scores are these, as `evidence` asks.
    ///
    /// # Errors
    /// As the gallery's search.
    pub(crate) fn findings(
        &self,
        gallery: &Gallery,
        photo: usize,
        (feature, scores): (&[f32], &[f32]),
        evidence: &EvidenceParameters,
    ) -> Result<Findings> {
        let found = self.found(gallery, photo, (feature, scores))?;
        let size = [evidence.whales, evidence.photos].map(|count| count as usize);
        Ok(by_all(&found, size[0], size[1]))
    }

    /// As [`Self::findings`], for the longest lists.
    pub(super) fn found(
        &self,
        gallery: &Gallery,
        photo: usize,
        (feature, scores): (&[f32], &[f32]),
    ) -> Result<Found> {
        let query = &self.keypoints[photo];
        let places = gallery
            .rows()
            .iter()
            .map(|row| self.places[&(row.photo as usize)]);
        let places: Vec<usize> = places.collect();
        let mut in_it = vec![false; self.index.photos()];
        places.iter().for_each(|&place| in_it[place] = true);
        let options = VoteOptions::default();
        let of_gallery =
            |by_place: Vec<f32>| -> Vec<f32> { places.iter().map(|&p| by_place[p]).collect() };
        let votes = of_gallery(self.index.vote_of_some(&in_it, query, &options));
        let fits = of_gallery(
            self.gallery_edges
                .fit_of_some(&in_it, self.edges[photo].as_ref()),
        );
        let heard = &Heard::of(gallery, &votes, &fits);
        if query.keypoints.is_empty() {
            return Ok(Found::nothing(heard));
        }
        let looked = Looked {
            heard,
            feature,
            scores,
        };
        Found::of(&looked, gallery, |other| self.pairs.inliers(photo, other))
    }
}
