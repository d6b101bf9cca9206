//! Several photos of one animal, one answer.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Embedding, Identifier};
use crate::Result;
use crate::decision::{self, Answer, EvidenceParameters, Findings, Found, Query};

/// What an encounter's answer takes of each of its photos.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EncounterPhoto {
    /// What the networks say.
    #[serde(flatten)]
    pub embedding: Embedding,
    /// What local features found, where the photo was compared: of
    /// [`VerifiedAnswer`](super::VerifiedAnswer). Photos that were not compared may stand beside others that were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub findings: Option<Findings>,
}

impl From<Embedding> for EncounterPhoto {
    fn from(embedding: Embedding) -> Self {
        Self {
            embedding,
            findings: None,
        }
    }
}

impl Identifier {
    /// Names the whale that all `photos` of an encounter show: the first `count` labels. One photo gives
    /// what was said of it, by [`Identifier::identify`] or by what compared it since; the order does not matter.
    ///
    /// # Errors
    /// [`Error::Decision`](crate::Error::Decision) without photos, or when their numbers cannot be used; findings of a bundle that has no
    /// keypoints, or of a vote where none was tuned.
    pub fn decide(&self, photos: &[EncounterPhoto], count: usize) -> Result<Answer> {
        let photos = photos
            .iter()
            .map(|one| (&one.embedding, one.findings.as_ref()));
        self.decide_of(&photos.collect::<Vec<_>>(), count)
    }

    /// The same of photos apart from what was found for each.
    pub(super) fn decide_of(
        &self,
        photos: &[(&Embedding, Option<&Findings>)],
        count: usize,
    ) -> Result<Answer> {
        let queries: Vec<Query<'_>> = photos.iter().map(|(one, _)| one.query()).collect();
        let (gallery, decision) = (&self.gallery, &self.manifest.decision);
        let answer = match self.parameters_of(photos)? {
            None => decision::decide_encounter(&queries, gallery, decision, &self.point, count),
            Some(evidence) => {
                let found = photos.iter().map(|&(one, findings)| found(one, findings));
                let found: Vec<Found<'_>> = found.collect();
                let evidence = (evidence, &found[..]);
                decision::decide_verified(&queries, gallery, decision, evidence, &self.point, count)
            }
        };
        Ok(answer?)
    }

    /// How what was found counts: where all photos of the gallery voted, as in a search; where some were compared
    /// with, as in verifying; by edges alone otherwise, if there are any.
    fn parameters_of(
        &self,
        photos: &[(&Embedding, Option<&Findings>)],
    ) -> Result<Option<&EvidenceParameters>> {
        let any = |is: fn(&Findings) -> bool| {
            let mut findings = photos.iter().filter_map(|(_, findings)| *findings);
            findings.any(is)
        };
        if any(voted) {
            return Ok(Some(&self.search_facts()?.parameters));
        }
        if any(|found| !found.inliers.is_empty()) {
            return Ok(Some(&self.evidence()?.parameters));
        }
        let edges = photos.iter().any(|(one, _)| !one.edges.is_empty());
        let facts = self.manifest.edges.as_ref().filter(|_| edges);
        Ok(facts.map(|facts| &facts.parameters))
    }
}

/// Whether anybody voted.
fn voted(findings: &Findings) -> bool {
    findings.votes.iter().any(|&votes| votes > 0.0)
}

/// What is known of a photo beside the networks: where nothing was compared with and nobody voted, the edges alone.
fn found<'a>(embedding: &'a Embedding, findings: Option<&'a Findings>) -> Found<'a> {
    let spoken = |one: &&Findings| voted(one) || !one.inliers.is_empty();
    let edges = &embedding.edges[..];
    match findings.filter(spoken) {
        Some(findings) => Found {
            edges,
            ..findings.found()
        },
        None => Found::of_edges(edges),
    }
}
