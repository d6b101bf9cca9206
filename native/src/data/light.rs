//! Brightness and contrast in logit space, as fastai 1 has them.

use super::augment::between;
use rand::Rng;

/// Intervals of the table that stands for the change of light.
const STEPS: usize = 1024;
/// How far a channel's brightness may lie from 0.5 at full strength.
const CHANNEL_BRIGHTNESS: f32 = 0.1;
/// How far the logarithm of a channel's contrast may lie from 0 at full strength.
const CHANNEL_CONTRAST: f32 = 0.2;

/// A change of light. The default changes nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Light {
    /// Brightness `b` of 0 to 1: a value of 0.5 becomes `b`. 0.5 changes nothing.
    pub brightness: f32,
    /// Contrast, a factor in logit space, done after the brightness. 1 changes nothing.
    pub contrast: f32,
}

impl Default for Light {
    fn default() -> Self {
        Self {
            brightness: 0.5,
            contrast: 1.0,
        }
    }
}

impl Light {
    /// Draws a light for each of three channels: at a `strength` of 0 to 1 brightness within
    /// ±0.1 · strength of 0.5 and contrast within exp(±0.2 · strength), even in its logarithm.
    pub(super) fn draw_channels(strength: f32, rng: &mut impl Rng) -> [Self; 3] {
        let (shift, spread) = (CHANNEL_BRIGHTNESS * strength, CHANNEL_CONTRAST * strength);
        std::array::from_fn(|_| Self {
            brightness: 0.5 + between(rng, -shift, shift),
            contrast: between(rng, -spread, spread).exp(),
        })
    }

    /// `x` to `σ(contrast · (logit x + logit brightness))`, for values in 0…1.
    pub(crate) fn shine(&self, values: &mut [f32]) {
        if *self == Self::default() {
            return;
        }
        let shift = logit(self.brightness);
        let lit = |x: f32| sigmoid(self.contrast * (logit(x) + shift));
        let table: Vec<f32> = (0..=STEPS).map(|i| lit(i as f32 / STEPS as f32)).collect();
        for value in values {
            let place = *value * STEPS as f32;
            let low = (place as i32 as usize).min(STEPS - 1);
            *value = table[low] + (table[low + 1] - table[low]) * (place - low as f32);
        }
    }
}

/// fastai clamps at 1e-7, so that black stays about black and white about white.
fn logit(x: f32) -> f32 {
    let x = x.clamp(1e-7, 1.0 - 1e-7);
    (x / (1.0 - x)).ln()
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn light_changes_as_fastai_has_it() {
        let lit = |value: u8, brightness, contrast| {
            let mut values = [f32::from(value) / 255.0];
            Light {
                brightness,
                contrast,
            }
            .shine(&mut values);
            values[0]
        };
        // Brightness 0.6 multiplies the odds x/(1-x) by 1.5, contrast 2 squares them.
        // x = 0.2: odds 1/4; brighter 3/8, so 3/11; contrast 2: 1/16, so 1/17; both: 9/64, so 9/73.
        for (brightness, contrast, expected) in [
            (0.6, 1.0, 3.0 / 11.0),
            (0.5, 2.0, 1.0 / 17.0),
            (0.6, 2.0, 9.0 / 73.0),
        ] {
            assert!(
                (lit(51, brightness, contrast) - expected).abs() < 1e-4,
                "{brightness} {contrast}"
            );
        }
        assert!(lit(0, 0.6, 0.8) < 1e-3 && lit(255, 0.4, 0.8) > 0.999);
    }

    proptest! {
        #[test]
        fn the_channels_lights_differ_and_stay_in_their_range(seed: u64, strength in 0.01f32..1.0) {
            let lights = Light::draw_channels(strength, &mut ChaCha8Rng::seed_from_u64(seed));
            for light in lights {
                prop_assert!((light.brightness - 0.5).abs() <= 0.1 * strength + 1e-6);
                prop_assert!(light.contrast.ln().abs() <= 0.2 * strength + 1e-6);
            }
            prop_assert!(lights[0] != lights[1] && lights[1] != lights[2]);
        }
    }
}
