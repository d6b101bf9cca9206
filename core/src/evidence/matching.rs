//! Matches between the descriptors of two photos.

#[cfg(test)]
mod tests;

use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Features;
use super::distances::{UNRELATED, Wide, length};
use crate::{Error, Result};

/// What counts as a match.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchOptions {
    /// The nearest descriptor's distance over the second nearest's may be at most this (Lowe, 2004,
    /// section 7.1); 0 to 1, and 1 asks for nothing.
    pub ratio: f32,
    /// Each of the two must be the other's nearest.
    pub mutual: bool,
}

impl MatchOptions {
    /// Checks the range.
    ///
    /// # Errors
    /// [`Error::Features`] when it is out of it.
    pub fn validate(&self) -> Result<()> {
        match (0.0..=1.0).contains(&self.ratio) {
            true => Ok(()),
            false => Err(Error::Features {
                reason: format!("the matches' ratio is {}, it must be 0 to 1", self.ratio),
            }),
        }
    }
}

impl Default for MatchOptions {
    /// As measured: `docs/results/local-features.md`, "Matching and geometry".
    fn default() -> Self {
        Self {
            ratio: 0.85,
            mutual: true,
        }
    }
}

/// Two keypoints whose descriptors are alike.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Match {
    /// The keypoint in photo A.
    pub a: u32,
    /// The keypoint in photo B, the nearest to `a` there.
    pub b: u32,
    /// The distance of the two descriptors, 0 (the same) to 2.
    pub distance: f32,
    /// That distance over the second nearest's, 0 (unmistakable) to 1.
    pub ratio: f32,
}

/// The matches from `a` to `b` in the order of A's keypoints: for each its nearest in B, if it meets
/// `options`. Of equally near ones the first counts. Where B has no second, it is taken to be a
/// descriptor that has nothing in common with A's.
pub fn find_matches(a: &Features, b: &Features, options: &MatchOptions) -> Vec<Match> {
    let (wide_a, wide_b) = (Wide::new(&a.descriptors), Wide::new(&b.descriptors));
    let rows = wide_a.len().min(a.keypoints.len());
    let mut nearest_of_b = vec![(i32::MAX, 0_u32); wide_b.len()];
    let mut distances = Vec::with_capacity(wide_b.len());
    let mut found = Vec::with_capacity(rows);
    for (index, name) in (0..rows).zip(0_u32..) {
        wide_a.distances(index, &wide_b, &mut distances);
        distances.truncate(b.keypoints.len());
        for (best, &distance) in nearest_of_b.iter_mut().zip(&distances) {
            if distance < best.0 {
                *best = (distance, name);
            }
        }
        found.extend(nearest(&distances).and_then(|first| {
            let second = second(&distances, first);
            accept(name, first, distances[first], second, options.ratio)
        }));
    }
    if options.mutual {
        found.retain(|found| nearest_of_b[found.b as usize].1 == found.a);
    }
    found
}

fn nearest(distances: &[i32]) -> Option<usize> {
    let least = distances.iter().copied().min()?;
    distances.iter().position(|&distance| distance == least)
}

/// The least distance of another than `first`.
fn second(distances: &[i32], first: usize) -> i32 {
    let (before, rest) = distances.split_at(first);
    let others = before.iter().chain(rest.iter().skip(1));
    others.copied().min().unwrap_or(UNRELATED)
}

/// The diagonal of the image that the keypoints were found in, pixels.
pub(super) fn diagonal(features: &Features) -> f32 {
    let [width, height] = features.size.map(|side| side as f32);
    libm::sqrtf(width * width + height * height)
}

fn accept(a: u32, b: usize, first: i32, second: i32, most: f32) -> Option<Match> {
    let (first, second) = (length(first), length(second));
    let ratio = if second > 0.0 { first / second } else { 1.0 };
    // A far B of one keypoint has a "second" nearer than its nearest.
    let ratio = ratio.min(1.0);
    let b = u32::try_from(b).ok()?;
    (ratio <= most).then_some(Match {
        a,
        b,
        distance: first,
        ratio,
    })
}
