//! Photos are checked before training starts: there, of a known format, and whole.
//!
//! Decoding 25,000 photos takes minutes, so this reads every file, decodes its header alone and
//! looks for the mark that ends it. A picture broken in the middle shows when it is decoded.

use image::{ImageDecoder, ImageFormat, ImageReader};
use rayon::prelude::*;
use std::io::{Cursor, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// The size of an upright photo, in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
}

/// What is wrong with a photo's file. Reads on after the photo's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PhotoProblem {
    /// There is no such file.
    #[error("is missing; add the file or remove the row")]
    Missing,
    /// The file has no bytes.
    #[error("is empty; copy it again")]
    Empty,
    /// The file ends before the picture does.
    #[error("is cut short: its end is missing; copy it again")]
    Truncated,
    /// The file is no picture that can be read.
    #[error("cannot be decoded ({reason}); save it as JPEG, PNG or WebP")]
    Undecodable {
        /// What the decoder says.
        reason: String,
    },
    /// The system refuses to read the file.
    #[error("cannot be read: {reason}")]
    Unreadable {
        /// What the system says.
        reason: String,
    },
}

/// Checks photos in parallel; the answers are in the order of `paths`.
///
/// `progress` is told how many of how many are done, from several threads, each number once but not
/// always in order. At most one file a thread is held in memory.
pub fn check_photos(
    paths: &[PathBuf],
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Vec<Result<Size, PhotoProblem>> {
    let done = AtomicUsize::new(0);
    let check = |path: &PathBuf| {
        let checked = check_photo(path);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, paths.len());
        checked
    };
    paths.par_iter().map(check).collect()
}

/// The upright size of the photo at `path`.
///
/// # Errors
/// [`PhotoProblem`] when the file is missing, empty, cut short or not a JPEG, PNG or WebP.
pub fn check_photo(path: &Path) -> Result<Size, PhotoProblem> {
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => PhotoProblem::Missing,
        _ => PhotoProblem::Unreadable {
            reason: error.to_string(),
        },
    })?;
    inspect(&bytes)
}

fn inspect(bytes: &[u8]) -> Result<Size, PhotoProblem> {
    let undecodable = |reason: &dyn ToString| PhotoProblem::Undecodable {
        reason: reason.to_string(),
    };
    if bytes.is_empty() {
        return Err(PhotoProblem::Empty);
    }
    let format = image::guess_format(bytes).map_err(|error| undecodable(&error))?;
    let whole = match format {
        ImageFormat::Jpeg => jpeg_is_whole(bytes),
        ImageFormat::Png => png_is_whole(bytes),
        ImageFormat::WebP => webp_is_whole(bytes),
        _ => return Err(undecodable(&format!("it is a {format:?} file"))),
    };
    if !whole {
        return Err(PhotoProblem::Truncated);
    }
    let mut decoder = ImageReader::with_format(Cursor::new(bytes), format)
        .into_decoder()
        .map_err(|error| undecodable(&error))?;
    let (width, height) = decoder.dimensions();
    let turned = decoder
        .orientation()
        .map_err(|error| undecodable(&error))?
        .to_exif()
        >= 5;
    match if turned {
        (height, width)
    } else {
        (width, height)
    } {
        (0, _) | (_, 0) => Err(undecodable(&"it has no pixels")),
        (width, height) => Ok(Size { width, height }),
    }
}

/// Segments before the first scan are skipped by their length, for an EXIF thumbnail is a JPEG with
/// an end mark of its own. Within a scan `FF` is followed by `00` or a restart mark, so the pair
/// `FF D9` is the end. What a camera appends after it does not matter.
fn jpeg_is_whole(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xDA;
    let mut at = 2;
    while let Some(&[0xFF, marker, high, low]) = bytes.get(at..at + 4) {
        if marker == 0xFF {
            at += 1; // a fill byte
            continue;
        }
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
        if marker == START_OF_SCAN {
            let scan = bytes.get(at..).unwrap_or_default();
            return scan.windows(2).rev().any(|pair| pair == [0xFF, 0xD9]);
        }
    }
    false
}

/// Chunks are length, type, data and checksum; the last is `IEND`.
fn png_is_whole(bytes: &[u8]) -> bool {
    let mut at = 8;
    while let Some(&[a, b, c, d, ref kind @ ..]) = bytes.get(at..at + 8) {
        let Some(next) = at.checked_add(12 + u32::from_be_bytes([a, b, c, d]) as usize) else {
            return false;
        };
        if kind == b"IEND" {
            return next <= bytes.len();
        }
        at = next;
    }
    false
}

/// The container says how many bytes follow its first eight.
fn webp_is_whole(bytes: &[u8]) -> bool {
    match bytes.get(4..8) {
        Some(&[a, b, c, d]) => {
            u64::from(u32::from_le_bytes([a, b, c, d])) + 8 <= bytes.len() as u64
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::fixture::{picture, with_exif};

    const FORMATS: [ImageFormat; 3] = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP];

    #[test]
    fn a_whole_photo_has_its_size() {
        for format in FORMATS {
            let bytes = picture(40, 20, format);
            assert_eq!(
                inspect(&bytes),
                Ok(Size {
                    width: 40,
                    height: 20
                }),
                "{format:?}"
            );
        }
    }

    #[test]
    fn every_cut_is_noticed() {
        for format in FORMATS {
            let bytes = picture(40, 20, format);
            for length in 0..bytes.len() {
                assert!(
                    inspect(&bytes[..length]).is_err(),
                    "{format:?} cut to {length} bytes"
                );
            }
        }
    }

    #[test]
    fn a_cut_in_the_picture_is_called_a_cut() {
        for format in FORMATS {
            let bytes = picture(40, 20, format);
            assert_eq!(
                inspect(&bytes[..bytes.len() - 6]),
                Err(PhotoProblem::Truncated),
                "{format:?}"
            );
        }
    }

    #[test]
    fn the_end_of_a_thumbnail_is_not_the_end_of_the_photo() {
        let thumbnail = picture(8, 4, ImageFormat::Jpeg);
        let bytes = with_exif(&picture(40, 20, ImageFormat::Jpeg), &thumbnail);
        assert_eq!(
            inspect(&bytes),
            Ok(Size {
                width: 40,
                height: 20
            })
        );
        assert_eq!(
            inspect(&bytes[..bytes.len() - 6]),
            Err(PhotoProblem::Truncated)
        );
    }

    #[test]
    fn the_size_is_that_of_the_upright_photo() {
        // TIFF header, one entry: orientation (0x0112), short, one value, 6 = turn a quarter right.
        let quarter_turn = [
            b"Exif\0\0II*\0".as_slice(),
            &[
                8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0,
            ],
        ];
        let bytes = with_exif(&picture(40, 20, ImageFormat::Jpeg), &quarter_turn.concat());
        assert_eq!(
            inspect(&bytes),
            Ok(Size {
                width: 20,
                height: 40
            })
        );
    }

    #[test]
    fn what_a_camera_appends_does_not_matter() {
        let mut bytes = picture(40, 20, ImageFormat::Jpeg);
        bytes.extend_from_slice(&[7; 100_000]);
        assert!(inspect(&bytes).is_ok());
    }

    #[test]
    fn what_is_no_picture_is_said_to_be_none() {
        for bytes in [b"hello, whale".as_slice(), b"GIF89a\x01\0\x01\0\0\0\0;"] {
            assert!(matches!(
                inspect(bytes),
                Err(PhotoProblem::Undecodable { .. })
            ));
        }
        assert_eq!(inspect(b""), Err(PhotoProblem::Empty));
    }

    #[test]
    fn answers_keep_the_order_and_progress_counts_each_photo() {
        let folder = tempfile::tempdir().unwrap();
        let path = |n: u32| folder.path().join(format!("{n}.png"));
        for n in 1..=8 {
            std::fs::write(path(n), picture(n, 1, ImageFormat::Png)).unwrap();
        }
        let seen = std::sync::Mutex::new(Vec::new());
        let paths: Vec<PathBuf> = (1..=9).map(path).collect();
        let checked = check_photos(&paths, &|done, of| seen.lock().unwrap().push((done, of)));
        let widths: Vec<u32> = checked[..8]
            .iter()
            .map(|size| size.as_ref().unwrap().width)
            .collect();
        assert_eq!(widths, [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(checked[8], Err(PhotoProblem::Missing));
        let mut seen = seen.into_inner().unwrap();
        seen.sort_unstable();
        assert_eq!(seen, (1..=9).map(|done| (done, 9)).collect::<Vec<_>>());
    }
}
