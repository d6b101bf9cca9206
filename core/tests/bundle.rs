//! Bundles: what is packed comes out again, and what was touched does not.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use burn::tensor::Device;
use common::{WHALES, contents, identifier, loader, now};
use flukeprint_core::bundle::weights::without_classifiers;
use flukeprint_core::bundle::{Loader, StaticFile, assemble};
use flukeprint_core::decision::{Query, decide};
use flukeprint_core::identify::{Embedding, Identifier, RegionSource, Stage};
use flukeprint_core::photo::{Photo, Region};

#[test]
fn the_same_contents_give_the_same_bytes() {
    let bytes = |files: Vec<StaticFile>| {
        files
            .into_iter()
            .map(|file| (file.path, file.bytes))
            .collect::<Vec<_>>()
    };
    let (first, second) = (
        bytes(assemble(contents()).unwrap()),
        bytes(assemble(contents()).unwrap()),
    );
    assert!(first == second, "assembled twice, the files differ");
}

#[test]
fn a_photo_is_answered_stage_by_stage() {
    let photo = Photo {
        width: 90,
        height: 40,
        pixels: (0..90 * 40 * 3).map(|i| (i * 7 % 251) as u8).collect(),
    };
    let mut stages = Vec::new();
    let identifier = identifier(contents());
    let answer =
        now(identifier.identify_photo(&photo, None, 3, |stage| stages.push(stage))).unwrap();
    assert_eq!(
        stages,
        [Stage::Find, Stage::Prepare, Stage::Embed, Stage::Decide]
    );
    assert_eq!(answer.region_source, RegionSource::Whole);
    assert_eq!(answer.answer.candidates.len(), 3);
    let given = Region {
        x0: 10.0,
        y0: 5.0,
        x1: 80.0,
        y1: 35.0,
    };
    let answer = now(identifier.identify_photo(&photo, Some(given), 3, |_| ())).unwrap();
    assert_eq!(
        (answer.region, answer.region_source),
        (given, RegionSource::Given)
    );
}

/// What the classifier says has no part in this decision, so it need not be loaded.
#[test]
fn without_a_classifier_that_nobody_asks_the_answer_is_the_same() {
    let photo = Photo {
        width: 90,
        height: 40,
        pixels: (0..90 * 40 * 3).map(|i| (i * 7 % 251) as u8).collect(),
    };
    let answer = |contents| {
        let identifier = identifier(contents);
        now(identifier.identify_photo(&photo, None, WHALES + 1, |_| ()))
            .unwrap()
            .answer
    };
    let with = contents();
    assert_eq!(with.decision.weights[2], 0.0);
    let mut without = contents();
    without.weights = without_classifiers("the weights", &with.weights).unwrap();
    assert!(without.weights.len() < with.weights.len());
    assert_eq!(answer(without.clone()), answer(with));
    without.decision.weights[2] = 0.5;
    let bundle = loader(&assemble(without).unwrap()).finish().unwrap();
    let error = Identifier::new(bundle, &Device::flex()).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("has no classifier, which the decision asks"),
        "{error}"
    );
}

/// What a bundle with that margin and those views says of the fluke in the middle of a photo.
fn seen(margin: f32, views: &[f32]) -> (Identifier, Embedding, Vec<f32>) {
    let mut contents = contents();
    contents.preprocessing.margin = margin;
    contents.preprocessing.views = views.to_vec();
    let identifier = identifier(contents);
    let photo = Photo {
        width: 90,
        height: 60,
        pixels: (0..90 * 60 * 3).map(|i| (i * 7 % 251) as u8).collect(),
    };
    let region = Some(Region {
        x0: 30.0,
        y0: 20.0,
        x1: 60.0,
        y1: 40.0,
    });
    let (_, _, embedding) = now(identifier.embed_photo(&photo, region, |_| ())).unwrap();
    let answer = now(identifier.identify_photo(&photo, region, WHALES + 1, |_| ())).unwrap();
    let candidates = answer.answer.candidates.into_iter();
    let scores = candidates.map(|one| one.score).collect();
    (identifier, embedding, scores)
}

#[test]
fn a_photo_seen_in_several_views_is_answered_by_their_mean() {
    let (identifier, embedding, scores) = seen(0.1, &[-0.2, 0.4]);
    let singles = [0.1, -0.2, 0.4].map(|margin| seen(margin, &[]).1);
    assert!(singles[0] != singles[1] && singles[1] != singles[2]);
    let mut expected = vec![0.0; embedding.feature.len()];
    let mut logits = vec![0.0; WHALES];
    for single in &singles {
        let length = single.feature.iter().map(|v| v * v).sum::<f32>().sqrt();
        for (sum, value) in expected.iter_mut().zip(&single.feature) {
            *sum += value / length / 3.0;
        }
        for (sum, value) in logits.iter_mut().zip(&single.logits) {
            *sum += value / 3.0;
        }
    }
    let near = |found: &[f32], expected: &[f32]| {
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5, "{found} {expected}");
        }
    };
    near(&embedding.feature, &expected);
    near(&embedding.logits, &logits);
    let query = Query {
        feature: &expected,
        logits: &logits,
    };
    let decision = &identifier.manifest().decision;
    let answer = decide(
        &query,
        identifier.gallery(),
        decision,
        &Default::default(),
        WHALES + 1,
    )
    .unwrap();
    let expected: Vec<f32> = answer.candidates.iter().map(|one| one.score).collect();
    near(&scores, &expected);
}

#[test]
fn views_travel_in_the_manifest_and_only_where_there_are_any() {
    let manifest = |views: &[f32]| {
        let mut contents = contents();
        contents.preprocessing.views = views.to_vec();
        let files = assemble(contents).unwrap();
        let manifest = files.into_iter().find(|file| file.path == "bundle.json");
        manifest.unwrap().bytes
    };
    assert!(!String::from_utf8(manifest(&[])).unwrap().contains("views"));
    let loader = Loader::new(&manifest(&[0.0, 0.2])).unwrap();
    assert_eq!(loader.manifest().preprocessing.views, [0.0, 0.2]);
    let message = Loader::new(&manifest(&[0.0, 3.0])).unwrap_err().to_string();
    assert!(
        message.contains("views is 3") && message.contains("between -0.2 and 1"),
        "{message}"
    );
}

#[test]
fn the_self_check_input_is_one_view() {
    let [single, several] = [seen(0.1, &[]).0, seen(0.1, &[0.0, 0.2]).0];
    assert_eq!(
        now(single.known_embedding()).unwrap(),
        now(several.known_embedding()).unwrap()
    );
}

#[test]
fn the_self_check_passes_its_own_embedding_and_no_other() {
    let mut right = contents();
    right.self_check.embedding = now(identifier(contents()).known_embedding()).unwrap();
    now(identifier(right.clone()).self_check()).unwrap();

    let mut wrong = right.clone();
    wrong.self_check.embedding[3] += 2e-4;
    assert!(
        now(identifier(wrong).self_check())
            .unwrap_err()
            .to_string()
            .contains("is off by")
    );
    let mut short = right;
    short.self_check.embedding.pop();
    assert!(now(identifier(short).self_check()).is_err());
}

#[test]
fn every_flipped_byte_of_a_file_is_found() {
    let files = assemble(contents()).unwrap();
    for file in files.iter().filter(|file| file.path != "bundle.json") {
        let mut loader = loader(&files);
        for at in (0..file.bytes.len()).step_by(file.bytes.len() / 50) {
            let mut spoilt = file.bytes.clone();
            spoilt[at] ^= 0x10;
            let message = loader.add(&file.path, spoilt).unwrap_err().to_string();
            assert!(message.contains(&file.path), "{message}");
        }
        let message = loader
            .add(&file.path, file.bytes[1..].to_vec())
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(&file.path) && message.contains("bytes"),
            "{message}"
        );
    }
}

#[test]
fn a_missing_file_is_named() {
    let files = assemble(contents()).unwrap();
    let manifest = files
        .iter()
        .find(|file| file.path == "bundle.json")
        .unwrap();
    let loader = Loader::new(&manifest.bytes).unwrap();
    assert!(
        loader
            .finish()
            .unwrap_err()
            .to_string()
            .contains("is missing")
    );
}

#[test]
fn a_manifest_that_cannot_be_used_is_refused() {
    let files = assemble(contents()).unwrap();
    let manifest = files
        .iter()
        .find(|file| file.path == "bundle.json")
        .unwrap();
    let text = String::from_utf8(manifest.bytes.clone()).unwrap();
    let message = |text: &str| Loader::new(text.as_bytes()).unwrap_err().to_string();
    assert!(message("{}").contains("bundle.json"));
    assert!(
        message(&text.replace("\"format\": 1", "\"format\": 9")).contains("update the program")
    );
    assert!(message(&text.replace("\"seed\": 5", "\"sead\": 5")).contains("seed"));
    assert!(
        message(&text.replace("\"temperature\": 1.0", "\"temperature\": -1.0"))
            .contains("temperature")
    );
    assert!(
        message(&text.replace("\"path\": \"weights", "\"path\": \"../weights")).contains("outside")
    );
}

#[test]
fn weights_of_another_model_are_refused() {
    let mut other = contents();
    other.model.embedder.head_width = 9;
    let bundle = loader(&assemble(other).unwrap()).finish();
    assert!(
        bundle
            .unwrap_err()
            .to_string()
            .contains("the model makes 18")
    );
    let mut other = contents();
    other.model.embedder.heads = 1;
    other.model.embedder.head_width = 16;
    let bundle = loader(&assemble(other).unwrap()).finish().unwrap();
    assert!(
        Identifier::new(bundle, &Device::flex())
            .unwrap_err()
            .to_string()
            .contains("tensor `")
    );
}
