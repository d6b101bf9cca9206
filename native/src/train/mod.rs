//! Training: from a catalogue and a recipe to a run, a folder that holds everything that `tune`,
//! `evaluate` and `export` need.
//!
//! - [`Recipe`]: what decides; [`schedule`], [`losses`], [`optimizer`]: the formulas;
//! - [`network`]: the network with what only its losses need;
//! - `samples`: photo to training sample; [`stage`]: the loop; [`metric`]: the start by triplets;
//!   [`finder`]: the fluke finder's training;
//! - [`Run`]: the folder.

pub mod finder;
pub mod losses;
pub mod metric;
pub mod network;
pub mod optimizer;
mod pseudo;
pub mod recipe;
mod run;
pub(crate) mod samples;
pub mod schedule;
pub mod stage;
mod weights;

pub use metric::{Mining, TripletRecipe};
pub use recipe::{
    Classifier, ClassifierKind, FinderRecipe, FrozenNorms, Input, LossKind, Recipe, SampleRecipe,
    Stage, Validation,
};
pub use run::{Facts, Run};
pub use weights::{load_weights, save_weights};

use crate::data::{Catalogue, Reading, Source, Split};
use crate::import;
use crate::progress::Progress;
use crate::{Error, Result};
use burn::module::Module;
use burn::tensor::Device;
use network::TrainingNetwork;
use samples::Samples;
use std::path::Path;

/// Trains by `recipe` on the training photos of the catalogue in the folder `data` and writes the
/// run to `out`.
///
/// `start` is a file of backbone weights to begin with, see [`import`]. The same catalogue, recipe
/// and start give the same weights on the CPU, whatever the number of threads.
///
/// # Errors
/// Unusable data or start weights, a loss that is no number any more, a full disk. Then nothing is
/// left at `out`.
pub fn train(
    data: &Path,
    recipe: &Recipe,
    start: Option<&Path>,
    out: &Path,
    device: &Device,
    progress: &dyn Progress,
) -> Result<Run> {
    let catalogue = &read_catalogue(data, progress)?;
    let held_out = &recipe.validation;
    let (new, unseen) = (held_out.new_whales, held_out.unseen_whales);
    let split = Split::draw(catalogue, recipe.seed, new, unseen);
    let run = Run::create(out, data, catalogue, recipe, &split)?;
    match fill(&run, catalogue, &split, start, device, progress) {
        Ok(()) => run.finish(),
        Err(error) => {
            run.abandon();
            Err(error)
        }
    }
}

/// Trains the networks and keeps them in the unfinished run.
fn fill(
    run: &Run,
    catalogue: &Catalogue,
    split: &Split,
    start: Option<&Path>,
    device: &Device,
    progress: &dyn Progress,
) -> Result<()> {
    let recipe = &run.recipe;
    device.seed(recipe.seed);
    let device = device.clone().autodiff();

    let samples = Samples::new(catalogue, recipe, &split.train);
    let classes = recipe.samples.classes(catalogue.individuals.len());
    let mut network = TrainingNetwork::new(recipe, &samples.of_each(classes), &device);
    if let Some(start) = start {
        let embedder = &mut network.network.embedder;
        embedder.backbone =
            import::start_backbone(recipe.model.backbone, embedder.backbone.clone(), start)?;
    }
    let network = metric::start(network, &samples, recipe, progress)?;
    let network = stage::head(network, &samples, recipe, progress)?;
    let mut network = stage::full(network, &samples, recipe, progress)?;
    if recipe.samples.pseudo_labels > 0.0 {
        let (catalogue, photos) = pseudo::label(&network, catalogue, split, recipe, progress)?;
        let samples = Samples::new(&catalogue, recipe, &photos);
        network = stage::again(network, &samples, recipe, progress)?;
    }
    run.save_network(&network.valid())?;
    drop(samples);

    if let Some(finder_recipe) = &recipe.finder {
        let found = finder::train(
            catalogue,
            &split.train,
            finder_recipe,
            recipe.seed,
            &device,
            progress,
        )?;
        if let Some(finder) = found {
            run.save_finder(&finder.valid())?;
        }
    }
    Ok(())
}

/// The catalogue in the folder `data`, in Kaggle's layout.
///
/// # Errors
/// When a table or a photo cannot be used.
pub fn read_catalogue(data: &Path, progress: &dyn Progress) -> Result<Catalogue> {
    let begun = std::sync::Once::new();
    let tell = |done, total| {
        begun.call_once(|| progress.begin("checking photos", total));
        progress.advance(done);
    };
    if !data.is_dir() {
        let wanted = "a catalogue is a folder with train.csv (Image,Id) and the photos in train/";
        return Err(Error::MissingFolder {
            path: data.to_owned(),
            wanted,
        });
    }
    Catalogue::read(
        &Source::kaggle(data),
        &Reading {
            progress: &tell,
            ..Reading::default()
        },
    )
}
