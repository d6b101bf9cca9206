//! Who is photographed how often, and what the photos are called.

use std::collections::BTreeSet;

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::dice::{Dice, Stream};
use super::{NEW_WHALE, SynthConfig};

/// How many photos each known whale has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// As in the competition: of 5,004 whales 41 % have one photo; the mean is 3.1, the most 73.
    Competition,
    /// The same number for each, 1 or more.
    Each(u32),
}

/// Facts of the competition's train and test sets.
const WHALES: f64 = 5004.0;
const SINGLES: f64 = 2073.0;
const NAMED_PHOTOS: f64 = 15_697.0;
const NEW_PHOTOS: f64 = 9664.0;
const TEST_PHOTOS: f64 = 7960.0;
const MOST: u32 = 73;
/// Share of the test photos that show a known whale.
const TEST_KNOWN: f32 = 0.724;

impl Counts {
    /// The counts of `individuals` whales in rising order: evenly spaced quantiles, so that any
    /// number of whales follows the shape as closely as it can.
    pub(super) fn of(self, individuals: u32) -> Vec<u32> {
        match self {
            Self::Each(count) => vec![count; individuals as usize],
            Self::Competition => {
                let share = shares();
                let quantile = |whale: u32| (f64::from(whale) + 0.5) / f64::from(individuals);
                (0..individuals)
                    .map(|whale| count_at(&share, quantile(whale)))
                    .collect()
            }
        }
    }
}

/// The share of whales with 1, 2, … photos. Past the singles it falls like (n + ½)^−2.51, which
/// gives the competition's mean.
fn shares() -> Vec<f64> {
    let tail: Vec<f64> = (2..=MOST)
        .map(|n| libm::pow(f64::from(n) + 0.5, -2.51))
        .collect();
    let total: f64 = tail.iter().sum();
    let singles = SINGLES / WHALES;
    let rest = tail
        .into_iter()
        .map(|weight| weight / total * (1.0 - singles));
    std::iter::once(singles).chain(rest).collect()
}

fn count_at(shares: &[f64], quantile: f64) -> u32 {
    let mut below = 0.0;
    for (count, share) in (1..).zip(shares) {
        below += share;
        if quantile < below {
            return count;
        }
    }
    MOST
}

/// Photos of unnamed whales and photos in `test` that go with so many photos of named ones.
pub(super) fn in_proportion(named: u32) -> (u32, u32) {
    let new = (f64::from(named) * NEW_PHOTOS / NAMED_PHOTOS).round();
    let test = ((f64::from(named) + new) * TEST_PHOTOS / (NAMED_PHOTOS + NEW_PHOTOS)).round();
    (new as u32, test as u32)
}

/// The set a photo belongs to; also the name of its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Set {
    Train,
    Test,
}

/// A photo to be taken.
#[derive(Debug, Clone)]
pub(super) struct Planned {
    /// Its number, which is its stream of randomness.
    pub(super) number: u32,
    pub(super) name: String,
    pub(super) set: Set,
}

/// One whale and its photos.
#[derive(Debug, Clone)]
pub(super) struct Subject {
    pub(super) whale: u32,
    pub(super) id: String,
    pub(super) photos: Vec<Planned>,
}

/// Every whale that is photographed: the known ones first, then those without a name.
pub(super) fn subjects(config: &SynthConfig) -> Vec<Subject> {
    let mut dice = Dice::new(config.seed, Stream::Plan);
    let mut names = Names {
        dice: Dice::new(config.seed, Stream::Names),
        taken: BTreeSet::new(),
    };
    let mut counts = config.photos_per_individual.of(config.individuals);
    counts.shuffle(dice.rng());
    let mut subjects: Vec<Subject> = (0..config.individuals)
        .map(|whale| names.known(whale))
        .collect();
    let mut shots = Shots { names, taken: 0 };
    for (subject, &count) in subjects.iter_mut().zip(&counts) {
        shots.take(subject, Set::Train, count);
    }
    let known_tests = (0..config.test_photos)
        .filter(|_| dice.chance(TEST_KNOWN))
        .count() as u32;
    let busy: Vec<u32> = (0..)
        .zip(&counts)
        .flat_map(|(whale, &count)| (0..count).map(move |_| whale))
        .collect();
    for _ in 0..known_tests {
        // In proportion to the photos in `train`, as who is met often is met often again.
        let pick = dice.upto(busy.len() as u32 - 1);
        shots.take(&mut subjects[busy[pick as usize] as usize], Set::Test, 1);
    }
    let unnamed = [
        (Set::Train, config.new_photos),
        (Set::Test, config.test_photos - known_tests),
    ];
    for (set, photos) in unnamed {
        for _ in 0..photos {
            let mut subject = Subject {
                whale: subjects.len() as u32,
                id: NEW_WHALE.to_owned(),
                photos: Vec::new(),
            };
            shots.take(&mut subject, set, 1);
            subjects.push(subject);
        }
    }
    subjects
}

struct Shots {
    names: Names,
    taken: u32,
}

impl Shots {
    fn take(&mut self, subject: &mut Subject, set: Set, count: u32) {
        for _ in 0..count {
            let name = format!("{}.jpg", self.names.fresh(9));
            subject.photos.push(Planned {
                number: self.taken,
                name,
                set,
            });
            self.taken += 1;
        }
    }
}

/// Names that look like hashes, none used twice.
struct Names {
    dice: Dice,
    taken: BTreeSet<String>,
}

impl Names {
    fn known(&mut self, whale: u32) -> Subject {
        Subject {
            whale,
            id: format!("w_{}", self.fresh(7)),
            photos: Vec::new(),
        }
    }

    fn fresh(&mut self, digits: usize) -> String {
        loop {
            let bits = (u64::from(self.dice.bits()) << 32) | u64::from(self.dice.bits());
            let name: String = format!("{bits:016x}").chars().take(digits).collect();
            if self.taken.insert(name.clone()) {
                return name;
            }
        }
    }
}
