//! SE-ResNeXt50 32x4d (Xie et al., 2017; Hu et al., 2018): a ResNet50 whose 3x3 convolutions are in
//! groups and whose blocks weigh their channels, in the two layouts that published weights have.

use burn::tensor::Device;

use super::Facts;
use super::map_pool::Edge;
use super::resnet::{PLAIN, RESNET50, ResNet, Variant};

/// Cadene's: the stem's pooling rounds down what the convolution rounded up.
pub(super) const CADENE: Facts = Facts {
    map_side: |side| (side.div_ceil(2) / 2).div_ceil(8),
    ..RESNET50
};

/// timm's layout with fresh weights; channels divided by `narrow`, groups too.
pub(super) fn timm(narrow: usize, device: &Device) -> ResNet {
    squeezing(Edge::Padded, narrow, device)
}

/// Cadene's layout, likewise.
pub(super) fn cadene(narrow: usize, device: &Device) -> ResNet {
    squeezing(Edge::Ceil, narrow, device)
}

/// 32 groups of 4 channels in the first stage, twice as many channels in each further one.
fn squeezing(edge: Edge, narrow: usize, device: &Device) -> ResNet {
    let variant = Variant {
        groups: 32,
        narrowing: 2,
        squeeze: true,
        edge,
        ..PLAIN
    };
    ResNet::new(&variant, narrow, device)
}
