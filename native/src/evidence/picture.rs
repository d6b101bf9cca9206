//! Two photos side by side, with lines between what they share.

use crate::data::write_atomically;
use crate::{Error, Result};
use flukeprint_core::photo::Photo;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ImageEncoder, Rgb, RgbImage, imageops};
use std::path::Path;

/// The height of both photos in the picture, pixels.
const HEIGHT: u32 = 480;
/// The gap between them.
const GAP: u32 = 8;
/// A photo much wider than a fluke does not make the picture any wider.
const WIDEST: u32 = 2000;
/// JPEG's quality.
const QUALITY: u8 = 90;
/// How much of a line is its colour.
const OPACITY: f32 = 0.7;
/// Lines differ, so that the eye can follow one among many: hues of one lightness.
const COLOURS: [Rgb<u8>; 6] = [
    Rgb([255, 196, 0]),
    Rgb([0, 220, 120]),
    Rgb([80, 200, 255]),
    Rgb([255, 120, 90]),
    Rgb([210, 150, 255]),
    Rgb([230, 240, 80]),
];

/// What the picture is written as.
#[derive(Clone, Copy)]
enum Format {
    Png,
    Jpeg,
}

fn format(path: &Path) -> Result<Format> {
    let extension = path.extension().and_then(|extension| extension.to_str());
    match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("png") => Ok(Format::Png),
        Some("jpg" | "jpeg") => Ok(Format::Jpeg),
        _ => Err(Error::Setting {
            name: "--picture",
            value: path.display().to_string(),
            wanted: "a name that ends in .png, .jpg or .jpeg",
        }),
    }
}

/// Refuses a name whose ending is no format, before any work is done.
///
/// # Errors
/// [`Error::Setting`].
pub(crate) fn check_name(path: &Path) -> Result<()> {
    format(path).map(drop)
}

/// Writes both photos side by side with a line for every pair of points, in pixels of the photos, as
/// PNG or JPEG by the ending of `path`.
///
/// # Errors
/// [`Error::Setting`] for another ending, [`Error::Write`].
pub fn draw(photos: [&Photo; 2], pairs: &[[[f64; 2]; 2]], path: &Path) -> Result<()> {
    let format = format(path)?;
    let halves = photos.map(half);
    let left_width = halves[0].width();
    let width = left_width + GAP + halves[1].width();
    let mut picture = RgbImage::from_pixel(width, HEIGHT, Rgb([255, 255, 255]));
    for (half, left) in halves.iter().zip([0, left_width + GAP]) {
        imageops::replace(&mut picture, half, i64::from(left), 0);
    }
    for (pair, colour) in pairs.iter().zip(COLOURS.iter().cycle()) {
        let [from, to] = [0, 1].map(|side| {
            let (photo, half) = (photos[side], &halves[side]);
            let [x, y] = pair[side];
            let scale = |of: u32, to: u32| f64::from(to) / f64::from(of);
            [
                x * scale(photo.width, half.width()),
                y * scale(photo.height, half.height()),
            ]
        });
        let to = [to[0] + f64::from(left_width + GAP), to[1]];
        line(&mut picture, from, to, *colour);
        dot(&mut picture, from, *colour);
        dot(&mut picture, to, *colour);
    }
    write_atomically(path, &encoded(&picture, format, path)?)
}

/// A photo as high as the picture.
fn half(photo: &Photo) -> RgbImage {
    let whole = RgbImage::from_raw(photo.width, photo.height, photo.pixels.clone())
        .unwrap_or_else(|| RgbImage::new(1, 1));
    let width = f64::from(HEIGHT) * f64::from(photo.width) / f64::from(photo.height.max(1));
    let width = (width.round() as u32).clamp(1, WIDEST);
    imageops::resize(&whole, width, HEIGHT, imageops::FilterType::Triangle)
}

/// A straight line, a pixel wide, that lets the photo shine through.
fn line(picture: &mut RgbImage, from: [f64; 2], to: [f64; 2], colour: Rgb<u8>) {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let steps = dx.abs().max(dy.abs()).ceil().clamp(1.0, 1e5);
    for step in 0..=steps as u32 {
        let t = f64::from(step) / steps;
        blend(
            picture,
            [from[0] + t * dx, from[1] + t * dy],
            colour,
            OPACITY,
        );
    }
}

/// A square of 5 pixels.
fn dot(picture: &mut RgbImage, [x, y]: [f64; 2], colour: Rgb<u8>) {
    for dy in -2..=2 {
        for dx in -2..=2 {
            blend(picture, [x + f64::from(dx), y + f64::from(dy)], colour, 1.0);
        }
    }
}

fn blend(picture: &mut RgbImage, [x, y]: [f64; 2], colour: Rgb<u8>, opacity: f32) {
    let (x, y) = (x.round(), y.round());
    if x < 0.0 || y < 0.0 {
        return;
    }
    if let Some(pixel) = picture.get_pixel_mut_checked(x as u32, y as u32) {
        for (value, colour) in pixel.0.iter_mut().zip(colour.0) {
            let mixed = f32::from(*value) * (1.0 - opacity) + f32::from(colour) * opacity;
            *value = mixed.round() as u8;
        }
    }
}

fn encoded(picture: &RgbImage, format: Format, path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let (width, height) = picture.dimensions();
    let colour = image::ExtendedColorType::Rgb8;
    let written = match format {
        Format::Png => PngEncoder::new(&mut bytes).write_image(picture, width, height, colour),
        Format::Jpeg => JpegEncoder::new_with_quality(&mut bytes, QUALITY)
            .write_image(picture, width, height, colour),
    };
    written.map_err(|error| Error::Write {
        path: path.to_owned(),
        source: std::io::Error::other(error),
    })?;
    Ok(bytes)
}
