//! What comparing finds for held-out photos.

use super::marks::Marks;
use crate::Result;
use crate::data::{Catalogue, Split};
use crate::evaluate::embeddings::Embeddings;
use crate::evidence::build_index;
use crate::progress::Progress;
use crate::tune::LabelledQueries;
use flukeprint_core::decision::{
    DecisionParameters, Findings, Listed, ShortlistSize, first_by_score, first_by_votes,
};
use flukeprint_core::evidence::Features;
use flukeprint_core::evidence::edge::Edges;
use flukeprint_core::evidence::verify::{CompareOptions, compare};
use flukeprint_core::evidence::vote::{Index, IndexOptions, LabelVotes, VoteOptions};
use flukeprint_core::gallery::{Gallery, GalleryError};
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Whales that are compared with, of each of the three shortlists.
pub const MOST_WHALES: usize = 20;

/// Photos of each that are compared.
pub const MOST_PHOTOS: usize = 3;

/// A whale that a query was compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// The whale's slot.
    pub whale: usize,
    /// The most inliers that one of its first photos has, for the first one, two and three.
    pub inliers: [u32; MOST_PHOTOS],
}

/// What was found for one query.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The first whales of the network's decision, best first.
    pub by_network: Vec<Compared>,
    /// The first whales of the catalogue's vote, best first; their most voted photo is compared too.
    pub by_vote: Vec<Compared>,
    /// The whales whose trailing edges fit best, likewise.
    pub by_edge: Vec<Compared>,
    /// The votes of every label's best photo, `[individuals + 1]`.
    pub votes: Vec<f32>,
    /// How well the edge of every label's best photo fits, likewise.
    pub edges: Vec<f32>,
}

/// What the whole gallery says of a query.
#[derive(Debug)]
pub(super) struct Heard {
    pub votes: LabelVotes,
    /// How well edges fit, as votes.
    pub edges: LabelVotes,
}

/// What is known of a query before its shortlists are compared.
pub(super) struct Looked<'a> {
    pub heard: &'a Heard,
    pub feature: &'a [f32],
    /// The final scores.
    pub scores: &'a [f32],
}

impl Found {
    /// Where a query has no keypoints, there is nothing to say but whose edge fits, as where an answer is given.
    pub(super) fn nothing(heard: &Heard) -> Self {
        Self {
            by_network: Vec::new(),
            by_vote: Vec::new(),
            by_edge: Vec::new(),
            votes: heard.votes.votes.clone(),
            edges: heard.edges.votes.clone(),
        }
    }

    /// Compares with the first whales of all three shortlists; `inliers` is asked for photos of the catalogue.
    pub(super) fn of(
        query: &Looked<'_>,
        gallery: &Gallery,
        inliers: impl Fn(usize) -> u32,
    ) -> Result<Self> {
        let size = ShortlistSize {
            whales: MOST_WHALES,
            photos: MOST_PHOTOS,
        };
        let listed = |listed: std::result::Result<Vec<Listed>, GalleryError>| {
            let listed = listed.map_err(flukeprint_core::Error::from)?;
            let with_photos = listed.iter().filter(|whale| !whale.rows.is_empty());
            let of_row = |row: u32| inliers(gallery.rows()[row as usize].photo as usize);
            let compared = with_photos.map(|whale| Compared::of(whale, of_row));
            Ok::<_, crate::Error>(compared.collect())
        };
        let Looked {
            heard,
            feature,
            scores,
        } = *query;
        let Heard { votes, edges } = heard;
        Ok(Self {
            by_network: listed(first_by_score(scores, gallery, feature, size))?,
            by_vote: listed(first_by_votes(votes, gallery, feature, size))?,
            by_edge: listed(first_by_votes(edges, gallery, feature, size))?,
            votes: votes.votes.clone(),
            edges: edges.votes.clone(),
        })
    }
}

impl Heard {
    /// From the votes and fits of the gallery's photos.
    pub(super) fn of(gallery: &Gallery, votes: &[f32], fits: &[f32]) -> Self {
        Self {
            votes: of_labels(gallery, votes),
            edges: LabelVotes::of_edges(&of_labels(gallery, fits).votes),
        }
    }
}

/// Every label's best photo's.
fn of_labels(gallery: &Gallery, values: &[f32]) -> LabelVotes {
    let labels = gallery.rows().iter().map(|row| row.label);
    LabelVotes::of(values, labels, gallery.individuals().len())
}

impl Compared {
    fn of(whale: &Listed, count: impl Fn(u32) -> u32) -> Self {
        let mut inliers = [0; MOST_PHOTOS];
        for (place, &row) in whale.rows.iter().enumerate() {
            let count = count(row);
            inliers[place..]
                .iter_mut()
                .for_each(|most| *most = (*most).max(count));
        }
        Self {
            whale: whale.slot,
            inliers,
        }
    }
}

/// How many matches of two photos agree; what was counted once is not counted again.
pub(super) struct Pairs<'a> {
    /// Of every photo of the catalogue.
    keypoints: &'a [Features],
    /// By the query and the other's place in the catalogue.
    known: Vec<Mutex<HashMap<usize, u32>>>,
}

impl<'a> Pairs<'a> {
    pub(super) fn of(keypoints: &'a [Features]) -> Self {
        Self {
            keypoints,
            known: keypoints.iter().map(|_| Mutex::default()).collect(),
        }
    }

    pub(super) fn inliers(&self, query: usize, other: usize) -> u32 {
        // A thread that panicked left nothing half done: the number was not there yet.
        let known = || {
            let known = self.known[query].lock();
            known.unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(&count) = known().get(&other) {
            return count;
        }
        let [a, b] = [query, other].map(|photo| &self.keypoints[photo]);
        let found = compare(a, b, &CompareOptions::default());
        let count = u32::try_from(found.inliers.len()).unwrap_or(u32::MAX);
        known().insert(other, count);
        count
    }
}

/// Everything that queries are compared with.
pub(super) struct Search<'a> {
    catalogue: &'a Catalogue,
    gallery: Gallery,
    marks: &'a Marks,
    index: Index,
    edges: Edges,
    /// By photo: no parameter changes them.
    heard: Vec<OnceLock<Heard>>,
    /// Other parameters ask for other whales, but for few.
    pairs: Pairs<'a>,
}

impl<'a> Search<'a> {
    /// The training photos as the gallery.
    pub(super) fn new(
        catalogue: &'a Catalogue,
        split: &Split,
        embeddings: &Embeddings,
        marks: &'a Marks,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let keypoints = &marks.keypoints;
        let descriptors = split.train.iter().map(|&photo| &keypoints[photo]).collect();
        Ok(Self {
            catalogue,
            gallery: embeddings.gallery(catalogue, &split.train)?,
            marks,
            index: build_index(descriptors, &IndexOptions::default(), progress),
            edges: marks.gallery(&split.train)?,
            heard: keypoints.iter().map(|_| OnceLock::new()).collect(),
            pairs: Pairs::of(keypoints),
        })
    }

    /// Compares every query, `photos` in the catalogue; `parameters` decide which whales are first.
    pub(super) fn all(
        &self,
        queries: &LabelledQueries,
        photos: &[usize],
        embeddings: &Embeddings,
        parameters: &DecisionParameters,
        progress: &dyn Progress,
    ) -> Result<Vec<Found>> {
        let done = AtomicUsize::new(0);
        progress.begin("comparing photos", photos.len());
        let queries: Vec<(usize, Vec<f32>)> = photos
            .iter()
            .zip(queries.iter())
            .map(|(&photo, query)| {
                let columns = query.columns(parameters);
                Ok((photo, columns.map_err(flukeprint_core::Error::from)?.fused))
            })
            .collect::<Result<_>>()?;
        queries
            .par_iter()
            .map(|(photo, scores)| {
                let found = self.one(*photo, embeddings.feature(*photo), scores);
                progress.advance(done.fetch_add(1, Ordering::Relaxed) + 1);
                found
            })
            .collect()
    }

    fn one(&self, photo: usize, feature: &[f32], scores: &[f32]) -> Result<Found> {
        let heard = self.heard[photo].get_or_init(|| self.heard_of(photo));
        if self.marks.keypoints[photo].keypoints.is_empty() {
            return Ok(Found::nothing(heard));
        }
        let looked = Looked {
            heard,
            feature,
            scores,
        };
        Found::of(&looked, &self.gallery, |other| {
            self.pairs.inliers(photo, other)
        })
    }

    fn heard_of(&self, photo: usize) -> Heard {
        let query = &self.marks.keypoints[photo];
        let votes = self.index.vote(query, &VoteOptions::default());
        Heard::of(&self.gallery, &votes, &self.fits(photo))
    }

    /// How well the edge of every photo of the gallery fits.
    fn fits(&self, photo: usize) -> Vec<f32> {
        self.edges.fit(&self.marks.asked[photo])
    }

    /// How well the edges of all labels fit each of `photos`, and nothing else.
    pub(super) fn edges(&self, photos: &[usize], progress: &dyn Progress) -> Vec<Findings> {
        let done = AtomicUsize::new(0);
        progress.begin("laying edges", photos.len());
        let of = |&photo: &usize| {
            let edges = match self.heard[photo].get() {
                Some(heard) => heard.edges.votes.clone(),
                None => of_labels(&self.gallery, &self.fits(photo)).votes,
            };
            progress.advance(done.fetch_add(1, Ordering::Relaxed) + 1);
            Findings::of_edges(edges)
        };
        photos.par_iter().map(of).collect()
    }

    /// The name of a photo, for the list of contradictions.
    pub(super) fn name(&self, photo: usize) -> &str {
        &self.catalogue.photos[photo].file
    }
}
