//! By what else than the networks photos are answered.

use crate::Result;
use crate::identify::{Beside, Search};
use crate::progress::Progress;
use clap::Args;
use flukeprint_core::identify::Identifier;
use std::path::Path;

#[derive(Clone, Copy, Debug, Args)]
pub struct BesideArgs {
    /// Compare each photo with those of its first whales by local features, and let what is found raise
    /// them. The bundle needs keypoints (`flukeprint export --keypoints`).
    #[arg(long)]
    verify: bool,
    /// Let all photos of the gallery vote for each photo by local features too: slower, and finds whales
    /// that the networks do not. Needs what --verify needs, and some hundred megabytes of memory.
    #[arg(long, conflicts_with = "verify")]
    search: bool,
}

impl BesideArgs {
    /// Whether there is evidence in the answers.
    pub fn any(self) -> bool {
        self.verify || self.search
    }

    /// Refuses a bundle that cannot be asked so, and reads all keypoints where all vote.
    pub fn open(
        self,
        identifier: &Identifier,
        folder: &Path,
        progress: &dyn Progress,
    ) -> Result<Option<Search>> {
        if self.any() {
            identifier.evidence()?;
        }
        let search = || Search::open(identifier, folder, progress);
        self.search.then(search).transpose()
    }

    /// What was opened, as answers take it.
    pub fn beside<'a>(self, folder: &'a Path, search: Option<&'a Search>) -> Beside<'a> {
        match search {
            Some(search) => Beside::Search(search),
            None if self.verify => Beside::Verify(folder),
            None => Beside::Nothing,
        }
    }
}
