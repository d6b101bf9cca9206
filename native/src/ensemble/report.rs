//! The choice on one half of the held-out photos, and what it is worth on the other.

use super::choose::{Candidates, Choice, Trial, greedy, whole};
use super::{Ensemble, Fuse, shared_split};
use crate::evaluate::scores::ScoreRow;
use crate::evaluate::{Embeddings, TunedOn, embed_catalogue};
use crate::progress::Progress;
use crate::train::{Run, read_catalogue};
use crate::{Error, Result};
use burn::tensor::Device;
use flukeprint_core::decision::{DecisionParameters, OperatingRates};
use serde::Serialize;
use std::path::PathBuf;

/// How an ensemble is made.
#[derive(Clone, Copy, Debug, Default)]
pub struct How {
    /// How features become one.
    pub fuse: Fuse,
    /// Take all runs, in their order, instead of those that help.
    pub all: bool,
}

/// What was tried, what was chosen, and what it is worth on photos that nothing was chosen on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EnsembleReport {
    /// How features became one.
    pub fuse: Fuse,
    /// Photos measured on, the report half of the held-out ones.
    pub photos: usize,
    /// Photos that members and parameters were chosen on, the tuning half.
    pub tuned_on: usize,
    /// Every run alone, in the order given.
    pub runs: Vec<RunReport>,
    /// The choice step by step: the best run alone, then one member more each time. Where all runs
    /// were asked for, all of them in one step.
    pub steps: Vec<StepReport>,
    /// What would have come next; it did not help on the tuning half.
    pub refused: Option<StepReport>,
    /// The members' numbers.
    pub members: Vec<usize>,
    /// Whether the members together do better on the tuning half than the best run alone.
    pub helps: bool,
    /// The parameters of the members together.
    pub parameters: DecisionParameters,
    /// Each part of their decision on the report half.
    pub rows: Vec<ScoreRow>,
}

/// A run alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunReport {
    /// Its number, from 1.
    pub number: usize,
    /// Its folder.
    pub run: PathBuf,
    /// Its recipe.
    pub recipe: String,
    /// MAP@5 on the tuning half, on which its parameters were chosen.
    pub tuned_map5: f64,
    /// The whole decision on the report half.
    pub row: ScoreRow,
}

/// Some runs together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepReport {
    /// Their numbers, in the order in which they were taken.
    pub members: Vec<usize>,
    /// MAP@5 on the tuning half.
    pub tuned_map5: f64,
    /// The whole decision on the report half.
    pub row: ScoreRow,
}

/// Makes an ensemble of `runs` (none is a refusal), with members and parameters chosen on the tuning
/// half. `device` embeds the photos.
///
/// # Errors
/// A run that stands twice among them, is of another catalogue or holds other photos out than the
/// first, or has features of another width where they are to be averaged; what tuning a run refuses.
pub fn ensemble(
    runs: Vec<Run>,
    how: How,
    device: &Device,
    progress: &dyn Progress,
) -> Result<(Ensemble, EnsembleReport)> {
    check_runs(&runs, how.fuse)?;
    let Some(first) = runs.first() else {
        return Err(crate::tune::TuneError::NoQueries.into());
    };
    let catalogue = read_catalogue(&first.facts.catalogue, progress)?;
    let split = shared_split(runs.iter(), &catalogue)?;
    let embeddings: Vec<Embeddings> = runs
        .iter()
        .map(|run| embed_catalogue(run, &catalogue, &split, device, progress))
        .collect::<Result<_>>()?;
    let candidates = Candidates {
        catalogue: &catalogue,
        split: &split,
        embeddings: &embeddings,
        fuse: how.fuse,
    };
    let choice = choose(&candidates, how.all, progress)?;
    let report = report(&candidates, &choice, &runs)?;
    let operating = candidates.operating(last(&choice)?)?;
    let ensemble = chosen(&runs, &choice, how.fuse, operating)?;
    Ok((ensemble, report))
}

fn check_runs(runs: &[Run], fuse: Fuse) -> Result<()> {
    let refuse = |run: &Run, reason: String| {
        Err(Error::Run {
            path: run.folder().to_owned(),
            reason,
        })
    };
    for (place, run) in runs.iter().enumerate() {
        let same = |other: &Run| {
            let [a, b] = [run, other].map(|run| run.folder().canonicalize().ok());
            a.is_some() && a == b
        };
        if runs[..place].iter().any(same) {
            return refuse(run, "is named twice; name every run once".to_owned());
        }
        let [width, first] = [run, &runs[0]].map(|run| run.recipe.model.feature_width());
        if fuse == Fuse::Average && width != first {
            let reason = format!(
                "makes features of {width} values and {} of {first}, which cannot be averaged; use \
                 --fuse concatenate",
                runs[0].folder().display()
            );
            return refuse(run, reason);
        }
    }
    Ok(())
}

fn choose(candidates: &Candidates<'_>, all: bool, progress: &dyn Progress) -> Result<Choice> {
    let runs = candidates.embeddings.len();
    let most = if all { runs + 1 } else { runs * (runs + 1) / 2 };
    progress.begin("trying members", most);
    let mut done = 0;
    let mut attempt = |members: Vec<usize>| {
        let trial = candidates.attempt(members);
        done += 1;
        progress.advance(done);
        trial
    };
    if !all {
        return greedy(runs, attempt);
    }
    Ok(Choice {
        singles: (0..runs)
            .map(|run| attempt(vec![run]))
            .collect::<Result<_>>()?,
        steps: vec![attempt((0..runs).collect())?],
        refused: None,
    })
}

fn report(candidates: &Candidates<'_>, choice: &Choice, runs: &[Run]) -> Result<EnsembleReport> {
    let step = |trial: &Trial| {
        Ok(StepReport {
            members: numbers(trial),
            tuned_map5: trial.map5,
            row: whole(candidates.report(trial)?)?,
        })
    };
    let alone = |(trial, run): (&Trial, &Run)| {
        let StepReport {
            tuned_map5, row, ..
        } = step(trial)?;
        Ok(RunReport {
            number: trial.members[0] + 1,
            run: run.folder().to_owned(),
            recipe: run.recipe.name.clone(),
            tuned_map5,
            row,
        })
    };
    let last = last(choice)?;
    let best_alone = choice.singles.iter().map(|trial| trial.map5);
    Ok(EnsembleReport {
        fuse: candidates.fuse,
        photos: candidates.split.report.len(),
        tuned_on: candidates.split.tune.len(),
        runs: choice
            .singles
            .iter()
            .zip(runs)
            .map(alone)
            .collect::<Result<_>>()?,
        steps: choice.steps.iter().map(step).collect::<Result<_>>()?,
        refused: choice.refused.as_ref().map(step).transpose()?,
        members: numbers(last),
        helps: best_alone.fold(0.0, f64::max) < last.map5,
        parameters: last.parameters,
        rows: candidates.report(last)?,
    })
}

fn numbers(trial: &Trial) -> Vec<usize> {
    trial.members.iter().map(|run| run + 1).collect()
}

fn last(choice: &Choice) -> Result<&Trial> {
    let last = choice.steps.last();
    last.ok_or_else(|| crate::tune::TuneError::NoQueries.into())
}

fn chosen(
    runs: &[Run],
    choice: &Choice,
    fuse: Fuse,
    operating: Vec<OperatingRates>,
) -> Result<Ensemble> {
    let last = last(choice)?;
    let mut members = last.members.iter().map(|&run| runs[run].clone());
    let first = members.next();
    Ok(Ensemble {
        first: first.ok_or(crate::tune::TuneError::NoQueries)?,
        others: members.collect(),
        fuse,
        decision: last.parameters,
        tuned_on: TunedOn::Half,
        operating,
    })
}
