use super::loader::{Batch, Batches, Loading, epoch_order};
use crate::{Error, Result};
use proptest::prelude::*;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const LOADING: Loading = Loading {
    seed: 1,
    epoch: 0,
    batch_size: 4,
    drop_last: false,
    workers: 2,
    ahead: 2,
};

/// A sample that shows its photo and what its generator drew.
fn sample(photo: usize, rng: &mut ChaCha8Rng) -> Result<(usize, u32)> {
    Ok((photo, rng.random()))
}

fn all(order: &[usize], loading: Loading) -> Vec<Batch<(usize, u32)>> {
    Batches::start(order.to_vec(), loading, sample)
        .map(|batch| batch.unwrap())
        .collect()
}

fn broken(photo: usize) -> Error {
    Error::Photo {
        path: format!("{photo}.jpg").into(),
        reason: "it is broken".to_owned(),
    }
}

#[test]
fn a_batch_that_is_not_full_comes_last_or_not_at_all() {
    let sizes = |drop_last| -> Vec<usize> {
        let loading = Loading {
            drop_last,
            ..LOADING
        };
        all(&[7; 10], loading)
            .iter()
            .map(|batch| batch.samples.len())
            .collect()
    };
    assert_eq!(sizes(false), [4, 4, 2]);
    assert_eq!(sizes(true), [4, 4]);
}

#[test]
fn a_photo_that_stands_twice_in_an_epoch_is_changed_twice() {
    let batches = all(&[3, 3], LOADING);
    let [(_, first), (_, second)] = batches[0].samples[..] else {
        unreachable!()
    };
    assert_ne!(first, second);
}

#[test]
fn another_epoch_and_another_seed_draw_anew() {
    let drawn: BTreeSet<u32> = [(1, 0), (1, 1), (2, 0)]
        .map(|(seed, epoch)| {
            all(
                &[3],
                Loading {
                    seed,
                    epoch,
                    ..LOADING
                },
            )[0]
            .samples[0]
                .1
        })
        .into();
    assert_eq!(drawn.len(), 3);
    let photos: Vec<usize> = (0..50).collect();
    let orders = BTreeSet::from([(1, 0), (1, 1), (2, 0)].map(|(s, e)| epoch_order(&photos, s, e)));
    assert_eq!(orders.len(), 3);
}

#[test]
fn the_first_broken_photo_in_order_ends_the_epoch_with_its_name() {
    let order: Vec<usize> = (0..40).collect();
    let make = |photo: usize, _: &mut ChaCha8Rng| match photo {
        6 | 9 | 10 => Err(broken(photo)),
        _ => Ok(photo),
    };
    for workers in [1, 3] {
        let batches = Batches::start(order.clone(), Loading { workers, ..LOADING }, make);
        let results: Vec<Result<Batch<usize>>> = batches.collect();
        assert_eq!(results.len(), 2);
        assert_eq!(results[0].as_ref().unwrap().samples, [0, 1, 2, 3]);
        let message = results[1].as_ref().unwrap_err().to_string();
        assert!(message.contains("6.jpg"), "{message}");
    }
}

#[test]
fn a_panic_in_a_thread_is_an_error_that_names_the_photo() {
    let make = |photo: usize, _: &mut ChaCha8Rng| match photo {
        2 => panic!("no such marker"),
        _ => Ok(photo),
    };
    let mut batches = Batches::start((0..100).collect(), LOADING, make);
    let error = batches.next().unwrap().unwrap_err();
    assert!(
        error.to_string().contains("number 2") && error.to_string().contains("no such marker"),
        "{error}"
    );
    assert_eq!(error.exit_code(), 1);
    assert!(batches.next().is_none());
}

/// Counts how many of its kind are alive, and the most there were.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn never_more_than_the_batches_ahead_and_the_callers_are_in_memory() {
    let (alive, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (counted, peak) = (Arc::clone(&alive), Arc::clone(&most));
    let make = move |_: usize, _: &mut ChaCha8Rng| {
        let now = counted.fetch_add(1, Ordering::SeqCst) + 1;
        peak.fetch_max(now, Ordering::SeqCst);
        Ok(Counted(Arc::clone(&counted)))
    };
    let mut batches = Batches::start(
        (0..400).collect(),
        Loading {
            workers: 4,
            ..LOADING
        },
        make,
    );
    for batch in batches.by_ref() {
        let batch = batch.unwrap();
        std::thread::yield_now();
        assert_eq!(batch.samples.len(), 4);
    }
    // Two batches ahead and the caller's, of four each.
    assert!(most.load(Ordering::SeqCst) <= 12, "{most:?}");
    drop(batches);
    assert_eq!(alive.load(Ordering::SeqCst), 0);
}

#[test]
fn leaving_an_epoch_early_makes_no_more_samples() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let make = move |photo: usize, _: &mut ChaCha8Rng| {
        count.fetch_add(1, Ordering::SeqCst);
        Ok(photo)
    };
    let mut batches = Batches::start((0..1000).collect(), LOADING, make);
    batches.next().unwrap().unwrap();
    drop(batches);
    // The batch that was given and the two ahead.
    assert!(made.load(Ordering::SeqCst) <= 12, "{made:?}");
    assert_eq!(Arc::strong_count(&made), 1, "the threads are gone");
}

#[test]
fn no_photos_make_no_batches() {
    assert!(all(&[], LOADING).is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn threads_change_neither_order_nor_content(
        photos in prop::collection::vec(0usize..30, 0..40), batch_size in 0usize..7,
        workers in 0usize..6, ahead in 0usize..4, seed: u64, epoch in 0u64..5,
    ) {
        let plain = Loading { seed, epoch, batch_size, drop_last: false, workers: 1, ahead: 1 };
        let order = epoch_order(&photos, seed, epoch);
        let expected = all(&order, plain);
        prop_assert_eq!(&all(&order, Loading { workers, ahead, ..plain }), &expected);
        let flat: Vec<usize> = expected.iter().flat_map(|batch| batch.photos.clone()).collect();
        prop_assert_eq!(&flat, &order);
        for batch in &expected {
            let shown: Vec<usize> = batch.samples.iter().map(|sample| sample.0).collect();
            prop_assert_eq!(&shown, &batch.photos);
        }
        prop_assert_eq!(Batches::start(order, plain, sample).remaining(), expected.len());
    }

    #[test]
    fn an_epoch_visits_every_photo_once(photos in prop::collection::vec(any::<usize>(), 0..60), seed: u64, epoch: u64) {
        let (mut visited, mut wanted) = (epoch_order(&photos, seed, epoch), photos);
        visited.sort_unstable();
        wanted.sort_unstable();
        prop_assert_eq!(visited, wanted);
    }
}
