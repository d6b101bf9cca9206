//! Small pictures inside the page, made from photos on this disk.

use super::super::mistakes::Shown;
use crate::export::{MARGIN, small_picture};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Longest width and height, pixels.
const SIZE: (u32, u32) = (360, 180);

/// A `data:` URI of the fluke as a small JPEG; none where the photo is not on this disk or cannot be
/// read: a report of scores does not fail for a picture.
pub(super) fn data_uri(shown: &Shown) -> Option<String> {
    let jpeg = small_picture(shown.path.as_deref()?, shown.region, MARGIN, SIZE).ok()?;
    Some(format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg)))
}
