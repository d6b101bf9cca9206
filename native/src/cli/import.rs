//! `flukeprint import`.

use crate::import::{hardnet, import};
use crate::progress::Progress;
use crate::train::recipe::nearest;
use crate::train::save_weights;
use clap::Args;
use flukeprint_core::model::backbone::BackboneName;
use std::path::PathBuf;

/// Turn a published checkpoint into weights that `train --start` begins with, or HardNet's into a
/// descriptor's.
#[derive(Debug, Args)]
#[command(
    after_help = "Reads .pth and .safetensors of torchvision, timm, Cadene and GluonCV under their own \
                  names; nothing in a .pth runs.\n\nExample:\n  flukeprint import --arch resnet50 \
                  resnet50.pth --out resnet50.safetensors\n  flukeprint \
                  import --arch hardnet HardNet++.pth --out hardnet.safetensors"
)]
pub struct Import {
    /// The checkpoint.
    file: PathBuf,
    /// The backbone, as `flukeprint models` lists it, or `hardnet`.
    #[arg(long)]
    arch: String,
    /// File of the weights.
    #[arg(long)]
    out: PathBuf,
    /// Refuse a checkpoint with a missing, unknown or misshapen tensor; so it is without this too.
    #[arg(long, conflicts_with = "lenient")]
    strict: bool,
    /// Take what fits and say what does not, instead of refusing.
    #[arg(long)]
    lenient: bool,
}

impl Import {
    pub fn run(&self, progress: &dyn Progress) -> crate::Result<()> {
        if self.arch == HARDNET {
            return self.hardnet(progress);
        }
        let arch = backbone(&self.arch)?;
        let imported = import(arch, &self.file, self.lenient && !self.strict)?;
        save_weights(&imported.tensors, &self.out)?;
        for misfit in &imported.misfits {
            progress.note(misfit);
        }
        progress.note(&format!(
            "{}: {} under {}'s names, {} tensors",
            self.out.display(),
            arch.name(),
            imported.whose,
            imported.tensors.len()
        ));
        Ok(())
    }
}

/// What `--arch` calls the descriptor.
const HARDNET: &str = "hardnet";

impl Import {
    fn hardnet(&self, progress: &dyn Progress) -> crate::Result<()> {
        if self.lenient {
            return Err(crate::Error::Setting {
                name: "--lenient",
                value: "set".to_owned(),
                wanted: "left out for hardnet, of which every tensor is needed",
            });
        }
        let tensors = hardnet(&self.file)?;
        save_weights(&tensors, &self.out)?;
        let (out, count) = (self.out.display(), tensors.len());
        progress.note(&format!(
            "{out}: hardnet under its authors' names, {count} tensors"
        ));
        Ok(())
    }
}

/// The backbone of that name.
pub(super) fn backbone(name: &str) -> crate::Result<BackboneName> {
    let mut all = BackboneName::ALL.iter();
    let found = all.find(|known| known.name() == name).copied();
    found.ok_or_else(|| crate::Error::Backbone {
        name: name.to_owned(),
        meant: nearest(name, BackboneName::ALL.iter().map(|known| known.name())),
    })
}
