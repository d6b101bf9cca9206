//! What is said of one photo, in a row that is there whatever happens.

use super::photos::PhotoFile;
use crate::{Error, Result};
use flukeprint_core::decision::{Answer, Candidate};
use flukeprint_core::gallery::Label;
use flukeprint_core::identify::{Embedding, Identification, Identifier, RegionSource, Stage};
use flukeprint_core::photo::Region;
use serde::Serialize;
use std::time::Instant;

/// The row of one photo.
#[derive(Clone, Debug, Serialize)]
pub struct PhotoAnswer {
    /// Its path.
    pub photo: String,
    /// Why there is no answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// Where the fluke is, pixels of the upright photo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
    /// Who says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region_source: Option<RegionSource>,
    /// Best first; none where there is an error.
    pub candidates: Vec<Named>,
    /// The probability of a whale that is not in the catalogue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_probability: Option<f32>,
    /// What to say if one thing is to be said; the first candidate unless one mistake costs more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Named>,
    /// How long each step took, the only part that another run may give otherwise.
    pub stages: Vec<TimedStage>,
    /// What an encounter needs of it.
    #[serde(skip)]
    pub embedding: Option<Embedding>,
}

/// A candidate by its name.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Named {
    /// "individual" or "new".
    pub kind: &'static str,
    /// The individual's name, or `new_whale`.
    pub name: String,
    /// The final score.
    pub score: f32,
    /// 0 to 1.
    pub probability: f32,
    /// The gallery photo that is most like it, if the label has any.
    pub nearest_photo: Option<String>,
}

/// How long a step took.
#[derive(Clone, Debug, Serialize)]
pub struct TimedStage {
    /// As [`Stage::name`].
    pub name: &'static str,
    /// Of a clock on the wall.
    pub milliseconds: f64,
}

/// Names the whale in `photo`: `count` candidates. Without a `region` the finder looks. Whatever fails
/// is said in the row.
pub fn answer_photo(
    identifier: &Identifier,
    photo: &PhotoFile,
    region: Option<Region>,
    count: usize,
) -> PhotoAnswer {
    let mut begun: Vec<(&'static str, Instant)> = Vec::new();
    let on_stage = |stage: Stage| begun.push((stage.name(), Instant::now()));
    let identified = identify(identifier, photo, region, count, on_stage);
    let mut answer = PhotoAnswer {
        photo: photo.path.display().to_string(),
        error: None,
        region: None,
        region_source: None,
        candidates: Vec::new(),
        new_probability: None,
        verdict: None,
        stages: timed(&begun),
        embedding: None,
    };
    match identified {
        Ok(identified) => {
            answer.region = Some(identified.region);
            answer.region_source = Some(identified.region_source);
            answer.new_probability = Some(identified.answer.new.probability);
            answer.verdict = Some(one_named(identifier, &identified.answer.verdict));
            answer.candidates = named(identifier, &identified.answer);
            answer.embedding = Some(identified.embedding);
        }
        Err(error) => answer.error = Some(error.to_string()),
    }
    answer
}

fn identify(
    identifier: &Identifier,
    photo: &PhotoFile,
    region: Option<Region>,
    count: usize,
    on_stage: impl FnMut(Stage),
) -> Result<Identification> {
    let bytes = std::fs::read(&photo.path).map_err(|source| Error::Read {
        path: photo.path.clone(),
        source,
    })?;
    let identified = identifier.identify(&bytes, region, count, on_stage);
    Ok(pollster::block_on(identified)?)
}

/// An answer's candidates by name.
pub fn named(identifier: &Identifier, answer: &Answer) -> Vec<Named> {
    let candidates = answer.candidates.iter();
    candidates.map(|one| one_named(identifier, one)).collect()
}

/// A candidate by its name.
pub fn one_named(identifier: &Identifier, candidate: &Candidate) -> Named {
    Named {
        kind: match candidate.label {
            Label::Individual(_) => "individual",
            Label::New => "new",
        },
        name: identifier.name(candidate.label).to_owned(),
        score: candidate.score,
        probability: candidate.probability,
        nearest_photo: candidate.nearest.and_then(|nearest| {
            let photo = identifier.photos().get(nearest.row as usize)?;
            Some(photo.file.clone())
        }),
    }
}

fn timed(begun: &[(&'static str, Instant)]) -> Vec<TimedStage> {
    let ends = begun.iter().skip(1).map(|(_, begin)| *begin);
    let ends = ends.chain([Instant::now()]);
    let stages = begun.iter().zip(ends);
    stages
        .map(|(&(name, begin), end)| TimedStage {
            name,
            milliseconds: end.duration_since(begin).as_secs_f64() * 1e3,
        })
        .collect()
}
