//! How evidence counts, as a run or an ensemble keeps it beside its decision.

use super::TunedEvidence;
use crate::data::write_atomically;
use crate::{Error, Result};
use flukeprint_core::decision::DecisionParameters;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Where it is kept.
const EVIDENCE: &str = "evidence.json";

/// What to do where there is none, or none that fits.
const WANTED: &str = "run `flukeprint tune --evidence` on it first";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    /// What it was tuned beside: raised are the scores of this decision and of no other.
    decision: DecisionParameters,
    evidence: TunedEvidence,
}

impl TunedEvidence {
    /// Keeps how evidence counts beside `decision` in the folder of a run or an ensemble.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, folder: &Path, decision: &DecisionParameters) -> Result<()> {
        let path = folder.join(EVIDENCE);
        let saved = Saved {
            decision: *decision,
            evidence: self.clone(),
        };
        let json = serde_json::to_vec_pretty(&saved).map_err(|error| Error::Write {
            path: path.clone(),
            source: std::io::Error::other(error),
        })?;
        write_atomically(&path, &json)
    }

    /// How evidence counts beside `decision`, as it was kept in the folder of a run or an ensemble.
    ///
    /// # Errors
    /// When it was not tuned yet, or beside another decision, or cannot be used.
    pub fn read(folder: &Path, decision: &DecisionParameters) -> Result<Self> {
        let path = folder.join(EVIDENCE);
        if !path.exists() {
            return Err(Error::MissingFile {
                path,
                wanted: WANTED,
            });
        }
        let text = std::fs::read(&path).map_err(|source| Error::Read {
            path: path.clone(),
            source,
        })?;
        let saved: Saved = serde_json::from_slice(&text).map_err(|error| Error::Run {
            path: path.clone(),
            reason: format!("it cannot be used ({error}); {WANTED}"),
        })?;
        if saved.decision != *decision {
            return Err(Error::Run {
                path,
                reason: format!("the decision was tuned anew since; {WANTED}"),
            });
        }
        for evidence in [&saved.evidence.verify, &saved.evidence.search] {
            evidence.validate().map_err(flukeprint_core::Error::from)?;
        }
        Ok(saved.evidence)
    }
}
