//! `flukeprint undo`.

use crate::Result;
use crate::grow::BundleFolder;
use crate::progress::Progress;
use clap::Args;
use std::path::PathBuf;

/// Take the last change of a bundle back.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flukeprint undo --bundle site/models/mine\n\n\
    `flukeprint history` lists what can be taken back, the last first to go. An enrolment that is taken back\n\
    takes its photos out for good; all else comes back as it was, to the byte."
)]
pub struct Undo {
    /// Folder of a bundle.
    #[arg(long)]
    bundle: PathBuf,
}

impl Undo {
    pub fn run(&self, progress: &dyn Progress) -> Result<()> {
        let mut folder = BundleFolder::open(&self.bundle)?;
        let did = folder.bundle.undo()?;
        folder.save(Vec::new(), None)?;
        progress.note(&format!("taken back: {did}"));
        Ok(())
    }
}

/// Writes a changed bundle and says what was done.
pub(super) fn save(folder: &BundleFolder, progress: &dyn Progress) -> Result<()> {
    folder.save(Vec::new(), None)?;
    if let Some(last) = folder.bundle.history().last() {
        progress.note(&format!("done: {}", last.did));
    }
    Ok(())
}
