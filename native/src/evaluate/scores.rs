//! What each part of the decision is worth on labelled photos, alone and together.

use flukeprint_core::decision::{
    DecisionParameters, classifier_probabilities, rank_of, with_new_similarity,
};
use flukeprint_core::gallery::Label;
use flukeprint_core::metrics::{LISTED, RankCounts, roc_area};
use rayon::prelude::*;
use serde::Serialize;

use super::intervals::{Bootstrap, Interval};
use crate::tune::{LabelledQueries, LabelledQuery, TuneError};

/// The row of the final score.
pub const ALL: &str = "all";

/// The rows of the classifier alone.
const CLASSIFIER: [&str; 2] = ["classifier, T = 1", "classifier, T and p"];

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoreRow {
    /// Which part of the decision answered.
    pub name: &'static str,
    /// MAP@5, over known and new whales.
    pub map5: f64,
    /// Share of photos whose true label came first, `New` being a label.
    pub top1: f64,
    /// Share of photos whose true label was among the first five.
    pub top5: f64,
    /// Of the photos of known whales, the share whose whale came first among the known ones:
    /// `New` is left aside here. `None` without such photos.
    pub top1_known: Option<f64>,
    /// As `top1_known`, among the first five known ones.
    pub top5_known: Option<f64>,
    /// Area under the ROC curve of new against known, by the lead of `New` over the best known
    /// whale. `None` unless there are both.
    pub auc_new: Option<f64>,
    /// How much of it is chance.
    pub intervals: ScoreIntervals,
}

/// Where the scores of a row lie, by [`Bootstrap::default`]; `None` as there.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct ScoreIntervals {
    /// Of [`ScoreRow::map5`].
    pub map5: Interval,
    /// Of [`ScoreRow::top1`].
    pub top1: Interval,
    /// Of [`ScoreRow::top5`].
    pub top5: Interval,
    /// Of [`ScoreRow::top1_known`]; known whales alone are drawn.
    pub top1_known: Option<Interval>,
    /// Of [`ScoreRow::top5_known`]; known whales alone are drawn.
    pub top5_known: Option<Interval>,
    /// Of [`ScoreRow::auc_new`].
    pub auc_new: Option<Interval>,
}

/// Six rows for fixed parameters, four where no classifier was asked: the raw classifier (T = 1, never answering `New`), the
/// classifier with T and p, the nearest photo, the whale's photos (the decision's similarity), the
/// same with q, and the final score.
///
/// # Errors
/// A parameter out of range.
pub fn score_rows(
    queries: &LabelledQueries,
    parameters: &DecisionParameters,
) -> Result<Vec<ScoreRow>, TuneError> {
    parameters.validate()?;
    let outcomes: Vec<[Outcome; 6]> = queries
        .par_iter()
        .map(|query| outcomes(&query, queries.individuals(), parameters))
        .collect::<Result<_, _>>()?;
    let names = [
        CLASSIFIER[0],
        CLASSIFIER[1],
        "nearest photo",
        "photos of a whale",
        "photos of a whale, q",
        ALL,
    ];
    let mut rows = rows(names, &outcomes);
    rows.retain(|row| queries.classified() > 0 || !CLASSIFIER.contains(&row.name));
    Ok(rows)
}

/// The two rows that need no classifier: the nearest photo, and the nearest photo with q. For
/// baselines that have only features.
///
/// # Errors
/// q out of range.
pub fn nearest_photo_rows(
    queries: &LabelledQueries,
    new_similarity: f32,
) -> Result<Vec<ScoreRow>, TuneError> {
    let parameters = DecisionParameters {
        new_similarity,
        ..DecisionParameters::default()
    };
    parameters.validate()?;
    let outcomes: Vec<[Outcome; 2]> = queries
        .par_iter()
        .map(|query| {
            let with_new = with_new_similarity(query.nearest, new_similarity);
            [query.nearest, &with_new].map(|column| Outcome::of(column, query.truth))
        })
        .collect();
    Ok(rows(["nearest photo", "nearest photo, q"], &outcomes))
}

/// One row for scores that somebody else has made of the queries: `[individuals + 1]` each, `New`
/// last. `None` without queries.
pub fn row_of_columns<'a>(
    name: &'static str,
    columns: impl Iterator<Item = (&'a [f32], Label)>,
) -> Option<ScoreRow> {
    score_row(
        name,
        columns.map(|(column, truth)| Outcome::of(column, truth)),
    )
}

fn outcomes(
    query: &LabelledQuery<'_>,
    individuals: usize,
    parameters: &DecisionParameters,
) -> Result<[Outcome; 6], TuneError> {
    let raw = classifier_probabilities(query.logits, individuals, 1.0);
    let columns = query.columns(parameters)?;
    Ok([
        Outcome::of_known_only(&raw, query.truth),
        Outcome::of(&columns.classifier, query.truth),
        Outcome::of(query.nearest, query.truth),
        Outcome::of(&columns.similarity, query.truth),
        Outcome::of(&columns.similarity_with_new, query.truth),
        Outcome::of(&columns.fused, query.truth),
    ])
}

/// How one query fared in one row.
#[derive(Clone, Copy, Debug)]
struct Outcome {
    truth: Label,
    /// Rank of the true label among all labels; `None` where it is not in the answer at all.
    rank: Option<usize>,
    /// Rank of a known whale among the known ones.
    rank_in_known: Option<usize>,
    /// How far `New` is ahead of the best known whale.
    newness: f32,
}

impl Outcome {
    /// From a column with `New` last.
    fn of(column: &[f32], truth: Label) -> Self {
        let individuals = column.len() - 1;
        let known = &column[..individuals];
        Self {
            rank: Some(rank_of(column, truth.slot(individuals))),
            newness: column[individuals] - highest(known),
            ..Self::of_known_only(known, truth)
        }
    }

    /// From a column of the known whales alone: `New` is never answered.
    fn of_known_only(known: &[f32], truth: Label) -> Self {
        let rank_in_known = match truth {
            Label::Individual(number) => Some(rank_of(known, number as usize)),
            Label::New => None,
        };
        Self {
            truth,
            rank: rank_in_known,
            rank_in_known,
            newness: -highest(known),
        }
    }
}

fn highest(scores: &[f32]) -> f32 {
    scores.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

fn rows<const N: usize>(names: [&'static str; N], outcomes: &[[Outcome; N]]) -> Vec<ScoreRow> {
    let of_row = |row: usize| outcomes.iter().map(move |outcomes| outcomes[row]);
    let numbered = names.into_iter().enumerate();
    numbered
        .filter_map(|(row, name)| score_row(name, of_row(row)))
        .collect()
}

/// `None` without queries, which [`LabelledQueries`] rules out.
fn score_row(name: &'static str, outcomes: impl Iterator<Item = Outcome>) -> Option<ScoreRow> {
    let (mut all, mut among_known) = (RankCounts::default(), RankCounts::default());
    let (mut new, mut known) = (Vec::new(), Vec::new());
    let outcomes: Vec<Outcome> = outcomes.collect();
    for outcome in &outcomes {
        all.record(outcome.rank);
        if outcome.truth == Label::New {
            new.push(outcome.newness);
        } else {
            among_known.record(outcome.rank_in_known);
            known.push(outcome.newness);
        }
    }
    Some(ScoreRow {
        name,
        map5: all.map5()?,
        top1: all.top(1)?,
        top5: all.top(5)?,
        top1_known: among_known.top(1),
        top5_known: among_known.top(5),
        auc_new: roc_area(&new, &known).ok(),
        intervals: intervals(&outcomes)?,
    })
}

/// `None` without queries.
fn intervals(outcomes: &[Outcome]) -> Option<ScoreIntervals> {
    let bootstrap = Bootstrap::default();
    let all: Vec<(Label, [f64; 3])> = outcomes
        .iter()
        .map(|outcome| (outcome.truth, worth(outcome.rank)))
        .collect();
    let is_known = |outcome: &&Outcome| outcome.truth != Label::New;
    let among_known: Vec<(Label, [f64; 3])> = outcomes
        .iter()
        .filter(is_known)
        .map(|outcome| (outcome.truth, worth(outcome.rank_in_known)))
        .collect();
    let newness: Vec<(Label, f32)> = outcomes
        .iter()
        .map(|outcome| (outcome.truth, outcome.newness))
        .collect();
    let [map5, top1, top5] = bootstrap.means(&all)?;
    let among_known = bootstrap.means(&among_known);
    Some(ScoreIntervals {
        map5,
        top1,
        top5,
        top1_known: among_known.map(|[_, top1, _]| top1),
        top5_known: among_known.map(|[_, _, top5]| top5),
        auc_new: bootstrap.roc_area(&newness),
    })
}

/// What a query adds to MAP@5, top-1 and top-5.
pub(super) fn worth(rank: Option<usize>) -> [f64; 3] {
    match rank {
        Some(rank @ 1..=LISTED) => [1.0 / rank as f64, f64::from(u8::from(rank == 1)), 1.0],
        _ => [0.0; 3],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_hold_their_scores_and_known_ones_leave_new_aside() {
        // Two whales and new: ranks 1, 1, 2 and, of the new whale, 1.
        let columns: [(&[f32], Label); 4] = [
            (&[0.9, 0.1, 0.5], Label::Individual(0)),
            (&[0.8, 0.1, 0.5], Label::Individual(0)),
            (&[0.2, 0.4, 0.5], Label::Individual(1)),
            (&[0.1, 0.2, 0.6], Label::New),
        ];
        let row = row_of_columns("all", columns.into_iter()).unwrap();
        assert_eq!((row.map5, row.top1, row.top5), (3.5 / 4.0, 0.75, 1.0));
        assert_eq!((row.top1_known, row.top5_known), (Some(1.0), Some(1.0)));
        let point = |at| Interval { low: at, high: at };
        let intervals = row.intervals;
        assert_eq!(intervals.top5, point(1.0));
        assert_eq!(intervals.top1_known, Some(point(1.0)));
        assert_eq!(intervals.auc_new, Some(point(1.0)));
        // Whale 1 alone, in one of 27 draws, and no whale 1 at all, in 8 of 27.
        assert_eq!(
            intervals.top1,
            Interval {
                low: 0.0,
                high: 1.0
            }
        );
        assert_eq!(
            intervals.map5,
            Interval {
                low: 0.5,
                high: 1.0
            }
        );
    }
}
