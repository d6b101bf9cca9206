//! Pseudo-labels (Lee, 2013): photos without a label join the training with what the network says of
//! them, where it is sure.

use super::Recipe;
use super::network::TrainingNetwork;
use super::samples::read_photo;
use crate::data::{Batches, Boxes, Catalogue, Loading, PhotoEntry, Split, check_photo};
use crate::progress::Progress;
use crate::{Error, Result};
use burn::module::Module;
use burn::tensor::{Tensor, TensorData, activation};
use flukeprint_core::gallery::Label;
use std::path::{Path, PathBuf};

/// Photos a forward pass.
const BATCH: usize = 8;
/// Ends of the names of photos.
const PHOTOS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// The catalogue with the sure ones of the photos in `test/` beside its own folder, and the places of
/// all photos to train on.
///
/// # Errors
/// When there is no folder `test/`, or a photo in it cannot be read.
pub(super) fn label(
    network: &TrainingNetwork,
    catalogue: &Catalogue,
    split: &Split,
    recipe: &Recipe,
    progress: &dyn Progress,
) -> Result<(Catalogue, Vec<usize>)> {
    let unlabelled = entries(catalogue)?;
    let network = network.valid();
    let device = network.network.total.weight.val().device();
    let individuals = catalogue.individuals.len();
    let preprocessing = recipe.preprocessing();
    let shape = [3, preprocessing.height, preprocessing.width];
    let network = network.identifying(individuals);
    progress.begin("pseudo-labels", unlabelled.len());
    let mut catalogue = catalogue.clone();
    let mut photos = split.train.clone();
    for batch in inputs(recipe, unlabelled.clone()) {
        let batch = batch?;
        let data = TensorData::new(
            batch.samples.concat(),
            [batch.photos.len(), shape[0], shape[1], shape[2]],
        );
        let (_, logits) = network.forward(Tensor::from_data(data, &device));
        let (sure, whale) = activation::softmax(logits, 1).max_dim_with_indices(1);
        let sure = sure.into_data().iter::<f32>().collect::<Vec<_>>();
        let whales = whale.into_data().iter::<u32>().collect::<Vec<_>>();
        for ((&place, sure), whale) in batch.photos.iter().zip(sure).zip(whales) {
            if f64::from(sure) >= recipe.samples.pseudo_labels {
                photos.push(catalogue.photos.len());
                catalogue.photos.push(PhotoEntry {
                    label: Label::Individual(whale),
                    ..unlabelled[place].clone()
                });
            }
        }
        progress.advance(batch.photos.last().map_or(0, |last| last + 1));
    }
    progress.note(&format!(
        "pseudo-labels: {} of {} photos join",
        photos.len() - split.train.len(),
        unlabelled.len()
    ));
    Ok((catalogue, photos))
}

fn inputs(recipe: &Recipe, entries: Vec<PhotoEntry>) -> Batches<Vec<f32>> {
    let loading = Loading {
        seed: 0,
        epoch: 0,
        batch_size: BATCH,
        drop_last: false,
        workers: 2,
        ahead: 3,
    };
    let (preprocessing, input) = (recipe.preprocessing(), recipe.input.clone());
    Batches::start((0..entries.len()).collect(), loading, move |place, _| {
        let (photo, region) = read_photo(&input.entry(&entries[place]))?;
        Ok(preprocessing.input(&photo, region)?)
    })
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
