//! `flukeprint weights`.

use crate::Result;
use crate::progress::Progress;
use crate::train::Run;
use clap::Args;
use std::path::PathBuf;

/// Keep what a run's network has learned, for other trainings to begin with.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flukeprint weights --run run --out whales.safetensors\n  \
    flukeprint train --data photos --recipe mine.toml --start whales.safetensors --out mine\n\n\
    Backbone and heads at half precision; the other recipe must have the same [model]. Classifiers stay \
    behind: they know this catalogue's whales only."
)]
pub struct Weights {
    /// Folder of a run.
    #[arg(long)]
    run: PathBuf,
    /// The file to write, .safetensors; one that is there is replaced.
    #[arg(long)]
    out: PathBuf,
}

impl Weights {
    pub fn run(&self, progress: &dyn Progress) -> Result<()> {
        Run::open(&self.run)?.save_start(&self.out)?;
        progress.note(&format!(
            "{}: a training can begin with it (train --start)",
            self.out.display()
        ));
        Ok(())
    }
}
