//! Patches: what a frame holds, brought to a square of 32 x 32 values.

use alloc::vec;
use alloc::vec::Vec;

use super::image::GrayImage;
use super::{Frame, pyramid::Pyramid};

/// Rows and columns of a patch.
pub const PATCH: usize = 32;
/// Values of a patch.
pub(super) const AREA: usize = PATCH * PATCH;

impl Frame {
    /// √|det A|: how far it reaches, in pixels.
    pub fn radius(&self) -> f32 {
        let [a11, a12, a21, a22] = self.shape;
        libm::sqrtf((a11 * a22 - a12 * a21).abs())
    }

    /// The pixel of (u, v).
    pub fn at(&self, u: f32, v: f32) -> [f32; 2] {
        let ([a11, a12, a21, a22], [x, y]) = (self.shape, self.center);
        [x + a11 * u + a12 * v, y + a21 * u + a22 * v]
    }

    /// Whether its four corners are pixels of a picture of that size.
    pub fn lies_within(&self, width: usize, height: usize) -> bool {
        let (right, bottom) = (width as f32 - 1.0, height as f32 - 1.0);
        let corners = [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)];
        corners.into_iter().all(|(u, v)| {
            let [x, y] = self.at(u, v);
            (0.0..=right).contains(&x) && (0.0..=bottom).contains(&y)
        })
    }
}

/// A picture from which patches are taken as the networks read them: what trains a network sees the same
/// values as what uses it.
#[derive(Debug)]
pub struct Patches(Pyramid);

impl Patches {
    /// Blurs the picture for patches of all sizes.
    pub fn new(image: &GrayImage) -> Self {
        Self(Pyramid::new(image))
    }

    /// The patch of `frame`, `[32, 32]`, normalised: mean 0, unbiased deviation 1.
    pub fn take(&self, frame: &Frame) -> Vec<f32> {
        let mut patch = vec![0.0; AREA];
        sample_nearest(&self.0, frame, &mut patch);
        normalise(&mut patch);
        patch
    }
}

/// Fills `patch`, `[32, 32]`, with what `frame` holds in the picture of `pyramid` whose blur is nearest
/// to a pixel of the patch, √|det A| / 32 (spec, *Region*).
pub(super) fn sample_nearest(pyramid: &Pyramid, frame: &Frame, patch: &mut [f32]) {
    let (image, distance) = pyramid.nearest(frame.radius() / PATCH as f32);
    sample(image, distance, frame, patch);
}

/// Fills `patch`, `[32, 32]`, with the values of `image`, whose pixels are `distance` of the frame's
/// apart, at A · (u, v) + c for u and v from -1 to 1 in 31 steps: bilinear, zero outside.
pub(super) fn sample(image: &GrayImage, distance: f32, frame: &Frame, patch: &mut [f32]) {
    let step = 2.0 / (PATCH as f32 - 1.0);
    let [x0, y0] = frame.at(-1.0, -1.0).map(|at| at / distance);
    let [a11, a12, a21, a22] = frame.shape.map(|a| a * step / distance);
    for (row, out) in patch.chunks_exact_mut(PATCH).enumerate() {
        let (x0, y0) = (x0 + a12 * row as f32, y0 + a22 * row as f32);
        for (column, out) in out.iter_mut().enumerate() {
            *out = bilinear(image, x0 + a11 * column as f32, y0 + a21 * column as f32);
        }
    }
}

fn bilinear(image: &GrayImage, x: f32, y: f32) -> f32 {
    let (width, height) = (image.width(), image.height());
    // Truncating is rounding down from -0 on, and what lies before is taken care of below.
    let (left, top) = (x as usize, y as usize);
    if x >= 0.0 && y >= 0.0 && left + 1 < width && top + 1 < height {
        let (fx, fy) = (x - left as f32, y - top as f32);
        let above = &image.values()[top * width + left..][..2];
        let below = &image.values()[(top + 1) * width + left..][..2];
        let above = above[0] + fx * (above[1] - above[0]);
        let below = below[0] + fx * (below[1] - below[0]);
        return above + fy * (below - above);
    }
    bilinear_at_edge(image, x, y)
}

fn bilinear_at_edge(image: &GrayImage, x: f32, y: f32) -> f32 {
    let (left, top) = (libm::floorf(x), libm::floorf(y));
    let value = |x: f32, y: f32| {
        let inside = x >= 0.0 && y >= 0.0 && x < image.width() as f32 && y < image.height() as f32;
        if inside {
            image.row(y as usize)[x as usize]
        } else {
            0.0
        }
    };
    let (fx, fy) = (x - left, y - top);
    let row = |y: f32| value(left, y) * (1.0 - fx) + value(left + 1.0, y) * fx;
    row(top) * (1.0 - fy) + row(top + 1.0) * fy
}

/// (x − mean) / (unbiased deviation + 1e-7), in place: what the networks read.
pub(super) fn normalise(patch: &mut [f32]) {
    let count = patch.len() as f64;
    let mean = patch.iter().map(|&x| f64::from(x)).sum::<f64>() / count;
    let squares: f64 = patch
        .iter()
        .map(|&x| (f64::from(x) - mean) * (f64::from(x) - mean))
        .sum();
    let deviation = libm::sqrt(squares / (count - 1.0).max(1.0)) + 1e-7;
    for value in patch {
        *value = ((f64::from(*value) - mean) / deviation) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bilinear sampling reproduces a slope exactly.
    fn slope() -> GrayImage {
        let values = (0..60 * 50).map(|i| (i % 60) as f32 + 3.0 * (i / 60) as f32);
        GrayImage::new(60, 50, values.collect()).unwrap()
    }

    proptest! {
        #[test]
        fn a_patch_reads_the_frame_from_corner_to_corner(
            shape in [2f32..9.0, -5f32..5.0, -5f32..5.0, 2f32..9.0],
        ) {
            let frame = Frame { center: [30.0, 25.0], shape };
            let mut patch = [0.0; AREA];
            sample(&slope(), 1.0, &frame, &mut patch);
            for (index, u, v) in [(0, -1.0, -1.0), (31, 1.0, -1.0), (AREA - 32, -1.0, 1.0), (AREA - 1, 1.0, 1.0)] {
                let [x, y] = frame.at(u, v);
                prop_assert!((patch[index] - (x + 3.0 * y)).abs() < 1e-2);
            }
        }
    }

    #[test]
    fn outside_is_zero_and_fades_in_over_a_pixel() {
        let image = GrayImage::new(2, 2, alloc::vec![8.0; 4]).unwrap();
        for (x, y, expected) in [
            (-1.0, 0.0, 0.0),
            (-0.5, 0.0, 4.0),
            (1.5, 1.5, 2.0),
            (1.0, 1.0, 8.0),
            (9.0, 0.0, 0.0),
        ] {
            assert_eq!(bilinear(&image, x, y), expected, "{x} {y}");
        }
    }

    #[test]
    fn normalising_is_by_the_unbiased_deviation() {
        let mut values = [1.0, 2.0, 3.0, 4.0];
        normalise(&mut values);
        // numpy: std([1, 2, 3, 4], ddof=1) = 1.2909944
        assert!((values[3] - 1.5 / 1.290_994_4).abs() < 1e-6);
        let mut flat = [7.0; 9];
        normalise(&mut flat);
        assert_eq!(flat, [0.0; 9]);
    }
}
