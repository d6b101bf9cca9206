//! Which runs become members: the best first, then, one after another, what helps most.

use super::Fuse;
use super::fuse::fused;
use crate::Result;
use crate::data::{Catalogue, Split};
use crate::evaluate::scores::{ScoreRow, score_rows};
use crate::evaluate::{Embeddings, HeldOut, queries};
use crate::tune::{TuneError, final_scores, operating_rates, tune};
use flukeprint_core::decision::{DecisionParameters, OperatingRates};

/// Runs that were tried together.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Trial {
    /// Their places among all runs, in the order in which they were taken.
    pub(super) members: Vec<usize>,
    /// MAP@5 of the whole decision on the photos that it was tuned on.
    pub(super) map5: f64,
    /// What was tuned.
    pub(super) parameters: DecisionParameters,
}

/// What was tried and what was taken.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Choice {
    /// Every run alone, in order.
    pub(super) singles: Vec<Trial>,
    /// The best run alone, then one member more each time.
    pub(super) steps: Vec<Trial>,
    /// The best of what would have come next, if it helps no more.
    pub(super) refused: Option<Trial>,
}

/// Takes the run that is best alone, then always the one that raises MAP@5 most, until none does. Of
/// equal ones the first is taken.
pub(super) fn greedy(
    runs: usize,
    mut attempt: impl FnMut(Vec<usize>) -> Result<Trial>,
) -> Result<Choice> {
    let singles: Vec<Trial> = (0..runs)
        .map(|run| attempt(vec![run]))
        .collect::<Result<_>>()?;
    let mut steps: Vec<Trial> = first_best(singles.clone()).into_iter().collect();
    let mut refused = None;
    while let (Some(best), None) = (steps.last(), &refused) {
        let left = (0..runs).filter(|run| !best.members.contains(run));
        let trials = left.map(|run| attempt([&best.members[..], &[run]].concat()));
        let Some(next) = first_best(trials.collect::<Result<_>>()?) else {
            break;
        };
        match next.map5 > best.map5 {
            true => steps.push(next),
            false => refused = Some(next),
        }
    }
    Ok(Choice {
        singles,
        steps,
        refused,
    })
}

fn first_best(trials: Vec<Trial>) -> Option<Trial> {
    let better = |best: Trial, trial: Trial| match trial.map5 > best.map5 {
        true => trial,
        false => best,
    };
    trials.into_iter().reduce(better)
}

/// The runs, and what each says of every photo.
pub(super) struct Candidates<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) split: &'a Split,
    pub(super) embeddings: &'a [Embeddings],
    pub(super) fuse: Fuse,
}

impl Candidates<'_> {
    /// Tunes some of them together.
    pub(super) fn attempt(&self, members: Vec<usize>) -> Result<Trial> {
        let said = self.said(&members)?;
        let tuning = tune(&queries(self.catalogue, self.split, &said, HeldOut::Tune)?)?;
        Ok(Trial {
            map5: whole(tuning.rows)?.map5,
            parameters: tuning.parameters,
            members,
        })
    }

    /// Scores tuned ones on the other half: each part of the decision, alone and together.
    pub(super) fn report(&self, trial: &Trial) -> Result<Vec<ScoreRow>> {
        let said = self.said(&trial.members)?;
        let queries = queries(self.catalogue, self.split, &said, HeldOut::Report)?;
        Ok(score_rows(&queries, &trial.parameters)?)
    }

    /// What each operating point costs tuned ones on the other half.
    pub(super) fn operating(&self, trial: &Trial) -> Result<Vec<OperatingRates>> {
        let said = self.said(&trial.members)?;
        let queries = queries(self.catalogue, self.split, &said, HeldOut::Report)?;
        let answered = (final_scores(&queries, &trial.parameters)?, trial.parameters);
        Ok(operating_rates(&[answered], trial.parameters.new_share))
    }

    fn said(&self, members: &[usize]) -> Result<std::borrow::Cow<'_, Embeddings>> {
        let members: Vec<&Embeddings> = members.iter().map(|&run| &self.embeddings[run]).collect();
        fused(&members, self.fuse, self.split)
    }
}

/// The row of the whole decision.
pub(super) fn whole(rows: Vec<ScoreRow>) -> Result<ScoreRow> {
    let row = rows.into_iter().find(|row| row.name == "all");
    row.ok_or_else(|| TuneError::NoClassifier.into())
}
