//! The fluke of one photo, with its local features.

use burn::tensor::Device;
use flukeprint_core::Result;
use flukeprint_core::evidence::geometry::Transform;
use flukeprint_core::evidence::{Features, GrayImage, Networks, Options, features};
use flukeprint_core::photo::{Photo, Region};
use serde::{Deserialize, Serialize};

/// The gray picture of a fluke in which features are found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chip {
    /// Width in pixels; narrower flukes are not enlarged. At least 1.
    pub width: usize,
    /// What the fluke's box is grown by on each side, as a share of its sides.
    pub margin: f32,
}

impl Chip {
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
}

impl Default for Chip {
    fn default() -> Self {
        Self {
            width: 512,
            margin: 0.0,
        }
    }
}

/// What the fluke of a photo shows.
#[derive(Clone, Debug)]
pub struct Fluke {
    /// The photo and where in it the fluke is; none where only the features were kept.
    seen: Option<(Photo, Region)>,
    /// Its features, in pixels of the chip.
    pub features: Features,
    /// From pixels of the chip to pixels of the photo.
    pub to_photo: Transform,
}

impl Fluke {
    /// Looks for local features in the region of a photo.
    ///
    /// # Errors
    /// When the region does not lie in the photo.
    pub async fn look(photo: Photo, region: Region, device: &Device) -> Result<Self> {
        let chip = Chip::default();
        let image = chip.image(&photo, region)?;
        let crop = region.crop(chip.margin, photo.width, photo.height)?;
        let features = find(&image, device).await?;
        // Centres of pixels are at whole numbers: half a pixel is added before scaling, taken off after.
        let scale = |of: u32, to: usize| f64::from(of) / to as f64;
        let (x, y) = (
            scale(crop.width, features.size[0] as usize),
            scale(crop.height, features.size[1] as usize),
        );
        let begin = |of: u32, scale: f64| f64::from(of) + 0.5 * scale - 0.5;
        let offset = [begin(crop.left, x), begin(crop.top, y)];
        Ok(Self {
            seen: Some((photo, region)),
            features,
            to_photo: Transform::affine([x, 0.0, 0.0, y], offset),
        })
    }

    /// A fluke of which only the features were kept.
    pub fn kept(features: Features) -> Self {
        Self {
            seen: None,
            features,
            to_photo: Transform::affine([1.0, 0.0, 0.0, 1.0], [0.0, 0.0]),
        }
    }

    /// The photo; none where only the features were kept.
    pub fn photo(&self) -> Option<&Photo> {
        self.seen.as_ref().map(|(photo, _)| photo)
    }

    /// The features of the same fluke in a mirror; none where only the features were kept.
    ///
    /// # Errors
    /// As [`Fluke::look`].
    pub async fn mirrored(&self, device: &Device) -> Result<Option<Features>> {
        let Some((photo, region)) = &self.seen else {
            return Ok(None);
        };
        let image =
            Chip::default().image(&mirrored(photo), mirrored_region(*region, photo.width))?;
        Ok(Some(find(&image, device).await?))
    }
}

async fn find(image: &GrayImage, device: &Device) -> Result<Features> {
    features(image, &Options::default(), &Networks::default(), device).await
}

/// The photo as a mirror shows it.
fn mirrored(photo: &Photo) -> Photo {
    let rows = photo.pixels.chunks_exact(3 * photo.width.max(1) as usize);
    Photo {
        width: photo.width,
        height: photo.height,
        pixels: rows
            .flat_map(|row| row.chunks_exact(3).rev().flatten().copied())
            .collect(),
    }
}

/// The region of the same fluke there.
fn mirrored_region(region: Region, width: u32) -> Region {
    Region {
        x0: width as f32 - region.x1,
        x1: width as f32 - region.x0,
        ..region
    }
}
