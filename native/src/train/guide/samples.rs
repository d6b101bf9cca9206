//! A fluke seen again: moved, stretched, mirrored, before a horizon, in other light, behind spray.

use super::clutter::clutter;
use burn::tensor::{Device, Tensor, TensorData};
use flukeprint_core::evidence::edge::guide::{COLUMNS, ROWS, input};
use flukeprint_core::evidence::edge::{SEEN, Sight};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use std::ops::Range;

/// How far boxes are off: the logarithm of both sides' factors, both shifts in pixels, rows a column.
const WIDER: f32 = 0.12;
const HIGHER: f32 = 0.2;
const ASIDE: f32 = 6.0;
const DOWN: f32 = 5.0;
const SLANT: f32 = 0.05;
/// The light: the logarithm of the contrast's factor, what is added, and what is added more from end to end and from
/// top to bottom, for pictures of -1 to 1.
const CONTRAST: Range<f32> = -0.7..0.4;
const BRIGHTER: f32 = 0.5;
const ACROSS: f32 = 0.4;
const ALONG: f32 = 0.3;
/// The share of white flukes before dark water, as negatives.
const NEGATIVES: f32 = 0.12;
/// The most noise.
const NOISE: f32 = 0.4;
/// The share of flukes behind a patch of spray, its sides and its roughness.
const HIDDEN: f32 = 0.5;
const SPRAY: [Range<f32>; 2] = [8.0..28.0, 6.0..20.0];
const ROUGH: f32 = 0.3;
/// How many rows a line is off: what is learnt is a normal distribution around it.
const OFF: f32 = 0.8;

/// What the guide is fed, `[3, 64, 128]`, and where the line runs, `[64, 128]`, shares of each column or zeros.
pub(super) type Sample = [Vec<f32>; 2];

/// A fluke seen again, where `cluttered` among what else looks like an edge.
pub(super) fn sample(sight: &Sight, cluttered: bool, rng: &mut impl Rng) -> Sample {
    let view = View::draw(rng);
    let (mut picture, line) = (view.picture(&sight.picture), view.line(&sight.line));
    if cluttered {
        clutter(&mut picture, &line, rng);
    }
    light(&mut picture, rng);
    if rng.random::<f32>() < HIDDEN {
        hide(&mut picture, rng);
    }
    [input(&picture), target(&line)]
}

/// Samples as tensors: `[batch, 3, 64, 128]` and `[batch, 64, 128]`.
pub(super) fn tensors(samples: &[Sample], device: &Device) -> (Tensor<4>, Tensor<3>) {
    let all = |which: usize| -> Vec<f32> {
        let one = samples.iter().map(|sample| &sample[which]);
        one.flatten().copied().collect()
    };
    let input = TensorData::new(all(0), [samples.len(), 3, ROWS, COLUMNS]);
    let target = TensorData::new(all(1), [samples.len(), ROWS, COLUMNS]);
    (
        Tensor::from_data(input, device),
        Tensor::from_data(target, device),
    )
}

/// Where a pixel of the sample is in the picture: x = wider · x' + aside, y = higher · y' + down + slant · x', counted
/// from the middle, mirrored or not.
struct View {
    mirrored: bool,
    wider: f32,
    aside: f32,
    higher: f32,
    down: f32,
    slant: f32,
}

const MIDDLE: [f32; 2] = [(COLUMNS - 1) as f32 / 2.0, (ROWS - 1) as f32 / 2.0];

impl View {
    fn draw(rng: &mut impl Rng) -> Self {
        let mut within = |far: f32| rng.random_range(-far..far);
        Self {
            wider: within(WIDER).exp(),
            aside: within(ASIDE),
            higher: within(HIGHER).exp(),
            down: within(DOWN),
            slant: within(SLANT),
            mirrored: within(1.0) < 0.0,
        }
    }

    /// The column of the picture that a sample's column shows.
    fn column(&self, column: usize) -> f32 {
        let from_middle = self.wider * (column as f32 - MIDDLE[0]) + self.aside;
        let mirrored = if self.mirrored { -1.0 } else { 1.0 };
        MIDDLE[0] + mirrored * from_middle
    }

    fn picture(&self, picture: &[f32]) -> Vec<f32> {
        let mut seen = Vec::with_capacity(ROWS * COLUMNS);
        for row in 0..ROWS {
            let from_middle = self.higher * (row as f32 - MIDDLE[1]) + self.down;
            for column in 0..COLUMNS {
                let slanted = self.slant * (column as f32 - MIDDLE[0]);
                let y = MIDDLE[1] + from_middle + slanted;
                seen.push(between(picture, self.column(column), y));
            }
        }
        seen
    }

    /// The line's row in each column of the sample; `None` where it is not known or outside.
    fn line(&self, line: &[f32]) -> Vec<Option<f32>> {
        let row = |column: usize| {
            let x = self.column(column);
            let known = (SEEN.start as f32..=(SEEN.end - 1) as f32).contains(&x);
            let before = (x as usize).min(COLUMNS - 2);
            let share = x - before as f32;
            let y = || line[before] * (1.0 - share) + line[before + 1] * share;
            let slanted = self.slant * (column as f32 - MIDDLE[0]);
            let row =
                known.then(|| MIDDLE[1] + (y() - MIDDLE[1] - self.down - slanted) / self.higher);
            row.filter(|row| (-0.5..ROWS as f32 - 0.5).contains(row))
        };
        (0..COLUMNS).map(row).collect()
    }
}

/// The picture's value between its pixels, the ends beyond them.
fn between(picture: &[f32], x: f32, y: f32) -> f32 {
    let at = |value: f32, count: usize| {
        let value = value.clamp(0.0, (count - 1) as f32);
        let before = (value as usize).min(count - 2);
        (before, value - before as f32)
    };
    let ((left, right), (above, below)) = (at(x, COLUMNS), at(y, ROWS));
    let line = |row: usize| {
        let pair = &picture[row * COLUMNS + left..][..2];
        pair[0] * (1.0 - right) + pair[1] * right
    };
    line(above) * (1.0 - below) + line(above + 1) * below
}

/// Another light, and noise.
fn light(picture: &mut [f32], rng: &mut impl Rng) {
    let contrast = rng.random_range(CONTRAST).exp();
    let contrast = match rng.random::<f32>() < NEGATIVES {
        true => -contrast,
        false => contrast,
    };
    let mut within = |far: f32| rng.random_range(-far..far);
    let (brighter, across, along) = (within(BRIGHTER), within(ACROSS), within(ALONG));
    let noise = NOISE * rng.random::<f32>().powi(2);
    for (place, value) in picture.iter_mut().enumerate() {
        let x = (place % COLUMNS) as f32 / MIDDLE[0] - 1.0;
        let y = (place / COLUMNS) as f32 / MIDDLE[1] - 1.0;
        let grain: f32 = StandardNormal.sample(rng);
        *value = contrast * *value + brighter + across * x + along * y + noise * grain;
    }
}

/// A patch of spray.
fn hide(picture: &mut [f32], rng: &mut impl Rng) {
    let [width, height] = SPRAY.map(|side| rng.random_range(side) / 2.0);
    let x = rng.random_range(0.0..COLUMNS as f32);
    let y = rng.random_range(0.0..ROWS as f32);
    let bright = rng.random_range(-1.0..1.0f32);
    for (place, value) in picture.iter_mut().enumerate() {
        let far = [place % COLUMNS, place / COLUMNS].map(|at| at as f32);
        if (far[0] - x).abs() < width && (far[1] - y).abs() < height {
            let grain: f32 = StandardNormal.sample(rng);
            *value = bright + ROUGH * grain;
        }
    }
}

/// Where the line is to be held for likely.
fn target(line: &[Option<f32>]) -> Vec<f32> {
    let mut target = vec![0.0; ROWS * COLUMNS];
    for (column, line) in line.iter().enumerate() {
        let Some(line) = line else { continue };
        let share = |row: usize| {
            let off = (row as f32 - line) / OFF;
            (-0.5 * off * off).exp()
        };
        let sum: f32 = (0..ROWS).map(share).sum();
        for row in 0..ROWS {
            target[row * COLUMNS + column] = share(row) / sum;
        }
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// A picture whose line is where it is brightest, moved: the line is still there.
    #[test]
    fn a_line_moves_with_its_picture() {
        let line: Vec<f32> = (0..COLUMNS)
            .map(|column| 30.0 + 12.0 * (column as f32 / 20.0).sin())
            .collect();
        let bright = |place: usize| {
            let off = (place / COLUMNS) as f32 - line[place % COLUMNS];
            (-0.1 * off * off).exp()
        };
        let picture: Vec<f32> = (0..ROWS * COLUMNS).map(bright).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let mut known = 0;
        for _ in 0..20 {
            let view = View::draw(&mut rng);
            let seen = view.picture(&picture);
            for (column, line) in view.line(&line).into_iter().enumerate() {
                let Some(line) = line.filter(|line| (2.0..61.0).contains(line)) else {
                    continue;
                };
                let at = |row: usize| seen[row * COLUMNS + column];
                let most = (0..ROWS).max_by(|&a, &b| at(a).total_cmp(&at(b))).unwrap();
                assert!((most as f32 - line).abs() <= 1.0, "{column}: {most} {line}");
                known += 1;
            }
        }
        assert!(known > 20 * 80, "{known}");
    }

    #[test]
    fn every_column_with_a_line_has_shares_around_it() {
        let mut line = vec![None; COLUMNS];
        line[7] = Some(20.25);
        let target = target(&line);
        let column = |column: usize| (0..ROWS).map(move |row| row * COLUMNS + column);
        let sum: f32 = column(7).map(|at| target[at]).sum();
        let mean: f32 = column(7)
            .zip(0..)
            .map(|(at, row)| target[at] * row as f32)
            .sum();
        assert!(
            (sum - 1.0).abs() < 1e-5 && (mean - 20.25).abs() < 0.01,
            "{sum} {mean}"
        );
        assert!(column(8).all(|at| target[at] == 0.0));
    }
}
