//! All held-out photos, each answered by parameters that were tuned on the other half: twice as many
//! photos to measure on, for what half of them cannot tell.
//!
//! It judges the way of tuning, not the parameters that ship. What was learnt by looking at the report
//! half, in choosing a recipe say, flatters as it does there.

use super::answered::Answered;
use super::breakdown::{Breakdown, photos_of_each};
use super::confidence::Confidence;
use super::embeddings::embed_catalogue;
use super::headline::Headline;
use super::report::{Half, queries};
use super::scores::{ALL, ScoreRow, row_of_columns};
use crate::Result;
use crate::data::Catalogue;
use crate::progress::Progress;
use crate::train::Run;
use crate::tune::{LabelledQueries, TuneError, final_scores, tune};
use burn::tensor::Device;
use flukeprint_core::decision::DecisionParameters;
use serde::Serialize;

/// What a run is worth on all its held-out photos.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CrossedReport {
    /// Photos measured on.
    pub photos: usize,
    /// Those of them that show known whales.
    pub known_photos: usize,
    /// Photos in the gallery that they were looked up in.
    pub gallery_photos: usize,
    /// The parameters that answered the tuning half, and those that answered the report half.
    pub parameters: [DecisionParameters; 2],
    /// The final score.
    pub rows: Vec<ScoreRow>,
    /// The final answer's scores.
    #[serde(flatten)]
    pub headline: Headline,
    /// The final answer taken apart.
    #[serde(flatten)]
    pub breakdown: Breakdown,
}

/// Tunes on each half of the held-out photos and measures on the other, with the training photos as the
/// gallery. Nothing is kept in the run's folder but embeddings.
///
/// # Errors
/// As [`tune_run`](super::tune_run).
pub fn evaluate_crossed(
    run: &Run,
    catalogue: &Catalogue,
    device: &Device,
    progress: &dyn Progress,
) -> Result<CrossedReport> {
    let split = run.split(catalogue)?;
    let embeddings = embed_catalogue(run, catalogue, &split, device, progress)?;
    let half = |half| queries(catalogue, &split, &embeddings, half);
    let halves = [half(Half::Tune)?, half(Half::Report)?];
    let parameters = [tune(&halves[1])?.parameters, tune(&halves[0])?.parameters];
    let answers = [
        Answered::all(&halves[0], &parameters[0])?,
        Answered::all(&halves[1], &parameters[1])?,
    ]
    .concat();
    let rows = vec![row(&halves, &parameters)?];
    let confidence = Confidence::of_answers(&answers).map_err(TuneError::from)?;
    let gallery = embeddings.gallery(catalogue, &split.train)?;
    Ok(CrossedReport {
        photos: answers.len(),
        known_photos: halves.iter().map(LabelledQueries::known).sum(),
        gallery_photos: split.train.len(),
        parameters,
        headline: Headline::new(&rows, &confidence, None).ok_or(TuneError::NoQueries)?,
        rows,
        breakdown: Breakdown::of(&answers, &photos_of_each(&gallery))?,
    })
}

/// The final scores of both halves as one row.
fn row(halves: &[LabelledQueries; 2], parameters: &[DecisionParameters; 2]) -> Result<ScoreRow> {
    let scores = [
        final_scores(&halves[0], &parameters[0])?,
        final_scores(&halves[1], &parameters[1])?,
    ]
    .concat();
    let truths = halves.iter().flat_map(LabelledQueries::iter);
    let truths = truths.map(|query| query.truth);
    let columns = scores.iter().map(|(scores, _)| scores.as_slice());
    Ok(row_of_columns(ALL, columns.zip(truths)).ok_or(TuneError::NoQueries)?)
}
