//! Do two photos show one whale? What the local features say.

#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::Features;
use super::geometry::{Agreement, GeometryOptions, Inlier, Transform, agree};
use super::matching::{Match, MatchOptions, diagonal, find_matches};

/// How two photos are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompareOptions {
    /// What counts as a match.
    pub matching: MatchOptions,
    /// What counts as agreement.
    pub geometry: GeometryOptions,
}

impl CompareOptions {
    /// Checks every range.
    ///
    /// # Errors
    /// [`Error::Features`](crate::Error::Features) with the first that is out of it.
    pub fn validate(&self) -> crate::Result<()> {
        self.matching.validate()?;
        self.geometry.validate()
    }
}

/// What speaks for one whale on two photos.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Descriptors that are alike.
    pub matches: Vec<Match>,
    /// Those of them that agree on one map, with their residuals.
    pub inliers: Vec<Inlier>,
    /// The inliers weighted by how near the map takes them, see [`Agreement::support`].
    pub support: f32,
    /// The map from photo A onto photo B; `None` without a match.
    pub transform: Option<Transform>,
    /// The two are one photo, perhaps stored, sized or cropped anew: it shows nothing about the whale
    /// that the photo alone does not.
    pub duplicate: bool,
}

/// Compares two photos. For photos without keypoints there is nothing to say: no match, no inlier.
pub fn compare(a: &Features, b: &Features, options: &CompareOptions) -> Comparison {
    let matches = find_matches(a, b, &options.matching);
    let Agreement {
        transform,
        inliers,
        support,
    } = agree(&matches, a, b, &options.geometry);
    let duplicate = is_duplicate(a, b, &matches, &inliers);
    Comparison {
        matches,
        inliers,
        support,
        transform,
        duplicate,
    }
}

/// Descriptors of one photo that was stored, sized or cropped anew are this alike.
const SAME_SKIN: f32 = 0.35;
/// And the map takes their keypoints this near each other, as a share of the diagonal.
const SAME_PLACE: f32 = 0.01;
/// Two photos of one moment share some such keypoints; one photo shares most.
const SHARE: f32 = 0.4;
/// Fewer keypoints say nothing.
const FEWEST: usize = 8;

fn is_duplicate(a: &Features, b: &Features, matches: &[Match], inliers: &[Inlier]) -> bool {
    let reach = SAME_PLACE * diagonal(b);
    let same = inliers
        .iter()
        .filter(|inlier| inlier.residual <= reach)
        .filter(|inlier| matches[inlier.index as usize].distance <= SAME_SKIN)
        .count();
    let possible = a.keypoints.len().min(b.keypoints.len());
    same >= FEWEST && same as f32 >= SHARE * possible as f32
}
