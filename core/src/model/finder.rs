//! The fluke finder: a small network that proposes the fluke's box in a whole photo.

use alloc::vec;
use alloc::vec::Vec;
use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor, activation};
use serde::{Deserialize, Serialize};

use super::layer::{ConvNorm, ConvNormConfig};
use crate::Result;
use crate::photo::{Photo, Preprocessing, Region};

/// How often a photo is looked at, each time closer.
pub const LOOKS: usize = 3;
/// A fluke that takes less than this share of the width of what was seen is looked at again, with so much of its sides around it.
const SMALL: f32 = 0.65;
const AROUND: f32 = 0.2;

/// The finder's input and widths. Travels in the bundle's manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FinderConfig {
    /// Side of the square that a photo is squashed to, pixels.
    pub side: usize,
    /// Channels of each layer; every layer halves the map.
    pub channels: Vec<usize>,
}

impl Default for FinderConfig {
    fn default() -> Self {
        Self {
            side: 96,
            channels: vec![16, 32, 48, 64, 96],
        }
    }
}

impl FinderConfig {
    /// A finder with fresh weights, drawn from the device's seed.
    pub fn init(&self, device: &Device) -> Finder {
        let inputs = core::iter::once(1).chain(self.channels.iter().copied());
        let layers = inputs.zip(&self.channels).map(|(input, &output)| {
            ConvNormConfig {
                stride: 2,
                ..ConvNormConfig::new(input, output, 3)
            }
            .init(device)
        });
        let side = self
            .channels
            .iter()
            .fold(self.side, |side, _| side.div_ceil(2));
        let values = self.channels.last().copied().unwrap_or(1) * side * side;
        Finder {
            layers: layers.collect(),
            linear: LinearConfig::new(values, 4).init(device),
        }
    }

    /// The finder's input `[1, side, side]`: the part of the photo that is looked at, gray, squashed, in −1…1.
    ///
    /// # Errors
    /// [`crate::Error::Region`] when the photo has no pixel of it.
    pub fn input(&self, photo: &Photo, seen: Region) -> Result<Vec<f32>> {
        let side = self.side as u32;
        let as_it_is = Preprocessing {
            margin: 0.0,
            ..Preprocessing::imagenet(self.side, self.side)
        };
        let gray = as_it_is.gray(photo, seen)?.resize(side, side)?;
        Ok(gray
            .pixels
            .iter()
            .map(|&value| f32::from(value) / 127.5 - 1.0)
            .collect())
    }

    /// The region that four outputs stand for, in the part of a photo that was looked at.
    ///
    /// The outputs are left, top, right, bottom as shares of that part. `None` when they are no
    /// rectangle of at least a twentieth of each side: then nothing was found.
    pub fn region(&self, outputs: &[f32], seen: Region) -> Option<Region> {
        let &[left, top, right, bottom] = outputs else {
            return None;
        };
        let wide_enough = right - left >= 0.05 && bottom - top >= 0.05;
        let (w, h) = (seen.x1 - seen.x0, seen.y1 - seen.y0);
        wide_enough.then_some(Region {
            x0: seen.x0 + left * w,
            y0: seen.y0 + top * h,
            x1: seen.x0 + right * w,
            y1: seen.y0 + bottom * h,
        })
    }

    /// What to look at again, closer, where a fluke was found in what was `seen` of a photo of `width` x `height` pixels: the region and as
    /// much around it as a fluke needs to be told from. `None` where that is most of what was seen.
    pub fn closer(found: Region, seen: Region, (width, height): (u32, u32)) -> Option<Region> {
        let small = found.x1 - found.x0 < SMALL * (seen.x1 - seen.x0);
        let crop = found.crop(AROUND, width, height).ok()?;
        small.then_some(Region {
            x0: crop.left as f32,
            y0: crop.top as f32,
            x1: (crop.left + crop.width) as f32,
            y1: (crop.top + crop.height) as f32,
        })
    }
}

/// Strided convolutions and a linear layer.
#[derive(Module, Debug)]
pub struct Finder {
    layers: Vec<ConvNorm>,
    linear: Linear,
}

impl Finder {
    /// `[batch, 1, side, side]` to left, top, right, bottom as shares of the photo, `[batch, 4]`,
    /// each in 0…1.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<2> {
        let map = self.layers.iter().fold(input, |x, layer| layer.forward(x));
        activation::sigmoid(self.linear.forward(map.flatten(1, 3)))
    }

    /// The same function in evaluation, batch norms folded.
    #[must_use]
    pub fn fold(self) -> Self {
        Self {
            layers: self.layers.into_iter().map(ConvNorm::fold).collect(),
            linear: self.linear,
        }
    }
}
