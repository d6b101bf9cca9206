//! `flukeprint tune`.

use super::devices::DeviceArgs;
use super::out::say;
use super::{evidence, operating, table};
use crate::evaluate::evidence::tune_run_evidence;
use crate::evaluate::tune_run;
use crate::progress::Progress;
use crate::train::{Run, read_catalogue};
use clap::Args;
use std::path::PathBuf;

/// Choose temperature, new-whale thresholds and mixing weights on one half of the held-out photos.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  flukeprint tune --run run\n  flukeprint tune --run run --evidence"
)]
pub struct Tune {
    /// Folder of a run.
    #[arg(long)]
    run: PathBuf,
    /// Also choose how much matches of local features count, for a bundle with keypoints (`flukeprint export
    /// --keypoints`).
    #[arg(long)]
    evidence: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Tune {
    pub fn run(&self, progress: &dyn Progress) -> crate::Result<()> {
        let device = self.device.open()?;
        let run = Run::open(&self.run)?;
        let catalogue = read_catalogue(&run.facts.catalogue, progress)?;
        let tuning = tune_run(&run, &catalogue, &device, progress)?;
        let p = &tuning.parameters;
        let [c1, c2, c3] = p.weights;
        say!(
            "T {}, p {:.3}, q {:.3}, weights {c1} {c2} {c3:.1}, sharpness {:.2}",
            p.temperature,
            p.new_probability,
            p.new_similarity,
            p.sharpness
        );
        say!(
            "log odds of the first answer times {:.2}, {:+.2}",
            p.first_slope,
            p.first_offset
        );
        say!(
            "of a whale's photos the mean counts {:.2} beside the nearest",
            p.centre_share
        );
        operating::print(&run.operating()?, p.new_share);
        let rows: Vec<_> = tuning.rows.iter().map(|row| ("", row)).collect();
        if self.evidence {
            let tuned = tune_run_evidence(&run, &catalogue, &device, progress)?;
            evidence::print_parameters("verifying the first whales", &tuned.verify);
            evidence::print_parameters("with the catalogue's vote", &tuned.search);
        }
        table::print("On the photos that were tuned on (flattering):", &rows);
        Ok(())
    }
}
