//! `flukeprint ladder`.

use super::devices::DeviceArgs;
use super::out::say;
use crate::Result;
use crate::ladder::{Climb, LadderReport, Scale, choose, climb, draw};
use crate::progress::Progress;
use clap::Args;
use std::path::PathBuf;

/// Train and score the steps of the original system's way up, on one split.
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  flukeprint ladder --data catalogue --out ladder --rungs resnet50-boxes,vgg16-bn \
    --scale full --weights imagenet\n\nA rung that is in the folder already is not trained again."
)]
pub struct Ladder {
    /// Folder with train.csv, train/ and, if there are boxes, bounding_boxes.csv.
    #[arg(long)]
    data: PathBuf,
    /// Folder for the runs, ladder.json and the plot ladder.svg.
    #[arg(long)]
    out: PathBuf,
    /// Rungs by name, with commas between; all without it. `flukeprint recipes` lists them.
    #[arg(long, value_delimiter = ',')]
    rungs: Vec<String>,
    /// tiny proves in minutes of a CPU that every rung works; full is what the recipes say.
    #[arg(long, value_enum, default_value = "tiny")]
    scale: Scale,
    /// Folder of weights that backbones begin with: resnet50.pth, vgg16-bn.safetensors, …
    #[arg(long)]
    weights: Option<PathBuf>,
    /// Another seed than the recipes'.
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

impl Ladder {
    pub fn run(&self, progress: &dyn Progress) -> Result<()> {
        let rungs = choose(&self.rungs)?;
        let what = Climb {
            data: &self.data,
            out: &self.out,
            weights: self.weights.as_deref(),
            scale: self.scale,
            seed: self.seed,
            device: self.device.open()?,
        };
        let report = climb(&what, &rungs, progress)?;
        draw(&report, &self.out.join("ladder.svg"))?;
        super::write_json(&report, &self.out.join("ladder.json"))?;
        match self.json {
            true => super::print_json(&report),
            false => {
                print(&report);
                Ok(())
            }
        }
    }
}

fn print(report: &LadderReport) {
    say!(
        "{} held-out photos ({} of known whales); the published scores are of the competition's photos:",
        report.photos,
        report.known_photos
    );
    say!(
        "  {:<46}{:>10}{:>8}{:>8}{:>13}{:>9}",
        "",
        "published",
        "MAP@5",
        "top-1",
        "known top-1",
        "seconds"
    );
    for rung in &report.rungs {
        let known = rung.ours.top1_known;
        let known = known.map_or_else(|| "-".to_owned(), |share| format!("{share:.3}"));
        say!(
            "  {:<46}{:>10.3}{:>8.3}{:>8.3}{known:>13}{:>9.0}",
            rung.step,
            rung.published,
            rung.ours.map5,
            rung.ours.top1,
            rung.seconds
        );
    }
}
