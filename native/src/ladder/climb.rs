//! The work: rung after rung.

use super::rung::Trained;
use super::{LadderReport, Rung, RungReport, Scale};
use crate::data::Catalogue;
use crate::evaluate::held_out;
use crate::progress::Progress;
use crate::train::{Beginning, Recipe, Run, read_catalogue, train};
use crate::tune::LabelledQueries;
use crate::{Error, Result};
use burn::tensor::Device;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// What to climb, and with what.
#[derive(Clone, Debug)]
pub struct Climb<'a> {
    /// The catalogue's folder, Kaggle's layout.
    pub data: &'a Path,
    /// Folder of the runs; those in it that a rung would train again are taken as they are.
    pub out: &'a Path,
    /// Folder of backbone weights to begin with, `BACKBONE.safetensors` or `BACKBONE.pth` each;
    /// without a file a backbone begins from nothing.
    pub weights: Option<&'a Path>,
    /// How large.
    pub scale: Scale,
    /// The seed of all runs; the recipes' own without it.
    pub seed: Option<u64>,
    /// What trains and measures.
    pub device: Device,
}

/// Trains and scores the rungs. Rungs that differ only in how they answer share a run, `out/NAME` of
/// the first of them.
///
/// # Errors
/// As training and evaluating a run; what is finished stays in `out` for the next time.
pub fn climb(climb: &Climb<'_>, rungs: &[Rung], progress: &dyn Progress) -> Result<LadderReport> {
    let mut climber = Climber {
        climb,
        catalogue: read_catalogue(climb.data, progress)?,
        runs: HashMap::new(),
        progress,
    };
    let mut reports = Vec::new();
    let mut photos = (0, 0);
    for (number, rung) in rungs.iter().enumerate() {
        progress.note(&format!(
            "rung {} of {}: {}",
            number + 1,
            rungs.len(),
            rung.name
        ));
        let begun = Instant::now();
        let (halves, is_new) = climber.answers(rung)?;
        let ours = rung.facts.answer.score(&halves[0], &halves[1])?;
        photos = (halves[1].len(), halves[1].known());
        reports.push(RungReport {
            name: rung.name.clone(),
            step: rung.facts.step.clone(),
            published: rung.facts.published,
            ours,
            seconds: if is_new {
                begun.elapsed().as_secs_f64()
            } else {
                0.0
            },
        });
    }
    Ok(LadderReport {
        scale: climb.scale,
        photos: photos.0,
        known_photos: photos.1,
        rungs: reports,
    })
}

struct Climber<'a> {
    climb: &'a Climb<'a>,
    catalogue: Catalogue,
    /// What each training came to, by what decides it.
    runs: HashMap<String, [LabelledQueries; 2]>,
    progress: &'a dyn Progress,
}

impl Climber<'_> {
    /// What a rung says of both halves of the held-out photos, and whether anything was trained.
    fn answers(&mut self, rung: &Rung) -> Result<([LabelledQueries; 2], bool)> {
        let known = self.runs.len();
        let members: Vec<[LabelledQueries; 2]> = rung
            .recipes()?
            .into_iter()
            .map(|recipe| self.trained(recipe))
            .collect::<Result<_>>()?;
        let is_new = self.runs.len() > known;
        let halves = match &rung.trained {
            Trained::Alone(_) => members.into_iter().next(),
            Trained::Together(_) => {
                let half = |half: usize| -> Vec<LabelledQueries> {
                    members.iter().map(|halves| halves[half].clone()).collect()
                };
                Some([
                    LabelledQueries::average(&half(0))?,
                    LabelledQueries::average(&half(1))?,
                ])
            }
        };
        let halves = halves.ok_or(crate::tune::TuneError::NoQueries)?;
        Ok((halves, is_new))
    }

    fn trained(&mut self, recipe: Recipe) -> Result<[LabelledQueries; 2]> {
        let mut recipe = self.climb.scale.apply(recipe)?;
        recipe.seed = self.climb.seed.unwrap_or(recipe.seed);
        let key = training_key(&recipe)?;
        if let Some(halves) = self.runs.get(&key) {
            return Ok(halves.clone());
        }
        let run = self.run(&recipe, &key)?;
        let halves = held_out(&run, &self.catalogue, &self.climb.device, self.progress)?;
        self.runs.insert(key, halves.clone());
        Ok(halves)
    }

    /// The run of a recipe, from the folder of an earlier climb or trained now.
    fn run(&self, recipe: &Recipe, key: &str) -> Result<Run> {
        let folder = self.climb.out.join(&recipe.name);
        if folder.exists() {
            let run = Run::open(&folder)?;
            if training_key(&run.recipe)? == key && run.split(&self.catalogue).is_ok() {
                return Ok(run);
            }
            return Err(Error::Exists { path: folder });
        }
        std::fs::create_dir_all(self.climb.out).map_err(|source| Error::Write {
            path: self.climb.out.to_owned(),
            source,
        })?;
        let start = self.start(recipe);
        if let Some(start) = &start {
            let text = format!("{} begins with {}", recipe.name, start.display());
            self.progress.note(&text);
        }
        let beginning = Beginning {
            weights: start,
            ..Beginning::default()
        };
        train(
            self.climb.data,
            recipe,
            &beginning,
            &folder,
            &self.climb.device,
            self.progress,
        )
    }

    /// The weights that a recipe's backbone begins with. Narrow backbones have none.
    fn start(&self, recipe: &Recipe) -> Option<PathBuf> {
        let folder = self.climb.weights.filter(|_| recipe.model.narrow == 1)?;
        let name = recipe.model.backbone.name();
        let files = ["safetensors", "pth"].map(|end| folder.join(format!("{name}.{end}")));
        files.into_iter().find(|file| file.exists())
    }
}

/// What decides a training: the recipe but for its name.
fn training_key(recipe: &Recipe) -> Result<String> {
    let mut recipe = recipe.clone();
    recipe.name = String::new();
    recipe.sha256()
}
