//! `flukeprint evaluate`.

use super::devices::DeviceArgs;
use super::{encounters, table};
use crate::Result;
use crate::data::{Catalogue, Reading, Source};
use crate::evaluate::encounters::evaluate_encounters;
use crate::evaluate::{evaluate, evaluate_bundle};
use crate::export::open_bundle;
use crate::progress::Progress;
use crate::train::{Run, read_catalogue};
use clap::Args;
use std::path::{Path, PathBuf};

/// Measure a tuned run on the other half of its held-out photos, or a bundle on labelled photos.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  flukeprint evaluate --run run --json > scores.json\n  \
    flukeprint evaluate --bundle site/models/mine --labels new.csv --photos new/\n  \
    flukeprint evaluate --bundle site/models/mine --labels others.csv --photos others/ --reid\n\n\
    Beside the scores stands where 95 % of them lie when other whales are drawn. The calibration error is\n\
    how far the first answer's probability is from how often it is right (15 bins of equally many photos);\n\
    beside it stands what it would be on as many photos if every probability were right. A run whose recipe has\n\
    validation.unseen_whales also tells re-identification on those whales, as --reid does for a bundle."
)]
pub struct Evaluate {
    /// Folder of a run.
    #[arg(long, required_unless_present = "bundle", conflicts_with = "bundle")]
    run: Option<PathBuf>,
    /// Folder of a bundle.
    #[arg(long, requires = "labels", requires = "photos")]
    bundle: Option<PathBuf>,
    /// Table Image,Id; whales that the bundle does not know count as new.
    #[arg(long, requires = "bundle")]
    labels: Option<PathBuf>,
    /// Folder of the photos that the table names.
    #[arg(long, requires = "bundle")]
    photos: Option<PathBuf>,
    /// Table Image,x0,y0,x1,y1; without it the fluke finder looks.
    #[arg(long, requires = "bundle")]
    boxes: Option<PathBuf>,
    /// Also look up each photo among the others given, without the bundle's whales: by the labels
    /// given, is the nearest photo of the same whale? For whales that the bundle never saw.
    #[arg(long, requires = "bundle")]
    reid: bool,
    /// Also measure encounters: several photos of one animal, answered together. With --run of whales that
    /// training left out (validation.unseen_whales), with --bundle of the labelled photos by Id.
    #[arg(long)]
    encounters: bool,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

impl Evaluate {
    pub fn run(&self, progress: &dyn Progress) -> Result<()> {
        match (&self.run, &self.bundle, &self.labels, &self.photos) {
            (None, Some(bundle), Some(labels), Some(photos)) => {
                self.bundle(bundle, labels, photos, progress)
            }
            (Some(run), ..) => self.tuned_run(run, progress),
            // The parser lets nothing else through.
            _ => Ok(()),
        }
    }

    fn tuned_run(&self, folder: &Path, progress: &dyn Progress) -> Result<()> {
        let device = self.device.open()?;
        let run = Run::open(folder)?;
        let catalogue = read_catalogue(&run.facts.catalogue, progress)?;
        let mut report = evaluate(&run, &catalogue, &device, progress)?;
        if self.encounters {
            let encounters = evaluate_encounters(&run, &catalogue, &device, progress)?;
            report.encounters = Some(encounters);
        }
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
        table::print_intervals(&report.rows);
        table::print_confidence(&report.headline);
        if let Some(reid) = &report.reid {
            let which =
                "Whales kept out of training, their photos alone (no training photo among them):";
            table::print_reid(which, reid);
        }
        report.encounters.iter().for_each(encounters::print);
        Ok(())
    }

    fn bundle(
        &self,
        bundle: &Path,
        labels: &Path,
        photos: &Path,
        progress: &dyn Progress,
    ) -> Result<()> {
        let identifier = open_bundle(bundle, &self.device.open()?)?;
        let known: Vec<String> = identifier
            .gallery()
            .individuals()
            .iter()
            .map(|one| one.name.clone())
            .collect();
        let source = Source {
            labels: labels.to_owned(),
            photos: photos.to_owned(),
            boxes: self.boxes.clone(),
        };
        let catalogue = Catalogue::read(
            &source,
            &Reading {
                // Whales that the bundle does not know count too when photos are looked up or put together.
                known: (!self.reid && !self.encounters).then_some(&known),
                ..Reading::default()
            },
        )?;
        let (reid, encounters) = (self.reid, self.encounters);
        let report = evaluate_bundle(&identifier, &catalogue, reid, encounters, progress)?;
        if self.json {
            return super::print_json(&report);
        }
        let title = format!(
            "{} photos ({} of whales that the bundle knows), {:.3} s a photo:",
            report.photos, report.known_photos, report.seconds_per_photo
        );
        let rows: Vec<_> = report.rows.iter().map(|row| ("", row)).collect();
        table::print(&title, &rows);
        table::print_intervals(&report.rows);
        table::print_confidence(&report.headline);
        if let Some(reid) = &report.reid {
            table::print_reid("The photos given, without the bundle's gallery:", reid);
        }
        report.encounters.iter().for_each(encounters::print);
        Ok(())
    }
}
