//! Pseudo-labels (Lee, 2013): photos without a label join the training with what the network says of
//! them, where it is sure.

use super::Recipe;
use super::network::TrainingNetwork;
use crate::data::{Boxes, Catalogue, PhotoEntry, Split, check_photo, write_atomically};
use crate::evaluate::embeddings::{embed, inputs};
use crate::progress::Progress;
use crate::{Error, Result};
use burn::module::Module;
use flukeprint_core::decision::classifier_probabilities;
use flukeprint_core::gallery::Label;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Ends of the names of photos.
const PHOTOS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// The labels' file in the folder of a run.
pub(super) const FILE: &str = "pseudo.json";

/// The catalogue with the sure ones of the photos in `test/` beside its own folder, and the places of
/// all photos to train on. The labels are kept in the file `kept`; a training that goes on finds them
/// there.
///
/// # Errors
/// When there is no folder `test/`, or a photo in it cannot be read.
pub(super) fn label(
    network: &TrainingNetwork,
    catalogue: &Catalogue,
    split: &Split,
    recipe: &Recipe,
    kept: &Path,
    progress: &dyn Progress,
) -> Result<(Catalogue, Vec<usize>)> {
    let unlabelled = entries(catalogue)?;
    let labels = match kept.exists() {
        true => read_labels(kept)?,
        false => {
            let labels = sure_ones(network, &unlabelled, catalogue, recipe, progress)?;
            write_labels(&labels, kept)?;
            labels
        }
    };
    let (mut catalogue, mut photos) = (catalogue.clone(), split.train.clone());
    for entry in unlabelled {
        if let Some(&whale) = labels.get(&entry.file) {
            photos.push(catalogue.photos.len());
            catalogue.photos.push(PhotoEntry {
                label: Label::Individual(whale),
                ..entry
            });
        }
    }
    progress.note(&format!(
        "pseudo-labels: {} photos join",
        photos.len() - split.train.len()
    ));
    Ok((catalogue, photos))
}

/// The whale of each photo, by file name.
type Labels = BTreeMap<String, u32>;

fn read_labels(path: &Path) -> Result<Labels> {
    let text = std::fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    serde_json::from_slice(&text).map_err(|error| Error::Run {
        path: path.to_owned(),
        reason: format!("holds no pseudo-labels ({error})"),
    })
}

fn write_labels(labels: &Labels, path: &Path) -> Result<()> {
    let json = serde_json::to_vec_pretty(labels).map_err(|error| Error::Write {
        path: path.to_owned(),
        source: error.into(),
    })?;
    write_atomically(path, &json)
}

/// The photos of whose whale the network is sure.
fn sure_ones(
    network: &TrainingNetwork,
    unlabelled: &[PhotoEntry],
    catalogue: &Catalogue,
    recipe: &Recipe,
    progress: &dyn Progress,
) -> Result<Labels> {
    let individuals = catalogue.individuals.len();
    let network = network.valid().identifying(individuals);
    let device = network.total.weight.val().device();
    progress.begin("pseudo-labels", unlabelled.len());
    let mut labels = Labels::new();
    for batch in inputs(recipe, unlabelled.iter()) {
        let batch = batch?;
        let embeddings = embed(&network, batch.samples, recipe, &device)?;
        for (&place, embedding) in batch.photos.iter().zip(embeddings) {
            let probabilities = classifier_probabilities(&embedding.logits, individuals, 1.0);
            let (whale, sure) = most(&probabilities);
            if f64::from(sure) >= recipe.samples.pseudo_labels {
                labels.insert(unlabelled[place].file.clone(), whale);
            }
            progress.advance(place + 1);
        }
    }
    Ok(labels)
}

/// The likeliest whale and its probability.
fn most(probabilities: &[f32]) -> (u32, f32) {
    let mut best = (0, f32::NEG_INFINITY);
    for (whale, &probability) in (0..).zip(probabilities) {
        if probability > best.1 {
            best = (whale, probability);
        }
    }
    best
}

/// The photos in `test/`, by name, with their boxes.
fn entries(catalogue: &Catalogue) -> Result<Vec<PhotoEntry>> {
    let root = catalogue.root.parent().unwrap_or(&catalogue.root);
    let folder = root.join("test");
    if !folder.is_dir() {
        let wanted = "`samples.pseudo_labels` looks there for photos without a label";
        return Err(Error::MissingFolder {
            path: folder,
            wanted,
        });
    }
    let table = root.join("bounding_boxes.csv");
    let boxes = table.exists().then(|| Boxes::read(&table)).transpose()?;
    let entry = |path: PathBuf| {
        let file = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let size = check_photo(&path).map_err(|problem| Error::Photo {
            path: path.clone(),
            reason: problem.to_string(),
        })?;
        Ok(PhotoEntry {
            region: boxes.as_ref().and_then(|boxes| boxes.region(&file)),
            label: Label::New,
            file,
            path,
            size,
        })
    };
    photos_in(&folder)?.into_iter().map(entry).collect()
}

fn photos_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |source| Error::Read {
        path: folder.to_owned(),
        source,
    };
    let mut photos = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_photo = path.extension().is_some_and(|end| {
            let end = end.to_string_lossy().to_lowercase();
            PHOTOS.contains(&end.as_str())
        });
        if is_photo {
            photos.push(path);
        }
    }
    photos.sort();
    Ok(photos)
}
