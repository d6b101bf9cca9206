//! `flukeprint export`.

use super::devices::DeviceArgs;
use crate::ensemble::Ensemble;
use crate::evaluate::evidence::{TunedEdges, TunedEvidence};
use crate::export::{ExportOptions, export_ensemble};
use crate::progress::Progress;
use crate::train::{Run, read_catalogue};
use clap::Args;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

/// Pack a tuned run or an ensemble into a bundle: a folder of static files for the page and for `identify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  flukeprint export --run run --out site/models/mine --title \"Our catalogue\"\n  \
    flukeprint export --ensemble ensemble --out site/models/mine"
)]
pub struct Export {
    /// Folder of a run.
    #[arg(
        long,
        required_unless_present = "ensemble",
        conflicts_with = "ensemble"
    )]
    run: Option<PathBuf>,
    /// Folder of an ensemble, as `flukeprint ensemble` writes it.
    #[arg(long)]
    ensemble: Option<PathBuf>,
    /// Folder of the bundle; a bundle that is there is replaced.
    #[arg(long)]
    out: PathBuf,
    /// What the catalogue is called.
    #[arg(long, default_value = "Flukeprint catalogue")]
    title: String,
    /// Day of the export, YYYY-MM-DD [default: today].
    #[arg(long)]
    date: Option<String>,
    /// Leave the small pictures of gallery photos out.
    #[arg(long)]
    no_thumbnails: bool,
    /// Put the photos' trailing edges in, 0.2 KB each, so that every answer counts how well they fit: after
    /// `flukeprint tune --edges`.
    #[arg(long)]
    edges: bool,
    /// Put the photos' edges and keypoints in, the keypoints at most 48 KiB each, so that answers can be verified and a match be
    /// shown, or all photos vote: after `flukeprint tune --evidence`.
    #[arg(long)]
    keypoints: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Export {
    pub fn run(&self, progress: &dyn Progress) -> crate::Result<()> {
        let device = self.device.open()?;
        let (folder, ensemble) = match (&self.run, &self.ensemble) {
            (Some(run), _) => (run, Ensemble::alone(Run::open(run)?)?),
            (None, Some(folder)) => (folder, Ensemble::open(folder)?),
            // The parser lets nothing else through.
            (None, None) => return Ok(()),
        };
        let evidence = || TunedEvidence::read(folder, &ensemble.decision);
        let evidence = self.keypoints.then(evidence).transpose()?;
        let edges = || TunedEdges::read(folder, &ensemble.decision);
        let edges = (self.edges || self.keypoints).then(edges).transpose()?;
        let catalogue = read_catalogue(&ensemble.first().facts.catalogue, progress)?;
        let options = ExportOptions {
            title: self.title.clone(),
            date: self.date.clone().unwrap_or_else(today),
            thumbnails: !self.no_thumbnails,
            edges,
            evidence,
        };
        export_ensemble(
            &ensemble, &catalogue, &options, &self.out, &device, progress,
        )?;
        progress.note(&format!("{}: the bundle is ready", self.out.display()));
        Ok(())
    }
}

/// Today in UTC, by H. Hinnant's `civil_from_days`.
pub(super) fn today() -> String {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let days = (seconds / 86_400) as i64 + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}
