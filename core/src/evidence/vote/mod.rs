//! Which photos of a whole catalogue share skin with a query: every keypoint of it votes.
//!
//! A keypoint's k nearest descriptors in the catalogue vote for their photos, each with the distance
//! to the next one, the (k + 1)-th, less its own: what is no nearer than the background says nothing
//! (McCann and Lowe, *Local Naive Bayes Nearest Neighbor*, 2012; Crall et al., *HotSpotter*, 2013,
//! section 3.2). Of several votes of a keypoint for one photo the highest counts. The sums stay with
//! the photo: a whale is worth its best photo.

mod index;
mod kmeans;
#[cfg(test)]
mod tests;

use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::distances::length;
use crate::gallery::Label;

pub use index::{Index, IndexOptions};

/// How a query votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VoteOptions {
    /// k, the nearest descriptors that vote; at least 1.
    pub neighbours: u32,
    /// Lists that a keypoint looks into; at least 1, and all of them make the search exact.
    pub probes: u32,
}

impl Default for VoteOptions {
    /// As measured: `docs/results.md`, "Matching and geometry".
    fn default() -> Self {
        Self {
            neighbours: 4,
            probes: 16,
        }
    }
}

/// A photo that got votes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Voted {
    /// Its position in the index.
    pub photo: u32,
    /// The sum of its votes, 0 or more.
    pub votes: f32,
}

impl Index {
    /// The votes of every photo, in the order of the index, for a query's descriptors `[keypoints, 128]`.
    pub fn vote(&self, query: &[i8], options: &VoteOptions) -> Vec<f32> {
        let count = options.neighbours.max(1) as usize;
        let mut votes = vec![0.0; self.photos()];
        for near in self.nearest(query, count + 1, options.probes as usize) {
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

/// The `count` labels with most votes, each with its best photo, best first. `labels` says what every
/// photo of the index shows. Photos without a vote are left out; of equally good ones the first counts.
pub fn shortlist(votes: &[f32], labels: &[Label], count: usize) -> Vec<(Label, Voted)> {
    let mut photos: Vec<(Label, Voted)> = (0_u32..)
        .zip(votes.iter().zip(labels))
        .filter(|&(_, (&votes, _))| votes > 0.0)
        .map(|(photo, (&votes, &label))| (label, Voted { photo, votes }))
        .collect();
    photos.sort_by(|a, b| b.1.votes.total_cmp(&a.1.votes));
    let mut list: Vec<(Label, Voted)> = Vec::with_capacity(count);
    for (label, voted) in photos {
        if list.len() == count {
            break;
        }
        if !list.iter().any(|&(known, _)| known == label) {
            list.push((label, voted));
        }
    }
    list
}
