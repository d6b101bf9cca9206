//! The operating points that a run or an ensemble keeps beside its decision.

use crate::data::write_atomically;
use crate::train::Run;
use crate::{Error, Result};
use flukeprint_core::decision::OperatingRates;
use std::path::Path;

/// Where they are kept.
pub(crate) const OPERATING: &str = "operating.json";

impl Run {
    /// Keeps the rates in `folder`, where the run stands or grows.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn save_operating(&self, folder: &Path, rates: &[OperatingRates]) -> Result<()> {
        let path = folder.join(OPERATING);
        let json = serde_json::to_vec_pretty(rates).map_err(|error| Error::Write {
            path: path.clone(),
            source: std::io::Error::other(error),
        })?;
        write_atomically(&path, &json)
    }

    /// What each operating point costs on the report half; empty for a run that was tuned before there
    /// was such a table.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn operating(&self) -> Result<Vec<OperatingRates>> {
        read_operating(self.folder())
    }
}

/// The rates in a folder, if there are any.
pub(crate) fn read_operating(folder: &Path) -> Result<Vec<OperatingRates>> {
    let path = folder.join(OPERATING);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = std::fs::read(&path).map_err(|source| Error::Read {
        path: path.clone(),
        source,
    })?;
    serde_json::from_slice(&text).map_err(|error| Error::Run {
        path,
        reason: error.to_string(),
    })
}
