//! `flukeprint rename`.

use super::export::today;
use crate::Result;
use crate::grow::BundleFolder;
use crate::progress::Progress;
use clap::Args;
use std::path::PathBuf;

/// Give an individual of a bundle another name.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flukeprint rename --bundle site/models/mine \"Whale 12\" Nora\n\n\
    `flukeprint undo` takes it back."
)]
pub struct Rename {
    /// Folder of a bundle.
    #[arg(long)]
    bundle: PathBuf,
    /// The name it has.
    from: String,
    /// The name it gets.
    to: String,
    /// Day of the change, YYYY-MM-DD [default: today].
    #[arg(long)]
    date: Option<String>,
}

impl Rename {
    pub fn run(&self, progress: &dyn Progress) -> Result<()> {
        let date = self.date.clone().unwrap_or_else(today);
        let mut folder = BundleFolder::open(&self.bundle)?;
        folder.bundle.rename(&self.from, &self.to, &date)?;
        super::undo::save(&folder, progress)
    }
}
