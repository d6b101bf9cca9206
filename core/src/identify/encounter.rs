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
        let queries: Vec<Query<'_>> = photos.iter().map(|one| one.embedding.query()).collect();
        let findings = photos.iter().filter_map(|one| one.findings.as_ref());
        let found: Vec<Found<'_>> = findings.map(Findings::found).collect();
        match found.is_empty() {
            true => self.decide_alone(&queries, count),
            false => self.decide_by(&queries, (self.parameters_of(&found)?, &found), count),
        }
    }

    /// By the networks alone.
    pub(super) fn decide_alone(&self, queries: &[Query<'_>], count: usize) -> Result<Answer> {
        Ok(decision::decide_encounter(
            queries,
            &self.gallery,
            &self.manifest.decision,
            &self.point,
            count,
        )?)
    }

    /// How what was found counts: where all photos of the gallery voted, as in a search.
    fn parameters_of(&self, found: &[Found<'_>]) -> Result<&EvidenceParameters> {
        match found.iter().any(|found| !found.votes.is_empty()) {
            true => Ok(&self.search_facts()?.parameters),
            false => Ok(&self.evidence()?.parameters),
        }
    }
}
