//! Inception v4 (Szegedy et al., 2017), with the layers in the order of Cadene's and timm's weights.

use alloc::vec;
use alloc::vec::Vec;
use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::Facts;
use super::map_pool::{Edge, max_3x3, mean_3x3, side_of_3x3};
use crate::model::layer::{ConvNorm, ConvNormConfig};
use crate::model::trace::Trace;

pub(super) const FACTS: Facts = Facts {
    mean: [0.5; 3],
    deviation: [0.5; 3],
    ..Facts::imagenet(1536, 32, map_side, 9)
};

/// The convolutions without padding leave nothing of a smaller input.
const SMALLEST: usize = 75;

/// A stem of three convolutions, and blocks of parallel branches.
#[derive(Module, Debug)]
pub struct InceptionV4 {
    stem: Vec<ConvNorm>,
    blocks: Vec<Block>,
}

/// Branches side by side, their maps one behind the other.
#[derive(Module, Debug)]
struct Block {
    branches: Vec<Branch>,
}

/// A pooling or none, layers one after another, and at the end layers side by side or none.
#[derive(Module, Debug)]
struct Branch {
    #[module(skip)]
    pool: Pool,
    layers: Vec<ConvNorm>,
    ends: Vec<ConvNorm>,
}

#[derive(Clone, Copy, Debug)]
enum Pool {
    None,
    /// Greatest of 3x3, stride 2.
    Max,
    /// Mean of 3x3, size kept.
    Mean,
}

/// Five layers halve the map without padding, two 3x3 convolutions take a border of one off.
fn map_side(side: usize) -> usize {
    let half = |side: usize| (side - 3) / 2 + 1;
    half(half(half(half(half(side.max(SMALLEST)) - 2) - 2)))
}

impl InceptionV4 {
    /// Fresh weights, drawn from the device's seed; channels divided by `narrow`.
    pub fn new(narrow: usize, device: &Device) -> Self {
        let stem = [
            strided(3, 32),
            ConvNormConfig {
                padding: [0; 2],
                ..square(32, 32, 3)
            },
            square(32, 64, 3),
        ];
        let mut blocks = vec![stem_a(), stem_b(), stem_c()];
        blocks.extend((0..4).map(|_| inception_a()));
        blocks.push(reduction_a());
        blocks.extend((0..7).map(|_| inception_b()));
        blocks.push(reduction_b());
        blocks.extend((0..3).map(|_| inception_c()));
        Self {
            stem: init_layers(&stem, narrow, device),
            blocks: blocks
                .iter()
                .map(|block| init(block, narrow, device))
                .collect(),
        }
    }

    /// `[batch, 3, height, width]` to `[batch, 1536 / narrow, rows, columns]`: 299 pixels make 8 rows or
    /// columns, 384 make 10. An input of fewer than 75 pixels a side is first set into zeros.
    pub fn forward(&self, input: Tensor<4>) -> Tensor<4> {
        let map = self
            .stem
            .iter()
            .fold(at_least(input, SMALLEST), |map, layer| layer.forward(map));
        self.blocks
            .iter()
            .fold(map, |map, block| block.forward(&map))
    }

    /// [`Self::forward`] with a map's size and cost in the place of the map.
    pub(in crate::model) fn trace(&self, input: Trace) -> Trace {
        let stem = self.stem.iter();
        let input = input.resized(|side| side.max(SMALLEST));
        let map = stem.fold(input, |map, layer| layer.trace(map));
        self.blocks.iter().fold(map, |map, block| block.trace(map))
    }

    /// The same function in evaluation, batch norms folded.
    #[must_use]
    pub fn fold(self) -> Self {
        Self {
            stem: self.stem.into_iter().map(ConvNorm::fold).collect(),
            blocks: self.blocks.into_iter().map(Block::fold).collect(),
        }
    }
}

impl Block {
    fn forward(&self, map: &Tensor<4>) -> Tensor<4> {
        let branches = self.branches.iter().map(|branch| branch.forward(map));
        Tensor::cat(branches.collect(), 1)
    }

    /// All branches end at the same size.
    fn trace(&self, map: Trace) -> Trace {
        let branches = self
            .branches
            .iter()
            .map(|branch| branch.trace(map.branch()));
        branches.fold(map, |sum, branch| branch.joined(sum))
    }

    fn fold(self) -> Self {
        Self {
            branches: self.branches.into_iter().map(Branch::fold).collect(),
        }
    }
}

impl Branch {
    fn forward(&self, map: &Tensor<4>) -> Tensor<4> {
        let map = match self.pool {
            Pool::None => map.clone(),
            Pool::Max => max_3x3(map.clone(), Edge::Floor),
            Pool::Mean => mean_3x3(map.clone()),
        };
        let map = self
            .layers
            .iter()
            .fold(map, |map, layer| layer.forward(map));
        match self.ends.as_slice() {
            [] => map,
            ends => Tensor::cat(ends.iter().map(|end| end.forward(map.clone())).collect(), 1),
        }
    }

    fn trace(&self, map: Trace) -> Trace {
        let map = match self.pool {
            Pool::Max => map.resized(|side| side_of_3x3(side, Edge::Floor)),
            Pool::None | Pool::Mean => map,
        };
        let map = self.layers.iter().fold(map, |map, layer| layer.trace(map));
        let ends = self.ends.iter().map(|end| end.trace(map.branch()));
        ends.fold(map, Trace::joined)
    }

    fn fold(self) -> Self {
        let fold = |layers: Vec<ConvNorm>| layers.into_iter().map(ConvNorm::fold).collect();
        Self {
            pool: self.pool,
            layers: fold(self.layers),
            ends: fold(self.ends),
        }
    }
}

/// A branch's description.
struct BranchPlan {
    pool: Pool,
    layers: Vec<ConvNormConfig>,
    ends: Vec<ConvNormConfig>,
}

fn init_layers(layers: &[ConvNormConfig], narrow: usize, device: &Device) -> Vec<ConvNorm> {
    let narrowed = |layer: &ConvNormConfig| ConvNormConfig {
        // The photo has three channels at any width.
        input: if layer.input == 3 {
            3
        } else {
            layer.input / narrow
        },
        output: layer.output / narrow,
        ..*layer
    };
    layers.iter().map(|l| narrowed(l).init(device)).collect()
}

fn init(plan: &[BranchPlan], narrow: usize, device: &Device) -> Block {
    let layers = |layers: &[ConvNormConfig]| init_layers(layers, narrow, device);
    let branches = plan.iter().map(|branch| Branch {
        pool: branch.pool,
        layers: layers(&branch.layers),
        ends: layers(&branch.ends),
    });
    Block {
        branches: branches.collect(),
    }
}

/// `input` in the middle of zeros where it has fewer than `side` rows or columns.
fn at_least(input: Tensor<4>, side: usize) -> Tensor<4> {
    let [_, _, height, width] = input.dims();
    let missing = [side.saturating_sub(height), side.saturating_sub(width)];
    if missing == [0, 0] {
        return input;
    }
    let half = missing.map(|m| m / 2);
    let before_and_after = [0, 1].map(|axis| (half[axis], missing[axis] - half[axis]));
    input.pad(before_and_after, 0.0)
}

fn square(input: usize, output: usize, side: usize) -> ConvNormConfig {
    ConvNormConfig {
        epsilon: 1e-3,
        ..ConvNormConfig::new(input, output, side)
    }
}

/// 3x3, stride 2, no padding.
fn strided(input: usize, output: usize) -> ConvNormConfig {
    ConvNormConfig {
        stride: 2,
        padding: [0; 2],
        ..square(input, output, 3)
    }
}

/// One row of `length`.
fn row(input: usize, output: usize, length: usize) -> ConvNormConfig {
    ConvNormConfig {
        kernel: [1, length],
        padding: [0, (length - 1) / 2],
        ..square(input, output, 1)
    }
}

/// One column of `length`.
fn column(input: usize, output: usize, length: usize) -> ConvNormConfig {
    ConvNormConfig {
        kernel: [length, 1],
        padding: [(length - 1) / 2, 0],
        ..square(input, output, 1)
    }
}

fn branch(layers: &[ConvNormConfig]) -> BranchPlan {
    pooled(Pool::None, layers)
}

fn pooled(pool: Pool, layers: &[ConvNormConfig]) -> BranchPlan {
    BranchPlan {
        pool,
        layers: layers.to_vec(),
        ends: Vec::new(),
    }
}

fn forked(layers: &[ConvNormConfig], ends: &[ConvNormConfig]) -> BranchPlan {
    BranchPlan {
        ends: ends.to_vec(),
        ..branch(layers)
    }
}

fn stem_a() -> Vec<BranchPlan> {
    vec![pooled(Pool::Max, &[]), branch(&[strided(64, 96)])]
}

fn stem_b() -> Vec<BranchPlan> {
    let valid = |input, output| ConvNormConfig {
        padding: [0; 2],
        ..square(input, output, 3)
    };
    vec![
        branch(&[square(160, 64, 1), valid(64, 96)]),
        branch(&[
            square(160, 64, 1),
            row(64, 64, 7),
            column(64, 64, 7),
            valid(64, 96),
        ]),
    ]
}

fn stem_c() -> Vec<BranchPlan> {
    vec![branch(&[strided(192, 192)]), pooled(Pool::Max, &[])]
}

fn inception_a() -> Vec<BranchPlan> {
    vec![
        branch(&[square(384, 96, 1)]),
        branch(&[square(384, 64, 1), square(64, 96, 3)]),
        branch(&[square(384, 64, 1), square(64, 96, 3), square(96, 96, 3)]),
        pooled(Pool::Mean, &[square(384, 96, 1)]),
    ]
}

fn reduction_a() -> Vec<BranchPlan> {
    vec![
        branch(&[strided(384, 384)]),
        branch(&[square(384, 192, 1), square(192, 224, 3), strided(224, 256)]),
        pooled(Pool::Max, &[]),
    ]
}

fn inception_b() -> Vec<BranchPlan> {
    vec![
        branch(&[square(1024, 384, 1)]),
        branch(&[square(1024, 192, 1), row(192, 224, 7), column(224, 256, 7)]),
        branch(&[
            square(1024, 192, 1),
            column(192, 192, 7),
            row(192, 224, 7),
            column(224, 224, 7),
            row(224, 256, 7),
        ]),
        pooled(Pool::Mean, &[square(1024, 128, 1)]),
    ]
}

fn reduction_b() -> Vec<BranchPlan> {
    vec![
        branch(&[square(1024, 192, 1), strided(192, 192)]),
        branch(&[
            square(1024, 256, 1),
            row(256, 256, 7),
            column(256, 320, 7),
            strided(320, 320),
        ]),
        pooled(Pool::Max, &[]),
    ]
}

fn inception_c() -> Vec<BranchPlan> {
    let ends = |input| [row(input, 256, 3), column(input, 256, 3)];
    vec![
        branch(&[square(1536, 256, 1)]),
        forked(&[square(1536, 384, 1)], &ends(384)),
        forked(
            &[square(1536, 384, 1), column(384, 448, 3), row(448, 512, 3)],
            &ends(512),
        ),
        pooled(Pool::Mean, &[square(1536, 256, 1)]),
    ]
}
