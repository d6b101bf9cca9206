//! Every photo of a catalogue through the network as it ships.

use crate::data::{Batches, Catalogue, Loading, PhotoEntry, Split, write_atomically};
use crate::device::{describe, is_cpu};
use crate::progress::Progress;
use crate::train::samples::read_photo;
use crate::train::{Recipe, Run};
use crate::{Error, Result};
use burn::tensor::{Device, Tensor, TensorData};
use flukeprint_core::bundle::{split_finder, weights};
use flukeprint_core::gallery::{FeatureStore, Gallery, GalleryRow, Individual, Label};
use flukeprint_core::identify::Embedding;
use flukeprint_core::model::{Network, named};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use sha2::{Digest, Sha256};
use std::path::PathBuf;

/// Photos a forward pass; more gain nothing on a CPU.
const BATCH: usize = 8;

/// Features of all photos, and logits of the held-out ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Embeddings {
    /// Values in a feature.
    pub width: usize,
    /// `[photos, width]` in the catalogue's order.
    pub features: Vec<f32>,
    /// `[tune photos, individuals]`, then `[report photos, individuals]`, in the split's order.
    pub logits: Vec<f32>,
}

impl Embeddings {
    /// The features of `photos`, `[photos, width]`.
    pub fn features_of(&self, photos: &[usize]) -> Vec<f32> {
        photos
            .iter()
            .flat_map(|&photo| self.feature(photo))
            .copied()
            .collect()
    }

    /// The feature of one photo.
    pub fn feature(&self, photo: usize) -> &[f32] {
        &self.features[photo * self.width..(photo + 1) * self.width]
    }

    /// A gallery of `photos`; a row's photo number is its place in the catalogue.
    ///
    /// # Errors
    /// When a feature is not finite or has no length.
    pub fn gallery(&self, catalogue: &Catalogue, photos: &[usize]) -> Result<Gallery> {
        let individuals = catalogue
            .individuals
            .iter()
            .map(|name| Individual { name: name.clone() });
        let row = |&photo: &usize| GalleryRow {
            label: catalogue.photos[photo].label,
            photo: photo as u32,
        };
        let store = FeatureStore::from_features(self.width, &self.features_of(photos));
        let gallery = store.and_then(|store| {
            Gallery::new(
                individuals.collect(),
                photos.iter().map(row).collect(),
                store.to_codes(),
            )
        });
        Ok(gallery.map_err(flukeprint_core::Error::from)?)
    }
}

/// The true labels of `photos`.
pub(super) fn truths(catalogue: &Catalogue, photos: &[usize]) -> Vec<Label> {
    photos
        .iter()
        .map(|&photo| catalogue.photos[photo].label)
        .collect()
}

/// Embeds every photo of the catalogue on `device` with the run's network as it ships (8-bit weights).
/// What was computed stays in the run's folder and is taken from there the next time, if the same kind of
/// device is asked.
///
/// # Errors
/// A photo that cannot be read any more, weights that cannot be used, a full disk.
pub fn embed_catalogue(
    run: &Run,
    catalogue: &Catalogue,
    split: &Split,
    device: &Device,
    progress: &dyn Progress,
) -> Result<Embeddings> {
    let file = run.shipped_weights()?;
    let key = key(&file, run, device);
    let path = run.folder().join("embeddings.safetensors");
    if let Some(embeddings) = load(&path, &key) {
        return Ok(embeddings);
    }
    let individuals = run.facts.individuals.len();
    let network = network(run, &file, device)?;
    let mut embeddings = Embeddings {
        width: run.recipe.model.feature_width(),
        features: Vec::new(),
        logits: vec![0.0; (split.tune.len() + split.report.len()) * individuals],
    };
    let mut held_out = vec![None; catalogue.photos.len()];
    for (row, &photo) in split.tune.iter().chain(&split.report).enumerate() {
        held_out[photo] = Some(row);
    }
    progress.begin("embedding photos", catalogue.photos.len());
    for batch in inputs(&run.recipe, catalogue.photos.iter()) {
        let batch = batch?;
        let embedded = embed(&network, batch.samples, &run.recipe, device)?;
        for (photo, embedding) in batch.photos.into_iter().zip(embedded) {
            embeddings.features.extend(embedding.feature);
            if let Some(row) = held_out[photo] {
                embeddings.logits[row * individuals..(row + 1) * individuals]
                    .copy_from_slice(&embedding.logits);
            }
        }
        progress.advance(embeddings.features.len() / embeddings.width);
    }
    save(&embeddings, path, &key)?;
    Ok(embeddings)
}

/// What the run's network, as it ships, says of some photos of the catalogue, in their order: logits too,
/// which [`embed_catalogue`] keeps of the held-out ones alone.
pub(super) fn embed_photos(
    run: &Run,
    catalogue: &Catalogue,
    photos: &[usize],
    device: &Device,
    progress: &dyn Progress,
) -> Result<Vec<Embedding>> {
    let network = network(run, &run.shipped_weights()?, device)?;
    let entries = photos.iter().map(|&photo| &catalogue.photos[photo]);
    let mut embedded = Vec::with_capacity(photos.len());
    progress.begin("embedding photos", photos.len());
    for batch in inputs(&run.recipe, entries) {
        embedded.extend(embed(&network, batch?.samples, &run.recipe, device)?);
        progress.advance(embedded.len());
    }
    Ok(embedded)
}

/// The network of a weights file, ready to embed.
fn network(run: &Run, file: &[u8], device: &Device) -> Result<Network> {
    let (tensors, _) = split_finder(weights::decode("the shipped weights", file)?);
    let individuals = run.facts.individuals.len();
    let network = Network::new(&run.recipe.model, individuals, device).fold();
    Ok(named::write(network, tensors, "the shipped weights")?)
}

/// What the network says of every photo, given the inputs of its views.
pub(crate) fn embed(
    network: &Network,
    photos: Vec<Vec<Vec<f32>>>,
    recipe: &Recipe,
    device: &Device,
) -> Result<Vec<Embedding>> {
    let counts: Vec<usize> = photos.iter().map(Vec::len).collect();
    let inputs: Vec<Vec<f32>> = photos.into_iter().flatten().collect();
    let shape = [inputs.len(), 3, recipe.input.height, recipe.input.width];
    let input = Tensor::from_data(TensorData::new(inputs.concat(), shape), device);
    let (features, logits) = network.forward(input);
    let ([_, width], [_, classes]) = (features.dims(), logits.dims());
    let (features, logits) = (values(features, device)?, values(logits, device)?);
    let rows = features
        .chunks_exact(width)
        .zip(logits.chunks_exact(classes));
    let mut views = rows.map(|(feature, logits)| Embedding {
        feature: feature.to_vec(),
        logits: logits.to_vec(),
        edges: Vec::new(),
    });
    let of_photo = |views_of_it| Embedding::of_views(views.by_ref().take(views_of_it).collect());
    let embeddings = counts.into_iter().map(of_photo);
    Ok(embeddings.collect::<flukeprint_core::Result<_>>()?)
}

fn values(tensor: Tensor<2>, device: &Device) -> Result<Vec<f32>> {
    tensor.into_data().try_into_vec().map_err(|error| {
        let reason = format!("{error:?}");
        flukeprint_core::Error::Device {
            device: describe(device),
            reason,
        }
        .into()
    })
}

/// The inputs of all views of every photo, in order.
pub(crate) fn inputs<'a>(
    recipe: &Recipe,
    photos: impl Iterator<Item = &'a PhotoEntry>,
) -> Batches<Vec<Vec<f32>>> {
    let loading = Loading {
        seed: 0,
        epoch: 0,
        batch_size: BATCH,
        drop_last: false,
        workers: 2,
        ahead: 3,
    };
    let preprocessing = recipe.preprocessing();
    let entries: Vec<_> = photos.map(|entry| recipe.input.entry(entry)).collect();
    Batches::start((0..entries.len()).collect(), loading, move |photo, _| {
        let (photo, region) = read_photo(&entries[photo])?;
        Ok(preprocessing.inputs(&photo, region)?)
    })
}

/// What stored embeddings belong to.
fn key(weights: &[u8], run: &Run, device: &Device) -> Vec<u8> {
    let mut key = Sha256::new()
        .chain_update(weights)
        .chain_update(run.facts.data_sha256.as_bytes());
    // They can be set in the recipe of a run that is trained already.
    for view in &run.recipe.input.views {
        key.update(view.to_le_bytes());
    }
    // A GPU rounds otherwise, and may multiply with fewer digits.
    if !is_cpu(device) {
        key.update(describe(device));
    }
    key.finalize().to_vec()
}

/// Stored embeddings, if they are those of `key`. Whatever cannot be read is computed again.
fn load(path: &std::path::Path, key: &[u8]) -> Option<Embeddings> {
    let file = std::fs::read(path).ok()?;
    let tensors = SafeTensors::deserialize(&file).ok()?;
    if tensors.tensor("key").ok()?.data() != key {
        return None;
    }
    let floats = |name: &str| {
        let view = tensors.tensor(name).ok()?;
        let values = view
            .data()
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        Some((view.shape().to_vec(), values))
    };
    let (shape, features) = floats("features")?;
    Some(Embeddings {
        width: *shape.get(1)?,
        features,
        logits: floats("logits")?.1,
    })
}

fn save(embeddings: &Embeddings, path: PathBuf, key: &[u8]) -> Result<()> {
    let bytes = |values: &[f32]| {
        values
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect::<Vec<u8>>()
    };
    let (features, logits) = (bytes(&embeddings.features), bytes(&embeddings.logits));
    let rows = embeddings.features.len() / embeddings.width;
    let views = [
        ("key", Dtype::U8, vec![key.len()], key),
        (
            "features",
            Dtype::F32,
            vec![rows, embeddings.width],
            &features,
        ),
        ("logits", Dtype::F32, vec![embeddings.logits.len()], &logits),
    ];
    let refuse = |error: &dyn std::fmt::Display| Error::Weights {
        path: path.clone(),
        reason: error.to_string(),
    };
    let views = views.map(|(name, dtype, shape, data)| {
        TensorView::new(dtype, shape, data).map(|view| (name, view))
    });
    let views = views
        .into_iter()
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|error| refuse(&error))?;
    let file = safetensors::serialize(views, None).map_err(|error| refuse(&error))?;
    write_atomically(&path, &file)
}
