//! What local features say of an answer.

use super::answers::Named;
use super::search::fetch;
use crate::Result;
use flukeprint_core::decision::Candidate;
use flukeprint_core::identify::{
    Compared, Fetched, Identification, Identifier, Says, VerifiedAnswer,
};
use flukeprint_core::photo::Photo;
use serde::Serialize;
use std::path::Path;

/// What speaks for a candidate: the gallery photo of it that has most inliers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Evidence {
    /// The gallery photo.
    pub photo: String,
    /// Descriptors that are alike.
    pub matches: usize,
    /// Matches that agree on one way that the two flukes lie to each other.
    pub inliers: u32,
    /// How likely it is, by the inliers alone, that both show one whale.
    pub probability: f64,
    /// That in a word.
    pub says: Says,
    /// The two are one photo.
    pub duplicate: bool,
}

/// A gallery photo that could not be compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NotCompared {
    /// The gallery photo.
    pub photo: String,
    /// Why.
    pub reason: String,
}

/// Compares a photo that is answered with the photos of its first whales, whose keypoints are in the
/// bundle's `folder`.
pub(super) fn verify(
    identifier: &Identifier,
    photo: &Photo,
    identified: &Identification,
    folder: &Path,
    count: usize,
) -> Result<VerifiedAnswer> {
    let embedding = &identified.embedding;
    let files = identifier.to_verify(embedding)?.into_iter();
    let fetched: Vec<Fetched> = files
        .map(|(row, file)| (row, fetch(folder, file)))
        .collect();
    let fluke = (photo, identified.region);
    let verified = identifier.verify(fluke, embedding, &fetched, count, |_| ());
    Ok(pollster::block_on(verified)?)
}

/// What speaks for each of an answer's candidates, `named` in their order.
pub(super) fn note(
    identifier: &Identifier,
    verified: &VerifiedAnswer,
    candidates: &[Candidate],
    named: &mut [Named],
) {
    for (candidate, named) in candidates.iter().zip(named) {
        let shown = verified.shown(candidate.label);
        named.evidence = shown.map(|shown| evidence(identifier, shown));
        let slot = candidate
            .label
            .slot(identifier.gallery().individuals().len());
        named.votes = verified.findings.votes.get(slot).copied();
    }
}

/// The photos that could not be compared with.
pub(super) fn not_compared(identifier: &Identifier, verified: &VerifiedAnswer) -> Vec<NotCompared> {
    let missing = verified.missing.iter();
    missing
        .map(|missing| NotCompared {
            photo: file(identifier, missing.row),
            reason: missing.reason.clone(),
        })
        .collect()
}

fn evidence(identifier: &Identifier, compared: &Compared) -> Evidence {
    Evidence {
        photo: file(identifier, compared.row),
        matches: compared.matches,
        inliers: compared.inliers,
        probability: compared.probability,
        says: compared.says,
        duplicate: compared.duplicate,
    }
}

fn file(identifier: &Identifier, row: u32) -> String {
    let photo = identifier.photos().get(row as usize);
    photo.map_or_else(String::new, |photo| photo.file.clone())
}
