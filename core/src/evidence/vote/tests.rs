//! What a user of the vote relies on.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::evidence::CODE_OF_ONE;
use crate::evidence::DESCRIPTOR;

use Label::{Individual as Whale, New};

/// A descriptor whose only numbers are `value` at `place` and what is left of a unit length at the last
/// place, in steps of 1/256 (cut off at ±127).
fn descriptor(entries: &[(usize, i8)]) -> [i8; DESCRIPTOR] {
    let mut codes = [0; DESCRIPTOR];
    for &(place, value) in entries {
        codes[place] = value;
    }
    codes
}

fn index(photos: &[Vec<[i8; DESCRIPTOR]>]) -> Index {
    Index::build(
        photos.iter().map(|photo| photo.as_flattened()),
        &IndexOptions::default(),
    )
}

const EXACT: VoteOptions = VoteOptions {
    neighbours: 2,
    probes: u32::MAX,
};

#[test]
fn a_keypoint_votes_with_what_its_neighbour_has_over_the_background() {
    // Distances from the query (0, …): 32/256, 64/256 and, the third nearest, 96/256.
    let photos = [
        alloc::vec![descriptor(&[(0, 96)])],
        alloc::vec![descriptor(&[(1, 32)]), descriptor(&[(2, 127), (3, 127)])],
        alloc::vec![descriptor(&[(2, 64)])],
    ];
    let votes = index(&photos).vote(&descriptor(&[]), &EXACT);
    assert_eq!(votes, [0.0, 64.0 / CODE_OF_ONE, 32.0 / CODE_OF_ONE]);
}

#[test]
fn a_keypoint_votes_once_for_a_photo_and_photos_add_up_keypoints() {
    let photos = [
        alloc::vec![descriptor(&[(0, 20)]), descriptor(&[(1, 40)])],
        alloc::vec![descriptor(&[(2, 100)])],
    ];
    let query = [descriptor(&[]), descriptor(&[])];
    // Of 80 / 256 and 60 / 256 the first counts, for each of two keypoints.
    let votes = index(&photos).vote(query.as_flattened(), &EXACT);
    assert_eq!(votes, [160.0 / CODE_OF_ONE, 0.0]);
}

#[test]
fn some_photos_vote_as_if_the_others_were_not_there() {
    let mut numbers = Numbers(7);
    let mut photo = |_| -> Vec<[i8; DESCRIPTOR]> {
        let descriptor = |_| core::array::from_fn(|_| numbers.next() as i8);
        (0..5).map(descriptor).collect()
    };
    let photos: Vec<_> = (0..6).map(&mut photo).collect();
    for (place, query) in (0_u32..).zip(&photos) {
        let mut others = photos.clone();
        others.remove(place as usize);
        let mut expected = index(&others).vote(query.as_flattened(), &EXACT);
        expected.insert(place as usize, 0.0);
        let all = index(&photos);
        let in_it: Vec<bool> = (0..6).map(|other| other != place).collect();
        assert_eq!(
            all.vote_of_some(&in_it, query.as_flattened(), &EXACT),
            expected
        );
        // Otherwise it would be its own best match.
        assert!(all.vote(query.as_flattened(), &EXACT)[place as usize] > 0.0);
    }
}

#[test]
fn a_whale_is_worth_its_best_photo() {
    let labels = [Whale(0), New, Whale(1), Whale(0), Whale(2), Whale(1)];
    let by_label = LabelVotes::of(&[1.0, 4.0, 2.0, 3.0, 0.0, 2.0], labels, 3);
    assert_eq!(by_label.votes, [3.0, 2.0, 0.0, 4.0]);
    // Of equally good photos the first; the third whale has no vote.
    assert_eq!(by_label.best, [Some(3), Some(2), None, Some(1)]);
}

#[test]
fn an_empty_catalogue_and_an_empty_query_have_no_votes() {
    assert!(index(&[]).vote(&descriptor(&[(0, 9)]), &EXACT).is_empty());
    assert_eq!(
        index(&[Vec::new(), Vec::new()]).vote(&descriptor(&[]), &EXACT),
        [0.0, 0.0]
    );
    assert_eq!(
        index(&[alloc::vec![descriptor(&[])]]).vote(&[], &EXACT),
        [0.0]
    );
}

/// Numbers without meaning, the same every time (Knuth's MMIX generator).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> i32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 40) % 61) as i32 - 30
    }

    /// A descriptor near another.
    fn near(&mut self, codes: &[i8; DESCRIPTOR], spread: i32) -> [i8; DESCRIPTOR] {
        codes.map(|code| (i32::from(code) + self.next() * spread / 30).clamp(-127, 127) as i8)
    }
}

/// Photos of skin that comes in `kinds`.
fn photos(
    count: usize,
    keypoints: usize,
    kinds: usize,
    numbers: &mut Numbers,
) -> Vec<Vec<[i8; DESCRIPTOR]>> {
    let nothing = [0; DESCRIPTOR];
    let kinds: Vec<_> = (0..kinds).map(|_| numbers.near(&nothing, 30)).collect();
    (0..count)
        .map(|photo| {
            (0..keypoints)
                .map(|i| numbers.near(&kinds[(photo * 7 + i * 13) % kinds.len()], 12))
                .collect()
        })
        .collect()
}

#[test]
fn few_lists_find_what_all_find() {
    let mut numbers = Numbers(1);
    let photos = photos(60, 40, 90, &mut numbers);
    let index = index(&photos);
    assert_eq!(
        (index.photos(), index.descriptors(), index.lists()),
        (60, 2400, 48)
    );
    let query: Vec<_> = photos[17]
        .iter()
        .map(|codes| numbers.near(codes, 6))
        .collect();
    let rows = |probes| index.nearest(query.as_flattened(), 5, probes, None);
    let (all, few) = (rows(48), rows(6));
    let both = all
        .iter()
        .zip(&few)
        .map(|(all, few)| all.iter().filter(|near| few.contains(near)).count());
    let recall = both.sum::<usize>() as f64 / (5 * query.len()) as f64;
    assert!(recall > 0.9, "{recall}");
    let votes = index.vote(
        query.as_flattened(),
        &VoteOptions {
            neighbours: 4,
            probes: 6,
        },
    );
    let most = votes.iter().copied().fold(0.0, f32::max);
    assert_eq!(votes[17], most);
}

#[test]
fn a_sorting_that_was_kept_gives_the_same_index_and_one_of_others_none() {
    let mut numbers = Numbers(3);
    let photos = photos(20, 30, 40, &mut numbers);
    let of = |photos: &[Vec<[i8; DESCRIPTOR]>]| -> Descriptors {
        photos.iter().map(|photo| photo.as_flattened()).collect()
    };
    let options = IndexOptions::default();
    let heard = core::sync::atomic::AtomicUsize::new(0);
    let sorting = Sorting::of(&of(&photos), &options, &|rows| {
        heard.fetch_add(rows, core::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(heard.into_inner(), Sorting::steps(&of(&photos), &options));
    let query = photos[4].as_flattened();
    let again = Index::new(of(&photos), &sorting).unwrap();
    assert_eq!(
        again.vote(query, &VoteOptions::default()),
        index(&photos).vote(query, &VoteOptions::default())
    );
    assert!(Index::new(of(&photos[1..]), &sorting).is_err());
    let mut beyond = sorting;
    beyond.lists[7] = beyond.centres.len() as u32;
    assert!(Index::new(of(&photos), &beyond).is_err());
}

#[test]
fn options_that_would_take_for_ever_are_refused() {
    let index = IndexOptions::default();
    assert!(index.validate().is_ok() && VoteOptions::default().validate().is_ok());
    let endless = IndexOptions {
        rounds: 101,
        ..index
    };
    assert!(endless.validate().is_err());
    assert!(IndexOptions { sample: 0, ..index }.validate().is_err());
    for (neighbours, probes) in [(0, 16), (101, 16), (4, 0)] {
        assert!(VoteOptions { neighbours, probes }.validate().is_err());
    }
}

#[test]
fn starts_are_spread_and_different() {
    let starts = kmeans::spread(100, 30_000);
    assert_eq!(starts.len(), 100);
    // Their golden-section gaps are at most a few times the mean, and in no step with 300.
    assert!(
        starts
            .windows(2)
            .all(|pair| pair[1] > pair[0] && pair[1] - pair[0] < 900)
    );
    assert!(starts.iter().filter(|&&start| start % 300 < 150).count() > 30);
    assert_eq!(kmeans::spread(5, 3), [0, 1, 2]);
    assert_eq!(kmeans::spread(0, 3), [] as [usize; 0]);
}

proptest! {
    #[test]
    fn looking_into_all_lists_is_brute_force(seed in any::<u64>(), lists in 1_u32..20) {
        let mut numbers = Numbers(seed);
        let photos = photos(6, 9, 5, &mut numbers);
        let options = IndexOptions { lists, ..IndexOptions::default() };
        let index = Index::build(photos.iter().map(|photo| photo.as_flattened()), &options);
        let query: Vec<_> = (0..3).map(|_| numbers.near(&photos[0][0], 30)).collect();
        let found = index.nearest(query.as_flattened(), 5, lists as usize, None);
        for (query, found) in query.iter().zip(found) {
            let by_definition = |row: &[i8; DESCRIPTOR]| -> i32 {
                row.iter().zip(query).map(|(&a, &b)| (i32::from(a) - i32::from(b)).pow(2)).sum()
            };
            let mut all: Vec<i32> = photos.iter().flatten().map(by_definition).collect();
            all.sort_unstable();
            let distances: Vec<i32> = found.iter().map(|near| near.0).collect();
            prop_assert_eq!(&distances[..], &all[..5]);
            for (distance, row) in found {
                let photo = &photos[index.photo(row) as usize];
                prop_assert!(photo.iter().any(|row| by_definition(row) == distance));
            }
        }
    }
}
