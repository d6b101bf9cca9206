//! HardNet: a network that describes a patch (Mishchuk et al., 2017).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::DESCRIPTOR;
use super::trunk::{LAST, Trunk, load};
use crate::Result;
use crate::model::layer::{Activation, ConvNorm, ConvNormConfig};

/// The network.
#[derive(Module, Debug)]
pub struct HardNet {
    trunk: Trunk,
    last: ConvNorm,
}

impl HardNet {
    /// A network with fresh weights. Its norms' scale and shift are 1 and 0 and are to stay so: the
    /// published network has none.
    pub fn init(device: &Device) -> Self {
        let last = ConvNormConfig {
            kernel: [8, 8],
            padding: [0, 0],
            activation: Activation::Linear,
            ..ConvNormConfig::new(128, DESCRIPTOR, 1)
        };
        Self {
            trunk: Trunk::new([32, 32, 64, 64, 128, 128], device),
            last: last.init(device),
        }
    }

    /// The network of a safetensors file, as [`super::AffNet::load`].
    ///
    /// # Errors
    /// As there.
    pub fn load(file: &str, bytes: &[u8], device: &Device) -> Result<Self> {
        let names = Self::names();
        Ok(load(Self::init(device), &names, file, bytes)?.fold())
    }

    /// The names of the published network's tensors, without counters.
    pub fn published_names() -> Vec<String> {
        let names = Self::names().into_iter();
        names.map(|[theirs, _]| theirs).collect()
    }

    /// The published names with ours.
    fn names() -> Vec<[String; 2]> {
        let mut names = Trunk::names();
        names.push([
            format!("features.{LAST}.weight"),
            "last.conv.weight".to_string(),
        ]);
        for part in ["running_mean", "running_var"] {
            names.push([
                format!("features.{}.{part}", LAST + 1),
                format!("last.norm.{part}"),
            ]);
        }
        names
    }

    /// The same function in evaluation with the norms in the convolutions.
    #[must_use]
    pub fn fold(self) -> Self {
        Self {
            trunk: self.trunk.fold(),
            last: self.last.fold(),
        }
    }

    /// Normalised patches `[batch, 1, 32, 32]` to descriptors of unit length, `[batch, 128]`.
    pub fn forward(&self, patches: Tensor<4>) -> Tensor<2> {
        self.forward_with(patches, |map| map)
    }

    /// As [`HardNet::forward`], with what training puts before the last layer: a dropout.
    pub fn forward_with(
        &self,
        patches: Tensor<4>,
        before_last: impl FnOnce(Tensor<4>) -> Tensor<4>,
    ) -> Tensor<2> {
        let values = self.last.forward(before_last(self.trunk.forward(patches)));
        let batch = values.dims()[0];
        unit_length(values.reshape([batch, DESCRIPTOR]))
    }
}

/// Rows brought to unit length, shape unchanged.
pub(super) fn unit_length(rows: Tensor<2>) -> Tensor<2> {
    let squares = rows.clone().powf_scalar(2.0).sum_dim(1);
    rows / (squares + 1e-10).sqrt()
}
