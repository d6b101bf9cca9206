//! Keypoints: where the Hessian's determinant is largest in space and scale.

use alloc::vec;
use alloc::vec::Vec;

use super::image::GrayImage;
use super::pyramid::{LEVELS, Octave, Pyramid, sigma_of};

/// Pixels at an octave's edge that hold no keypoint.
const BORDER: usize = 5;
/// Weaker maxima are what rounding leaves of a picture without texture: a blob of half a gray level
/// answers ten times as strongly.
const WEAKEST: f32 = 1e-3;

/// A maximum of the response.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Detection {
    /// Octave of the pyramid.
    pub octave: usize,
    /// Level in it, 1 to 3.
    pub level: usize,
    /// `[x, y]` in the photo's pixels.
    pub center: [f32; 2],
    /// Scale in the photo's pixels.
    pub sigma: f32,
    /// |gxx·gyy − gxy²|·σ⁴.
    pub response: f32,
}

/// All maxima (spec, *Response* and *Maxima*), by octave, level, row and column.
pub(super) fn detect(pyramid: &Pyramid) -> Vec<Detection> {
    let mut found = Vec::new();
    for (index, octave) in pyramid.octaves.iter().enumerate() {
        detect_in(octave, index, &mut found);
    }
    found
}

fn detect_in(octave: &Octave, index: usize, found: &mut Vec<Detection>) {
    let (width, height) = (octave.images[0].width(), octave.images[0].height());
    if width <= 2 * BORDER || height <= 2 * BORDER {
        return;
    }
    let levels = octave.images.iter().enumerate();
    let maps: Vec<Vec<f32>> = levels
        .map(|(level, image)| response(image, level))
        .collect();
    let mut taken = vec![false; width * height];
    for level in 1..=LEVELS {
        for y in BORDER..height - BORDER {
            for x in BORDER..width - BORDER {
                let at = y * width + x;
                let value = maps[level][at];
                if value < WEAKEST || value < maps[level][at - 1] || value < maps[level][at + 1] {
                    continue; // nearly all pixels stop here
                }
                let cube = Cube::new(&maps[level - 1..=level + 1], at, width);
                if taken[at] || !cube.is_largest(value) {
                    continue;
                }
                taken[at] = true;
                let [dx, dy, above] = cube.center_of_mass();
                let d = octave.distance;
                found.push(Detection {
                    octave: index,
                    level,
                    center: [(x as f32 + dx) * d, (y as f32 + dy) * d],
                    sigma: sigma_of(level as f32 + above) * d,
                    response: value,
                });
            }
        }
    }
}

/// The response of every pixel; 0 at the two outermost, which no keypoint's cube reaches.
fn response(image: &GrayImage, level: usize) -> Vec<f32> {
    let (width, height) = (image.width(), image.height());
    let mut values = vec![0.0; width * height];
    let square = sigma_of(level as f32) * sigma_of(level as f32);
    for y in 2..height.saturating_sub(2) {
        let (above, row, below) = (image.row(y - 1), image.row(y), image.row(y + 1));
        let out = &mut values[y * width + 1..(y + 1) * width - 1];
        let rows = above.windows(3).zip(row.windows(3)).zip(below.windows(3));
        for (out, ((above, row), below)) in out.iter_mut().zip(rows) {
            let gxx = row[0] - 2.0 * row[1] + row[2];
            let gyy = above[1] - 2.0 * row[1] + below[1];
            let gxy = 0.25 * (above[0] - above[2] - below[0] + below[2]);
            *out = (gxx * gyy - gxy * gxy).abs() * (square * square);
        }
    }
    values
}

/// A pixel's neighbours in space and scale, itself included: `[level][row][column]`.
struct Cube([[[f32; 3]; 3]; 3]);

impl Cube {
    fn new(maps: &[Vec<f32>], at: usize, width: usize) -> Self {
        let mut cube = [[[0.0; 3]; 3]; 3];
        for (plane, map) in cube.iter_mut().zip(maps) {
            for (dy, row) in plane.iter_mut().enumerate() {
                row.copy_from_slice(&map[at + dy * width - width - 1..][..3]);
            }
        }
        Self(cube)
    }

    fn is_largest(&self, value: f32) -> bool {
        self.0
            .as_flattened()
            .as_flattened()
            .iter()
            .all(|other| *other <= value)
    }

    /// Mean offset in x, y and level, -1 to 1, weighted with the responses, one of which is positive.
    fn center_of_mass(&self) -> [f32; 3] {
        let (mut sum, mut moments) = (0.0, [0.0; 3]);
        for (dl, plane) in (-1i8..).zip(&self.0) {
            for (dy, row) in (-1i8..).zip(plane) {
                for (dx, &value) in (-1i8..).zip(row) {
                    sum += value;
                    moments[0] += value * f32::from(dx);
                    moments[1] += value * f32::from(dy);
                    moments[2] += value * f32::from(dl);
                }
            }
        }
        moments.map(|moment| moment / sum)
    }
}
