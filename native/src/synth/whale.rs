//! One whale: its outline and its skin, fixed for life and painted once.

use super::dice::{Dice, Stream};
use super::noise::{Noise, mix, smoothstep};
use super::outline::{Outline, V_MAX, V_MIN};
use super::pigment::Pigment;
use super::scars::{self, Mark};

/// Half the width of the painted area: the span and a small margin.
const U_MAX: f32 = 1.04;

/// A whale, as every photo of it sees it.
#[derive(Debug, Clone)]
pub(super) struct Whale {
    pub(super) outline: Outline,
    /// The skin at full size and at halves of it, for distant views.
    skins: Vec<Skin>,
}

/// One point of skin.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Texel {
    /// Reflectance, 0 to 1.
    pub(super) white: f32,
    /// How strongly diatoms can stain it, 0 to 1.
    pub(super) stain: f32,
    /// Signed distance to the edge of the fluke, positive inside.
    pub(super) inside: f32,
    /// Distance to the leading edge, where the fluke is thick and round.
    pub(super) from_leading: f32,
}

impl Texel {
    /// The weighted sum of four.
    fn blend(four: [Self; 4], weights: [f32; 4]) -> Self {
        let mut sum = Self::default();
        for (texel, weight) in four.into_iter().zip(weights) {
            sum.white += weight * texel.white;
            sum.stain += weight * texel.stain;
            sum.inside += weight * texel.inside;
            sum.from_leading += weight * texel.from_leading;
        }
        sum
    }
}

/// The painted underside as a grid over fluke coordinates, row 0 at the top.
#[derive(Debug, Clone)]
struct Skin {
    width: usize,
    height: usize,
    texels: Vec<Texel>,
}

impl Whale {
    /// The whale of that number in the world of that seed, painted `texels` wide. The whale is the
    /// same whatever the size of the painting.
    pub(super) fn new(seed: u64, number: u32, texels: usize) -> Self {
        let mut dice = Dice::new(seed, Stream::Whale(number));
        let outline = Outline::random(&mut dice);
        let pigment = Pigment::random(&mut dice);
        let marks = scars::random(&mut dice, &outline);
        let stain = Noise(dice.bits());
        let mut skin = Skin::painted(&outline, &pigment, stain, texels);
        for mark in &marks {
            skin.engrave(mark);
        }
        let mut skins = vec![skin];
        while let Some(half) = skins.last().and_then(Skin::halved) {
            skins.push(half);
        }
        Self { outline, skins }
    }

    /// The skin at a point, from the painting whose texels are about `step` fluke units apart.
    pub(super) fn skin(&self, u: f32, v: f32, step: f32) -> Texel {
        let fits = |skin: &&Skin| 2.0 * U_MAX / skin.width as f32 * 1.5 > step;
        let level = self.skins.iter().find(fits).or(self.skins.last());
        level.map_or_else(Texel::default, |skin| skin.sample(u, v))
    }
}

impl Skin {
    fn painted(outline: &Outline, pigment: &Pigment, stain: Noise, width: usize) -> Self {
        let step = 2.0 * U_MAX / width as f32;
        let height = ((V_MAX - V_MIN) / step) as usize;
        let mut skin = Self {
            width,
            height,
            texels: Vec::with_capacity(width * height),
        };
        let chords: Vec<_> = (0..width)
            .map(|column| outline.chord(skin.place(column, 0).0))
            .collect();
        for row in 0..height {
            for (column, chord) in chords.iter().enumerate() {
                let (u, v) = skin.place(column, row);
                let depth = chord.depth(v);
                let mut texel = Texel {
                    inside: depth.least(),
                    from_leading: depth.leading,
                    ..Texel::default()
                };
                if texel.inside > -0.03 {
                    texel.white = mix(0.045, 0.8, pigment.whiteness(u, v, depth));
                    texel.white *= 0.9 + 0.2 * stain.at(u * 45.0, v * 45.0);
                    texel.stain = smoothstep(-0.2, 0.6, stain.octaves(u * 5.0, v * 8.0, 2));
                }
                skin.texels.push(texel);
            }
        }
        skin
    }

    fn step(&self) -> f32 {
        2.0 * U_MAX / self.width as f32
    }

    fn place(&self, column: usize, row: usize) -> (f32, f32) {
        let step = self.step();
        (
            (column as f32 + 0.5) * step - U_MAX,
            V_MAX - (row as f32 + 0.5) * step,
        )
    }

    /// Scars heal white on black skin and black on white skin.
    fn engrave(&mut self, mark: &Mark) {
        let (step, (left, bottom, right, top)) = (self.step(), mark.bounds());
        let clip = |x: f32, most: usize| (x.max(0.0) as usize).min(most);
        let columns =
            clip((left + U_MAX) / step, self.width)..clip((right + U_MAX) / step + 1.0, self.width);
        for row in clip((V_MAX - top) / step, self.height)
            ..clip((V_MAX - bottom) / step + 1.0, self.height)
        {
            for column in columns.clone() {
                let (u, v) = self.place(column, row);
                let cover = mark.cover(u, v, step);
                let texel = &mut self.texels[row * self.width + column];
                let scar = mix(0.62, 0.1, smoothstep(0.25, 0.5, texel.white));
                texel.white = mix(texel.white, scar, cover);
            }
        }
    }

    /// The same skin at half the size, or nothing once it is too small to be worth it.
    fn halved(&self) -> Option<Self> {
        if self.width < 96 {
            return None;
        }
        let (width, height) = (self.width / 2, self.height / 2);
        let mut texels = Vec::with_capacity(width * height);
        for row in 0..height {
            for column in 0..width {
                let first = 2 * row * self.width + 2 * column;
                let four = [first, first + 1, first + self.width, first + self.width + 1];
                texels.push(Texel::blend(four.map(|i| self.texels[i]), [0.25; 4]));
            }
        }
        Some(Self {
            width,
            height,
            texels,
        })
    }

    /// The skin at any point, interpolated between the four texels around it.
    fn sample(&self, u: f32, v: f32) -> Texel {
        let step = self.step();
        let x = ((u + U_MAX) / step - 0.5).clamp(0.0, (self.width - 2) as f32);
        let y = ((V_MAX - v) / step - 0.5).clamp(0.0, (self.height - 2) as f32);
        let (column, row) = (x as usize, y as usize);
        let (tx, ty) = ((x - column as f32).min(1.0), (y - row as f32).min(1.0));
        let first = row * self.width + column;
        let four = [first, first + 1, first + self.width, first + self.width + 1];
        let (sx, sy) = (1.0 - tx, 1.0 - ty);
        Texel::blend(
            four.map(|i| self.texels[i]),
            [sx * sy, tx * sy, sx * ty, tx * ty],
        )
    }
}
