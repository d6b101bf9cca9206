//! A bundle of a network with random weights and a gallery of made-up features.
#![allow(dead_code, clippy::panic, clippy::unwrap_used)] // each test file uses a part

pub mod growth;
pub mod spots;

use burn::tensor::Device;
use flukeprint_core::bundle::{
    Contents, GalleryPhoto, Loader, ModelFacts, SelfCheck, StaticFile, assemble, weights,
};
use flukeprint_core::decision::DecisionParameters;
use flukeprint_core::gallery::{FeatureStore, Gallery, GalleryRow, Individual, Label};
use flukeprint_core::identify::Identifier;
use flukeprint_core::model::backbone::BackboneName;
use flukeprint_core::model::{EmbedderConfig, Network, named};
use flukeprint_core::photo::Preprocessing;
use std::future::Future;
use std::pin::pin;
use std::sync::OnceLock;
use std::task::{Context, Poll, Waker};

pub const WHALES: usize = 4;

/// On the CPU a future is ready at once.
pub fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("the CPU makes nobody wait"),
    }
}

/// Made once: tests in other threads draw from the device's generator too.
pub fn contents() -> Contents {
    static CONTENTS: OnceLock<Contents> = OnceLock::new();
    CONTENTS.get_or_init(make_contents).clone()
}

fn make_contents() -> Contents {
    let device = Device::flex();
    device.seed(5);
    let embedder = EmbedderConfig::new(BackboneName::Compact, 2, 8);
    let photos = (0..WHALES).map(|i| GalleryPhoto {
        file: format!("{i}.jpg"),
        individual: Some(i as u32),
        thumbnail: None,
        keypoints: None,
        edge: None,
        sha256: None,
    });
    Contents {
        title: "made up".to_owned(),
        weights: weights_of(&embedder, WHALES),
        gallery: gallery(embedder.feature_width()),
        model: ModelFacts {
            embedder,
            finder: None,
            recipe: "none".to_owned(),
            recipe_sha256: String::new(),
            data_sha256: String::new(),
            seed: 5,
            start_sha256: None,
            ensemble: None,
        },
        preprocessing: Preprocessing::imagenet(32, 64),
        operating: Vec::new(),
        evidence: None,
        edges: None,
        decision: DecisionParameters::default(),
        date: "2026-01-01".to_owned(),
        filters: Vec::new(),
        self_check: SelfCheck {
            embedding: Vec::new(),
            tolerance: 1e-4,
        },
        photos: photos.collect(),
    }
}

/// A weights file of a network with fresh weights that answers for so many whales.
pub fn weights_of(embedder: &EmbedderConfig, whales: usize) -> Vec<u8> {
    let network = Network::new(embedder, whales, &Device::flex()).fold();
    weights::encode(&named::read(&network).unwrap()).unwrap()
}

/// One photo a whale, with features of that width.
pub fn gallery(width: usize) -> Gallery {
    let features: Vec<f32> = (0..WHALES * width)
        .map(|i| (i as f32 * 0.7).sin())
        .collect();
    let rows = (0..WHALES).map(|i| GalleryRow {
        label: Label::Individual(i as u32),
        photo: i as u32,
    });
    let individuals = (0..WHALES).map(|i| Individual {
        name: format!("w_{i}"),
    });
    let store = FeatureStore::from_features(width, &features).unwrap();
    Gallery::new(individuals.collect(), rows.collect(), store).unwrap()
}

pub fn loader(files: &[StaticFile]) -> Loader {
    let manifest = files
        .iter()
        .find(|file| file.path == "bundle.json")
        .unwrap();
    let mut loader = Loader::new(&manifest.bytes).unwrap();
    for file in files.iter().filter(|file| file.path != "bundle.json") {
        loader.add(&file.path, file.bytes.clone()).unwrap();
    }
    loader
}

pub fn identifier(contents: Contents) -> Identifier {
    let bundle = loader(&assemble(contents).unwrap()).finish().unwrap();
    Identifier::new(bundle, &Device::flex()).unwrap()
}
