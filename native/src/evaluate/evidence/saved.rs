//! How evidence counts, as a run or an ensemble keeps it beside its decision.

use super::{TunedEdges, TunedEvidence};
use crate::data::write_atomically;
use crate::{Error, Result};
use flukeprint_core::decision::{DecisionParameters, EvidenceParameters};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What is kept.
trait Kept: Serialize + DeserializeOwned {
    /// In which file.
    const FILE: &str;
    /// What to do where there is none, or none that fits.
    const WANTED: &str;

    fn parameters(&self) -> Vec<&EvidenceParameters>;
}

impl Kept for TunedEdges {
    const FILE: &str = "edges.json";
    const WANTED: &str = "run `flukeprint tune --edges` on it first";

    fn parameters(&self) -> Vec<&EvidenceParameters> {
        vec![&self.edges]
    }
}

impl Kept for TunedEvidence {
    const FILE: &str = "evidence.json";
    const WANTED: &str = "run `flukeprint tune --evidence` on it first";

    fn parameters(&self) -> Vec<&EvidenceParameters> {
        vec![&self.verify, &self.search]
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved<T> {
    /// What it was tuned beside: raised are the scores of this decision and of no other.
    decision: DecisionParameters,
    evidence: T,
}

impl TunedEdges {
    /// Keeps how edges count beside `decision` in the folder of a run or an ensemble.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, folder: &Path, decision: &DecisionParameters) -> Result<()> {
        save(self, folder, decision)
    }

    /// How edges count beside `decision`, as it was kept in the folder of a run or an ensemble.
    ///
    /// # Errors
    /// When it was not tuned yet, or beside another decision, or cannot be used.
    pub fn read(folder: &Path, decision: &DecisionParameters) -> Result<Self> {
        read(folder, decision)
    }
}

impl TunedEvidence {
    /// Keeps how evidence counts beside `decision` in the folder of a run or an ensemble.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, folder: &Path, decision: &DecisionParameters) -> Result<()> {
        save(self, folder, decision)
    }

    /// How evidence counts beside `decision`, as it was kept in the folder of a run or an ensemble.
    ///
    /// # Errors
    /// When it was not tuned yet, or beside another decision, or cannot be used.
    pub fn read(folder: &Path, decision: &DecisionParameters) -> Result<Self> {
        read(folder, decision)
    }
}

/// Keeps in the folder `to` what was tuned beside `decision` in the folder `from`, if anything was.
///
/// # Errors
/// When it was tuned beside another decision, or cannot be used or written.
pub fn carry_over(from: &Path, to: &Path, decision: &DecisionParameters) -> Result<()> {
    carry::<TunedEdges>(from, to, decision)?;
    carry::<TunedEvidence>(from, to, decision)
}

fn carry<T: Kept + Clone>(from: &Path, to: &Path, decision: &DecisionParameters) -> Result<()> {
    match from.join(T::FILE).exists() {
        true => save(&read::<T>(from, decision)?, to, decision),
        false => Ok(()),
    }
}

fn save<T: Kept + Clone>(tuned: &T, folder: &Path, decision: &DecisionParameters) -> Result<()> {
    let path = folder.join(T::FILE);
    let saved = Saved {
        decision: *decision,
        evidence: tuned.clone(),
    };
    let json = serde_json::to_vec_pretty(&saved).map_err(|error| Error::Write {
        path: path.clone(),
        source: std::io::Error::other(error),
    })?;
    write_atomically(&path, &json)
}

fn read<T: Kept>(folder: &Path, decision: &DecisionParameters) -> Result<T> {
    let path = folder.join(T::FILE);
    let wanted = T::WANTED;
    if !path.exists() {
        return Err(Error::MissingFile { path, wanted });
    }
    let text = std::fs::read(&path).map_err(|source| Error::Read {
        path: path.clone(),
        source,
    })?;
    let saved: Saved<T> = serde_json::from_slice(&text).map_err(|error| Error::Run {
        path: path.clone(),
        reason: format!("it cannot be used ({error}); {wanted}"),
    })?;
    if saved.decision != *decision {
        return Err(Error::Run {
            path,
            reason: format!("the decision was tuned anew since; {wanted}"),
        });
    }
    for evidence in saved.evidence.parameters() {
        evidence.validate().map_err(flukeprint_core::Error::from)?;
    }
    Ok(saved.evidence)
}
