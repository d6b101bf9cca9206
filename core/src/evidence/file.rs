//! The keypoints and descriptors of one photo as a file, at most 48 KiB.
//!
//! All numbers are little-endian:
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `FLUKEKEY` |
//! | 2 | version, 1 |
//! | 2 | keypoints, n |
//! | 4 + 4 | width and height of the image that the positions count in |
//! | 8 | the first 8 bytes of the SHA-256 of everything else |
//! | n · 14 | a keypoint: centre x and y as shares of width and height, 16-bit from -1/4 to 5/4; shape a11, a12, a21, a22 in pixels and response, half precision |
//! | n · 128 | the descriptors |

#[cfg(test)]
mod tests;

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use half::f16;
use sha2::{Digest, Sha256};

use super::{DESCRIPTOR, Features, Frame, Keypoint};
use crate::{Error, Result};

/// The most that a file may have, bytes.
pub const LARGEST_FILE: usize = 48 * 1024;

/// How a file begins.
pub const MAGIC: &[u8; 8] = b"FLUKEKEY";
/// What the name of a file ends with, after a dot.
pub const ENDING: &str = "keypoints";

const VERSION: u16 = 1;
const HEADER: usize = 28;
const HASH: core::ops::Range<usize> = 20..28;
const KEYPOINT: usize = 14;

/// The keypoints that a file has room for.
pub const MOST_KEYPOINTS: usize = (LARGEST_FILE - HEADER) / (KEYPOINT + DESCRIPTOR);

/// The most keypoints that files of so many bytes in all can have.
pub fn keypoints_in(bytes: u64) -> usize {
    usize::try_from(bytes / (KEYPOINT + DESCRIPTOR) as u64).unwrap_or(usize::MAX)
}

/// Centres are kept from `-MARGIN` to 1 + `MARGIN` of a side: refined ones can leave the image.
const MARGIN: f32 = 0.25;

/// The file of `features`: the first [`MOST_KEYPOINTS`] of them, which are the strongest. Centres come
/// back to 1/43,000 of the image's side, shapes and responses to 1/2,000 of themselves.
pub fn encode(features: &Features) -> Vec<u8> {
    let (descriptors, _) = features.descriptors.as_chunks::<DESCRIPTOR>();
    let count = features
        .keypoints
        .len()
        .min(descriptors.len())
        .min(MOST_KEYPOINTS);
    let mut bytes = Vec::with_capacity(HEADER + count * (KEYPOINT + DESCRIPTOR));
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    bytes.extend_from_slice(&(count as u16).to_le_bytes());
    for side in features.size {
        bytes.extend_from_slice(&side.to_le_bytes());
    }
    bytes.extend_from_slice(&[0; HASH.end - HASH.start]);
    for keypoint in &features.keypoints[..count] {
        for (value, side) in keypoint.frame.center.into_iter().zip(features.size) {
            bytes.extend_from_slice(&to_share(value, side).to_le_bytes());
        }
        for value in keypoint.frame.shape.into_iter().chain([keypoint.response]) {
            // Beyond half precision's range it is the largest that it has: never infinite.
            let value = value.clamp(f16::MIN.to_f32(), f16::MAX.to_f32());
            bytes.extend_from_slice(&f16::from_f32(value).to_le_bytes());
        }
    }
    let codes = descriptors[..count].as_flattened();
    bytes.extend(codes.iter().map(|&code| code as u8));
    let hash = hash(&bytes);
    bytes[HASH].copy_from_slice(&hash);
    bytes
}

/// `features` as a file keeps them: of another photo's, which come from a file, they then differ in the
/// photo alone.
///
/// # Errors
/// None: what [`encode`] writes can be read.
pub fn kept(features: &Features) -> Result<Features> {
    decode("the photo", &encode(features))
}

/// The features in the bytes of `file`.
///
/// # Errors
/// When the bytes are not what [`encode`] wrote, naming the file.
pub fn decode(file: &str, bytes: &[u8]) -> Result<Features> {
    read(bytes).map_err(|reason| Error::Evidence {
        file: String::from(file),
        reason,
    })
}

fn read(bytes: &[u8]) -> core::result::Result<Features, String> {
    let foreign = || String::from("this is not a file of keypoints");
    let header: &[u8; HEADER] = bytes.first_chunk().ok_or_else(foreign)?;
    if !header.starts_with(MAGIC) {
        return Err(foreign());
    }
    let half = |at: usize| u16::from_le_bytes([header[at], header[at + 1]]);
    let word = |at: usize| u32::from(half(at)) | (u32::from(half(at + 2)) << 16);
    match half(8) {
        VERSION => {}
        version => {
            return Err(format!(
                "its version is {version}, this program reads version {VERSION}; update the program"
            ));
        }
    }
    let count = usize::from(half(10));
    let wanted = HEADER + count * (KEYPOINT + DESCRIPTOR);
    if bytes.len() != wanted || wanted > LARGEST_FILE {
        return Err(format!(
            "it has {} bytes, {count} keypoints take {wanted}; fetch it again",
            bytes.len()
        ));
    }
    if hash(bytes) != header[HASH] {
        return Err(String::from("its content is damaged; fetch it again"));
    }
    let size = [word(12), word(16)];
    let (keypoints, codes) = bytes[HEADER..].split_at(count * KEYPOINT);
    let (keypoints, _) = keypoints.as_chunks::<KEYPOINT>();
    Ok(Features {
        size,
        keypoints: keypoints
            .iter()
            .map(|keypoint| read_keypoint(keypoint, size))
            .collect(),
        descriptors: codes.iter().map(|&code| code as i8).collect(),
    })
}

fn read_keypoint(bytes: &[u8; KEYPOINT], [width, height]: [u32; 2]) -> Keypoint {
    let word = |index: usize| u16::from_le_bytes([bytes[2 * index], bytes[2 * index + 1]]);
    let half = |index: usize| f16::from_bits(word(index)).to_f32();
    Keypoint {
        frame: Frame {
            center: [from_share(word(0), width), from_share(word(1), height)],
            shape: [half(2), half(3), half(4), half(5)],
        },
        response: half(6),
    }
}

fn to_share(value: f32, side: u32) -> u16 {
    let share = (value / side.max(1) as f32 + MARGIN) / (1.0 + 2.0 * MARGIN);
    // A cast keeps to the ends of the range and takes what is not a number for 0.
    libm::roundf(share * f32::from(u16::MAX)) as u16
}

fn from_share(share: u16, side: u32) -> f32 {
    let share = f32::from(share) / f32::from(u16::MAX);
    (share * (1.0 + 2.0 * MARGIN) - MARGIN) * side.max(1) as f32
}

/// The hash of everything but itself.
fn hash(bytes: &[u8]) -> [u8; HASH.end - HASH.start] {
    let mut hasher = Sha256::new();
    hasher.update(&bytes[..HASH.start]);
    hasher.update(&bytes[HASH.end..]);
    let digest: [u8; 32] = hasher.finalize().into();
    let mut first = [0; HASH.end - HASH.start];
    first.copy_from_slice(&digest[..HASH.end - HASH.start]);
    first
}
