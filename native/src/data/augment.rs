//! What a training photo goes through: spec, *Input*, with the meanings of fastai 1's
//! `get_transforms`, which the spec's figures come from.

use super::change::Change;
use super::erasing::Erased;
use super::light::Light;
use crate::{Error, Result};
use rand::{Rng, RngExt};
use serde::{Deserialize, Serialize};

/// The ranges from which a photo's [`Change`] is drawn. The default is the spec's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Augmentation {
    /// The chance, 0 to 1, of each of rotation, zoom, warp, brightness and contrast.
    pub probability: f32,
    /// The largest rotation either way, 0 to 180 degrees.
    pub rotation_degrees: f32,
    /// The largest zoom, 1 to 10; the smallest is 1. The part that is shown is drawn too.
    pub zoom: f32,
    /// The largest symmetric perspective warp, 0 to 0.4, as a share of half a side.
    pub warp: f32,
    /// The range of brightness, between 0 and 1; 0.5 changes nothing.
    pub brightness: [f32; 2],
    /// The range of contrast, above 0; 1 changes nothing.
    pub contrast: [f32; 2],
    /// The chance of a mirrored photo, 0 to 1. A mirrored fluke is another whale's, so 0 unless the
    /// label is changed with it.
    pub flip_probability: f32,
    /// The chance, 0 to 1, that a rectangle of 2 % to 20 % of the picture's area is replaced by its
    /// mean gray: [`Erased`]. 0, the default, is without random erasing; it did not help the
    /// original.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub erasing: f32,
    /// How strongly, 0 to 1, each of the three equal channels gets a light of its own on top of the
    /// common one, so that the network cannot rely on their being equal: brightness within
    /// ±0.1 · `rgb`, contrast within exp(±0.2 · `rgb`). 0, the default, keeps them equal; this did
    /// not help the original.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rgb: f32,
}

/// A switch that is off is not written, so that recipes from before it keep their hash.
#[allow(clippy::trivially_copy_pass_by_ref)] // serde's signature
fn is_zero(value: &f32) -> bool {
    *value == 0.0
}

impl Default for Augmentation {
    fn default() -> Self {
        Self {
            probability: 0.75,
            rotation_degrees: 10.0,
            zoom: 1.1,
            warp: 0.2,
            brightness: [0.4, 0.6],
            contrast: [0.8, 1.25],
            flip_probability: 0.0,
            erasing: 0.0,
            rgb: 0.0,
        }
    }
}

impl Augmentation {
    /// Leaves every photo as it is.
    pub fn none() -> Self {
        Self {
            probability: 0.0,
            ..Self::default()
        }
    }

    /// Makes sure that every setting is in its range.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first that is not.
    pub fn validate(&self) -> Result<()> {
        let chance = "between 0 and 1";
        let single = [
            ("probability", self.probability, 0.0, 1.0, chance),
            (
                "rotation_degrees",
                self.rotation_degrees,
                0.0,
                180.0,
                "between 0 and 180",
            ),
            ("zoom", self.zoom, 1.0, 10.0, "between 1 and 10"),
            ("warp", self.warp, 0.0, 0.4, "between 0 and 0.4"),
            ("flip_probability", self.flip_probability, 0.0, 1.0, chance),
            ("erasing", self.erasing, 0.0, 1.0, chance),
            ("rgb", self.rgb, 0.0, 1.0, chance),
        ];
        for (name, value, low, high, wanted) in single {
            if !(low..=high).contains(&value) {
                return Err(Error::Setting {
                    name,
                    value: value.to_string(),
                    wanted,
                });
            }
        }
        let ranges = [
            (
                "brightness",
                self.brightness,
                0.01,
                0.99,
                "two numbers in order between 0.01 and 0.99",
            ),
            (
                "contrast",
                self.contrast,
                0.01,
                100.0,
                "two numbers in order between 0.01 and 100",
            ),
        ];
        for (name, [first, last], low, high, wanted) in ranges {
            if !(low <= first && first <= last && last <= high) {
                return Err(Error::Setting {
                    name,
                    value: format!("[{first}, {last}]"),
                    wanted,
                });
            }
        }
        Ok(())
    }

    /// Draws a change. The same state of `rng` gives the same change.
    pub fn draw(&self, rng: &mut impl Rng) -> Change {
        let unchanged = Change::default();
        let flip = rng.random::<f32>() < self.flip_probability;
        let often = |rng: &mut _| chance(rng, self.probability);
        let rotation_degrees = match often(rng) {
            true => between(rng, -self.rotation_degrees, self.rotation_degrees),
            false => unchanged.rotation_degrees,
        };
        let (zoom, centre) = match often(rng) {
            true => (
                between(rng, 1.0, self.zoom),
                [between(rng, -1.0, 1.0), between(rng, -1.0, 1.0)],
            ),
            false => (unchanged.zoom, unchanged.centre),
        };
        let warp = match often(rng) {
            true => std::array::from_fn(|_| between(rng, -self.warp, self.warp)),
            false => unchanged.warp,
        };
        let brightness = match often(rng) {
            true => between(rng, self.brightness[0], self.brightness[1]),
            false => unchanged.brightness,
        };
        let contrast = match often(rng) {
            true => between(rng, self.contrast[0].ln(), self.contrast[1].ln()).exp(),
            false => unchanged.contrast,
        };
        // The switches come last and draw nothing while they are off: what comes before stays the
        // same with and without them.
        let erased = (self.erasing > 0.0 && chance(rng, self.erasing)).then(|| Erased::draw(rng));
        let channels = (self.rgb > 0.0).then(|| Light::draw_channels(self.rgb, rng));
        Change {
            flip,
            rotation_degrees,
            zoom,
            centre,
            warp,
            brightness,
            contrast,
            erased,
            channels,
        }
    }
}

fn chance(rng: &mut impl Rng, probability: f32) -> bool {
    rng.random::<f32>() < probability
}

/// Evenly from `low` to `high`.
pub(super) fn between(rng: &mut impl Rng, low: f32, high: f32) -> f32 {
    low + (high - low) * rng.random::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn draws(augmentation: &Augmentation, count: u64) -> Vec<Change> {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        (0..count).map(|_| augmentation.draw(&mut rng)).collect()
    }

    /// The share of `changes` for which `of` holds, give or take five deviations of 4,000 draws.
    fn assert_share(changes: &[Change], expected: f64, of: impl Fn(&Change) -> bool) {
        let share =
            changes.iter().filter(|change| of(change)).count() as f64 / changes.len() as f64;
        assert!(
            (share - expected).abs() < 0.04,
            "{share} instead of {expected}"
        );
    }

    #[test]
    fn the_specs_figures_are_the_default() {
        let changes = draws(&Augmentation::default(), 4000);
        assert_share(&changes, 0.75, |change| change.rotation_degrees != 0.0);
        assert_share(&changes, 0.75, |change| change.zoom != 1.0);
        assert_share(&changes, 0.75, |change| change.warp != [0.0; 4]);
        assert_share(&changes, 0.75, |change| change.brightness != 0.5);
        assert_share(&changes, 0.75, |change| change.contrast != 1.0);
        assert_share(&changes, 0.0, |change| change.flip);
        // Uniform in ±10 degrees: a quarter of the three quarters lies above 5.
        assert_share(&changes, 0.75 / 4.0, |change| change.rotation_degrees > 5.0);
        assert_share(&changes, 0.75 / 2.0, |change| change.zoom > 1.05);
        assert_share(&changes, 0.75 / 4.0, |change| change.warp[2] < -0.1);
        assert_share(&changes, 0.75 / 4.0, |change| change.brightness > 0.55);
        // Log-uniform from 4/5 to 5/4: half of it lies below 1, a quarter above √1.25.
        assert_share(&changes, 0.75 / 2.0, |change| change.contrast < 1.0);
        assert_share(&changes, 0.75 / 4.0, |change| change.contrast > 1.118);
    }

    #[test]
    fn none_changes_nothing() {
        assert!(
            draws(&Augmentation::none(), 50)
                .iter()
                .all(|change| *change == Change::default())
        );
    }

    #[test]
    fn switches_that_are_off_draw_nothing() {
        // One number for each of flip, rotation, zoom, warp, brightness and contrast; then one for
        // rotation, brightness and contrast each, three for the zoom, four for the warp.
        for (probability, numbers) in [(0.0, 6), (1.0, 6 + 3 + 3 + 4)] {
            let mut rng = ChaCha8Rng::seed_from_u64(5);
            let mut same = rng.clone();
            let ranges = Augmentation {
                probability,
                ..Augmentation::default()
            };
            let change = ranges.draw(&mut rng);
            assert_eq!((change.erased, change.channels), (None, None));
            for _ in 0..numbers {
                same.random::<f32>();
            }
            assert_eq!(rng, same);
        }
    }

    #[test]
    fn switches_that_are_on_change_nothing_before_them() {
        let on = Augmentation {
            erasing: 0.5,
            rgb: 1.0,
            ..Augmentation::default()
        };
        let mut changes = Vec::new();
        for seed in 0..4000 {
            let draw = |ranges: &Augmentation| ranges.draw(&mut ChaCha8Rng::seed_from_u64(seed));
            let (with, without) = (draw(&on), draw(&Augmentation::default()));
            let before = Change {
                erased: None,
                channels: None,
                ..with.clone()
            };
            assert_eq!(before, without);
            changes.push(with);
        }
        assert_share(&changes, 0.5, |change| change.erased.is_some());
        assert_share(&changes, 1.0, |change| change.channels.is_some());
    }

    #[test]
    fn a_setting_out_of_range_is_named() {
        let spec = Augmentation::default;
        let wrong = [
            (
                "probability",
                Augmentation {
                    probability: 1.5,
                    ..spec()
                },
            ),
            (
                "rotation_degrees",
                Augmentation {
                    rotation_degrees: -10.0,
                    ..spec()
                },
            ),
            (
                "zoom",
                Augmentation {
                    zoom: 0.9,
                    ..spec()
                },
            ),
            (
                "warp",
                Augmentation {
                    warp: f32::NAN,
                    ..spec()
                },
            ),
            (
                "brightness",
                Augmentation {
                    brightness: [0.6, 0.4],
                    ..spec()
                },
            ),
            (
                "brightness",
                Augmentation {
                    brightness: [0.0, 0.6],
                    ..spec()
                },
            ),
            (
                "contrast",
                Augmentation {
                    contrast: [-1.0, 1.0],
                    ..spec()
                },
            ),
            (
                "flip_probability",
                Augmentation {
                    flip_probability: f32::INFINITY,
                    ..spec()
                },
            ),
            (
                "erasing",
                Augmentation {
                    erasing: 1.1,
                    ..spec()
                },
            ),
            (
                "rgb",
                Augmentation {
                    rgb: -0.1,
                    ..spec()
                },
            ),
        ];
        for (name, augmentation) in wrong {
            let error = augmentation.validate().unwrap_err();
            assert!(
                error.to_string().starts_with(&format!("`{name}` is ")),
                "{error}"
            );
            assert_eq!(error.exit_code(), 2);
        }
        assert!(spec().validate().is_ok() && Augmentation::none().validate().is_ok());
    }

    proptest! {
        #[test]
        fn a_change_stays_in_the_ranges(seed: u64, rotation in 0f32..180.0, zoom in 1f32..3.0, warp in 0f32..0.4) {
            let ranges = Augmentation {
                probability: 1.0, rotation_degrees: rotation, zoom, warp, flip_probability: 1.0, ..Augmentation::default()
            };
            let change = ranges.draw(&mut ChaCha8Rng::seed_from_u64(seed));
            prop_assert!(change.flip && change.rotation_degrees.abs() <= rotation);
            prop_assert!((1.0..=zoom).contains(&change.zoom));
            prop_assert!(change.warp.iter().all(|by| by.abs() <= warp));
            prop_assert!(change.centre.iter().all(|by| by.abs() <= 1.0));
            prop_assert!((0.4..=0.6).contains(&change.brightness));
            prop_assert!((0.8..=1.2501).contains(&change.contrast));
        }
    }
}
