//! `flukeprint guide`.

use super::devices::DeviceArgs;
use crate::Result;
use crate::progress::Progress;
use crate::train::guide;
use clap::Args;
use std::path::PathBuf;

/// Train what guides the tracing of trailing edges. For those who build Flukeprint: the guide is part of the
/// program
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flukeprint guide --data catalogue --out core/src/evidence/edge/guide.safetensors\n\n\
    Gray pictures of flukes teach it, and the lines that are found in them without a guide; no name of a whale does, \
    but that two photos of one agree makes their lines trusted. Held-out photos, as the shipped recipes hold out, have \
    no part in it. Once it is built in, every edge is traced anew."
)]
pub struct Guide {
    /// Folder with train.csv, train/ and, if there are boxes, bounding_boxes.csv.
    #[arg(long)]
    data: PathBuf,
    /// The file to write, .safetensors; one that is there is replaced.
    #[arg(long)]
    out: PathBuf,
    /// Seed of weights, split, order and views.
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// How often every fluke is seen.
    #[arg(long, default_value_t = 24, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1000))]
    epochs: usize,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Guide {
    pub fn run(&self, progress: &dyn Progress) -> Result<()> {
        let device = self.device.open()?;
        guide::train(
            &self.data,
            self.seed,
            self.epochs,
            &self.out,
            &device,
            progress,
        )?;
        progress.note(&format!(
            "{}: build the program with it, then tune with --edges anew",
            self.out.display()
        ));
        Ok(())
    }
}
