//! A search of galleries that are drawn out of the same photos again and again.

use super::found::{Found, Heard, Looked, Pairs};
use super::marks::Marks;
use super::{by_all, by_edges};
use crate::Result;
use crate::evidence::build_index;
use crate::progress::Progress;
use flukeprint_core::decision::{EvidenceParameters, Findings};
use flukeprint_core::evidence::edge::Edges;
use flukeprint_core::evidence::vote::{Index, IndexOptions, VoteOptions};
use flukeprint_core::gallery::Gallery;
use std::collections::HashMap;

/// All photos that a gallery may hold, ready to vote.
pub(crate) struct Searching<'a> {
    marks: &'a Marks,
    index: Index,
    /// Of the photos that a gallery may hold.
    edges: Edges,
    /// Where a photo of the catalogue stands in the index.
    places: HashMap<usize, usize>,
    pairs: Pairs<'a>,
}

impl<'a> Searching<'a> {
    /// `photos` by their places in the catalogue, whose marks these are.
    ///
    /// # Errors
    /// None that a program of this version can have.
    pub(crate) fn new(marks: &'a Marks, photos: &[usize], progress: &dyn Progress) -> Result<Self> {
        let descriptors = photos.iter().map(|&photo| &marks.keypoints[photo]);
        Ok(Self {
            edges: marks.gallery(photos)?,
            index: build_index(descriptors.collect(), &IndexOptions::default(), progress),
            places: photos.iter().copied().zip(0..).collect(),
            pairs: Pairs::of(&marks.keypoints),
            marks,
        })
    }

    /// What is found in `gallery` for a photo of the catalogue whose final scores are these, as `evidence` asks; its edges
    /// alone where keypoints are not `compared`.
    ///
    /// # Errors
    /// As the gallery's search.
    pub(crate) fn findings(
        &self,
        gallery: &Gallery,
        photo: usize,
        (feature, scores): (&[f32], &[f32]),
        evidence: &EvidenceParameters,
        compared: bool,
    ) -> Result<Findings> {
        let found = self.found(gallery, photo, (feature, scores))?;
        if !compared {
            return Ok(by_edges(&found));
        }
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
        let query = &self.marks.keypoints[photo];
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
        let fits = of_gallery(self.edges.fit_of_some(&in_it, &self.marks.asked[photo]));
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
