//! Answers as a table for a spreadsheet: a row a photo, then a row an encounter.
//!
//! Columns: `kind` ("photo" or "encounter"), `photo`, `encounter`, `photos` and `answered` (how many it
//! has, and how many of them could be answered), then for each candidate from the first on `name_1`,
//! `probability_1`, `score_1`, `nearest_photo_1`, …, and where local features were asked for what they say of
//! it (`evidence_photo_1`, `matches_1`, `inliers_1`, `evidence_probability_1`, `evidence_1`: "verified",
//! "likely", "little" or "duplicate"; empty where none of its photos was compared), with a search its
//! `votes_1` too; `new_whale_probability`, `verdict`; `region_source`, `x0`, `y0`,
//! `x1`, `y1`; where local features were asked for `not_compared` (photos that should have been and could not),
//! with a search `not_voting` (photos of the whole gallery that could not); `error`, which says why a row has no candidates. It holds no times: the same photos and
//! bundle give the same file.

use super::answers::{Named, PhotoAnswer};
use super::encounters::EncounterAnswer;
use super::verified::Evidence;
use crate::data::write_atomically;
use crate::{Error, Result};
use csv::Writer;
use flukeprint_core::identify::Says;
use flukeprint_core::photo::Region;
use std::path::Path;

/// What has columns.
#[derive(Clone, Copy, Debug)]
pub struct Columns {
    /// So many candidates.
    pub candidates: usize,
    /// How well trailing edges fit.
    pub edges: bool,
    /// What local features say.
    pub evidence: bool,
    /// How many photos could not vote; none where no vote was held.
    pub not_voting: Option<usize>,
}

impl Columns {
    fn of_candidate(self) -> Vec<&'static str> {
        let mut parts = vec!["name", "probability", "score", "nearest_photo"];
        if self.edges {
            parts.push("edge");
        }
        if self.evidence {
            parts.extend([
                "evidence_photo",
                "matches",
                "inliers",
                "evidence_probability",
                "evidence",
            ]);
        }
        if self.not_voting.is_some() {
            parts.push("votes");
        }
        parts
    }
}

/// Writes the table. `encounter_of` has the name of each photo's encounter, empty where it is in none.
///
/// # Errors
/// [`Error::Write`]; nothing is then half written.
pub fn write(
    path: &Path,
    photos: &[PhotoAnswer],
    encounter_of: &[String],
    encounters: &[EncounterAnswer],
    columns: Columns,
) -> Result<()> {
    let failed = |source: std::io::Error| Error::Write {
        path: path.to_owned(),
        source,
    };
    let mut writer = Writer::from_writer(Vec::new());
    let mut put = |row: Vec<String>| {
        let written = writer.write_record(&row);
        written.map_err(|error| failed(std::io::Error::other(error)))
    };
    put(header(columns))?;
    for (photo, encounter) in photos.iter().zip(encounter_of) {
        put(photo_row(photo, encounter, columns))?;
    }
    for encounter in encounters {
        put(encounter_row(encounter, columns))?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| failed(std::io::Error::other(error.to_string())))?;
    write_atomically(path, &bytes)
}

fn header(columns: Columns) -> Vec<String> {
    let first = ["kind", "photo", "encounter", "photos", "answered"];
    let of_candidate = |place: usize| {
        let parts = columns.of_candidate().into_iter();
        parts.map(move |part| format!("{part}_{place}"))
    };
    let mut last = vec![
        "new_whale_probability",
        "verdict",
        "region_source",
        "x0",
        "y0",
        "x1",
        "y1",
    ];
    if columns.evidence {
        last.push("not_compared");
    }
    if columns.not_voting.is_some() {
        last.push("not_voting");
    }
    last.push("error");
    let first = first.iter().map(|&name| name.to_owned());
    let middle = (1..=columns.candidates).flat_map(of_candidate);
    let last = last.iter().map(|&name| name.to_owned());
    first.chain(middle).chain(last).collect()
}

fn photo_row(photo: &PhotoAnswer, encounter: &str, columns: Columns) -> Vec<String> {
    let answered = usize::from(photo.error.is_none());
    let mut row = beginning("photo", &photo.photo, encounter, 1, answered);
    candidates(&mut row, &photo.candidates, columns);
    row.push(shown(photo.new_probability));
    row.push(verdict(photo.verdict.as_ref()));
    let source = photo.region_source.map(|source| format!("{source:?}"));
    row.push(source.unwrap_or_default().to_lowercase());
    match photo.region {
        Some(Region { x0, y0, x1, y1 }) => {
            row.extend([x0, y0, x1, y1].map(|edge| edge.to_string()))
        }
        None => row.extend(std::iter::repeat_n(String::new(), 4)),
    }
    if columns.evidence {
        row.push(photo.not_compared.len().to_string());
    }
    row.extend(columns.not_voting.map(|photos| photos.to_string()));
    row.push(photo.error.clone().unwrap_or_default());
    row
}

fn encounter_row(encounter: &EncounterAnswer, columns: Columns) -> Vec<String> {
    let of_it = encounter.photos.len();
    let mut row = beginning(
        "encounter",
        "",
        &encounter.encounter,
        of_it,
        encounter.answered,
    );
    candidates(&mut row, &encounter.candidates, columns);
    row.push(shown(encounter.new_probability));
    row.push(verdict(encounter.verdict.as_ref()));
    let empty = 5 + usize::from(columns.evidence) + usize::from(columns.not_voting.is_some());
    row.extend(std::iter::repeat_n(String::new(), empty));
    row.push(encounter.error.clone().unwrap_or_default());
    row
}

fn verdict(said: Option<&Named>) -> String {
    said.map_or_else(String::new, |named| named.name.clone())
}

fn beginning(
    kind: &str,
    photo: &str,
    encounter: &str,
    photos: usize,
    answered: usize,
) -> Vec<String> {
    vec![
        kind.to_owned(),
        photo.to_owned(),
        encounter.to_owned(),
        photos.to_string(),
        answered.to_string(),
    ]
}

/// The same cells for each candidate, empty ones where there are fewer.
fn candidates(row: &mut Vec<String>, candidates: &[Named], columns: Columns) {
    let end = row.len() + columns.of_candidate().len() * columns.candidates;
    for candidate in candidates.iter().take(columns.candidates) {
        row.extend([
            candidate.name.clone(),
            candidate.probability.to_string(),
            candidate.score.to_string(),
            candidate.nearest_photo.clone().unwrap_or_default(),
        ]);
        if columns.edges {
            row.push(shown(candidate.edge));
        }
        if columns.evidence {
            row.extend(evidence(candidate.evidence.as_ref()));
        }
        if columns.not_voting.is_some() {
            row.push(shown(candidate.votes));
        }
    }
    row.resize(end, String::new());
}

fn evidence(evidence: Option<&Evidence>) -> [String; 5] {
    evidence.map_or_else(Default::default, |one| {
        [
            one.photo.clone(),
            one.matches.to_string(),
            one.inliers.to_string(),
            one.probability.to_string(),
            match one.says {
                _ if one.duplicate => "duplicate",
                Says::Verified => "verified",
                Says::Likely => "likely",
                Says::Little => "little",
            }
            .to_owned(),
        ]
    })
}

fn shown(value: Option<f32>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}
