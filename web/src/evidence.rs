//! What local features say, in JavaScript's words.

use flukeprint_core::bundle::FileEntry;
use flukeprint_core::decision::Findings;
use flukeprint_core::identify::{Compared, Embedding, Fetched, Identifier, Says, VerifiedAnswer};
use js_sys::Uint8Array;
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};

use crate::answer::EncounterAnswer;

/// `KeypointFile`.
#[derive(Debug, Serialize)]
pub(crate) struct KeypointFile<'a> {
    row: u32,
    path: &'a str,
    bytes: f64,
}

/// The files to fetch.
pub(crate) fn files<'a>(files: &[(u32, &'a FileEntry)]) -> Vec<KeypointFile<'a>> {
    let file = |&(row, file): &(u32, &'a FileEntry)| KeypointFile {
        row,
        path: &file.path,
        bytes: file.bytes as f64,
    };
    files.iter().map(file).collect()
}

/// The files that came, and in words why others did not.
pub(crate) fn fetched(rows: Vec<u32>, files: Vec<JsValue>) -> Vec<Fetched> {
    let one = |(row, file): (u32, JsValue)| match file.dyn_into::<Uint8Array>() {
        Ok(bytes) => (row, Ok(bytes.to_vec())),
        Err(reason) => (row, Err(reason.as_string().unwrap_or_default())),
    };
    rows.into_iter().zip(files).map(one).collect()
}

/// `VerifiedAnswer`.
#[derive(Debug, Serialize)]
pub(crate) struct Verified<'a> {
    #[serde(flatten)]
    whales: EncounterAnswer<'a>,
    keypoints: usize,
    compared: Vec<Match<'a>>,
    missing: Vec<NotCompared<'a>>,
    findings: &'a Findings,
}

/// `Comparison`.
#[derive(Debug, Serialize)]
struct Match<'a> {
    photo: &'a str,
    thumbnail: Option<&'a str>,
    name: &'a str,
    matches: usize,
    inliers: u32,
    probability: f64,
    says: Says,
    duplicate: bool,
    shown: bool,
    pairs: Vec<[[f64; 2]; 2]>,
    affine: Option<[f64; 6]>,
    size: [u32; 2],
    keypoints: &'a [[f32; 2]],
}

#[derive(Debug, Serialize)]
struct NotCompared<'a> {
    row: u32,
    photo: &'a str,
    reason: &'a str,
}

impl<'a> Verified<'a> {
    /// The core's answer to the photo of that embedding, named.
    pub(crate) fn new(
        identifier: &'a Identifier,
        verified: &'a VerifiedAnswer,
        photo: &Embedding,
    ) -> Self {
        let file = |row: u32| {
            let photo = identifier.photos().get(row as usize);
            photo.map_or("", |photo| photo.file.as_str())
        };
        let compared = |one: &'a Compared| Match {
            photo: file(one.row),
            thumbnail: identifier
                .photos()
                .get(one.row as usize)
                .and_then(|photo| photo.thumbnail.as_ref())
                .map(|file| file.path.as_str()),
            name: identifier.name(one.label),
            matches: one.matches,
            inliers: one.inliers,
            probability: one.probability,
            says: one.says,
            duplicate: one.duplicate,
            shown: verified
                .shown(one.label)
                .is_some_and(|shown| shown.row == one.row),
            pairs: one
                .pairs
                .iter()
                .map(|pair| [pair.query, pair.gallery])
                .collect(),
            affine: one.affine(),
            size: one.size,
            keypoints: &one.keypoints,
        };
        Self {
            whales: EncounterAnswer::new(identifier, &verified.answer)
                .with_edges(&verified.answer, photo),
            keypoints: verified.keypoints,
            compared: verified.compared.iter().map(compared).collect(),
            missing: verified
                .missing
                .iter()
                .map(|one| NotCompared {
                    row: one.row,
                    photo: file(one.row),
                    reason: &one.reason,
                })
                .collect(),
            findings: &verified.findings,
        }
    }
}
