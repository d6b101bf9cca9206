//! What no bundle that grows does, and what every one does.
#![allow(missing_docs, clippy::unwrap_used)] // a test stops at what is not as it should be

mod common;

use common::growth::{
    DAY, WIDTH, bytes, ensemble, feature, load, logits, open, photo, start, with_new_whales,
};
use flukeprint_core::bundle::{GrowingBundle, NewPhoto, assemble, sha256_hex};
use flukeprint_core::identify::Fuse;
use proptest::prelude::*;
use std::collections::BTreeSet;

#[test]
fn what_cannot_be_done_is_refused_and_changes_nothing() {
    let mut bundle = open(&start());
    bundle
        .enroll(vec![photo(WIDTH, 1, Some("Nora"))], DAY)
        .unwrap();
    let before = bytes(&bundle.files().unwrap());
    let spoilt = |change: fn(&mut NewPhoto)| {
        let mut spoilt = photo(WIDTH, 2, Some("Bo"));
        change(&mut spoilt);
        spoilt
    };
    let refusals: [(NewPhoto, &str); 8] = [
        (
            spoilt(|one| one.feature[3] = f32::NAN),
            "value 3 of the feature is NaN",
        ),
        (spoilt(|one| one.feature.push(0.5)), "another model"),
        (spoilt(|one| one.feature.fill(0.0)), "length zero"),
        (
            spoilt(|one| one.sha256 = sha256_hex(&1usize.to_le_bytes())),
            "same picture as `new_1.jpg`",
        ),
        (
            spoilt(|one| one.feature = feature(WIDTH, 1)),
            "is in the bundle already; leave it out",
        ),
        (
            spoilt(|one| one.file = "unknown_4.jpg".to_owned()),
            "another photo called `unknown_4.jpg`",
        ),
        (
            spoilt(|one| one.individual = Some("new_whale".to_owned())),
            "`new_whale` cannot be",
        ),
        (
            spoilt(|one| one.individual = Some(" Bo".to_owned())),
            "space",
        ),
    ];
    for (spoilt, words) in refusals {
        let error = bundle.enroll(vec![photo(WIDTH, 9, Some("Io")), spoilt], DAY);
        let message = error.unwrap_err().to_string();
        assert!(message.contains(words), "{words}: {message}");
    }
    let twice = vec![photo(WIDTH, 2, None), photo(WIDTH, 2, None)];
    let message = bundle.enroll(twice, DAY).unwrap_err().to_string();
    assert!(message.contains("was given too"), "{message}");
    assert!(bundle.enroll(Vec::new(), DAY).is_err());

    type Change = fn(&mut GrowingBundle) -> Result<(), flukeprint_core::bundle::GrowthError>;
    let refusals: [(Change, &str); 9] = [
        (|b| b.remove_individual("Ada", DAY), "no individual `Ada`"),
        (|b| b.remove_photo("no.jpg", DAY), "no photo `no.jpg`"),
        (|b| b.remove_photo("new_1.jpg", DAY), "only photo of `Nora`"),
        (|b| b.merge("w_1", "w_1", DAY), "merged with itself"),
        (|b| b.merge("w_1", "Ada", DAY), "no individual `Ada`"),
        (|b| b.rename("w_1", "w_2", DAY), "individual `w_2` already"),
        (
            |b| b.rename("w_1", "new_whale", DAY),
            "`new_whale` cannot be",
        ),
        (|b| b.rename("w_1", "", DAY), "empty"),
        (|b| b.rename("Ada", "Eve", DAY), "no individual `Ada`"),
    ];
    for (change, words) in refusals {
        let message = change(&mut bundle).unwrap_err().to_string();
        assert!(message.contains(words), "{words}: {message}");
    }
    assert!(bytes(&bundle.files().unwrap()) == before);
    for name in ["w_0", "w_1", "w_2", "w_3"] {
        bundle.remove_individual(name, DAY).unwrap();
    }
    let message = bundle.remove_individual("Nora", DAY).unwrap_err();
    assert!(message.to_string().contains("last individual"), "{message}");
}

/// A change of a bundle; numbers are taken modulo what there is.
#[derive(Clone, Debug)]
enum Change {
    Enroll(Vec<Option<usize>>),
    Remove(usize),
    RemovePhoto(usize),
    Merge(usize, usize),
    Rename(usize, usize),
    Undo,
}

fn any_change() -> impl Strategy<Value = Change> {
    let whale = || 0usize..40;
    prop_oneof![
        3 => prop::collection::vec(prop::option::weighted(0.8, 0usize..12), 1..4)
            .prop_map(Change::Enroll),
        1 => whale().prop_map(Change::Remove),
        2 => whale().prop_map(Change::RemovePhoto),
        2 => (whale(), whale()).prop_map(|(a, b)| Change::Merge(a, b)),
        1 => (whale(), 0usize..12).prop_map(|(a, b)| Change::Rename(a, b)),
        1 => Just(Change::Undo),
    ]
}

/// Does a change or is refused; returns by how much the journal grew.
fn change(bundle: &mut GrowingBundle, width: usize, change: &Change, next: &mut usize) -> isize {
    let name = |number: usize| bundle.names()[number % bundle.names().len()].clone();
    let before = bundle.history().len();
    match change {
        Change::Enroll(whales) => {
            let photos = whales.iter().map(|whale| {
                *next += 1;
                photo(width, *next, whale.map(|w| format!("e_{w}")).as_deref())
            });
            let photos = photos.collect();
            bundle.enroll(photos, DAY).unwrap();
        }
        Change::Remove(number) => {
            let name = name(*number);
            let _ = bundle.remove_individual(&name, DAY);
        }
        Change::RemovePhoto(number) => {
            let files = bundle.files().unwrap();
            let photos = load(&files).photos;
            let _ = bundle.remove_photo(&photos[number % photos.len()].file, DAY);
        }
        Change::Merge(a, b) => {
            let names = [name(*a), name(*b)];
            let _ = bundle.merge(&names[0], &names[1], DAY);
        }
        Change::Rename(number, to) => {
            let name = name(*number);
            let _ = bundle.rename(&name, &format!("r_{to}"), DAY);
        }
        Change::Undo => drop(bundle.undo()),
    }
    bundle.history().len() as isize - before as isize
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn whatever_was_done_can_be_taken_back_to_the_byte(
        changes in prop::collection::vec(any_change(), 1..14),
        of_two in any::<bool>(),
    ) {
        let (contents, width) = match of_two {
            true => (ensemble(Fuse::Concatenate), 32),
            false => (with_new_whales(), WIDTH),
        };
        let first = assemble(contents).unwrap();
        let mut bundle = open(&first);
        let mut next = 0;
        // Every state that is reached, by the length of its journal.
        let mut states = vec![bytes(&first)];
        for one in &changes {
            match change(&mut bundle, width, one, &mut next) {
                0 => (),
                1 => states.push(bytes(&bundle.files().unwrap())),
                -1 => drop(states.pop()),
                other => panic!("the journal grew by {other}"),
            }
            let files = bundle.files().unwrap();
            prop_assert!(&bytes(&files) == states.last().unwrap());
            // It is a bundle: columns for the first individuals, no name twice, no row lost.
            let loaded = load(&files);
            let names: BTreeSet<_> = loaded.gallery.individuals().iter().map(|one| &one.name).collect();
            prop_assert_eq!(names.len(), bundle.names().len());
            prop_assert_eq!(loaded.photos.len(), loaded.gallery.rows().len());
            prop_assert_eq!(logits(&files).len(), bundle.classified());
            prop_assert!(bundle.classified() == bundle.names().len());
            bundle = open(&files);
        }
        while bundle.undo().is_ok() {
            states.pop();
            prop_assert!(&bytes(&bundle.files().unwrap()) == states.last().unwrap());
        }
        prop_assert_eq!(states.len(), 1);
    }
}
