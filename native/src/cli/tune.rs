//! `flukeprint tune`.

use super::devices::DeviceArgs;
use super::out::say;
use super::{evidence, operating, table};
use crate::data::Catalogue;
use crate::ensemble::Ensemble;
use crate::evaluate::evidence::tune_evidence_of;
use crate::evaluate::{TunedOn, tune_run};
use crate::progress::Progress;
use crate::train::{Run, read_catalogue};
use burn::tensor::Device;
use clap::Args;
use std::path::{Path, PathBuf};

/// Choose temperature, new-whale thresholds and mixing weights on one half of the held-out photos.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  flukeprint tune --run run --edges\n  flukeprint tune --run run --evidence\n  \
    flukeprint tune --run run --all\n  flukeprint tune --ensemble ensemble --evidence"
)]
pub struct Tune {
    /// Folder of a run.
    #[arg(
        long,
        required_unless_present = "ensemble",
        conflicts_with = "ensemble"
    )]
    run: Option<PathBuf>,
    /// Folder of an ensemble, whose decision is tuned already: choose how edges count, and evidence.
    #[arg(long)]
    ensemble: Option<PathBuf>,
    /// Also choose how much it counts how well trailing edges fit, for a bundle with edges (`flukeprint export
    /// --edges`): on photos of real whales it finds far more of them.
    #[arg(long)]
    edges: bool,
    /// Also choose that, and how much matches of local features and votes count, for a bundle with keypoints
    /// (`flukeprint export --keypoints`).
    #[arg(long)]
    evidence: bool,
    /// Choose on all held-out photos, for a bundle that ships: twice as many to choose on, none left to measure
    /// on but by `flukeprint evaluate --crossed 10`.
    #[arg(long, conflicts_with = "ensemble")]
    all: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Tune {
    pub fn run(&self, progress: &dyn Progress) -> crate::Result<()> {
        let device = self.device.open()?;
        let Some(folder) = &self.run else {
            return match &self.ensemble {
                Some(folder) => {
                    let ensemble = Ensemble::open(folder)?;
                    let catalogue = read_catalogue(&ensemble.first().facts.catalogue, progress)?;
                    self.evidence_of((folder, &ensemble), &catalogue, &device, progress)
                }
                // The parser lets nothing else through.
                None => Ok(()),
            };
        };
        let run = Run::open(folder)?;
        let catalogue = read_catalogue(&run.facts.catalogue, progress)?;
        let on = match self.all {
            true => TunedOn::All,
            false => TunedOn::Half,
        };
        let tuning = tune_run(&run, &catalogue, on, &device, progress)?;
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
            "log odds of a first answer that names a whale times {:.2}, {:+.2}",
            p.first_slope,
            p.first_offset
        );
        if let Some(of_new) = p.new_first {
            say!(
                "log odds of one that says new times {:.2}, {:+.2}; its least probability {:.2}",
                of_new.slope,
                of_new.offset,
                of_new.floor
            );
        }
        say!(
            "of a whale's photos the mean counts {:.2} beside the nearest",
            p.centre_share
        );
        operating::print(&run.operating()?, p.new_share);
        let rows: Vec<_> = tuning.rows.iter().map(|row| ("", row)).collect();
        if self.edges || self.evidence {
            let alone = Ensemble::alone(run)?;
            self.evidence_of((folder, &alone), &catalogue, &device, progress)?;
        }
        table::print("On the photos that were tuned on (flattering):", &rows);
        Ok(())
    }

    /// Chooses how evidence counts and keeps it in the folder of the run or ensemble.
    fn evidence_of(
        &self,
        (folder, ensemble): (&Path, &Ensemble),
        catalogue: &Catalogue,
        device: &Device,
        progress: &dyn Progress,
    ) -> crate::Result<()> {
        let (edges, tuned) =
            tune_evidence_of(ensemble, catalogue, self.evidence, device, progress)?;
        edges.save(folder, &ensemble.decision)?;
        evidence::print_parameters("with trailing edges", &edges.edges);
        operating::print(&edges.operating, ensemble.decision.new_share);
        if let Some(tuned) = tuned {
            tuned.save(folder, &ensemble.decision)?;
            evidence::print_parameters("verifying the first whales", &tuned.verify);
            evidence::print_parameters("with the catalogue's votes", &tuned.search);
        }
        Ok(())
    }
}
