//! What tuning leaves in the folder of a run or an ensemble.

use super::report::HeldOut;
use crate::data::write_atomically;
use crate::train::Run;
use crate::{Error, Result};
use flukeprint_core::decision::{DecisionParameters, OperatingRates};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::path::Path;

/// Where the decision's parameters are kept.
const DECISION: &str = "decision.json";
/// Where the operating points are kept.
pub(crate) const OPERATING: &str = "operating.json";
/// Where it is kept that a decision was chosen on all held-out photos; without it, on the tuning half.
const TUNED_ON: &str = "tuned_on.json";

/// Which held-out photos a decision is chosen on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TunedOn {
    /// The tuning half, so that the report half can be measured on.
    #[default]
    Half,
    /// All of them: twice as many photos to choose on, for a bundle that ships. What such a choice is worth
    /// is measured crossed, each part of them by what was chosen on the others.
    All,
}

impl TunedOn {
    /// Parts that all held-out photos are cut into to tell what choosing on all of them is worth.
    pub const PARTS: usize = 10;

    pub(super) fn photos(self) -> HeldOut {
        match self {
            Self::Half => HeldOut::Tune,
            Self::All => HeldOut::All,
        }
    }

    /// Makes sure that the decision of `run` was not chosen on the report half.
    ///
    /// # Errors
    /// [`Error::Run`] when it was.
    pub(super) fn require_report_half(self, run: &Run) -> Result<()> {
        match self {
            Self::Half => Ok(()),
            Self::All => Err(Error::Run {
                path: run.folder().to_owned(),
                reason: format!(
                    "was tuned on all its held-out photos, so that none is left to measure on: add \
                     `--crossed {}`, or run `flukeprint tune` without `--all` first",
                    Self::PARTS
                ),
            }),
        }
    }
}

impl Run {
    /// Keeps what tuning chose. A run that is torn from it half way is not taken for one that has a report
    /// half left.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(super) fn save_tuned(
        &self,
        on: TunedOn,
        decision: &DecisionParameters,
        rates: &[OperatingRates],
    ) -> Result<()> {
        let mark = self.folder().join(TUNED_ON);
        write(&mark, &TunedOn::All)?;
        self.save_operating(self.folder(), rates)?;
        self.save_decision(self.folder(), decision)?;
        match on {
            TunedOn::All => Ok(()),
            TunedOn::Half => std::fs::remove_file(&mark).map_err(|source| Error::Write {
                path: mark.clone(),
                source,
            }),
        }
    }

    /// Which held-out photos the run was tuned on.
    ///
    /// # Errors
    /// When what it keeps of that cannot be read.
    pub fn tuned_on(&self) -> Result<TunedOn> {
        let path = self.folder().join(TUNED_ON);
        match path.exists() {
            true => read(&path),
            false => Ok(TunedOn::Half),
        }
    }

    /// Keeps the decision's parameters in `folder`, where the run stands or grows.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn save_decision(&self, folder: &Path, decision: &DecisionParameters) -> Result<()> {
        write(&folder.join(DECISION), decision)
    }

    /// The decision's parameters, as [`tune_run`](super::tune_run) chose them.
    ///
    /// # Errors
    /// When the run was not tuned yet, or its parameters cannot be used.
    pub fn decision(&self) -> Result<DecisionParameters> {
        let path = self.folder().join(DECISION);
        read_decision(&path, "run `flukeprint tune` on this run first")
    }

    /// Keeps the operating points in `folder`, where the run stands or grows.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn save_operating(&self, folder: &Path, rates: &[OperatingRates]) -> Result<()> {
        write(&folder.join(OPERATING), &rates)
    }

    /// What each operating point costs on photos that nothing was fitted to; empty for a run that was tuned
    /// before there was such a table.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn operating(&self) -> Result<Vec<OperatingRates>> {
        read_operating(self.folder())
    }
}

/// The operating points in a folder, if there are any.
pub(crate) fn read_operating(folder: &Path) -> Result<Vec<OperatingRates>> {
    let path = folder.join(OPERATING);
    match path.exists() {
        true => read(&path),
        false => Ok(Vec::new()),
    }
}

/// The parameters in a file; `wanted` says what to do where there is none.
pub(crate) fn read_decision(path: &Path, wanted: &'static str) -> Result<DecisionParameters> {
    if !path.exists() {
        return Err(Error::MissingFile {
            path: path.to_owned(),
            wanted,
        });
    }
    let parameters: DecisionParameters = read(path)?;
    parameters
        .validate()
        .map_err(flukeprint_core::Error::from)?;
    Ok(parameters)
}

fn write(path: &Path, value: &impl Serialize) -> Result<()> {
    let json = serde_json::to_vec_pretty(value).map_err(|error| Error::Write {
        path: path.to_owned(),
        source: std::io::Error::other(error),
    })?;
    write_atomically(path, &json)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = std::fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&text).map_err(|error| Error::Run {
        path: path.to_owned(),
        reason: error.to_string(),
    })
}
