//! OriNet: which way a piece of skin is turned (Mishkin et al., 2018).

use alloc::string::ToString;
use burn::module::Module;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::tensor::{Device, Tensor};

use super::trunk::{LAST, Trunk, load};
use crate::Result;

/// The network that says by which angle a patch is turned.
#[derive(Module, Debug)]
pub struct OriNet {
    trunk: Trunk,
    last: Conv2d,
}

impl OriNet {
    /// A network with fresh weights.
    pub fn init(device: &Device) -> Self {
        Self {
            trunk: Trunk::new([16, 16, 32, 32, 64, 64], device),
            last: Conv2dConfig::new([64, 2], [8, 8])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(device),
        }
    }

    /// The network of a safetensors file, as [`super::AffNet::load`].
    ///
    /// # Errors
    /// As there.
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

    /// Normalised patches `[batch, 1, 32, 32]` to o `[batch, 2]`, -1 to 1: sine and cosine of the angle,
    /// up to a factor.
    pub fn forward(&self, patches: Tensor<4>) -> Tensor<2> {
        let map = self.last.forward(self.trunk.forward(patches)).tanh();
        let [batch, channels, height, width] = map.dims();
        let map: Tensor<3> = map.reshape([batch, channels, height * width]);
        map.mean_dim(2).reshape([batch, channels])
    }
}

/// The angle for what the network says of a patch, radians.
pub(super) fn angle(o: [f32; 2]) -> f32 {
    libm::atan2f(o[0] + 1e-8, o[1] + 1e-8)
}

/// `[[cos, sin], [−sin, cos]]`, by which a frame's shape is multiplied from the right.
pub(super) fn turn(angle: f32) -> [f32; 4] {
    let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
    [cos, sin, -sin, cos]
}
