//! The line from tip to tip.
//!
//! Of all lines that have one row in each column the one is taken along which most edge is crossed, the flux of
//! the picture's gradient through it, by dynamic programming. It may step 14 rows a column. Flukes have
//! about one shape, which a line pays for leaving, and it gains where a guide that has seen the whole fluke
//! holds it for likely. Then, twice, what lies above and below the line is learnt (how bright, how rough), and the line
//! is traced anew where that separates best.

use alloc::vec;
use alloc::vec::Vec;

use super::field::{BELOW, COLUMNS, FIRST, Field, turned};
use super::guide::{self, Guide};
use super::{larger, root, smaller};
use crate::Result;
use crate::evidence::image::GrayImage;

/// Rows that the line may step from a column to the next.
pub(super) const STEP: usize = 14;
/// Rows whose steps are compared together.
pub(super) const BLOCK: usize = 16;
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
        path = best_path(field, &looks.separation(field, &path, &usual));
    }
    Ok(heights(field, &path))
}

/// What speaks for every row of every column of the edge before anything is seen, `[columns of the edge, rows]`.
fn usual(field: &Field) -> Vec<f32> {
    let mut worth = vec![0.0; field.rows * COLUMNS];
    let height = (field.rows - field.top - BELOW).max(1) as f32;
    for (column, worth) in worth.chunks_exact_mut(field.rows).enumerate() {
        let [at, spread] = usual_at(column);
        for (row, worth) in worth.iter_mut().enumerate() {
            let share = (row as f32 - field.top as f32) / height;
            let far = (share - at) / spread;
            *worth = -(UNUSUAL_COST.0 * smaller(far * far, UNUSUAL_COST.1));
        }
        // Rounded as a sum of costs is.
        for worth in worth.iter_mut().take(field.outside) {
            *worth -= OUTSIDE_COST;
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
    let rows: Vec<(usize, f32)> = (0..field.rows)
        .map(|row| place(row, field.rows, guide::ROWS))
        .collect();
    let likely: Vec<f32> = likely.iter().map(|&it| larger(it, LEAST_LIKELY)).collect();
    for (column, worth) in worth.chunks_exact_mut(field.rows).enumerate() {
        let (left, right) = place(FIRST + column, field.columns, guide::COLUMNS);
        let lines = likely.as_chunks::<{ guide::COLUMNS }>().0.iter();
        let at: Vec<f32> = lines
            .map(|line| line[left] * (1.0 - right) + line[left + 1] * right)
            .collect();
        for (worth, &(above, down)) in worth.iter_mut().zip(&rows) {
            let likely = at[above] * (1.0 - down) + at[above + 1] * down;
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
    let rows = field.rows;
    let mut best = vec![0.0; rows];
    let mut begin = vec![f32::NEG_INFINITY; STEP + rows.next_multiple_of(BLOCK) + STEP];
    let mut from = vec![0_u16; rows * COLUMNS];
    let columns = worth.chunks_exact(rows).zip(from.chunks_exact_mut(rows));
    for (column, (worth, from)) in columns.enumerate() {
        let level = column_of(&field.level, rows, column);
        let upright = column_of(&field.upright, rows, column);
        if column == 0 {
            let own = level.iter().zip(worth).map(|(level, worth)| level + worth);
            best = own.collect();
            continue;
        }
        // Flux through an upright piece is that down to its end less that down to its beginning.
        less(&mut begin[STEP..STEP + rows], &best, upright);
        steps(&begin, &mut best, from);
        gain(&mut best, upright, level, worth);
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

/// A column of the edge, of a field's `[columns, rows]`.
fn column_of<Value>(values: &[Value], rows: usize, column: usize) -> &[Value] {
    &values[(FIRST + column) * rows..][..rows]
}

// What follows is called once a column and not inlined: a browser makes a function fast when it has been called often, not while
// it runs.

#[inline(never)]
fn less(begin: &mut [f32], best: &[f32], upright: &[f32]) {
    for (begin, (best, upright)) in begin.iter_mut().zip(best.iter().zip(upright)) {
        *begin = best - upright;
    }
}

#[inline(never)]
fn gain(best: &mut [f32], upright: &[f32], level: &[f32], worth: &[f32]) {
    let own = level.iter().zip(worth);
    for (best, (upright, (level, worth))) in best.iter_mut().zip(upright.iter().zip(own)) {
        *best += upright + (level + worth);
    }
}

/// For every row the most that a step to it leaves of what it begins with, and the row that it begins in, the first of
/// equally good ones. `begin` is that of all rows, with at least [`STEP`] of none (minus infinity) before them and after them, and
/// as many more as make whole blocks.
pub(super) fn steps(begin: &[f32], most: &mut [f32], from: &mut [u16]) {
    let blocks = most.chunks_mut(BLOCK).zip(from.chunks_mut(BLOCK));
    for (block, (most, from)) in blocks.enumerate() {
        let first = block * BLOCK;
        let Some(begin) = begin[first..].first_chunk() else {
            return;
        };
        let (values, taken) = block_of_steps(begin);
        most.copy_from_slice(&values[..most.len()]);
        for ((row, from), step) in (first..).zip(from).zip(taken) {
            // As many rows before the block as the longest step is long.
            *from = (row + step as usize - STEP) as u16;
        }
    }
}

/// Of so many rows together, so that it runs in vectors, the most and the step that it comes from, 0 to `2 * STEP`.
#[inline(never)]
fn block_of_steps(begin: &[f32; BLOCK + 2 * STEP]) -> ([f32; BLOCK], [i32; BLOCK]) {
    let mut most = [f32::NEG_INFINITY; BLOCK];
    let mut taken = [STEP as i32; BLOCK];
    for (step, begin) in begin.windows(BLOCK).enumerate() {
        let cost = STEP_COST * step.abs_diff(STEP) as f32;
        for (row, begin) in begin.iter().enumerate() {
            let value = begin - cost;
            let better = value > most[row];
            most[row] = if better { value } else { most[row] };
            taken[row] = if better { step as i32 } else { taken[row] };
        }
    }
    (most, taken)
}

/// The line's rows below the box's upper side, to a part of a pixel: where a parabola through the three
/// nearest rows is highest.
fn heights(field: &Field, path: &[usize]) -> Vec<f32> {
    let level = |row: usize, column: usize| column_of(&field.level, field.rows, column)[row];
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

/// How bright and how rough every pixel is, as a bin, `[columns, rows]`.
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
            let rough = root(larger(square - mean * mean, 0.0));
            let bright = (larger(mean / 8.0, 0.0) as usize).min(BINS[0] - 1);
            let rough = ((2.0 * libm::log2f(1.0 + rough)) as usize).min(BINS[1] - 1);
            (bright * BINS[1] + rough) as u16
        };
        let bins: Vec<u16> = pairs.map(bin).collect();
        Ok(Self {
            bins: turned(&bins, picture.width()),
        })
    }

    /// What a line through each pixel of the edge's columns gains by how much more what is below it looks like what is below
    /// `path` than what is above it does, and what it is `worth` without.
    fn separation(&self, field: &Field, path: &[usize], worth: &[f32]) -> Vec<f32> {
        let odds = self.odds(field, path);
        let rows = field.rows;
        let mut sums = vec![0.0; rows + 2 * LEARNT.1];
        let mut both = worth.to_vec();
        for (column, worth) in both.chunks_exact_mut(rows).enumerate() {
            let bins = column_of(&self.bins, rows, column);
            separate(&odds, bins, &mut sums, worth);
        }
        both
    }

    /// The logarithm of how much likelier each look is below the line than above it, -2 to 2.
    fn odds(&self, field: &Field, path: &[usize]) -> Vec<f32> {
        let mut counts = [
            vec![0.0_f32; BINS[0] * BINS[1]],
            vec![0.0; BINS[0] * BINS[1]],
        ];
        for (column, &line) in path.iter().enumerate() {
            let mut count = |row: usize, side: usize| {
                let bin = column_of(&self.bins, field.rows, column)[row];
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

/// Adds to what every row of a column is worth what separates above from below there. `sums` is room for their sums.
#[inline(never)]
fn separate(odds: &[f32], bins: &[u16], sums: &mut [f32], worth: &mut [f32]) {
    let rows = bins.len();
    // Rows before the first have the first one's sum, rows after the last one the last one's.
    let mut sum = 0.0;
    for (kept, &bin) in sums[LEARNT.1..].iter_mut().zip(bins) {
        sum += odds[usize::from(bin)];
        *kept = sum;
    }
    let first = sums[LEARNT.1];
    sums[..LEARNT.1].fill(first);
    sums[LEARNT.1 + rows..].fill(sum);
    let here = &sums[LEARNT.1..];
    let around = sums.iter().zip(&sums[2 * LEARNT.1..]);
    for ((worth, here), (above, below)) in worth.iter_mut().zip(here).zip(around) {
        *worth += LOOK * ((below - here) - (here - above));
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
