//! AffNet: the affine shape of a piece of skin (Mishkin et al., 2018).

use alloc::string::ToString;
use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};

use super::trunk::{LAST, Trunk, load};
use crate::Result;

/// A shape whose eigenvalues are this far apart is a mistake.
const MOST_ELONGATED: f32 = 6.0;

/// The network that says how a patch has to be stretched so that it looks the same from other sides.
#[derive(Module, Debug)]
pub struct AffNet {
    trunk: Trunk,
    last: Conv2d,
}

impl AffNet {
    /// A network with fresh weights.
    pub fn init(device: &Device) -> Self {
        Self {
            trunk: Trunk::new([16, 16, 32, 32, 64, 64], device),
            last: Conv2dConfig::new([64, 3], [8, 8])
                .with_padding(PaddingConfig2d::Valid)
                .init(device),
        }
    }

    /// The network of a safetensors file, `file` in messages, with the published names or ours, ready to
    /// be used.
    ///
    /// # Errors
    /// [`crate::Error::Bundle`] when it is none, [`crate::Error::Tensor`] for the first tensor that is
    /// missing or does not fit.
    pub fn load(file: &str, bytes: &[u8], device: &Device) -> Result<Self> {
        let mut names = Trunk::names();
        for part in ["weight", "bias"] {
            names.push([
                alloc::format!("features.{LAST}.{part}"),
                "last.".to_string() + part,
            ]);
        }
        Ok(load(Self::init(device), &names, file, bytes)?.fold())
    }

    /// The same function in evaluation with the norms in the convolutions.
    #[must_use]
    pub fn fold(self) -> Self {
        Self {
            trunk: self.trunk.fold(),
            ..self
        }
    }

    /// Normalised patches `[batch, 1, 32, 32]` to t `[batch, 3]`, -1 to 1.
    pub fn forward(&self, patches: Tensor<4>) -> Tensor<2> {
        let t = self.last.forward(self.trunk.forward(patches)).tanh();
        let batch = t.dims()[0];
        t.reshape([batch, 3])
    }
}

/// The upright shape of determinant 1, `[a11, 0, a21, a22]`, for what the network says of a patch.
pub(super) fn upright_shape(t: [f32; 3]) -> [f32; 4] {
    let (a11, a12, a21, a22) = (1.0 + t[0], 0.0, t[1], 1.0 + t[2]);
    let det = libm::sqrtf((a11 * a22 - a12 * a21).abs() + 1e-10);
    let b = libm::sqrtf(a11 * a11 + a12 * a12);
    [b / det, 0.0, (a22 * a12 + a21 * a11) / (b * det), det / b]
}

/// Whether an upright shape's eigenvalues, which are its diagonal, are too far apart, or no numbers.
pub(super) fn is_too_long(shape: [f32; 4]) -> bool {
    let ratio = shape[0] / shape[3];
    let allowed = ratio < MOST_ELONGATED && ratio > 1.0 / MOST_ELONGATED;
    !(allowed && shape.iter().all(|value| value.is_finite()))
}

/// `shape` within `frame`: the product A · A_aff of the 2 x 2 matrices.
pub(super) fn product([a, b, c, d]: [f32; 4], [e, f, g, h]: [f32; 4]) -> [f32; 4] {
    [a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h]
}
