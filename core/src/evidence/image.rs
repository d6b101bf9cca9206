//! Gray pictures as floats, and blurring them.

use alloc::format;
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::F32;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};

use crate::photo::{Photo, Region};
use crate::{Error, Result};

/// A picture of more pixels is not made: it would be a mistake's.
const MOST_PIXELS: usize = 1 << 24;

/// A gray picture of floats, 0…255, as the detector reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct GrayImage {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl GrayImage {
    /// A picture of `width * height` values, row by row, 0…255.
    ///
    /// # Errors
    /// [`Error::Features`] when a side is zero, when there are more or fewer values, or when one is
    /// not finite.
    pub fn new(width: usize, height: usize, values: Vec<f32>) -> Result<Self> {
        let reason = if width == 0 || height == 0 {
            "the picture has no pixels".to_string()
        } else if width.checked_mul(height) != Some(values.len()) {
            let count = values.len();
            format!("{count} values are no picture of {width} x {height} pixels")
        } else if values.iter().any(|value| !value.is_finite()) {
            "the picture has values that are not finite".to_string()
        } else {
            return Ok(Self {
                width,
                height,
                values,
            });
        };
        Err(Error::Features { reason })
    }

    /// The fluke in `region`, grown by `margin` of its sides, as the mean of red, green and blue, at the
    /// photo's own resolution.
    ///
    /// # Errors
    /// [`Error::Region`] when the region has no pixel in the photo.
    pub fn of_photo(photo: &Photo, region: Region, margin: f32) -> Result<Self> {
        let crop = region.crop(margin, photo.width, photo.height)?;
        let (left, width) = (3 * crop.left as usize, 3 * crop.width as usize);
        let rows = photo
            .pixels
            .chunks_exact(3 * photo.width as usize)
            .skip(crop.top as usize)
            .take(crop.height as usize);
        let mean = |rgb: &[u8]| rgb.iter().map(|&value| f32::from(value)).sum::<f32>() / 3.0;
        let values = rows
            .flat_map(|row| row[left..left + width].chunks_exact(3).map(mean))
            .collect();
        Self::new(crop.width as usize, crop.height as usize, values)
    }

    /// The same picture `width` pixels wide, its shape kept, by a triangle filter that widens as the
    /// picture shrinks.
    ///
    /// # Errors
    /// [`Error::Features`] when `width` is zero or the picture would have more than 16 million pixels.
    pub fn with_width(&self, width: usize) -> Result<Self> {
        if width == self.width {
            return Ok(self.clone());
        }
        let height = self
            .height
            .saturating_mul(width)
            .saturating_add(self.width / 2)
            / self.width;
        let height = height.max(1);
        let failed = |error: &dyn core::fmt::Display| Error::Features {
            reason: format!("the picture cannot be made {width} pixels wide ({error})"),
        };
        if width.saturating_mul(height) > MOST_PIXELS {
            let (width, height) = (self.width, self.height);
            return Err(failed(&format!(
                "it has {width} x {height} pixels; is its box right?"
            )));
        }
        let side = |side: usize| u32::try_from(side).map_err(|error| failed(&error));
        let pixels: Vec<F32> = self.values.iter().map(|&value| F32::new(value)).collect();
        let source = TypedImageRef::new(side(self.width)?, side(self.height)?, &pixels)
            .map_err(|error| failed(&error))?;
        let mut target = TypedImage::<F32>::new(side(width)?, side(height)?);
        let filter = ResizeAlg::Convolution(FilterType::Bilinear);
        Resizer::new()
            .resize_typed(
                &source,
                &mut target,
                &ResizeOptions::new().resize_alg(filter),
            )
            .map_err(|error| failed(&error))?;
        let values = target.pixels().iter().map(|pixel| pixel.0).collect();
        Self::new(width, height, values)
    }

    /// Width in pixels, at least 1.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Height in pixels, at least 1.
    pub fn height(&self) -> usize {
        self.height
    }

    /// `width * height` values, row by row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The values of row `y`, which is below the height.
    pub(super) fn row(&self, y: usize) -> &[f32] {
        &self.values[y * self.width..][..self.width]
    }

    /// Convolved with a Gaussian of deviation `sigma` pixels, above 0, the edge replicated.
    pub fn blurred(&self, sigma: f32) -> Self {
        let weights = gaussian_half(sigma);
        self.blurred_along_rows(&weights)
            .blurred_along_columns(&weights)
    }

    /// Every second pixel of every second row.
    pub(super) fn halved(&self) -> Self {
        let rows = (0..self.height).step_by(2).map(|y| self.row(y));
        Self {
            width: self.width.div_ceil(2),
            height: self.height.div_ceil(2),
            values: rows
                .flat_map(|row| row.iter().step_by(2))
                .copied()
                .collect(),
        }
    }

    fn blurred_along_rows(&self, weights: &[f32]) -> Self {
        let (width, radius) = (self.width, weights.len() - 1);
        let mut values = vec![0.0; self.values.len()];
        let mut padded = vec![0.0; width + 2 * radius];
        for (y, out) in values.chunks_exact_mut(width).enumerate() {
            let row = self.row(y);
            padded[..radius].fill(row[0]);
            padded[radius..radius + width].copy_from_slice(row);
            padded[radius + width..].fill(row[width - 1]);
            blur_line(out, weights, |offset| {
                let (before, after) = (radius - offset, radius + offset);
                (
                    &padded[before..before + width],
                    &padded[after..after + width],
                )
            });
        }
        Self { values, ..*self }
    }

    fn blurred_along_columns(&self, weights: &[f32]) -> Self {
        let mut values = vec![0.0; self.values.len()];
        let last = self.height - 1;
        for (y, out) in values.chunks_exact_mut(self.width).enumerate() {
            blur_line(out, weights, |offset| {
                let (above, below) = (y.saturating_sub(offset), (y + offset).min(last));
                (self.row(above), self.row(below))
            });
        }
        Self { values, ..*self }
    }
}

/// The weighted sum of a line and its neighbours, which `at` gives by their distance: whole slices,
/// so that it runs in vectors.
fn blur_line<'a>(out: &mut [f32], weights: &[f32], at: impl Fn(usize) -> (&'a [f32], &'a [f32])) {
    for (out, value) in out.iter_mut().zip(at(0).0) {
        *out = weights[0] * value;
    }
    for (offset, &weight) in weights.iter().enumerate().skip(1) {
        let (before, after) = at(offset);
        for ((out, before), after) in out.iter_mut().zip(before).zip(after) {
            *out += weight * (before + after);
        }
    }
}

/// Centre and one side of a Gaussian kernel: length int(6σ + 1) made odd, sum 1 (spec, *Pyramid*).
fn gaussian_half(sigma: f32) -> Vec<f32> {
    let length = (6.0 * sigma + 1.0) as usize;
    let radius = length / 2;
    let weight = |i: usize| libm::expf(-((i * i) as f32) / (2.0 * sigma * sigma));
    let weights: Vec<f32> = (0..=radius).map(weight).collect();
    let sum = weights[0] + 2.0 * weights[1..].iter().sum::<f32>();
    weights.into_iter().map(|weight| weight / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_kernel_has_the_length_of_the_spec() {
        // int(6 · 1.5199 + 1) = 10, made odd 11; int(6 · 1.2263 + 1) = 8, made odd 9.
        assert_eq!(gaussian_half(1.5199).len(), 11 / 2 + 1);
        assert_eq!(gaussian_half(1.2263).len(), 9 / 2 + 1);
        // exp(-0.5) / (1 + 2 (exp(-0.5) + exp(-2) + exp(-4.5))) by hand
        assert!((gaussian_half(1.0)[1] - 0.242_036).abs() < 1e-5);
    }

    #[test]
    fn gray_is_the_mean_of_the_channels() {
        let photo = Photo {
            width: 2,
            height: 1,
            pixels: vec![10, 20, 60, 255, 255, 255],
        };
        let gray = GrayImage::of_photo(&photo, Region::whole(2, 1), 0.0).unwrap();
        assert_eq!(gray.values(), [30.0, 255.0]);
    }

    #[test]
    fn what_is_no_picture_is_refused_in_words() {
        for (width, height, values, words) in [
            (0, 3, vec![], "no pixels"),
            (2, 2, vec![0.0; 3], "3 values are no picture of 2 x 2"),
            (1, 1, vec![f32::NAN], "not finite"),
        ] {
            let message = GrayImage::new(width, height, values)
                .unwrap_err()
                .to_string();
            assert!(message.contains(words), "{message}");
        }
    }

    #[test]
    fn another_width_keeps_shape_and_brightness() {
        let image = GrayImage::new(40, 20, vec![77.0; 800]).unwrap();
        let wider = image.with_width(100).unwrap();
        assert_eq!((wider.width(), wider.height()), (100, 50));
        assert!(
            wider
                .values()
                .iter()
                .all(|value| (value - 77.0).abs() < 1e-3)
        );
        assert!(image.with_width(0).is_err());
        let stripe = GrayImage::new(1, 40_000, vec![7.0; 40_000]).unwrap();
        let message = stripe.with_width(512).unwrap_err().to_string();
        assert!(message.contains("1 x 40000 pixels"), "{message}");
    }

    proptest! {
        #[test]
        fn a_blur_keeps_a_constant_and_moves_nothing(value in 0f32..255.0, sigma in 0.5f32..4.0) {
            let flat = GrayImage::new(9, 5, vec![value; 45]).unwrap().blurred(sigma);
            prop_assert!(flat.values().iter().all(|v| (v - value).abs() < 1e-3));
            let mut dot = vec![0.0; 41 * 41];
            dot[20 * 41 + 20] = value;
            let dot = GrayImage::new(41, 41, dot).unwrap().blurred(sigma);
            for (i, v) in dot.values().iter().enumerate() {
                prop_assert!((v - dot.values()[41 * 41 - 1 - i]).abs() < 1e-4);
            }
        }
    }
}
