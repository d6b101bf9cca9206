//! Every gradient against burn's own for the same layer.

use crate::model::layer::{Activation, ConvNorm, ConvNormConfig};
use crate::model::named;
use alloc::vec::Vec;
use burn::module::{Flag, Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};

/// The layer, its input, and whether its norm learns.
struct Case {
    config: ConvNormConfig,
    size: [usize; 2],
    learns: bool,
}

fn cases() -> Vec<Case> {
    let layer = |input, output, side, stride, groups, activation| ConvNormConfig {
        stride,
        groups,
        activation,
        ..ConvNormConfig::new(input, output, side)
    };
    let layers = [
        layer(5, 7, 1, 1, 1, Activation::Relu6),
        layer(5, 7, 1, 2, 1, Activation::Linear),
        layer(3, 4, 3, 1, 1, Activation::Relu),
        layer(3, 4, 3, 2, 1, Activation::Relu6),
        layer(6, 6, 3, 1, 6, Activation::Relu6),
        layer(6, 6, 3, 2, 6, Activation::Linear),
        layer(6, 6, 5, 2, 6, Activation::Relu),
        layer(6, 4, 3, 2, 2, Activation::Relu),
        layer(6, 9, 3, 1, 3, Activation::Linear),
        ConvNormConfig {
            kernel: [1, 7],
            padding: [0, 3],
            ..layer(4, 3, 7, 1, 1, Activation::Relu)
        },
        ConvNormConfig {
            padding: [1, 0],
            bias: true,
            epsilon: 1e-3,
            ..layer(4, 4, 1, 2, 4, Activation::Linear)
        },
    ];
    // Odd, even, wider than the vectors that sums are taken in, and smaller than the kernel.
    let sizes = [[7, 9], [8, 6], [3, 37], [1, 1]];
    let mut cases = Vec::new();
    for config in layers {
        for size in sizes {
            for learns in [true, false] {
                cases.push(Case {
                    config,
                    size,
                    learns,
                });
            }
        }
    }
    cases
}

/// Sets whether norms learn, and gives all parameters values that are not those of a fresh layer and the same in
/// every run: drawn kernels may make a channel so nearly constant that its gradient is mostly rounding.
struct Prepare {
    learns: bool,
}

impl ModuleMapper for Prepare {
    fn map_flag(&mut self, flag: Param<Flag>) -> Param<Flag> {
        flag.with_value(self.learns)
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        param.map(|value| {
            let shape = value.shape();
            let one = |i: usize| match D {
                1 => 0.5 + 0.3 * i as f32,
                _ => (i * 29 % 53) as f32 / 53.0 - 0.5,
            };
            let values: Vec<f32> = (0..shape.num_elements()).map(one).collect();
            let device = value.device();
            Tensor::from_data(TensorData::new(values, shape), &device).require_grad()
        })
    }
}

/// Gradients of a weighted sum of the output for input, kernel, gamma and beta, the running
/// statistics afterwards, and the output.
fn results(layer: &ConvNorm, x: &Tensor<4>, output: &Tensor<4>) -> Vec<(&'static str, TensorData)> {
    let count = output.shape().num_elements();
    let weights: Vec<f32> = (0..count)
        .map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0)
        .collect();
    let weights = Tensor::<1>::from_data(weights.as_slice(), &x.device());
    let sum = (output.clone().flatten::<1>(0, 3) * weights).sum();
    let gradients = sum.backward();
    let norm = layer.norm.as_ref().expect("not folded");
    [
        ("input", x.grad(&gradients).map(Tensor::into_data)),
        (
            "kernel",
            layer
                .conv
                .weight
                .val()
                .grad(&gradients)
                .map(Tensor::into_data),
        ),
        (
            "gamma",
            norm.gamma.val().grad(&gradients).map(Tensor::into_data),
        ),
        (
            "beta",
            norm.beta.val().grad(&gradients).map(Tensor::into_data),
        ),
        ("mean", Some(norm.running_mean.value_sync().into_data())),
        ("variance", Some(norm.running_var.value_sync().into_data())),
        ("output", Some(output.clone().into_data())),
    ]
    .into_iter()
    .map(|(name, data)| (name, data.expect(name)))
    .collect()
}

#[test]
fn output_gradients_and_statistics_are_burns() {
    let device = Device::flex().autodiff();
    for case in cases() {
        let [height, width] = case.size;
        let x = || {
            let count = 3 * case.config.input * height * width;
            let values: Vec<f32> = (0..count)
                .map(|i| (i * 7919 % 1009) as f32 / 250.0 - 2.0)
                .collect();
            let shape = [3, case.config.input, height, width];
            Tensor::<4>::from_data(TensorData::new(values, shape), &device).require_grad()
        };
        let prepare = &mut Prepare {
            learns: case.learns,
        };
        let layer = case.config.init(&device).map(prepare);
        let twin = case.config.init(&device).map(prepare);
        let twin = named::write(twin, named::read(&layer).expect("read"), "layer").expect("same");

        let (ours, theirs) = (x(), x());
        assert!(super::applies(&ours));
        let ours = results(&layer, &ours, &layer.forward(ours.clone()));
        let theirs = results(&twin, &theirs, &twin.composed(theirs.clone()));
        for ((name, ours), (_, theirs)) in ours.into_iter().zip(theirs) {
            let ours: Vec<f32> = ours.try_into_vec().expect("f32");
            let theirs: Vec<f32> = theirs.try_into_vec().expect("f32");
            let scale = theirs.iter().fold(1.0_f32, |most, v| most.max(v.abs()));
            for (a, b) in ours.iter().zip(&theirs) {
                assert!(
                    (a - b).abs() <= 1e-4 * scale,
                    "{name} of {:?} at {:?}, learns {}: {a} and {b}",
                    case.config,
                    case.size,
                    case.learns
                );
            }
        }
    }
}

#[test]
fn evaluation_gives_what_burns_own_layers_do() {
    let device = Device::flex();
    for case in cases() {
        let [height, width] = case.size;
        let count = 3 * case.config.input * height * width;
        let values: Vec<f32> = (0..count)
            .map(|i| (i * 7919 % 1009) as f32 / 250.0 - 2.0)
            .collect();
        let shape = [3, case.config.input, height, width];
        let x = Tensor::<4>::from_data(TensorData::new(values.clone(), shape), &device);
        let prepare = &mut Prepare { learns: false };
        let layer = case.config.init(&device.clone().autodiff()).map(prepare);
        let layer = layer.valid().fold();
        assert!(crate::model::folded::applies(&x));
        let ours = layer.forward(x.clone());
        let theirs = layer.composed(x.clone());
        let difference = (ours - theirs.clone()).abs().max().into_scalar::<f32>();
        let scale = theirs.abs().max().into_scalar::<f32>().max(1.0);
        assert!(
            difference <= 1e-5 * scale,
            "{:?} at {:?}: {difference}",
            case.config,
            case.size
        );
        let kept: Vec<f32> = x.into_data().try_into_vec().expect("f32");
        assert_eq!(kept, values, "the input must stay as it is");
    }
}
