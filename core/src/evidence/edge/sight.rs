//! What a guide is trained on: photos as it sees them, and the lines that are found without one, or with an earlier one.

use alloc::vec::Vec;
use core::ops::Range;

use super::curve::Edge;
use super::field::{COLUMNS as EDGE_COLUMNS, FIRST, Field};
use super::guide::{COLUMNS, Guide, ROWS};
use super::trace::trace;
use crate::Result;
use crate::photo::{Photo, Region};

/// Columns of what a guide sees that the edge runs through; beside them are the tips and what is beyond.
pub const SEEN: Range<usize> = 5..123;

/// A fluke as a guide sees it, its edge traced with another or without one.
#[derive(Clone, Debug)]
pub struct Sight {
    /// The picture, `[64, 128]`, from -1 to 1.
    pub picture: Vec<f32>,
    /// The edge's row in every column of the picture, `[128]`; only those that are [`SEEN`] mean something.
    pub line: Vec<f32>,
    /// How plain the edge is: the mean of what speaks for it in its columns, up to 1.
    pub plain: f32,
    /// The edge as it would be kept.
    pub edge: Edge,
}

impl Sight {
    /// Traces the edge of the fluke in `region`, with the `guide` if there is one; `None` where that is higher than wide as no fluke is.
    ///
    /// # Errors
    /// [`crate::Error::Region`] when the region has no pixel in the photo.
    pub fn of(photo: &Photo, region: Region, guide: Option<&Guide>) -> Result<Option<Self>> {
        let Some(field) = Field::of(photo, region)? else {
            return Ok(None);
        };
        let line = trace(&field, guide)?;
        let flux = line.iter().enumerate().map(|(column, height)| {
            let row = libm::roundf(height + field.top as f32).max(0.0) as usize;
            field.level[(FIRST + column) * field.rows + row.min(field.rows - 1)]
        });
        let plain = flux.sum::<f32>() / line.len() as f32;
        let row_at = |column: usize| {
            let at = (column as f32 + 0.5) / COLUMNS as f32 * field.columns as f32 - 0.5;
            let at = (at - FIRST as f32).clamp(0.0, (EDGE_COLUMNS - 1) as f32);
            let before = (at as usize).min(EDGE_COLUMNS - 2);
            let share = at - before as f32;
            let height = line[before] * (1.0 - share) + line[before + 1] * share;
            (height + field.top as f32 + 0.5) / field.rows as f32 * ROWS as f32 - 0.5
        };
        Ok(Some(Self {
            picture: Guide::picture(&field),
            line: (0..COLUMNS).map(row_at).collect(),
            plain,
            edge: Edge::along(&line),
        }))
    }
}
