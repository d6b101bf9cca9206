//! Training: from a catalogue and a recipe to a run, a folder that holds everything that `tune`,
//! `evaluate` and `export` need.
//!
//! - [`Recipe`]: what decides; [`schedule`], [`losses`], [`optimizer`]: the formulas;
//! - [`network`]: the network with what only its losses need;
//! - `samples`: photo to training sample; `start` and `imprint`: the weights to begin with;
//! - `trainer`: the loop, which runs one `course` after another: [`metric`], the start by triplets,
//!   and those of `stage`; `checkpoint`, `journal` and `watch`: what it keeps after each epoch, and
//!   what it tells; [`finder`]: the fluke finder's training; [`guide`]: the trailing edge's guide's; [`background`]: that of
//!   how common its pieces are;
//! - [`Run`]: the folder.

pub mod background;
mod checkpoint;
mod course;
pub mod descriptor;
pub mod finder;
mod folder;
pub mod guide;
mod imprint;
mod journal;
pub mod losses;
pub mod metric;
pub mod network;
pub mod optimizer;
mod plot;
mod pseudo;
mod read;
pub mod recipe;
mod run;
pub(crate) mod samples;
pub mod schedule;
pub mod sgd;
mod stage;
mod start;
mod taken;
mod tally;
mod trainer;
mod watch;
mod weights;

pub use descriptor::DescriptorRecipe;
pub use metric::{Mining, TripletRecipe};
pub use recipe::{
    Classifier, ClassifierKind, FinderRecipe, FrozenNorms, Input, LossKind, Recipe, SampleRecipe,
    Stage, Validation,
};
pub use run::{Facts, Run};
pub(crate) use weights::weights_file;
pub use weights::{load_weights, save_weights};

use crate::data::{Catalogue, Reading, Source, Split};
use crate::evaluate::evidence::carry_over;
use crate::progress::Progress;
use crate::{Error, Result};
use burn::module::Module;
use burn::tensor::Device;
use checkpoint::{Checkpoint, Position};
use course::device_of;
use flukeprint_core::bundle::sha256_hex;
use journal::Journal;
use network::TrainingNetwork;
use optimizer::AdamW;
use run::class_names;
use samples::Samples;
use std::path::{Path, PathBuf};
use taken::Taken;
use trainer::Trainer;
use watch::Watch;

/// What a training begins with, apart from its recipe.
#[derive(Clone, Debug, Default)]
pub struct Beginning {
    /// A file of backbone weights, see [`import`](crate::import), or the folder of another run, whose
    /// network must be of the same shape, or of a bundle, whose network is taken as it is.
    pub weights: Option<PathBuf>,
    /// The folder of another run or of a bundle whose fluke finder is taken as it is, in place of training one.
    pub finder: Option<PathBuf>,
}

impl Beginning {
    /// The recipe with the finder's of the run that it is taken from.
    fn complete(&self, recipe: &Recipe) -> Result<Recipe> {
        let mut recipe = recipe.clone();
        if let Some(folder) = &self.finder {
            recipe.finder = match Taken::is_in(folder) {
                true => Some(Taken::open(folder)?.finder()?.0),
                false => Run::open(folder)?.recipe.finder,
            };
        }
        self.check(&recipe)?;
        Ok(recipe)
    }

    /// SHA-256 of the file of weights that training begins with. `None` as well for one that cannot be read, which is
    /// told where it is needed.
    fn sha256(&self) -> Option<String> {
        let bytes = std::fs::read(start::file(self.weights.as_deref()?).ok()?);
        Some(sha256_hex(&bytes.ok()?))
    }

    /// # Errors
    /// When the recipe has an untrained finder, and none is there to take.
    fn check(&self, recipe: &Recipe) -> Result<()> {
        let finder = recipe.finder.as_ref();
        match finder.is_some_and(|finder| finder.epochs == 0) && self.finder.is_none() {
            true => Err(Error::Recipe {
                recipe: recipe.name.clone(),
                reason: "has a fluke finder of 0 epochs: name a run or a bundle with --finder"
                    .to_owned(),
            }),
            false => Ok(()),
        }
    }
}

/// Trains by `recipe` on the training photos of the catalogue in the folder `data` and writes the
/// run to `out`.
///
/// The same catalogue, recipe and beginning give the same weights on the CPU, whatever the number of
/// threads.
///
/// # Errors
/// Unusable data or start weights; a loss that is no number any more, a photo that cannot be read any
/// more, a full disk. Then nothing is left at `out`; after the first epoch, [`resume`] can go on from
/// where the last one ended.
pub fn train(
    data: &Path,
    recipe: &Recipe,
    beginning: &Beginning,
    out: &Path,
    device: &Device,
    progress: &dyn Progress,
) -> Result<Run> {
    let catalogue = &read_catalogue(data, progress)?;
    if let [only] = &catalogue.individuals[..]
        && recipe.tells_whales_apart()
    {
        return Err(Error::SingleWhale { name: only.clone() });
    }
    let held_out = &recipe.validation;
    let (new, unseen) = (held_out.new_whales, held_out.unseen_whales);
    let split = Split::draw(catalogue, recipe.seed, new, unseen);
    let recipe = &beginning.complete(recipe)?;
    let run = Run::create(out, data, catalogue, recipe, beginning.sha256(), &split)?;
    let work = Work {
        run,
        catalogue,
        split,
        progress,
    };
    work.begin(beginning, device)
}

/// Trains by `recipe` on all photos of a tuned run's catalogue, its held-out ones too, and keeps the
/// thresholds that were chosen while they were held out (spec, *Data*), and how edges and local features count. The new run cannot be
/// measured on photos of its own.
///
/// # Errors
/// As [`train`], and a run that was not tuned.
pub fn train_on_all(
    tuned: &Run,
    recipe: &Recipe,
    beginning: &Beginning,
    out: &Path,
    device: &Device,
    progress: &dyn Progress,
) -> Result<Run> {
    let decision = tuned.decision()?;
    let data = &tuned.facts.catalogue;
    let catalogue = &read_catalogue(data, progress)?;
    let split = tuned.split(catalogue)?.all_to_train();
    let recipe = &beginning.complete(recipe)?;
    let run = Run::create(out, data, catalogue, recipe, beginning.sha256(), &split)?;
    run.save_operating(&run.growing(), &tuned.operating()?)?;
    run.save_decision(&run.growing(), &decision)?;
    carry_over(tuned.folder(), &run.growing(), &decision)?;
    let work = Work {
        run,
        catalogue,
        split,
        progress,
    };
    work.begin(beginning, device)
}

/// A recipe by which the network of the bundle in `folder` is taken as it is, and its fluke finder, if it has one; `None`
/// where there is no bundle.
///
/// # Errors
/// A bundle that cannot be read, or holds several networks.
pub fn as_it_is(folder: &Path) -> Result<Option<Recipe>> {
    match Taken::is_in(folder) {
        true => Ok(Some(Taken::open(folder)?.recipe()?)),
        false => Ok(None),
    }
}

/// Goes on with the training of the run `out` that was interrupted, with its recipe and its catalogue,
/// from the end of the last epoch.
///
/// # Errors
/// As [`train`]; nothing to go on with; photos, labels or boxes that have changed since.
pub fn resume(out: &Path, device: &Device, progress: &dyn Progress) -> Result<Run> {
    let (run, checkpoint) = Run::unfinished(out)?;
    let catalogue = &read_catalogue(&run.facts.catalogue, progress)?;
    let split = run.split_in(&run.growing(), catalogue)?;
    let work = Work {
        run,
        catalogue,
        split,
        progress,
    };
    work.go_on(checkpoint, device)
}

/// A run and what it is trained on.
struct Work<'a> {
    run: Run,
    catalogue: &'a Catalogue,
    split: Split,
    progress: &'a dyn Progress,
}

impl Work<'_> {
    fn begin(self, beginning: &Beginning, device: &Device) -> Result<Run> {
        let start = beginning.weights.as_deref();
        let result = self.fresh(start, device).and_then(|(samples, network)| {
            if let Some(finder) = &beginning.finder {
                self.run.take_finder(finder)?;
            }
            let position = Position {
                course: 0,
                epochs: 0,
            };
            let recipe = &self.run.recipe;
            let nothing = AdamW::new(recipe.weight_decay, recipe.clip).memory(&network)?;
            let path = self.run.growing().join(checkpoint::FILE);
            Checkpoint::of(&network, nothing, position)?.save(&path)?;
            self.fill(network, samples, None)
        });
        self.end(result)
    }

    fn go_on(self, checkpoint: Checkpoint, device: &Device) -> Result<Run> {
        let path = self.run.growing().join(checkpoint::FILE);
        let result = self.fresh(None, device).and_then(|(samples, network)| {
            let network = network.in_form_of(&checkpoint.weights);
            let network = checkpoint.restore(network, &path)?;
            self.fill(network, samples, Some(checkpoint))
        });
        self.end(result)
    }

    fn end(self, result: Result<()>) -> Result<Run> {
        match result {
            Ok(()) => self.run.finish(),
            Err(error) => {
                let folder = self.run.folder().to_owned();
                self.run.abandon();
                Err(folder::stopped(&folder, error))
            }
        }
    }

    /// The photos to train on, and a network that has learned nothing but what it begins with.
    fn fresh(&self, start: Option<&Path>, device: &Device) -> Result<(Samples, TrainingNetwork)> {
        let recipe = &self.run.recipe;
        device.seed(recipe.seed);
        let samples = Samples::new(self.catalogue, recipe, &self.split.train);
        let classes = class_names(recipe, &self.catalogue.individuals);
        let photos = samples.of_each(classes.len());
        let network = TrainingNetwork::new(recipe, &photos, &device.clone().autodiff());
        let network = match start {
            Some(start) => start::begin(network, start, recipe, &samples, &classes, self.progress)?,
            None => network,
        };
        Ok((samples, network))
    }

    /// Trains the networks and keeps them in the unfinished run.
    fn fill(
        &self,
        network: TrainingNetwork,
        samples: Samples,
        resumed: Option<Checkpoint>,
    ) -> Result<()> {
        let device = device_of(&network);
        crate::device::offers(&device, self.run.recipe.precision)?;
        if !self.run.has_network() {
            let network = self.network(network, samples, resumed)?;
            self.run.save_network(&network.valid())?;
        }
        let recipe = &self.run.recipe;
        let Some(finder_recipe) = recipe.finder.as_ref().filter(|_| !self.run.has_found()) else {
            return Ok(());
        };
        device.clone().inner().seed(recipe.seed);
        let (photos, seed) = (&self.split.train, recipe.seed);
        let (catalogue, progress) = (self.catalogue, self.progress);
        let found = finder::train(catalogue, photos, finder_recipe, seed, &device, progress)?;
        match found {
            Some(finder) => self.run.save_finder(&finder.valid()),
            None => Ok(()),
        }
    }

    fn network(
        &self,
        network: TrainingNetwork,
        samples: Samples,
        resumed: Option<Checkpoint>,
    ) -> Result<TrainingNetwork> {
        let (recipe, growing) = (&self.run.recipe, self.run.growing());
        let position = resumed.as_ref().map(|checkpoint| checkpoint.position);
        let mut trainer = Trainer::new(
            recipe,
            self.progress,
            growing.join(checkpoint::FILE),
            Journal::open(&growing, position)?,
            Watch::new(&samples, &self.split.tune, recipe.validation.watch),
            resumed,
        );
        let network = metric::start(network, &samples, &mut trainer)?;
        let network = stage::head(network, &samples, &mut trainer)?;
        let network = stage::full(network, &samples, &mut trainer)?;
        if recipe.samples.pseudo_labels == 0.0 {
            return Ok(network);
        }
        let labels = growing.join(pseudo::FILE);
        let (catalogue, split, progress) = (self.catalogue, &self.split, self.progress);
        let (catalogue, photos) =
            pseudo::label(&network, catalogue, split, recipe, &labels, progress)?;
        let samples = Samples::new(&catalogue, recipe, &photos);
        stage::again(network, &samples, &mut trainer)
    }
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
