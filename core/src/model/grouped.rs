//! Convolution in groups (SE-ResNeXt's) as one batched matrix product.
//!
//! burn 0.22 has no matrix product for a grouped convolution on CUDA and wgpu: the forward pass is
//! its direct kernel, and the weight gradient is a convolution, two slices and an assignment *a
//! group*, over a hundred kernels a layer of 32 groups. Here a layer is a slice a tap of the kernel,
//! one concatenation and one product, whatever the number of groups, and the gradients are burn's of
//! these. On the CPU, `cpu` has its own.
//!
//! The choice for a GPU rests on these counts; it has not been measured on one.

use alloc::vec::Vec;
use burn::nn::PaddingConfig2d;
use burn::nn::conv::Conv2d;
use burn::tensor::{Tensor, s};

/// Whether channels are in groups of several.
pub(super) fn is_grouped(conv: &Conv2d) -> bool {
    conv.groups > 1 && conv.weight.lazy_shape()[1] > 1
}

/// Whether [`convolve`] is the way to take `conv`: in groups of several, and not on the CPU.
pub(super) fn applies(conv: &Conv2d, x: &Tensor<4>) -> bool {
    is_grouped(conv) && !is_on_cpu(x)
}

/// Whether `x` is on burn's CPU backend, to be differentiated or not. Without the feature `flex`
/// nothing is known to be.
pub(super) fn is_on_cpu(x: &Tensor<4>) -> bool {
    #[cfg(feature = "flex")]
    let is_flex = x.device() == burn::tensor::Device::flex();
    #[cfg(not(feature = "flex"))]
    let is_flex = {
        let _ = x;
        false
    };
    is_flex
}

/// What `conv.forward` gives and its gradients, on any device: kernels
/// `[groups, output / groups, input / groups·taps]` times columns
/// `[batch, groups, input / groups·taps, places]`.
pub fn convolve(conv: &Conv2d, x: Tensor<4>) -> Tensor<4> {
    let PaddingConfig2d::Explicit(top, left, bottom, right) = conv.padding else {
        return conv.forward(x); // no layer of ours has another
    };
    let dtype = x.dtype();
    let weight = conv.weight.val().cast(dtype);
    let [outputs, inputs, height, width] = weight.dims();
    let x = match [top, left, bottom, right] {
        [0, 0, 0, 0] => x,
        _ => x.pad([(top, bottom), (left, right)], 0.0),
    };
    let [batch, _, padded_height, padded_width] = x.dims();
    let [down, across] = conv.stride;
    let size = [
        (padded_height - height) / down + 1,
        (padded_width - width) / across + 1,
    ];
    let (groups, rows, places) = (conv.groups, inputs * height * width, size[0] * size[1]);
    let columns = taps(&x, [height, width], conv.stride, size);
    let columns = columns.reshape([batch, groups, rows, places]);
    let weight = weight.reshape([1, groups, outputs / groups, rows]);
    let y = weight.matmul(columns);
    let y = y.reshape([batch, outputs, size[0], size[1]]);
    match &conv.bias {
        Some(bias) => y + bias.val().cast(dtype).reshape([1, -1, 1, 1]),
        None => y,
    }
}

/// What each tap of a kernel sees of a padded map: `[batch, channels, taps, rows, columns]`.
fn taps(
    x: &Tensor<4>,
    kernel: [usize; 2],
    [down, across]: [usize; 2],
    [rows, columns]: [usize; 2],
) -> Tensor<5> {
    let (last_row, last_column) = ((rows - 1) * down, (columns - 1) * across);
    let places = (0..kernel[0]).flat_map(|y| (0..kernel[1]).map(move |x| (y, x)));
    let seen = places.map(|(top, left)| {
        let rows = top..=top + last_row;
        let columns = left..=left + last_column;
        x.clone()
            .slice(s![.., .., rows;down as isize, columns;across as isize])
            .unsqueeze_dim::<5>(2)
    });
    Tensor::cat(seen.collect::<Vec<_>>(), 2)
}

#[cfg(test)]
#[cfg(feature = "train")]
mod tests {
    use super::{convolve, is_grouped};
    use crate::model::layer;
    use alloc::vec::Vec;
    use burn::nn::PaddingConfig2d;
    use burn::nn::conv::{Conv2d, Conv2dConfig};
    use burn::tensor::{Device, Tensor, TensorData};

    /// Input, output, groups, kernel, stride, padding, bias.
    type Case = (usize, usize, usize, [usize; 2], usize, [usize; 2], bool);

    const CASES: [Case; 6] = [
        (8, 8, 2, [3, 3], 1, [1, 1], false),
        (8, 8, 2, [3, 3], 2, [1, 1], false),
        (6, 12, 3, [3, 3], 2, [0, 1], true),
        (12, 6, 3, [1, 5], 1, [0, 2], true),
        (8, 4, 4, [1, 1], 2, [0, 0], false),
        (4, 6, 1, [3, 3], 1, [1, 1], true),
    ];

    fn layer((input, output, groups, kernel, stride, [rows, columns], bias): Case) -> Conv2d {
        Conv2dConfig::new([input, output], kernel)
            .with_stride([stride; 2])
            .with_groups(groups)
            .with_padding(PaddingConfig2d::Explicit(rows, columns, rows, columns))
            .with_bias(bias)
            .init(&Device::flex().autodiff())
    }

    fn input(case: Case, size: [usize; 2], device: &Device) -> Tensor<4> {
        let shape = [2, case.0, size[0], size[1]];
        let count = shape.iter().product::<usize>();
        let values: Vec<f32> = (0..count)
            .map(|i| (i * 7919 % 1009) as f32 / 250.0 - 2.0)
            .collect();
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    /// Output of a convolution, and its gradients of a weighted sum of it.
    fn results(
        conv: &Conv2d,
        x: Tensor<4>,
        forward: impl Fn(&Conv2d, Tensor<4>) -> Tensor<4>,
    ) -> Vec<(&'static str, TensorData)> {
        let x = x.require_grad();
        let output = forward(conv, x.clone());
        let weights: Vec<f32> = (0..output.shape().num_elements())
            .map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0)
            .collect();
        let weights = Tensor::<1>::from_data(weights.as_slice(), &x.device());
        let flat = output.clone().flatten::<1>(0, 3);
        let gradients = (flat * weights).sum().backward();
        let bias = conv.bias.as_ref().and_then(|b| b.val().grad(&gradients));
        [
            ("output", Some(output.into_data())),
            ("input", x.grad(&gradients).map(Tensor::into_data)),
            (
                "kernel",
                conv.weight.val().grad(&gradients).map(Tensor::into_data),
            ),
            ("bias", bias.map(Tensor::into_data)),
        ]
        .into_iter()
        .filter_map(|(name, data)| Some((name, data?)))
        .collect()
    }

    fn assert_near(what: &str, case: Case, ours: TensorData, theirs: TensorData) {
        assert_eq!(ours.shape(), theirs.shape(), "{what} of {case:?}");
        let ours: Vec<f32> = ours.try_into_vec().expect("f32");
        let theirs: Vec<f32> = theirs.try_into_vec().expect("f32");
        let scale = theirs.iter().fold(1.0_f32, |most, v| most.max(v.abs()));
        for (a, b) in ours.iter().zip(&theirs) {
            let near = (a - b).abs() <= 1e-5 * scale;
            assert!(near, "{what} of {case:?}: {a} and {b}");
        }
    }

    #[test]
    fn products_give_burns_values_and_gradients() {
        for case in CASES {
            for size in [[7, 9], [8, 6], [5, 5]] {
                let conv = layer(case);
                let x = input(case, size, &Device::flex().autodiff());
                let ours = results(&conv, x.clone(), convolve);
                let theirs = results(&conv, x, Conv2d::forward);
                assert_eq!(theirs.len(), if case.6 { 4 } else { 3 });
                assert_eq!(ours.len(), theirs.len());
                for ((name, ours), (_, theirs)) in ours.into_iter().zip(theirs) {
                    assert_near(name, case, ours, theirs);
                }
            }
        }
    }

    #[test]
    fn evaluation_on_the_cpu_gives_burns_values() {
        use burn::module::Module;
        for case in CASES {
            let conv = layer(case).valid();
            let x = input(case, [7, 10], &Device::flex());
            let ours = layer::convolve(&conv, x.clone()).into_data();
            assert_near("output", case, ours, conv.forward(x).into_data());
        }
    }

    #[test]
    fn neither_one_group_nor_one_channel_a_group_is_grouped() {
        let groups = |groups| is_grouped(&layer((8, 8, groups, [3, 3], 1, [1, 1], false)));
        assert_eq!([1, 2, 4, 8].map(groups), [false, true, true, false]);
    }
}
