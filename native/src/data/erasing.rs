//! Random erasing: Zhong et al., *Random Erasing Data Augmentation*, 2020.

use super::augment::between;
use rand::Rng;
use std::ops::Range;

/// The share of the picture's area that is erased: the paper's s_l, and half its s_h, because a
/// fluke fills its picture.
const AREA: [f32; 2] = [0.02, 0.2];
/// The height over the width of what is erased: the paper's r_1 and about its r_2.
const ASPECT: [f32; 2] = [0.3, 3.3];

/// A rectangle of a picture of any size that is replaced by the picture's mean gray.
///
/// The paper measures the aspect in pixels and draws again until the rectangle fits. Here it is
/// measured in shares of the picture's sides, so that every rectangle fits a picture that is twice
/// as wide as high too; in a square picture both are the same.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Erased {
    /// Share of the picture's area, 0.02 to 0.2.
    pub area: f32,
    /// Share of the picture's height over share of its width, 0.3 to 3.3.
    pub aspect: f32,
    /// Where it lies: -1 is at the left or top edge, 1 at the right or bottom one.
    pub centre: [f32; 2],
}

impl Erased {
    /// Draws a rectangle: the area evenly, the aspect evenly in its logarithm, so that lying ones
    /// are as likely as standing ones, the place evenly among those where it fits.
    pub(super) fn draw(rng: &mut impl Rng) -> Self {
        Self {
            area: between(rng, AREA[0], AREA[1]),
            aspect: between(rng, ASPECT[0].ln(), ASPECT[1].ln()).exp(),
            centre: [between(rng, -1.0, 1.0), between(rng, -1.0, 1.0)],
        }
    }

    /// Its columns and rows in a picture of `width` x `height` pixels, at least one of each.
    fn pixels(&self, width: usize, height: usize) -> [Range<usize>; 2] {
        let shares = [
            (self.area / self.aspect).sqrt(),
            (self.area * self.aspect).sqrt(),
        ];
        std::array::from_fn(|axis| {
            let side = [width, height][axis];
            let length = ((shares[axis] * side as f32).round() as usize).clamp(1, side);
            let room = (side - length) as f32;
            let first = ((self.centre[axis] + 1.0) / 2.0 * room).round() as usize;
            first..first + length
        })
    }

    /// Replaces its part of `[height, width]` values by the mean of all of them.
    pub(super) fn erase(&self, values: &mut [f32], width: usize) {
        if values.is_empty() {
            return;
        }
        let sum: f64 = values.iter().map(|&value| f64::from(value)).sum();
        let mean = (sum / values.len() as f64) as f32;
        let [columns, rows] = self.pixels(width, values.len() / width);
        for row in values
            .chunks_exact_mut(width)
            .take(rows.end)
            .skip(rows.start)
        {
            row[columns.clone()].fill(mean);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn the_rectangle_becomes_the_mean_and_nothing_else_changes() {
        // √(0.06 / 1.5) = 0.2 of 10 columns, √(0.06 · 1.5) = 0.3 of 10 rows, in the upper right
        // corner. The mean of 0 to 9, ten times, is 4.5.
        let erased = Erased {
            area: 0.06,
            aspect: 1.5,
            centre: [1.0, -1.0],
        };
        let mut values: Vec<f32> = (0..100).map(|i| (i % 10) as f32).collect();
        erased.erase(&mut values, 10);
        for (i, value) in values.into_iter().enumerate() {
            let (column, row) = (i % 10, i / 10);
            let inside = column >= 8 && row < 3;
            assert_eq!(value, if inside { 4.5 } else { column as f32 }, "{i}");
        }
    }

    #[test]
    fn lying_and_standing_rectangles_of_any_area_are_drawn() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let drawn: Vec<Erased> = (0..4000).map(|_| Erased::draw(&mut rng)).collect();
        let share = |of: fn(&Erased) -> bool| {
            drawn.iter().filter(|one| of(one)).count() as f64 / drawn.len() as f64
        };
        // ln(0.3) to ln(3.3): ln(1 / 0.3) / ln(11) = 0.502 of it lies below 1.
        assert!((share(|one| one.aspect < 1.0) - 0.502).abs() < 0.04);
        // 0.11 is the middle of 0.02 to 0.2.
        assert!((share(|one| one.area < 0.11) - 0.5).abs() < 0.04);
        assert!((share(|one| one.centre[0] < -0.5) - 0.25).abs() < 0.04);
        assert!((share(|one| one.centre[1] > 0.5) - 0.25).abs() < 0.04);
    }

    proptest! {
        #[test]
        fn the_erased_area_is_within_its_range(seed: u64, width in 32usize..400, height in 32usize..400) {
            let erased = Erased::draw(&mut ChaCha8Rng::seed_from_u64(seed));
            // Of zeros and ones the mean is neither.
            let mut values: Vec<f32> = (0..width * height).map(|i| (i % 2) as f32).collect();
            erased.erase(&mut values, width);
            let gone = values.iter().filter(|value| **value != 0.0 && **value != 1.0).count();
            // Each side may be half a pixel off.
            let (wide, high) = (width as f32, height as f32);
            let most = (0.2 * wide * high) + 0.5 * 0.82 * (wide + high) + 1.0;
            let least = (0.02 * wide * high) - 0.5 * 0.82 * (wide + high);
            prop_assert!((least..=most).contains(&(gone as f32)), "{} of {}", gone, wide * high);
            prop_assert!((0.0199..0.2001).contains(&erased.area) && (0.299..3.301).contains(&erased.aspect));
        }

        #[test]
        fn it_lies_in_a_picture_of_any_size(seed: u64, width in 1usize..20, height in 1usize..20) {
            let erased = Erased::draw(&mut ChaCha8Rng::seed_from_u64(seed));
            let [columns, rows] = erased.pixels(width, height);
            prop_assert!(columns.start < columns.end && columns.end <= width, "{:?}", columns);
            prop_assert!(rows.start < rows.end && rows.end <= height, "{:?}", rows);
        }
    }
}
