//! The line from tip to tip.
//!
//! Of all lines that have one row in each column the one is taken along which most edge is crossed, the flux of
//! the picture's gradient through it, by dynamic programming. It may step 14 rows a column. Flukes have
//! about one shape, which a line pays for leaving, and it gains where a guide that has seen the whole fluke
//! holds it for likely. Then, twice, what lies above and below the line is learnt (how bright, how rough), and the line
//! is traced anew where that separates best.

use alloc::vec;
use alloc::vec::Vec;

use super::field::{BELOW, COLUMNS, FIRST, Field};
use super::guide::{self, Guide};
use crate::Result;
use crate::evidence::image::GrayImage;

/// Rows that the line may step from a column to the next.
const STEP: usize = 14;
/// What a row of a step costs.
const STEP_COST: f32 = 0.5;
/// Where the edge usually is: its height at 25 places from tip to tip, mirrored alike, as a share of the
/// box's from its upper side; and how far it usually is from there. From photos of data/hwi.
const USUAL: [[f32; 2]; 13] = [
    [0.121, 0.081],
    [0.093, 0.067],
    [0.132, 0.066],
    [0.14, 0.078],
    [0.15, 0.088],
    [0.168, 0.097],
    [0.2, 0.102],
    [0.243, 0.107],
    [0.287, 0.11],
    [0.326, 0.115],
    [0.366, 0.121],
    [0.41, 0.125],
    [0.446, 0.128],
];
/// What a square of that distance costs, and the most squares that count.
const UNUSUAL_COST: (f32, f32) = (0.05, 9.0);
/// How much of that counts beside a guide, which knows the shape too.
const USUAL_SHARE: f32 = 0.1;
/// What a row gains for every factor e by which the guide holds it for likelier, and the least that counts. Tuned by
/// `docs/results/trailing-edge.md`.
const LIKELY: f32 = 0.3;
const LEAST_LIKELY: f32 = -8.0;
/// What a row above the photo costs: nothing is seen there.
const OUTSIDE_COST: f32 = 0.5;
/// How often the line is traced anew.
const AGAIN: usize = 2;
/// Rows above and below the line that are learnt from: from, to.
const LEARNT: (usize, usize) = (4, 60);
/// What a row that looks like fluke below the line, or like water above it, is worth for every factor e.
const LOOK: f32 = 0.02 * 25.0 / 120.0;
/// Blur of the brightness and roughness that are learnt.
const PATCH: f32 = 3.0;
/// Bins of brightness, 8 of 255 each, and of roughness, half an octave each.
const BINS: [usize; 2] = [32, 12];

/// The line of a fluke: rows below the box's upper side, of every column. Without a guide where one is to be trained.
///
/// # Errors
/// None that a field can have.
pub(super) fn trace(field: &Field, guide: Option<&Guide>) -> Result<Vec<f32>> {
    let mut usual = usual(field);
    if let Some(guide) = guide {
        guided(field, &guide.likely(&Guide::picture(field)), &mut usual);
    }
    let mut path = best_path(field, &usual);
    let looks = Looks::of(&field.picture)?;
    for _ in 0..AGAIN {
        let separated = looks.separation(field, &path);
        let both: Vec<f32> = usual.iter().zip(&separated).map(|(a, b)| a + b).collect();
        path = best_path(field, &both);
    }
    Ok(heights(field, &path))
}

/// What speaks for every row of every column of the edge before anything is seen, `[rows, columns]`.
fn usual(field: &Field) -> Vec<f32> {
    let mut worth = vec![0.0; field.rows * field.columns];
    let height = (field.rows - field.top - BELOW).max(1) as f32;
    for column in 0..COLUMNS {
        let [at, spread] = usual_at(column);
        for row in 0..field.rows {
            let share = (row as f32 - field.top as f32) / height;
            let far = (share - at) / spread;
            let mut cost = UNUSUAL_COST.0 * (far * far).min(UNUSUAL_COST.1);
            if row < field.outside {
                cost += OUTSIDE_COST;
            }
            worth[row * field.columns + FIRST + column] = -cost;
        }
    }
    worth
}

/// `worth` with what a guide holds for likely, `[64, 128]`, between the pixels that it saw.
fn guided(field: &Field, likely: &[f32], worth: &mut [f32]) {
    // Where a pixel lies among so many of those that the guide saw, and how far beyond it.
    let place = |at: usize, size: usize, count: usize| {
        let place = (at as f32 + 0.5) / size as f32 * count as f32 - 0.5;
        let place = place.clamp(0.0, (count - 1) as f32);
        let before = (place as usize).min(count - 2);
        (before, place - before as f32)
    };
    for row in 0..field.rows {
        let (above, down) = place(row, field.rows, guide::ROWS);
        for column in FIRST..FIRST + COLUMNS {
            let (left, right) = place(column, field.columns, guide::COLUMNS);
            let at = |row: usize| {
                let pair = &likely[row * guide::COLUMNS + left..][..2];
                let [a, b] = [pair[0], pair[1]].map(|value| value.max(LEAST_LIKELY));
                a * (1.0 - right) + b * right
            };
            let likely = at(above) * (1.0 - down) + at(above + 1) * down;
            let worth = &mut worth[row * field.columns + column];
            *worth = USUAL_SHARE * *worth + LIKELY * likely;
        }
    }
}

/// [`USUAL`] between its places.
fn usual_at(column: usize) -> [f32; 2] {
    let last = USUAL.len() - 1;
    let from_tip = column.min(COLUMNS - 1 - column) as f32;
    let at = from_tip / (COLUMNS - 1) as f32 * (2 * last) as f32;
    let before = (at as usize).min(last - 1);
    let share = at - before as f32;
    core::array::from_fn(|i| USUAL[before][i] * (1.0 - share) + USUAL[before + 1][i] * share)
}

/// The row of every column of the edge on the line with most to say for it, `worth` beside the flux.
fn best_path(field: &Field, worth: &[f32]) -> Vec<usize> {
    let (rows, columns) = (field.rows, field.columns);
    let at = |row: usize, column: usize| row * columns + FIRST + column;
    let own = |row: usize, column: usize| field.level[at(row, column)] + worth[at(row, column)];
    let mut best: Vec<f32> = (0..rows).map(|row| own(row, 0)).collect();
    let mut from = vec![0_u16; rows * COLUMNS];
    let mut begin = vec![0.0_f32; rows];
    let mut next = vec![0.0_f32; rows];
    for column in 1..COLUMNS {
        // Flux through an upright piece is that down to its end less that down to its beginning.
        for (row, begin) in begin.iter_mut().enumerate() {
            *begin = best[row] - field.upright[at(row, column)];
        }
        let from = &mut from[column * rows..][..rows];
        steps(&begin, &mut next, from);
        for (row, next) in next.iter_mut().enumerate() {
            *next += field.upright[at(row, column)] + own(row, column);
        }
        core::mem::swap(&mut best, &mut next);
    }
    let mut row = (0..rows).fold(
        0,
        |most, row| if best[row] > best[most] { row } else { most },
    );
    let mut path = vec![0; COLUMNS];
    for column in (0..COLUMNS).rev() {
        path[column] = row;
        row = usize::from(from[column * rows + row]);
    }
    path
}

/// For every row the most that a step to it leaves of `begin`, and the row that it begins in, the first of
/// equally good ones. All rows take a step of one length together, so that it runs in vectors.
pub(super) fn steps(begin: &[f32], most: &mut [f32], from: &mut [u16]) {
    let rows = begin.len();
    most.fill(f32::NEG_INFINITY);
    for step in -(STEP as isize)..=STEP as isize {
        let cost = STEP_COST * step.unsigned_abs() as f32;
        // Rows whose begin, `step` rows further, is in the picture.
        let first = (-step).max(0) as usize;
        let last = rows.saturating_sub(step.max(0) as usize);
        if first >= last {
            continue;
        }
        let begin = &begin[(first as isize + step) as usize..];
        let ends = most[first..last].iter_mut().zip(&mut from[first..last]);
        for (row, ((most, from), begin)) in ends.zip(begin).enumerate() {
            let value = begin - cost;
            let better = value > *most;
            *most = if better { value } else { *most };
            let beginning = (row as isize + first as isize + step) as u16;
            *from = if better { beginning } else { *from };
        }
    }
}

/// The line's rows below the box's upper side, to a part of a pixel: where a parabola through the three
/// nearest rows is highest.
fn heights(field: &Field, path: &[usize]) -> Vec<f32> {
    let level = |row: usize, column: usize| field.level[row * field.columns + FIRST + column];
    let refined = path.iter().enumerate().map(|(column, &row)| {
        let mut height = row as f32;
        if row > 0 && row + 1 < field.rows {
            let [a, b, c] = [row - 1, row, row + 1].map(|row| level(row, column));
            let bend = a - 2.0 * b + c;
            if bend < -1e-6 {
                height += (0.5 * (a - c) / bend).clamp(-0.5, 0.5);
            }
        }
        height - field.top as f32
    });
    refined.collect()
}

/// How bright and how rough every pixel is, as a bin.
struct Looks {
    bins: Vec<u16>,
}

impl Looks {
    fn of(picture: &GrayImage) -> Result<Self> {
        let squares = picture.values().iter().map(|value| value * value).collect();
        let squares = GrayImage::new(picture.width(), picture.height(), squares)?.blurred(PATCH);
        let means = picture.blurred(PATCH);
        let pairs = means.values().iter().zip(squares.values());
        let bin = |(&mean, &square): (&f32, &f32)| {
            let rough = libm::sqrtf((square - mean * mean).max(0.0));
            let bright = ((mean / 8.0).max(0.0) as usize).min(BINS[0] - 1);
            let rough = ((2.0 * libm::log2f(1.0 + rough)) as usize).min(BINS[1] - 1);
            (bright * BINS[1] + rough) as u16
        };
        Ok(Self {
            bins: pairs.map(bin).collect(),
        })
    }

    /// What a line through each pixel gains by how much more what is below it looks like what is below `path`
    /// than what is above it does.
    fn separation(&self, field: &Field, path: &[usize]) -> Vec<f32> {
        let odds = self.odds(field, path);
        let (rows, columns) = (field.rows, field.columns);
        let mut worth = vec![0.0; rows * columns];
        let mut sums = vec![0.0; rows];
        for column in FIRST..FIRST + COLUMNS {
            let mut sum = 0.0;
            for (row, kept) in sums.iter_mut().enumerate() {
                sum += odds[usize::from(self.bins[row * columns + column])];
                *kept = sum;
            }
            for row in 0..rows {
                let above = sums[row] - sums[row.saturating_sub(LEARNT.1)];
                let below = sums[(row + LEARNT.1).min(rows - 1)] - sums[row];
                worth[row * columns + column] = LOOK * (below - above);
            }
        }
        worth
    }

    /// The logarithm of how much likelier each look is below the line than above it, -2 to 2.
    fn odds(&self, field: &Field, path: &[usize]) -> Vec<f32> {
        let mut counts = [
            vec![0.0_f32; BINS[0] * BINS[1]],
            vec![0.0; BINS[0] * BINS[1]],
        ];
        for (column, &line) in path.iter().enumerate() {
            let mut count = |row: usize, side: usize| {
                let bin = self.bins[row * field.columns + FIRST + column];
                counts[side][usize::from(bin)] += 1.0;
            };
            let above = (line + 1).saturating_sub(LEARNT.1)..line.saturating_sub(LEARNT.0);
            let below = (line + LEARNT.0 + 1).min(field.rows)..(line + LEARNT.1).min(field.rows);
            above.for_each(|row| count(row, 0));
            below.for_each(|row| count(row, 1));
        }
        let [above, below] = counts.map(smooth);
        let odds = above.iter().zip(&below);
        odds.map(|(above, below)| libm::logf((below + 1e-3) / (above + 1e-3)).clamp(-2.0, 2.0))
            .collect()
    }
}

/// Shares of the looks, neighbouring ones blurred into each other.
fn smooth(counts: Vec<f32>) -> Vec<f32> {
    let blurred =
        GrayImage::new(BINS[1], BINS[0], counts.clone()).map(|counts| counts.blurred(1.0));
    let counts = blurred.map_or(counts, |blurred| blurred.values().to_vec());
    let sum = counts.iter().sum::<f32>().max(1.0);
    counts.into_iter().map(|count| count / sum).collect()
}
