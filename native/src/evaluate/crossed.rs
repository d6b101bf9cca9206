//! All held-out photos, each answered by parameters that were tuned on others: more photos to measure on,
//! for what half of them cannot tell.
//!
//! It judges the way of tuning, not the parameters that ship. What was learnt by looking at the report
//! half, in choosing a recipe say, flatters as it does there.

use super::answered::Answered;
use super::breakdown::{Breakdown, photos_of_each};
use super::confidence::Confidence;
use super::embeddings::embed_catalogue;
use super::headline::Headline;
use super::report::{HeldOut, queries};
use super::scores::{ALL, ScoreRow, row_of_columns};
use crate::Result;
use crate::data::{Catalogue, Split};
use crate::progress::Progress;
use crate::train::Run;
use crate::tune::{LabelledQueries, TuneError, final_scores, tune};
use burn::tensor::Device;
use flukeprint_core::decision::DecisionParameters;
use serde::Serialize;

/// The held-out photos in parts, by their numbers in the order of [`HeldOut::All`].
pub(super) struct Parts {
    parts: Vec<Vec<usize>>,
}

impl Parts {
    /// Two parts are the halves of the split; more take the photos in turn.
    ///
    /// # Errors
    /// [`TuneError::Parts`] when there are fewer than two, or more than photos.
    pub(super) fn of(split: &Split, parts: usize) -> Result<Self> {
        let photos = split.tune.len() + split.report.len();
        let part_of = |number: usize| match parts {
            2 => usize::from(number >= split.tune.len()),
            parts => number % parts,
        };
        if !(2..=photos).contains(&parts) {
            return Err(TuneError::Parts { parts, photos }.into());
        }
        let mut numbers = vec![Vec::new(); parts];
        (0..photos).for_each(|number| numbers[part_of(number)].push(number));
        Ok(Self { parts: numbers })
    }

    /// The photos of each part, and all others, both ascending.
    pub(super) fn each(&self) -> impl Iterator<Item = (&[usize], Vec<usize>)> {
        self.parts.iter().enumerate().map(|(place, part)| {
            let others = self.parts.iter().enumerate();
            let others = others.filter(|(other, _)| *other != place);
            let mut others: Vec<usize> = others.flat_map(|(_, part)| part).copied().collect();
            others.sort_unstable();
            (&part[..], others)
        })
    }
}

/// Each part of `held_out`, with the parameters that were tuned on the others.
pub(super) fn crossed(
    held_out: &LabelledQueries,
    parts: &Parts,
) -> Result<Vec<(LabelledQueries, DecisionParameters)>> {
    let tuned = parts.each().map(|(part, others)| {
        let parameters = tune(&held_out.pick(&others)?)?.parameters;
        Ok((held_out.pick(part)?, parameters))
    });
    tuned.collect()
}

/// What a run is worth on all its held-out photos.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CrossedReport {
    /// Photos measured on.
    pub photos: usize,
    /// Those of them that show known whales.
    pub known_photos: usize,
    /// Photos in the gallery that they were looked up in.
    pub gallery_photos: usize,
    /// The parameters that answered each part; of two, the tuning half comes first.
    pub parameters: Vec<DecisionParameters>,
    /// The final score.
    pub rows: Vec<ScoreRow>,
    /// The final answer's scores.
    #[serde(flatten)]
    pub headline: Headline,
    /// The final answer taken apart.
    #[serde(flatten)]
    pub breakdown: Breakdown,
}

/// Cuts the held-out photos into so many parts (two are the halves), tunes on all others of each and
/// measures on it, with the training photos as the gallery. Nothing is kept in the run's folder but embeddings.
///
/// # Errors
/// As [`tune_run`](super::tune_run); fewer parts than two, or more than photos.
pub fn evaluate_crossed(
    run: &Run,
    catalogue: &Catalogue,
    parts: usize,
    device: &Device,
    progress: &dyn Progress,
) -> Result<CrossedReport> {
    let split = run.split(catalogue)?;
    let parts = Parts::of(&split, parts)?;
    let embeddings = embed_catalogue(run, catalogue, &split, device, progress)?;
    let held_out = queries(catalogue, &split, &embeddings, HeldOut::All)?;
    let parts = crossed(&held_out, &parts)?;
    let answers: Vec<Vec<Answered>> = parts
        .iter()
        .map(|(queries, parameters)| Answered::all(queries, parameters))
        .collect::<std::result::Result<_, _>>()?;
    let answers = answers.concat();
    let rows = vec![row(&parts)?];
    let confidence = Confidence::of_answers(&answers).map_err(TuneError::from)?;
    let gallery = embeddings.gallery(catalogue, &split.train)?;
    Ok(CrossedReport {
        photos: answers.len(),
        known_photos: held_out.known(),
        gallery_photos: split.train.len(),
        parameters: parts.iter().map(|(_, parameters)| *parameters).collect(),
        headline: Headline::new(&rows, &confidence, None).ok_or(TuneError::NoQueries)?,
        rows,
        breakdown: Breakdown::of(&answers, &photos_of_each(&gallery))?,
    })
}

/// The final scores of all parts as one row.
fn row(parts: &[(LabelledQueries, DecisionParameters)]) -> Result<ScoreRow> {
    let scores: Vec<_> = parts
        .iter()
        .map(|(queries, parameters)| final_scores(queries, parameters))
        .collect::<std::result::Result<_, _>>()?;
    let truths = parts.iter().flat_map(|(queries, _)| queries.iter());
    let truths = truths.map(|query| query.truth);
    let columns = scores.iter().flatten();
    let columns = columns.map(|(scores, _)| scores.as_slice());
    Ok(row_of_columns(ALL, columns.zip(truths)).ok_or(TuneError::NoQueries)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(tune: usize, report: usize) -> Split {
        Split {
            seed: 1,
            train: Vec::new(),
            tune: (10..10 + tune).collect(),
            report: (50..50 + report).collect(),
            unseen: Vec::new(),
        }
    }

    fn parts(parts: usize) -> Vec<(Vec<usize>, Vec<usize>)> {
        let parts = Parts::of(&split(4, 3), parts).unwrap();
        let parts = parts.each();
        parts
            .map(|(part, others)| (part.to_vec(), others))
            .collect()
    }

    #[test]
    fn two_parts_are_the_halves() {
        let [tune, report] = [vec![0, 1, 2, 3], vec![4, 5, 6]];
        let expected = vec![(tune.clone(), report.clone()), (report, tune)];
        assert_eq!(parts(2), expected);
    }

    #[test]
    fn every_photo_is_in_one_part_and_was_tuned_on_in_all_others() {
        let expected = vec![
            (vec![0, 3, 6], vec![1, 2, 4, 5]),
            (vec![1, 4], vec![0, 2, 3, 5, 6]),
            (vec![2, 5], vec![0, 1, 3, 4, 6]),
        ];
        assert_eq!(parts(3), expected);
        assert_eq!(parts(7).len(), 7);
    }

    #[test]
    fn there_are_no_fewer_photos_than_parts() {
        for wrong in [0, 1, 8] {
            let error = Parts::of(&split(4, 3), wrong).err().unwrap().to_string();
            assert!(
                error.contains('7') && error.contains(&wrong.to_string()),
                "{error}"
            );
        }
    }
}
