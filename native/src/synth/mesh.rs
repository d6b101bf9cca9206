//! Draws the fluke: a grid of triangles over the outline, twice as fine as the photo, depth
//! tested because a curled lobe can hide behind the other.

use super::camera::{Frame, Seen, View};
use super::light::Light;
use super::outline::V_MIN;
use super::whale::Whale;

/// Samples per pixel in each direction.
const FINE: usize = 2;
const COLUMNS: usize = 96;
const ROWS: usize = 24;

/// A drawn layer: part of the frame with colour times opacity, and opacity, per pixel.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) pixels: Vec<[f32; 4]>,
}

impl Layer {
    /// The layer at a pixel of the frame; clear outside the part that was drawn.
    pub(super) fn at(&self, x: usize, y: usize) -> [f32; 4] {
        let (Some(column), Some(row)) = (x.checked_sub(self.left), y.checked_sub(self.top)) else {
            return [0.0; 4];
        };
        if column >= self.width || row >= self.height {
            return [0.0; 4];
        }
        self.pixels[row * self.width + column]
    }
}

#[derive(Debug, Clone, Copy)]
struct Vertex {
    seen: Seen,
    u: f32,
    v: f32,
    normal: [f32; 3],
}

/// Draws a whale's fluke as a view shows it under a light.
pub(super) fn draw(whale: &Whale, view: &View, light: &Light, frame: Frame) -> Layer {
    let vertices = grid(whale, view);
    // What is further down is under water: swell and ripples never reach a quarter of a half span.
    let lowest = (view.water + 0.25 * view.scale).clamp(0.0, frame.height as f32);
    let mut canvas = Canvas::around(
        &vertices,
        Frame {
            height: lowest as u32,
            ..frame
        },
    );
    // Texels finer than a sample would only glitter.
    let step = 1.0 / (view.scale * FINE as f32);
    for column in 0..COLUMNS {
        for row in 0..ROWS {
            let first = column * (ROWS + 1) + row;
            let [a, b, c, d] =
                [first, first + 1, first + ROWS + 1, first + ROWS + 2].map(|i| &vertices[i]);
            canvas.triangle([a, b, c], whale, light, step);
            canvas.triangle([b, d, c], whale, light, step);
        }
    }
    canvas.resolve()
}

/// The vertices column by column, each column a little beyond the outline at both ends.
fn grid(whale: &Whale, view: &View) -> Vec<Vertex> {
    let outline = &whale.outline;
    let mut vertices = Vec::with_capacity((COLUMNS + 1) * (ROWS + 1));
    for column in 0..=COLUMNS {
        let at =
            |offset: f32| (2.0 * (column as f32 + offset) / COLUMNS as f32 - 1.0).clamp(-1.0, 1.0);
        let u = 1.01 * at(0.0);
        let around = [-1.0, -0.5, 0.0, 0.5, 1.0].map(at);
        let low = around
            .map(|u| outline.leading(u))
            .into_iter()
            .fold(f32::MAX, f32::min)
            .max(V_MIN)
            - 0.03;
        let high = around
            .map(|u| outline.trailing(u))
            .into_iter()
            .fold(f32::MIN, f32::max)
            + 0.03;
        for row in 0..=ROWS {
            let v = low + (high - low) * row as f32 / ROWS as f32;
            vertices.push(Vertex {
                seen: view.project(u, v),
                u,
                v,
                normal: view.pose.normal(u, v),
            });
        }
    }
    vertices
}

/// The finer grid of samples that the triangles are drawn on.
struct Canvas {
    /// The first sample's place in the frame, in samples.
    left: usize,
    top: usize,
    width: usize,
    height: usize,
    colours: Vec<[f32; 4]>,
    nearness: Vec<f32>,
}

impl Canvas {
    fn around(vertices: &[Vertex], frame: Frame) -> Self {
        let clip = |x: f32, most: u32| (x.clamp(0.0, most as f32)) as usize;
        let bound = |of: fn(&Vertex) -> f32, pick: fn(f32, f32) -> f32| {
            vertices.iter().map(of).reduce(pick).unwrap_or(0.0)
        };
        let left = clip(bound(|p| p.seen.x, f32::min), frame.width);
        let right = clip(bound(|p| p.seen.x, f32::max) + 1.0, frame.width);
        let top = clip(bound(|p| p.seen.y, f32::min), frame.height);
        let bottom = clip(bound(|p| p.seen.y, f32::max) + 1.0, frame.height);
        let (width, height) = ((right - left) * FINE, (bottom - top) * FINE);
        Self {
            left: left * FINE,
            top: top * FINE,
            width,
            height,
            colours: vec![[0.0; 4]; width * height],
            nearness: vec![0.0; width * height],
        }
    }

    /// A vertex's place on the canvas, in samples.
    fn place(&self, seen: Seen) -> (f32, f32) {
        (
            seen.x * FINE as f32 - self.left as f32,
            seen.y * FINE as f32 - self.top as f32,
        )
    }

    /// Draws one triangle, its fluke coordinates interpolated with perspective.
    fn triangle(&mut self, corners: [&Vertex; 3], whale: &Whale, light: &Light, step: f32) {
        let [a, b, c] = corners.map(|corner| self.place(corner.seen));
        let area = (b.0 - a.0) * (c.1 - a.1) - (b.1 - a.1) * (c.0 - a.0);
        if area.abs() < 1e-6 {
            return;
        }
        let share = 1.0 / area;
        let clip = |x: f32, most: usize| (x.max(0.0) as usize).min(most);
        let columns =
            clip(a.0.min(b.0).min(c.0), self.width)..clip(a.0.max(b.0).max(c.0) + 1.0, self.width);
        for row in
            clip(a.1.min(b.1).min(c.1), self.height)..clip(a.1.max(b.1).max(c.1) + 1.0, self.height)
        {
            for column in columns.clone() {
                let (x, y) = (column as f32 + 0.5, row as f32 + 0.5);
                let wb = ((x - a.0) * (c.1 - a.1) - (y - a.1) * (c.0 - a.0)) * share;
                let wc = ((b.0 - a.0) * (y - a.1) - (b.1 - a.1) * (x - a.0)) * share;
                let weights = [1.0 - wb - wc, wb, wc];
                if weights.iter().all(|&weight| weight >= 0.0) {
                    self.sample(
                        row * self.width + column,
                        corners,
                        weights,
                        whale,
                        light,
                        step,
                    );
                }
            }
        }
    }

    fn sample(
        &mut self,
        index: usize,
        corners: [&Vertex; 3],
        weights: [f32; 3],
        whale: &Whale,
        light: &Light,
        step: f32,
    ) {
        let near = [0, 1, 2].map(|i| weights[i] * corners[i].seen.nearness);
        let nearness: f32 = near.iter().sum();
        if nearness <= self.nearness[index] {
            return;
        }
        let whole = 1.0 / nearness;
        let share = near.map(|near| near * whole);
        let [a, b, c] = corners;
        let blend = |x: f32, y: f32, z: f32| share[0] * x + share[1] * y + share[2] * z;
        let (u, v) = (blend(a.u, b.u, c.u), blend(a.v, b.v, c.v));
        let texel = whale.skin(u, v, step);
        let opacity = (texel.inside / step + 0.5).clamp(0.0, 1.0);
        if opacity <= 0.0 {
            return;
        }
        let normal = [0, 1, 2].map(|axis| blend(a.normal[axis], b.normal[axis], c.normal[axis]));
        let [red, green, blue] = light.skin(texel, normal, u, v);
        self.colours[index] = [red * opacity, green * opacity, blue * opacity, opacity];
        self.nearness[index] = nearness;
    }

    /// Averages the samples of each pixel.
    fn resolve(&self) -> Layer {
        let (width, height) = (self.width / FINE, self.height / FINE);
        let mut pixels = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                let mut sum = [0.0; 4];
                for sample in 0..FINE * FINE {
                    let (row, column) = (y * FINE + sample / FINE, x * FINE + sample % FINE);
                    let colour = self.colours[row * self.width + column];
                    for (part, total) in colour.into_iter().zip(&mut sum) {
                        *total += part / (FINE * FINE) as f32;
                    }
                }
                pixels.push(sum);
            }
        }
        Layer {
            left: self.left / FINE,
            top: self.top / FINE,
            width,
            height,
            pixels,
        }
    }
}
