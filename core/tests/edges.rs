//! Answers that count trailing edges, as whoever has a bundle with them relies on them.
#![allow(clippy::unwrap_used)]

mod common;

use common::growth::with_new_whales;
use common::{identifier, loader, now};
use flukeprint_core::bundle::{Contents, EdgeFacts, GrowingBundle, NewPhoto, assemble};
use flukeprint_core::decision::EvidenceParameters;
use flukeprint_core::evidence::Edge;
use flukeprint_core::evidence::probability::Curve;
use flukeprint_core::gallery::Label;
use flukeprint_core::identify::{EncounterPhoto, Identification, Identifier};
use flukeprint_core::photo::{Photo, Region};

const BOX: Region = Region {
    x0: 8.0,
    y0: 8.0,
    x1: 232.0,
    y1: 112.0,
};

/// A dark fluke before bright water, whose trailing edge has ripples of its own.
fn fluke(number: u32) -> Photo {
    let phase = |wave: u32| ((number * 7 + wave * 13) % 29) as f32;
    let line = |x: f32| {
        let share = x / 240.0;
        let ripples = (1..6).map(|wave| (phase(wave) + share * 11.0 * wave as f32).sin());
        70.0 - 70.0 * (share - 0.5).abs() + 2.5 * ripples.sum::<f32>()
    };
    let pixels = (0..240 * 120).flat_map(|i| {
        let covered = ((i / 240) as f32 + 1.0 - line((i % 240) as f32)).clamp(0.0, 1.0);
        [(200.0 - 150.0 * covered) as u8; 3]
    });
    Photo {
        width: 240,
        height: 120,
        pixels: pixels.collect(),
    }
}

fn facts() -> EdgeFacts {
    EdgeFacts {
        parameters: EvidenceParameters {
            whales: 1,
            photos: 1,
            worth: Curve::new(vec![[0.0, 0.5], [1.0, 0.5]]).unwrap(),
            odds_weight: 0.0,
            votes_weight: 0.0,
            edge_weight: 8.0,
            clear_edge_weight: 0.0,
            new_raise: 0.5,
            new_fall: 0.0,
            sharpness: 4.0,
            first_slope: 1.0,
            first_offset: 0.0,
            new_first: None,
        },
    }
}

/// Every photo of the gallery has the edge of the fluke with its number.
fn with_edges() -> Contents {
    let mut contents = with_new_whales();
    contents.edges = Some(facts());
    for (number, photo) in (0..).zip(&mut contents.photos) {
        photo.edge = Edge::trace(&fluke(number), BOX).unwrap();
        assert!(photo.edge.is_some());
    }
    contents
}

fn named(identifier: &Identifier, photo: &Photo) -> Identification {
    now(identifier.identify_photo(photo, Some(BOX), 5, |_| ())).unwrap()
}

fn first(answer: &Identification) -> Label {
    answer.answer.candidates[0].label
}

#[test]
fn a_whale_is_named_by_its_edge_where_the_network_names_another() {
    let plain = identifier(with_new_whales());
    let with_edges = identifier(with_edges());
    let mut by_the_edge_alone = 0;
    for whale in 0..4 {
        let photo = fluke(whale);
        let answer = named(&with_edges, &photo);
        assert_eq!(first(&answer), Label::Individual(whale));
        by_the_edge_alone += usize::from(first(&named(&plain, &photo)) != first(&answer));
        let edges = &answer.embedding.edges;
        assert_eq!(edges.len(), 5);
        let most = edges.iter().copied().fold(0.0, f32::max);
        assert_eq!(edges[whale as usize], most);
        // It is the answer of the encounter that the photo is alone.
        let alone = EncounterPhoto::from(answer.embedding.clone());
        let again = with_edges.decide(&[alone], 5).unwrap();
        assert_eq!(again.candidates, answer.answer.candidates);
    }
    assert!(by_the_edge_alone >= 2, "{by_the_edge_alone}");
}

#[test]
fn without_edges_to_compare_the_answer_is_that_of_the_network() {
    let plain = identifier(with_new_whales());
    let photo = fluke(2);
    let expected = named(&plain, &photo);
    assert!(expected.embedding.edges.is_empty());
    assert_eq!(plain.edge(&photo, BOX).unwrap(), None);
    // Edges of fewer photos than it takes to tell what is usual.
    let mut few = with_edges();
    few.photos
        .iter_mut()
        .skip(19)
        .for_each(|photo| photo.edge = None);
    let answer = named(&identifier(few), &photo);
    assert_eq!(answer.answer, expected.answer);
    assert!(answer.embedding.edges.iter().all(|&fit| fit == 0.0));
}

#[test]
fn a_photo_that_is_enrolled_brings_its_edge() {
    let files = assemble(with_edges()).unwrap();
    let content = |path: &str| files.iter().find(|file| file.path == path).unwrap();
    let read = |path: &str| Ok::<_, flukeprint_core::Error>(content(path).bytes.clone());
    let mut growing = GrowingBundle::open(&content("bundle.json").bytes, read).unwrap();
    let known = identifier(with_edges());
    let (photo, name) = (fluke(77), "Nora");
    let new = NewPhoto {
        file: "nora.jpg".to_owned(),
        sha256: "0".repeat(64),
        individual: Some(name.to_owned()),
        feature: named(&known, &photo).embedding.feature,
        thumbnail: None,
        keypoints: None,
        edge: known.edge(&photo, BOX).unwrap(),
    };
    assert!(new.edge.is_some());
    growing.enroll(vec![new.clone()], "2026-01-02").unwrap();
    let mut files = growing.files().unwrap();
    files.retain(|file| !file.path.starts_with("journal"));
    let grown = loader(&files).finish().unwrap();
    let row = grown.photos.iter().find(|photo| photo.file == new.file);
    assert_eq!(row.unwrap().edge, new.edge);
    let grown = Identifier::new(grown, &burn::tensor::Device::flex()).unwrap();
    let answer = named(&grown, &photo);
    assert_eq!(grown.name(first(&answer)), name);
}

#[test]
fn edges_that_cannot_be_weighed_or_read_are_refused_when_the_bundle_is_opened() {
    let mut heavy = with_edges();
    heavy.edges.as_mut().unwrap().parameters.edge_weight = -1.0;
    let files = assemble(heavy).unwrap();
    let manifest = files.iter().find(|file| file.path == "bundle.json");
    let refused = flukeprint_core::bundle::Loader::new(&manifest.unwrap().bytes);
    assert!(refused.unwrap_err().to_string().contains("edge_weight"));
    // An older program's bundle tells of none.
    let manifest = assemble(with_new_whales()).unwrap().pop().unwrap();
    assert!(!String::from_utf8(manifest.bytes).unwrap().contains("edge"));
}
