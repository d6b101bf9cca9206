//! One photo: a whale, and the circumstances of the moment.

use image::RgbImage;

use super::camera::{Frame, View};
use super::dice::Dice;
use super::lens::Lens;
use super::light::Light;
use super::mesh::{self, Layer};
use super::noise::mix3;
use super::scene::Scene;
use super::spray::{Spray, Waterline};
use super::whale::Whale;

/// The tight box of the visible fluke, in whole pixels; right and bottom are exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    pub(super) x0: u32,
    pub(super) y0: u32,
    pub(super) x1: u32,
    pub(super) y1: u32,
}

/// A finished photo.
#[derive(Debug)]
pub(super) struct Shot {
    pub(super) pixels: RgbImage,
    pub(super) gray: bool,
    pub(super) quality: u8,
    pub(super) bounds: Bounds,
    /// Which pixel shows which point of the whale.
    #[cfg_attr(not(test), allow(dead_code))]
    pub(super) view: View,
}

/// Photographs a whale with photos `median_width` wide. Everything but the whale comes from
/// `dice`; `spread` scales how much the pose varies.
pub(super) fn take(whale: &Whale, dice: &mut Dice, median_width: u32, spread: f32) -> Shot {
    let frame = random_frame(dice, median_width);
    let view = View::random(dice, &whale.outline, frame, spread);
    let light = Light::random(dice);
    let scene = Scene::random(dice, &view, &light, frame);
    let spray = Spray::random(dice, &view, frame);
    let lens = Lens::random(dice, frame);
    let fluke = mesh::draw(whale, &view, &light, frame);
    let (mut picture, bounds) = compose(&fluke, &scene, &spray, &light, frame);
    spray.splash(&mut picture, frame, light.foam());
    Shot {
        pixels: lens.expose(picture, frame),
        gray: lens.gray,
        quality: lens.quality,
        bounds,
        view,
    }
}

fn random_frame(dice: &mut Dice, median_width: u32) -> Frame {
    let width = dice.bell(1.0, 0.17).clamp(0.6, 1.6) * median_width as f32;
    let aspect = dice.between(1.4, 2.6);
    Frame {
        width: width as u32,
        height: (width / aspect) as u32,
    }
}

/// Lays sea, fluke, foam and falling water over each other, and notes where the fluke shows.
fn compose(
    fluke: &Layer,
    scene: &Scene,
    spray: &Spray,
    light: &Light,
    frame: Frame,
) -> (Vec<[f32; 3]>, Bounds) {
    let (width, height) = (frame.width as usize, frame.height as usize);
    let lines: Vec<Waterline> = (0..width)
        .map(|x| spray.waterline(x as f32 + 0.5))
        .collect();
    let white = light.foam();
    let mut picture = Vec::with_capacity(width * height);
    let mut shown = Shown::default();
    for y in 0..height {
        for (x, &line) in lines.iter().enumerate() {
            let (px, py) = (x as f32 + 0.5, y as f32 + 0.5);
            let (foam, bright) = spray.foam(px, py, line);
            let [red, green, blue, opacity] = fluke.at(x, y);
            let above = (line.row - py + 0.5).clamp(0.0, 1.0);
            let seen = opacity * above;
            let mut colour = if seen < 0.999 {
                scene.at(px, py)
            } else {
                [0.0; 3]
            };
            if seen > 0.0 {
                let skin = mix3(
                    [red, green, blue],
                    white.map(|part| part * opacity * 0.8),
                    spray.veil(px, py),
                );
                colour = [0, 1, 2].map(|i| colour[i] * (1.0 - seen) + skin[i] * above);
            } else if let Some((mx, my, strength)) = spray.mirrored(px, py, line) {
                let [.., hidden] = fluke.at(mx.max(0.0) as usize, my.max(0.0) as usize);
                colour = colour.map(|part| part * (1.0 - 0.75 * strength * hidden));
            }
            shown.note(x, y, seen * (1.0 - foam));
            picture.push(mix3(colour, white.map(|part| part * bright), foam));
        }
    }
    (picture, shown.bounds(frame))
}

/// Collects the extent of the pixels where more than half of the fluke shows.
#[derive(Debug, Default)]
struct Shown(Option<Bounds>);

impl Shown {
    fn note(&mut self, x: usize, y: usize, opacity: f32) {
        if opacity <= 0.5 {
            return;
        }
        let (x, y) = (x as u32, y as u32);
        let here = Bounds {
            x0: x,
            y0: y,
            x1: x + 1,
            y1: y + 1,
        };
        let so_far = self.0.unwrap_or(here);
        self.0 = Some(Bounds {
            x0: so_far.x0.min(x),
            y0: so_far.y0.min(y),
            x1: so_far.x1.max(x + 1),
            y1: so_far.y1.max(y + 1),
        });
    }

    /// The whole frame, should foam hide everything.
    fn bounds(self, frame: Frame) -> Bounds {
        self.0.unwrap_or(Bounds {
            x0: 0,
            y0: 0,
            x1: frame.width,
            y1: frame.height,
        })
    }
}
