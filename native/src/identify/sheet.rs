//! Answers as a table for a spreadsheet: a row a photo, then a row an encounter.
//!
//! Columns: `kind` ("photo" or "encounter"), `photo`, `encounter`, `photos` and `answered` (how many it
//! has, and how many of them could be answered), then for each candidate from the first on `name_1`,
//! `probability_1`, `score_1`, `nearest_photo_1`, …; `new_whale_probability`, `verdict`; `region_source`, `x0`, `y0`,
//! `x1`, `y1`; `error`, which says why a row has no candidates. It holds no times: the same photos and
//! bundle give the same file.

use super::answers::{Named, PhotoAnswer};
use super::encounters::EncounterAnswer;
use crate::data::write_atomically;
use crate::{Error, Result};
use csv::Writer;
use flukeprint_core::photo::Region;
use std::path::Path;

/// Writes the table. `encounter_of` has the name of each photo's encounter, empty where it is in none;
/// `count` candidates have columns.
///
/// # Errors
/// [`Error::Write`]; nothing is then half written.
pub fn write(
    path: &Path,
    photos: &[PhotoAnswer],
    encounter_of: &[String],
    encounters: &[EncounterAnswer],
    count: usize,
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
    put(header(count))?;
    for (photo, encounter) in photos.iter().zip(encounter_of) {
        put(photo_row(photo, encounter, count))?;
    }
    for encounter in encounters {
        put(encounter_row(encounter, count))?;
    }
    let bytes = writer
        .into_inner()
        .map_err(|error| failed(std::io::Error::other(error.to_string())))?;
    write_atomically(path, &bytes)
}

fn header(count: usize) -> Vec<String> {
    let first = ["kind", "photo", "encounter", "photos", "answered"];
    let of_candidate = |place: usize| {
        let parts = ["name", "probability", "score", "nearest_photo"];
        parts.map(|part| format!("{part}_{place}"))
    };
    let last = [
        "new_whale_probability",
        "verdict",
        "region_source",
        "x0",
        "y0",
        "x1",
        "y1",
        "error",
    ];
    let first = first.iter().map(|&name| name.to_owned());
    let middle = (1..=count).flat_map(of_candidate);
    let last = last.iter().map(|&name| name.to_owned());
    first.chain(middle).chain(last).collect()
}

fn photo_row(photo: &PhotoAnswer, encounter: &str, count: usize) -> Vec<String> {
    let answered = usize::from(photo.error.is_none());
    let mut row = beginning("photo", &photo.photo, encounter, 1, answered);
    candidates(&mut row, &photo.candidates, count);
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
    row.push(photo.error.clone().unwrap_or_default());
    row
}

fn encounter_row(encounter: &EncounterAnswer, count: usize) -> Vec<String> {
    let of_it = encounter.photos.len();
    let mut row = beginning(
        "encounter",
        "",
        &encounter.encounter,
        of_it,
        encounter.answered,
    );
    candidates(&mut row, &encounter.candidates, count);
    row.push(shown(encounter.new_probability));
    row.push(verdict(encounter.verdict.as_ref()));
    row.extend(std::iter::repeat_n(String::new(), 5));
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

/// Four cells a candidate, empty ones where there are fewer than `count`.
fn candidates(row: &mut Vec<String>, candidates: &[Named], count: usize) {
    let end = row.len() + 4 * count;
    for candidate in candidates.iter().take(count) {
        row.extend([
            candidate.name.clone(),
            candidate.probability.to_string(),
            candidate.score.to_string(),
            candidate.nearest_photo.clone().unwrap_or_default(),
        ]);
    }
    row.resize(end, String::new());
}

fn shown(value: Option<f32>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}
