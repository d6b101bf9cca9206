//! What is said of one photo, in a row that is there whatever happens.

use super::photos::PhotoFile;
use super::search::Search;
use super::verified::{Evidence, NotCompared, not_compared, note, verify};
use crate::{Error, Result};
use flukeprint_core::decision::{Answer, Candidate};
use flukeprint_core::gallery::Label;
use flukeprint_core::identify::{
    EncounterPhoto, Identification, Identifier, RegionSource, Stage, VerifiedAnswer,
};
use flukeprint_core::photo::{Photo, Region};
use serde::Serialize;
use std::path::Path;
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
    /// Gallery photos that it could not be verified by, where it was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_compared: Vec<NotCompared>,
    /// How long each step took, the only part that another run may give otherwise.
    pub stages: Vec<TimedStage>,
    /// What an encounter needs of it.
    #[serde(skip)]
    pub said: Option<EncounterPhoto>,
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
    /// What speaks for it, where it was compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// What it got in the gallery's vote, where one was held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub votes: Option<f32>,
    /// How well its trailing edge fits, in standard deviations above the gallery's mean, where edges are compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub edge: Option<f32>,
}

/// How long a step took.
#[derive(Clone, Debug, Serialize)]
pub struct TimedStage {
    /// As [`Stage::name`], "verify" or "search".
    pub name: &'static str,
    /// Of a clock on the wall.
    pub milliseconds: f64,
}

/// By what else than the networks an answer is given.
#[derive(Clone, Copy, Debug)]
pub enum Beside<'a> {
    /// By nothing.
    Nothing,
    /// The first whales are verified by local features: the bundle's folder has the keypoints.
    Verify(&'a Path),
    /// All photos of the gallery vote, and the first whales are verified.
    Search(&'a Search),
}

impl Beside<'_> {
    /// What the step after the core's stages is called.
    fn stage(self) -> &'static str {
        match self {
            Self::Nothing | Self::Verify(_) => "verify",
            Self::Search(_) => "search",
        }
    }

    fn answer(
        self,
        identifier: &Identifier,
        photo: &Photo,
        identified: &Identification,
        count: usize,
    ) -> Result<Option<VerifiedAnswer>> {
        match self {
            Self::Nothing => Ok(None),
            Self::Verify(folder) => verify(identifier, photo, identified, folder, count).map(Some),
            Self::Search(search) => search
                .answer(identifier, photo, identified, count)
                .map(Some),
        }
    }
}

/// Names the whale in `photo`: `count` candidates. Without a `region` the finder looks. Whatever fails
/// is said in the row.
pub fn answer_photo(
    identifier: &Identifier,
    photo: &PhotoFile,
    region: Option<Region>,
    count: usize,
    beside: Beside<'_>,
) -> PhotoAnswer {
    let mut begun: Vec<(&'static str, Instant)> = Vec::new();
    let on_stage = |stage: &'static str| begun.push((stage, Instant::now()));
    let question = (region, count);
    let identified = identify(identifier, photo, question, beside, on_stage);
    let mut answer = PhotoAnswer {
        photo: photo.path.display().to_string(),
        error: None,
        region: None,
        region_source: None,
        candidates: Vec::new(),
        new_probability: None,
        verdict: None,
        not_compared: Vec::new(),
        stages: timed(&begun),
        said: None,
    };
    match identified {
        Ok((identified, verified)) => {
            answer.region = Some(identified.region);
            answer.region_source = Some(identified.region_source);
            let said = verified
                .as_ref()
                .map_or(&identified.answer, |verified| &verified.answer);
            answer.new_probability = Some(said.new.probability);
            answer.verdict = Some(one_named(identifier, &said.verdict));
            answer.candidates = named(identifier, said);
            for (candidate, named) in said.candidates.iter().zip(&mut answer.candidates) {
                named.edge = identified.embedding.edge_of(candidate.label);
            }
            if let Some(verified) = &verified {
                note(
                    identifier,
                    verified,
                    &said.candidates,
                    &mut answer.candidates,
                );
                answer.not_compared = not_compared(identifier, verified);
            }
            answer.said = Some(EncounterPhoto {
                embedding: identified.embedding,
                findings: verified.map(|verified| verified.findings),
            });
        }
        Err(error) => answer.error = Some(error.to_string()),
    }
    answer
}

fn identify(
    identifier: &Identifier,
    photo: &PhotoFile,
    (region, count): (Option<Region>, usize),
    beside: Beside<'_>,
    mut on_stage: impl FnMut(&'static str),
) -> Result<(Identification, Option<VerifiedAnswer>)> {
    let bytes = std::fs::read(&photo.path).map_err(|source| Error::Read {
        path: photo.path.clone(),
        source,
    })?;
    on_stage(Stage::Decode.name());
    let photo = Photo::decode(&bytes)?;
    let tell = |stage: Stage| on_stage(stage.name());
    let identified = pollster::block_on(identifier.identify_photo(&photo, region, count, tell))?;
    if !matches!(beside, Beside::Nothing) {
        on_stage(beside.stage());
    }
    let verified = beside.answer(identifier, &photo, &identified, count)?;
    Ok((identified, verified))
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
        evidence: None,
        votes: None,
        edge: None,
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
