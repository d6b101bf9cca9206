//! `flukeprint enroll`.

use super::devices::DeviceArgs;
use super::export::today;
use super::out::say;
use crate::data::{Boxes, Catalogue, Reading, Source};
use crate::grow::{Given, enroll};
use crate::progress::Progress;
use crate::{Error, Result};
use clap::Args;
use std::path::{Path, PathBuf};

/// Add photos and whales to a bundle, without training.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  flukeprint enroll --bundle site/models/mine --labels new.csv --photos new/\n  \
    flukeprint enroll --bundle site/models/mine --individual Nora tail1.jpg tail2.jpg\n\n\
    Names that the bundle does not know become individuals; `new_whale` is a whale without a name. All photos\n\
    come in or none. `flukeprint undo` takes it back."
)]
pub struct Enroll {
    /// Folder of a bundle.
    #[arg(long)]
    bundle: PathBuf,
    /// Table Image,Id.
    #[arg(long, requires = "photos", required_unless_present = "individual")]
    labels: Option<PathBuf>,
    /// Folder of the photos that the table names.
    #[arg(long, requires = "labels")]
    photos: Option<PathBuf>,
    /// Table Image,x0,y0,x1,y1; without a box the fluke finder looks.
    #[arg(long)]
    boxes: Option<PathBuf>,
    /// Whom the photos named here show.
    #[arg(long, conflicts_with = "labels", requires = "files")]
    individual: Option<String>,
    /// JPEG, PNG or WebP files of that individual.
    #[arg(requires = "individual", value_name = "PHOTO")]
    files: Vec<PathBuf>,
    /// Write the grown bundle there and leave the other as it is.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Day of the enrolment, YYYY-MM-DD [default: today].
    #[arg(long)]
    date: Option<String>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

impl Enroll {
    pub fn run(&self, progress: &dyn Progress) -> Result<()> {
        let device = self.device.open()?;
        let given = match (&self.labels, &self.photos, &self.individual) {
            (Some(labels), Some(photos), _) => self.table(labels, photos)?,
            (_, _, Some(name)) => self.by_hand(name)?,
            // The parser lets nothing else through.
            _ => return Ok(()),
        };
        let date = self.date.clone().unwrap_or_else(today);
        let out = self.out.as_deref();
        let enrolment = enroll(&self.bundle, &given, &date, out, &device, progress)?;
        if self.json {
            return super::print_json(&enrolment);
        }
        // Many bundles have no classifier, because nothing asks it.
        let columns = match enrolment.columns {
            0 => String::new(),
            made => format!(", {made} columns of the classifier made"),
        };
        say!(
            "{} photos and {} new individuals enrolled{columns}; {:.0} ms a photo to embed, {:.1} ms a photo to add",
            enrolment.photos,
            enrolment.individuals,
            enrolment.embedding_milliseconds,
            enrolment.adding_milliseconds
        );
        Ok(())
    }

    fn table(&self, labels: &Path, photos: &Path) -> Result<Vec<Given>> {
        let source = Source {
            labels: labels.to_owned(),
            photos: photos.to_owned(),
            boxes: self.boxes.clone(),
        };
        let reading = Reading {
            nameless: true,
            ..Reading::default()
        };
        Ok(Given::all_of(&Catalogue::read(&source, &reading)?))
    }

    fn by_hand(&self, name: &str) -> Result<Vec<Given>> {
        let boxes = self.boxes.as_deref().map(Boxes::read).transpose()?;
        let given = self.files.iter().map(|path| {
            let file = path.file_name().and_then(|file| file.to_str());
            let file = file.ok_or_else(|| Error::Photo {
                path: path.clone(),
                reason: "its name is not text; rename it".to_owned(),
            })?;
            Ok(Given {
                path: path.clone(),
                file: file.to_owned(),
                individual: Some(name.to_owned()),
                region: boxes.as_ref().and_then(|boxes| boxes.region(file)),
            })
        });
        given.collect()
    }
}
