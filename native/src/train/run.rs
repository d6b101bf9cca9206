//! The folder that a training run leaves.

use super::Recipe;
use super::checkpoint::Checkpoint;
use super::folder;
use super::journal;
use super::network::TrainingNetwork;
use super::start;
use super::taken::Taken;
use super::weights::{load_weights, save_half, save_weights};
use crate::data::{Catalogue, Split};
use crate::{Error, Result};
use burn::module::Module;
use burn::tensor::Device;
use flukeprint_core::bundle::{join_finder, weights};
use flukeprint_core::model::named::{self, Named};
use flukeprint_core::model::{Finder, Network};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The network as it is exported.
const NETWORK: &str = "network.safetensors";
/// The network as it is trained.
const TRAINING: &str = "training.safetensors";
const FINDER: &str = "finder.safetensors";

/// What a run remembers of its data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The catalogue's folder.
    pub catalogue: PathBuf,
    /// Its individuals, in the order of the logits.
    pub individuals: Vec<String>,
    /// SHA-256 of its photos' names, labels and boxes.
    pub data_sha256: String,
    /// SHA-256 of the weights that training began with; absent where they were drawn from the seed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_sha256: Option<String>,
}

/// A run's folder: `recipe.toml`, `facts.json`, `split.json`; `network.safetensors`, what is exported,
/// and `training.safetensors`, everything that was trained; with a finder, `finder.safetensors`;
/// `events.jsonl` and `training.svg`, how it went. While it is trained the folder is called
/// `NAME.unfinished` and holds `checkpoint.safetensors`.
#[derive(Clone, Debug)]
pub struct Run {
    folder: PathBuf,
    /// The recipe as it was run.
    pub recipe: Recipe,
    /// What it knows of its data.
    pub facts: Facts,
}

impl Run {
    /// Begins a run at `folder`; nothing may stand there. It is written beside it and moved there
    /// by [`Run::finish`].
    pub(super) fn create(
        folder: &Path,
        data: &Path,
        catalogue: &Catalogue,
        recipe: &Recipe,
        start_sha256: Option<String>,
        split: &Split,
    ) -> Result<Self> {
        let growing = folder::begin(folder)?;
        recipe.save(&growing.join(folder::RECIPE))?;
        let facts = folder::remember(&growing, data, catalogue, start_sha256, split)?;
        Ok(Self {
            folder: folder.to_owned(),
            recipe: recipe.clone(),
            facts,
        })
    }

    /// The interrupted run that is to stand at `folder`, and where it stopped.
    pub(super) fn unfinished(folder: &Path) -> Result<(Self, Checkpoint)> {
        let (growing, checkpoint) = folder::interrupted(folder)?;
        let run = Self {
            folder: folder.to_owned(),
            ..Self::open(&growing)?
        };
        Ok((run, checkpoint))
    }

    /// Where it grows until it is finished.
    pub(super) fn growing(&self) -> PathBuf {
        folder::unfinished(&self.folder)
    }

    /// Whether the network of an unfinished run is trained.
    pub(super) fn has_network(&self) -> bool {
        self.growing().join(NETWORK).exists()
    }

    /// Keeps the network that is exported, and all that was trained.
    pub(super) fn save_network(&self, network: &TrainingNetwork) -> Result<()> {
        save_weights(&named::read(network)?, &self.growing().join(TRAINING))?;
        let network = network.identifying(self.facts.individuals.len());
        save_weights(&named::read(&network)?, &self.growing().join(NETWORK))
    }

    pub(super) fn save_finder(&self, finder: &Finder) -> Result<()> {
        save_weights(&named::read(finder)?, &self.growing().join(FINDER))
    }

    /// Takes over the finder of the run or the bundle in another folder.
    pub(super) fn take_finder(&self, folder: &Path) -> Result<()> {
        if Taken::is_in(folder) {
            let (_, finder) = Taken::open(folder)?.finder()?;
            return save_weights(&finder, &self.growing().join(FINDER));
        }
        let other = Self::open(folder)?;
        if !other.has_finder() {
            return Err(Error::Run {
                path: folder.to_owned(),
                reason: "has no fluke finder to take".to_owned(),
            });
        }
        save_weights(
            &load_weights(&folder.join(FINDER))?,
            &self.growing().join(FINDER),
        )
    }

    /// Whether an unfinished run has its finder.
    pub(super) fn has_found(&self) -> bool {
        self.growing().join(FINDER).exists()
    }

    /// Takes away what an unfinished run has written, unless something was trained.
    pub(super) fn abandon(self) {
        let kept = [journal::FILE, NETWORK];
        if !kept.iter().any(|file| self.growing().join(file).exists()) {
            // The error that led here matters more than one from cleaning up.
            let _ = std::fs::remove_dir_all(self.growing());
        }
    }

    pub(super) fn finish(self) -> Result<Self> {
        folder::finish(&self.folder)?;
        Ok(self)
    }

    /// Opens a finished run.
    ///
    /// # Errors
    /// When `folder` holds no run, or one of its files cannot be used.
    pub fn open(folder: &Path) -> Result<Self> {
        let wanted = "a run, as `flukeprint train` writes it";
        if !folder.is_dir() {
            return Err(Error::MissingFolder {
                path: folder.to_owned(),
                wanted,
            });
        }
        let origin = folder.join(folder::RECIPE).display().to_string();
        let recipe = Recipe::parse(&origin, &folder::text(folder, folder::RECIPE)?)?;
        let facts = folder::facts(folder)?;
        Ok(Self {
            folder: folder.to_owned(),
            recipe,
            facts,
        })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The split, for the catalogue that the run was trained on.
    ///
    /// # Errors
    /// When the catalogue is another one by now.
    pub fn split(&self, catalogue: &Catalogue) -> Result<Split> {
        self.split_in(&self.folder, catalogue)
    }

    /// As [`Self::split`], with the run in another folder.
    pub(super) fn split_in(&self, folder: &Path, catalogue: &Catalogue) -> Result<Split> {
        folder::split(folder, &self.folder, &self.facts, catalogue)
    }

    /// Everything that was trained, for a run that begins with this one.
    pub(super) fn training_weights(&self) -> PathBuf {
        self.folder.join(TRAINING)
    }

    /// The names of the classes that it was trained on, mirrored whales behind the others.
    pub(super) fn classes(&self) -> Vec<String> {
        class_names(&self.recipe, &self.facts.individuals)
    }

    /// Writes what backbone and heads have learned to the file `out`, for other trainings to begin with
    /// (see [`Beginning::weights`](super::Beginning)): half precision, without the classifiers, which
    /// know this catalogue's whales only.
    ///
    /// # Errors
    /// When the run's weights cannot be read or the file cannot be written.
    pub fn save_start(&self, out: &Path) -> Result<()> {
        let mut learned = load_weights(&self.training_weights())?;
        learned.retain(|name, _| name.starts_with(start::LEARNED));
        let facts = [
            ("recipe", self.recipe.name.clone()),
            ("backbone", self.recipe.model.backbone.name().to_owned()),
        ];
        let facts = facts.map(|(name, value)| (name.to_owned(), value));
        save_half(&learned, facts.into(), out)
    }

    /// The weights file of a bundle: the trained networks, batch norms folded, 8-bit.
    ///
    /// # Errors
    /// When the run's weights cannot be read or are not finite.
    pub fn shipped_weights(&self) -> Result<Vec<u8>> {
        let device = Device::flex();
        let load = |name: &str| load_weights(&self.folder.join(name));
        let empty = Network::new(&self.recipe.model, self.facts.individuals.len(), &device);
        let network = folded(empty, Network::fold, load(NETWORK)?, NETWORK)?;
        let finder = match (&self.recipe.finder, self.has_finder()) {
            (Some(recipe), true) => {
                let empty = recipe.model.init(&device);
                named::read(&folded(empty, Finder::fold, load(FINDER)?, FINDER)?)?
            }
            _ => Named::new(),
        };
        Ok(weights::encode(&join_finder(
            named::read(&network)?,
            finder,
        ))?)
    }

    /// Whether a finder was trained.
    pub fn has_finder(&self) -> bool {
        self.folder.join(FINDER).exists()
    }
}

/// `empty` with the weights of `file` and its batch norms folded in, as they are already where the network was a bundle's.
fn folded<M: Module>(empty: M, fold: fn(M) -> M, weights: Named, file: &str) -> Result<M> {
    match named::lacks(&empty, &weights)? {
        true => Ok(named::write(fold(empty), weights, file)?),
        false => Ok(fold(named::write(empty, weights, file)?)),
    }
}

/// The names of the classes that a recipe trains on, mirrored whales behind the others.
pub(super) fn class_names(recipe: &Recipe, individuals: &[String]) -> Vec<String> {
    let classes = recipe.samples.classes(individuals.len());
    let mirrored = individuals.iter().map(|name| format!("{name}, mirrored"));
    let all = individuals.iter().cloned().chain(mirrored);
    all.take(classes).collect()
}
