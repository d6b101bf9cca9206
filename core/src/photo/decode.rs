//! Bytes to pixels.

use super::Photo;
use crate::{Error, Result};
use alloc::string::ToString;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::io::Cursor;

/// The longest side that is read. Larger than any camera's, small enough for a phone's memory.
const LONGEST_SIDE: u32 = 20_000;
/// The most memory a decoder may take.
const MOST_BYTES: u64 = 512 * 1024 * 1024;

impl Photo {
    /// Decodes a JPEG, PNG or WebP and turns it upright by its EXIF orientation.
    ///
    /// # Errors
    /// [`Error::Photo`] when the bytes are none of these or broken, [`Error::PhotoTruncated`] when
    /// a JPEG's picture ends early (decoders fill the rest with gray, which would look like an
    /// answerable photo).
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let unreadable = |error: &dyn core::fmt::Display| Error::Photo {
            reason: error.to_string(),
        };
        let mut reader = ImageReader::new(Cursor::new(bytes))
            .with_guessed_format()
            .map_err(|error| unreadable(&error))?;
        let format = reader
            .format()
            .filter(|format| {
                matches!(
                    format,
                    ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP
                )
            })
            .ok_or_else(|| unreadable(&"the format is not known"))?;
        if format == ImageFormat::Jpeg && !jpeg_is_whole(bytes) {
            return Err(Error::PhotoTruncated);
        }
        let mut limits = Limits::default();
        limits.max_image_width = Some(LONGEST_SIDE);
        limits.max_image_height = Some(LONGEST_SIDE);
        limits.max_alloc = Some(MOST_BYTES);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(|error| unreadable(&error))?;
        let orientation = decoder.orientation().map_err(|error| unreadable(&error))?;
        let mut image = DynamicImage::from_decoder(decoder).map_err(|error| unreadable(&error))?;
        image.apply_orientation(orientation);
        let image = image.into_rgb8();
        if image.width() == 0 || image.height() == 0 {
            return Err(unreadable(&"it has no pixels"));
        }
        Ok(Self {
            width: image.width(),
            height: image.height(),
            pixels: image.into_raw(),
        })
    }
}

/// Whether the scan of a JPEG is closed by its end marker.
///
/// Segments are skipped by their lengths up to the first scan, so that the end of a thumbnail
/// inside the EXIF segment does not count; what follows the end marker (a camera's trailer) may be
/// anything. In entropy-coded data `FF` is always followed by `00` or a restart marker.
fn jpeg_is_whole(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xDA;
    let mut at = 2;
    while let [0xFF, marker, high, low] = bytes.get(at..at + 4).unwrap_or_default() {
        if *marker == START_OF_SCAN {
            return bytes[at..].windows(2).any(|pair| pair == [0xFF, 0xD9]);
        }
        let padding_or_standalone = matches!(*marker, 0xFF | 0x01 | 0xD0..=0xD8);
        at += match (*marker, padding_or_standalone) {
            (0xFF, _) => 1,
            (_, true) => 2,
            _ => 2 + usize::from(u16::from_be_bytes([*high, *low])),
        };
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use image::{ImageEncoder, Rgb, RgbImage};

    fn picture() -> RgbImage {
        RgbImage::from_fn(40, 20, |x, y| Rgb([(x * 6) as u8, (y * 12) as u8, 90]))
    }

    fn encoded(format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        picture().write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn reads_the_three_formats() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let photo = Photo::decode(&encoded(format)).unwrap();
            assert_eq!(
                (photo.width, photo.height, photo.pixels.len()),
                (40, 20, 2400),
                "{format:?}"
            );
        }
    }

    #[test]
    fn turns_a_photo_upright_by_its_orientation() {
        // TIFF header, one entry: orientation (0x0112) = 6, "rotate 90 degrees clockwise".
        let exif: &[u8] = &[
            b'I', b'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0,
        ];
        let mut bytes = Vec::new();
        let mut encoder = image::codecs::png::PngEncoder::new(&mut bytes);
        encoder.set_exif_metadata(exif.to_vec()).unwrap();
        encoder
            .write_image(&picture(), 40, 20, image::ExtendedColorType::Rgb8)
            .unwrap();
        let photo = Photo::decode(&bytes).unwrap();
        assert_eq!((photo.width, photo.height), (20, 40));
        // The top left corner of the upright photo is the bottom left corner of the stored one.
        assert_eq!(photo.pixels[..3], picture().get_pixel(0, 19).0);
    }

    #[test]
    fn refuses_what_is_cut_short_at_every_length() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let whole = encoded(format);
            for length in 0..whole.len() - 12 {
                assert!(
                    Photo::decode(&whole[..length]).is_err(),
                    "{format:?} cut to {length}"
                );
            }
        }
    }

    #[test]
    fn a_trailer_behind_the_end_of_a_jpeg_is_allowed() {
        let mut bytes = encoded(ImageFormat::Jpeg);
        bytes.extend_from_slice(b"a camera's own notes");
        assert!(Photo::decode(&bytes).is_ok());
    }

    #[test]
    fn refuses_what_is_no_photo() {
        for bytes in [&b""[..], b"GIF89a", b"hello, whale", &[0xFF, 0xD8, 0xFF]] {
            assert!(Photo::decode(bytes).is_err());
        }
    }
}
