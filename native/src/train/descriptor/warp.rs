//! The same fluke seen again: a picture under another view and light, of which every place is known.

use crate::Result;
use crate::data::Light;
use crate::train::recipe::ranged;
use flukeprint_core::evidence::geometry::Transform;
use flukeprint_core::evidence::{Frame, GrayImage};
use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

/// How far a view may differ; each number is drawn evenly up to its bound, both ways.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarpRecipe {
    /// The picture is turned by at most this; 0 to 90.
    pub rotation_degrees: f32,
    /// It is made at most this many times larger or smaller; 1 to 4.
    pub scale: f32,
    /// It is stretched along one direction, any one, at most this many times; 1 to 4.
    pub tilt: f32,
    /// Its edges grow or shrink by at most this share, as those of a plane that leans; 0 to 0.5.
    pub perspective: f32,
    /// How far brightness may lie from a half, see [`Light`]; 0 to 0.45.
    pub brightness: f32,
    /// How far the logarithm of the contrast may lie from 0; 0 to 2.
    pub contrast: f32,
    /// The deviation of the blur at most, pixels; 0 to 10.
    pub blur: f32,
    /// The deviation of the noise at most, gray levels of 255; 0 to 50.
    pub noise: f32,
    /// Whether the second patch is round and upright, of the area that the piece of skin has in the second
    /// picture: as a detector of round frames finds it. Otherwise it takes the view's shape too, and
    /// the network need not learn to bear with it.
    pub round: bool,
}

impl WarpRecipe {
    pub(super) fn check(&self) -> Result<()> {
        for (name, value, range, wanted) in [
            (
                "warp.rotation_degrees",
                self.rotation_degrees,
                0.0..=90.0,
                "0 to 90",
            ),
            ("warp.scale", self.scale, 1.0..=4.0, "1 to 4"),
            ("warp.tilt", self.tilt, 1.0..=4.0, "1 to 4"),
            ("warp.perspective", self.perspective, 0.0..=0.5, "0 to 0.5"),
            ("warp.brightness", self.brightness, 0.0..=0.45, "0 to 0.45"),
            ("warp.contrast", self.contrast, 0.0..=2.0, "0 to 2"),
            ("warp.blur", self.blur, 0.0..=10.0, "0 to 10"),
            ("warp.noise", self.noise, 0.0..=50.0, "0 to 50"),
        ] {
            ranged(name, value.into(), range, wanted)?;
        }
        Ok(())
    }

    /// Draws a view of a picture of that size.
    pub(super) fn draw(&self, width: usize, height: usize, rng: &mut impl Rng) -> Warp {
        let mut even = |most: f32| f64::from(most) * (2.0 * rng.random::<f64>() - 1.0);
        let turn = even(self.rotation_degrees).to_radians();
        let scale = even(self.scale.ln()).exp();
        let tilt = even(self.tilt.ln()).exp().sqrt();
        let direction = even(std::f32::consts::FRAC_PI_2);
        let lean = [even(self.perspective), even(self.perspective)];
        let light = Light {
            brightness: 0.5 + even(self.brightness) as f32,
            contrast: even(self.contrast).exp() as f32,
        };
        let blur = self.blur * rng.random::<f32>();
        let noise = self.noise * rng.random::<f32>();
        let about = rotation(turn)
            .after(&rotation(direction))
            .after(&Transform::affine(
                [scale * tilt, 0.0, 0.0, scale / tilt],
                [0.0; 2],
            ))
            .after(&rotation(-direction));
        let leaning = leaning(lean, width, height);
        let half = [width, height].map(|side| (side as f64 - 1.0) / 2.0);
        let map = moved(half)
            .after(&about)
            .after(&leaning)
            .after(&moved(half.map(|by| -by)));
        Warp {
            map,
            light,
            blur,
            noise,
            round: self.round,
        }
    }
}

fn rotation(radians: f64) -> Transform {
    let (sin, cos) = radians.sin_cos();
    Transform::affine([cos, -sin, sin, cos], [0.0; 2])
}

fn moved(by: [f64; 2]) -> Transform {
    Transform::affine([1.0, 0.0, 0.0, 1.0], by)
}

/// Points about the middle, nearer the more they lie to one side.
fn leaning([by_x, by_y]: [f64; 2], width: usize, height: usize) -> Transform {
    // Both sides count by the longer one, so that a wide picture does not lean more down than across.
    let reach = width.max(height).max(2) as f64 / 2.0;
    Transform([
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [by_x / reach, by_y / reach, 1.0],
    ])
}

/// One view.
#[derive(Clone, Debug)]
pub(super) struct Warp {
    /// From pixels of the picture to pixels of the view.
    map: Transform,
    light: Light,
    blur: f32,
    noise: f32,
    round: bool,
}

/// A weaker blur changes nothing.
const WEAKEST_BLUR: f32 = 0.3;

impl Warp {
    /// The view of `image`, of its size; what the picture does not show repeats its edge.
    pub(super) fn view(&self, image: &GrayImage, rng: &mut impl Rng) -> Result<GrayImage> {
        let (width, height) = (image.width(), image.height());
        let mut values = vec![0.0; width * height];
        if let Some(back) = self.map.inverse() {
            let back = back.0.map(|row| row.map(|entry| entry as f32));
            for (y, row) in values.chunks_exact_mut(width).enumerate() {
                for (x, value) in row.iter_mut().enumerate() {
                    let [u, v, w] = back.map(|[a, b, c]| a * x as f32 + b * y as f32 + c);
                    *value = clamped(image, u / w, v / w) / 255.0;
                }
            }
        }
        self.light.shine(&mut values);
        for value in &mut values {
            *value *= 255.0;
        }
        let mut view = GrayImage::new(width, height, values)?;
        if self.blur > WEAKEST_BLUR {
            view = view.blurred(self.blur);
        }
        let noisy = view.values().iter().map(|value| {
            let noise: f32 = StandardNormal.sample(rng);
            (value + self.noise * noise).clamp(0.0, 255.0)
        });
        let noisy = noisy.collect();
        Ok(GrayImage::new(width, height, noisy)?)
    }

    /// Where a frame of the picture lies in the view; `None` beyond the horizon. Exact for a map without
    /// perspective, else as the map is at the frame's centre.
    pub(super) fn frame(&self, frame: &Frame) -> Option<Frame> {
        let exact = carried(&self.map, frame)?;
        let radius = exact.radius();
        Some(match self.round {
            true => Frame {
                shape: [radius, 0.0, 0.0, radius],
                ..exact
            },
            false => exact,
        })
    }
}

/// The frame with what `map` does to its middle and around it.
fn carried(map: &Transform, frame: &Frame) -> Option<Frame> {
    let center = frame.center.map(f64::from);
    let to = map.map(center)?;
    let [l11, l12, l21, l22] = map.linear_at(center)?;
    let [a11, a12, a21, a22] = frame.shape.map(f64::from);
    let shape = [
        l11 * a11 + l12 * a21,
        l11 * a12 + l12 * a22,
        l21 * a11 + l22 * a21,
        l21 * a12 + l22 * a22,
    ];
    Some(Frame {
        center: to.map(|at| at as f32),
        shape: shape.map(|entry| entry as f32),
    })
}

/// Between the pixels, bilinear, the edge replicated.
fn clamped(image: &GrayImage, x: f32, y: f32) -> f32 {
    let (width, height) = (image.width(), image.height());
    let (x, y) = (
        x.clamp(0.0, width as f32 - 1.0),
        y.clamp(0.0, height as f32 - 1.0),
    );
    let (left, top) = (x as usize, y as usize);
    let (right, bottom) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
    let (across, down) = (x - left as f32, y - top as f32);
    let at = |x: usize, y: usize| image.values()[y * width + x];
    let upper = at(left, top) + across * (at(right, top) - at(left, top));
    let lower = at(left, bottom) + across * (at(right, bottom) - at(left, bottom));
    upper + down * (lower - upper)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flukeprint_core::evidence::Patches;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    const SIZE: [usize; 2] = [160, 90];

    fn recipe(perspective: f32, round: bool) -> WarpRecipe {
        WarpRecipe {
            rotation_degrees: 20.0,
            scale: 1.3,
            tilt: 1.3,
            perspective,
            brightness: 0.1,
            contrast: 0.2,
            blur: 0.0,
            noise: 0.0,
            round,
        }
    }

    /// A picture without corners, which sampling twice does not harm.
    fn waves() -> GrayImage {
        let [width, height] = SIZE;
        let pixel = |i: usize| {
            let (x, y) = ((i % width) as f32, (i / width) as f32);
            128.0 + 60.0 * (x / 9.0 + (y / 14.0).sin()).sin() + 50.0 * (y / 8.0 - x / 25.0).cos()
        };
        GrayImage::new(width, height, (0..width * height).map(pixel).collect()).unwrap()
    }

    fn correlation(a: &[f32], b: &[f32]) -> f32 {
        let sum: f32 = a.iter().zip(b).map(|(a, b)| a * b).sum();
        sum / (a.len() as f32 - 1.0)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn a_warped_frame_maps_onto_its_original(
            seed: u64, center in [50f32..110.0, 30f32..60.0], radius in 5f32..20.0, perspective in 0f32..0.1,
        ) {
            let frame = Frame { center, shape: [radius, 0.0, 0.0, radius] };
            let draw = |perspective, round| {
                let mut rng = ChaCha8Rng::seed_from_u64(seed);
                recipe(perspective, round).draw(SIZE[0], SIZE[1], &mut rng)
            };
            for (perspective, tolerance) in [(0.0, 1e-3), (perspective, 0.1 * radius)] {
                let warp = draw(perspective, false);
                let warped = warp.frame(&frame).unwrap();
                let back = warp.map.inverse().unwrap();
                for (u, v) in [(0.0, 0.0), (-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)] {
                    let [x, y] = back.map(warped.at(u, v).map(f64::from)).unwrap();
                    let [wanted_x, wanted_y] = frame.at(u, v).map(f64::from);
                    let apart = (x - wanted_x).hypot(y - wanted_y) as f32;
                    prop_assert!(apart <= tolerance, "{} {} {}", apart, radius, perspective);
                }
                let round = draw(perspective, true).frame(&frame).unwrap();
                prop_assert_eq!(round.center, warped.center);
                prop_assert!((round.radius() - warped.radius()).abs() < 1e-3 * radius);
            }
        }

        #[test]
        fn both_patches_show_the_same_skin(seed: u64, center in [60f32..100.0, 38f32..52.0], radius in 12f32..18.0) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let (image, recipe) = (waves(), recipe(0.05, false));
            let warp = recipe.draw(SIZE[0], SIZE[1], &mut rng);
            let view = warp.view(&image, &mut rng).unwrap();
            let frame = Frame { center, shape: [radius, 0.0, 0.0, radius] };
            let warped = warp.frame(&frame).unwrap();
            prop_assume!(warped.lies_within(SIZE[0], SIZE[1]));
            let (a, b) = (Patches::new(&image).take(&frame), Patches::new(&view).take(&warped));
            prop_assert!(correlation(&a, &b) > 0.95, "{}", correlation(&a, &b));
        }
    }

    #[test]
    fn nothing_drawn_is_nothing_changed() {
        let still = WarpRecipe {
            rotation_degrees: 0.0,
            scale: 1.0,
            tilt: 1.0,
            brightness: 0.0,
            contrast: 0.0,
            ..recipe(0.0, false)
        };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let warp = still.draw(SIZE[0], SIZE[1], &mut rng);
        let image = waves();
        let view = warp.view(&image, &mut rng).unwrap();
        let most = view.values().iter().zip(image.values());
        let most = most.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(most < 1e-2, "{most}");
    }
}
