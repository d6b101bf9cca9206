//! The core's answers in JavaScript's words.

use flukeprint_core::bundle::Manifest;
use flukeprint_core::decision::{self, Candidate};
use flukeprint_core::gallery::Label;
use flukeprint_core::gallery::Nearest;
use flukeprint_core::identify::{Embedding, Identification, Identifier, RegionSource, Stage};
use flukeprint_core::photo::Region;
use serde::Serialize;
use wasm_bindgen::JsCast;

/// `BundleFile`. Sizes are floats because JavaScript has no other numbers.
#[derive(Debug, Serialize)]
pub(crate) struct BundleFile<'a> {
    pub(crate) path: &'a str,
    pub(crate) bytes: f64,
}

/// `CatalogueFacts`.
#[derive(Debug, Serialize)]
pub(crate) struct Catalogue<'a> {
    title: &'a str,
    individuals: usize,
    photos: usize,
    new_photos: usize,
    model_hash: &'a str,
    trained_on: String,
    edges: bool,
}

pub(crate) fn catalogue(manifest: &Manifest) -> Catalogue<'_> {
    Catalogue {
        title: &manifest.title,
        individuals: manifest.catalogue.individuals,
        photos: manifest.catalogue.photos,
        new_photos: manifest.catalogue.new_photos,
        model_hash: &manifest.files.weights.sha256,
        trained_on: manifest.catalogue.date.clone(),
        edges: manifest.edges.is_some(),
    }
}

/// `Answer`.
#[derive(Debug, Serialize)]
pub(crate) struct Answer<'a> {
    photo: Size,
    region: FoundRegion,
    #[serde(flatten)]
    whales: EncounterAnswer<'a>,
    stages: Vec<TimedStage>,
    backend: &'static str,
    verifiable: bool,
    embedding: &'a Embedding,
}

/// `EncounterAnswer`: the part of an answer that one photo or several can give.
#[derive(Debug, Serialize)]
pub(crate) struct EncounterAnswer<'a> {
    candidates: Vec<Named<'a>>,
    new_whale: NewWhale,
    verdict: Verdict<'a>,
}

#[derive(Debug, Serialize)]
struct Size {
    width: u32,
    height: u32,
}

#[derive(Debug, Serialize)]
struct FoundRegion {
    #[serde(flatten)]
    region: Region,
    source: RegionSource,
}

#[derive(Debug, Serialize)]
struct Named<'a> {
    kind: &'static str,
    name: &'a str,
    score: f32,
    probability: f32,
    nearest: Option<NearestPhoto<'a>>,
    edge: Option<f32>,
}

#[derive(Debug, Serialize)]
struct NearestPhoto<'a> {
    photo: &'a str,
    thumbnail: Option<&'a str>,
    similarity: f32,
}

#[derive(Debug, Serialize)]
struct NewWhale {
    rank: usize,
    probability: f32,
}

#[derive(Debug, Serialize)]
struct Verdict<'a> {
    kind: &'static str,
    name: &'a str,
    probability: f32,
}

/// How long a stage took.
#[derive(Debug, Serialize)]
pub(crate) struct TimedStage {
    name: &'static str,
    milliseconds: f64,
}

impl<'a> Answer<'a> {
    /// The core's identification, named and timed.
    pub(crate) fn new(
        identifier: &'a Identifier,
        identified: &'a Identification,
        stages: Vec<TimedStage>,
        backend: &'static str,
    ) -> Self {
        Self {
            photo: Size {
                width: identified.width,
                height: identified.height,
            },
            region: FoundRegion {
                region: identified.region,
                source: identified.region_source,
            },
            whales: EncounterAnswer::new(identifier, &identified.answer)
                .with_edges(&identified.answer, &identified.embedding),
            stages,
            backend,
            verifiable: identifier.manifest().evidence.is_some(),
            embedding: &identified.embedding,
        }
    }
}

impl<'a> EncounterAnswer<'a> {
    /// The core's answer, named.
    pub(crate) fn new(identifier: &'a Identifier, answer: &decision::Answer) -> Self {
        let candidates: Vec<Named<'a>> = answer
            .candidates
            .iter()
            .map(|one| named(identifier, one))
            .collect();
        let said = named(identifier, &answer.verdict);
        let verdict = Verdict {
            kind: said.kind,
            name: said.name,
            probability: said.probability,
        };
        Self {
            new_whale: NewWhale {
                rank: answer.new_rank,
                probability: answer.new.probability,
            },
            candidates,
            verdict,
        }
    }

    /// With how well the edge of each candidate fits that of the one photo that was answered.
    pub(crate) fn with_edges(mut self, answer: &decision::Answer, photo: &Embedding) -> Self {
        for (candidate, named) in answer.candidates.iter().zip(&mut self.candidates) {
            named.edge = photo.edge_of(candidate.label);
        }
        self
    }
}

fn named<'a>(identifier: &'a Identifier, candidate: &Candidate) -> Named<'a> {
    let nearest = |nearest: Nearest| {
        let photo = identifier.photos().get(nearest.row as usize)?;
        Some(NearestPhoto {
            photo: &photo.file,
            thumbnail: photo.thumbnail.as_ref().map(|file| file.path.as_str()),
            similarity: decision::similarity(nearest.distance),
        })
    };
    Named {
        kind: match candidate.label {
            Label::Individual(_) => "individual",
            Label::New => "new",
        },
        name: identifier.name(candidate.label),
        score: candidate.score,
        probability: candidate.probability,
        nearest: candidate.nearest.and_then(nearest),
        edge: None,
    }
}

/// Times stages by the browser's clock.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    begun: Vec<(Stage, f64)>,
}

impl Clock {
    /// `stage` begins, and the one before ends.
    pub(crate) fn begin(&mut self, stage: Stage) {
        self.begun.push((stage, now()));
    }

    /// The last stage ends.
    pub(crate) fn end(self) -> Vec<TimedStage> {
        let ends: Vec<f64> = self
            .begun
            .iter()
            .skip(1)
            .map(|&(_, begin)| begin)
            .chain([now()])
            .collect();
        let stages = self.begun.iter().zip(ends);
        stages
            .map(|((stage, begin), end)| TimedStage {
                name: stage.name(),
                milliseconds: end - begin,
            })
            .collect()
    }
}

/// Milliseconds since the page or worker began; 0 where there is no such clock.
fn now() -> f64 {
    js_sys::Reflect::get(&js_sys::global(), &"performance".into())
        .ok()
        .filter(wasm_bindgen::JsValue::is_object)
        .map_or(0.0, |performance| {
            performance.unchecked_into::<web_sys::Performance>().now()
        })
}
