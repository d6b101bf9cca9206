//! Tuning and evaluating a run.

use super::answered::Answered;
use super::breakdown::{Breakdown, photos_of_each};
use super::confidence::Confidence;
use super::crossed::{Parts, crossed};
use super::embeddings::{Embeddings, embed_catalogue, truths};
use super::encounters::EncounterReport;
use super::headline::Headline;
use super::mistakes::{Mistake, Shown, Teller};
use super::raw_pixels::raw_pixel_rows;
use super::reid::{Reid, reidentify};
use super::scores::{ScoreRow, score_rows};
use super::tuned::TunedOn;
use crate::Result;
use crate::data::{Catalogue, Split};
use crate::progress::Progress;
use crate::train::Run;
use crate::tune::{LabelledQueries, TuneError, Tuning, final_scores, operating_rates, tune};
use burn::tensor::Device;
use flukeprint_core::bundle::sha256_hex;
use flukeprint_core::decision::DecisionParameters;
use flukeprint_core::gallery::Gallery;
use serde::Serialize;

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

/// Chooses the decision's parameters on the tuning half, or on all held-out photos, with the training
/// photos as the gallery, and keeps them in the run's folder, beside what each operating point then costs on
/// photos that it was not chosen on: the report half, or all, crossed. `device` embeds the photos.
///
/// # Errors
/// Photos or weights that cannot be used, a validation set that cannot be tuned on.
pub fn tune_run(
    run: &Run,
    catalogue: &Catalogue,
    on: TunedOn,
    device: &Device,
    progress: &dyn Progress,
) -> Result<Tuning> {
    let split = run.split(catalogue)?;
    let embeddings = embed_catalogue(run, catalogue, &split, device, progress)?;
    let held_out = |photos| queries(catalogue, &split, &embeddings, photos);
    let queries = held_out(on.photos())?;
    let tuning = tune(&queries)?;
    let measured = match on {
        TunedOn::Half => vec![(held_out(HeldOut::Report)?, tuning.parameters)],
        TunedOn::All => crossed(&queries, &Parts::of(&split, TunedOn::PARTS)?)?,
    };
    let answered = measured
        .iter()
        .map(|(queries, parameters)| Ok((final_scores(queries, parameters)?, *parameters)))
        .collect::<std::result::Result<Vec<_>, TuneError>>()?;
    let rates = operating_rates(&answered, tuning.parameters.new_share);
    run.save_tuned(on, &tuning.parameters, &rates)?;
    Ok(tuning)
}

/// Measures a tuned run on the report half, with the training photos as the gallery.
///
/// # Errors
/// As [`tune_run`], and a run that was not tuned or has no photo left that it was not tuned on.
pub fn evaluate(
    run: &Run,
    catalogue: &Catalogue,
    device: &Device,
    progress: &dyn Progress,
) -> Result<Report> {
    let split = run.split(catalogue)?;
    run.tuned_on()?.require_report_half(run)?;
    let parameters = run.decision()?;
    let embeddings = embed_catalogue(run, catalogue, &split, device, progress)?;
    let gallery = embeddings.gallery(catalogue, &split.train)?;
    let queries = queries_in(&gallery, catalogue, &split, &embeddings, HeldOut::Report)?;
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
    Ok([half(HeldOut::Tune)?, half(HeldOut::Report)?])
}

/// Held-out photos.
#[derive(Clone, Copy, Debug)]
pub(crate) enum HeldOut {
    /// The half that parameters are chosen on.
    Tune,
    /// The half that is only measured on.
    Report,
    /// All of them, the tuning half first.
    All,
}

impl HeldOut {
    /// Their places in the catalogue.
    pub(crate) fn photos(self, split: &Split) -> Vec<usize> {
        match self {
            Self::Tune => split.tune.clone(),
            Self::Report => split.report.clone(),
            Self::All => [&split.tune[..], &split.report].concat(),
        }
    }
}

/// What embeddings say of held-out photos, with the training photos as the gallery.
pub(crate) fn queries(
    catalogue: &Catalogue,
    split: &Split,
    embeddings: &Embeddings,
    held_out: HeldOut,
) -> Result<LabelledQueries> {
    let gallery = embeddings.gallery(catalogue, &split.train)?;
    queries_in(&gallery, catalogue, split, embeddings, held_out)
}

fn queries_in(
    gallery: &Gallery,
    catalogue: &Catalogue,
    split: &Split,
    embeddings: &Embeddings,
    held_out: HeldOut,
) -> Result<LabelledQueries> {
    let border = split.tune.len() * catalogue.individuals.len();
    let logits = match held_out {
        HeldOut::Tune => &embeddings.logits[..border],
        HeldOut::Report => &embeddings.logits[border..],
        HeldOut::All => &embeddings.logits[..],
    };
    let photos = held_out.photos(split);
    let features = embeddings.features_of(&photos);
    Ok(LabelledQueries::in_gallery(
        gallery,
        truths(catalogue, &photos),
        logits.to_vec(),
        &features,
    )?)
}
