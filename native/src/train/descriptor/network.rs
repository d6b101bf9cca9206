//! HardNet as it is trained: how it begins, what of it learns, its loss.

use crate::train::losses::descriptor::{Hardest, hardest};
use crate::train::sgd::{Settings, Sgd};
use burn::module::{Module, ModuleMapper, Param};
use burn::nn::{Dropout, DropoutConfig};
use burn::tensor::{Device, Tensor, TensorData};
use flukeprint_core::evidence::HardNet;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// The size of the orthogonal matrices that the convolutions begin with.
const GAIN: f64 = 0.6;
/// The share of the last map that is left out at a step.
const DROPOUT: f64 = 0.3;
/// The optimizer's (spec-local, *Training HardNet*).
const DESCENT: Settings = Settings {
    momentum: 0.9,
    dampening: 0.9,
    weight_decay: 1e-4,
};

/// The optimizer as it begins.
pub(super) fn optimizer() -> Sgd {
    Sgd::new(DESCENT)
}

/// A network on `device`, which differentiates, of orthogonal weights drawn by `seed`. Norms have neither
/// scale nor shift to learn: those of ours stay at 1 and 0.
pub(super) fn fresh(seed: u64, device: &Device) -> HardNet {
    let rng = ChaCha8Rng::seed_from_u64(seed);
    constant_norms(HardNet::init(device).map(&mut Begin { rng }))
}

/// `network` with nothing of its norms but their statistics to learn.
pub(super) fn constant_norms(network: HardNet) -> HardNet {
    network.map(&mut ConstantNorms { path: Vec::new() })
}

/// Gives every convolution orthogonal weights (Saxe et al., 2014), as matrices of a row an output. burn's
/// `Initializer::Orthogonal` does the same by reflecting a square matrix as large as the longer side: for the
/// last layer, 128 x 8,192, that takes minutes.
struct Begin {
    rng: ChaCha8Rng,
}

impl ModuleMapper for Begin {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if D != 4 {
            return param;
        }
        let (id, tensor, mapper) = param.consume();
        let shape = tensor.dims();
        let outputs = shape.first().copied().unwrap_or(1);
        let inputs = shape.iter().product::<usize>() / outputs.max(1);
        let values = orthogonal(outputs, inputs, &mut self.rng);
        let values = values.into_iter().map(|value| (GAIN * value) as f32);
        let data = TensorData::new(values.collect::<Vec<f32>>(), shape);
        let weight = Tensor::from_data(data, &tensor.device());
        Param::from_mapped_value(id, weight.require_grad(), mapper)
    }
}

/// A matrix `[rows, columns]`, row by row, of orthonormal rows, or of orthonormal columns where there are
/// fewer of those; evenly drawn among all such.
fn orthogonal(rows: usize, columns: usize, rng: &mut impl Rng) -> Vec<f64> {
    let (few, many) = (rows.min(columns), rows.max(columns));
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(few);
    for _ in 0..few {
        let mut vector: Vec<f64> = (0..many).map(|_| StandardNormal.sample(rng)).collect();
        // Gram and Schmidt's way, twice: once leaves too much where vectors are nearly dependent.
        for _ in 0..2 {
            for other in &vectors {
                let along: f64 = vector.iter().zip(other).map(|(a, b)| a * b).sum();
                for (value, other) in vector.iter_mut().zip(other) {
                    *value -= along * other;
                }
            }
        }
        let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
        vector.iter_mut().for_each(|value| *value /= length);
        vectors.push(vector);
    }
    if rows <= columns {
        return vectors.concat();
    }
    let at = |index: usize| vectors[index % columns][index / columns];
    (0..rows * columns).map(at).collect()
}

struct ConstantNorms {
    path: Vec<String>,
}

impl ModuleMapper for ConstantNorms {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self
            .path
            .last()
            .is_some_and(|name| name == "gamma" || name == "beta")
        {
            true => param.set_require_grad(false),
            false => param,
        }
    }
}

/// What a batch comes to: two patches of each point, `[points, 1, 32, 32]` each. Each side goes through the
/// network by itself, as in the original, so that norms see one side's statistics at a time.
pub(super) fn loss(network: &HardNet, patches: [Tensor<4>; 2]) -> Hardest {
    let dropout: Dropout = DropoutConfig::new(DROPOUT).init();
    let describe = |patches| network.forward_with(patches, |map| dropout.forward(map));
    let [anchors, positives] = patches.map(describe);
    hardest(anchors, positives)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flukeprint_core::model::named;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_or_columns_are_orthonormal(rows in 1usize..12, columns in 1usize..12, seed: u64) {
            let values = orthogonal(rows, columns, &mut ChaCha8Rng::seed_from_u64(seed));
            let (few, many) = (rows.min(columns), rows.max(columns));
            let at = |vector: usize, entry: usize| match rows <= columns {
                true => values[vector * columns + entry],
                false => values[entry * columns + vector],
            };
            for a in 0..few {
                for b in 0..few {
                    let dot: f64 = (0..many).map(|entry| at(a, entry) * at(b, entry)).sum();
                    let wanted = if a == b { 1.0 } else { 0.0 };
                    prop_assert!((dot - wanted).abs() < 1e-9, "{} {} {}", a, b, dot);
                }
            }
        }
    }

    #[test]
    fn it_begins_with_filters_of_the_gains_length_and_no_norm_learns_but_its_statistics() {
        let device = Device::flex().autodiff();
        let network = fresh(7, &device);
        let tensors = named::read(&network).unwrap();
        let last = &tensors["last.conv.weight"];
        assert_eq!(last.shape, [128, 128, 8, 8]);
        for filter in last.values.chunks_exact(128 * 8 * 8) {
            let length = filter.iter().map(|v| v * v).sum::<f32>().sqrt();
            assert!((length - 0.6).abs() < 1e-5, "{length}");
        }
        assert!(tensors == named::read(&fresh(7, &device)).unwrap());
        assert!(tensors != named::read(&fresh(8, &device)).unwrap());

        let patches =
            || Tensor::from_data(TensorData::new(vec![0.5f32; 4096], [4, 1, 32, 32]), &device);
        let gradients = loss(&network, [patches(), patches()]).loss.backward();
        let mut learns = Learns::default();
        let gradients = burn::optim::GradientsParams::from_grads(gradients, &network);
        learns.gradients = Some(gradients);
        network.visit(&mut learns);
        assert_eq!(learns.count, 7, "the seven convolutions");
    }

    #[derive(Default)]
    struct Learns {
        gradients: Option<burn::optim::GradientsParams>,
        count: usize,
    }

    impl burn::module::ModuleVisitor for Learns {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let gradients = self.gradients.as_ref().unwrap();
            self.count += usize::from(gradients.get::<D>(param.id).is_some());
        }
    }
}
