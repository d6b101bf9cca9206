//! The scale space: the picture blurred further and further.

use alloc::vec::Vec;

use super::image::GrayImage;

/// Levels of an octave that keypoints are looked for on.
pub(super) const LEVELS: usize = 3;
/// Pictures of an octave: the levels and one below and above.
const IMAGES: usize = LEVELS + 2;
/// Deviation of the blur of an octave's first picture, in the octave's pixels.
const SIGMA: f32 = 1.6;
/// Blur that a photo is taken to come with.
const INPUT_SIGMA: f32 = 0.5;
/// An octave has more rows and columns than this.
const SMALLEST: usize = 13;

/// Pictures of one resolution.
#[derive(Debug)]
pub(super) struct Octave {
    /// Distance of two pixels in those of the photo: 1, 2, 4, …
    pub distance: f32,
    /// Five pictures, each blurred by 2^(1/3) of the one before.
    pub images: Vec<GrayImage>,
}

/// A picture's scale space (spec, *Pyramid*).
#[derive(Debug)]
pub(super) struct Pyramid {
    /// Never empty.
    pub octaves: Vec<Octave>,
}

impl Pyramid {
    /// Blurs `image` until nothing is left of it.
    pub fn new(image: &GrayImage) -> Self {
        let mut first = image.blurred(first_blur());
        let mut octaves = Vec::new();
        let mut distance = 1.0;
        loop {
            let mut images = Vec::with_capacity(IMAGES);
            images.push(first);
            for level in 0..IMAGES - 1 {
                images.push(images[level].blurred(step_blur(level)));
            }
            let next = images[LEVELS].halved();
            octaves.push(Octave { distance, images });
            if next.width() <= SMALLEST || next.height() <= SMALLEST {
                return Self { octaves };
            }
            first = next;
            distance *= 2.0;
        }
    }

    /// The picture whose blur, in the photo's pixels, is nearest to `sigma`, with its distance of
    /// pixels.
    pub fn nearest(&self, sigma: f32) -> (&GrayImage, f32) {
        let off = |octave: usize, level: usize| {
            (sigma_of(level as f32) * self.octaves[octave].distance - sigma).abs()
        };
        let mut best = (0, 0);
        for octave in 0..self.octaves.len() {
            for level in 0..IMAGES {
                if off(octave, level) < off(best.0, best.1) {
                    best = (octave, level);
                }
            }
        }
        let octave = &self.octaves[best.0];
        (&octave.images[best.1], octave.distance)
    }
}

/// σ of a level, in the octave's pixels: 1.6 · 2^(level / 3).
pub(super) fn sigma_of(level: f32) -> f32 {
    SIGMA * libm::exp2f(level / LEVELS as f32)
}

/// What a photo is blurred by to reach the first level.
fn first_blur() -> f32 {
    libm::sqrtf(SIGMA * SIGMA - INPUT_SIGMA * INPUT_SIGMA)
}

/// What the picture of `level` is blurred by to reach the next one.
fn step_blur(level: usize) -> f32 {
    let step = libm::exp2f(1.0 / LEVELS as f32);
    sigma_of(level as f32) * libm::sqrtf(step * step - 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    #[test]
    fn blurs_are_those_of_the_spec() {
        // Python: sqrt(1.6**2 - .5**2), 1.6 * 2**(i/3) * sqrt(2**(2/3) - 1)
        assert!((first_blur() - 1.519_868).abs() < 1e-5);
        for (level, sigma) in [1.226_273, 1.545_008, 1.946_588, 2.452_547]
            .into_iter()
            .enumerate()
        {
            assert!(
                (step_blur(level) - sigma).abs() < 1e-5,
                "{}",
                step_blur(level)
            );
        }
    }

    #[test]
    fn octaves_end_before_a_side_of_thirteen() {
        let sizes = |width, height| -> Vec<(usize, usize)> {
            let image = GrayImage::new(width, height, vec![1.0; width * height]).unwrap();
            let octaves = Pyramid::new(&image).octaves;
            let first = octaves.iter().map(|octave| &octave.images[0]);
            first.map(|image| (image.width(), image.height())).collect()
        };
        assert_eq!(sizes(120, 56), [(120, 56), (60, 28), (30, 14)]);
        assert_eq!(sizes(120, 52), [(120, 52), (60, 26)]);
        assert_eq!(sizes(3, 1), [(3, 1)]);
    }

    #[test]
    fn the_nearest_picture_is_found_across_octaves() {
        let image = GrayImage::new(64, 64, vec![1.0; 4096]).unwrap();
        let pyramid = Pyramid::new(&image);
        for (sigma, level, distance) in
            [(0.1, 0, 1.0), (2.1, 1, 1.0), (5.0, 2, 2.0), (99.0, 4, 4.0)]
        {
            let (found, apart) = pyramid.nearest(sigma);
            let octave = pyramid
                .octaves
                .iter()
                .find(|o| o.distance == distance)
                .unwrap();
            assert!(
                core::ptr::eq(found, &octave.images[level]) && apart == distance,
                "{sigma}"
            );
        }
    }
}
