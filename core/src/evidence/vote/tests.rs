//! What a user of the vote relies on.

use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::evidence::{CODE_OF_ONE, DESCRIPTOR, Frame, Keypoint};

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

/// A photo of 100 x 50 pixels with keypoints in its middle.
fn photo(descriptors: &[[i8; DESCRIPTOR]]) -> Features {
    photo_at(descriptors, &vec![[50.0, 25.0]; descriptors.len()])
}

/// The same with keypoints at these places.
fn photo_at(descriptors: &[[i8; DESCRIPTOR]], centers: &[[f32; 2]]) -> Features {
    let keypoint = |&center: &[f32; 2]| Keypoint {
        frame: Frame {
            center,
            shape: [5.0, 0.0, 0.0, 5.0],
        },
        response: 1.0,
    };
    Features {
        size: [100, 50],
        keypoints: centers.iter().map(keypoint).collect(),
        descriptors: descriptors.as_flattened().to_vec(),
    }
}

fn all_of(photos: &[Vec<[i8; DESCRIPTOR]>]) -> Vec<Features> {
    photos
        .iter()
        .map(|descriptors| photo(descriptors))
        .collect()
}

fn index(photos: &[Vec<[i8; DESCRIPTOR]>]) -> Index {
    Index::build(&all_of(photos), &IndexOptions::default())
}

const EXACT: VoteOptions = VoteOptions {
    neighbours: 2,
    probes: u32::MAX,
    reach: 2.0,
};

#[test]
fn a_keypoint_votes_with_what_its_neighbour_has_over_the_background() {
    // Distances from the query (0, …): 32/256, 64/256 and, the third nearest, 96/256.
    let photos = [
        alloc::vec![descriptor(&[(0, 96)])],
        alloc::vec![descriptor(&[(1, 32)]), descriptor(&[(2, 127), (3, 127)])],
        alloc::vec![descriptor(&[(2, 64)])],
    ];
    let votes = index(&photos).vote(&photo(&[descriptor(&[])]), &EXACT);
    assert_eq!(votes, [0.0, 64.0 / CODE_OF_ONE, 32.0 / CODE_OF_ONE]);
}

#[test]
fn a_keypoint_votes_once_for_a_photo_and_photos_add_up_keypoints() {
    let photos = [
        alloc::vec![descriptor(&[(0, 20)]), descriptor(&[(1, 40)])],
        alloc::vec![descriptor(&[(2, 100)])],
    ];
    let query = photo(&[descriptor(&[]), descriptor(&[])]);
    // Of 80 / 256 and 60 / 256 the first counts, for each of two keypoints.
    let votes = index(&photos).vote(&query, &EXACT);
    assert_eq!(votes, [160.0 / CODE_OF_ONE, 0.0]);
}

#[test]
fn a_keypoint_looks_near_its_own_place_only() {
    // 30 of 100 to the right, 20 of 50 below and both, and the background, which looks like nothing.
    let places = [[80.0, 25.0], [50.0, 45.0], [80.0, 45.0], [50.0, 25.0]];
    let looks = [
        descriptor(&[(0, 8)]),
        descriptor(&[(0, 16)]),
        descriptor(&[(0, 4)]),
        descriptor(&[(1, 96)]),
    ];
    let photos = [0, 1, 2, 3].map(|i| photo_at(&looks[i..=i], &places[i..=i]));
    let index = Index::build(&photos, &IndexOptions::default());
    let query = photo(&[descriptor(&[])]);
    let voters = |reach| {
        let votes = index.vote(&query, &VoteOptions { reach, ..EXACT });
        [0, 1, 2, 3].map(|photo| votes[photo] > 0.0)
    };
    assert_eq!(voters(2.0), [true, false, true, false]);
    // The diagonal of 0.3 and 0.4 is out of reach, so that the fourth is the background of the first two.
    assert_eq!(voters(0.45), [true, true, false, false]);
    // Of two within reach the further one is the background.
    assert_eq!(voters(0.35), [true, false, false, false]);
    assert_eq!(voters(0.1), [false; 4]);
}

#[test]
fn some_photos_vote_as_if_the_others_were_not_there() {
    let mut numbers = Numbers(7);
    let mut drawn = |_| -> Vec<[i8; DESCRIPTOR]> {
        let descriptor = |_| core::array::from_fn(|_| numbers.next() as i8);
        (0..5).map(descriptor).collect()
    };
    let photos: Vec<_> = (0..6).map(&mut drawn).collect();
    for (place, query) in (0_u32..).zip(&photos) {
        let mut others = photos.clone();
        others.remove(place as usize);
        let query = &photo(query);
        let mut expected = index(&others).vote(query, &EXACT);
        expected.insert(place as usize, 0.0);
        let all = index(&photos);
        let in_it: Vec<bool> = (0..6).map(|other| other != place).collect();
        assert_eq!(all.vote_of_some(&in_it, query, &EXACT), expected);
        // Otherwise it would be its own best match.
        assert!(all.vote(query, &EXACT)[place as usize] > 0.0);
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
    let query = photo(&[descriptor(&[(0, 9)])]);
    assert!(index(&[]).vote(&query, &EXACT).is_empty());
    assert_eq!(
        index(&[Vec::new(), Vec::new()]).vote(&query, &EXACT),
        [0.0, 0.0]
    );
    assert_eq!(
        index(&[alloc::vec![descriptor(&[])]]).vote(&Features::default(), &EXACT),
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
    let query = photo(&query);
    let looking_into = |probes| VoteOptions { probes, ..EXACT };
    let rows = |probes| index.nearest(&query, 5, &looking_into(probes), None);
    let (all, few) = (rows(48), rows(6));
    let both = all
        .iter()
        .zip(&few)
        .map(|(all, few)| all.iter().filter(|near| few.contains(near)).count());
    let recall = both.sum::<usize>() as f64 / (5 * query.keypoints.len()) as f64;
    assert!(recall > 0.9, "{recall}");
    let votes = index.vote(
        &query,
        &VoteOptions {
            neighbours: 4,
            ..looking_into(6)
        },
    );
    let most = votes.iter().copied().fold(0.0, f32::max);
    assert_eq!(votes[17], most);
}

#[test]
fn a_sorting_that_was_kept_gives_the_same_index_and_one_of_others_none() {
    let mut numbers = Numbers(3);
    let photos = photos(20, 30, 40, &mut numbers);
    let of = |photos: &[Vec<[i8; DESCRIPTOR]>]| -> Descriptors { all_of(photos).iter().collect() };
    let options = IndexOptions::default();
    let heard = core::sync::atomic::AtomicUsize::new(0);
    let sorting = Sorting::of(&of(&photos), &options, &|rows| {
        heard.fetch_add(rows, core::sync::atomic::Ordering::Relaxed);
    });
    assert_eq!(heard.into_inner(), Sorting::steps(&of(&photos), &options));
    let query = &photo(&photos[4]);
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
    for (neighbours, probes, reach) in [
        (0, 16, 0.3),
        (101, 16, 0.3),
        (4, 0, 0.3),
        (4, 16, 0.0),
        (4, 16, 2.1),
        (4, 16, f32::NAN),
    ] {
        let options = VoteOptions {
            neighbours,
            probes,
            reach,
        };
        assert!(options.validate().is_err(), "{options:?}");
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
        let index = Index::build(&all_of(&photos), &options);
        let query: Vec<_> = (0..3).map(|_| numbers.near(&photos[0][0], 30)).collect();
        let found = index.nearest(&photo(&query), 5, &EXACT, None);
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
