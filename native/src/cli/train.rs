//! `flukeprint train`.

use super::devices::DeviceArgs;
use crate::progress::Progress;
use crate::train::recipe::AnyRecipe;
use crate::train::{
    Beginning, DescriptorRecipe, Recipe, Run, as_it_is, descriptor, resume, train, train_on_all,
};
use burn::tensor::Device;
use clap::Args;
use std::path::PathBuf;
use std::time::Instant;

/// Train a network on a catalogue by a recipe.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  flukeprint train --data catalogue --recipe small --start mobilenet_v2.safetensors --out run\n  \
    flukeprint train --data catalogue --start www/models/humpback --out run   # its network as it is: minutes, no training\n  \
    flukeprint train --resume --out run\n  \
    flukeprint train --data catalogue --recipe hardnet --out descriptor\n  \
    flukeprint train --all-of run --start run --recipe short.toml --out final"
)]
pub struct Train {
    /// Folder with train.csv, train/ and, if there are boxes, bounding_boxes.csv.
    #[arg(long, required_unless_present_any = ["resume", "all_of"])]
    data: Option<PathBuf>,
    /// A recipe's name, as `flukeprint recipes` lists it, or a file ending in .toml [default: small;
    /// with --all-of, that run's; with a bundle as --start, one that trains nothing].
    #[arg(long)]
    recipe: Option<String>,
    /// What to begin with: backbone weights, .pth or .safetensors, the folder of another run, what
    /// `flukeprint weights` kept of one, or a bundle, whose network is taken as it is.
    #[arg(long)]
    start: Option<PathBuf>,
    /// Take the fluke finder of another run or of a bundle instead of training one.
    #[arg(long, value_name = "RUN or BUNDLE")]
    finder: Option<PathBuf>,
    /// Train on all photos of this tuned run, its held-out ones too, and keep its thresholds.
    #[arg(long, value_name = "RUN", conflicts_with = "data")]
    all_of: Option<PathBuf>,
    /// Go on with the training that was interrupted, from the end of its last epoch.
    #[arg(long, conflicts_with_all = ["data", "recipe", "start", "finder", "all_of", "seed"])]
    resume: bool,
    /// Folder to make for the run.
    #[arg(long)]
    out: PathBuf,
    /// Another seed than the recipe's.
    #[arg(long)]
    seed: Option<u64>,
    #[command(flatten)]
    device: DeviceArgs,
}

impl Train {
    pub fn run(&self, progress: &dyn Progress) -> crate::Result<()> {
        let begun = Instant::now();
        let device = self.device.open()?;
        let (folder, next) = match self.descriptor()? {
            Some(trained) => {
                match trained {
                    Trained::Begin(recipe) => self.train_descriptor(*recipe, &device, progress)?,
                    Trained::GoOn => descriptor::resume(&self.out, &device, progress)?,
                }
                let what = "it is in hardnet.safetensors there".to_owned();
                (self.out.clone(), what)
            }
            // What was trained on all photos has its thresholds, and no photo to choose others by.
            None => {
                let verb = if self.all_of.is_some() {
                    "export"
                } else {
                    "tune"
                };
                let run = self.train(&device, progress)?;
                (run.folder().to_owned(), format!("next: flukeprint {verb}"))
            }
        };
        let seconds = begun.elapsed().as_secs_f64();
        progress.note(&format!(
            "{}: trained in {seconds:.0} s; {next}",
            folder.display()
        ));
        Ok(())
    }

    /// The training of a descriptor, if that is what was asked for.
    fn descriptor(&self) -> crate::Result<Option<Trained>> {
        if self.resume {
            return Ok(descriptor::is_interrupted(&self.out).then_some(Trained::GoOn));
        }
        let Some(name) = &self.recipe else {
            return Ok(None);
        };
        match AnyRecipe::load(name)? {
            AnyRecipe::Descriptor(recipe) => Ok(Some(Trained::Begin(recipe))),
            AnyRecipe::Network(_) => Ok(None),
        }
    }

    fn train_descriptor(
        &self,
        mut recipe: DescriptorRecipe,
        device: &Device,
        progress: &dyn Progress,
    ) -> crate::Result<()> {
        let others = [
            ("--start", self.start.is_some()),
            ("--finder", self.finder.is_some()),
            ("--all-of", self.all_of.is_some()),
        ];
        if let Some((name, _)) = others.iter().find(|(_, given)| *given) {
            return Err(crate::Error::Recipe {
                recipe: recipe.name,
                reason: format!("trains a descriptor, which takes no {name}"),
            });
        }
        recipe.seed = self.seed.unwrap_or(recipe.seed);
        let data = self.data.clone().unwrap_or_default();
        descriptor::train(&data, &recipe, &self.out, device, progress)
    }

    fn train(&self, device: &Device, progress: &dyn Progress) -> crate::Result<Run> {
        if self.resume {
            return resume(&self.out, device, progress);
        }
        let tuned = self.all_of.as_deref().map(Run::open).transpose()?;
        let bundle = self.start.as_deref().map(as_it_is).transpose()?.flatten();
        let mut finder = self.finder.clone();
        let mut recipe = match (&self.recipe, &tuned, bundle) {
            (None, Some(tuned), _) => tuned.recipe.clone(),
            (None, None, Some(kept)) => {
                finder = finder.or_else(|| self.start.clone().filter(|_| kept.finder.is_some()));
                kept
            }
            (name, ..) => Recipe::load(name.as_deref().unwrap_or("small"))?,
        };
        recipe.seed = self.seed.unwrap_or(recipe.seed);
        let beginning = Beginning {
            weights: self.start.clone(),
            finder,
        };
        let (start, out) = (&beginning, &self.out);
        match (&tuned, &self.data) {
            (Some(tuned), _) => train_on_all(tuned, &recipe, start, out, device, progress),
            (None, Some(data)) => train(data, &recipe, start, out, device, progress),
            // The parser lets nothing else through.
            (None, None) => Err(crate::Error::MissingFolder {
                path: PathBuf::new(),
                wanted: "--data",
            }),
        }
    }
}

/// A descriptor's training.
enum Trained {
    Begin(Box<DescriptorRecipe>),
    GoOn,
}
