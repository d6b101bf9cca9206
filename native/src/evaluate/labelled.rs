//! A bundle against labelled photos that it has not seen.

use super::confidence::Confidence;
use super::embeddings::truths;
use super::encounters::{EncounterReport, bundle_encounters};
use super::headline::Headline;
use super::reid::{self, Reid, reidentify};
use super::scores::{ScoreRow, score_rows};
use crate::data::{Catalogue, PhotoEntry};
use crate::progress::Progress;
use crate::train::samples::read_photo;
use crate::tune::{LabelledQueries, TuneError};
use crate::{Error, Result};
use flukeprint_core::gallery::Label;
use flukeprint_core::identify::{Embedding, Identifier};
use serde::Serialize;
use std::collections::HashMap;
use std::time::Instant;

/// What a bundle is worth on labelled photos.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BundleReport {
    /// Photos measured on.
    pub photos: usize,
    /// Those of them that show whales of the gallery.
    pub known_photos: usize,
    /// Each part of the decision, alone and together.
    pub rows: Vec<ScoreRow>,
    /// Seconds a photo, from its bytes to its answer.
    pub seconds_per_photo: f64,
    /// The final answer's scores.
    #[serde(flatten)]
    pub headline: Headline,
    /// Each photo looked up among the others, without the bundle's gallery.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reid: Option<Reid>,
    /// What several photos of one animal are worth together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encounters: Option<EncounterReport>,
}

/// Names every photo of `catalogue` and scores the answers; whales that the bundle's gallery has not
/// count as new. A photo without a box is searched by the finder.
///
/// With `with_reid`, photos are also looked up among one another, by the catalogue's own individuals:
/// read it without known ones then. So with `with_encounters`, where photos of one individual are put
/// together.
///
/// # Errors
/// A photo that cannot be read or answered; [`Error::NoSecondPhoto`] before anything is computed.
pub fn evaluate_bundle(
    identifier: &Identifier,
    catalogue: &Catalogue,
    with_reid: bool,
    with_encounters: bool,
    progress: &dyn Progress,
) -> Result<BundleReport> {
    let all: Vec<usize> = (0..catalogue.photos.len()).collect();
    let own = truths(catalogue, &all);
    if with_reid || with_encounters {
        reid::queries(&own)?;
    }
    let begun = Instant::now();
    let (mut features, mut logits) = (Vec::new(), Vec::new());
    progress.begin("naming photos", catalogue.photos.len());
    for (done, entry) in catalogue.photos.iter().enumerate() {
        let embedding = embed(identifier, entry)?;
        features.extend(embedding.feature);
        logits.extend(embedding.logits);
        progress.advance(done + 1);
    }
    let named = in_gallery(identifier, catalogue, &own);
    let queries = LabelledQueries::in_gallery(identifier.gallery(), named, logits, &features)?;
    let seconds_per_photo = begun.elapsed().as_secs_f64() / queries.len() as f64;
    let decision = &identifier.manifest().decision;
    let rows = score_rows(&queries, decision)?;
    let confidence = Confidence::of(&queries, decision)?;
    let encounters = with_encounters.then(|| bundle_encounters(&queries, &own, decision));
    let encounters = encounters.transpose()?;
    let width = features.len() / own.len();
    let reid = with_reid.then(|| reidentify(width, &features, &own));
    let reid = reid.transpose()?;
    Ok(BundleReport {
        photos: queries.len(),
        known_photos: queries.known(),
        headline: Headline::new(&rows, &confidence, reid.as_ref()).ok_or(TuneError::NoQueries)?,
        rows,
        seconds_per_photo,
        reid,
        encounters,
    })
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

fn embed(identifier: &Identifier, entry: &PhotoEntry) -> Result<Embedding> {
    let (photo, _) = read_photo(entry)?;
    let named = |error: flukeprint_core::Error| Error::Photo {
        path: entry.path.clone(),
        reason: error.to_string(),
    };
    let embedded = identifier.embed_photo(&photo, entry.region, |_| ());
    let (_, _, embedding) = pollster::block_on(embedded).map_err(named)?;
    Ok(embedding)
}
