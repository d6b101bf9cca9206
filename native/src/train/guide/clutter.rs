//! What else looks like an edge with the dark below: a horizon behind the fluke, swell, patches of white skin.
//!
//! Each lies on one side of the fluke's own edge, so that the edge stays where it is and all that is drawn is to be passed over.
//! Without them the lines that a guide learns from teach it some of what was traced by mistake. A first round goes without: too many of
//! its lines are not the fluke's.

use flukeprint_core::evidence::edge::guide::{COLUMNS, ROWS};
use rand::{Rng, RngExt};
use std::ops::Range;

/// The share of flukes before a horizon, rows a column that it slants by, and by how much what is above is brighter, for pictures of
/// -1 to 1; seldom it is darker.
const HORIZONS: f32 = 0.4;
const SLANT: f32 = 0.06;
const SKY: Range<f32> = 0.2..1.4;
const DARKER: f32 = 0.15;
/// The most patches, their half axes, and how much brighter or darker they are.
const PATCHES: usize = 3;
const AXES: [Range<f32>; 2] = [3.0..22.0, 2.0..14.0];
const TONE: Range<f32> = 0.2..1.2;
/// Rows beside the edge that are left as they are.
const BESIDE: f32 = 1.5;

/// Draws them in a picture whose edge runs along `line`, the row in each column that has one.
pub(super) fn clutter(picture: &mut [f32], line: &[Option<f32>], rng: &mut impl Rng) {
    let line = everywhere(line);
    if rng.random::<f32>() < HORIZONS {
        horizon(picture, &line, rng);
    }
    for _ in 0..rng.random_range(0..=PATCHES) {
        patch(picture, &line, rng);
    }
}

/// All that is above a straight line and above the fluke, brighter or darker.
fn horizon(picture: &mut [f32], line: &[f32], rng: &mut impl Rng) {
    let height = rng.random_range(0.0..0.7 * ROWS as f32);
    let slant = rng.random_range(-SLANT..SLANT);
    let brighter = rng.random_range(SKY);
    let brighter = match rng.random::<f32>() < DARKER {
        true => -brighter,
        false => brighter,
    };
    let above = |row: f32, column: usize| {
        let horizon = height + slant * (column as f32 - COLUMNS as f32 / 2.0);
        row < horizon && row < line[column] - BESIDE
    };
    add(picture, brighter, above);
}

/// An ellipse of skin below the edge, or of water above it, brighter or darker.
fn patch(picture: &mut [f32], line: &[f32], rng: &mut impl Rng) {
    let [wide, high] = AXES.map(|axis| rng.random_range(axis));
    let x = rng.random_range(0.0..COLUMNS as f32);
    let y = rng.random_range(0.0..ROWS as f32);
    let tone = rng.random_range(TONE);
    let tone = if rng.random::<bool>() { tone } else { -tone };
    let is_below = y > line[x as usize];
    let within = |row: f32, column: usize| {
        let [across, down] = [(column as f32 - x) / wide, (row - y) / high];
        let below = row - line[column];
        let beside = if is_below { below } else { -below };
        across * across + down * down < 1.0 && beside > BESIDE
    };
    add(picture, tone, within);
}

fn add(picture: &mut [f32], tone: f32, within: impl Fn(f32, usize) -> bool) {
    for (place, value) in picture.iter_mut().enumerate() {
        if within((place / COLUMNS) as f32, place % COLUMNS) {
            *value += tone;
        }
    }
}

/// The line in every column: where it is not known, as in the next column where it is; at the top where it is nowhere.
fn everywhere(line: &[Option<f32>]) -> Vec<f32> {
    let known: Vec<(usize, f32)> = line
        .iter()
        .enumerate()
        .filter_map(|(column, row)| Some((column, (*row)?)))
        .collect();
    let nearest = |column: usize| {
        let nearest = known
            .iter()
            .min_by_key(|(other, _)| column.abs_diff(*other));
        nearest.map_or(0.0, |(_, row)| *row)
    };
    (0..COLUMNS).map(nearest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// Beside the edge nothing changes; elsewhere something does, on both sides of it.
    #[test]
    fn clutter_leaves_the_edge_as_it_is() {
        let line: Vec<Option<f32>> = (0..COLUMNS)
            .map(|column| {
                (5..123)
                    .contains(&column)
                    .then_some(20.0 + column as f32 / 8.0)
            })
            .collect();
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut changed = [0, 0];
        for _ in 0..50 {
            let mut picture = vec![0.0; ROWS * COLUMNS];
            clutter(&mut picture, &line, &mut rng);
            for (place, value) in picture.iter().enumerate() {
                let Some(edge) = line[place % COLUMNS] else {
                    continue;
                };
                let below = (place / COLUMNS) as f32 - edge;
                assert!(below.abs() > BESIDE || *value == 0.0, "{place}: {value}");
                changed[usize::from(below > 0.0)] += usize::from(*value != 0.0);
            }
        }
        assert!(changed.iter().all(|&count| count > 10_000), "{changed:?}");
    }

    #[test]
    fn a_picture_without_a_line_has_clutter_all_the_same() {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let mut picture = vec![0.0; ROWS * COLUMNS];
        for _ in 0..20 {
            clutter(&mut picture, &[None; COLUMNS], &mut rng);
        }
        assert!(picture.iter().any(|&value| value != 0.0));
        assert!(picture.iter().all(|value| value.is_finite()));
    }
}
