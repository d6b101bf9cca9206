//! How many bits a backbone computes with while it is trained.
//!
//! Weights, their gradients and the optimizer's memory have 32 bits whatever the maps have; so have norms, heads and
//! losses. A brick takes its precision from the map that it is given: [`Precision::through`] casts at both ends
//! of a backbone, and nothing else need know.

use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{DType, Tensor};
use serde::{Deserialize, Serialize};

/// Of a backbone's maps, and of the products in its convolutions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// 32 bits. CUDA's matrix units round what they multiply to 19 of them (TF32).
    #[default]
    F32,
    /// bfloat16: 16 bits, with the range of 32, so that losses need no scaling (Kalamkar et al., 2019).
    Bf16,
}

impl Precision {
    /// All there are.
    pub const ALL: [Self; 2] = [Self::F32, Self::Bf16];

    /// Its name in recipes.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        }
    }

    /// The type of a map's values.
    pub fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::Bf16 => DType::BF16,
        }
    }

    /// What `backbone` makes of `input`, computed in this precision; both are of 32 bits.
    pub fn through(
        self,
        input: Tensor<4>,
        backbone: impl FnOnce(Tensor<4>) -> Tensor<4>,
    ) -> Tensor<4> {
        match self {
            Self::F32 => backbone(input),
            Self::Bf16 => backbone(input.cast(DType::BF16)).cast(DType::F32),
        }
    }
}

/// Whether `x` has fewer bits than the weights.
pub(super) fn is_half<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::BF16
}

/// `f` of `x`, computed with 32 bits; of the type of `x`.
pub(super) fn in_f32<const D: usize>(
    x: Tensor<D>,
    f: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Tensor<D> {
    match is_half(&x) {
        true => f(x.cast(DType::F32)).cast(DType::BF16),
        false => f(x),
    }
}

/// What `conv.forward` gives, with weights of the type of `x`.
pub(super) fn convolve(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let PaddingConfig2d::Explicit(top, left, bottom, right) = conv.padding else {
        return in_f32(x, |x| conv.forward(x)); // no layer of ours has another
    };
    let padding = [(top, bottom), (left, right)];
    let options = ConvOptions::new_with_padding(conv.stride, padding, conv.dilation, conv.groups);
    let dtype = x.dtype();
    let bias = conv.bias.as_ref().map(|bias| bias.val().cast(dtype));
    conv2d(x, conv.weight.val().cast(dtype), bias, options)
}

#[cfg(all(test, feature = "train"))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Precision;
    use crate::model::backbone::{Backbone, BackboneName};
    use crate::model::layer::ConvNormConfig;
    use alloc::vec::Vec;
    use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
    use burn::optim::GradientsParams;
    use burn::tensor::{Device, Tensor, TensorData};

    const SIDE: usize = 64;

    /// Values from -1 to 1 that look like chance.
    fn values(count: usize) -> impl Iterator<Item = f32> {
        (0..count).map(|i| (i * 7919 % 1009) as f32 / 504.0 - 1.0)
    }

    fn input(device: &Device) -> Tensor<4> {
        let shape = [4, 3, SIDE, SIDE];
        let values: Vec<f32> = values(shape.iter().product()).map(|v| 2.0 * v).collect();
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    /// Kernels whose outputs vary as much as their inputs, the same in every run.
    struct Fill;

    impl ModuleMapper for Fill {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let (id, tensor, mapper) = param.consume();
            let shape = tensor.dims();
            let inputs: usize = shape.iter().skip(1).product();
            let tensor = match D {
                4 => {
                    let bound = (6.0 / inputs as f32).sqrt();
                    let count = shape.iter().product();
                    let values: Vec<f32> = values(count).map(|v| v * bound).collect();
                    Tensor::from_data(TensorData::new(values, shape), &tensor.device())
                        .require_grad()
                }
                _ => tensor,
            };
            Param::from_mapped_value(id, tensor, mapper)
        }
    }

    /// The gradient of every parameter, in order, with its number of dimensions.
    struct Gradients {
        of: GradientsParams,
        found: Vec<Vec<f32>>,
    }

    impl ModuleVisitor for Gradients {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            if let Some(gradient) = self.of.get::<D>(param.id) {
                self.found
                    .push(gradient.into_data().try_into_vec().unwrap());
            }
        }
    }

    /// A backbone's map, and its parameters' gradients of a sum of it.
    fn results(backbone: &Backbone, precision: Precision) -> (Vec<f32>, Vec<Vec<f32>>) {
        let device = Device::flex().autodiff();
        let map = precision.through(input(&device), |x| backbone.forward(x));
        let loss = (map.clone() * map.clone()).mean();
        let mut gradients = Gradients {
            of: GradientsParams::from_grads(loss.backward(), backbone),
            found: Vec::new(),
        };
        backbone.visit(&mut gradients);
        (map.into_data().try_into_vec().unwrap(), gradients.found)
    }

    /// The length of the difference over that of `theirs`.
    fn error(ours: &[f32], theirs: &[f32]) -> f64 {
        let length = |values: &mut dyn Iterator<Item = f32>| {
            values
                .map(|v| f64::from(v) * f64::from(v))
                .sum::<f64>()
                .sqrt()
        };
        let difference = length(&mut ours.iter().zip(theirs).map(|(a, b)| a - b));
        difference / length(&mut theirs.iter().copied()).max(1e-30)
    }

    /// bfloat16 has 8 bits of mantissa: what is multiplied is off by up to 2⁻⁹ of itself, what is kept too.
    #[test]
    fn a_bricks_values_and_gradients_in_bf16_are_those_in_f32() {
        for (groups, stride, bias) in [(1, 1, false), (1, 2, true), (2, 1, false), (8, 2, false)] {
            let device = Device::flex().autodiff();
            let config = ConvNormConfig {
                groups,
                stride,
                bias,
                ..ConvNormConfig::new(8, 8, 3)
            };
            let brick = config.init(&device).map(&mut Fill);
            let x: Vec<f32> = values(2 * 8 * 9 * 7).collect();
            let x =
                Tensor::<4>::from_data(TensorData::new(x, [2, 8, 9, 7]), &device).require_grad();
            let [plain, half] = Precision::ALL.map(|precision| {
                let y = precision.through(x.clone(), |x| brick.forward(x));
                let gradients = (y.clone() * y.clone() * y.clone()).sum().backward();
                let weight = brick.conv.weight.val().grad(&gradients).unwrap();
                let of = [
                    y.into_data(),
                    x.grad(&gradients).unwrap().into_data(),
                    weight.into_data(),
                ];
                of.map(|data| data.try_into_vec::<f32>().unwrap())
            });
            for (what, (half, plain)) in half.iter().zip(&plain).enumerate() {
                let error = error(half, plain);
                assert!(error < 0.03, "{what} of {groups} groups: {error}");
                assert!(
                    error > 1e-5,
                    "{what} of {groups} groups has 32 bits: {error}"
                );
            }
        }
    }

    /// Deep networks that have learnt nothing make much of small differences, so that nothing is said here of how
    /// near those come; the shallow one is.
    #[test]
    fn every_backbone_computes_and_learns_in_bf16() {
        for &name in BackboneName::ALL {
            let device = Device::flex().autodiff();
            let backbone = Backbone::narrowed(name, 8, &device).map(&mut Fill);
            let (map, gradients) = results(&backbone, Precision::F32);
            let (half, half_gradients) = results(&backbone, Precision::Bf16);
            assert_eq!(map.len(), half.len());
            assert_ne!(map, half, "{name:?} computed with 32 bits both times");
            let lengths =
                |gradients: &[Vec<f32>]| gradients.iter().map(Vec::len).collect::<Vec<_>>();
            assert_eq!(lengths(&gradients), lengths(&half_gradients), "{name:?}");
            let mut all = half.iter().chain(half_gradients.iter().flatten());
            assert!(all.all(|value| value.is_finite()), "{name:?}");
            if name == BackboneName::Compact {
                assert!(error(&half, &map) < 0.05);
                assert!(error(&half_gradients.concat(), &gradients.concat()) < 0.15);
            }
        }
    }

    #[test]
    fn its_name_is_what_recipes_say() {
        for precision in Precision::ALL {
            let text = serde_json::to_string(&precision).unwrap();
            assert_eq!(text, alloc::format!("\"{}\"", precision.name()));
        }
    }
}
