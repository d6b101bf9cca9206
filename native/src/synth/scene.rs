//! What is behind and around the fluke: the sea in perspective, the sky, a distant coast.

use super::camera::{Frame, View};
use super::dice::Dice;
use super::light::Light;
use super::noise::{Noise, mix, mix3, smoothstep};

/// The surroundings of one photo. Lengths are in half spans of the fluke, about two metres.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    /// Pixels per half span, the column of the middle, the row of the calm water at the fluke.
    scale: f32,
    middle: f32,
    water: f32,
    /// How far the horizon stands above the water at the fluke.
    horizon: f32,
    /// The distance to the fluke along the water.
    range: f32,
    tilt: f32,
    deep: [f32; 3],
    bright: [f32; 3],
    chop: f32,
    wavelength: f32,
    glints: f32,
    sky: [[f32; 3]; 2],
    clouds: f32,
    coast: Option<f32>,
    sun: [f32; 3],
    noise: Noise,
}

impl Scene {
    pub(super) fn random(dice: &mut Dice, view: &View, light: &Light, frame: Frame) -> Self {
        let horizon = if dice.chance(0.35) {
            dice.between(0.0, 1.1)
        } else {
            dice.between(1.2, 9.0)
        };
        let (deep, bright) = sea_colours(dice, light);
        let zenith = light.sky_colour().map(|part| part * dice.between(0.7, 1.4));
        let haze = light.sky_colour().map(|part| part * 1.25);
        let blue = dice.between(0.0, 0.6);
        Self {
            scale: view.scale,
            middle: frame.width as f32 / 2.0,
            water: view.water,
            horizon,
            // From a boat one looks along the water, at one part down in five to sixteen.
            range: (horizon * dice.between(5.0, 16.0)).max(12.0),
            tilt: dice.bell(0.0, 0.012),
            deep,
            bright,
            chop: dice.between(0.35, 1.3),
            wavelength: dice.between(0.22, 1.0),
            glints: if dice.chance(0.35) {
                dice.between(0.2, 1.6)
            } else {
                0.0
            },
            sky: [
                mix3(
                    zenith,
                    [zenith[0] * 0.45, zenith[1] * 0.75, zenith[2] * 1.1],
                    blue,
                ),
                haze,
            ],
            clouds: dice.between(0.0, 0.5),
            coast: dice.chance(0.35).then(|| dice.between(0.08, 0.5)),
            sun: light.sun_colour(),
            noise: Noise(dice.bits()),
        }
    }

    fn field(&self, index: u32) -> Noise {
        Noise(self.noise.0.wrapping_add(index.wrapping_mul(0x51ed_270b)))
    }

    /// The colour at a pixel, in linear units.
    pub(super) fn at(&self, x: f32, y: f32) -> [f32; 3] {
        let across = (x - self.middle) / self.scale;
        let up = (self.water - y) / self.scale + self.tilt * across;
        let below = self.horizon - up;
        if below > 0.004 {
            self.sea(across, below)
        } else {
            self.sky_at(across, -below)
        }
    }

    fn sea(&self, across: f32, below: f32) -> [f32; 3] {
        // Perspective of a level plane: 1 at the fluke, growing towards the horizon.
        let far = (self.horizon + 0.3) / (below + 0.02 * self.horizon);
        let along = far * self.range;
        let per_pixel = along / (below + 0.02) / self.scale;
        let frequency = 1.0 / self.wavelength;
        let (px, pz) = (across * far * frequency, along * frequency);
        let (mut level, mut height, mut warp) = (0.0, 0.55, 0.0);
        for (octave, finer) in [0.4, 1.0, 2.3, 5.1].into_iter().enumerate() {
            let wave = self
                .field(octave as u32)
                .at(px * finer + warp, pz * finer * 0.5 + warp);
            // Long waves are round, short ones have crests.
            let crest = 1.0 - (2.0 * wave - 1.0).abs();
            let face = if octave < 2 {
                wave - 0.5
            } else {
                1.3 * crest * crest - 0.55
            };
            let blurred = 0.5 * finer * per_pixel * frequency;
            level += height * face / (1.0 + 0.4 * blurred);
            height *= 0.85;
            // Longer waves carry the shorter ones along.
            warp += 0.8 * wave;
        }
        let glance = 1.0 / (1.0 + 2.5 * below);
        let lit = (0.4 + self.chop * level + 0.35 * glance).clamp(0.0, 1.3);
        let colour = mix3(self.deep, self.bright, lit * lit * (1.0 - 0.3 * lit));
        let hazed = mix3(colour, self.sky[1], 0.35 / (1.0 + 8.0 * below * below));
        let glint = self.glints * smoothstep(0.42, 0.75, level);
        [0, 1, 2].map(|i| hazed[i] + glint * (self.sun[i] + 0.2))
    }

    fn sky_at(&self, across: f32, above: f32) -> [f32; 3] {
        let clear = mix3(self.sky[1], self.sky[0], smoothstep(0.0, 2.0, above));
        let cloud = self.field(20).octaves(across * 0.5, above * 1.6, 4);
        let sky = clear.map(|part| part * (1.0 + self.clouds * cloud));
        let Some(height) = self.coast else { return sky };
        let ridge = height * (0.5 + 0.7 * self.field(21).octaves(across * 0.7, 3.5, 4)).max(0.0);
        let land = 0.55 + 0.25 * self.field(22).octaves(across * 5.0, above * 9.0, 3);
        let coast = mix3(sky, [0.10, 0.13, 0.13].map(|part| part * land * 2.0), 0.55);
        mix3(sky, coast, smoothstep(0.015, -0.015, above - ridge))
    }
}

/// Colours of wave faces and of what they reflect.
fn sea_colours(dice: &mut Dice, light: &Light) -> ([f32; 3], [f32; 3]) {
    let (deep, bright) = match dice.upto(4) {
        0 => ([0.012, 0.035, 0.07], [0.16, 0.27, 0.4]),
        1 => ([0.02, 0.05, 0.055], [0.24, 0.33, 0.33]),
        2 => ([0.06, 0.07, 0.08], [0.42, 0.44, 0.47]),
        3 => ([0.2, 0.21, 0.22], [0.95, 0.96, 0.97]),
        _ => ([0.035, 0.045, 0.06], [0.3, 0.33, 0.37]),
    };
    let level = dice.between(0.6, 1.7) * (0.5 + light.sky_colour()[1]);
    let gray = dice.between(0.0, 0.5);
    let tone = |colour: [f32; 3]| colour.map(|part| level * mix(part, colour[1], gray));
    (tone(deep), tone(bright))
}
