//! A small picture of every gallery photo, for the page to show beside a name.

use crate::data::Catalogue;
use crate::progress::Progress;
use crate::train::samples::decode_photo;
use crate::{Error, Result};
use flukeprint_core::bundle::{EvidenceFacts, FileEntry, GalleryPhoto, StaticFile};
use flukeprint_core::photo::{Photo, Region};
use image::codecs::jpeg::JpegEncoder;
use image::{RgbImage, imageops};
use rayon::prelude::*;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Longest width and height, pixels.
const SIZE: (u32, u32) = (240, 120);
/// JPEG quality, 1 to 100.
const QUALITY: u8 = 72;
/// Share of the box added on each side, where nothing is drawn over the picture.
pub(crate) const MARGIN: f32 = 0.05;

/// The same in a bundle: where it has keypoints its pictures show what they were found in, so that a
/// match can be drawn over them.
pub(crate) fn thumbnail_margin(evidence: Option<&EvidenceFacts>) -> f32 {
    evidence.map_or(MARGIN, |facts| facts.chip.margin)
}

/// Makes the pictures and notes them in `photos`; `margin` of the box is added on each side.
///
/// # Errors
/// A photo that cannot be read any more.
pub(super) fn add(
    catalogue: &Catalogue,
    photos: &mut [GalleryPhoto],
    margin: f32,
    progress: &dyn Progress,
) -> Result<Vec<StaticFile>> {
    let done = AtomicUsize::new(0);
    progress.begin("drawing thumbnails", photos.len());
    let pictures = catalogue.photos.par_iter().map(|entry| {
        let picture = small_picture(&entry.path, entry.region, margin, SIZE);
        progress.advance(done.fetch_add(1, Ordering::Relaxed) + 1);
        picture
    });
    let mut files = Vec::new();
    for (photo, bytes) in photos.iter_mut().zip(pictures.collect::<Result<Vec<_>>>()?) {
        let (entry, file) = named(bytes);
        files.push(file);
        photo.thumbnail = Some(entry);
    }
    Ok(files)
}

/// The small picture of a photo that is read already, which is at `path` (for messages).
///
/// # Errors
/// A region outside the photo, and an encoder that fails.
pub(crate) fn thumbnail(
    photo: Photo,
    region: Region,
    margin: f32,
    path: &Path,
) -> Result<(FileEntry, StaticFile)> {
    Ok(named(picture(photo, region, margin, SIZE, path)?))
}

/// A picture under the name of its hash.
fn named(bytes: Vec<u8>) -> (FileEntry, StaticFile) {
    let mut entry = FileEntry::of("", "jpg", &bytes);
    entry.path = format!("thumbnails/{}.jpg", &entry.sha256[..16]);
    let path = entry.path.clone();
    (entry, StaticFile { path, bytes })
}

/// The fluke of the photo in a file, or the whole of it, as a JPEG within a width and a height.
///
/// # Errors
/// A photo that cannot be read, a region that is not in it.
pub(crate) fn small_picture(
    path: &Path,
    region: Option<Region>,
    margin: f32,
    size: (u32, u32),
) -> Result<Vec<u8>> {
    let photo = decode_photo(path)?;
    let region = region.unwrap_or(Region::whole(photo.width, photo.height));
    picture(photo, region, margin, size, path)
}

fn picture(
    photo: Photo,
    region: Region,
    margin: f32,
    size: (u32, u32),
    path: &Path,
) -> Result<Vec<u8>> {
    let failed = |reason: String| Error::Photo {
        path: path.to_owned(),
        reason,
    };
    let crop = region.crop(margin, photo.width, photo.height)?;
    let picture = RgbImage::from_raw(photo.width, photo.height, photo.pixels)
        .ok_or_else(|| failed("its pixels do not fill it".to_owned()))?;
    let fluke =
        imageops::crop_imm(&picture, crop.left, crop.top, crop.width, crop.height).to_image();
    let scale = (size.0 as f32 / crop.width as f32)
        .min(size.1 as f32 / crop.height as f32)
        .min(1.0);
    let side = |pixels: u32| ((pixels as f32 * scale).round() as u32).max(1);
    let small = imageops::resize(
        &fluke,
        side(crop.width),
        side(crop.height),
        imageops::FilterType::Triangle,
    );
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode_image(&small)
        .map_err(|error| failed(error.to_string()))?;
    Ok(bytes)
}
