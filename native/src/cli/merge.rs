//! `flukeprint merge`.

use super::export::today;
use crate::Result;
use crate::grow::BundleFolder;
use crate::progress::Progress;
use clap::Args;
use std::path::PathBuf;

/// Make two individuals of a bundle one.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flukeprint merge --bundle site/models/mine Nora \"Whale 12\"\n\n\
    All photos are Nora's then. `flukeprint undo` takes it back."
)]
pub struct Merge {
    /// Folder of a bundle.
    #[arg(long)]
    bundle: PathBuf,
    /// The name that stays.
    name: String,
    /// The name that goes.
    other: String,
    /// Day of the change, YYYY-MM-DD [default: today].
    #[arg(long)]
    date: Option<String>,
}

impl Merge {
    pub fn run(&self, progress: &dyn Progress) -> Result<()> {
        let date = self.date.clone().unwrap_or_else(today);
        let mut folder = BundleFolder::open(&self.bundle)?;
        folder.bundle.merge(&self.name, &self.other, &date)?;
        super::undo::save(&folder, progress)
    }
}
