use super::catalogue::{Catalogue, PhotoEntry};
use super::check::Size;
use super::split::Split;
use crate::Error;
use flukeprint_core::gallery::Label;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

/// Whale `w_i` with `counts[i]` photos, and `new` photos of new whales.
fn catalogue(counts: &[usize], new: usize) -> Catalogue {
    let individuals: Vec<String> = (0..counts.len())
        .map(|whale| format!("w_{whale:03}"))
        .collect();
    let known = counts.iter().enumerate().flat_map(|(whale, &count)| {
        (0..count).map(move |n| (format!("w{whale}-{n}.jpg"), Label::Individual(whale as u32)))
    });
    let new = (0..new).map(|n| (format!("new-{n}.jpg"), Label::New));
    let photos = known.chain(new).map(|(file, label)| PhotoEntry {
        path: PathBuf::from(&file),
        file,
        label,
        region: None,
        size: Size {
            width: 1,
            height: 1,
        },
    });
    Catalogue {
        root: PathBuf::new(),
        photos: photos.collect(),
        individuals,
    }
}

/// What each photo became, by file: 't'rain, t'u'ne, 'r'eport or un's'een.
fn roles(catalogue: &Catalogue, split: &Split) -> BTreeMap<String, char> {
    let lists = [
        ('t', &split.train),
        ('u', &split.tune),
        ('r', &split.report),
        ('s', &split.unseen),
    ];
    let role = |(role, places): (char, &Vec<usize>)| -> Vec<(String, char)> {
        places
            .iter()
            .map(|&place| (catalogue.photos[place].file.clone(), role))
            .collect()
    };
    lists.into_iter().flat_map(role).collect()
}

fn is_known(catalogue: &Catalogue, place: usize) -> bool {
    catalogue.photos[place].label != Label::New
}

#[test]
fn the_specs_rule_on_a_small_catalogue() {
    let catalogue = catalogue(&[1, 2, 3, 1, 5], 10);
    let split = Split::draw(&catalogue, 7, 4, 0);
    let validation: Vec<usize> = [&split.tune[..], &split.report].concat();
    let whales: BTreeSet<String> = validation
        .iter()
        .map(|&p| catalogue.photos[p].file.chars().take(2).collect())
        .collect();
    assert_eq!(
        whales,
        BTreeSet::from(["w1", "w2", "w4", "ne"].map(String::from))
    );
    assert_eq!(validation.len(), 3 + 4);
    assert_eq!((split.tune.len(), split.report.len()), (2 + 2, 1 + 2));
    assert_eq!(split.train.len(), 22 - 7);
    assert_eq!(split.everything(), (0..22).collect::<Vec<_>>());
}

#[test]
fn at_most_four_fifths_of_the_new_whales_are_drawn() {
    for (new, wanted, drawn) in [
        (10, 1000, 8),
        (3, 1000, 2),
        (1, 1000, 0),
        (10, 8, 8),
        (0, 5, 0),
    ] {
        let split = Split::draw(&catalogue(&[1], new), 1, wanted, 0);
        assert_eq!(
            split.tune.len() + split.report.len(),
            drawn,
            "{wanted} of {new}"
        );
    }
}

#[test]
fn at_most_four_fifths_of_the_whales_with_two_photos_are_kept_out() {
    let catalogue = catalogue(&[1, 2, 3, 1, 5, 2, 2], 10);
    for (wanted, whales) in [(0, 0), (1, 1), (3, 3), (4, 4), (5, 4), (1000, 4)] {
        let split = Split::draw(&catalogue, 7, 4, wanted);
        assert_eq!(split.unseen_whales(&catalogue), whales);
        assert_eq!(split.everything(), (0..26).collect::<Vec<_>>());
    }
}

#[test]
fn every_whale_is_kept_out_about_as_often() {
    let catalogue = catalogue(&[2, 3, 4, 5], 0);
    let mut kept_out = [0; 4];
    for seed in 0..4000 {
        let first = Split::draw(&catalogue, seed, 0, 1).unseen[0];
        let Label::Individual(whale) = catalogue.photos[first].label else {
            panic!("photo {first} shows a new whale");
        };
        kept_out[whale as usize] += 1;
    }
    // As for photos below.
    assert!(
        kept_out
            .iter()
            .all(|&count: &i32| count.abs_diff(1000) < 137),
        "{kept_out:?}"
    );
}

#[test]
fn every_photo_of_a_whale_is_drawn_about_as_often() {
    let catalogue = catalogue(&[4], 0);
    let mut drawn = [0; 4];
    for seed in 0..4000 {
        drawn[Split::draw(&catalogue, seed, 0, 0).tune[0]] += 1;
    }
    // Binomial with n = 4000, p = 1/4: 1000 with a deviation of 27; five deviations.
    assert!(
        drawn.iter().all(|&count: &i32| count.abs_diff(1000) < 137),
        "{drawn:?}"
    );
}

#[test]
fn a_stored_split_comes_back_for_reordered_rows() {
    let catalogue = catalogue(&[2, 3], 6);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("split.json");
    let split = Split::draw(&catalogue, 3, 4, 1);
    assert_eq!(split.unseen_whales(&catalogue), 1);
    split.save(&catalogue, &path).unwrap();
    assert_eq!(Split::load(&catalogue, &path).unwrap(), split);
    let mut reordered = catalogue.clone();
    reordered.photos.reverse();
    let loaded = Split::load(&reordered, &path).unwrap();
    assert_eq!(roles(&reordered, &loaded), roles(&catalogue, &split));
}

#[test]
fn a_stored_split_from_before_there_were_unseen_whales_is_read() {
    let catalogue = catalogue(&[2, 1], 0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("split.json");
    let text = r#"{"seed":1,"train":["w0-0.jpg","w1-0.jpg"],"tune":["w0-1.jpg"],"report":[]}"#;
    std::fs::write(&path, text).unwrap();
    let split = Split::load(&catalogue, &path).unwrap();
    assert_eq!(
        (split.train, split.tune, split.unseen),
        (vec![0, 2], vec![1], vec![])
    );
    // And one without them is stored as it was then.
    Split::draw(&catalogue, 1, 0, 0)
        .save(&catalogue, &path)
        .unwrap();
    assert!(!std::fs::read_to_string(&path).unwrap().contains("unseen"));
}

#[test]
fn a_stored_split_that_keeps_a_part_of_a_whale_or_new_whales_out_is_refused() {
    let catalogue = catalogue(&[2, 1], 1);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("split.json");
    for (train, unseen, word) in [
        (
            r#""w0-0.jpg","w1-0.jpg","new-0.jpg""#,
            r#""w0-1.jpg""#,
            "w0-0.jpg",
        ),
        (
            r#""w0-0.jpg","w0-1.jpg","w1-0.jpg""#,
            r#""new-0.jpg""#,
            "new whales",
        ),
    ] {
        let text =
            format!(r#"{{"seed":1,"train":[{train}],"tune":[],"report":[],"unseen":[{unseen}]}}"#);
        std::fs::write(&path, text).unwrap();
        let error = Split::load(&catalogue, &path).unwrap_err();
        assert!(matches!(error, Error::Split { .. }), "{error}");
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[test]
fn a_stored_split_of_another_catalogue_is_refused() {
    let drawn = catalogue(&[2, 3], 6);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("split.json");
    Split::draw(&drawn, 3, 4, 0).save(&drawn, &path).unwrap();
    for other in [catalogue(&[2, 4], 6), catalogue(&[2, 2], 6)] {
        let error = Split::load(&other, &path).unwrap_err();
        assert!(matches!(error, Error::Split { .. }), "{error}");
        assert!(error.to_string().contains("w1-"), "{error}");
    }
}

#[test]
fn a_stored_split_that_is_damaged_is_refused() {
    let catalogue = catalogue(&[2], 0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("split.json");
    assert!(matches!(
        Split::load(&catalogue, &path),
        Err(Error::MissingFile { .. })
    ));
    let texts = [
        "",
        "{}",
        r#"{"seed":1,"train":["w0-0.jpg","w0-1.jpg"],"tune":["w0-1.jpg"],"report":[]}"#,
        r#"{"seed":1,"train":["w0-0.jpg"],"tune":["w0-1.jpg"],"report":[],"test":[]}"#,
    ];
    for text in texts {
        std::fs::write(&path, text).unwrap();
        let error = Split::load(&catalogue, &path).unwrap_err();
        assert!(matches!(error, Error::Split { .. }), "{text}: {error}");
        assert!(error.to_string().contains("split.json"), "{error}");
    }
}

#[test]
fn a_stored_split_that_leaves_a_whale_without_a_training_photo_is_refused() {
    let catalogue = catalogue(&[2, 1], 0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("split.json");
    let text = r#"{"seed":1,"train":["w0-0.jpg"],"tune":["w0-1.jpg","w1-0.jpg"],"report":[]}"#;
    std::fs::write(&path, text).unwrap();
    let error = Split::load(&catalogue, &path).unwrap_err();
    assert!(
        error.to_string().contains("whale `w_001` has no photo"),
        "{error}"
    );
    assert_eq!(error.exit_code(), 2);
}

proptest! {
    #[test]
    fn every_photo_has_one_role_and_every_whale_trains(
        counts in prop::collection::vec(1usize..5, 0..12), new in 0usize..20, wanted in 0usize..20, seed: u64,
    ) {
        let catalogue = catalogue(&counts, new);
        let split = Split::draw(&catalogue, seed, wanted, 0);
        prop_assert_eq!(split.everything(), (0..catalogue.photos.len()).collect::<Vec<_>>());
        prop_assert!(catalogue.require_each_individual(&split.train, "training photos").is_ok());
        // Stratified: each half has half of the known and half of the new whales.
        for known in [true, false] {
            let count = |places: &[usize]| places.iter().filter(|&&p| is_known(&catalogue, p) == known).count();
            let (tune, report) = (count(&split.tune), count(&split.report));
            prop_assert!(tune == report || tune == report + 1);
        }
    }

    #[test]
    fn unseen_whales_are_whole_and_leave_the_others_where_they_were(
        counts in prop::collection::vec(1usize..5, 0..12), new in 0usize..20, wanted in 0usize..12, seed: u64,
    ) {
        let catalogue = catalogue(&counts, new);
        let with = Split::draw(&catalogue, seed, 5, wanted);
        let before = roles(&catalogue, &Split::draw(&catalogue, seed, 5, 0));
        let several = counts.iter().filter(|&&count| count >= 2).count();
        prop_assert_eq!(with.unseen_whales(&catalogue), wanted.min(several * 80 / 100));
        let unseen: BTreeSet<Label> = with.unseen.iter().map(|&p| catalogue.photos[p].label).collect();
        prop_assert!(!unseen.contains(&Label::New));
        let after = roles(&catalogue, &with);
        prop_assert_eq!(after.len(), catalogue.photos.len());
        for photo in &catalogue.photos {
            let is_unseen = unseen.contains(&photo.label);
            let wanted = if is_unseen { 's' } else { before[&photo.file] };
            prop_assert_eq!(after[&photo.file], wanted);
        }
        // More of them keep those that were there.
        let more = Split::draw(&catalogue, seed, 5, wanted + 1).unseen;
        prop_assert!(with.unseen.iter().all(|place| more.contains(place)));
    }

    #[test]
    fn row_order_does_not_matter(
        counts in prop::collection::vec(1usize..5, 1..8), new in 0usize..10, seed: u64, shift in 0usize..20,
    ) {
        let catalogue = catalogue(&counts, new);
        let mut reordered = catalogue.clone();
        let middle = shift % reordered.photos.len();
        reordered.photos.rotate_left(middle);
        let (a, b) = (Split::draw(&catalogue, seed, 5, 3), Split::draw(&reordered, seed, 5, 3));
        prop_assert_eq!(roles(&catalogue, &a), roles(&reordered, &b));
    }

    #[test]
    fn a_whale_that_joins_moves_at_most_one_photo_between_the_halves_and_none_else(
        counts in prop::collection::vec(1usize..5, 1..12), new in 0usize..10, seed: u64, joins in 1usize..5,
    ) {
        let before = catalogue(&counts, new);
        let mut after = before.clone();
        after.individuals.insert(0, "a_first".to_owned());
        for photo in &mut after.photos {
            if let Label::Individual(number) = &mut photo.label {
                *number += 1;
            }
        }
        let first = catalogue(&[joins], 0).photos.into_iter();
        let first = first.map(|photo| PhotoEntry { file: format!("first-{}", photo.file), ..photo });
        after.photos.splice(0..0, first);
        let old = roles(&before, &Split::draw(&before, seed, 5, 0));
        let now = roles(&after, &Split::draw(&after, seed, 5, 0));
        let moved: Vec<(char, char)> =
            old.iter().map(|(file, &role)| (role, now[file])).filter(|(a, b)| a != b).collect();
        prop_assert!(moved.len() <= 1, "{:?}", moved);
        prop_assert!(moved.iter().all(|&(a, b)| a != 't' && b != 't'), "{:?}", moved);
    }
}
