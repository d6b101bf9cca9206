//! How a rung's answer is made and scored.

use super::balance::balanced_row;
use crate::Result;
use crate::evaluate::scores::{ScoreRow, score_rows};
use crate::tune::{LabelledQueries, tune, tune_classifier_at};
use flukeprint_core::decision::DecisionParameters;
use serde::{Deserialize, Serialize};

/// Which part of the decision answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// The classifier with p, no temperature.
    Classifier,
    /// The classifier with T and p.
    Temperature,
    /// The classifier and the nearest photo: the whole decision.
    All,
    /// The whole decision, then class balance.
    Balanced,
}

impl Answer {
    /// Chooses parameters on one half of the held-out photos and scores on the other.
    ///
    /// # Errors
    /// Halves that cannot be tuned on or scored.
    pub fn score(self, tuned_on: &LabelledQueries, reported: &LabelledQueries) -> Result<ScoreRow> {
        let parameters = match self {
            Self::Classifier => DecisionParameters {
                temperature: 1.0,
                new_probability: tune_classifier_at(tuned_on, 1.0)?,
                ..DecisionParameters::default()
            },
            _ => tune(tuned_on)?.parameters,
        };
        if self == Self::Balanced {
            return Ok(balanced_row(reported, &parameters)?);
        }
        let part = match self {
            Self::Classifier | Self::Temperature => "classifier, T and p",
            Self::All | Self::Balanced => "all",
        };
        let rows = score_rows(reported, &parameters)?;
        let row = rows.into_iter().find(|row| row.name == part);
        row.ok_or_else(|| crate::tune::TuneError::NoClassifier.into())
    }
}
