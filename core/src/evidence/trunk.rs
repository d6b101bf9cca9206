//! The six layers that AffNet, OriNet and HardNet share, and published weights for them.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::bundle::weights;
use crate::model::layer::{ConvNorm, ConvNormConfig};
use crate::model::named;
use crate::{Error, Result};

/// Layers of a trunk.
const LAYERS: usize = 6;
/// Place of the published networks' last convolution: six times convolution, norm and ReLU, a dropout,
/// then this.
pub(super) const LAST: usize = 3 * LAYERS + 1;

/// Six of convolution 3 x 3 without bias, batch norm, ReLU; the third and the fifth halve the map.
///
/// The published norms have neither scale nor shift. Ours start with 1 and 0 and are to be left there:
/// who trains a trunk must keep `gamma` and `beta` out of it.
#[derive(Module, Debug)]
pub(super) struct Trunk {
    layers: Vec<ConvNorm>,
}

impl Trunk {
    /// Fresh layers with so many output channels.
    pub fn new(channels: [usize; LAYERS], device: &Device) -> Self {
        let inputs = core::iter::once(1).chain(channels);
        let layers = inputs.zip(channels).enumerate();
        let layers = layers.map(|(place, (input, output))| {
            ConvNormConfig {
                stride: if place == 2 || place == 4 { 2 } else { 1 },
                ..ConvNormConfig::new(input, output, 3)
            }
            .init(device)
        });
        Self {
            layers: layers.collect(),
        }
    }

    /// `[batch, 1, 32, 32]` to `[batch, channels, 8, 8]`.
    pub fn forward(&self, patches: Tensor<4>) -> Tensor<4> {
        let layers = self.layers.iter();
        layers.fold(patches, |map, layer| layer.forward(map))
    }

    /// The same function in evaluation with the norms in the convolutions.
    pub fn fold(self) -> Self {
        let layers = self.layers.into_iter().map(ConvNorm::fold);
        Self {
            layers: layers.collect(),
        }
    }

    /// The published names of the layers' tensors, each with ours in a network that calls this `trunk`.
    pub fn names() -> Vec<[String; 2]> {
        let layer = |place: usize| {
            let ours = format!("trunk.layers.{place}");
            let norm = 3 * place + 1;
            [
                [
                    format!("features.{}.weight", 3 * place),
                    format!("{ours}.conv.weight"),
                ],
                [
                    format!("features.{norm}.running_mean"),
                    format!("{ours}.norm.running_mean"),
                ],
                [
                    format!("features.{norm}.running_var"),
                    format!("{ours}.norm.running_var"),
                ],
            ]
        };
        (0..LAYERS).flat_map(layer).collect()
    }
}

/// `module`, just made, with the tensors of a safetensors file: published ones by `names`, pairs of their
/// name and ours, or those of a file that has our names. What else the file holds is passed over.
///
/// # Errors
/// [`Error::Bundle`] when `bytes` are no safetensors file, [`Error::Tensor`] for the first tensor that is
/// missing, of another shape or not of finite floats.
pub(super) fn load<M: Module>(
    module: M,
    names: &[[String; 2]],
    file: &str,
    bytes: &[u8],
) -> Result<M> {
    let mut tensors = named::read(&module)?;
    let is_ours = |name: &str| tensors.contains_key(name);
    let theirs = |[theirs, ours]: &[String; 2]| [theirs.clone(), ours.clone()];
    let own = |name: &String| [name.clone(), name.clone()];
    let names: Vec<[String; 2]> = match weights::names(file, bytes)?.iter().any(|n| is_ours(n)) {
        true => tensors.keys().map(own).collect(),
        false => names.iter().map(theirs).collect(),
    };
    let wanted = |name: &str| names.iter().any(|[theirs, _]| theirs == name);
    let mut found = weights::decode_some(file, bytes, wanted)?;
    for [theirs, ours] in names {
        let refuse = |reason: String| Error::Tensor {
            file: file.to_string(),
            name: theirs.clone(),
            reason,
        };
        let values = found
            .remove(&theirs)
            .ok_or_else(|| refuse("is missing".to_string()))?;
        match tensors.get_mut(&ours) {
            Some(place) if place.shape == values.shape => *place = values,
            Some(place) => {
                let (has, wants) = (&values.shape, &place.shape);
                return Err(refuse(format!(
                    "has shape {has:?}, the network wants {wants:?}"
                )));
            }
            None => return Err(refuse("the network has no such tensor".to_string())),
        }
    }
    named::write(module, tensors, file)
}
