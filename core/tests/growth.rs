//! Bundles that grow: what comes in is found, and what was done can be told and taken back.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use common::growth::{
    DAY, WIDTH, bytes, ensemble, feature, load, logits, open, photo, start, with_new_whales,
};
use common::{WHALES, contents, gallery};
use flukeprint_core::Error;
use flukeprint_core::bundle::weights::without_classifiers;
use flukeprint_core::bundle::{Did, FileEntry, GrowingBundle, MERGED_FORMAT, StaticFile, assemble};
use flukeprint_core::identify::Fuse;

#[test]
fn a_bundle_that_nothing_was_done_to_is_written_as_it_was() {
    for contents in [
        contents(),
        with_new_whales(),
        ensemble(Fuse::Concatenate),
        ensemble(Fuse::Average),
    ] {
        let files = assemble(contents).unwrap();
        assert!(bytes(&open(&files).files().unwrap()) == bytes(&files));
    }
}

#[test]
fn enrolled_whales_are_found_and_have_columns_in_order() {
    let mut bundle = open(&start());
    let photos = vec![
        photo(WIDTH, 1, Some("Nora")),
        photo(WIDTH, 2, None),
        photo(WIDTH, 3, Some("Bo")),
        photo(WIDTH, 4, Some("Nora")),
        photo(WIDTH, 5, Some("w_1")),
    ];
    let enrolled = bundle.enroll(photos, DAY).unwrap();
    assert_eq!(
        (enrolled.photos, enrolled.individuals, enrolled.columns),
        (5, 2, 2)
    );
    assert_eq!(bundle.classified(), WHALES + 2);
    let files = bundle.files().unwrap();
    let loaded = load(&files);
    let names: Vec<&str> = loaded.gallery.individuals()[WHALES..]
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["Nora", "Bo"]);
    let facts = &loaded.manifest.catalogue;
    assert_eq!(
        (facts.individuals, facts.photos, facts.new_photos),
        (WHALES + 2, WHALES + 24 + 5, 25)
    );
    for (number, whale) in [(1, WHALES), (4, WHALES), (3, WHALES + 1), (5, 1)] {
        let nearest = loaded
            .gallery
            .nearest_per_label(&feature(WIDTH, number))
            .unwrap();
        assert!(nearest[whale].unwrap().distance < 0.05, "photo {number}");
    }
    // Trained columns say what they said.
    let (before, after) = (logits(&start()), logits(&files));
    assert_eq!(before, after[..WHALES]);
    assert_eq!(after.len(), WHALES + 2);
}

#[test]
fn an_imprinted_column_is_as_probable_on_the_photos_of_others_as_trained_ones_are() {
    let mut bundle = open(&start());
    bundle
        .enroll(vec![photo(WIDTH, 1, Some("Nora"))], DAY)
        .unwrap();
    let loaded = load(&bundle.files().unwrap());
    let network = &loaded.networks[0];
    let (weight, bias) = (&network["total.weight"], &network["total.bias"]);
    let columns = WHALES + 1;
    let column = |at: usize| -> Vec<f32> {
        (0..WIDTH)
            .map(|i| weight.values[i * columns + at])
            .collect()
    };
    // The gallery: a photo of each whale, those of new ones, Nora's.
    let store = gallery(WIDTH);
    let old = store.features().features().unwrap().chunks(WIDTH);
    let mut photos: Vec<(Option<usize>, Vec<f32>)> = old
        .enumerate()
        .map(|(whale, feature)| (Some(whale), feature.to_vec()))
        .collect();
    photos.extend((0..24).map(|number| (None, feature(WIDTH, 1000 + number))));
    photos.push((Some(WHALES), feature(WIDTH, 1)));
    // Fresh batch norms have deviation 1 and mean 0, so that a feature is as long as the root of its width.
    let power = |at: usize, photo: &[f32]| -> f64 {
        let length = photo.iter().map(|v| v * v).sum::<f32>().sqrt();
        let dot: f32 = column(at).iter().zip(photo).map(|(a, b)| a * b).sum();
        f64::from(dot / length * (WIDTH as f32).sqrt() + bias.values[at]).exp()
    };
    let others = photos.iter().filter(|(whale, _)| *whale != Some(WHALES));
    let shares = others.map(|(whale, photo)| {
        let trained = (0..WHALES).filter(|at| *whale != Some(*at));
        power(WHALES, photo) / trained.map(|at| power(at, photo)).sum::<f64>()
    });
    let shares: Vec<f64> = shares.collect();
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    assert!((mean * WHALES as f64 - 1.0).abs() < 0.02, "{mean}");
    let length = |at| column(at).iter().map(|v| v * v).sum::<f32>().sqrt();
    let lengths: Vec<f32> = (0..WHALES).map(length).collect();
    let least = lengths.iter().copied().fold(f32::MAX, f32::min);
    let most = lengths.iter().copied().fold(0.0, f32::max);
    assert!(least * 0.98 <= length(WHALES) && length(WHALES) <= most * 1.02);
    // It points where its photo does.
    let photo = feature(WIDTH, 1);
    let norm = photo.iter().map(|v| v * v).sum::<f32>().sqrt() * length(WHALES);
    let cosine: f32 = column(WHALES)
        .iter()
        .zip(&photo)
        .map(|(a, b)| a * b / norm)
        .sum();
    assert!(cosine > 0.999, "{cosine}");
}

#[test]
fn one_photo_after_another_gives_the_column_of_all_at_once() {
    let photos = || (1..4).map(|number| photo(WIDTH, number, Some("Nora")));
    let mut at_once = open(&start());
    at_once.enroll(photos().collect(), DAY).unwrap();
    let mut in_turn = open(&start());
    for photo in photos() {
        in_turn.enroll(vec![photo], DAY).unwrap();
    }
    let weights = |bundle: &GrowingBundle| bundle.files().unwrap()[0].bytes.clone();
    assert!(weights(&at_once) == weights(&in_turn));
    in_turn.remove_photo("new_3.jpg", DAY).unwrap();
    let mut two = open(&start());
    two.enroll(photos().take(2).collect(), DAY).unwrap();
    assert!(weights(&two) == weights(&in_turn));
}

#[test]
fn every_member_of_an_ensemble_gets_a_column_where_its_features_can_be_told_apart() {
    for (fuse, width, columns) in [(Fuse::Concatenate, 32, 1), (Fuse::Average, 16, 0)] {
        let mut bundle = open(&assemble(ensemble(fuse)).unwrap());
        let enrolled = bundle.enroll(vec![photo(width, 1, Some("Nora"))], DAY);
        assert_eq!(enrolled.unwrap().columns, columns);
        let files = bundle.files().unwrap();
        assert_eq!(logits(&files).len(), WHALES + columns);
        bundle.undo().unwrap();
        let before = assemble(ensemble(fuse)).unwrap();
        assert!(bytes(&bundle.files().unwrap()) == bytes(&before));
    }
}

#[test]
fn merged_whales_answer_as_one_and_old_programs_are_told() {
    let mut bundle = open(&start());
    bundle.merge("w_2", "w_1", DAY).unwrap();
    assert_eq!(bundle.names(), ["w_0", "w_2", "w_3"]);
    let files = bundle.files().unwrap();
    let loaded = load(&files);
    assert_eq!(loaded.manifest.format, MERGED_FORMAT);
    let of_whale = loaded.photos.iter().filter(|one| one.individual == Some(1));
    assert_eq!(of_whale.count(), 2);
    let softmax = |logits: &[f32]| -> Vec<f32> {
        let sum: f32 = logits.iter().map(|v| v.exp()).sum();
        logits.iter().map(|v| v.exp() / sum).collect()
    };
    let (apart, together) = (softmax(&logits(&start())), softmax(&logits(&files)));
    let expected = [apart[0], apart[1] + apart[2], apart[3]];
    assert_eq!(together.len(), 3);
    for (found, expected) in together.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
    // What was merged can be removed, and another can be merged into it.
    bundle.merge("w_0", "w_2", DAY).unwrap();
    assert_eq!(logits(&bundle.files().unwrap()).len(), 2);
    bundle.remove_individual("w_0", DAY).unwrap();
    assert_eq!(load(&bundle.files().unwrap()).manifest.format, 1);
}

#[test]
fn the_journal_is_read_again_and_tells_what_was_done() {
    let mut bundle = open(&start());
    bundle
        .enroll(vec![photo(WIDTH, 1, Some("Nora"))], DAY)
        .unwrap();
    bundle.rename("Nora", "Nora Ann", DAY).unwrap();
    bundle.remove_photo("unknown_3.jpg", DAY).unwrap();
    bundle.remove_individual("w_3", DAY).unwrap();
    let files = bundle.files().unwrap();
    let mut again = open(&files);
    assert!(bytes(&again.files().unwrap()) == bytes(&files));
    let told: Vec<String> = again
        .history()
        .iter()
        .map(|entry| format!("{} {}", entry.date, entry.did))
        .collect();
    assert_eq!(
        told,
        [
            "2026-02-03 enroll 1 photos; new individual Nora",
            "2026-02-03 rename Nora to Nora Ann",
            "2026-02-03 remove photo unknown_3.jpg of new_whale",
            "2026-02-03 remove w_3 with 1 photos"
        ]
    );
    let undone = again.undo().unwrap();
    assert!(matches!(undone, Did::RemoveIndividual { name, .. } if name == "w_3"));
    for _ in 0..3 {
        again.undo().unwrap();
    }
    assert!(again.undo().unwrap_err().to_string().contains("nothing"));
    assert!(bytes(&again.files().unwrap()) == bytes(&start()));
}

#[test]
fn a_journal_of_another_model_is_refused() {
    let mut bundle = open(&start());
    bundle.rename("w_0", "Zoe", DAY).unwrap();
    let mut files = bundle.files().unwrap();
    let text = |file: &StaticFile| String::from_utf8(file.bytes.clone()).unwrap();
    let at = files
        .iter()
        .position(|file| file.path.starts_with("journal"))
        .unwrap();
    let journal = text(&files[at]);
    let hash = &journal[journal.find(':').unwrap() + 2..][..64];
    let other = journal.replace(hash, &"0".repeat(64)).into_bytes();
    let entry = FileEntry::of("journal", "json", &other);
    let manifest = text(files.last().unwrap());
    let old = FileEntry::of("journal", "json", journal.as_bytes());
    let manifest = manifest
        .replace(&old.path, &entry.path)
        .replace(&old.sha256, &entry.sha256);
    files.push(StaticFile {
        path: entry.path,
        bytes: other,
    });
    let read = |path: &str| -> Result<Vec<u8>, Error> {
        let file = files.iter().find(|file| file.path == path);
        Ok(file.unwrap().bytes.clone())
    };
    let error = GrowingBundle::open(manifest.as_bytes(), read).unwrap_err();
    assert!(error.to_string().contains("another model"), "{error}");
}

/// A decision that the classifier has no part in ships without one, and the bundle grows by its photos alone.
#[test]
fn a_bundle_without_a_classifier_grows_and_goes_back() {
    for mut contents in [
        with_new_whales(),
        ensemble(Fuse::Concatenate),
        ensemble(Fuse::Average),
    ] {
        contents.weights = without_classifiers("the weights", &contents.weights).unwrap();
        let width = contents.gallery.features().dimension();
        let before = assemble(contents).unwrap();
        let mut bundle = open(&before);
        assert!(bytes(&bundle.files().unwrap()) == bytes(&before));
        let photos = vec![photo(width, 1, Some("Nora")), photo(width, 2, Some("w_1"))];
        let enrolled = bundle.enroll(photos, DAY).unwrap();
        assert_eq!((enrolled.individuals, enrolled.columns), (1, 0));
        bundle.merge("w_2", "Nora", DAY).unwrap();
        bundle.remove_individual("w_0", DAY).unwrap();
        bundle.remove_photo("new_2.jpg", DAY).unwrap();
        let files = bundle.files().unwrap();
        let loaded = load(&files);
        assert_eq!(loaded.manifest.format, load(&before).manifest.format);
        let names: Vec<&str> = loaded
            .gallery
            .individuals()
            .iter()
            .map(|one| one.name.as_str())
            .collect();
        assert_eq!(names, ["w_1", "w_2", "w_3"]);
        let nearest = loaded
            .gallery
            .nearest_per_label(&feature(width, 1))
            .unwrap();
        assert!(nearest[1].unwrap().distance < 0.05, "Nora is w_2 now");
        assert!(logits(&files).is_empty());
        for _ in 0..4 {
            bundle.undo().unwrap();
        }
        assert!(bytes(&bundle.files().unwrap()) == bytes(&before));
    }
}
