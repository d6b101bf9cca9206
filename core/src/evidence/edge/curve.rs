//! The edge as it is kept.

use alloc::vec;
use alloc::vec::Vec;

use super::field::{COLUMNS, Field, WIDTH};
use super::segments::blurred;
use super::trace::trace;
use crate::Result;
use crate::photo::{Photo, Region};

/// Heights of an edge: half of them from the left tip to the notch, half from there to the right tip.
pub const EDGE: usize = 512;
/// Kept steps a pixel.
const STEPS: f32 = 32.0;
/// Columns where the notch may be.
const NOTCH: core::ops::Range<usize> = 170..458;
/// Columns to either side that a notch lies below.
const BESIDE: usize = 50;
/// Blur of the edge in which the notch is looked for.
const NOTCH_BLUR: f32 = 3.0;
/// A notch's depth in box widths that counts as none at [`AWAY`] of the width from the middle.
const AWAY_COST: f32 = 0.075;
const AWAY: f32 = 0.15;

/// The trailing edge of one photo's fluke.
#[derive(Clone, Debug, PartialEq)]
pub struct Edge {
    /// How far below the box's upper side the edge is, in steps of 1/32 of 1/640 of the box's width, at
    /// places evenly spread from tip to notch and from notch to tip.
    pub heights: [i16; EDGE],
    /// How plainly the edge is seen, about 0 to 1: the mean of the gradient across it over the root of its
    /// square and of what is usual around it.
    pub strength: f32,
}

impl Edge {
    /// Traces the edge of the fluke in `region`; `None` where that is higher than wide as no fluke is.
    ///
    /// # Errors
    /// [`crate::Error::Region`] when the region has no pixel in the photo.
    pub fn trace(photo: &Photo, region: Region) -> Result<Option<Self>> {
        let Some(field) = Field::of(photo, region)? else {
            return Ok(None);
        };
        let line = trace(&field)?;
        Ok(Some(Self {
            heights: halves(&line.heights, notch(&line.heights)),
            strength: line.strength,
        }))
    }

    /// The heights in widths of the box, `[512]`.
    pub(super) fn shares(&self) -> Vec<f32> {
        let unit = STEPS * WIDTH as f32;
        self.heights.iter().map(|&h| f32::from(h) / unit).collect()
    }
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

/// The heights of both halves.
fn halves(heights: &[f32], notch: usize) -> [i16; EDGE] {
    let half = EDGE / 2;
    let mut kept = vec![0.0; EDGE];
    for (place, kept) in kept.iter_mut().enumerate() {
        let (from, to) = match place < half {
            true => (0, notch),
            false => (notch, COLUMNS - 1),
        };
        let share = (place % half) as f32 / (half - 1) as f32;
        let at = from as f32 + share * (to - from) as f32;
        let before = (at as usize).min(COLUMNS - 2);
        let part = at - before as f32;
        *kept = heights[before] * (1.0 - part) + heights[before + 1] * part;
    }
    // A cast keeps to the ends of the range.
    core::array::from_fn(|place| libm::roundf(kept[place] * STEPS) as i16)
}
