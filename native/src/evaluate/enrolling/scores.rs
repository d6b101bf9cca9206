//! Scores before and after an enrolment.

use super::super::intervals::{Bootstrap, Interval};
use crate::Result;
use crate::tune::TuneError;
use flukeprint_core::gallery::Label;
use flukeprint_core::metrics::LISTED;
use serde::Serialize;
use std::collections::BTreeMap;

/// A share and where it lies when other whales are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Share {
    /// The share.
    pub value: f64,
    /// By [`Bootstrap::default`].
    pub interval: Interval,
}

/// How often photos find their whale, `New` being an answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Found {
    /// Photos that ask.
    pub queries: usize,
    /// Share whose whale comes first.
    pub top1: Share,
    /// Share whose whale is among the first five.
    pub top5: Share,
}

/// How the photos of the report half fare.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Old {
    /// MAP@5 of all.
    pub map5: Share,
    /// Top-1 of all.
    pub top1: Share,
    /// Share of known whales' photos whose whale comes first among the known ones.
    pub known_top1: Share,
}

/// What is found once whales were enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct After {
    /// The enrolled whales.
    pub enrolled: Found,
    /// Those of them that have a single photo to ask with, as the old whales with one gallery photo mostly
    /// do; none where all have more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with_two_photos: Option<Found>,
    /// Every second of them, and the others: to choose on one half and report on the other.
    pub halves: [Found; 2],
    /// The photos of the report half.
    pub old: Old,
    /// What these have lost since before; below 0 is a gain.
    pub cost: Old,
    /// Share of old whales' photos that are given to an enrolled whale.
    pub taken: f64,
    /// What `taken` would be if a wrong whale were any other with equal chance.
    pub taken_by_chance: f64,
}

/// How a photo fares.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ranked {
    pub(super) truth: Label,
    /// Rank of its whale among all labels.
    pub(super) rank: usize,
    /// Rank of a known whale among the known ones.
    pub(super) among_known: Option<usize>,
    /// The known whale that comes first.
    pub(super) first_known: usize,
}

impl After {
    /// `whales` counts those that were there and those that came.
    pub(super) fn new(
        enrolled: &[Ranked],
        before: &[Ranked],
        now: &[Ranked],
        whales: [usize; 2],
    ) -> Result<Self> {
        let [old, new] = whales;
        let half = |odd: usize| {
            let of_half = |ranked: &&Ranked| ranked.truth.slot(usize::MAX) % 2 == odd;
            let half: Vec<Ranked> = enrolled.iter().filter(of_half).copied().collect();
            Found::of(&half)
        };
        let known: Vec<&Ranked> = now.iter().filter(|one| one.truth != Label::New).collect();
        let share = |count: usize| count as f64 / known.len().max(1) as f64;
        let taken = known.iter().filter(|one| one.first_known >= old).count();
        let wrong = known.iter().filter(|one| one.among_known != Some(1));
        Ok(Self {
            enrolled: Found::of(enrolled)?,
            with_two_photos: Found::of(&single_queries(enrolled)).ok(),
            halves: [half(0)?, half(1)?],
            old: Old::of(now)?,
            cost: old_cost(before, now)?,
            taken: share(taken),
            taken_by_chance: share(wrong.count()) * new as f64 / (old + new - 1).max(1) as f64,
        })
    }
}

/// The queries whose whale has no other.
fn single_queries(ranks: &[Ranked]) -> Vec<Ranked> {
    let mut counts: BTreeMap<Label, usize> = BTreeMap::new();
    for one in ranks {
        *counts.entry(one.truth).or_default() += 1;
    }
    let single = ranks.iter().filter(|one| counts[&one.truth] == 1);
    single.copied().collect()
}

impl Found {
    pub(super) fn of(ranks: &[Ranked]) -> Result<Self> {
        let hits: Vec<(Label, [f64; 2])> = ranks
            .iter()
            .map(|one| (one.truth, [1, LISTED].map(|k| within(one.rank, k))))
            .collect();
        let [top1, top5] = shares(&hits)?;
        Ok(Self {
            queries: hits.len(),
            top1,
            top5,
        })
    }
}

impl Old {
    pub(super) fn of(ranks: &[Ranked]) -> Result<Self> {
        let all: Vec<(Label, [f64; 2])> = ranks.iter().map(|one| (one.truth, worth(one))).collect();
        let known: Vec<(Label, [f64; 1])> = ranks.iter().filter_map(known_worth).collect();
        old(&all, &known)
    }
}

/// What was lost, photo by photo, so that the interval is that of the difference.
fn old_cost(before: &[Ranked], now: &[Ranked]) -> Result<Old> {
    let pairs = || before.iter().zip(now);
    let all: Vec<(Label, [f64; 2])> = pairs()
        .map(|(before, now)| {
            let ([map5, top1], [map5_now, top1_now]) = (worth(before), worth(now));
            (before.truth, [map5 - map5_now, top1 - top1_now])
        })
        .collect();
    let known: Vec<(Label, [f64; 1])> = pairs()
        .filter_map(|(before, now)| {
            let (before, now) = (known_worth(before)?, known_worth(now)?);
            Some((before.0, [before.1[0] - now.1[0]]))
        })
        .collect();
    old(&all, &known)
}

fn old(all: &[(Label, [f64; 2])], known: &[(Label, [f64; 1])]) -> Result<Old> {
    let ([map5, top1], [known_top1]) = (shares(all)?, shares(known)?);
    Ok(Old {
        map5,
        top1,
        known_top1,
    })
}

/// The means of K measures with their intervals.
fn shares<const K: usize>(queries: &[(Label, [f64; K])]) -> Result<[Share; K]> {
    let intervals = Bootstrap::default().means(queries);
    let intervals = intervals.ok_or(TuneError::NoQueries)?;
    let mean = |measure: usize| {
        let sum: f64 = queries.iter().map(|(_, values)| values[measure]).sum();
        sum / queries.len() as f64
    };
    Ok(std::array::from_fn(|measure| Share {
        value: mean(measure),
        interval: intervals[measure],
    }))
}

fn within(rank: usize, k: usize) -> f64 {
    f64::from(u8::from(rank <= k))
}

/// What a photo adds to MAP@5 and top-1.
fn worth(one: &Ranked) -> [f64; 2] {
    [
        within(one.rank, LISTED) / one.rank as f64,
        within(one.rank, 1),
    ]
}

fn known_worth(one: &Ranked) -> Option<(Label, [f64; 1])> {
    Some((one.truth, [within(one.among_known?, 1)]))
}
