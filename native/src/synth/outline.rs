//! The outline of one fluke in fluke coordinates: `u` along the span from the left tip at −1 to
//! the right tip at 1, `v` upwards in the same unit, from the tail stock (negative) past the
//! bottom of the median notch (about 0) to the tips.

use super::dice::Dice;
use super::noise::{Noise, bump, mix, smoothstep};

/// Lowest `v` that is drawn: far down the tail stock, under water in every photo.
pub(super) const V_MIN: f32 = -0.8;
/// Highest `v` that any tip reaches.
pub(super) const V_MAX: f32 = 0.75;

const STEPS: usize = 1024;

/// Both edges of a fluke, serrations and nicks included, as tables over the span.
#[derive(Debug, Clone)]
pub(super) struct Outline {
    lobes: [Lobe; 2],
}

#[derive(Debug, Clone)]
struct Lobe {
    /// Height of the serrated trailing edge at `s = |u|`.
    trailing: Vec<f32>,
    /// Height of the leading edge.
    leading: Vec<f32>,
    /// Where the lobe ends: 1, or less where the tip is lost.
    reach: f32,
    torn: Noise,
}

/// How far a point lies inside the outline, towards either edge; negative outside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Depth {
    pub(super) trailing: f32,
    pub(super) leading: f32,
    pub(super) tip: f32,
}

impl Depth {
    /// The distance to the nearest edge.
    pub(super) fn least(self) -> f32 {
        self.trailing.min(self.leading).min(self.tip)
    }
}

impl Outline {
    /// The outline of a whale; both lobes follow one form, neither exactly.
    pub(super) fn random(dice: &mut Dice) -> Self {
        let form = Form::random(dice);
        let left = form.varied(dice);
        let right = form.varied(dice);
        Self {
            lobes: [Lobe::random(&left, dice), Lobe::random(&right, dice)],
        }
    }

    fn lobe(&self, u: f32) -> &Lobe {
        &self.lobes[usize::from(u > 0.0)]
    }

    /// Height of the trailing edge at `u`.
    pub(super) fn trailing(&self, u: f32) -> f32 {
        look_up(&self.lobe(u).trailing, u.abs())
    }

    /// Height of the leading edge at `u`.
    pub(super) fn leading(&self, u: f32) -> f32 {
        look_up(&self.lobe(u).leading, u.abs())
    }

    /// Both edges at `u`, for the distances of all points of that line to them.
    pub(super) fn chord(&self, u: f32) -> Chord {
        let lobe = self.lobe(u);
        let s = u.abs();
        Chord {
            trailing: look_up(&lobe.trailing, s),
            leading: look_up(&lobe.leading, s),
            slant: [steepness(&lobe.trailing, s), steepness(&lobe.leading, s)],
            tip: lobe.reach - s,
            torn: (lobe.reach < 1.0).then_some(lobe.torn),
        }
    }
}

/// A line from edge to edge at one `u`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chord {
    trailing: f32,
    leading: f32,
    slant: [f32; 2],
    tip: f32,
    torn: Option<Noise>,
}

impl Chord {
    /// Signed distances from a point of the line to the edges, to first order.
    pub(super) fn depth(&self, v: f32) -> Depth {
        Depth {
            trailing: (self.trailing - v) * self.slant[0],
            leading: (v - self.leading) * self.slant[1],
            tip: self.tip
                - self
                    .torn
                    .map_or(0.0, |noise| 0.05 * noise.at(v * 22.0, 0.0)),
        }
    }
}

fn look_up(table: &[f32], s: f32) -> f32 {
    let at = s.min(1.0) * STEPS as f32;
    let low = (at as usize).min(STEPS - 1);
    mix(table[low], table[low + 1], at - low as f32)
}

/// The cosine of an edge's slope, which turns a height above the edge into a distance from it.
fn steepness(table: &[f32], s: f32) -> f32 {
    const REACH: f32 = 0.012;
    let low = (s - REACH).clamp(0.0, 1.0);
    let high = (s + REACH).clamp(0.0, 1.0);
    if high <= low {
        return 0.1;
    }
    let slope = (look_up(table, high) - look_up(table, low)) / (high - low);
    1.0 / (1.0 + slope * slope).sqrt()
}

/// The smooth shape of a lobe, in units of half the span.
#[derive(Debug, Clone)]
struct Form {
    rise: f32,
    sweep: f32,
    belly: f32,
    hook: f32,
    chord: f32,
    fullness: f32,
    bluntness: f32,
    notch_depth: f32,
    notch_width: f32,
    stock: f32,
    roughness: f32,
    knobs: u32,
}

impl Form {
    fn random(dice: &mut Dice) -> Self {
        Self {
            rise: dice.between(0.12, 0.36),
            sweep: dice.between(0.9, 1.5),
            belly: dice.between(-0.03, 0.1),
            hook: dice.between(-0.02, 0.13),
            chord: dice.between(0.46, 0.66),
            fullness: dice.between(1.6, 2.6),
            bluntness: dice.between(0.52, 0.78),
            notch_depth: dice.between(0.04, 0.17),
            notch_width: dice.between(0.025, 0.1),
            stock: dice.between(0.1, 0.15),
            roughness: dice.between(0.002, 0.014),
            knobs: 3 + dice.upto(15),
        }
    }

    /// The other lobe of the same whale: alike, not equal.
    fn varied(&self, dice: &mut Dice) -> Self {
        let mut nearly = |value: f32| value * dice.bell(1.0, 0.035);
        Self {
            rise: nearly(self.rise),
            chord: nearly(self.chord),
            fullness: nearly(self.fullness),
            bluntness: nearly(self.bluntness),
            notch_width: nearly(self.notch_width),
            roughness: nearly(self.roughness),
            ..self.clone()
        }
    }

    /// The trailing edge without notch and serration.
    fn crest(&self, s: f32) -> f32 {
        let end = smoothstep(0.7, 1.0, s);
        self.rise * libm::powf(s, self.sweep)
            + self.belly * libm::sinf(core::f32::consts::PI * s)
            + self.hook * end * end
    }

    fn chord(&self, s: f32) -> f32 {
        self.chord
            * libm::powf(
                (1.0 - libm::powf(s, self.fullness)).max(0.0),
                self.bluntness,
            )
    }

    fn notch(&self, s: f32) -> f32 {
        self.notch_depth * libm::expf(-libm::powf(s / self.notch_width, 1.2))
    }
}

impl Lobe {
    fn random(form: &Form, dice: &mut Dice) -> Self {
        let teeth = Teeth::random(form, dice);
        let reach = if dice.chance(0.04) {
            dice.between(0.78, 0.93)
        } else {
            1.0
        };
        let at = |step: usize| step as f32 / STEPS as f32;
        let trailing = (0..=STEPS).map(at).map(|s| {
            // Serration fades where the lobe is too thin to carry it, and in the notch.
            let room = smoothstep(0.0, 0.05, form.chord(s)) * smoothstep(0.02, 0.12, s);
            form.crest(s) - form.notch(s) + teeth.height(s) * room
        });
        let leading = (0..=STEPS)
            .map(at)
            .map(|s| form.crest(s) - form.chord(s) - 0.9 * bump(s, form.stock) + teeth.ripple(s));
        Self {
            trailing: trailing.collect(),
            leading: leading.collect(),
            reach,
            torn: Noise(dice.bits()),
        }
    }
}

/// What makes a trailing edge one's own: band-limited roughness, knobs, and nicks.
struct Teeth {
    roughness: f32,
    noise: Noise,
    /// Position, height (negative for a nick) and half width of each.
    marks: Vec<(f32, f32, f32)>,
}

impl Teeth {
    fn random(form: &Form, dice: &mut Dice) -> Self {
        let mut marks = Vec::new();
        for _ in 0..form.knobs {
            let place = 1.0 - 0.8 * dice.between(0.0, 1.0) * dice.between(0.3, 1.0);
            marks.push((
                place,
                dice.between(0.006, 0.024),
                dice.between(0.006, 0.016),
            ));
        }
        let nicks = if dice.chance(0.45) {
            1 + dice.upto(2)
        } else {
            0
        };
        for _ in 0..nicks {
            marks.push((
                dice.between(0.12, 0.93),
                -dice.between(0.02, 0.09),
                dice.between(0.008, 0.03),
            ));
        }
        Self {
            roughness: form.roughness,
            noise: Noise(dice.bits()),
            marks,
        }
    }

    fn height(&self, s: f32) -> f32 {
        let outward = 0.45 + 0.55 * s;
        let mut height = self.roughness * outward * self.noise.octaves(s * 13.0, 0.5, 4);
        for &(place, tall, half) in &self.marks {
            let off = (s - place) / half;
            height += if tall > 0.0 {
                tall * bump(off, 1.0)
            } else {
                tall * (1.0 - off.abs()).max(0.0)
            };
        }
        height
    }

    /// The leading edge is smooth but for a slow wave.
    fn ripple(&self, s: f32) -> f32 {
        0.006 * self.noise.octaves(s * 5.0, 7.5, 2)
    }
}
