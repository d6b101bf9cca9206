//! `flukeprint evaluate`.

use super::devices::DeviceArgs;
use super::export::today;
use super::out::say;
use super::{encounters, table};
use crate::data::{Catalogue, Reading, Source};
use crate::ensemble::Ensemble;
use crate::evaluate::encounters::{evaluate_encounters, evaluate_encounters_beside};
use crate::evaluate::enrolling::evaluate_enrolling;
use crate::evaluate::evidence::{TunedEdges, evaluate_evidence};
use crate::evaluate::html::{self, About};
use crate::evaluate::{BundleQuestion, CrossedReport, evaluate, evaluate_bundle, evaluate_crossed};
use crate::export::open_bundle;
use crate::progress::Progress;
use crate::train::{Run, read_catalogue};
use crate::{Error, Result};
use clap::Args;
use std::path::{Path, PathBuf};

/// Measure a tuned run on the other half of its held-out photos, or a bundle on labelled photos.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  flukeprint evaluate --run run --json > scores.json\n  \
    flukeprint evaluate --bundle site/models/mine --labels new.csv --photos new/\n  \
    flukeprint evaluate --bundle site/models/mine --labels others.csv --photos others/ --reid\n  \
    flukeprint evaluate --run run --edges --crossed 10\n  \
    flukeprint evaluate --run run --html report.html\n  \
    flukeprint evaluate --run run --enroll 200\n\n\
    Beside the scores stands where 95 % of them lie when other whales are drawn. The calibration error is\n\
    how far the first answer's probability is from how often it is right (15 bins of equally many photos);\n\
    beside it stands what it would be on as many photos if every probability were right, and below it what is\n\
    left without that (the root of the mean square). A run whose recipe has\n\
    validation.unseen_whales also tells re-identification on those whales, as --reid does for a bundle.\n\
    The page that --html writes holds small pictures of your photos: give it only to those who may see them."
)]
pub struct Evaluate {
    /// Folder of a run.
    #[arg(
        long,
        required_unless_present_any = ["bundle", "ensemble"],
        conflicts_with_all = ["bundle", "ensemble"]
    )]
    run: Option<PathBuf>,
    /// Folder of an ensemble, to measure what edges or local features add to it.
    #[arg(long, requires = "beside", conflicts_with = "bundle")]
    ensemble: Option<PathBuf>,
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
    /// Instead, enroll so many of the whales that the run kept out of training, by one photo each, and
    /// measure how they are found and what it costs the others.
    #[arg(long, value_name = "WHALES", requires = "run")]
    enroll: Option<usize>,
    /// Chooses whales and photos for --enroll.
    #[arg(long, default_value_t = 7, requires = "enroll")]
    enroll_seed: u64,
    /// Instead, measure on all held-out photos, cut into so many parts, each answered by parameters tuned on the
    /// others; 2 are the halves, and what is meant without a number.
    #[arg(
        long,
        value_name = "PARTS",
        num_args = 0..=1,
        default_missing_value = "2",
        conflicts_with = "bundle"
    )]
    crossed: Option<usize>,
    /// Also measure encounters: several photos of one animal, answered together. With --run of whales that
    /// training left out (validation.unseen_whales), with --bundle of the labelled photos by Id. Beside
    /// --edges or --evidence, of a run, nothing else: with trailing edges, or with all photos' votes too.
    #[arg(long, conflicts_with = "ensemble")]
    encounters: bool,
    /// Instead, measure what trailing edges add, as a bundle without keypoints answers (`flukeprint export --edges`).
    #[arg(long, group = "beside", conflicts_with_all = ["bundle", "enroll", "html"])]
    edges: bool,
    /// Instead, measure what edges and local features add: alone, verifying the first whales, and with a vote of the
    /// whole catalogue.
    #[arg(long, group = "beside", conflicts_with_all = ["bundle", "enroll", "html"])]
    evidence: bool,
    #[command(flatten)]
    device: DeviceArgs,
    /// Folder of the gallery's photos, to show them in the report where the bundle has no small
    /// pictures.
    #[arg(long, requires = "bundle", requires = "html")]
    gallery_photos: Option<PathBuf>,
    /// Also write a report as one page: tables, plots and the worst mistakes with their pictures.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

impl Evaluate {
    pub fn run(&self, progress: &dyn Progress) -> Result<()> {
        // Known before the photos are looked at, which may take hours.
        let folder = self.html.as_deref().and_then(Path::parent);
        if let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty())
            && !folder.is_dir()
        {
            return Err(Error::MissingFolder {
                path: folder.to_owned(),
                wanted: "the report is to be written there",
            });
        }
        match (&self.run, &self.bundle, &self.labels, &self.photos) {
            (None, Some(bundle), Some(labels), Some(photos)) => {
                self.bundle(bundle, labels, photos, progress)
            }
            (Some(run), ..) if (self.evidence || self.edges) && self.encounters => {
                self.encounters_beside(&Run::open(run)?, progress)
            }
            (Some(run), ..) if self.evidence || self.edges => {
                self.evidence(Ensemble::alone(Run::open(run)?)?, progress)
            }
            (Some(run), ..) => self.tuned_run(run, progress),
            (None, None, ..) => self
                .ensemble
                .iter()
                .try_for_each(|folder| self.evidence(Ensemble::open(folder)?, progress)),
            // The parser lets nothing else through.
            _ => Ok(()),
        }
    }

    fn tuned_run(&self, folder: &Path, progress: &dyn Progress) -> Result<()> {
        let device = self.device.open()?;
        let run = Run::open(folder)?;
        let catalogue = read_catalogue(&run.facts.catalogue, progress)?;
        if let Some(whales) = self.enroll {
            let seed = self.enroll_seed;
            let report = evaluate_enrolling(&run, &catalogue, whales, seed, &device, progress)?;
            return match self.json {
                true => super::print_json(&report),
                false => {
                    super::enrolling::print(&report);
                    Ok(())
                }
            };
        }
        if let Some(parts) = self.crossed {
            let report = evaluate_crossed(&run, &catalogue, parts, &device, progress)?;
            return match self.json {
                true => super::print_json(&report),
                false => {
                    print_crossed(&report);
                    Ok(())
                }
            };
        }
        let mut report = evaluate(&run, &catalogue, &device, progress)?;
        if let Some(path) = &self.html {
            html::write_run(&report, &about(format!("Run {}", folder.display())), path)?;
        }
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
        table::print_breakdown(&report.breakdown);
        if let Some(reid) = &report.reid {
            let which =
                "Whales kept out of training, their photos alone (no training photo among them):";
            table::print_reid(which, reid);
        }
        report.encounters.iter().for_each(encounters::print);
        if TunedEdges::read(folder, &run.decision()?).is_ok() {
            say!("Edges were tuned too: `flukeprint evaluate --edges` says what they add to this.");
        }
        Ok(())
    }

    fn encounters_beside(&self, run: &Run, progress: &dyn Progress) -> Result<()> {
        let device = self.device.open()?;
        let catalogue = read_catalogue(&run.facts.catalogue, progress)?;
        let report = evaluate_encounters_beside(run, &catalogue, self.evidence, &device, progress)?;
        if self.json {
            return super::print_json(&report);
        }
        encounters::print(&report);
        Ok(())
    }

    fn evidence(&self, ensemble: Ensemble, progress: &dyn Progress) -> Result<()> {
        let device = self.device.open()?;
        let catalogue = read_catalogue(&ensemble.first().facts.catalogue, progress)?;
        let report = evaluate_evidence(
            &ensemble,
            &catalogue,
            self.evidence,
            self.crossed,
            &device,
            progress,
        )?;
        if self.json {
            return super::print_json(&report);
        }
        super::evidence::print(&report);
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
        let question = BundleQuestion {
            identifier: &identifier,
            catalogue: &catalogue,
            reid: self.reid,
            encounters: self.encounters,
            folder: bundle,
            gallery_photos: self.gallery_photos.as_deref(),
        };
        let report = evaluate_bundle(&question, progress)?;
        if let Some(path) = &self.html {
            let about = about(identifier.manifest().title.clone());
            html::write_bundle(&report, &about, path)?;
        }
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
        table::print_breakdown(&report.breakdown);
        table::print_seconds(&report.seconds_by_stage);
        if let Some(reid) = &report.reid {
            table::print_reid("The photos given, without the bundle's gallery:", reid);
        }
        report.encounters.iter().for_each(encounters::print);
        Ok(())
    }
}

fn print_crossed(report: &CrossedReport) {
    let title = format!(
        "{} held-out photos ({} of known whales), each part answered by parameters tuned on the others, \
         against {} photos:",
        report.photos, report.known_photos, report.gallery_photos
    );
    let rows: Vec<_> = report.rows.iter().map(|row| ("", row)).collect();
    table::print(&title, &rows);
    table::print_intervals(&report.rows);
    table::print_confidence(&report.headline);
    table::print_breakdown(&report.breakdown);
}

fn about(title: String) -> About {
    let words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    About {
        title,
        command: words.map(quoted).collect::<Vec<_>>().join(" "),
        date: today(),
    }
}

/// A word as a shell takes it for one.
fn quoted(word: String) -> String {
    let plain = |character: char| character.is_alphanumeric() || "-_./=:,@+%".contains(character);
    match !word.is_empty() && word.chars().all(plain) {
        true => word,
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}
