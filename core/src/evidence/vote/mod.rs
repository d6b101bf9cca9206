//! Which photos of a whole catalogue share skin with a query: every keypoint of it votes.
//!
//! A keypoint's k nearest descriptors in the catalogue vote for their photos, each with the distance
//! to the next one, the (k + 1)-th, less its own: what is no nearer than the background says nothing
//! (McCann and Lowe, *Local Naive Bayes Nearest Neighbor*, 2012; Crall et al., *HotSpotter*, 2013,
//! section 3.2). It looks only near its own place: pictures are cropped to the fluke, and what looks alike
//! elsewhere is chance. Of several votes of a keypoint for one photo the highest counts. The sums stay with
//! the photo: a whale is worth its best photo.

mod index;
mod kmeans;
#[cfg(test)]
mod tests;

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Features;
use super::distances::length;
use super::place;
use crate::gallery::Label;
use crate::{Error, Result};

pub use index::{Descriptors, Index, IndexOptions, Sorting};

/// How a query votes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoteOptions {
    /// k, the nearest descriptors that vote; at least 1.
    pub neighbours: u32,
    /// Lists that a keypoint looks into; at least 1, and all of them make the search exact.
    pub probes: u32,
    /// How far from its own place in its picture a keypoint looks in the catalogue's, as a share of the
    /// pictures' sides; above 0, and 2 is everywhere. Pictures are cropped to the fluke.
    #[serde(default = "place::everywhere")]
    pub reach: f32,
}

impl Default for VoteOptions {
    /// As measured: `docs/results/local-features.md`, "Matching and geometry".
    fn default() -> Self {
        Self {
            neighbours: 4,
            probes: 16,
            reach: 0.3,
        }
    }
}

impl VoteOptions {
    /// Checks every range.
    ///
    /// # Errors
    /// [`Error::Features`] with the first that is out of it.
    pub fn validate(&self) -> Result<()> {
        let refuse = |name: &str, value: u32, range: &str| Error::Features {
            reason: format!("the vote's {name} is {value}, it must be {range}"),
        };
        match self {
            Self { probes: 0, .. } => Err(refuse("probes", 0, "at least 1")),
            Self { neighbours, .. } if !(1..=MOST_NEIGHBOURS).contains(neighbours) => Err(refuse(
                "number of neighbours",
                *neighbours,
                "between 1 and 100",
            )),
            _ => place::validate(self.reach),
        }
    }
}

/// More are further than the background.
const MOST_NEIGHBOURS: u32 = 100;

impl Index {
    /// The votes of every photo, in the order of the index, for a query.
    pub fn vote(&self, query: &Features, options: &VoteOptions) -> Vec<f32> {
        self.vote_among(query, options, None)
    }

    /// As [`Self::vote`], as if only the photos that are `in_it`, `[photos]`, were in the index: others, the
    /// query itself say, get no vote.
    pub fn vote_of_some(
        &self,
        in_it: &[bool],
        query: &Features,
        options: &VoteOptions,
    ) -> Vec<f32> {
        self.vote_among(query, options, Some(in_it))
    }

    fn vote_among(
        &self,
        query: &Features,
        options: &VoteOptions,
        in_it: Option<&[bool]>,
    ) -> Vec<f32> {
        let count = options.neighbours.max(1) as usize;
        let mut votes = vec![0.0; self.photos()];
        for near in self.nearest(query, count + 1, options, in_it) {
            // Fewer than k + 1 in all lists: the catalogue is too small to have a background.
            let Some((&(background, _), voters)) = near.split_last() else {
                continue;
            };
            let mut heard: Vec<u32> = Vec::with_capacity(count);
            for &(distance, row) in voters {
                let photo = self.photo(row);
                // Nearest first: the first vote for a photo is its highest.
                if !heard.contains(&photo) {
                    heard.push(photo);
                    votes[photo as usize] += length(background) - length(distance);
                }
            }
        }
        votes
    }
}

/// The votes of every label: those of its best photo.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelVotes {
    /// By slot, `[individuals + 1]`, 0 or more.
    pub votes: Vec<f32>,
    /// The position in the index of the label's best photo; `None` where it has no vote. Of equally good
    /// ones the first.
    pub best: Vec<Option<u32>>,
}

impl LabelVotes {
    /// How well edges fit, `[individuals + 1]`, as votes: of which photo is not told.
    pub fn of_edges(fits: &[f32]) -> Self {
        Self {
            votes: fits.to_vec(),
            best: Vec::new(),
        }
    }

    /// From the votes of every photo; `labels` says what each shows, out of so many individuals.
    pub fn of(votes: &[f32], labels: impl IntoIterator<Item = Label>, individuals: usize) -> Self {
        let mut by_label = Self {
            votes: vec![0.0; individuals + 1],
            best: vec![None; individuals + 1],
        };
        for ((photo, &votes), label) in (0..).zip(votes).zip(labels) {
            let slot = label.slot(individuals);
            if votes > by_label.votes[slot] {
                by_label.votes[slot] = votes;
                by_label.best[slot] = Some(photo);
            }
        }
        by_label
    }
}
