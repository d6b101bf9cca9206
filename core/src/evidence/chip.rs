//! The gray picture of a fluke in which features are found.

use alloc::format;

use serde::{Deserialize, Serialize};

use super::GrayImage;
use super::geometry::Transform;
use crate::photo::{Photo, Region};
use crate::{Error, Result};

/// Which part of a photo is looked at for features, and how large.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chip {
    /// Width in pixels; narrower flukes are not enlarged. 1 to 10,000.
    pub width: usize,
    /// What the fluke's box is grown by on each side, as a share of its sides; -0.4 to 2.
    pub margin: f32,
}

impl Chip {
    /// Checks both numbers' ranges.
    ///
    /// # Errors
    /// [`Error::Features`] with the first that is out of it.
    pub fn validate(&self) -> Result<()> {
        let refuse = |reason| Err(Error::Features { reason });
        if !(1..=10_000).contains(&self.width) {
            let width = self.width;
            return refuse(format!(
                "the chip's width is {width}, it must be 1 to 10,000"
            ));
        }
        if !(-0.4..=2.0).contains(&self.margin) {
            let margin = self.margin;
            return refuse(format!(
                "the chip's margin is {margin}, it must be -0.4 to 2"
            ));
        }
        Ok(())
    }

    /// The gray picture of the fluke in `region`.
    ///
    /// # Errors
    /// When the region does not lie in the photo.
    pub fn image(&self, photo: &Photo, region: Region) -> Result<GrayImage> {
        let image = GrayImage::of_photo(photo, region, self.margin)?;
        if image.width() > self.width {
            return image.with_width(self.width);
        }
        Ok(image)
    }

    /// The map from pixels of that picture, which is of `size` (width, height), to pixels of the photo,
    /// which is of `photo` (width, height).
    ///
    /// # Errors
    /// When the region does not lie in the photo.
    pub fn to_photo(&self, region: Region, photo: [u32; 2], size: [u32; 2]) -> Result<Transform> {
        let crop = region.crop(self.margin, photo[0], photo[1])?;
        // Centres of pixels are at whole numbers: half a pixel is added before scaling, taken off after.
        let scale = |of: u32, to: u32| f64::from(of) / f64::from(to.max(1));
        let (x, y) = (scale(crop.width, size[0]), scale(crop.height, size[1]));
        let begin = |of: u32, scale: f64| f64::from(of) + 0.5 * scale - 0.5;
        let offset = [begin(crop.left, x), begin(crop.top, y)];
        Ok(Transform::affine([x, 0.0, 0.0, y], offset))
    }
}

impl Default for Chip {
    fn default() -> Self {
        Self {
            width: 512,
            margin: 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;

    #[test]
    fn a_fluke_is_made_smaller_and_found_again_in_the_photo() {
        let photo = Photo {
            width: 300,
            height: 100,
            pixels: vec![9; 3 * 300 * 100],
        };
        let region = Region {
            x0: 100.0,
            y0: 20.0,
            x1: 300.0,
            y1: 100.0,
        };
        let chip = Chip {
            width: 50,
            margin: 0.0,
        };
        let image = chip.image(&photo, region).unwrap();
        assert_eq!([image.width(), image.height()], [50, 20]);
        let map = chip.to_photo(region, [300, 100], [50, 20]).unwrap();
        // Four pixels of the photo's make one: the first one's centre is between the second and the third.
        assert_eq!(map.map([0.0, 0.0]), Some([101.5, 21.5]));
        assert_eq!(map.map([49.0, 19.0]), Some([297.5, 97.5]));
    }

    #[test]
    fn what_is_out_of_range_is_refused_by_name() {
        assert!(Chip::default().validate().is_ok());
        for (width, margin, name) in [
            (0, 0.0, "width"),
            (352, -0.5, "margin"),
            (9, f32::NAN, "margin"),
        ] {
            let error = Chip { width, margin }.validate().unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}
