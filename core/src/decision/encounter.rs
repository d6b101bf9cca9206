//! Several photos of one animal, one answer.
//!
//! A label's scores (step 5) over an encounter's photos become one: their mean, after each has been
//! moved to within [`REACH`]/β of their median. Scores are log odds divided by β, so the mean is that of
//! the photos' log odds, and no photo speaks for or against a label more than e³ times as loudly as the
//! middle one does. That is Huber's one-step estimate of location (Huber, 1964) with the median to begin
//! with; from three photos on, one that shows something else cannot carry a label beyond what the
//! others say by more than the reach, whatever it says itself.
//!
//! `New` is a threshold in the disguise of a label: p and q are what the best of all whales reaches by
//! chance in one photo. The best mean of several photos reaches less by chance, so `New` would win more
//! and more often. It is lowered by (1 - n^-[`GROWTH`]) · [`ALLOWANCE`] · ln(whales)/β: as in Bayes' rule,
//! where what was known before the photos counts once and not once a photo.
//!
//! The probabilities then are those of one photo with β · n^[`GROWTH`] in place of β: photos of one
//! encounter agree in more than the animal (light, distance, pose), so n of them are worth less than n
//! independent ones. docs/results/encounters.md has what the three constants were chosen by.
//!
//! Where local features or edges found something, the column of the encounter is raised by a power mean, with exponent 3/2, of
//! what they would raise each photo's by ([`EvidenceParameters::raised_together`]). It is not moved near a median: a match
//! of one photo among three is worth half of its raise, which is far more than the reach. The most that any photo has in
//! its place loses more new whales than it names known ones: somewhere among many photos a stranger has a likeness.
//!
//! For a single photo all of this is the single photo's answer, to the bit, and the photos' order never
//! matters.

use alloc::vec::Vec;

use super::{
    Answer, DecisionError, DecisionParameters, EvidenceParameters, Found, OperatingPoint, Query,
    probabilities, rank, scores_of_photo,
};
use crate::gallery::{Closeness, Gallery};

/// How far from the photos' median a score may lie, in log odds: β · (score - median).
pub const REACH: f32 = 3.0;

/// How fast certainty grows with the number of photos n: β · n^GROWTH. 0 would be not at all, 1 that of
/// independent photos.
pub const GROWTH: f32 = 0.25;

/// How much of ln(whales) counts as known before the photos, against `New`: 0 none, 1 as if `New` were as
/// likely beforehand as all known whales together.
pub const ALLOWANCE: f32 = 0.5;

/// Names the whale that all of `queries` show: the first `k` labels, best first. A label's nearest photo
/// is the one that is nearest to any of them.
///
/// # Errors
/// As [`decide`](super::decide) for any of them; [`DecisionError::NoPhotos`] when there is none.
pub fn decide_encounter(
    queries: &[Query<'_>],
    gallery: &Gallery,
    parameters: &DecisionParameters,
    point: &OperatingPoint,
    k: usize,
) -> Result<Answer, DecisionError> {
    point.validate(parameters)?;
    let scored = Scored::of(queries, gallery, parameters)?;
    scored.answer(parameters, point, k)
}

/// As [`decide_encounter`], where local features `found` something for some of the photos, and `evidence`
/// says what it is worth. The raised scores are calibrated as `evidence` says. Where nothing was found, the
/// answer is that of [`decide_encounter`].
///
/// # Errors
/// As [`decide_encounter`]; a parameter of `evidence` out of range.
pub fn decide_verified(
    queries: &[Query<'_>],
    gallery: &Gallery,
    parameters: &DecisionParameters,
    (evidence, found): (&EvidenceParameters, &[Found<'_>]),
    point: &OperatingPoint,
    k: usize,
) -> Result<Answer, DecisionError> {
    if found.iter().all(Found::is_nothing) {
        return decide_encounter(queries, gallery, parameters, point, k);
    }
    point.validate(parameters)?;
    evidence.validate()?;
    let mut scored = Scored::of(queries, gallery, parameters)?;
    scored.scores = evidence.raised_together(&scored.scores, found);
    scored.answer(&evidence.calibrated(parameters), point, k)
}

/// The final scores of so many photos together, and the photo of every label that is nearest to any.
struct Scored {
    scores: Vec<f32>,
    photos: usize,
    nearest: Vec<Option<Closeness>>,
}

impl Scored {
    /// Steps 1 to 5.
    fn of(
        queries: &[Query<'_>],
        gallery: &Gallery,
        parameters: &DecisionParameters,
    ) -> Result<Self, DecisionError> {
        let mut columns = Vec::with_capacity(queries.len());
        let mut nearest: Vec<Option<Closeness>> = Vec::new();
        for query in queries {
            let (fused, of_photo) = scores_of_photo(query, gallery, parameters)?;
            columns.push(fused);
            nearest = match nearest.is_empty() {
                true => of_photo,
                false => nearest
                    .into_iter()
                    .zip(of_photo)
                    .map(|(a, b)| nearer(a, b))
                    .collect(),
            };
        }
        Ok(Self {
            scores: encounter_column(&columns, parameters)?,
            photos: columns.len(),
            nearest,
        })
    }

    /// Steps 6 to 8.
    fn answer(
        &self,
        parameters: &DecisionParameters,
        point: &OperatingPoint,
        k: usize,
    ) -> Result<Answer, DecisionError> {
        let probabilities = encounter_probabilities(&self.scores, self.photos, parameters);
        let probabilities = point.expect(probabilities, parameters);
        rank::answer(&self.scores, &probabilities, &self.nearest, point, k)
    }
}

/// The score of every label, `New` the last, from those that each photo gives it, `[labels]` a photo, all
/// finite.
///
/// # Errors
/// [`DecisionError::NoPhotos`] without columns, [`DecisionError::Columns`] when they differ in length.
pub fn encounter_column(
    columns: &[Vec<f32>],
    parameters: &DecisionParameters,
) -> Result<Vec<f32>, DecisionError> {
    let labels = columns.first().ok_or(DecisionError::NoPhotos)?.len();
    if let Some(other) = columns.iter().find(|column| column.len() != labels) {
        return Err(DecisionError::Columns {
            first: labels,
            other: other.len(),
        });
    }
    let reach = f64::from(REACH) / f64::from(parameters.sharpness);
    let mut scores = Vec::with_capacity(columns.len());
    let together = |label: usize| {
        scores.clear();
        scores.extend(columns.iter().map(|column| column[label]));
        scores.sort_unstable_by(f32::total_cmp);
        near_the_median(&scores, reach)
    };
    let mut column: Vec<f32> = (0..labels).map(together).collect();
    if let Some((new, whales)) = column.split_last_mut() {
        let known_before = libm::log(whales.len().max(1) as f64) / f64::from(parameters.sharpness);
        let counted = 1.0 - libm::pow(columns.len() as f64, -f64::from(GROWTH));
        *new -= (counted * f64::from(ALLOWANCE) * known_before) as f32;
    }
    Ok(column)
}

/// The probabilities of all labels, `New` the last, from the scores of an encounter of `photos` photos;
/// as [`probabilities`] for one.
pub fn encounter_probabilities(
    scores: &[f32],
    photos: usize,
    parameters: &DecisionParameters,
) -> Vec<f32> {
    let growth = libm::powf(photos.max(1) as f32, GROWTH);
    let sharper = DecisionParameters {
        sharpness: parameters.sharpness * growth,
        ..*parameters
    };
    probabilities(scores, &sharper)
}

/// The mean of ascending `scores`, each at most `reach` from their median.
fn near_the_median(scores: &[f32], reach: f64) -> f32 {
    let middle = |place: usize| f64::from(scores[place]);
    let half = scores.len() / 2;
    let median = match scores.len() % 2 {
        0 => 0.5 * (middle(half - 1) + middle(half)),
        _ => middle(half),
    };
    let (low, high) = (median - reach, median + reach);
    let sum: f64 = scores
        .iter()
        .map(|&score| f64::from(score).clamp(low, high))
        .sum();
    (sum / scores.len() as f64) as f32
}

/// The nearer of two; of equally near ones the one that comes first in the gallery.
fn nearer(a: Option<Closeness>, b: Option<Closeness>) -> Option<Closeness> {
    let (Some(one), Some(other)) = (a, b) else {
        return a.or(b);
    };
    let (one, other) = (one.nearest, other.nearest);
    let by_distance = other.distance.total_cmp(&one.distance);
    match by_distance.then(other.row.cmp(&one.row)).is_lt() {
        true => b,
        false => a,
    }
}

#[cfg(test)]
mod tests;
