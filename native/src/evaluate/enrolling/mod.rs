//! What a whale is worth that was enrolled from one photo, and what it costs the others.
//!
//! Whales that a run has kept out of training are enrolled, one photo each, into a bundle of its training
//! photos and the classifier's columns of the other whales. Their other photos ask for them; the report
//! half of the held-out photos tells how the old whales fare before and after. The very enrolment of
//! [`GrowingBundle`] is measured, once with the columns that it makes and once without.

mod drawn;
mod scores;

use super::embeddings::{Embeddings, embed_catalogue};
use crate::data::{Catalogue, Split};
use crate::ensemble::Ensemble;
use crate::export::measuring_bundle;
use crate::progress::Progress;
use crate::train::Run;
use crate::tune::{LabelledQueries, TuneError};
use crate::{Error, Result};
use burn::tensor::Device;
use flukeprint_core::bundle::{Bundle, GrowingBundle, Loader, NewPhoto, StaticFile};
use flukeprint_core::decision::{DecisionParameters, rank_of};
use flukeprint_core::gallery::Label;
use rayon::prelude::*;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use drawn::Drawn;
use scores::Ranked;
pub use scores::{After, Found, Old, Share};

/// What enrolling does for the whales that come and to those that were there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Enrolling {
    /// Whales that were enrolled, with one photo each.
    pub whales: usize,
    /// What chose the photos.
    pub seed: u64,
    /// Photos that ask for them.
    pub queries: usize,
    /// Whales in the bundle before.
    pub old_whales: usize,
    /// Photos that ask for those, and for new whales: the report half.
    pub old_queries: usize,
    /// The old whales that have a single gallery photo too, before anyone was enrolled: what an enrolled
    /// whale is to be compared with.
    pub old_with_one_photo: Found,
    /// The old whales before.
    pub before: Old,
    /// With the enrolled whales in the gallery alone.
    pub by_photo: After,
    /// With columns in the classifier too.
    pub imprinted: After,
}

/// Enrolls `whales` of those that the run has kept out, and measures.
///
/// # Errors
/// A run that keeps no whale out or fewer, that was not tuned, or reads photos in several views (the
/// classifier's answer cannot then be told from the stored embeddings); photos or weights that cannot be
/// used.
pub fn evaluate_enrolling(
    run: &Run,
    catalogue: &Catalogue,
    whales: usize,
    seed: u64,
    device: &Device,
    progress: &dyn Progress,
) -> Result<Enrolling> {
    let split = run.split(catalogue)?;
    check(run, catalogue, &split, whales)?;
    run.tuned_on()?.require_report_half(run)?;
    let embeddings = embed_catalogue(run, catalogue, &split, device, progress)?;
    let ensemble = Ensemble::alone(run.clone())?;
    let files = measuring_bundle(&ensemble, catalogue, &embeddings, &split.train)?;
    let drawn = Drawn::new(catalogue, &split, whales, seed);
    let mut bundle = open(&files)?;
    for &name in &drawn.kept_out {
        bundle.remove_individual(name, "")?;
    }
    let test = |bundle: &GrowingBundle, columns: Option<usize>| {
        let bundle = load(&bundle.files()?)?;
        Ok::<_, Error>(Test {
            names: names(&bundle),
            columns: columns.unwrap_or(usize::MAX),
            bundle,
            catalogue,
            embeddings: &embeddings,
            parameters: ensemble.decision,
        })
    };
    let before = test(&bundle, None)?;
    let old = bundle.names().len();
    let photos = drawn.photos.iter().map(|&place| NewPhoto {
        file: catalogue.photos[place].file.clone(),
        sha256: catalogue.photos[place].file.clone(),
        individual: drawn.name(catalogue, place),
        feature: embeddings.feature(place).to_vec(),
        thumbnail: None,
        keypoints: None,
        edge: None,
    });
    bundle.enroll(photos.collect(), "")?;
    let old_ranks = before.ranks(&split.report)?;
    let after = |columns| {
        let test = test(&bundle, columns)?;
        let enrolled = test.ranks(&drawn.queries)?;
        let old_now = test.ranks(&split.report)?;
        After::new(&enrolled, &old_ranks, &old_now, [old, drawn.photos.len()])
    };
    let single = single_photo(&before.bundle);
    let is_single = |ranked: &&Ranked| single.contains(&ranked.truth);
    let single: Vec<Ranked> = old_ranks.iter().filter(is_single).copied().collect();
    Ok(Enrolling {
        whales: drawn.photos.len(),
        seed,
        queries: drawn.queries.len(),
        old_whales: old,
        old_queries: split.report.len(),
        old_with_one_photo: Found::of(&single)?,
        before: Old::of(&old_ranks)?,
        by_photo: after(Some(old))?,
        imprinted: after(None)?,
    })
}

fn check(run: &Run, catalogue: &Catalogue, split: &Split, whales: usize) -> Result<()> {
    let refuse = |reason: String| {
        Err(Error::Run {
            path: run.folder().to_owned(),
            reason,
        })
    };
    match split.unseen_whales(catalogue) {
        _ if whales == 0 => Err(Error::Setting {
            name: "--enroll",
            value: "0".to_owned(),
            wanted: "at least 1",
        }),
        _ if !run.recipe.input.views.is_empty() => {
            refuse("reads photos in several views; measure with `views = []`".to_owned())
        }
        kept if kept < whales => refuse(format!(
            "keeps {kept} whales out of training, {whales} are to be enrolled; train with \
             validation.unseen_whales = {whales} or enroll fewer"
        )),
        _ => Ok(()),
    }
}

fn open(files: &[StaticFile]) -> Result<GrowingBundle> {
    let bytes = |path: &str| {
        let file = files.iter().find(|file| file.path == path);
        file.map_or_else(Vec::new, |file| file.bytes.clone())
    };
    GrowingBundle::open(&bytes("bundle.json"), |path| Ok::<_, Error>(bytes(path)))
}

fn load(files: &[StaticFile]) -> Result<Bundle> {
    let manifest = files.iter().find(|file| file.path == "bundle.json");
    let mut loader = Loader::new(manifest.map_or(&[][..], |file| &file.bytes))?;
    let paths: Vec<String> = loader.files().map(|entry| entry.path.clone()).into();
    for file in files.iter().filter(|file| paths.contains(&file.path)) {
        loader.add(&file.path, file.bytes.clone())?;
    }
    Ok(loader.finish()?)
}

fn names(bundle: &Bundle) -> HashMap<String, u32> {
    let individuals = bundle.gallery.individuals().iter();
    individuals.map(|one| one.name.clone()).zip(0..).collect()
}

/// The individuals with a single photo.
fn single_photo(bundle: &Bundle) -> BTreeSet<Label> {
    let mut photos: BTreeMap<Label, usize> = BTreeMap::new();
    for row in bundle.gallery.rows() {
        *photos.entry(row.label).or_default() += 1;
    }
    let single = photos.into_iter().filter(|(_, photos)| *photos == 1);
    single.map(|(label, _)| label).collect()
}

/// A bundle to ask.
struct Test<'a> {
    bundle: Bundle,
    names: HashMap<String, u32>,
    /// How many of the classifier's columns are asked.
    columns: usize,
    catalogue: &'a Catalogue,
    embeddings: &'a Embeddings,
    parameters: DecisionParameters,
}

impl Test<'_> {
    fn ranks(&self, places: &[usize]) -> Result<Vec<Ranked>> {
        let truth = |&place: &usize| match self.catalogue.photos[place].label {
            Label::Individual(whale) => {
                let name = &self.catalogue.individuals[whale as usize];
                let number = self.names.get(name);
                number.map_or(Label::New, |&number| Label::Individual(number))
            }
            Label::New => Label::New,
        };
        let queries = LabelledQueries::in_gallery(
            &self.bundle.gallery,
            places.iter().map(truth).collect(),
            self.logits(places)?,
            &self.embeddings.features_of(places),
        )?;
        let individuals = queries.individuals();
        let ranks = queries.par_iter().map(|query| {
            let fused = query.columns(&self.parameters)?.fused;
            let known = &fused[..individuals];
            Ok(Ranked {
                truth: query.truth,
                rank: rank_of(&fused, query.truth.slot(individuals)),
                among_known: match query.truth {
                    Label::Individual(number) => Some(rank_of(known, number as usize)),
                    Label::New => None,
                },
                first_known: (0..individuals)
                    .reduce(|best, slot| {
                        if known[slot] > known[best] {
                            slot
                        } else {
                            best
                        }
                    })
                    .unwrap_or(0),
            })
        });
        Ok(ranks.collect::<std::result::Result<_, TuneError>>()?)
    }

    /// What the bundle's classifier says of the features, `[photos, columns]`.
    fn logits(&self, places: &[usize]) -> Result<Vec<f32>> {
        let tensor = |name: &str| {
            let network = self.bundle.networks.first();
            let tensor = network.and_then(|network| network.get(name));
            tensor.ok_or_else(|| Error::Weights {
                path: self.bundle.manifest.files.weights.path.clone().into(),
                reason: format!("has no tensor `{name}`"),
            })
        };
        let (weight, bias) = (tensor("total.weight")?, tensor("total.bias")?);
        let all = bias.values.len();
        let asked = all.min(self.columns);
        let of_photo = |&place: &usize| {
            let mut logits = bias.values[..asked].to_vec();
            let rows = weight.values.chunks_exact(all);
            for (value, row) in self.embeddings.feature(place).iter().zip(rows) {
                for (logit, weight) in logits.iter_mut().zip(row) {
                    *logit += value * weight;
                }
            }
            logits
        };
        let logits: Vec<Vec<f32>> = places.par_iter().map(of_photo).collect();
        Ok(logits.concat())
    }
}
