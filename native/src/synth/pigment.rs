//! The pigment of the underside: how white each point of one whale's fluke is.

use super::dice::Dice;
use super::noise::{Noise, bump, mix, smoothstep};
use super::outline::Depth;

/// The fields that decide between black and white. They are summed and cut at zero.
#[derive(Debug, Clone)]
pub(super) struct Pigment {
    /// From −1 (black) to 1 (white), left lobe and right lobe.
    ground: [f32; 2],
    blotch: f32,
    mottle: f32,
    streak: f32,
    streak_count: f32,
    grain: f32,
    /// The dark wedge that rises from the tail stock: weight, half width, height.
    wedge: (f32, f32, f32),
    /// Dark rims along the trailing and the leading edge: weight and width.
    rims: [(f32, f32); 2],
    /// Pale, mottled tips.
    tips: f32,
    softness: f32,
    speckle: f32,
    speckle_size: f32,
    patches: Vec<Patch>,
    noise: Noise,
}

/// An island of the other colour.
#[derive(Debug, Clone)]
struct Patch {
    centre: (f32, f32),
    radius: (f32, f32),
    strength: f32,
}

impl Pigment {
    pub(super) fn random(dice: &mut Dice) -> Self {
        let ground = Self::random_ground(dice);
        let mixed = 1.0 - ground.abs();
        let side = 0.1 + 0.25 * mixed;
        Self {
            ground: [ground + dice.bell(0.0, side), ground + dice.bell(0.0, side)],
            blotch: dice.between(0.15, 0.45 + 0.6 * mixed),
            mottle: dice.between(0.05, 0.55),
            streak: if dice.chance(0.6) {
                dice.between(0.1, 0.9)
            } else {
                0.0
            },
            streak_count: dice.between(6.0, 22.0),
            grain: dice.between(0.05, 0.35),
            wedge: (
                dice.between(0.4, 2.2),
                dice.between(0.06, 0.3),
                dice.between(-0.25, 0.12),
            ),
            rims: [
                (dice.between(0.3, 2.2), dice.between(0.015, 0.09)),
                (dice.between(0.2, 1.6), dice.between(0.015, 0.1)),
            ],
            tips: if dice.chance(0.45) {
                dice.between(0.3, 1.1)
            } else {
                0.0
            },
            softness: dice.between(0.04, 0.3),
            speckle: if dice.chance(0.6) {
                dice.between(0.0, 0.5)
            } else {
                0.0
            },
            speckle_size: dice.between(22.0, 60.0),
            patches: (0..dice.upto(6))
                .map(|_| Patch::random(dice, ground))
                .collect(),
            noise: Noise(dice.bits()),
        }
    }

    /// A third of the whales nearly black, a quarter nearly white, the rest anything.
    fn random_ground(dice: &mut Dice) -> f32 {
        match dice.upto(99) {
            0..33 => dice.between(-1.1, -0.55),
            33..58 => dice.between(0.5, 1.1),
            _ => dice.between(-0.55, 0.5),
        }
    }

    fn field(&self, index: u32) -> Noise {
        Noise(self.noise.0.wrapping_add(index.wrapping_mul(0x6c62_272e)))
    }

    /// How white the skin is at a point, from 0 (black) to 1 (white).
    pub(super) fn whiteness(&self, u: f32, v: f32, depth: Depth) -> f32 {
        let mut level = self.ground_at(u)
            + self.blotch * self.field(0).octaves(u * 2.6, v * 3.4, 3)
            + self.mottle * self.field(1).octaves(u * 9.0, v * 12.0, 2)
            + self.grain * self.field(2).octaves(u * 38.0, v * 38.0, 2);
        level += self.radiating(u, v);
        level -= self.dark_parts(u, v, depth);
        if self.tips > 0.0 && u.abs() > 0.72 {
            let mottled = 0.5 + self.field(3).octaves(u * 26.0, v * 26.0, 2);
            level += self.tips * smoothstep(0.72, 1.0, u.abs()) * mottled;
        }
        level += self
            .patches
            .iter()
            .map(|patch| patch.at(u, v, self.field(4)))
            .sum::<f32>();
        let white = smoothstep(-self.softness, self.softness, level);
        self.speckled(white, u, v)
    }

    fn ground_at(&self, u: f32) -> f32 {
        mix(self.ground[0], self.ground[1], smoothstep(-0.1, 0.1, u))
    }

    /// Streaks that fan out from the tail stock towards the trailing edge.
    fn radiating(&self, u: f32, v: f32) -> f32 {
        if self.streak == 0.0 {
            return 0.0;
        }
        let angle = libm::atan2f(u, v + 0.75);
        let radius = (u * u + (v + 0.75) * (v + 0.75)).sqrt();
        self.streak
            * self
                .field(5)
                .octaves(angle * self.streak_count, radius * 3.0, 2)
    }

    fn dark_parts(&self, u: f32, v: f32, depth: Depth) -> f32 {
        let (weight, width, height) = self.wedge;
        let ragged = 0.5 + 0.9 * self.field(6).at(u * 14.0, v * 14.0);
        let spread = width * (1.0 + 1.2 * (height - v).max(0.0));
        let wedge = weight * bump(u, spread) * smoothstep(height + 0.15, height - 0.15, v);
        let edge = |(weight, width): (f32, f32), inside: f32| {
            weight * (1.0 - smoothstep(0.0, width * ragged, inside))
        };
        wedge * ragged + edge(self.rims[0], depth.trailing) + edge(self.rims[1], depth.leading)
    }

    /// Fine dots: pale ones on black skin, dark ones on white.
    fn speckled(&self, white: f32, u: f32, v: f32) -> f32 {
        if self.speckle == 0.0 {
            return white;
        }
        let size = self.speckle_size;
        let dots = 0.75 * self.field(7).at(u * size, v * size);
        if dots < 0.3 {
            return white;
        }
        let dots = dots + 0.25 * self.field(8).at(u * 3.0, v * 3.0);
        let dot = smoothstep(0.78 - 0.2 * self.speckle, 0.84 - 0.2 * self.speckle, dots);
        mix(white, 0.75 - 0.65 * white, dot * 0.8)
    }
}

impl Patch {
    fn random(dice: &mut Dice, ground: f32) -> Self {
        let u = dice.sign() * dice.between(0.12, 0.9);
        let v = 0.25 * u.abs() + dice.between(-0.22, 0.1);
        Self {
            centre: (u, v),
            radius: (dice.between(0.03, 0.18), dice.between(0.02, 0.1)),
            strength: if ground > 0.0 { -1.0 } else { 1.0 } * dice.between(0.7, 1.9),
        }
    }

    fn at(&self, u: f32, v: f32, edge: Noise) -> f32 {
        let (du, dv) = (
            (u - self.centre.0) / self.radius.0,
            (v - self.centre.1) / self.radius.1,
        );
        let distance = du * du + dv * dv;
        if distance > 2.6 {
            return 0.0;
        }
        self.strength
            * (1.0
                - smoothstep(
                    0.4,
                    1.4,
                    distance + 0.7 * edge.octaves(u * 20.0, v * 20.0, 2),
                ))
    }
}
