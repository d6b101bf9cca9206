//! The figures that a reader looks for first, under flat names.

use super::confidence::Confidence;
use super::intervals::{Bootstrap, Interval};
use super::reid::Reid;
use super::scores::{ALL, ScoreRow};
use serde::Serialize;
use std::collections::BTreeMap;

/// The final answer's scores, and those of re-identification where it was asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Headline {
    /// [`ScoreRow::map5`] of the final score.
    pub map5: f64,
    /// [`ScoreRow::top1`] of it.
    pub top1: f64,
    /// [`ScoreRow::top5`] of it.
    pub top5: f64,
    /// [`ScoreRow::top1_known`] of it.
    pub known_top1: Option<f64>,
    /// [`ScoreRow::top5_known`] of it.
    pub known_top5: Option<f64>,
    /// [`ScoreRow::auc_new`] of it.
    pub auc_new: Option<f64>,
    /// [`Confidence::ece`].
    pub ece: f64,
    /// [`Confidence::ece_by_chance`].
    pub ece_by_chance: f64,
    /// [`Confidence::ece_beyond_chance`].
    pub ece_beyond_chance: f64,
    /// [`Confidence::eer_new`].
    pub eer_new: Option<f64>,
    /// [`Reid::top1`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reid_top1: Option<f64>,
    /// [`Reid::top5`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reid_top5: Option<f64>,
    /// The intervals of all that is there, under the same names.
    pub intervals: BTreeMap<&'static str, Interval>,
    /// How they were drawn.
    pub bootstrap: Bootstrap,
}

impl Headline {
    /// From the row of the final score; `None` when it is not among `rows`.
    pub fn new(rows: &[ScoreRow], confidence: &Confidence, reid: Option<&Reid>) -> Option<Self> {
        let row = rows.iter().find(|row| row.name == ALL)?;
        let of_row = &row.intervals;
        let intervals = [
            ("map5", Some(of_row.map5)),
            ("top1", Some(of_row.top1)),
            ("top5", Some(of_row.top5)),
            ("known_top1", of_row.top1_known),
            ("known_top5", of_row.top5_known),
            ("auc_new", of_row.auc_new),
            ("ece", Some(confidence.ece_interval)),
            (
                "ece_beyond_chance",
                Some(confidence.ece_beyond_chance_interval),
            ),
            ("eer_new", confidence.eer_new_interval),
            ("reid_top1", reid.map(|reid| reid.intervals.top1)),
            ("reid_top5", reid.map(|reid| reid.intervals.top5)),
        ];
        let intervals = intervals.into_iter();
        Some(Self {
            map5: row.map5,
            top1: row.top1,
            top5: row.top5,
            known_top1: row.top1_known,
            known_top5: row.top5_known,
            auc_new: row.auc_new,
            ece: confidence.ece,
            ece_by_chance: confidence.ece_by_chance,
            ece_beyond_chance: confidence.ece_beyond_chance,
            eer_new: confidence.eer_new,
            reid_top1: reid.map(|reid| reid.top1),
            reid_top5: reid.map(|reid| reid.top5),
            intervals: intervals
                .filter_map(|(name, interval)| Some((name, interval?)))
                .collect(),
            bootstrap: Bootstrap::default(),
        })
    }
}
