//! Whales that training never saw: every photo of them is looked up among the others of them, by the network
//! alone as in [`reid`](crate::evaluate::reid), by edges or local features alone, and by all.
//!
//! They have no column in the classifier, as a whale that was enrolled by its photos alone, and decision and
//! evidence count as they were tuned on others. Whether a whale is new is not asked.

use super::calibration::NAMES;
use super::judged::{EDGES, LOCAL, VOTES};
use super::measure::{edges, votes, votes_and_inliers};
use super::searching::Searching;
use super::{Again, Ground, Tuned, by_all, by_edges};
use crate::Result;
use crate::data::Catalogue;
use crate::evaluate::embeddings::truths;
use crate::evaluate::reid::{self, Reid};
use crate::progress::Progress;
use crate::tune::{LabelledQueries, final_scores};
use flukeprint_core::decision::{DecisionParameters, EvidenceParameters, rank_of};
use flukeprint_core::gallery::Label;
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The ways; the last three compare keypoints.
const WAYS: [&str; 6] = [NAMES[0], EDGES, NAMES[1], VOTES, LOCAL, NAMES[3]];

/// All of them, if there are any.
pub(super) fn looked_up(
    ground: &Ground,
    catalogue: &Catalogue,
    parameters: &DecisionParameters,
    (edges, evidence): &Tuned,
    progress: &dyn Progress,
) -> Result<Vec<Again>> {
    let photos = &ground.split.unseen;
    if photos.is_empty() {
        return Ok(Vec::new());
    }
    let labels = truths(catalogue, photos);
    let queries = reid::queries(&labels)?;
    let others = Others {
        ground,
        catalogue,
        labels: &labels,
        searching: Searching::new(&ground.marks, photos, progress)?,
        parameters,
        edges,
        evidence: evidence.as_ref().map(|evidence| &evidence.search),
    };
    progress.begin("looking unseen whales up", queries.len());
    let done = AtomicUsize::new(0);
    let ranks: Vec<Vec<usize>> = queries
        .par_iter()
        .map(|&number| {
            let ranks = others.ranks(number);
            progress.advance(done.fetch_add(1, Ordering::Relaxed) + 1);
            ranks
        })
        .collect::<Result<_>>()?;
    let measured = ranks.first().map_or(0, Vec::len);
    let ways = WAYS.into_iter().take(measured).enumerate();
    let again = ways.map(|(way, name)| {
        let ranks: Vec<usize> = ranks.iter().map(|ranks| ranks[way]).collect();
        let reid = Reid::of_ranks(&labels, &queries, &ranks)?;
        Ok(Again { name, reid })
    });
    again.collect()
}

/// The photos of unseen whales, by their numbers in the split's list.
struct Others<'a> {
    ground: &'a Ground,
    catalogue: &'a Catalogue,
    labels: &'a [Label],
    searching: Searching<'a>,
    parameters: &'a DecisionParameters,
    edges: &'a EvidenceParameters,
    /// None where keypoints are not compared.
    evidence: Option<&'a EvidenceParameters>,
}

impl Others<'_> {
    /// The place of a photo's whale among all, by each of [`WAYS`] that can be measured.
    fn ranks(&self, number: usize) -> Result<Vec<usize>> {
        let mut others = self.ground.split.unseen.clone();
        let photo = others.remove(number);
        let gallery = self.ground.embeddings.gallery(self.catalogue, &others)?;
        let feature = self.ground.embeddings.feature(photo);
        let truth = self.labels[number];
        let asked = LabelledQueries::in_gallery(&gallery, vec![truth], Vec::new(), feature)?;
        let scores = final_scores(&asked, self.parameters)?;
        let network = scores
            .into_iter()
            .flat_map(|(scores, _)| scores)
            .collect::<Vec<f32>>();
        let found = self.searching.found(&gallery, photo, (feature, &network))?;
        let mut columns = vec![
            network.clone(),
            edges(&found),
            self.edges.raised(&network, by_edges(&found).found()),
        ];
        if let Some(evidence) = self.evidence {
            let both = by_all(&found, evidence.whales as usize, evidence.photos as usize);
            columns.extend([
                votes(&found),
                votes_and_inliers(&found, evidence),
                evidence.raised(&network, both.found()),
            ]);
        }
        let rank = |column: &Vec<f32>| {
            let whales = &column[..column.len() - 1];
            rank_of(whales, truth.slot(whales.len()))
        };
        Ok(columns.iter().map(rank).collect())
    }
}
