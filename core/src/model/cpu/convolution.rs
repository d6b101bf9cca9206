//! Gradients of a convolution as matrix products.

use super::depthwise::{depthwise, depthwise_gradients};
use super::geometry::Geometry;
use super::norm::tensor;
use alloc::vec;
use alloc::vec::Vec;
use burn::backend::ops::{ConvOptions, FloatTensorOps, ModuleOps};
use burn::backend::{Flex, TensorMetadata, tensor::FloatTensor};
use rayon::prelude::*;

/// What a convolution is beside its weights.
#[derive(Clone, Copy, Debug)]
pub(super) struct Convolution {
    /// Both ways.
    pub stride: usize,
    /// Rows of zeros above and below, columns left and right.
    pub padding: [usize; 2],
    /// Groups of channels that do not see each other.
    pub groups: usize,
}

impl Convolution {
    /// `[batch, input, height, width]` with `[output, input / groups, k, l]`.
    pub(super) fn forward(
        self,
        x: FloatTensor<Flex>,
        weight: FloatTensor<Flex>,
    ) -> FloatTensor<Flex> {
        let [_, inputs, _, _] = weight.shape().dims();
        if self.groups > 1 && inputs > 1 {
            return self.grouped_forward(&x, &weight);
        }
        if self.is_depthwise(&weight) && self.stride == 1 {
            let [batch, channels, _, _] = x.shape().dims();
            let geometry = self.geometry(&x, &weight);
            return depthwise(geometry, [batch, channels], &x, &weight);
        }
        Flex::conv2d(x, weight, None, self.options())
    }

    /// Group by group, whose columns stay in the processor's cache.
    fn grouped_forward(
        self,
        x: &FloatTensor<Flex>,
        weight: &FloatTensor<Flex>,
    ) -> FloatTensor<Flex> {
        let [outputs, inputs, _, _] = weight.shape().dims();
        let [batch, _, height, width] = x.shape().dims();
        let geometry = self.geometry(x, weight);
        let (rows, places) = (inputs * geometry.taps(), geometry.places());
        let weights = self.by_group(weight);
        let x = x.to_contiguous();
        let mut result = vec![0.0_f32; batch * outputs * places];
        result
            .par_chunks_mut(outputs / self.groups * places)
            .zip(x.storage::<f32>().par_chunks(inputs * height * width))
            .enumerate()
            .for_each(|(index, (result, x))| {
                let columns = tensor(geometry.unfold(x, inputs), [rows, places]);
                let weight = weights[index % self.groups].clone();
                let product = Flex::float_matmul(weight, columns).to_contiguous();
                result.copy_from_slice(product.storage::<f32>());
            });
        let [rows, columns] = geometry.output_size();
        tensor(result, [batch, outputs, rows, columns])
    }

    /// The gradients for x and for the weight, shaped like them, those that are `wanted`.
    pub(super) fn gradients(
        self,
        x: &FloatTensor<Flex>,
        weight: &FloatTensor<Flex>,
        gradient: FloatTensor<Flex>,
        wanted: [bool; 2],
    ) -> [Option<FloatTensor<Flex>>; 2] {
        let [of_x, of_weight] = wanted;
        if self.is_depthwise(weight) {
            let [batch, channels, _, _] = x.shape().dims();
            let geometry = self.geometry(x, weight);
            let found = depthwise_gradients(geometry, [batch, channels], x, weight, gradient);
            let [for_x, for_weight] = found;
            return [of_x.then_some(for_x), of_weight.then_some(for_weight)];
        }
        [
            of_x.then(|| self.input_gradient(x, weight, &gradient)),
            of_weight.then(|| match self.is_pointwise(weight) {
                true => pointwise_weight_gradient(x, &gradient),
                false => self.weight_gradient(x, weight, &gradient),
            }),
        ]
    }

    fn input_gradient(
        self,
        x: &FloatTensor<Flex>,
        weight: &FloatTensor<Flex>,
        gradient: &FloatTensor<Flex>,
    ) -> FloatTensor<Flex> {
        let [outputs, inputs, _, _] = weight.shape().dims();
        let [batch, channels, height, width] = x.shape().dims();
        if self.is_pointwise(weight) {
            let transposed = Flex::float_swap_dims(weight.clone(), 0, 1).to_contiguous();
            return Flex::conv2d(gradient.clone(), transposed, None, self.options());
        }
        let geometry = self.geometry(x, weight);
        let places = geometry.places();
        let weights = self.by_group(weight);
        let gradient = gradient.to_contiguous();
        let of_group = outputs / self.groups;
        let mut result = vec![0.0_f32; batch * channels * height * width];
        result
            .par_chunks_mut(inputs * height * width)
            .zip(gradient.storage::<f32>().par_chunks(of_group * places))
            .enumerate()
            .for_each(|(index, (result, gradient))| {
                let gradient = tensor(gradient.to_vec(), [of_group, places]);
                let weight = weights[index % self.groups].clone().transpose(0, 1);
                let columns = Flex::float_matmul(weight, gradient).to_contiguous();
                geometry.fold(columns.storage::<f32>(), result);
            });
        tensor(result, [batch, channels, height, width])
    }

    fn weight_gradient(
        self,
        x: &FloatTensor<Flex>,
        weight: &FloatTensor<Flex>,
        gradient: &FloatTensor<Flex>,
    ) -> FloatTensor<Flex> {
        let [outputs, inputs, kernel_height, kernel_width] = weight.shape().dims();
        let [_, _, height, width] = x.shape().dims();
        let geometry = self.geometry(x, weight);
        let (rows, places) = (inputs * geometry.taps(), geometry.places());
        let of_group = outputs / self.groups;
        let (x, gradient) = (x.to_contiguous(), gradient.to_contiguous());
        let parts: Vec<FloatTensor<Flex>> = x
            .storage::<f32>()
            .par_chunks(inputs * height * width)
            .zip(gradient.storage::<f32>().par_chunks(of_group * places))
            .map(|(x, gradient)| {
                let columns = tensor(geometry.unfold(x, inputs), [rows, places]);
                let gradient = tensor(gradient.to_vec(), [of_group, places]);
                Flex::float_matmul(gradient, columns.transpose(0, 1)).to_contiguous()
            })
            .collect();
        // Image after image, so that the sum does not depend on the threads.
        let mut sum = vec![0.0_f32; outputs * rows];
        for image in parts.chunks(self.groups) {
            for (sum, part) in sum.chunks_mut(of_group * rows).zip(image) {
                for (sum, part) in sum.iter_mut().zip(part.storage::<f32>()) {
                    *sum += part;
                }
            }
        }
        tensor(sum, [outputs, inputs, kernel_height, kernel_width])
    }

    fn options(self) -> ConvOptions<2> {
        ConvOptions::new([self.stride; 2], self.padding, [1; 2], self.groups)
    }

    /// Each channel by itself, in the form that [`super::depthwise`] knows.
    fn is_depthwise(self, weight: &FloatTensor<Flex>) -> bool {
        let [outputs, inputs, height, width] = weight.shape().dims();
        let keeps_size = self.padding == [(height - 1) / 2; 2] && height % 2 == 1;
        inputs == 1 && outputs == self.groups && height == width && keeps_size
    }

    fn is_pointwise(self, weight: &FloatTensor<Flex>) -> bool {
        let [_, _, height, width] = weight.shape().dims();
        [height, width] == [1; 2] && self.stride == 1 && self.padding == [0; 2] && self.groups == 1
    }

    /// The kernels of each group as a matrix `[output / groups, input / groups·k·l]`.
    fn by_group(self, weight: &FloatTensor<Flex>) -> Vec<FloatTensor<Flex>> {
        let [outputs, inputs, height, width] = weight.shape().dims();
        let (of_group, rows) = (outputs / self.groups, inputs * height * width);
        let weight = weight.to_contiguous();
        let groups = weight.storage::<f32>().chunks(of_group * rows);
        groups
            .map(|group| tensor(group.to_vec(), [of_group, rows]))
            .collect()
    }

    fn geometry(self, x: &FloatTensor<Flex>, weight: &FloatTensor<Flex>) -> Geometry {
        let [_, _, height, width] = x.shape().dims();
        let [_, _, kernel_height, kernel_width] = weight.shape().dims();
        let side = |side, kernel, padding: usize| (side + 2 * padding - kernel) / self.stride + 1;
        Geometry {
            height,
            width,
            output_height: side(height, kernel_height, self.padding[0]),
            output_width: side(width, kernel_width, self.padding[1]),
            kernel: [kernel_height, kernel_width],
            padding: self.padding,
            stride: self.stride,
        }
    }
}

/// The gradient for the weight of a 1x1 convolution, `[output, input, 1, 1]`: a product an image.
fn pointwise_weight_gradient(
    x: &FloatTensor<Flex>,
    gradient: &FloatTensor<Flex>,
) -> FloatTensor<Flex> {
    let matrices = |map: &FloatTensor<Flex>| {
        let [batch, channels, height, width] = map.shape().dims();
        map.to_contiguous()
            .reshape([batch, channels, height * width].into())
    };
    let [_, outputs, _, _] = gradient.shape().dims();
    let [_, inputs, _, _] = x.shape().dims();
    let products = Flex::float_matmul(matrices(gradient), matrices(x).transpose(1, 2));
    let products = products.to_contiguous();
    // Image after image, so that the sum does not depend on the threads.
    let mut sum = vec![0.0_f32; outputs * inputs];
    for product in products.storage::<f32>().chunks(outputs * inputs) {
        for (sum, product) in sum.iter_mut().zip(product) {
            *sum += product;
        }
    }
    tensor(sum, [outputs, inputs, 1, 1])
}
