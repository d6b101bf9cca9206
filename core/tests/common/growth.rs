//! Bundles that grow, for tests.

use super::{WHALES, contents, gallery, loader, now, weights_of};
use flukeprint_core::Error;
use flukeprint_core::bundle::{
    Bundle, Contents, EnsembleFacts, GalleryPhoto, GrowingBundle, MemberFacts, NewPhoto,
    StaticFile, assemble, join_members, sha256_hex,
};
use flukeprint_core::gallery::{FeatureStore, Gallery, GalleryRow, Label};
use flukeprint_core::identify::{Fuse, Identifier};
use flukeprint_core::model::EmbedderConfig;
use flukeprint_core::model::backbone::BackboneName;
use flukeprint_core::photo::{Photo, Preprocessing};
use std::sync::OnceLock;

pub const DAY: &str = "2026-02-03";

pub fn open(files: &[StaticFile]) -> GrowingBundle {
    let read = |path: &str| -> Result<Vec<u8>, Error> {
        let file = files.iter().find(|file| file.path == path);
        Ok(file.unwrap().bytes.clone())
    };
    GrowingBundle::open(&read("bundle.json").unwrap(), read).unwrap()
}

pub fn bytes(files: &[StaticFile]) -> Vec<(String, Vec<u8>)> {
    let pairs = files
        .iter()
        .map(|file| (file.path.clone(), file.bytes.clone()));
    pairs.collect()
}

pub fn load(files: &[StaticFile]) -> Bundle {
    let files: Vec<StaticFile> = files
        .iter()
        .filter(|file| !file.path.starts_with("journal"))
        .map(|file| StaticFile {
            path: file.path.clone(),
            bytes: file.bytes.clone(),
        })
        .collect();
    loader(&files).finish().unwrap()
}

/// A made-up feature; other numbers point elsewhere.
pub fn feature(width: usize, number: usize) -> Vec<f32> {
    (0..width)
        .map(|i| ((i * 31 + number * 17) as f32 * 0.37 + number as f32).sin())
        .collect()
}

pub fn photo(width: usize, number: usize, individual: Option<&str>) -> NewPhoto {
    NewPhoto {
        file: format!("new_{number}.jpg"),
        sha256: sha256_hex(&number.to_le_bytes()),
        individual: individual.map(str::to_owned),
        feature: feature(width, number),
        thumbnail: None,
        keypoints: None,
        edge: None,
    }
}

/// The bundle of the other tests, with 24 photos of new whales besides.
pub fn with_new_whales() -> Contents {
    let mut contents = contents();
    let width = contents.model.embedder.feature_width();
    let old = gallery(width);
    let mut rows = old.rows().to_vec();
    let mut features = old.features().features().unwrap().to_vec();
    for number in 0..24 {
        rows.push(GalleryRow {
            label: Label::New,
            photo: rows.len() as u32,
        });
        features.extend(feature(width, 1000 + number));
        contents.photos.push(GalleryPhoto {
            file: format!("unknown_{number}.jpg"),
            individual: None,
            thumbnail: None,
            keypoints: None,
            edge: None,
            sha256: None,
        });
    }
    let store = FeatureStore::from_features(width, &features).unwrap();
    contents.gallery = Gallery::new(old.individuals().to_vec(), rows, store).unwrap();
    contents
}

/// Two members whose features are fused so.
pub fn ensemble(fuse: Fuse) -> Contents {
    static WEIGHTS: OnceLock<Vec<u8>> = OnceLock::new();
    let mut both = contents();
    let embedder = EmbedderConfig::new(BackboneName::Compact, 2, 8);
    let weights = WEIGHTS.get_or_init(|| weights_of(&embedder, WHALES));
    both.weights = join_members(&[both.weights, weights.clone()]).unwrap();
    both.gallery = gallery(fuse.width([16, 16]));
    both.model.ensemble = Some(EnsembleFacts {
        fuse,
        others: vec![MemberFacts {
            embedder,
            preprocessing: Preprocessing::imagenet(48, 80),
            recipe: "other".to_owned(),
            recipe_sha256: String::new(),
            seed: 5,
            start_sha256: None,
        }],
    });
    both
}

pub fn start() -> Vec<StaticFile> {
    assemble(with_new_whales()).unwrap()
}

pub const WIDTH: usize = 16;

/// The logits of some photo, from the bundle's own network.
pub fn logits(files: &[StaticFile]) -> Vec<f32> {
    let identifier = Identifier::new(load(files), &burn::tensor::Device::flex()).unwrap();
    let photo = Photo {
        width: 90,
        height: 40,
        pixels: (0..90 * 40 * 3).map(|i| (i * 7 % 251) as u8).collect(),
    };
    now(identifier.embed_photo(&photo, None, |_| ()))
        .unwrap()
        .2
        .logits
}
