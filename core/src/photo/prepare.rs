//! Crop, gray, resize, normalise: spec, *Input*.

use super::{Photo, Region};
use crate::{Error, Result};
use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;
use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::U8;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use serde::{Deserialize, Serialize};

/// How a photo becomes the model's input. Travels in the bundle's manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// Input height, pixels.
    pub height: usize,
    /// Input width, pixels.
    pub width: usize,
    /// Share of the region's width and height added on each side.
    pub margin: f32,
    /// Mean of each channel, for values in 0…1.
    pub mean: [f32; 3],
    /// Deviation of each channel, for values in 0…1.
    pub deviation: [f32; 3],
    /// Further views of a photo (test-time augmentation): for each the margin that it is cropped
    /// with instead of `margin`, -0.2 to 1; a negative one crops into the region. What the network
    /// says of all views is averaged by [`Embedding::of_views`](crate::identify::Embedding::of_views).
    /// Empty, the default, is the one view with `margin`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub views: Vec<f32>,
}

impl Preprocessing {
    /// Gray in three equal channels with ImageNet's mean and deviation, squashed to
    /// `height` x `width`, a tenth added around the box.
    pub fn imagenet(height: usize, width: usize) -> Self {
        Self {
            height,
            width,
            margin: 0.1,
            mean: [0.485, 0.456, 0.406],
            deviation: [0.229, 0.224, 0.225],
            views: Vec::new(),
        }
    }

    /// Checks the views' range.
    ///
    /// # Errors
    /// [`Error::Preprocessing`] with the first that is out of it.
    pub fn validate(&self) -> Result<()> {
        match self.views.iter().find(|view| !(-0.2..=1.0).contains(*view)) {
            Some(&value) => Err(Error::Preprocessing {
                name: "views",
                value,
                range: "between -0.2 and 1",
            }),
            None => Ok(()),
        }
    }

    /// The model's input, `[3, height, width]`, of the fluke in `region`, with `margin`.
    ///
    /// # Errors
    /// [`Error::Region`] when the region has no pixel in the photo.
    pub fn input(&self, photo: &Photo, region: Region) -> Result<Vec<f32>> {
        self.view(self.margin, photo, region)
    }

    /// The inputs of all views, `[3, height, width]` each: that with `margin`, then the `views`.
    ///
    /// # Errors
    /// As [`Preprocessing::input`].
    pub fn inputs(&self, photo: &Photo, region: Region) -> Result<Vec<Vec<f32>>> {
        let margins = core::iter::once(&self.margin).chain(&self.views);
        margins
            .map(|&margin| self.view(margin, photo, region))
            .collect()
    }

    fn view(&self, margin: f32, photo: &Photo, region: Region) -> Result<Vec<f32>> {
        let gray = gray(margin, photo, region)?.resize(self.width as u32, self.height as u32)?;
        let values: Vec<f32> = gray
            .pixels
            .iter()
            .map(|&value| f32::from(value) / 255.0)
            .collect();
        Ok(self.normalise(&values))
    }

    /// The region with its margin, in gray, at the photo's own resolution.
    ///
    /// # Errors
    /// [`Error::Region`] when the region has no pixel in the photo.
    pub fn gray(&self, photo: &Photo, region: Region) -> Result<Gray> {
        gray(self.margin, photo, region)
    }

    /// `[height, width]` gray values in 0…1 to `[3, height, width]` with mean 0 and deviation 1.
    pub fn normalise(&self, gray: &[f32]) -> Vec<f32> {
        self.normalise_channels([gray; 3])
    }

    /// As [`Preprocessing::normalise`], for channels that differ, `[height, width]` each.
    pub fn normalise_channels<C: AsRef<[f32]>>(&self, channels: [C; 3]) -> Vec<f32> {
        let facts = self.mean.iter().zip(&self.deviation);
        let normalised = channels.iter().zip(facts);
        normalised
            .flat_map(|(channel, (mean, deviation))| {
                let values = channel.as_ref().iter();
                values.map(move |value| (value - mean) / deviation)
            })
            .collect()
    }
}

/// The region with `margin`, in gray, at the photo's own resolution.
fn gray(margin: f32, photo: &Photo, region: Region) -> Result<Gray> {
    let crop = region.crop(margin, photo.width, photo.height)?;
    let stride = 3 * photo.width as usize;
    let from = 3 * crop.left as usize;
    let rows = photo
        .pixels
        .chunks_exact(stride)
        .skip(crop.top as usize)
        .take(crop.height as usize);
    let pixels = rows
        .flat_map(|row| {
            row[from..from + 3 * crop.width as usize]
                .chunks_exact(3)
                .map(luma)
        })
        .collect();
    Ok(Gray {
        width: crop.width,
        height: crop.height,
        pixels,
    })
}

/// A gray picture, 8 bits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gray {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// `width * height` values, row by row.
    pub pixels: Vec<u8>,
}

impl Gray {
    /// Squashed to `width` x `height` with a triangle filter that widens as it shrinks, so that a
    /// large photo does not alias.
    ///
    /// # Errors
    /// [`Error::Photo`] when a side is zero.
    pub fn resize(&self, width: u32, height: u32) -> Result<Self> {
        let failed = |error: &dyn core::fmt::Display| Error::Photo {
            reason: error.to_string(),
        };
        if width == 0 || height == 0 {
            return Err(failed(&"a picture of no pixels was asked for"));
        }
        let mut pixels = vec![0; width as usize * height as usize];
        // The typed way: the other would compile the resizer for every pixel format there is.
        let source = TypedImageRef::<U8>::from_buffer(self.width, self.height, &self.pixels)
            .map_err(|error| failed(&error))?;
        let mut target = TypedImage::<U8>::from_buffer(width, height, &mut pixels)
            .map_err(|error| failed(&error))?;
        let filter = ResizeAlg::Convolution(FilterType::Bilinear);
        Resizer::new()
            .resize_typed(
                &source,
                &mut target,
                &ResizeOptions::new().resize_alg(filter),
            )
            .map_err(|error| failed(&error))?;
        Ok(Self {
            width,
            height,
            pixels,
        })
    }
}

/// ITU-R BT.601 luma, as PIL's mode "L" computes it: (19595 R + 38470 G + 7471 B + 0x8000) >> 16.
fn luma(rgb: &[u8]) -> u8 {
    let weighted = 19595 * u32::from(rgb[0]) + 38470 * u32::from(rgb[1]) + 7471 * u32::from(rgb[2]);
    ((weighted + 0x8000) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn photo(width: u32, height: u32, rgb: impl Fn(u32, u32) -> [u8; 3]) -> Photo {
        let pixels = (0..height).flat_map(|y| (0..width).map(move |x| (x, y)));
        Photo {
            width,
            height,
            pixels: pixels.flat_map(|(x, y)| rgb(x, y)).collect(),
        }
    }

    #[test]
    fn luma_is_pils() {
        // PIL: Image.new("RGB", (1, 1), c).convert("L").getpixel((0, 0))
        for (rgb, gray) in [
            ([255, 0, 0], 76),
            ([0, 255, 0], 150),
            ([0, 0, 255], 29),
            ([12, 200, 99], 132),
        ] {
            assert_eq!(luma(&rgb), gray);
        }
    }

    #[test]
    fn values_are_normalised_channel_by_channel() {
        let input = Preprocessing::imagenet(2, 2)
            .input(&photo(4, 4, |_, _| [255; 3]), Region::whole(4, 4))
            .unwrap();
        assert_eq!(input.len(), 12);
        for (channel, expected) in [
            (1.0 - 0.485) / 0.229,
            (1.0 - 0.456) / 0.224,
            (1.0 - 0.406) / 0.225,
        ]
        .iter()
        .enumerate()
        {
            assert!((input[4 * channel] - expected).abs() < 1e-5);
        }
    }

    #[test]
    fn channels_that_differ_get_their_own_values() {
        let preprocessing = Preprocessing {
            mean: [0.5, 0.25, 0.0],
            deviation: [0.5, 0.25, 2.0],
            ..Preprocessing::imagenet(1, 2)
        };
        let channels = [[0.0, 1.0], [0.5, 0.25], [0.5, 1.0]];
        assert_eq!(
            preprocessing.normalise_channels(channels),
            [-1.0, 1.0, 1.0, 0.0, 0.25, 0.5]
        );
    }

    #[test]
    fn every_view_is_the_input_with_its_margin() {
        let ramp = photo(60, 40, |x, y| [(3 * x + y) as u8; 3]);
        let region = Region {
            x0: 20.0,
            y0: 10.0,
            x1: 40.0,
            y1: 30.0,
        };
        let with = |margin, views: &[f32]| Preprocessing {
            margin,
            views: views.to_vec(),
            ..Preprocessing::imagenet(4, 4)
        };
        let inputs = with(0.1, &[-0.2, 0.5]).inputs(&ramp, region).unwrap();
        let single = |margin| with(margin, &[]).input(&ramp, region).unwrap();
        assert_eq!(inputs, [0.1, -0.2, 0.5].map(single));
        assert!(inputs[0] != inputs[1] && inputs[1] != inputs[2]);
        assert_eq!(with(0.1, &[]).inputs(&ramp, region).unwrap(), [single(0.1)]);
    }

    #[test]
    fn a_view_out_of_range_is_named() {
        for (view, text) in [(-0.3, "-0.3"), (1.5, "1.5"), (f32::NAN, "NaN")] {
            let preprocessing = Preprocessing {
                views: vec![0.0, view],
                ..Preprocessing::imagenet(4, 4)
            };
            let message = preprocessing.validate().unwrap_err().to_string();
            assert!(
                message.contains("views") && message.contains(text),
                "{message}"
            );
        }
        let widest = Preprocessing {
            views: vec![-0.2, 1.0],
            ..Preprocessing::imagenet(4, 4)
        };
        assert!(widest.validate().is_ok());
    }

    #[test]
    fn only_the_region_counts() {
        let half = photo(20, 10, |x, _| if x < 10 { [0; 3] } else { [200; 3] });
        let preprocessing = Preprocessing {
            margin: 0.0,
            ..Preprocessing::imagenet(4, 4)
        };
        let gray = preprocessing
            .gray(
                &half,
                Region {
                    x0: 10.0,
                    y0: 2.0,
                    x1: 20.0,
                    y1: 8.0,
                },
            )
            .unwrap();
        assert_eq!((gray.width, gray.height), (10, 6));
        assert_eq!(gray.pixels, vec![200; 60]);
    }

    #[test]
    fn shrinking_averages_and_does_not_alias() {
        // A checkerboard of single pixels is gray from afar.
        let board = photo(64, 64, |x, y| [if (x + y) % 2 == 0 { 0 } else { 200 }; 3]);
        let gray = Preprocessing::imagenet(8, 8)
            .gray(&board, Region::whole(64, 64))
            .unwrap();
        for value in gray.resize(8, 8).unwrap().pixels {
            assert!(value.abs_diff(100) <= 3, "{value}");
        }
    }
}
