//! `flukeprint import`.

use crate::import::import;
use crate::progress::Progress;
use crate::train::save_weights;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use flukeprint_core::model::backbone::BackboneName;
use std::path::PathBuf;

/// Turn a published checkpoint into weights that `train --start` begins with.
#[derive(Debug, Args)]
#[command(
    after_help = "Reads .pth and .safetensors of torchvision, timm, Cadene and GluonCV under their own \
                  names; nothing in a .pth runs.\n\nExample:\n  flukeprint import --arch resnet50 \
                  resnet50.pth --out resnet50.safetensors"
)]
pub struct Import {
    /// The checkpoint.
    file: PathBuf,
    /// The backbone.
    #[arg(long, value_parser = PossibleValuesParser::new(BackboneName::ALL.iter().map(|n| n.name())).try_map(find))]
    arch: BackboneName,
    /// File of the weights.
    #[arg(long)]
    out: PathBuf,
    /// Take what fits and say what does not, instead of refusing.
    #[arg(long)]
    lenient: bool,
}

impl Import {
    pub fn run(&self, progress: &dyn Progress) -> crate::Result<()> {
        let imported = import(self.arch, &self.file, self.lenient)?;
        save_weights(&imported.tensors, &self.out)?;
        for misfit in &imported.misfits {
            progress.note(misfit);
        }
        progress.note(&format!(
            "{}: {} under {}'s names, {} tensors",
            self.out.display(),
            self.arch.name(),
            imported.whose,
            imported.tensors.len()
        ));
        Ok(())
    }
}

fn find(name: String) -> Result<BackboneName, String> {
    let found = BackboneName::ALL.iter().find(|n| n.name() == name);
    found.copied().ok_or(name)
}
