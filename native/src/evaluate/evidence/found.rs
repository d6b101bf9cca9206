//! What comparing finds for held-out photos.

use crate::Result;
use crate::data::{Catalogue, Split};
use crate::evaluate::embeddings::Embeddings;
use crate::evidence::build_index;
use crate::progress::Progress;
use crate::tune::LabelledQueries;
use flukeprint_core::decision::{
    DecisionParameters, Listed, ShortlistSize, first_by_score, first_by_votes,
};
use flukeprint_core::evidence::Features;
use flukeprint_core::evidence::verify::{CompareOptions, compare};
use flukeprint_core::evidence::vote::{Index, IndexOptions, LabelVotes, VoteOptions};
use flukeprint_core::gallery::{Gallery, GalleryError};
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Whales that are compared with, of each of the two shortlists.
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
    /// The votes of every label's best photo, `[individuals + 1]`.
    pub votes: Vec<f32>,
}

/// Everything that queries are compared with.
pub(super) struct Search<'a> {
    catalogue: &'a Catalogue,
    gallery: Gallery,
    keypoints: &'a [Features],
    index: Index,
    /// By photo, what was found before: other parameters ask for other whales, but for few.
    known: Vec<Known>,
}

/// What no parameter changes.
#[derive(Default)]
struct Known {
    votes: OnceLock<LabelVotes>,
    /// Inliers by the gallery's row.
    inliers: Mutex<HashMap<u32, u32>>,
}

impl<'a> Search<'a> {
    /// The training photos as the gallery.
    pub(super) fn new(
        catalogue: &'a Catalogue,
        split: &Split,
        embeddings: &Embeddings,
        keypoints: &'a [Features],
        progress: &dyn Progress,
    ) -> Result<Self> {
        let descriptors = split
            .train
            .iter()
            .map(|&photo| &keypoints[photo].descriptors[..])
            .collect();
        Ok(Self {
            catalogue,
            gallery: embeddings.gallery(catalogue, &split.train)?,
            keypoints,
            index: build_index(descriptors, &IndexOptions::default(), progress),
            known: keypoints.iter().map(|_| Known::default()).collect(),
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
        let votes = self.known[photo].votes.get_or_init(|| self.votes(photo));
        if self.keypoints[photo].keypoints.is_empty() {
            // There is nothing to say, as where an answer is given.
            return Ok(Found {
                by_network: Vec::new(),
                by_vote: Vec::new(),
                votes: votes.votes.clone(),
            });
        }
        let size = ShortlistSize {
            whales: MOST_WHALES,
            photos: MOST_PHOTOS,
        };
        let listed = |listed: std::result::Result<Vec<Listed>, GalleryError>| {
            let listed = listed.map_err(flukeprint_core::Error::from)?;
            let with_photos = listed.iter().filter(|whale| !whale.rows.is_empty());
            let compared = with_photos.map(|whale| self.compared(photo, whale));
            Ok::<_, crate::Error>(compared.collect())
        };
        Ok(Found {
            by_network: listed(first_by_score(scores, &self.gallery, feature, size))?,
            by_vote: listed(first_by_votes(votes, &self.gallery, feature, size))?,
            votes: votes.votes.clone(),
        })
    }

    fn votes(&self, photo: usize) -> LabelVotes {
        let query = &self.keypoints[photo].descriptors;
        let by_photo = self.index.vote(query, &VoteOptions::default());
        let labels = self.gallery.rows().iter().map(|row| row.label);
        LabelVotes::of(&by_photo, labels, self.gallery.individuals().len())
    }

    fn compared(&self, photo: usize, whale: &Listed) -> Compared {
        let mut inliers = [0; MOST_PHOTOS];
        for (place, &row) in whale.rows.iter().enumerate() {
            let count = self.inliers(photo, row);
            inliers[place..]
                .iter_mut()
                .for_each(|most| *most = (*most).max(count));
        }
        Compared {
            whale: whale.slot,
            inliers,
        }
    }

    fn inliers(&self, photo: usize, row: u32) -> u32 {
        // A thread that panicked left nothing half done: the number was not there yet.
        let known = || {
            self.known[photo]
                .inliers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(&count) = known().get(&row) {
            return count;
        }
        let other = self.gallery.rows()[row as usize].photo as usize;
        let [query, other] = [photo, other].map(|photo| &self.keypoints[photo]);
        let found = compare(query, other, &CompareOptions::default());
        let count = u32::try_from(found.inliers.len()).unwrap_or(u32::MAX);
        known().insert(row, count);
        count
    }

    /// The name of a photo, for the list of contradictions.
    pub(super) fn name(&self, photo: usize) -> &str {
        &self.catalogue.photos[photo].file
    }
}
