//! Flukes from afar: a photo made small in a wider scene.
//!
//! People crop what they publish: in most photos with a box it takes three quarters of the width and more. From a boat it often takes
//! a quarter. What is around a photo is not known; the water beside its fluke, mirrored again and again, stands for it.

use super::Boxed;
use crate::Result;
use flukeprint_core::photo::Gray;
use rand::{Rng, RngExt};
use std::ops::Range;

/// The logarithm by which the sides of a scene may differ in scale.
const UNEQUAL: f32 = 0.3;
/// The most noise in what is made up, gray values.
const NOISE: f32 = 14.0;

/// The photo in a scene of its own size, of which it takes at least one part in `times` of each side or so; its box there.
pub(super) fn afar(photo: &Boxed, times: f32, rng: &mut impl Rng) -> Result<Boxed> {
    let Boxed { gray, shares } = photo;
    let smaller = times.powf(rng.random::<f32>());
    let mut side = |size: u32| {
        let unequal = rng.random_range(-UNEQUAL..UNEQUAL).exp();
        let taken = (size as f32 / (smaller * unequal).max(1.0)) as u32;
        let taken = taken.clamp(size.div_ceil(16), size);
        (taken, rng.random_range(0..=size - taken))
    };
    let (across, down) = (side(gray.width), side(gray.height));
    let small = gray.resize(across.0, down.0)?;
    let [left, top, right, bottom] = *shares;
    let columns = Strip::of(across, left..right);
    let rows = Strip::of(down, top..bottom);
    let noise = NOISE * rng.random::<f32>();
    let mut pixels = Vec::with_capacity(gray.pixels.len());
    for y in 0..gray.height {
        let (row, is_row) = rows.at(y);
        for x in 0..gray.width {
            let (column, is_column) = columns.at(x);
            let value = small.pixels[row * across.0 as usize + column];
            let grain = match is_row && is_column {
                true => 0.0,
                false => noise * rng.random_range(-1.0..1.0f32),
            };
            pixels.push((f32::from(value) + grain) as u8); // a cast keeps to 0…255
        }
    }
    let placed = |share: f32, (taken, from): (u32, u32), size: u32| {
        (from as f32 + share * taken as f32) / size as f32
    };
    Ok(Boxed {
        gray: Gray {
            width: gray.width,
            height: gray.height,
            pixels,
        },
        shares: [
            placed(left, across, gray.width),
            placed(top, down, gray.height),
            placed(right, across, gray.width),
            placed(bottom, down, gray.height),
        ],
    })
}

/// A side of a photo in a scene, and how much of it at both ends the box leaves.
struct Strip {
    from: usize,
    size: usize,
    before: usize,
    after: usize,
}

impl Strip {
    fn of((size, from): (u32, u32), boxed: Range<f32>) -> Self {
        let pixels = |share: f32| (share * size as f32) as usize;
        Self {
            from: from as usize,
            size: size as usize,
            before: pixels(boxed.start).clamp(1, size as usize),
            after: pixels(1.0 - boxed.end).clamp(1, size as usize),
        }
    }

    /// Which of the photo's pixels stands at a place of the scene, and whether it is its own there.
    fn at(&self, place: u32) -> (usize, bool) {
        let place = place as usize;
        let mirrored = |far: usize, strip: usize| {
            let far = far % (2 * strip);
            far.min(2 * strip - 1 - far)
        };
        if place < self.from {
            (mirrored(self.from - 1 - place, self.before), false)
        } else if place < self.from + self.size {
            (place - self.from, true)
        } else {
            let far = mirrored(place - self.from - self.size, self.after);
            (self.size - 1 - far, false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    /// A dark photo with a bright box: wherever it comes to lie, what is bright is the box and nothing else.
    #[test]
    fn the_box_goes_where_the_fluke_does_and_no_other_is_made_up() {
        let side = 96;
        let inside = |place: u32| (24..72).contains(&place);
        let bright = |i: u32| {
            if inside(i / side) && inside(i % side) {
                250
            } else {
                20
            }
        };
        let photo = Boxed {
            gray: Gray {
                width: side,
                height: side,
                pixels: (0..side * side).map(bright).collect(),
            },
            shares: [0.25, 0.25, 0.75, 0.75],
        };
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let mut smallest = 1.0_f32;
        for _ in 0..60 {
            let Boxed { gray, shares } = afar(&photo, 5.0, &mut rng).unwrap();
            assert_eq!((gray.width, gray.height), (side, side));
            let [left, top, right, bottom] = shares.map(|share| share * side as f32);
            smallest = smallest.min((right - left) / side as f32);
            for (i, &value) in gray.pixels.iter().enumerate() {
                let (x, y) = (
                    (i as u32 % side) as f32 + 0.5,
                    (i as u32 / side) as f32 + 0.5,
                );
                let far = (left - x).max(x - right).max(top - y).max(y - bottom);
                // A pixel at the border is of both.
                assert!(
                    far < 1.5 || value < 100,
                    "{value} at {x}, {y} of {shares:?}"
                );
                assert!(
                    far > -1.5 || value > 150,
                    "{value} at {x}, {y} of {shares:?}"
                );
            }
        }
        assert!(smallest < 0.2, "{smallest}");
    }

    #[test]
    fn a_fluke_that_fills_its_photo_has_water_of_one_pixel() {
        let photo = Boxed {
            gray: Gray {
                width: 40,
                height: 40,
                pixels: vec![90; 1600],
            },
            shares: [0.0, 0.0, 1.0, 1.0],
        };
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        for _ in 0..20 {
            let seen = afar(&photo, 30.0, &mut rng).unwrap();
            assert!(seen.shares.iter().all(|share| (0.0..=1.0).contains(share)));
            assert!(
                seen.gray
                    .pixels
                    .iter()
                    .all(|&value| value.abs_diff(90) < 20)
            );
        }
    }
}
