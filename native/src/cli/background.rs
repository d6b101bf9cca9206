//! `flukeprint background`.

use super::devices::DeviceArgs;
use crate::Result;
use crate::progress::Progress;
use crate::train::background;
use clap::Args;
use std::path::PathBuf;

/// Train what tells how common a piece of a trailing edge is. For those who build Flukeprint: it is part of the
/// program
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flukeprint background --data catalogue --out core/src/evidence/edge/background.safetensors\n\n\
    The edges of flukes teach it, each compared with those of all others; no name of a whale does. Held-out photos, as the shipped recipes \
    hold out, have no part in it. Train it anew after `flukeprint guide`, and tune with --edges once it is built in."
)]
pub struct Background {
    /// Folder with train.csv, train/ and, if there are boxes, bounding_boxes.csv.
    #[arg(long)]
    data: PathBuf,
    /// The file to write, .safetensors; one that is there is replaced.
    #[arg(long)]
    out: PathBuf,
    /// Seed of weights, split and order.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// How often every piece is seen.
    #[arg(long, default_value_t = 10, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1000))]
    epochs: usize,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Background {
    pub fn run(&self, progress: &dyn Progress) -> Result<()> {
        let device = self.device.open()?;
        let learning = (self.seed, self.epochs);
        background::train(&self.data, &self.out, learning, &device, progress)?;
        progress.note(&format!(
            "{}: build the program with it, then tune with --edges anew",
            self.out.display()
        ));
        Ok(())
    }
}
