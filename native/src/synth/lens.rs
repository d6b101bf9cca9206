//! From light to file: blur, exposure, contrast, colour cast, noise.

use image::{Rgb, RgbImage};

use super::camera::Frame;
use super::dice::Dice;
use super::noise::{bump, hash, mix};

/// The camera's share in a photo.
#[derive(Debug, Clone)]
pub(super) struct Lens {
    exposure: f32,
    contrast: f32,
    black_level: f32,
    /// Gain of red, green and blue.
    cast: [f32; 3],
    /// Standard deviation of the blur, in pixels.
    defocus: f32,
    /// Path of the camera while the shutter is open, in pixels.
    shake: (f32, f32),
    grain: f32,
    grain_seed: u32,
    pub(super) gray: bool,
    /// JPEG quality, 1 to 100.
    pub(super) quality: u8,
}

impl Lens {
    pub(super) fn random(dice: &mut Dice, frame: Frame) -> Self {
        let warmth = dice.bell(0.0, 0.07);
        let pixel = frame.width as f32 / 640.0;
        let shake = if dice.chance(0.15) {
            dice.between(1.0, 6.0) * pixel
        } else {
            0.0
        };
        let angle = dice.between(0.0, core::f32::consts::PI);
        Self {
            exposure: dice.bell(1.15, 0.3).clamp(0.45, 2.2),
            contrast: if dice.chance(0.12) {
                dice.between(1.4, 2.0)
            } else {
                dice.between(0.75, 1.3)
            },
            black_level: dice.between(0.0, 0.12) * dice.between(0.0, 1.0),
            cast: [1.0 + warmth, 1.0, 1.0 - warmth],
            defocus: if dice.chance(0.3) {
                dice.between(0.8, 2.2) * pixel
            } else {
                dice.between(0.25, 0.8) * pixel
            },
            shake: (libm::cosf(angle) * shake, libm::sinf(angle) * shake),
            grain: dice.between(0.0, 0.035) * dice.between(0.2, 1.0),
            grain_seed: dice.bits(),
            gray: dice.chance(0.35),
            quality: 60 + dice.upto(35) as u8,
        }
    }

    /// Takes the photo: linear colours in, pixels of a file out.
    pub(super) fn expose(&self, mut light: Vec<[f32; 3]>, frame: Frame) -> RgbImage {
        shaken(&mut light, frame, self.shake);
        blurred(&mut light, frame, self.defocus);
        let mut photo = RgbImage::new(frame.width, frame.height);
        for (index, (pixel, linear)) in photo.pixels_mut().zip(&light).enumerate() {
            *pixel = Rgb(self.develop(*linear, index as u32));
        }
        photo
    }

    fn develop(&self, linear: [f32; 3], index: u32) -> [u8; 3] {
        let mut colour = [0, 1, 2].map(|i| self.tone(linear[i] * self.cast[i]));
        if self.gray {
            colour = [0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]; 3];
        }
        let [luma, chroma] = grain(self.grain_seed ^ index);
        let chroma = if self.gray { 0.0 } else { 0.5 * chroma };
        let grain = [luma + chroma, luma, luma - chroma].map(|grain| self.grain * grain);
        [0, 1, 2].map(|i| ((colour[i] + grain[i]).clamp(0.0, 1.0) * 255.0 + 0.5) as u8)
    }

    /// A film-like curve: a square root for gamma, contrast about middle gray, a soft shoulder.
    fn tone(&self, linear: f32) -> f32 {
        let shown = (linear * self.exposure).max(0.0).sqrt();
        let stretched = mix(0.45, shown, self.contrast);
        let soft = if stretched > 0.8 {
            0.8 + (stretched - 0.8) / (1.0 + 1.6 * (stretched - 0.8))
        } else {
            stretched
        };
        self.black_level + (1.0 - self.black_level) * soft.max(0.0)
    }
}

/// Two independent noises of deviation 1 for one number, each the sum of two random bytes.
fn grain(key: u32) -> [f32; 2] {
    let [a, b, c, d] = hash(key).to_le_bytes().map(f32::from);
    [a + b, c + d].map(|sum| (sum - 255.0) / 104.5)
}

/// Averages along a short straight path.
fn shaken(picture: &mut Vec<[f32; 3]>, frame: Frame, path: (f32, f32)) {
    let taps = path.0.abs().max(path.1.abs()).ceil() as i32 + 1;
    if taps < 2 {
        return;
    }
    let (width, height) = (frame.width as i32, frame.height as i32);
    let offsets: Vec<(i32, i32)> = (0..taps)
        .map(|tap| tap as f32 / (taps - 1) as f32 - 0.5)
        .map(|t| {
            (
                libm::roundf(path.0 * t) as i32,
                libm::roundf(path.1 * t) as i32,
            )
        })
        .collect();
    let mut moved = Vec::with_capacity(picture.len());
    for y in 0..height {
        for x in 0..width {
            let mut sum = [0.0; 3];
            for &(dx, dy) in &offsets {
                let (x, y) = ((x + dx).clamp(0, width - 1), (y + dy).clamp(0, height - 1));
                let from = picture[(y * width + x) as usize];
                for (part, total) in from.into_iter().zip(&mut sum) {
                    *total += part;
                }
            }
            moved.push(sum.map(|part| part / taps as f32));
        }
    }
    *picture = moved;
}

/// A Gaussian blur, first along rows, then along columns.
fn blurred(picture: &mut [[f32; 3]], frame: Frame, deviation: f32) {
    if deviation < 0.2 {
        return;
    }
    let kernel = bell_kernel(deviation);
    let reach = kernel.len() / 2;
    let width = frame.width as usize;
    let mut padded = Vec::new();
    for row in picture.chunks_exact_mut(width) {
        padded.clear();
        padded.extend(std::iter::repeat_n(row[0], reach));
        padded.extend_from_slice(row);
        padded.extend(std::iter::repeat_n(row[width - 1], reach));
        for (pixel, around) in row.iter_mut().zip(padded.windows(kernel.len())) {
            *pixel = [0.0; 3];
            for (from, weight) in around.iter().zip(&kernel) {
                add(pixel, from, *weight);
            }
        }
    }
    let source = picture.to_vec();
    let rows: Vec<&[[f32; 3]]> = source.chunks_exact(width).collect();
    for (y, row) in picture.chunks_exact_mut(width).enumerate() {
        row.fill([0.0; 3]);
        for (offset, weight) in kernel.iter().enumerate() {
            let from = rows[(y + offset).saturating_sub(reach).min(rows.len() - 1)];
            row.iter_mut()
                .zip(from)
                .for_each(|(pixel, from)| add(pixel, from, *weight));
        }
    }
}

fn add(sum: &mut [f32; 3], part: &[f32; 3], weight: f32) {
    for (total, part) in sum.iter_mut().zip(part) {
        *total += weight * part;
    }
}

/// Weights of a Gaussian out to two and a half deviations, of sum 1.
fn bell_kernel(deviation: f32) -> Vec<f32> {
    let reach = (2.5 * deviation) as i32 + 1;
    let weights: Vec<f32> = (-reach..=reach)
        .map(|i| bump(i as f32, deviation * core::f32::consts::SQRT_2))
        .collect();
    let total: f32 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / total).collect()
}
