//! Where an edge may run.

use alloc::vec;
use alloc::vec::Vec;
use core::array;

use super::root;
use crate::Result;
use crate::evidence::image::GrayImage;
use crate::photo::{Photo, Region};

/// Width of the fluke's box, pixels.
pub(super) const WIDTH: usize = 640;
/// Columns beside the box.
pub(super) const BESIDE: usize = 20;
/// Columns inside the box, at each end, that are left out: tips are round.
pub(super) const TIP: usize = 6;
/// Columns of the edge.
pub(super) const COLUMNS: usize = WIDTH - 2 * TIP;
/// The first column of the edge.
pub(super) const FIRST: usize = BESIDE + TIP;
/// Rows above the box, as a share of its height and at least in pixels.
const ABOVE: (f32, f32) = (0.1, 20.0);
/// Rows below it.
pub(super) const BELOW: usize = 10;
/// A higher box is no fluke's.
const MOST_ROWS: usize = 1200;
/// What is cut out of the photo around the box, as a share of its sides.
const MARGIN: f32 = 0.15;
/// Brightness, of 255, below which differences count as they are, and above as ratios.
const DARK: f32 = 16.0;
/// Blur before gradients are taken.
const BLUR: f32 = 1.1;
/// Blur of their strength, by which it is measured.
const AROUND: f32 = 25.0;

/// A fluke's box and a little around it, brought to a width of [`WIDTH`], as gradients in units of what is
/// usual around them.
pub(super) struct Field {
    /// Columns, [`WIDTH`] and [`BESIDE`] at both sides.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
    /// The row of the box's upper side.
    pub top: usize,
    /// Rows that lie above the photo.
    pub outside: usize,
    /// The picture, its tones by ratio and blurred a little, 0…255.
    pub picture: GrayImage,
    /// What speaks for an edge that runs level there, the dark below it, -1 to 1; `[columns, rows]`: a line is
    /// traced column by column.
    pub level: Vec<f32>,
    /// The same of one that runs up or down, summed from the first row on: the difference of two rows
    /// is what speaks for the edge between them, the dark to its right; `[columns, rows]`.
    pub upright: Vec<f32>,
}

impl Field {
    /// The field of the fluke in `region`; `None` where that is higher than twice its width, which no fluke is.
    ///
    /// # Errors
    /// [`crate::Error::Region`] when the region has no pixel in the photo.
    pub fn of(photo: &Photo, region: Region) -> Result<Option<Self>> {
        let crop = region.crop(MARGIN, photo.width, photo.height)?;
        let scale = WIDTH as f32 / (region.x1 - region.x0).max(20.0);
        let height = (region.y1 - region.y0) * scale;
        let top = (ABOVE.0 * height).max(ABOVE.1) as usize;
        let rows = height as usize + top + BELOW;
        let width = libm::roundf(crop.width as f32 * scale) as usize;
        if rows > MOST_ROWS || width == 0 {
            return Ok(None);
        }
        let sized = toned(&GrayImage::of_photo(photo, region, MARGIN)?)?.with_width(width)?;
        // Where a pixel of the canvas lies in the picture.
        let left = libm::roundf((region.x0 - crop.left as f32) * scale) as isize - BESIDE as isize;
        let above = libm::roundf((region.y0 - crop.top as f32) * scale) as isize - top as isize;
        let columns = WIDTH + 2 * BESIDE;
        let mut values = Vec::with_capacity(rows * columns);
        for row in 0..rows as isize {
            let line = sized.row(clamped(row + above, sized.height()));
            values.extend(
                (0..columns as isize).map(|column| line[clamped(column + left, line.len())]),
            );
        }
        let picture = GrayImage::new(columns, rows, values)?.blurred(BLUR);
        let outside = libm::ceilf(top as f32 - region.y0 * scale).max(0.0) as usize;
        let (level, upright) = gradients(&picture)?;
        Ok(Some(Self {
            columns,
            rows,
            top,
            outside,
            picture,
            level,
            upright,
        }))
    }
}

/// With the logarithm of brightness, 0…255 too. An edge in the shade, where the fluke is, counts as much as one in bright
/// water that is as many times brighter on one side than on the other.
fn toned(picture: &GrayImage) -> Result<GrayImage> {
    let of = |value: f32| libm::logf(1.0 + value / DARK);
    let full = of(255.0);
    // A gray value is a third of the sum of three bytes: there are not many.
    let tones: [f32; 3 * 255 + 1] = array::from_fn(|sum| 255.0 * of(sum as f32 / 3.0) / full);
    let tone = |value: &f32| tones[((3.0 * value + 0.5) as usize).min(3 * 255)];
    let values = picture.values().iter().map(tone).collect();
    GrayImage::new(picture.width(), picture.height(), values)
}

fn clamped(at: isize, length: usize) -> usize {
    at.clamp(0, length as isize - 1) as usize
}

/// The field's two gradients, by Sobel's masks over the root of their square and that of what is usual around.
fn gradients(picture: &GrayImage) -> Result<(Vec<f32>, Vec<f32>)> {
    let (columns, rows) = (picture.width(), picture.height());
    let mut across = vec![0.0; rows * columns];
    let mut down = vec![0.0; rows * columns];
    let lines = across
        .chunks_exact_mut(columns)
        .zip(down.chunks_exact_mut(columns));
    for (y, (across, down)) in lines.enumerate() {
        let around = [y.saturating_sub(1), y, (y + 1).min(rows - 1)];
        sobel(around.map(|row| picture.row(row)), across, down);
    }
    let pairs = across.iter().zip(&down);
    let strength: Vec<f32> = pairs.map(|(x, y)| root(x * x + y * y)).collect();
    let usual = 0.5 * percentile_85(&strength) + 0.3;
    let around = GrayImage::new(columns, rows, strength)?;
    let blurred = around.blurred(AROUND);
    let strengths = around.values().iter().zip(blurred.values());
    let both = across.iter_mut().zip(&mut down).zip(strengths);
    for ((x, y), (&strength, &near)) in both {
        let unit = near + usual;
        let length = root(strength * strength + unit * unit);
        (*x, *y) = (*x / length, -*y / length);
    }
    // The sum down every column.
    for place in columns..across.len() {
        across[place] += across[place - columns];
    }
    Ok((turned(&down, columns), turned(&across, columns)))
}

/// Both of Sobel's masks along the middle one of three lines, the picture's sides replicated.
#[inline(never)]
fn sobel([above, here, below]: [&[f32]; 3], across: &mut [f32], down: &mut [f32]) {
    let last = here.len() - 1;
    let mut at = |a: usize, x: usize, b: usize| {
        let right = above[b] + 2.0 * here[b] + below[b];
        let left = above[a] + 2.0 * here[a] + below[a];
        across[x] = (right - left) / 8.0;
        let lower = below[a] + 2.0 * below[x] + below[b];
        let upper = above[a] + 2.0 * above[x] + above[b];
        down[x] = (lower - upper) / 8.0;
    };
    at(0, 0, last.min(1));
    for x in 1..last {
        at(x - 1, x, x + 1);
    }
    at(last.saturating_sub(1), last, last);
}

/// Rows of so many columns as columns of rows. In blocks, so that both sides stay in the processor's cache.
pub(super) fn turned<Value: Copy + Default>(values: &[Value], columns: usize) -> Vec<Value> {
    const SIDE: usize = 16;
    let rows = values.len() / columns;
    let mut turned = vec![Value::default(); values.len()];
    for first in (0..rows).step_by(SIDE) {
        let block = first..(first + SIDE).min(rows);
        for (column, line) in turned.chunks_exact_mut(rows).enumerate() {
            for (value, row) in line[block.clone()].iter_mut().zip(block.clone()) {
                *value = values[row * columns + column];
            }
        }
    }
    turned
}

/// What 85 of 100 values do not exceed.
fn percentile_85(values: &[f32]) -> f32 {
    let mut values = values.to_vec();
    let place = (values.len() - 1) * 85 / 100;
    *values.select_nth_unstable_by(place, f32::total_cmp).1
}
