//! Gradients of a convolution as matrix products.

use super::depthwise::{depthwise_input_gradient, depthwise_weight_gradient};
use super::geometry::Geometry;
use super::norm::tensor;
use alloc::vec;
use alloc::vec::Vec;
use burn::backend::ops::{ConvOptions, FloatTensorOps, ModuleOps};
use burn::backend::{Flex, TensorMetadata, tensor::FloatTensor};
use burn::tensor::Shape;
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
        Flex::conv2d(x, weight, None, self.options())
    }

    /// The gradient for x, shaped like it.
    pub(super) fn input_gradient(
        self,
        x: &FloatTensor<Flex>,
        weight: &FloatTensor<Flex>,
        gradient: &FloatTensor<Flex>,
    ) -> FloatTensor<Flex> {
        let [outputs, inputs, _, _] = weight.shape().dims();
        let [batch, channels, height, width] = x.shape().dims();
        let geometry = self.geometry(x, weight, gradient);
        if self.is_depthwise(weight) {
            return depthwise_input_gradient(geometry, batch, weight, gradient);
        }
        if self.is_pointwise(weight) {
            let transposed = Flex::float_swap_dims(weight.clone(), 0, 1).to_contiguous();
            return Flex::conv2d(gradient.clone(), transposed, None, self.options());
        }
        let (groups, places) = (self.groups, geometry.places());
        let rows = inputs * geometry.taps();
        let weight = weight.to_contiguous();
        let weight = weight
            .reshape(Shape::new([groups, outputs / groups, rows]))
            .transpose(1, 2);
        let gradient = gradient.to_contiguous();
        let mut result = vec![0.0_f32; batch * channels * height * width];
        result
            .par_chunks_mut(channels * height * width)
            .zip(gradient.storage::<f32>().par_chunks(outputs * places))
            .for_each(|(result, gradient)| {
                let gradient = tensor(gradient.to_vec(), [groups, outputs / groups, places]);
                let columns = Flex::float_matmul(weight.clone(), gradient).to_contiguous();
                geometry.fold(columns.storage::<f32>(), result);
            });
        tensor(result, [batch, channels, height, width])
    }

    /// The gradient for the weight, shaped like it.
    pub(super) fn weight_gradient(
        self,
        x: &FloatTensor<Flex>,
        weight: &FloatTensor<Flex>,
        gradient: &FloatTensor<Flex>,
    ) -> FloatTensor<Flex> {
        let [outputs, inputs, kernel_height, kernel_width] = weight.shape().dims();
        let [batch, channels, height, width] = x.shape().dims();
        let geometry = self.geometry(x, weight, gradient);
        if self.is_depthwise(weight) {
            return depthwise_weight_gradient(geometry, [batch, channels], x, gradient);
        }
        let (groups, places) = (self.groups, geometry.places());
        let rows = inputs * geometry.taps();
        let (x, gradient) = (x.to_contiguous(), gradient.to_contiguous());
        let parts: Vec<FloatTensor<Flex>> = x
            .storage::<f32>()
            .par_chunks(channels * height * width)
            .zip(gradient.storage::<f32>().par_chunks(outputs * places))
            .map(|(x, gradient)| {
                let columns = tensor(geometry.unfold(x, channels), [groups, rows, places]);
                let gradient = tensor(gradient.to_vec(), [groups, outputs / groups, places]);
                Flex::float_matmul(gradient, columns.transpose(1, 2)).to_contiguous()
            })
            .collect();
        // Image after image, so that the sum does not depend on the threads.
        let mut sum = vec![0.0_f32; outputs * rows];
        for part in &parts {
            for (sum, part) in sum.iter_mut().zip(part.storage::<f32>()) {
                *sum += part;
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

    fn geometry(
        self,
        x: &FloatTensor<Flex>,
        weight: &FloatTensor<Flex>,
        gradient: &FloatTensor<Flex>,
    ) -> Geometry {
        let [_, _, height, width] = x.shape().dims();
        let [_, _, kernel_height, kernel_width] = weight.shape().dims();
        let [_, _, output_height, output_width] = gradient.shape().dims();
        Geometry {
            height,
            width,
            output_height,
            output_width,
            kernel: [kernel_height, kernel_width],
            padding: self.padding,
            stride: self.stride,
        }
    }
}
