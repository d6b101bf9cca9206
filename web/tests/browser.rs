//! What JavaScript can reach, in a real browser, on both backends.
#![cfg(target_arch = "wasm32")]
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

use burn::tensor::Device;
use flukeprint_core::bundle::{self, Contents, GalleryPhoto, ModelFacts, SelfCheck, StaticFile};
use flukeprint_core::decision::DecisionParameters;
use flukeprint_core::gallery::{FeatureStore, Gallery, GalleryRow, Individual, Label};
use flukeprint_core::identify;
use flukeprint_core::model::backbone::BackboneName;
use flukeprint_core::model::{EmbedderConfig, Network, named};
use flukeprint_core::photo::Preprocessing;
use flukeprint_web::{BundleLoader, Identifier};
use js_sys::{Function, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

const WHALES: usize = 6;

/// A bundle of a network with random weights and a gallery of made-up features.
async fn files() -> Vec<StaticFile> {
    let device = Device::flex();
    device.seed(3);
    let embedder = EmbedderConfig::new(BackboneName::Compact, 2, 8);
    let network = Network::new(&embedder, WHALES, &device).fold();
    let width = embedder.feature_width();
    let features: Vec<f32> = (0..WHALES * width)
        .map(|i| (i as f32 * 0.7).sin())
        .collect();
    let photos = (0..WHALES).map(|i| GalleryPhoto {
        file: format!("{i}.jpg"),
        individual: Some(i as u32),
        thumbnail: None,
        keypoints: None,
        edge: None,
        sha256: None,
    });
    let rows = (0..WHALES).map(|i| GalleryRow {
        label: Label::Individual(i as u32),
        photo: i as u32,
    });
    let individuals = (0..WHALES).map(|i| Individual {
        name: format!("w_{i}"),
    });
    let store = FeatureStore::from_features(width, &features).unwrap();
    let mut contents = Contents {
        title: "made up".to_owned(),
        model: ModelFacts {
            embedder,
            finder: None,
            recipe: "none".to_owned(),
            recipe_sha256: String::new(),
            data_sha256: String::new(),
            seed: 3,
            start_sha256: None,
            ensemble: None,
        },
        preprocessing: Preprocessing::imagenet(32, 64),
        operating: Vec::new(),
        evidence: None,
        edges: None,
        decision: DecisionParameters {
            weights: [1.0, 1.0, 0.4],
            ..DecisionParameters::default()
        },
        date: "2026-01-01".to_owned(),
        filters: Vec::new(),
        self_check: SelfCheck {
            embedding: Vec::new(),
            tolerance: 1e-3,
        },
        weights: bundle::weights::encode(&named::read(&network).unwrap()).unwrap(),
        gallery: Gallery::new(individuals.collect(), rows.collect(), store).unwrap(),
        photos: photos.collect(),
    };
    let first = loaded(bundle::assemble(contents.clone()).unwrap());
    let identifier = identify::Identifier::new(first.finish().unwrap(), &device).unwrap();
    contents.self_check.embedding = identifier.known_embedding().await.unwrap();
    bundle::assemble(contents).unwrap()
}

fn loaded(files: Vec<StaticFile>) -> bundle::Loader {
    let mut loader = bundle::Loader::new(&manifest(&files)).unwrap();
    for file in files.into_iter().filter(|file| file.path != "bundle.json") {
        loader.add(&file.path, file.bytes).unwrap();
    }
    loader
}

fn manifest(files: &[StaticFile]) -> Vec<u8> {
    files
        .iter()
        .find(|file| file.path == "bundle.json")
        .unwrap()
        .bytes
        .clone()
}

async fn identifier(backend: &str) -> Identifier {
    let files = files().await;
    let mut loader = BundleLoader::new(&manifest(&files)).unwrap();
    for file in files.into_iter().filter(|file| file.path != "bundle.json") {
        loader.add(&file.path, file.bytes).unwrap();
    }
    loader.finish(backend.to_owned(), silent()).await.unwrap()
}

fn silent() -> Function {
    Function::new_no_args("")
}

/// A PNG of 80 x 40 pixels with something on it: a data URL drawn by the browser itself.
fn photo() -> Vec<u8> {
    let draw = Function::new_no_args(
        "const canvas = document.createElement('canvas'); canvas.width = 80; canvas.height = 40;
         const pen = canvas.getContext('2d'); pen.fillStyle = '#9ab'; pen.fillRect(0, 0, 80, 40);
         pen.fillStyle = '#123'; pen.fillRect(10, 8, 50, 20);
         return atob(canvas.toDataURL('image/png').split(',')[1]);",
    );
    let text = draw.call0(&JsValue::NULL).unwrap().as_string().unwrap();
    text.chars().map(|letter| letter as u8).collect()
}

async fn candidates(identifier: &Identifier) -> Vec<(String, f64)> {
    let answer = identifier
        .identify(photo(), JsValue::NULL, 5, silent())
        .await
        .unwrap();
    let list: js_sys::Array = Reflect::get(&answer, &"candidates".into())
        .unwrap()
        .unchecked_into();
    let text = |one: &JsValue, key: &str| Reflect::get(one, &key.into()).unwrap();
    list.iter()
        .map(|one| {
            (
                text(&one, "name").as_string().unwrap(),
                text(&one, "score").as_f64().unwrap(),
            )
        })
        .collect()
}

fn message(error: impl Into<JsValue>) -> String {
    let error: js_sys::Error = error.into().unchecked_into();
    error.message().into()
}

#[wasm_bindgen_test]
async fn both_backends_give_the_same_answer() {
    let on_wasm = candidates(&identifier("wasm").await).await;
    let on_webgpu = identifier("webgpu").await;
    let status = on_webgpu.backend().unwrap();
    let name = Reflect::get(&status, &"name".into()).unwrap().as_string();
    assert_eq!(name.as_deref(), Some("webgpu"), "{status:?}");
    let on_webgpu = candidates(&on_webgpu).await;
    assert_eq!(on_wasm.len(), 5);
    for ((name, score), (gpu_name, gpu_score)) in on_wasm.iter().zip(&on_webgpu) {
        assert_eq!(name, gpu_name);
        assert!((score - gpu_score).abs() <= 1e-3, "{score} {gpu_score}");
    }
}

#[wasm_bindgen_test]
async fn a_photo_that_is_none_gets_a_sentence() {
    let identifier = identifier("wasm").await;
    let error = identifier
        .identify(b"no photo".to_vec(), JsValue::NULL, 5, silent())
        .await
        .unwrap_err();
    assert!(message(error).contains("not a photo"));
}

#[wasm_bindgen_test]
async fn a_box_outside_the_photo_gets_a_sentence() {
    let identifier = identifier("wasm").await;
    let region = js_sys::JSON::parse(r#"{"x0":500,"y0":0,"x1":600,"y1":10}"#).unwrap();
    let error = identifier
        .identify(photo(), region, 5, silent())
        .await
        .unwrap_err();
    assert!(message(error).contains("does not lie in the photo"));
}

#[wasm_bindgen_test]
async fn a_flipped_bit_names_the_file() {
    let files = files().await;
    let mut loader = BundleLoader::new(&manifest(&files)).unwrap();
    for file in files.into_iter().filter(|file| file.path != "bundle.json") {
        let mut spoilt = file.bytes.clone();
        *spoilt.last_mut().unwrap() ^= 1;
        let error = loader.add(&file.path, spoilt).unwrap_err();
        assert!(message(error).contains(&file.path));
        loader.add(&file.path, file.bytes).unwrap();
    }
}

#[wasm_bindgen_test]
async fn a_newer_bundle_and_an_unknown_backend_are_refused() {
    let files = files().await;
    let newer = String::from_utf8(manifest(&files))
        .unwrap()
        .replace("\"format\": 1", "\"format\": 9");
    assert!(
        message(BundleLoader::new(newer.as_bytes()).unwrap_err()).contains("update the program")
    );
    let mut loader = BundleLoader::new(&manifest(&files)).unwrap();
    assert!(
        message(
            loader
                .finish("cuda".to_owned(), silent())
                .await
                .unwrap_err()
        )
        .contains("cuda")
    );
}
