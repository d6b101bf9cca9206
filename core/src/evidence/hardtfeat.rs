//! HardTFeat: a small network that describes a patch (Balntas et al., 2016, trained as by Mishchuk et
//! al., 2017).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::tensor::{Device, Tensor};

use super::DESCRIPTOR;
use super::hardnet::unit_length;
use super::trunk::load;
use crate::Result;

/// The network.
#[derive(Module, Debug)]
pub struct HardTFeat {
    first: Conv2d,
    pool: MaxPool2d,
    second: Conv2d,
    last: Conv2d,
}

impl HardTFeat {
    /// A network with fresh weights.
    pub fn init(device: &Device) -> Self {
        Self {
            first: Conv2dConfig::new([1, 32], [7, 7]).init(device),
            pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
            second: Conv2dConfig::new([32, 64], [6, 6]).init(device),
            last: Conv2dConfig::new([64, DESCRIPTOR], [8, 8]).init(device),
        }
    }

    /// The network of a safetensors file, as [`super::AffNet::load`].
    ///
    /// # Errors
    /// As there.
    pub fn load(file: &str, bytes: &[u8], device: &Device) -> Result<Self> {
        let layers = [
            ("features.0", "first"),
            ("features.3", "second"),
            ("classifier.1", "last"),
        ];
        let names: Vec<[String; 2]> = layers
            .iter()
            .flat_map(|(theirs, ours)| {
                ["weight", "bias"]
                    .map(|part| [format!("{theirs}.{part}"), format!("{ours}.{part}")])
            })
            .collect();
        load(Self::init(device), &names, file, bytes)
    }

    /// Normalised patches `[batch, 1, 32, 32]` to descriptors of unit length, `[batch, 128]`.
    pub fn forward(&self, patches: Tensor<4>) -> Tensor<2> {
        // tanh grows with its input, so that it may as well follow the pooling: a quarter of the work.
        let map = self.pool.forward(self.first.forward(patches)).tanh();
        let map = self.second.forward(map).tanh();
        let values = self.last.forward(map).tanh();
        let batch = values.dims()[0];
        unit_length(values.reshape([batch, DESCRIPTOR]))
    }
}
