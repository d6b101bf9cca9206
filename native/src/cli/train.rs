//! `flukeprint train`.

use crate::progress::Progress;
use crate::train::{Recipe, train};
use burn::tensor::Device;
use clap::Args;
use std::path::PathBuf;
use std::time::Instant;

/// Train a network on a catalogue by a recipe.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flukeprint train --data catalogue --recipe small --start mobilenet_v2.safetensors --out run"
)]
pub struct Train {
    /// Folder with train.csv, train/ and, if there are boxes, bounding_boxes.csv.
    #[arg(long)]
    data: PathBuf,
    /// A recipe's name, as `flukeprint recipes` lists it, or a file ending in .toml.
    #[arg(long, default_value = "small")]
    recipe: String,
    /// Backbone weights to begin with, .pth or .safetensors.
    #[arg(long)]
    start: Option<PathBuf>,
    /// Folder to make for the run.
    #[arg(long)]
    out: PathBuf,
    /// Another seed than the recipe's.
    #[arg(long)]
    seed: Option<u64>,
}

impl Train {
    pub fn run(&self, progress: &dyn Progress) -> crate::Result<()> {
        let begun = Instant::now();
        let mut recipe = Recipe::load(&self.recipe)?;
        recipe.seed = self.seed.unwrap_or(recipe.seed);
        let start = self.start.as_deref();
        let run = train(
            &self.data,
            &recipe,
            start,
            &self.out,
            &Device::flex(),
            progress,
        )?;
        let seconds = begun.elapsed().as_secs_f64();
        progress.note(&format!(
            "{}: trained in {seconds:.0} s; next: flukeprint tune",
            run.folder().display()
        ));
        Ok(())
    }
}
