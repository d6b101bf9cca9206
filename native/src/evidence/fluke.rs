//! The fluke of one photo, with its local features.

use burn::tensor::Device;
use flukeprint_core::Result;
use flukeprint_core::evidence::geometry::Transform;
use flukeprint_core::evidence::{Chip, Features, GrayImage, Networks, Options, features};
use flukeprint_core::photo::{Photo, Region};

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
        let features = find(&image, device).await?;
        let to_photo = chip.to_photo(region, [photo.width, photo.height], features.size)?;
        Ok(Self {
            seen: Some((photo, region)),
            features,
            to_photo,
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
