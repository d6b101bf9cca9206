//! Sun and sky, and what wet skin does with them.

use super::camera::{dot, unit};
use super::dice::Dice;
use super::noise::{Noise, mix3, smoothstep};
use super::whale::Texel;

/// Linear colour of skin that reflects everything.
const PALE: [f32; 3] = [0.98, 0.97, 0.93];
/// Black skin is a little blue.
const DARK: [f32; 3] = [0.86, 0.96, 1.1];
/// What a full coat of diatoms leaves of the light.
const DIATOMS: [f32; 3] = [0.8, 0.58, 0.3];

/// The light of one photo, in linear units where 1 is white paper in a well exposed photo.
#[derive(Debug, Clone)]
pub(super) struct Light {
    /// From the fluke towards the sun, in camera axes.
    sun: [f32; 3],
    /// Half way between the sun and the camera: what mirrors the sun faces this way.
    half: [f32; 3],
    sun_colour: [f32; 3],
    sky_colour: [f32; 3],
    sheen: f32,
    film: Noise,
    /// How much of the diatom stain shows: they come and go within weeks.
    diatoms: f32,
    /// Light that shines through a thin lobe from behind.
    glow: f32,
}

impl Light {
    pub(super) fn random(dice: &mut Dice) -> Self {
        let sun = unit([
            dice.bell(0.0, 0.6),
            dice.between(0.15, 0.95),
            dice.between(-0.5, 0.9),
        ]);
        let overcast = dice.chance(0.4);
        let strength = if overcast {
            dice.between(0.0, 0.25)
        } else {
            dice.between(0.4, 1.3)
        };
        let low = dice.between(0.0, 1.0) * dice.between(0.0, 1.0);
        let sky = if overcast {
            dice.between(0.45, 0.95)
        } else {
            dice.between(0.2, 0.6)
        };
        Self {
            sun,
            half: unit([sun[0], sun[1], sun[2] + 1.0]),
            sun_colour: [1.0, 1.0 - 0.12 * low, 1.0 - 0.38 * low].map(|part| part * strength),
            sky_colour: [0.93, 0.98, 1.06].map(|part| part * sky),
            sheen: dice.between(0.0, 0.5) * if overcast { 0.3 } else { 1.0 },
            film: Noise(dice.bits()),
            diatoms: if dice.chance(0.25) {
                dice.between(0.2, 0.9)
            } else {
                dice.between(0.0, 0.15)
            },
            glow: dice.between(0.0, 0.25),
        }
    }

    /// The colour of a point of skin that faces along `normal`.
    pub(super) fn skin(&self, texel: Texel, normal: [f32; 3], u: f32, v: f32) -> [f32; 3] {
        let normal = self.rounded(texel, normal);
        // From behind one sees the back, which is black on every whale.
        let (normal, white) = if normal[2] < 0.0 {
            (normal.map(|n| -n), 0.05)
        } else {
            (normal, texel.white)
        };
        let tint = mix3(DARK, PALE, smoothstep(0.03, 0.4, white));
        let stained = mix3(
            tint,
            DIATOMS,
            self.diatoms * texel.stain * smoothstep(0.15, 0.6, white),
        );
        let facing = dot(normal, self.sun);
        let sunlit = facing.max(0.0) + self.glow * (-facing).max(0.0) * white;
        let open = 0.65 + 0.35 * normal[1];
        // Wet skin mirrors the sky where one looks along it (Schlick's approximation, n = 1.33).
        let grazing = 1.0 - normal[2];
        let film = 0.2 + 0.9 * self.film.at(u * 4.0, v * 7.0);
        let mirror =
            (0.03 * film + grazing * grazing * grazing * grazing) * (0.6 + 0.4 * normal[1]);
        let sheen = self.sheen_at(normal, film, u, v);
        [0, 1, 2].map(|i| {
            let arriving = self.sun_colour[i] * sunlit + self.sky_colour[i] * open;
            white * stained[i] * arriving + sheen * self.sun_colour[i] + mirror * self.sky_colour[i]
        })
    }

    /// A white surface in the open, such as foam.
    pub(super) fn foam(&self) -> [f32; 3] {
        [0, 1, 2].map(|i| 0.85 * (0.7 * self.sun_colour[i] + self.sky_colour[i]))
    }

    /// How bright the open sky is.
    pub(super) fn sky_colour(&self) -> [f32; 3] {
        self.sky_colour
    }

    /// The light of the sun alone.
    pub(super) fn sun_colour(&self) -> [f32; 3] {
        self.sun_colour
    }

    /// The leading edge is thick and turns away downwards; the trailing edge is thin.
    fn rounded(&self, texel: Texel, normal: [f32; 3]) -> [f32; 3] {
        if texel.from_leading > 0.09 {
            return normal;
        }
        let turn = 0.7 * smoothstep(0.09, 0.0, texel.from_leading);
        unit([normal[0], normal[1] - turn, normal[2]])
    }

    /// The sun in the film of water, broken by ripples in it.
    fn sheen_at(&self, normal: [f32; 3], film: f32, u: f32, v: f32) -> f32 {
        let facing = dot(normal, self.half);
        if self.sheen < 0.02 || facing < 0.6 {
            return 0.0;
        }
        let ripple = self.film.at(u * 16.0, v * 30.0) - 0.5;
        let bounce = (facing + 0.12 * ripple).clamp(0.0, 1.0);
        let (two, four) = (bounce * bounce, bounce * bounce * bounce * bounce);
        self.sheen * four * four * four * two * film
    }
}
