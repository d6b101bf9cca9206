//! `flukeprint evaluate`.

use super::table;
use crate::evaluate::evaluate;
use crate::progress::Progress;
use crate::train::{Run, read_catalogue};
use clap::Args;
use std::path::PathBuf;

/// Measure a tuned run on the other half of the held-out photos.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  flukeprint evaluate --run run --json > scores.json")]
pub struct Evaluate {
    /// Folder of a run.
    #[arg(long)]
    run: PathBuf,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

impl Evaluate {
    pub fn run(&self, progress: &dyn Progress) -> crate::Result<()> {
        let run = Run::open(&self.run)?;
        let catalogue = read_catalogue(&run.facts.catalogue, progress)?;
        let report = evaluate(&run, &catalogue, progress)?;
        if self.json {
            return super::print_json(&report);
        }
        let title = format!(
            "{} held-out photos ({} of known whales) against {} photos of {} known whales and of new ones:",
            report.photos, report.known_photos, report.gallery_photos, report.individuals
        );
        let raw = report.raw_pixels.iter().map(|row| ("raw pixels, ", row));
        let rows: Vec<_> = raw.chain(report.rows.iter().map(|row| ("", row))).collect();
        table::print(&title, &rows);
        Ok(())
    }
}
