//! How fast a device is at this project's work: the network of the spec asked, or trained.
//!
//! Data come from nowhere: one random batch stays on the device, so that neither disk nor augmentation
//! counts. The headline is measured without waiting for the device inside of a block of steps; the
//! breakdown waits after each part, which on a GPU costs something by itself.
//! `native/benches/pytorch_step.py` measures the same net the same way.
//!
//! - [`bench()`]: a [`Workload`] to a [`Report`];
//! - `inference`, `training`: one step of either;
//! - `measure`: the clock.

mod inference;
mod measure;
mod memory;
mod training;

pub use measure::Spread;
pub use memory::Memory;

use crate::device::{describe, offers};
use crate::progress::Progress;
use crate::train::Recipe;
use crate::{Error, Result};
use burn::tensor::Device;
use flukeprint_core::model::Precision;
use flukeprint_core::model::backbone::BackboneName;
use inference::Inference;
use measure::Measured;
use serde::Serialize;
use training::Training;

/// The recipe with the original's last heads: four stripes, GeM, 512 values each, a classifier each, ring
/// loss.
const RECIPE: &str = "vgg16-bn-gem";

/// What is measured.
#[derive(Clone, Debug)]
pub struct Workload {
    /// The backbone; heads and classifiers are those of the spec.
    pub backbone: BackboneName,
    /// Height of the input in pixels.
    pub height: usize,
    /// Width of the input in pixels.
    pub width: usize,
    /// Photos a step.
    pub batch: usize,
    /// Known whales; the competition had 5,004.
    pub individuals: usize,
    /// What is done with them.
    pub mode: Mode,
    /// What the backbone computes in.
    pub precision: Precision,
    /// Steps that count.
    pub steps: usize,
    /// Steps before them.
    pub warm_up: usize,
}

/// What is done with a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Features and logits, batch norms folded.
    Inference,
    /// Losses, their gradients, and a step of the optimizer for everything.
    Training,
}

/// What came out.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What the device calls itself.
    pub device: String,
    /// The backbone's name.
    pub backbone: &'static str,
    /// What was done.
    pub mode: Mode,
    /// What the backbone computed in.
    pub precision: Precision,
    /// Height and width of the input in pixels.
    pub input: [usize; 2],
    /// Photos a step.
    pub batch: usize,
    /// Steps that counted, a block of them at a time.
    pub steps: usize,
    /// Over blocks of steps, without waiting inside of a block.
    pub images_per_second: Spread,
    /// Milliseconds a step, likewise.
    pub milliseconds: Spread,
    /// Milliseconds of each part, waiting for the device after each.
    pub parts: Vec<Part>,
    /// What was occupied.
    pub memory: Memory,
}

/// A part of a step.
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    /// "forward", "backward" or "optimizer".
    pub name: &'static str,
    /// Milliseconds it takes.
    pub milliseconds: Spread,
}

/// Measures `workload` on `device`.
///
/// # Errors
/// Numbers that no network can be built with; a device that fails.
pub fn bench(workload: &Workload, device: &Device, progress: &dyn Progress) -> Result<Report> {
    workload.check()?;
    let recipe = workload.recipe()?;
    offers(device, workload.precision)?;
    device.seed(recipe.seed);
    let measured = match workload.mode {
        Mode::Inference => {
            let work = Inference::new(workload, &recipe, device);
            measure::measure(work, workload, device, progress)
        }
        Mode::Training => {
            let device = &device.clone().autodiff();
            let work = Training::new(workload, &recipe, device);
            measure::measure(work, workload, device, progress)
        }
    }?;
    Ok(workload.report(measured, device))
}

impl Workload {
    fn check(&self) -> Result<()> {
        // A batch norm that trains needs two values.
        let fewest = match self.mode {
            Mode::Inference => 1,
            Mode::Training => 2,
        };
        at_least("--batch", self.batch, fewest)?;
        at_least("--steps", self.steps, 1)?;
        at_least("--individuals", self.individuals, 2)
    }

    /// The recipe with this backbone and input.
    fn recipe(&self) -> Result<Recipe> {
        let mut recipe = Recipe::load(RECIPE)?;
        recipe.model.backbone = self.backbone;
        recipe.input.height = self.height;
        recipe.input.width = self.width;
        recipe.precision = self.precision;
        recipe.model.check(self.height, self.width)?;
        Ok(recipe)
    }

    fn report(&self, measured: Measured, device: &Device) -> Report {
        let photos = self.batch as f64;
        let parts = measured.parts.into_iter().map(|(name, seconds)| Part {
            name,
            milliseconds: Spread::of(seconds.iter().map(|seconds| seconds * 1e3)),
        });
        let blocks = || measured.blocks.iter();
        Report {
            device: describe(device),
            backbone: self.backbone.name(),
            mode: self.mode,
            precision: self.precision,
            input: [self.height, self.width],
            batch: self.batch,
            steps: measured.steps,
            images_per_second: Spread::of(blocks().map(|seconds| photos / seconds)),
            milliseconds: Spread::of(blocks().map(|seconds| seconds * 1e3)),
            parts: parts.collect(),
            memory: measured.memory,
        }
    }
}

fn at_least(name: &'static str, value: usize, fewest: usize) -> Result<()> {
    let wanted = match fewest {
        1 => "at least 1",
        _ => "at least 2",
    };
    match value >= fewest {
        true => Ok(()),
        false => Err(Error::Setting {
            name,
            value: value.to_string(),
            wanted,
        }),
    }
}
