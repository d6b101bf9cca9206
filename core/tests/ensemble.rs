//! Bundles of several networks.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use burn::tensor::Device;
use common::{WHALES, contents, gallery, identifier, loader, now, weights_of};
use flukeprint_core::bundle::{
    Contents, EnsembleFacts, Loader, MemberFacts, assemble, join_members, weights,
};
use flukeprint_core::decision::{Query, decide};
use flukeprint_core::identify::{Embedding, Fuse, Identifier};
use flukeprint_core::model::EmbedderConfig;
use flukeprint_core::model::backbone::BackboneName;
use flukeprint_core::photo::{Photo, Preprocessing, Region};
use std::sync::OnceLock;

/// The second member: another width and another input than the first.
fn second() -> MemberFacts {
    MemberFacts {
        embedder: EmbedderConfig::new(BackboneName::Compact, 3, 4),
        preprocessing: Preprocessing::imagenet(48, 80),
        recipe: "wide".to_owned(),
        recipe_sha256: String::new(),
        seed: 5,
        start_sha256: None,
    }
}

/// A bundle of the second member alone; made once, so that its weights are the same.
fn second_alone() -> Contents {
    static WEIGHTS: OnceLock<Vec<u8>> = OnceLock::new();
    let member = second();
    let weights = WEIGHTS.get_or_init(|| weights_of(&member.embedder, WHALES));
    let mut alone = contents();
    alone.weights = weights.clone();
    alone.gallery = gallery(member.embedder.feature_width());
    alone.model.embedder = member.embedder;
    alone.preprocessing = member.preprocessing;
    alone
}

/// The first member and the second, of which the weights file is given.
fn both(fuse: Fuse, member: MemberFacts, weights_of_second: Vec<u8>) -> Contents {
    let mut both = contents();
    let widths = [&both.model.embedder, &member.embedder].map(EmbedderConfig::feature_width);
    both.gallery = gallery(fuse.width(widths));
    both.weights = join_members(&[both.weights, weights_of_second]).unwrap();
    both.model.ensemble = Some(EnsembleFacts {
        fuse,
        others: vec![member],
    });
    both
}

fn ensemble() -> Contents {
    both(Fuse::Concatenate, second(), second_alone().weights)
}

fn manifest(contents: Contents) -> String {
    let files = assemble(contents).unwrap();
    let manifest = files.into_iter().find(|file| file.path == "bundle.json");
    String::from_utf8(manifest.unwrap().bytes).unwrap()
}

fn photo() -> (Photo, Option<Region>) {
    let photo = Photo {
        width: 90,
        height: 60,
        pixels: (0..90 * 60 * 3).map(|i| (i * 7 % 251) as u8).collect(),
    };
    let region = Region {
        x0: 20.0,
        y0: 10.0,
        x1: 70.0,
        y1: 50.0,
    };
    (photo, Some(region))
}

fn embed(identifier: &Identifier) -> Embedding {
    let (photo, region) = photo();
    now(identifier.embed_photo(&photo, region, |_| ()))
        .unwrap()
        .2
}

/// What must be said of two members' embeddings: unit features side by side over the root of two,
/// and the mean of the logits.
fn by_hand(members: [Embedding; 2]) -> Embedding {
    let feature = members.iter().flat_map(|one| {
        let length = one.feature.iter().map(|v| v * v).sum::<f32>().sqrt();
        one.feature.iter().map(move |v| v / length / 2f32.sqrt())
    });
    let logits = members[0].logits.iter().zip(&members[1].logits);
    Embedding {
        feature: feature.collect(),
        logits: logits.map(|(a, b)| (a + b) / 2.0).collect(),
        edges: Vec::new(),
    }
}

fn assert_near(found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
}

#[test]
fn a_photo_is_answered_by_all_members_together() {
    let expected =
        by_hand([identifier(contents()), identifier(second_alone())].map(|one| embed(&one)));
    let together = identifier(ensemble());
    let found = embed(&together);
    assert_near(&found.feature, &expected.feature);
    assert_near(&found.logits, &expected.logits);

    let (photo, region) = photo();
    let answer = now(together.identify_photo(&photo, region, WHALES, |_| ())).unwrap();
    let query = Query {
        feature: &expected.feature,
        logits: &expected.logits,
    };
    let decision = &together.manifest().decision;
    let expected = decide(
        &query,
        together.gallery(),
        decision,
        &Default::default(),
        WHALES,
    )
    .unwrap();
    let scores = |candidates: &[flukeprint_core::decision::Candidate]| -> Vec<f32> {
        candidates.iter().map(|one| one.score).collect()
    };
    assert_near(
        &scores(&answer.answer.candidates),
        &scores(&expected.candidates),
    );
}

#[test]
fn averaged_members_of_one_width_answer_together() {
    let mut member = second();
    member.embedder = contents().model.embedder;
    let mut alone = contents();
    alone.preprocessing = member.preprocessing.clone();
    let members = [identifier(contents()), identifier(alone.clone())].map(|one| embed(&one));
    let halves = by_hand(members);
    let width = halves.feature.len() / 2;
    let sum: Vec<f32> = (0..width)
        .map(|i| halves.feature[i] + halves.feature[width + i])
        .collect();
    let length = sum.iter().map(|v| v * v).sum::<f32>().sqrt();
    let expected: Vec<f32> = sum.iter().map(|v| v / length).collect();
    let found = embed(&identifier(both(Fuse::Average, member, alone.weights)));
    assert_near(&found.feature, &expected);
    assert_near(&found.logits, &halves.logits);
}

#[test]
fn the_self_check_sees_every_member() {
    let mut right = ensemble();
    let embedding = now(identifier(right.clone()).known_embedding()).unwrap();
    let [first, second] =
        [contents(), second_alone()].map(|alone| now(identifier(alone).known_embedding()).unwrap());
    let halves = [first.clone(), second].concat();
    let expected: Vec<f32> = halves.iter().map(|v| v / 2f32.sqrt()).collect();
    assert_near(&embedding, &expected);
    right.self_check.embedding = embedding;
    now(identifier(right.clone()).self_check()).unwrap();
    // Another second member, the first as it was.
    let mut wrong = both(
        Fuse::Concatenate,
        second_facts_with_other_input(),
        second_alone().weights,
    );
    wrong.self_check = right.self_check;
    let message = now(identifier(wrong).self_check()).unwrap_err().to_string();
    assert!(message.contains("is off by"), "{message}");
}

fn second_facts_with_other_input() -> MemberFacts {
    MemberFacts {
        preprocessing: Preprocessing::imagenet(64, 64),
        ..second()
    }
}

/// `bundle.json` of one network as the first version of the format had it.
const FIRST_VERSION: &str = r#"{
  "format": 1, "title": "old",
  "model": {
    "embedder": { "backbone": "compact", "heads": 2, "head_width": 8 },
    "finder": null, "recipe": "demo", "recipe_sha256": "", "data_sha256": "", "seed": 1
  },
  "preprocessing": {
    "height": 32, "width": 64, "margin": 0.1,
    "mean": [0.485, 0.456, 0.406], "deviation": [0.229, 0.224, 0.225]
  },
  "decision": {
    "temperature": 1.0, "new_probability": 0.5, "new_similarity": 0.5,
    "weights": [0.0, 1.0, 0.0], "sharpness": 10.0
  },
  "catalogue": { "individuals": 4, "photos": 4, "new_photos": 0, "date": "2026-01-01", "filters": [] },
  "self_check": { "embedding": [], "tolerance": 0.002 },
  "files": {
    "weights": { "path": "weights.w.safetensors", "bytes": 1, "sha256": "" },
    "index": { "path": "index.i.safetensors", "bytes": 1, "sha256": "" },
    "individuals": { "path": "individuals.j.json", "bytes": 1, "sha256": "" }
  }
}"#;

#[test]
fn a_manifest_of_the_first_version_is_one_network() {
    let loader = Loader::new(FIRST_VERSION.as_bytes()).unwrap();
    let members = loader.manifest().members();
    assert_eq!(members.len(), 1);
    assert_eq!((members[0].number, members[0].recipe), (None, "demo"));
    assert_eq!(loader.manifest().feature_width(), 16);
}

#[test]
fn one_network_is_written_as_before_and_several_as_the_next_format() {
    let one = manifest(contents());
    assert!(one.contains("\"format\": 1") && !one.contains("ensemble"));
    let several = manifest(ensemble());
    assert!(several.contains("\"format\": 2") && several.contains("\"concatenate\""));
    let loader = Loader::new(several.as_bytes()).unwrap();
    assert_eq!(loader.manifest().feature_width(), 16 + 12);
}

#[test]
fn members_that_do_not_fit_the_manifest_are_refused_by_name() {
    let message = |text: &str| Loader::new(text.as_bytes()).unwrap_err().to_string();
    let several = manifest(ensemble());
    let other_format = message(&several.replace("\"format\": 2", "\"format\": 1"));
    assert!(other_format.contains("networks is 2"), "{other_format}");
    let alone = message(&manifest(contents()).replace("\"format\": 1", "\"format\": 2"));
    assert!(alone.contains("networks is 1"), "{alone}");
    let averaged = message(&several.replace("\"concatenate\"", "\"average\""));
    assert!(
        averaged.contains("member 2 (wide)") && averaged.contains("cannot be averaged"),
        "{averaged}"
    );
    assert!(message(&several.replace("\"concatenate\"", "\"multiply\"")).contains("multiply"));
    let mut far = ensemble();
    far.model.ensemble.as_mut().unwrap().others[0]
        .preprocessing
        .views = vec![9.0];
    let far = message(&manifest(far));
    assert!(
        far.contains("member 2 (wide)") && far.contains("views is 9"),
        "{far}"
    );
    let mut flat = ensemble();
    flat.model.ensemble.as_mut().unwrap().others[0]
        .preprocessing
        .height = 1;
    let flat = message(&manifest(flat));
    assert!(
        flat.contains("member 2 (wide)") && flat.contains("1 x 80"),
        "{flat}"
    );
}

#[test]
fn members_that_do_not_fit_the_weights_are_refused_by_name() {
    let message = |contents: Contents| {
        let bundle = loader(&assemble(contents).unwrap()).finish().unwrap();
        Identifier::new(bundle, &Device::flex())
            .unwrap_err()
            .to_string()
    };
    let with = |weights: Vec<u8>| both(Fuse::Concatenate, second(), weights);
    let mut named = weights::decode("w", &second_alone().weights).unwrap();
    let (name, values) = named.pop_first().unwrap();
    let missing = message(with(weights::encode(&named).unwrap()));
    assert!(
        missing.contains("member 2 (wide)") && missing.contains("is missing"),
        "{missing}"
    );
    named.insert(format!("{name}.more"), values.clone());
    named.insert(name, values);
    let left_over = message(with(weights::encode(&named).unwrap()));
    assert!(
        left_over.contains("member 2 (wide)") && left_over.contains("no such tensor"),
        "{left_over}"
    );
    let knows_less = message(with(weights_of(&second().embedder, WHALES - 1)));
    assert!(
        knows_less.contains("member 2 (wide): answers for 3"),
        "{knows_less}"
    );
    let knows_more = message(with(weights_of(&second().embedder, WHALES + 1)));
    assert!(
        knows_more.contains("member 2 (wide)") && knows_more.contains("5 individuals"),
        "{knows_more}"
    );
    let mut third = ensemble();
    third.weights = join_members(&[
        contents().weights,
        second_alone().weights,
        second_alone().weights,
    ])
    .unwrap();
    let third = message(third);
    assert!(
        third.contains("member 1 (none)") && third.contains("member3."),
        "{third}"
    );
}
