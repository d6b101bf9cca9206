//! What comparing finds for held-out photos.

use crate::Result;
use crate::data::{Catalogue, Split};
use crate::evaluate::embeddings::Embeddings;
use crate::progress::Progress;
use crate::tune::LabelledQueries;
use flukeprint_core::decision::DecisionParameters;
use flukeprint_core::evidence::Features;
use flukeprint_core::evidence::verify::{CompareOptions, compare};
use flukeprint_core::evidence::vote::{Index, IndexOptions, VoteOptions};
use flukeprint_core::gallery::{Gallery, Label};
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

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
    /// Without one the catalogue does not vote.
    index: Option<Index>,
    parameters: DecisionParameters,
}

impl<'a> Search<'a> {
    /// The training photos as the gallery; `votes` says whether the whole catalogue votes too.
    pub(super) fn new(
        catalogue: &'a Catalogue,
        split: &Split,
        embeddings: &Embeddings,
        keypoints: &'a [Features],
        parameters: DecisionParameters,
        votes: bool,
    ) -> Result<Self> {
        let descriptors = split
            .train
            .iter()
            .map(|&photo| &keypoints[photo].descriptors[..]);
        Ok(Self {
            catalogue,
            gallery: embeddings.gallery(catalogue, &split.train)?,
            keypoints,
            index: votes.then(|| Index::build(descriptors, &IndexOptions::default())),
            parameters,
        })
    }

    /// Compares every query of a half, `photos` in the catalogue.
    pub(super) fn all(
        &self,
        queries: &LabelledQueries,
        photos: &[usize],
        embeddings: &Embeddings,
        progress: &dyn Progress,
    ) -> Result<Vec<Found>> {
        let done = AtomicUsize::new(0);
        progress.begin("comparing photos", photos.len());
        let queries: Vec<(usize, Vec<f32>)> = photos
            .iter()
            .zip(queries.iter())
            .map(|(&photo, query)| {
                let columns = query.columns(&self.parameters);
                Ok((photo, columns.map_err(flukeprint_core::Error::from)?.fused))
            })
            .collect::<Result<_>>()?;
        queries
            .par_iter()
            .map(|(photo, scores)| {
                let found = self.one(&self.keypoints[*photo], embeddings.feature(*photo), scores);
                progress.advance(done.fetch_add(1, Ordering::Relaxed) + 1);
                found
            })
            .collect()
    }

    fn one(&self, query: &Features, feature: &[f32], scores: &[f32]) -> Result<Found> {
        let individuals = self.gallery.individuals().len();
        let by_photo = self.index.as_ref().map_or_else(Vec::new, |index| {
            index.vote(&query.descriptors, &VoteOptions::default())
        });
        let mut votes = vec![0.0_f32; individuals + 1];
        let mut best = vec![None; individuals + 1];
        for (row, (described, &count)) in self.gallery.rows().iter().zip(&by_photo).enumerate() {
            let slot = described.label.slot(individuals);
            if count > votes[slot] {
                votes[slot] = count;
                best[slot] = Some(row);
            }
        }
        let first = |scores: &[f32]| -> Vec<usize> {
            let mut whales: Vec<usize> = (0..individuals).collect();
            whales.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
            whales.truncate(MOST_WHALES);
            whales
        };
        let by_network = first(scores).into_iter();
        let by_network = by_network.map(|whale| self.compared(query, feature, whale, None));
        let voted = first(&votes)
            .into_iter()
            .filter(|&whale| votes[whale] > 0.0);
        let by_vote = voted.map(|whale| self.compared(query, feature, whale, best[whale]));
        Ok(Found {
            by_network: by_network.collect::<Result<_>>()?,
            by_vote: by_vote.collect::<Result<_>>()?,
            votes,
        })
    }

    /// `voted` is the gallery row of the whale's photo with most votes, which is looked at first.
    fn compared(
        &self,
        query: &Features,
        feature: &[f32],
        whale: usize,
        voted: Option<usize>,
    ) -> Result<Compared> {
        let individuals = self.gallery.individuals().len();
        let label = Label::from_slot(whale, individuals);
        let nearest = self.gallery.nearest_of(feature, label, MOST_PHOTOS);
        let nearest = nearest.map_err(flukeprint_core::Error::from)?;
        let mut rows: Vec<usize> = voted.into_iter().collect();
        rows.extend(nearest.iter().map(|one| one.row as usize));
        let mut seen = Vec::with_capacity(rows.len());
        rows.retain(|row| {
            !seen.contains(row) && {
                seen.push(*row);
                true
            }
        });
        let mut inliers = [0; MOST_PHOTOS];
        for (place, &row) in rows.iter().enumerate().take(MOST_PHOTOS) {
            let photo = self.gallery.rows()[row].photo as usize;
            let found = compare(query, &self.keypoints[photo], &CompareOptions::default());
            let count = u32::try_from(found.inliers.len()).unwrap_or(u32::MAX);
            inliers[place..]
                .iter_mut()
                .for_each(|most| *most = (*most).max(count));
        }
        Ok(Compared { whale, inliers })
    }

    /// The name of a photo, for the list of contradictions.
    pub(super) fn name(&self, photo: usize) -> &str {
        &self.catalogue.photos[photo].file
    }
}
