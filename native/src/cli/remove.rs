//! `flukeprint remove`.

use super::export::today;
use crate::Result;
use crate::grow::BundleFolder;
use crate::progress::Progress;
use clap::Args;
use std::path::PathBuf;

/// Take an individual or a photo out of a bundle.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  flukeprint remove --bundle site/models/mine Nora\n  \
    flukeprint remove --bundle site/models/mine --photo tail2.jpg\n\n\
    What was removed stays in the bundle's journal, with its small pictures: `flukeprint undo` brings it back."
)]
pub struct Remove {
    /// Folder of a bundle.
    #[arg(long)]
    bundle: PathBuf,
    /// The individual that goes, with all its photos.
    #[arg(required_unless_present = "photo", conflicts_with = "photo")]
    name: Option<String>,
    /// The photo that goes, by its file name.
    #[arg(long, value_name = "FILE")]
    photo: Option<String>,
    /// Day of the change, YYYY-MM-DD [default: today].
    #[arg(long)]
    date: Option<String>,
}

impl Remove {
    pub fn run(&self, progress: &dyn Progress) -> Result<()> {
        let date = self.date.clone().unwrap_or_else(today);
        let mut folder = BundleFolder::open(&self.bundle)?;
        if let Some(name) = &self.name {
            folder.bundle.remove_individual(name, &date)?;
        } else if let Some(photo) = &self.photo {
            folder.bundle.remove_photo(photo, &date)?;
        }
        super::undo::save(&folder, progress)
    }
}
