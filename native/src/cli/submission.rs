//! `flukeprint submission`.

use super::beside::BesideArgs;
use super::devices::DeviceArgs;
use super::out::say;
use crate::Result;
use crate::data::NEW_WHALE;
use crate::export::open_bundle;
use crate::identify::Names;
use crate::identify::submission::{self, Filled};
use crate::progress::Progress;
use clap::Args;
use flukeprint_core::metrics::LISTED;
use serde::Serialize;
use std::path::PathBuf;

/// Write Kaggle's file for a folder of photos: Image,Id with five names each.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flukeprint submission --bundle site/models/mine --photos test \
    --sample sample_submission.csv --out submission.csv"
)]
pub struct Submission {
    /// Folder of a bundle.
    #[arg(long)]
    bundle: PathBuf,
    /// Folder of the photos to name.
    #[arg(long)]
    photos: PathBuf,
    /// Table with a column Image: the photos that are asked for, in this order. Without it, all of the
    /// folder by name.
    #[arg(long)]
    sample: Option<PathBuf>,
    /// Table Image,x0,y0,x1,y1 with the fluke's box in some of the photos; the fluke finder looks in the
    /// others.
    #[arg(long)]
    boxes: Option<PathBuf>,
    #[command(flatten)]
    beside: BesideArgs,
    /// Answer `new_whale` alone for photos that cannot be read, instead of refusing.
    #[arg(long)]
    fill_broken: bool,
    /// The file to write.
    #[arg(long)]
    out: PathBuf,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
}

/// What is said of the file.
#[derive(Debug, Serialize)]
struct Told<'a> {
    out: String,
    photos: usize,
    /// Share of photos with `new_whale` in first place.
    new_first: f64,
    /// Names a photo, `new_whale` among them.
    names_a_photo: usize,
    filled: &'a [Filled],
    /// Photos of the gallery that cannot vote, where all vote.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_voting: Option<usize>,
    model_sha256: &'a str,
}

impl Submission {
    pub fn run(&self, progress: &dyn Progress) -> Result<()> {
        let photos = submission::photos_of(&self.photos, self.sample.as_deref())?;
        let regions = match &self.boxes {
            Some(table) => Names::new(&photos).boxes(table)?,
            None => vec![None; photos.len()],
        };
        let identifier = open_bundle(&self.bundle, &self.device.open()?)?;
        let search = self.beside.open(&identifier, &self.bundle, progress)?;
        let beside = self.beside.beside(&self.bundle, search.as_ref());
        let fill = self.fill_broken;
        let answers = submission::answer(&identifier, &photos, &regions, beside, fill, progress)?;
        answers.write(&self.out)?;
        let labels = identifier.gallery().individuals().len() + 1;
        let told = Told {
            out: self.out.display().to_string(),
            photos: photos.len(),
            new_first: answers.new_share(),
            names_a_photo: labels.min(LISTED),
            filled: &answers.filled,
            not_voting: search.map(|search| search.facts().not_voting.len()),
            model_sha256: &identifier.manifest().files.weights.sha256,
        };
        match self.json {
            true => super::print_json(&told),
            false => {
                print(&told);
                Ok(())
            }
        }
    }
}

fn print(told: &Told<'_>) {
    say!(
        "{}: {} photos, `{NEW_WHALE}` in first place for {:.1} % of them",
        told.out,
        told.photos,
        told.new_first * 100.0
    );
    if told.names_a_photo < LISTED {
        say!(
            "  {} names a photo instead of {LISTED}: the catalogue has no more",
            told.names_a_photo
        );
    }
    for Filled { image, reason } in told.filled {
        say!("  {image}: `{NEW_WHALE}` alone, because it {reason}");
    }
}
