//! The edge as it is kept.

use alloc::string::String;
use alloc::vec::Vec;
use core::array;

use serde::{Deserialize, Serialize};

use super::field::{COLUMNS, Field, WIDTH};
use super::guide::Guide;
use super::segments::blurred;
use super::smaller;
use super::trace::trace;
use crate::Result;
use crate::photo::{Photo, Region};

/// Heights that an edge is kept as: half of them from the left tip to the notch, half from there to the right tip.
pub const EDGE: usize = 192;
/// Heights that it is compared by, likewise.
pub(super) const HEIGHTS: usize = 512;
/// Kept steps a pixel, and the least and the most that one place is below the one before.
const STEPS: f32 = 2.0;
const FEWEST: i8 = -32;
const MOST: i8 = 31;
/// What stands for each step, from the fewest: the letters of base64 for addresses.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Blur before so few heights are kept, in places of [`HEIGHTS`]; comparing counts with it.
pub(super) const KEPT_BLUR: f32 = 1.2;
/// Columns where the notch may be.
const NOTCH: core::ops::Range<usize> = 170..458;
/// Columns to either side that a notch lies below.
const BESIDE: usize = 50;
/// Blur of the edge in which the notch is looked for.
const NOTCH_BLUR: f32 = 3.0;
/// A notch's depth in box widths that counts as none at [`AWAY`] of the width from the middle.
const AWAY_COST: f32 = 0.075;
const AWAY: f32 = 0.15;

/// The trailing edge of one photo's fluke: how much lower each of 192 places, evenly spread from tip to notch and
/// from notch to tip, is than the one before, in steps of 1/2 of 1/640 of the box's width, -32 to 31. In JSON a
/// letter each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Edge(pub(super) [i8; EDGE]);

impl Edge {
    /// Traces the edge of the fluke in `region`; `None` where that is higher than wide as no fluke is.
    ///
    /// # Errors
    /// [`crate::Error::Region`] when the region has no pixel in the photo.
    pub fn trace(photo: &Photo, region: Region) -> Result<Option<Self>> {
        let Some(field) = Field::of(photo, region)? else {
            return Ok(None);
        };
        let guide = Guide::shipped()?;
        Ok(Some(Self::along(&trace(&field, Some(&guide))?)))
    }

    /// The edge along a line's rows, of every column of it.
    pub(super) fn along(line: &[f32]) -> Self {
        Self::of(&halves(line, notch(line)))
    }

    /// Keeps heights in pixels, [`HEIGHTS`] of them. Each step is from where the kept ones have come, so that
    /// what is cut off does not add up.
    pub(super) fn of(heights: &[f32]) -> Self {
        let smooth = blurred(heights, KEPT_BLUR);
        let mut at = smooth[0] * STEPS;
        Self(array::from_fn(|place| {
            let half = place / (EDGE / 2) * (HEIGHTS / 2);
            let share = (place % (EDGE / 2)) as f32 / (EDGE / 2 - 1) as f32;
            let height = between(&smooth[half..half + HEIGHTS / 2], share) * STEPS;
            // A cast keeps to the ends of its range.
            let step = (libm::roundf(height - at) as i8).clamp(FEWEST, MOST);
            at += f32::from(step);
            step
        }))
    }

    /// The steps.
    pub fn as_steps(&self) -> &[i8; EDGE] {
        &self.0
    }

    /// From [`Self::as_steps`]; larger ones are cut off.
    pub fn from_steps(steps: [i8; EDGE]) -> Self {
        Self(steps.map(|step| step.clamp(FEWEST, MOST)))
    }

    /// The heights in widths of the box less the first one, `[512]`, of halves that are `stretch` times as long: the notch stays in the
    /// middle, and tips go on level or are left out.
    pub(super) fn heights(&self, stretch: f32) -> Vec<f32> {
        let mut sum = 0.0;
        let kept = self.0.map(|step| {
            sum += f32::from(step) / (STEPS * WIDTH as f32);
            sum
        });
        let (left, right) = kept.split_at(EDGE / 2);
        let share = |place: usize| place as f32 / (HEIGHTS / 2 - 1) as f32;
        // Shares of the way from the notch.
        let away = |share: f32| smaller(share / stretch, 1.0);
        let places = || (0..HEIGHTS / 2).map(share);
        let left = places().map(|share| between(left, 1.0 - away(1.0 - share)));
        let right = places().map(|share| between(right, away(share)));
        left.chain(right).collect()
    }
}

impl From<Edge> for String {
    fn from(edge: Edge) -> Self {
        let letter = |step: &i8| char::from(LETTERS[(step - FEWEST) as usize]);
        edge.0.iter().map(letter).collect()
    }
}

impl TryFrom<String> for Edge {
    type Error = &'static str;

    fn try_from(text: String) -> core::result::Result<Self, Self::Error> {
        let refuse = "a trailing edge is 192 letters, digits, - or _";
        let place = |letter: u8| LETTERS.iter().position(|&one| one == letter);
        let steps = text
            .bytes()
            .map(|letter| Some(place(letter)? as i8 + FEWEST));
        let steps: Option<Vec<i8>> = steps.collect();
        let steps = steps.and_then(|steps| <[i8; EDGE]>::try_from(steps).ok());
        steps.map(Self).ok_or(refuse)
    }
}

/// The value at a share of the way along `values`.
fn between(values: &[f32], share: f32) -> f32 {
    let at = share * (values.len() - 1) as f32;
    let before = (at as usize).min(values.len() - 2);
    let part = at - before as f32;
    values[before] * (1.0 - part) + values[before + 1] * part
}

/// The column of the notch: where the edge is furthest below what is [`BESIDE`] it, near the middle.
fn notch(heights: &[f32]) -> usize {
    let smooth = blurred(heights, NOTCH_BLUR);
    let depth = |column: usize| {
        let beside = smooth[column - BESIDE] + smooth[column + BESIDE];
        let away = (column as f32 / COLUMNS as f32 - 0.5) / AWAY;
        (smooth[column] - 0.5 * beside) / WIDTH as f32 - AWAY_COST * away * away
    };
    NOTCH.fold(NOTCH.start, |most, column| {
        match depth(column) > depth(most) {
            true => column,
            false => most,
        }
    })
}

/// The heights of both halves, [`HEIGHTS`].
fn halves(heights: &[f32], notch: usize) -> Vec<f32> {
    let half = |heights: &[f32]| -> Vec<f32> {
        let share = |place: usize| place as f32 / (HEIGHTS / 2 - 1) as f32;
        (0..HEIGHTS / 2)
            .map(|place| between(heights, share(place)))
            .collect()
    };
    [half(&heights[..=notch]), half(&heights[notch..])].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_grow_and_shrink_about_the_notch() {
        // A step of 20 at 48 of 95 in the left half, one of 20 back at 20 of 95 in the right one.
        let mut steps = [0; EDGE];
        (steps[48], steps[EDGE / 2 + 20]) = (20, -20);
        let edge = Edge::from_steps(steps);
        let low = 20.0 / (STEPS * WIDTH as f32);
        let lower_at = |stretch: f32| -> Vec<usize> {
            let heights = edge.heights(stretch);
            assert_eq!(heights.len(), HEIGHTS);
            let lower = |&place: &usize| heights[place] > 0.5 * low;
            (0..HEIGHTS).filter(lower).collect()
        };
        // The steps' middles are 47.5 of 95 from the notch, and 19.5: of 255 places 127.5, and 52.3.
        assert_eq!(lower_at(1.0), (128..309).collect::<Vec<_>>());
        // Twice as far: 255 and 104.7.
        assert_eq!(lower_at(2.0), (1..361).collect::<Vec<_>>());
        // Half as far: 63.75 and 26.2, and what is beyond the tips goes on level.
        assert_eq!(lower_at(0.5), (192..283).collect::<Vec<_>>());
        assert_eq!((edge.heights(0.5)[0], edge.heights(0.5)[511]), (0.0, 0.0));
    }
}
