//! A bundle against labelled photos that it has not seen.

use super::answered::Answered;
use super::breakdown::{Breakdown, photos_of_each};
use super::confidence::Confidence;
use super::embeddings::truths;
use super::encounters::{EncounterReport, bundle_encounters};
use super::headline::Headline;
use super::mistakes::{Mistake, Shown, Teller};
use super::reid::{self, Reid, reidentify};
use super::scores::{ScoreRow, row_of_columns, score_rows};
use super::stages::{Clock, StageSeconds};
use crate::data::{Catalogue, PhotoEntry};
use crate::progress::Progress;
use crate::train::samples::read_photo;
use crate::tune::{LabelledQueries, TuneError, final_scores};
use crate::{Error, Result};
use flukeprint_core::decision::{
    DecisionParameters, Findings, Found, OperatingPoint, Query, decide,
};
use flukeprint_core::gallery::Label;
use flukeprint_core::identify::{Embedding, Identifier, Stage};
use flukeprint_core::metrics::LISTED;
use flukeprint_core::photo::Region;
use serde::Serialize;
use std::collections::HashMap;
use std::path::Path;

/// A bundle, and the labelled photos that it is asked about.
#[derive(Clone, Copy)]
pub struct BundleQuestion<'a> {
    /// The bundle.
    pub identifier: &'a Identifier,
    /// The photos; with `reid` or `encounters` read without known individuals.
    pub catalogue: &'a Catalogue,
    /// Look photos up among one another too.
    pub reid: bool,
    /// Answer photos of one individual together too.
    pub encounters: bool,
    /// The bundle's folder, for the small pictures of its gallery.
    pub folder: &'a Path,
    /// The folder of the gallery's photos, where the bundle has no small pictures of them.
    pub gallery_photos: Option<&'a Path>,
}

/// What a bundle is worth on labelled photos.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BundleReport {
    /// Photos measured on.
    pub photos: usize,
    /// Those of them that show whales of the gallery.
    pub known_photos: usize,
    /// Photos in the gallery that they were looked up in.
    pub gallery_photos: usize,
    /// Whales in that gallery.
    pub individuals: usize,
    /// The parameters that the bundle decides by.
    pub parameters: DecisionParameters,
    /// SHA-256 of the bundle's weights.
    pub model_sha256: String,
    /// Each part of the decision, alone and together.
    pub rows: Vec<ScoreRow>,
    /// Seconds a photo, from its bytes to its answer.
    pub seconds_per_photo: f64,
    /// The same by stage.
    pub seconds_by_stage: StageSeconds,
    /// The final answer's scores.
    #[serde(flatten)]
    pub headline: Headline,
    /// The final answer taken apart.
    #[serde(flatten)]
    pub breakdown: Breakdown,
    /// The worst mistakes.
    pub mistakes: Vec<Mistake>,
    /// Each photo looked up among the others, without the bundle's gallery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reid: Option<Reid>,
    /// What several photos of one animal are worth together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encounters: Option<EncounterReport>,
}

/// Names every photo of the catalogue and scores the answers; whales that the bundle's gallery has not
/// count as new. A photo without a box is searched by the finder.
///
/// With `reid`, photos are also looked up among one another, by the catalogue's own individuals: read it
/// without known ones then. So with `encounters`, where photos of one individual are put together.
///
/// # Errors
/// A photo that cannot be read or answered; [`Error::NoSecondPhoto`] before anything is computed.
pub fn evaluate_bundle(
    question: &BundleQuestion<'_>,
    progress: &dyn Progress,
) -> Result<BundleReport> {
    let BundleQuestion {
        identifier,
        catalogue,
        ..
    } = *question;
    let all: Vec<usize> = (0..catalogue.photos.len()).collect();
    let own = truths(catalogue, &all);
    if question.reid || question.encounters {
        reid::queries(&own)?;
    }
    let named = name_photos(identifier, catalogue, progress)?;
    let truths = in_gallery(identifier, catalogue, &own);
    let gallery = identifier.gallery();
    let queries = LabelledQueries::in_gallery(gallery, truths, named.logits, &named.features)?;
    let manifest = identifier.manifest();
    let mut rows = score_rows(&queries, &manifest.decision)?;
    let answers = Answered::all(&queries, &manifest.decision)?;
    let confidence = Confidence::of_answers(&answers).map_err(TuneError::from)?;
    let together = || {
        let edges = named.edges.iter().cloned();
        let found: Vec<Findings> = edges.map(Findings::of_edges).collect();
        let facts = manifest.edges.as_ref();
        let beside = facts.map(|facts| (&facts.parameters, &found[..]));
        bundle_encounters(&queries, &own, &manifest.decision, beside)
    };
    let encounters = question.encounters.then(together).transpose()?;
    let width = named.features.len() / own.len();
    let reid = question
        .reid
        .then(|| reidentify(width, &named.features, &own));
    let reid = reid.transpose()?;
    let teller = Teller {
        gallery,
        features: &named.features,
        query: &|query| Shown {
            region: Some(named.regions[query]),
            ..Shown::of(&catalogue.photos[query])
        },
        row: &|row| question.gallery_photo(row),
    };
    let headline = Headline::new(&rows, &confidence, reid.as_ref()).ok_or(TuneError::NoQueries)?;
    // The rest of the report takes the networks' answer apart.
    rows.extend(row_with_edges(identifier, &queries, &named.edges)?);
    Ok(BundleReport {
        photos: queries.len(),
        known_photos: queries.known(),
        gallery_photos: gallery.rows().len(),
        individuals: gallery.individuals().len(),
        parameters: manifest.decision,
        model_sha256: manifest.files.weights.sha256.clone(),
        headline,
        rows,
        seconds_per_photo: named.seconds.total(),
        seconds_by_stage: named.seconds,
        breakdown: Breakdown::of(&answers, &photos_of_each(gallery))?,
        mistakes: teller.worst(&answers)?,
        reid,
        encounters,
    })
}

impl BundleQuestion<'_> {
    fn gallery_photo(&self, row: u32) -> Shown {
        let photo = &self.identifier.photos()[row as usize];
        let small = photo
            .thumbnail
            .as_ref()
            .map(|small| self.folder.join(&small.path));
        let large = self.gallery_photos.map(|folder| folder.join(&photo.file));
        Shown {
            file: photo.file.clone(),
            path: small.into_iter().chain(large).find(|path| path.is_file()),
            region: None,
        }
    }
}

/// The row of answers that count edges, where the bundle has them: what `identify` answers.
fn row_with_edges(
    identifier: &Identifier,
    queries: &LabelledQueries,
    edges: &[Vec<f32>],
) -> Result<Option<ScoreRow>> {
    let manifest = identifier.manifest();
    let Some(facts) = &manifest.edges else {
        return Ok(None);
    };
    let scores = final_scores(queries, &manifest.decision)?;
    let raised = scores
        .iter()
        .zip(edges)
        .map(|((scores, _), edges)| facts.parameters.raised(scores, Found::of_edges(edges)));
    let raised: Vec<Vec<f32>> = raised.collect();
    let truths = queries.iter().map(|query| query.truth);
    Ok(row_of_columns(
        "with edges",
        raised.iter().map(Vec::as_slice).zip(truths),
    ))
}

/// What the bundle's networks say of every photo, and how well each label's edge fits it.
struct Named {
    features: Vec<f32>,
    logits: Vec<f32>,
    edges: Vec<Vec<f32>>,
    regions: Vec<Region>,
    seconds: StageSeconds,
}

fn name_photos(
    identifier: &Identifier,
    catalogue: &Catalogue,
    progress: &dyn Progress,
) -> Result<Named> {
    let (mut features, mut logits, mut regions) = (Vec::new(), Vec::new(), Vec::new());
    let mut edges = Vec::new();
    let mut clock = Clock::default();
    progress.begin("naming photos", catalogue.photos.len());
    for (done, entry) in catalogue.photos.iter().enumerate() {
        let (region, embedding) = name_photo(identifier, entry, &mut clock)?;
        features.extend(embedding.feature);
        logits.extend(embedding.logits);
        edges.push(embedding.edges);
        regions.push(region);
        progress.advance(done + 1);
    }
    Ok(Named {
        features,
        logits,
        edges,
        regions,
        seconds: clock.mean(catalogue.photos.len()),
    })
}

/// Answers one photo as `identify` does, so that the time is what a user waits.
fn name_photo(
    identifier: &Identifier,
    entry: &PhotoEntry,
    clock: &mut Clock,
) -> Result<(Region, Embedding)> {
    let named = |error: flukeprint_core::Error| Error::Photo {
        path: entry.path.clone(),
        reason: error.to_string(),
    };
    clock.begin(Stage::Decode);
    let (photo, _) = read_photo(entry)?;
    let embedded = identifier.embed_photo(&photo, entry.region, |stage| clock.begin(stage));
    let (region, _, embedding) = pollster::block_on(embedded).map_err(named)?;
    clock.begin(Stage::Decide);
    let query = Query {
        feature: &embedding.feature,
        logits: &embedding.logits,
    };
    let parameters = &identifier.manifest().decision;
    let point = OperatingPoint::default();
    decide(&query, identifier.gallery(), parameters, &point, LISTED)
        .map_err(|error| named(error.into()))?;
    clock.stop();
    Ok((region, embedding))
}

/// The catalogue's labels as the bundle's, by name.
fn in_gallery(identifier: &Identifier, catalogue: &Catalogue, labels: &[Label]) -> Vec<Label> {
    let known = identifier.gallery().individuals().iter();
    let numbers: HashMap<&str, u32> = known.map(|one| one.name.as_str()).zip(0..).collect();
    let label = |label: &Label| match *label {
        Label::Individual(whale) => {
            let name = catalogue.individuals[whale as usize].as_str();
            numbers
                .get(name)
                .map_or(Label::New, |&number| Label::Individual(number))
        }
        Label::New => Label::New,
    };
    labels.iter().map(label).collect()
}
