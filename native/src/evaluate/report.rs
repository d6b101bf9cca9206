//! Tuning and evaluating a run.

use super::answered::Answered;
use super::breakdown::{Breakdown, photos_of_each};
use super::confidence::Confidence;
use super::embeddings::{Embeddings, embed_catalogue, truths};
use super::encounters::EncounterReport;
use super::headline::Headline;
use super::mistakes::{Mistake, Shown, Teller};
use super::raw_pixels::raw_pixel_rows;
use super::reid::{Reid, reidentify};
use super::scores::{ScoreRow, score_rows};
use crate::data::{Catalogue, Split, write_atomically};
use crate::progress::Progress;
use crate::train::Run;
use crate::tune::{LabelledQueries, TuneError, Tuning, operating_rates, tune};
use crate::{Error, Result};
use burn::tensor::Device;
use flukeprint_core::bundle::sha256_hex;
use flukeprint_core::decision::DecisionParameters;
use flukeprint_core::gallery::Gallery;
use serde::Serialize;
use std::path::Path;

/// What a run is worth on the report half of its validation photos.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Photos measured on.
    pub photos: usize,
    /// Those of them that show known whales.
    pub known_photos: usize,
    /// Photos in the gallery that they were looked up in.
    pub gallery_photos: usize,
    /// Whales in that gallery.
    pub individuals: usize,
    /// The parameters that were used, tuned on the other half.
    pub parameters: DecisionParameters,
    /// Each part of the decision, alone and together.
    pub rows: Vec<ScoreRow>,
    /// Raw pixels on the same photos.
    pub raw_pixels: Vec<ScoreRow>,
    /// The final answer's scores.
    #[serde(flatten)]
    pub headline: Headline,
    /// The final answer taken apart.
    #[serde(flatten)]
    pub breakdown: Breakdown,
    /// The worst mistakes.
    pub mistakes: Vec<Mistake>,
    /// SHA-256 of the weights as they ship.
    pub model_sha256: String,
    /// The photos of whales that were kept out of training, each looked up among the others of them
    /// and nothing else. `None` where the recipe keeps no whale out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reid: Option<Reid>,
    /// What several photos of one animal are worth together, by
    /// [`evaluate_encounters`](super::encounters::evaluate_encounters); [`evaluate`] leaves it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encounters: Option<EncounterReport>,
}

/// Chooses the decision's parameters on the tuning half, with the training photos as the gallery,
/// and keeps them in the run's folder, beside what each operating point then costs on the report half. `device` embeds the photos.
///
/// # Errors
/// Photos or weights that cannot be used, a validation set that cannot be tuned on.
pub fn tune_run(
    run: &Run,
    catalogue: &Catalogue,
    device: &Device,
    progress: &dyn Progress,
) -> Result<Tuning> {
    let split = run.split(catalogue)?;
    let embeddings = embed_catalogue(run, catalogue, &split, device, progress)?;
    let tuning = tune(&queries(catalogue, &split, &embeddings, Half::Tune)?)?;
    let measured = queries(catalogue, &split, &embeddings, Half::Report)?;
    let rates = operating_rates(&measured, &tuning.parameters)?;
    run.save_operating(run.folder(), &rates)?;
    run.save_decision(run.folder(), &tuning.parameters)?;
    Ok(tuning)
}

/// Measures a tuned run on the report half, with the training photos as the gallery.
///
/// # Errors
/// As [`tune_run`], and a run that was not tuned.
pub fn evaluate(
    run: &Run,
    catalogue: &Catalogue,
    device: &Device,
    progress: &dyn Progress,
) -> Result<Report> {
    let split = run.split(catalogue)?;
    let parameters = run.decision()?;
    let embeddings = embed_catalogue(run, catalogue, &split, device, progress)?;
    let gallery = embeddings.gallery(catalogue, &split.train)?;
    let queries = queries_in(&gallery, catalogue, &split, &embeddings, Half::Report)?;
    let rows = score_rows(&queries, &parameters)?;
    let answers = Answered::all(&queries, &parameters)?;
    let confidence = Confidence::of_answers(&answers).map_err(TuneError::from)?;
    let reid = reid_unseen(catalogue, &split, &embeddings)?;
    let shown = |photo: usize| Shown::of(&catalogue.photos[photo]);
    let teller = Teller {
        gallery: &gallery,
        features: &embeddings.features_of(&split.report),
        query: &|query| shown(split.report[query]),
        row: &|row| shown(gallery.rows()[row as usize].photo as usize),
    };
    Ok(Report {
        photos: queries.len(),
        known_photos: queries.known(),
        gallery_photos: split.train.len(),
        individuals: catalogue.individuals.len() - split.unseen_whales(catalogue),
        parameters,
        headline: Headline::new(&rows, &confidence, reid.as_ref()).ok_or(TuneError::NoQueries)?,
        rows,
        raw_pixels: raw_pixel_rows(catalogue, &split, run.recipe.input.margin)?,
        breakdown: Breakdown::of(&answers, &photos_of_each(&gallery))?,
        mistakes: teller.worst(&answers)?,
        model_sha256: sha256_hex(&run.shipped_weights()?),
        reid,
        encounters: None,
    })
}

fn reid_unseen(
    catalogue: &Catalogue,
    split: &Split,
    embeddings: &Embeddings,
) -> Result<Option<Reid>> {
    let unseen = &split.unseen;
    if unseen.is_empty() {
        return Ok(None);
    }
    let features = embeddings.features_of(unseen);
    reidentify(embeddings.width, &features, &truths(catalogue, unseen)).map(Some)
}

/// What a run says of the held-out photos, the half to tune on and the half to report on, with the
/// training photos as the gallery.
///
/// # Errors
/// As [`tune_run`].
pub fn held_out(
    run: &Run,
    catalogue: &Catalogue,
    device: &Device,
    progress: &dyn Progress,
) -> Result<[LabelledQueries; 2]> {
    let split = run.split(catalogue)?;
    let embeddings = embed_catalogue(run, catalogue, &split, device, progress)?;
    let half = |half| queries(catalogue, &split, &embeddings, half);
    Ok([half(Half::Tune)?, half(Half::Report)?])
}

/// A half of the held-out photos.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Half {
    /// The one that parameters are chosen on.
    Tune,
    /// The one that is only measured on.
    Report,
}

/// What embeddings say of a half of the held-out photos, with the training photos as the gallery.
pub(crate) fn queries(
    catalogue: &Catalogue,
    split: &Split,
    embeddings: &Embeddings,
    half: Half,
) -> Result<LabelledQueries> {
    let gallery = embeddings.gallery(catalogue, &split.train)?;
    queries_in(&gallery, catalogue, split, embeddings, half)
}

fn queries_in(
    gallery: &Gallery,
    catalogue: &Catalogue,
    split: &Split,
    embeddings: &Embeddings,
    half: Half,
) -> Result<LabelledQueries> {
    let border = split.tune.len() * catalogue.individuals.len();
    let (photos, logits) = match half {
        Half::Tune => (&split.tune, &embeddings.logits[..border]),
        Half::Report => (&split.report, &embeddings.logits[border..]),
    };
    let features = embeddings.features_of(photos);
    Ok(LabelledQueries::in_gallery(
        gallery,
        truths(catalogue, photos),
        logits.to_vec(),
        &features,
    )?)
}

/// Where a run keeps its decision's parameters.
const DECISION: &str = "decision.json";

impl Run {
    /// Keeps the decision's parameters in `folder`, where the run stands or grows.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn save_decision(&self, folder: &Path, decision: &DecisionParameters) -> Result<()> {
        let path = folder.join(DECISION);
        let json = serde_json::to_vec_pretty(decision).map_err(|error| Error::Write {
            path: path.clone(),
            source: std::io::Error::other(error),
        })?;
        write_atomically(&path, &json)
    }

    /// The decision's parameters, as [`tune_run`] chose them.
    ///
    /// # Errors
    /// When the run was not tuned yet, or its parameters cannot be used.
    pub fn decision(&self) -> Result<DecisionParameters> {
        let path = self.folder().join(DECISION);
        read_decision(&path, "run `flukeprint tune` on this run first")
    }
}

/// The parameters in a file; `wanted` says what to do where there is none.
pub(crate) fn read_decision(path: &Path, wanted: &'static str) -> Result<DecisionParameters> {
    let path = path.to_owned();
    if !path.exists() {
        return Err(Error::MissingFile { path, wanted });
    }
    let text = std::fs::read_to_string(&path).map_err(|source| Error::Read {
        path: path.clone(),
        source,
    })?;
    let parameters: DecisionParameters =
        serde_json::from_str(&text).map_err(|error| Error::Run {
            path,
            reason: error.to_string(),
        })?;
    parameters
        .validate()
        .map_err(flukeprint_core::Error::from)?;
    Ok(parameters)
}
