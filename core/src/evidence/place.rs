//! Where in its picture a keypoint is.
//!
//! A picture is cropped to the fluke's box, so the same skin is at about the same place of two pictures of
//! one whale; what looks alike at another place is chance.

use alloc::format;
use alloc::vec::Vec;

use super::Features;
use crate::{Error, Result};

/// Shares of the picture's width and height, in steps of 1 / 255.
pub(super) type Place = [u8; 2];

/// Steps from one side of a picture to the other.
const STEPS: f32 = 255.0;

/// The reach that covers every place.
pub(crate) const EVERYWHERE: f32 = 2.0;

/// The place of every keypoint. What lies outside of the picture counts as at its edge.
pub(super) fn places(features: &Features) -> Vec<Place> {
    let [width, height] = features.size.map(|side| side.max(1) as f32);
    // A cast keeps to the ends of the range and takes what is not a number for 0.
    let step = |position: f32, side: f32| libm::roundf(position / side * STEPS) as u8;
    let keypoints = features.keypoints.iter();
    keypoints
        .map(|keypoint| keypoint.frame.center)
        .map(|[x, y]| [step(x, width), step(y, height)])
        .collect()
}

/// How far two places may be from each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reach {
    /// Its square, in steps.
    square: i32,
}

impl Reach {
    /// From a share of the picture's sides, above 0; [`EVERYWHERE`] asks for nothing.
    pub fn of(share: f32) -> Self {
        let steps = share * STEPS;
        Self {
            square: (steps * steps) as i32,
        }
    }

    /// Whether the places are near enough to each other.
    pub fn covers(self, a: Place, b: Place) -> bool {
        let [dx, dy] = [0, 1].map(|side| i32::from(a[side]) - i32::from(b[side]));
        dx * dx + dy * dy <= self.square
    }
}

/// Checks that a reach is in its range.
pub(super) fn validate(reach: f32) -> Result<()> {
    match reach > 0.0 && reach <= EVERYWHERE {
        true => Ok(()),
        false => Err(Error::Features {
            reason: format!(
                "the vote's reach is {reach}, it must be above 0 and at most {EVERYWHERE}, which is everywhere"
            ),
        }),
    }
}

/// What bundles of before a reach was asked for mean.
pub(super) fn everywhere() -> f32 {
    EVERYWHERE
}
