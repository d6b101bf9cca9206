//! Several photos of one animal, as a table says.

use super::answers::{Named, PhotoAnswer, named, one_named};
use super::names::Names;
use crate::data::read_columns;
use crate::{Error, Result};
use flukeprint_core::identify::{EncounterPhoto, Identifier};
use serde::Serialize;
use std::collections::HashMap;
use std::path::Path;

/// Photos of one animal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encounter {
    /// As the table calls it.
    pub name: String,
    /// The places of its photos among those that were asked for, in their order there.
    pub photos: Vec<usize>,
}

/// What a table of encounters says of the photos that were asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Encounters {
    /// In the order of their first rows.
    pub encounters: Vec<Encounter>,
    /// Rows about photos that were not asked for.
    pub elsewhere: usize,
}

impl Encounters {
    /// Reads a table Image,Encounter. A photo without a row, or with an empty cell, is in no encounter.
    ///
    /// # Errors
    /// When the table cannot be read; [`Error::Encounters`] when a row names no photo, a photo is in two
    /// encounters, or no row is about any of the photos; [`Error::SameName`].
    pub fn read(table: &Path, names: &Names<'_>) -> Result<Self> {
        let refuse = |reason: String| Error::Encounters {
            path: table.to_owned(),
            reason,
        };
        let mut found = Self::default();
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let mut lines: HashMap<usize, u64> = HashMap::new();
        for row in read_columns(table, ["Image", "Encounter"])? {
            let (line, [image, encounter]) = (row.line, row.cells);
            if image.is_empty() {
                return Err(refuse(format!("line {line} names no photo")));
            }
            if encounter.is_empty() {
                continue;
            }
            let Some(photo) = names.find(&image, table)? else {
                found.elsewhere += 1;
                continue;
            };
            if let Some(first) = lines.insert(photo, line) {
                let reason = format!(
                    "photo `{image}` is on line {first} and again on line {line}; keep one of the rows"
                );
                return Err(refuse(reason));
            }
            let new = found.encounters.len();
            let number = *numbers.entry(encounter.clone()).or_insert(new);
            if number == new {
                found.encounters.push(Encounter {
                    name: encounter,
                    photos: Vec::new(),
                });
            }
            found.encounters[number].photos.push(photo);
        }
        if found.encounters.is_empty() {
            let reason = "no row puts any of the photos into an encounter; its column Image needs \
                          their file names, or their paths in the folder that was given";
            return Err(refuse(reason.to_owned()));
        }
        for encounter in &mut found.encounters {
            encounter.photos.sort_unstable();
        }
        Ok(found)
    }
}

/// The row of one encounter.
#[derive(Clone, Debug, Serialize)]
pub struct EncounterAnswer {
    /// As the table calls it.
    pub encounter: String,
    /// The paths of its photos.
    pub photos: Vec<String>,
    /// How many of them could be answered, and speak here.
    pub answered: usize,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Best first; none where there is an error.
    pub candidates: Vec<Named>,
    /// The probability of a whale that is not in the catalogue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_probability: Option<f32>,
    /// What to say if one thing is to be said, as of a photo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Named>,
}

/// Names the whale of every encounter by those of its photos that could be answered.
pub fn answer_encounters(
    identifier: &Identifier,
    encounters: &[Encounter],
    photos: &[PhotoAnswer],
    count: usize,
) -> Vec<EncounterAnswer> {
    let answer = |encounter: &Encounter| {
        let of_it = encounter.photos.iter().map(|&photo| &photos[photo]);
        let said = of_it.clone().filter_map(|photo| photo.said.clone());
        let said: Vec<EncounterPhoto> = said.collect();
        let mut row = EncounterAnswer {
            encounter: encounter.name.clone(),
            photos: of_it.map(|photo| photo.photo.clone()).collect(),
            answered: said.len(),
            error: None,
            candidates: Vec::new(),
            new_probability: None,
            verdict: None,
        };
        if said.is_empty() {
            row.error = Some("none of its photos could be answered".to_owned());
            return row;
        }
        match identifier.decide(&said, count) {
            Ok(answer) => {
                row.candidates = named(identifier, &answer);
                row.new_probability = Some(answer.new.probability);
                row.verdict = Some(one_named(identifier, &answer.verdict));
            }
            Err(error) => row.error = Some(error.to_string()),
        }
        row
    };
    encounters.iter().map(answer).collect()
}
