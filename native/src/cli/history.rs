//! `flukeprint history`.

use super::out::say;
use crate::Result;
use crate::grow::BundleFolder;
use clap::Args;
use flukeprint_core::bundle::Did;
use serde::Serialize;
use std::path::PathBuf;

/// List what was done to a bundle since its export.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  flukeprint history --bundle site/models/mine")]
pub struct History {
    /// Folder of a bundle.
    #[arg(long)]
    bundle: PathBuf,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Listed<'a> {
    date: &'a str,
    did: &'a Did,
}

impl History {
    pub fn run(&self) -> Result<()> {
        let folder = BundleFolder::open(&self.bundle)?;
        let entries = folder.bundle.history();
        if self.json {
            let listed = entries.iter().map(|entry| Listed {
                date: &entry.date,
                did: &entry.did,
            });
            return super::print_json(&listed.collect::<Vec<_>>());
        }
        if entries.is_empty() {
            say!("nothing was changed since the export");
        }
        for (number, entry) in (1..).zip(entries) {
            say!("{number:>4}  {}  {}", entry.date, entry.did);
        }
        Ok(())
    }
}
