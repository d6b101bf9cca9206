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
    after_help = "Example, in two rounds:\n  flukeprint guide --data catalogue --out first.safetensors\n  \
    flukeprint guide --data catalogue --before first.safetensors --out core/src/evidence/edge/guide.safetensors\n\n\
    Gray pictures of flukes teach it, and the lines that are found in them without a guide, or with an earlier one; no name of a whale does, \
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
    /// The guide of an earlier round, by which lines are found that are learnt from; without one they are found without a guide.
    #[arg(long)]
    before: Option<PathBuf>,
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
        let round = guide::Round {
            seed: self.seed,
            epochs: self.epochs,
            before: self.before.as_deref(),
        };
        guide::train(&self.data, &self.out, &round, &device, progress)?;
        progress.note(&format!(
            "{}: build the program with it, then tune with --edges anew",
            self.out.display()
        ));
        Ok(())
    }
}
