//! Water in front of the fluke: the waterline that hides its foot, foam, falling water, drops.

use super::camera::{Frame, View};
use super::dice::Dice;
use super::noise::{Noise, bump, smoothstep};

/// The water around one fluke.
#[derive(Debug, Clone)]
pub(super) struct Spray {
    scale: f32,
    water: f32,
    swell: f32,
    ripple: f32,
    /// Column where the fluke stands in the water.
    foot: f32,
    foam: f32,
    /// Splashes: column, half width and height.
    mounds: Vec<(f32, f32, f32)>,
    veil: f32,
    reflection: f32,
    drops: Vec<Drop>,
    noise: Noise,
}

/// The water's edge in one column of the photo.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waterline {
    /// The row it runs at.
    pub(super) row: f32,
    /// How high foam stands on it, in half spans.
    foam: f32,
}

#[derive(Debug, Clone, Copy)]
struct Drop {
    x: f32,
    y: f32,
    radius: f32,
    /// How long the drop falls while the shutter is open, in radii.
    fall: f32,
    strength: f32,
}

impl Spray {
    pub(super) fn random(dice: &mut Dice, view: &View, frame: Frame) -> Self {
        let (scale, water) = (view.scale, view.water);
        let foot = view.project(0.0, -0.4).x;
        let mut mounds = Vec::new();
        for _ in 0..dice.upto(3) {
            let place = foot + dice.bell(0.0, 0.4) * scale;
            mounds.push((
                place,
                dice.between(0.1, 0.5) * scale,
                dice.between(0.02, 0.16),
            ));
        }
        let wet = if dice.chance(0.4) {
            dice.upto(220)
        } else {
            dice.upto(12)
        };
        let drops = (0..wet)
            .map(|_| Drop::random(dice, (foot, water), scale))
            .filter(|drop| drop.x > -20.0 && drop.x < frame.width as f32 + 20.0);
        Self {
            scale,
            water,
            drops: drops.collect(),
            swell: dice.between(0.0, 0.05),
            ripple: dice.between(0.005, 0.03),
            foot,
            foam: dice.between(0.0, 0.08),
            mounds,
            veil: if dice.chance(0.3) {
                dice.between(0.1, 0.4)
            } else {
                0.0
            },
            reflection: dice.between(0.0, 0.7),
            noise: Noise(dice.bits()),
        }
    }

    /// The water's edge in a column.
    pub(super) fn waterline(&self, x: f32) -> Waterline {
        let across = x / self.scale;
        let swell = self.swell * self.field(0).octaves(across * 1.3, 0.0, 2);
        let ripple = self.ripple * self.field(1).octaves(across * 9.0, 0.0, 3);
        let off = (x - self.foot) / self.scale;
        let mut foam = self.foam
            * (0.03 + bump(off, 0.5))
            * (0.6 + self.field(6).octaves(across * 3.0, 0.0, 2)).max(0.0);
        for &(centre, half, tall) in &self.mounds {
            foam += tall * bump(x - centre, half);
        }
        Waterline {
            row: self.water + (swell + ripple) * self.scale,
            foam,
        }
    }

    fn field(&self, index: u32) -> Noise {
        Noise(self.noise.0.wrapping_add(index.wrapping_mul(0x2c1b_3c6d)))
    }

    /// How much foam covers a pixel, 0 to 1, and how bright it is. `line` is that of its column.
    pub(super) fn foam(&self, x: f32, y: f32, line: Waterline) -> (f32, f32) {
        let off = (line.row - y) / self.scale;
        let reach = if off > 0.0 {
            off / line.foam
        } else {
            -off / (line.foam * 1.6)
        };
        if reach > 1.6 || line.foam < 0.002 {
            return (0.0, 1.0);
        }
        let (px, py) = (x / self.scale, y / self.scale);
        let bubbles = 0.5 + 0.5 * self.field(2).octaves(px * 12.0, py * 20.0, 4);
        let fine = self.field(7).at(px * 45.0, py * 60.0);
        let thick = bubbles * 1.25 + 0.25 * fine - 0.15;
        (
            smoothstep(0.0, 0.7, thick - reach) * 0.95,
            0.55 + 0.35 * bubbles + 0.2 * fine,
        )
    }

    /// How much falling water dims a pixel of the fluke, 0 to 1.
    pub(super) fn veil(&self, x: f32, y: f32) -> f32 {
        if self.veil == 0.0 {
            return 0.0;
        }
        let (px, py) = (x / self.scale, y / self.scale);
        let where_it_runs = smoothstep(0.5, 0.85, self.field(4).at(px * 2.5, py * 0.8));
        if where_it_runs == 0.0 {
            return 0.0;
        }
        let strand = self.field(3).octaves(px * 40.0, py * 5.0, 3);
        self.veil * smoothstep(-0.1, 1.0, strand) * where_it_runs
    }

    /// Where in the frame the water at a pixel reflects the fluke from, and how strongly.
    pub(super) fn mirrored(&self, x: f32, y: f32, line: Waterline) -> Option<(f32, f32, f32)> {
        let below = y - line.row;
        if below <= 0.0 || self.reflection < 0.05 {
            return None;
        }
        let (px, py) = (x / self.scale, y / self.scale);
        let wobble = self.field(5).octaves(px * 5.0, py * 20.0, 2) * 0.12 * self.scale;
        let fading = 1.0 / (1.0 + 4.0 * below / self.scale);
        Some((
            x + wobble,
            line.row - below * 1.4 + wobble,
            self.reflection * fading,
        ))
    }

    /// Lays the drops over a picture of linear colours.
    pub(super) fn splash(&self, picture: &mut [[f32; 3]], frame: Frame, colour: [f32; 3]) {
        for drop in &self.drops {
            drop.lay(picture, frame, colour);
        }
    }
}

impl Drop {
    fn random(dice: &mut Dice, foot: (f32, f32), scale: f32) -> Self {
        let high = dice.between(0.0, 1.0) * dice.between(0.0, 1.0);
        Self {
            x: foot.0 + dice.bell(0.0, 0.55) * scale,
            y: foot.1 - high * 0.9 * scale,
            radius: (dice.between(0.0015, 0.008) * scale).max(0.5),
            fall: dice.between(1.0, 4.0),
            strength: dice.between(0.25, 0.9),
        }
    }

    fn lay(&self, picture: &mut [[f32; 3]], frame: Frame, colour: [f32; 3]) {
        let clip = |x: f32, most: u32| (x.max(0.0) as usize).min(most as usize);
        let tall = self.radius * self.fall;
        let columns =
            clip(self.x - self.radius, frame.width)..clip(self.x + self.radius + 1.0, frame.width);
        for row in clip(self.y - tall, frame.height)..clip(self.y + tall + 1.0, frame.height) {
            for column in columns.clone() {
                let dx = (column as f32 + 0.5 - self.x) / self.radius;
                let dy = (row as f32 + 0.5 - self.y) / tall;
                let cover = self.strength * (1.0 - dx * dx - dy * dy).clamp(0.0, 1.0);
                let pixel = &mut picture[row * frame.width as usize + column];
                *pixel = super::noise::mix3(*pixel, colour, cover);
            }
        }
    }
}
