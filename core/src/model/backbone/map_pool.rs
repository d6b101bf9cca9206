//! Pooling inside a backbone, map to smaller map.

use burn::nn::PaddingConfig2d;
use burn::nn::pool::{AvgPool2dConfig, MaxPool2dConfig};
use burn::tensor::Tensor;

/// How a 3x3 pooling with stride 2 treats the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// A row and a column of nothing all round.
    Padded,
    /// No padding; what does not fill a window is left out.
    Floor,
    /// No padding; a window may reach beyond the edge.
    Ceil,
}

/// Greatest value of every 3x3 window, every second one.
pub(super) fn max_3x3(map: Tensor<4>, edge: Edge) -> Tensor<4> {
    let padding = usize::from(edge == Edge::Padded);
    MaxPool2dConfig::new([3, 3])
        .with_strides([2, 2])
        .with_padding(PaddingConfig2d::Explicit(
            padding, padding, padding, padding,
        ))
        .with_ceil_mode(edge == Edge::Ceil)
        .init()
        .forward(map)
}

/// Rows or columns that [`max_3x3`] leaves of `side`.
pub(super) fn side_of_3x3(side: usize, edge: Edge) -> usize {
    match edge {
        Edge::Padded => side.div_ceil(2),
        Edge::Floor => side.saturating_sub(3) / 2 + 1,
        Edge::Ceil => side.saturating_sub(3).div_ceil(2) + 1,
    }
}

/// Rows or columns that [`max_2x2`] and [`mean_2x2`] leave of `side`.
pub(super) fn side_of_2x2(side: usize) -> usize {
    side / 2
}

/// Greatest value of every 2x2 square.
pub(super) fn max_2x2(map: Tensor<4>) -> Tensor<4> {
    MaxPool2dConfig::new([2, 2])
        .with_strides([2, 2])
        .init()
        .forward(map)
}

/// Mean of every 2x2 square.
pub(super) fn mean_2x2(map: Tensor<4>) -> Tensor<4> {
    AvgPool2dConfig::new([2, 2])
        .with_strides([2, 2])
        .init()
        .forward(map)
}

/// Mean of the values of the map within every 3x3 window, size kept; padding does not count.
pub(super) fn mean_3x3(map: Tensor<4>) -> Tensor<4> {
    AvgPool2dConfig::new([3, 3])
        .with_strides([1, 1])
        .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
        .with_count_include_pad(false)
        .init()
        .forward(map)
}
