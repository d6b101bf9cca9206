//! Ensembles: several runs of one catalogue and split that answer together.
//!
//! - `fuse`: what the members say of every photo, made one by the core's
//!   [`Embedding::of_members`](flukeprint_core::identify::Embedding::of_members);
//! - `choose`: which runs become members;
//! - `report`: the choice on one half of the held-out photos, and its scores on the other;
//! - `folder`: the folder that is left.

mod choose;
mod folder;
mod fuse;
mod report;
#[cfg(test)]
mod tests;

pub use flukeprint_core::identify::Fuse;
pub use report::{EnsembleReport, How, RunReport, StepReport, ensemble};

use crate::data::{Catalogue, Split};
use crate::evaluate::{Embeddings, TunedOn, embed_catalogue};
use crate::progress::Progress;
use crate::train::Run;
use crate::{Error, Result};
use burn::tensor::Device;
use flukeprint_core::bundle::join_members;
use flukeprint_core::decision::{DecisionParameters, OperatingRates};

/// One run or several that answer together, and how.
#[derive(Clone, Debug)]
pub struct Ensemble {
    first: Run,
    others: Vec<Run>,
    /// How the members' features become one; of no account for one member.
    pub fuse: Fuse,
    /// Every number that decides, tuned for the members together.
    pub decision: DecisionParameters,
    /// Which held-out photos they were tuned on.
    pub tuned_on: TunedOn,
    /// What each operating point costs on photos that nothing was fitted to.
    pub operating: Vec<OperatingRates>,
}

impl Ensemble {
    /// A tuned run by itself.
    ///
    /// # Errors
    /// When the run was not tuned.
    pub fn alone(run: Run) -> Result<Self> {
        Ok(Self {
            decision: run.decision()?,
            tuned_on: run.tuned_on()?,
            operating: run.operating()?,
            first: run,
            others: Vec::new(),
            fuse: Fuse::default(),
        })
    }

    /// The first member; the catalogue is the one that it names.
    pub fn first(&self) -> &Run {
        &self.first
    }

    /// The members after the first.
    pub fn others(&self) -> &[Run] {
        &self.others
    }

    /// All members.
    pub fn members(&self) -> impl Iterator<Item = &Run> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// The split that all members share.
    ///
    /// # Errors
    /// As [`Run::split`], and when a member has another; it is named.
    pub fn split(&self, catalogue: &Catalogue) -> Result<Split> {
        shared_split(self.members(), catalogue)
    }

    /// What the members together say of every photo of the catalogue, computed on `device`.
    ///
    /// # Errors
    /// As [`embed_catalogue`].
    pub fn embeddings(
        &self,
        catalogue: &Catalogue,
        split: &Split,
        device: &Device,
        progress: &dyn Progress,
    ) -> Result<Embeddings> {
        let members: Vec<Embeddings> = self
            .members()
            .map(|run| embed_catalogue(run, catalogue, split, device, progress))
            .collect::<Result<_>>()?;
        let members: Vec<&Embeddings> = members.iter().collect();
        Ok(fuse::fused(&members, self.fuse, split)?.into_owned())
    }

    /// The weights file of a bundle, with every member's network.
    ///
    /// # Errors
    /// As [`Run::shipped_weights`].
    pub fn shipped_weights(&self) -> Result<Vec<u8>> {
        if self.others.is_empty() {
            return self.first.shipped_weights();
        }
        let files: Vec<Vec<u8>> = self
            .members()
            .map(Run::shipped_weights)
            .collect::<Result<_>>()?;
        Ok(join_members(&files)?)
    }
}

/// The split of all `runs`.
fn shared_split<'a>(
    mut runs: impl Iterator<Item = &'a Run>,
    catalogue: &Catalogue,
) -> Result<Split> {
    let Some(first) = runs.next() else {
        return Err(crate::tune::TuneError::NoQueries.into());
    };
    let refuse = |run: &Run, reason: String| {
        Err(Error::Run {
            path: run.folder().to_owned(),
            reason,
        })
    };
    let split = first.split(catalogue)?;
    for run in runs {
        let beside = first.folder().display();
        if (&run.facts.data_sha256, &run.facts.individuals)
            != (&first.facts.data_sha256, &first.facts.individuals)
        {
            let reason = format!(
                "was trained on other photos, labels or boxes than {beside}; members of an ensemble \
                 share a catalogue"
            );
            return refuse(run, reason);
        }
        let other = run.split(catalogue)?;
        let held_out = (&other.train, &other.tune, &other.report);
        if held_out != (&split.train, &split.tune, &split.report) {
            let reason = format!(
                "holds other photos out than {beside}, so that one has learnt what the other is \
                 measured on; train both with the same seed and [validation]"
            );
            return refuse(run, reason);
        }
    }
    Ok(split)
}
