//! `flukeprint bench`.

use super::devices::DeviceArgs;
use super::import::backbone;
use super::out::say;
use crate::Result;
use crate::bench::{Mode, Report, Spread, Workload, bench};
use crate::progress::Progress;
use clap::Args;
use flukeprint_core::model::Precision;
use std::str::FromStr;

/// Measure how fast a device is: photos a second, asked or trained.
#[derive(Debug, Args)]
#[command(
    after_help = "The network has the original's heads: four stripes, GeM, 512 values and a classifier each.\n\
                  native/benches/pytorch_step.py measures the same with PyTorch.\n\n\
                  Example:\n  flukeprint bench --device cuda --backbone vgg16-bn --size 384 --batch 20 --train"
)]
pub struct Bench {
    #[command(flatten)]
    device: DeviceArgs,
    /// The backbone, as `flukeprint models` lists it.
    #[arg(long, default_value = "resnet50")]
    backbone: String,
    /// Side of the input in pixels, or HEIGHTxWIDTH.
    #[arg(long, default_value = "384")]
    size: Size,
    /// Photos a step.
    #[arg(long, default_value_t = 20)]
    batch: usize,
    /// Known whales.
    #[arg(long, default_value_t = 5004)]
    individuals: usize,
    /// Train instead of asking.
    #[arg(long)]
    train: bool,
    /// What the backbone computes in: f32, or bf16 where the device offers it.
    #[arg(long, default_value = "f32", value_parser = precision)]
    precision: Precision,
    /// Steps that count.
    #[arg(long, default_value_t = 20)]
    steps: usize,
    /// Steps before them.
    #[arg(long, default_value_t = 5)]
    warm_up: usize,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

/// Height and width in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Size {
    height: usize,
    width: usize,
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let (height, width) = text.split_once('x').unwrap_or((text, text));
        match (height.parse(), width.parse()) {
            (Ok(height), Ok(width)) => Ok(Self { height, width }),
            _ => Err("write pixels, as in 384 or 192x384 (height x width)".to_owned()),
        }
    }
}

fn precision(text: &str) -> std::result::Result<Precision, String> {
    let named = Precision::ALL.into_iter().find(|p| p.name() == text);
    named.ok_or_else(|| "write f32 or bf16".to_owned())
}

impl Bench {
    pub fn run(&self, progress: &dyn Progress) -> Result<()> {
        let workload = Workload {
            backbone: backbone(&self.backbone)?,
            height: self.size.height,
            width: self.size.width,
            batch: self.batch,
            individuals: self.individuals,
            mode: match self.train {
                true => Mode::Training,
                false => Mode::Inference,
            },
            precision: self.precision,
            steps: self.steps,
            warm_up: self.warm_up,
        };
        let report = bench(&workload, &self.device.open()?, progress)?;
        if self.json {
            return super::print_json(&report);
        }
        print(&report);
        Ok(())
    }
}

/// The table that `native/benches/pytorch_step.py` prints too.
fn print(report: &Report) {
    let mode = match report.mode {
        Mode::Inference => "inference",
        Mode::Training => "training",
    };
    let [height, width] = report.input;
    say!("burn on {}, {}", report.device, report.precision.name());
    say!(
        "{}, {mode}, {height} x {width}, batch {}, {} steps",
        report.backbone,
        report.batch,
        report.steps
    );
    row("images per second", report.images_per_second);
    row("step, ms", report.milliseconds);
    for part in &report.parts {
        row(&format!("{}, ms", part.name), part.milliseconds);
    }
    let memory = report.memory;
    for (name, bytes) in [
        ("device memory in use", memory.device_in_use),
        ("device memory reserved", memory.device_reserved),
        ("process memory", memory.process),
    ] {
        if let Some(bytes) = bytes {
            let name = format!("{name}, MiB");
            say!("  {name:<30}{:>10.0}", bytes as f64 / f64::from(1 << 20));
        }
    }
}

fn row(name: &str, spread: Spread) {
    let Spread {
        median,
        least,
        most,
    } = spread;
    say!("  {name:<30}{median:>10.2}   ({least:.2} to {most:.2})");
}
