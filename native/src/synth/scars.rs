//! Marks that life leaves on a fluke: rake marks of teeth, scratches, and rings of barnacles.

use super::dice::Dice;
use super::outline::Outline;

/// One mark, in fluke coordinates.
#[derive(Debug, Clone)]
pub(super) enum Mark {
    /// A curved line through three points, with its half width.
    Line {
        points: [(f32, f32); 3],
        half_width: f32,
        strength: f32,
    },
    /// A ring with its radius and the half width of its line.
    Ring {
        centre: (f32, f32),
        radius: f32,
        half_width: f32,
        strength: f32,
    },
}

impl Mark {
    /// Left, bottom, right and top of the area that the mark touches.
    pub(super) fn bounds(&self) -> (f32, f32, f32, f32) {
        match self {
            Self::Line {
                points, half_width, ..
            } => {
                let m = half_width * 2.0;
                let low = |a: f32, b: f32, c: f32| a.min(b).min(c) - m;
                let high = |a: f32, b: f32, c: f32| a.max(b).max(c) + m;
                let [(a, b), (c, d), (e, f)] = *points;
                (low(a, c, e), low(b, d, f), high(a, c, e), high(b, d, f))
            }
            Self::Ring {
                centre,
                radius,
                half_width,
                ..
            } => {
                let r = radius + half_width * 2.0;
                (centre.0 - r, centre.1 - r, centre.0 + r, centre.1 + r)
            }
        }
    }

    /// How strongly the mark covers a point, 0 to 1. `blur` is the size of one texel.
    pub(super) fn cover(&self, u: f32, v: f32, blur: f32) -> f32 {
        let (off, half_width, strength) = match self {
            Self::Line {
                points,
                half_width,
                strength,
            } => {
                let off = to_segment((u, v), points[0], points[1]).min(to_segment(
                    (u, v),
                    points[1],
                    points[2],
                ));
                (off, *half_width, *strength)
            }
            Self::Ring {
                centre,
                radius,
                half_width,
                strength,
            } => {
                let (du, dv) = (u - centre.0, v - centre.1);
                (
                    ((du * du + dv * dv).sqrt() - radius).abs(),
                    *half_width,
                    *strength,
                )
            }
        };
        strength * ((half_width - off) / blur + 0.5).clamp(0.0, 1.0)
    }
}

fn to_segment(p: (f32, f32), a: (f32, f32), b: (f32, f32)) -> f32 {
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length = (dx * dx + dy * dy).max(1e-9);
    let t = (((p.0 - a.0) * dx + (p.1 - a.1) * dy) / length).clamp(0.0, 1.0);
    let (ex, ey) = (p.0 - a.0 - t * dx, p.1 - a.1 - t * dy);
    (ex * ex + ey * ey).sqrt()
}

/// All the marks of one whale.
pub(super) fn random(dice: &mut Dice, outline: &Outline) -> Vec<Mark> {
    let mut marks = Vec::new();
    let scarred = dice.between(0.0, 1.0);
    for _ in 0..dice.upto((6.0 * scarred) as u32) {
        rake(dice, outline, &mut marks);
    }
    for _ in 0..dice.upto((26.0 * scarred) as u32) {
        let start = spot(dice, outline);
        marks.push(scratch(dice, start, 0.02, 0.2));
    }
    let barnacles = if dice.chance(0.5) { 26 } else { 4 };
    for _ in 0..dice.upto(barnacles) {
        marks.push(ring(dice, outline));
    }
    marks
}

/// A point on the lobes, away from the tail stock.
fn spot(dice: &mut Dice, outline: &Outline) -> (f32, f32) {
    let u = dice.sign() * dice.between(0.06, 0.96);
    let (low, high) = (outline.leading(u), outline.trailing(u));
    (u, dice.between(low.max(-0.4), high))
}

/// Teeth of a killer whale: three to six parallel lines.
fn rake(dice: &mut Dice, outline: &Outline, marks: &mut Vec<Mark>) {
    let start = spot(dice, outline);
    let Mark::Line {
        points,
        half_width,
        strength,
    } = scratch(dice, start, 0.1, 0.34)
    else {
        return;
    };
    let (dx, dy) = (points[2].0 - points[0].0, points[2].1 - points[0].1);
    let length = (dx * dx + dy * dy).sqrt().max(1e-6);
    let gap = dice.between(0.016, 0.034);
    for tooth in 0..3 + dice.upto(3) {
        let off = gap * tooth as f32 * dice.bell(1.0, 0.04);
        let slip = dice.bell(0.0, 0.015);
        let shift = |p: (f32, f32)| {
            (
                p.0 - dy / length * off + dx / length * slip,
                p.1 + dx / length * off + dy / length * slip,
            )
        };
        marks.push(Mark::Line {
            points: points.map(shift),
            half_width,
            strength,
        });
    }
}

fn scratch(dice: &mut Dice, start: (f32, f32), shortest: f32, longest: f32) -> Mark {
    let angle = dice.between(0.0, 2.0 * core::f32::consts::PI);
    let length = dice.between(shortest, longest);
    let (along, up) = (libm::cosf(angle) * length, libm::sinf(angle) * length);
    let bow = dice.bell(0.0, 0.06);
    let middle = (
        start.0 + along * 0.5 - up * bow,
        start.1 + up * 0.5 + along * bow,
    );
    Mark::Line {
        points: [start, middle, (start.0 + along, start.1 + up)],
        half_width: dice.between(0.0022, 0.006),
        strength: dice.between(0.45, 0.95),
    }
}

fn ring(dice: &mut Dice, outline: &Outline) -> Mark {
    Mark::Ring {
        centre: spot(dice, outline),
        radius: dice.between(0.006, 0.024),
        half_width: dice.between(0.002, 0.005),
        strength: dice.between(0.4, 0.95),
    }
}
