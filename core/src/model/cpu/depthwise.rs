//! Gradients of a depthwise convolution, plane by plane.
//!
//! Square kernels of odd side with the padding that keeps the size at stride 1 only. A plane is laid out with a border of zeros, so that every tap of the kernel is a fixed distance
//! in memory and a whole plane one long vector operation a tap, short rows or not. The gradient of
//! a strided layer is spread out with zeros between, which makes its stride 1.

use super::geometry::Geometry;
use super::norm::tensor;
use alloc::vec;
use alloc::vec::Vec;
use burn::backend::{Flex, TensorMetadata, tensor::FloatTensor};
use rayon::prelude::*;

/// Values worked on side by side.
const LANES: usize = 16;

/// The bordered form of a layer's planes.
struct Layout {
    geometry: Geometry,
    border: usize,
    /// Values from one row to the next.
    row: usize,
    /// Values from the first place to behind the last, whole lanes of them.
    span: usize,
    /// Distance in memory of each tap.
    taps: Vec<usize>,
}

impl Layout {
    fn new(geometry: Geometry) -> Self {
        let border = geometry.padding[0];
        let row = geometry.width + 2 * border;
        let taps = (0..geometry.kernel[0])
            .flat_map(|y| (0..geometry.kernel[1]).map(move |x| y * row + x))
            .collect();
        Self {
            geometry,
            border,
            row,
            span: (geometry.height * row).next_multiple_of(LANES),
            taps,
        }
    }

    /// Zeros with room for a bordered plane, as far as a tap of the last lane reaches.
    fn blank(&self) -> Vec<f32> {
        vec![0.0; self.span + self.geometry.kernel[0] * (self.row + 1)]
    }

    /// Writes an input's plane inside its border.
    fn write_input(&self, plane: &[f32], bordered: &mut [f32]) {
        let at = self.border * self.row + self.border;
        for (y, values) in plane.chunks(self.geometry.width).enumerate() {
            let start = at + y * self.row;
            bordered[start..start + values.len()].copy_from_slice(values);
        }
    }

    /// Writes a gradient's plane, spread out by the stride, from the place `at` on.
    fn write_gradient(&self, plane: &[f32], at: usize, bordered: &mut [f32]) {
        let stride = self.geometry.stride;
        for (y, values) in plane.chunks(self.geometry.output_width).enumerate() {
            let places = bordered[at + y * stride * self.row..]
                .iter_mut()
                .step_by(stride);
            for (place, &value) in places.zip(values) {
                *place = value;
            }
        }
    }
}

/// The gradient for the input, `[batch, channels, height, width]`: each plane of the output's
/// gradient correlated with the kernel turned by half a turn.
pub(super) fn depthwise_input_gradient(
    geometry: Geometry,
    batch: usize,
    weight: &FloatTensor<Flex>,
    gradient: &FloatTensor<Flex>,
) -> FloatTensor<Flex> {
    let (weight, gradient) = (weight.to_contiguous(), gradient.to_contiguous());
    let [channels, _, _, _] = weight.shape().dims();
    let taps = geometry.taps();
    let Geometry { height, width, .. } = geometry;
    let places = geometry.places();
    let layout = Layout::new(geometry);
    let corner = layout.border * layout.row + layout.border;
    let weight = weight.storage::<f32>();
    let mut result = vec![0.0_f32; batch * channels * height * width];
    result
        .par_chunks_mut(height * width)
        .zip(gradient.storage::<f32>().par_chunks(places))
        .enumerate()
        .for_each_init(
            || (layout.blank(), vec![0.0_f32; layout.span]),
            |(bordered, sums), (plane, (result, gradient))| {
                layout.write_gradient(gradient, corner, bordered);
                let channel = plane % channels;
                let kernel = &weight[channel * taps..(channel + 1) * taps];
                correlate(bordered, &layout.taps, kernel, sums);
                for (result, sums) in result.chunks_mut(width).zip(sums.chunks(layout.row)) {
                    result.copy_from_slice(&sums[..width]);
                }
            },
        );
    tensor(result, [batch, channels, height, width])
}

/// The gradient for the kernels, `[channels, 1, kernel, kernel]`.
pub(super) fn depthwise_weight_gradient(
    geometry: Geometry,
    [batch, channels]: [usize; 2],
    x: &FloatTensor<Flex>,
    gradient: &FloatTensor<Flex>,
) -> FloatTensor<Flex> {
    let (x, gradient) = (x.to_contiguous(), gradient.to_contiguous());
    let taps = geometry.taps();
    let places = geometry.places();
    let layout = Layout::new(geometry);
    let mut parts = vec![0.0_f32; batch * channels * taps];
    parts
        .par_chunks_mut(taps)
        .zip(
            x.storage::<f32>()
                .par_chunks(geometry.height * geometry.width),
        )
        .zip(gradient.storage::<f32>().par_chunks(places))
        .for_each_init(
            || (layout.blank(), vec![0.0_f32; layout.span]),
            |(bordered, spread), ((sums, x), gradient)| {
                layout.write_input(x, bordered);
                layout.write_gradient(gradient, 0, spread);
                for (sum, &tap) in sums.iter_mut().zip(&layout.taps) {
                    *sum = product(&bordered[tap..], spread);
                }
            },
        );
    // Image after image, so that the sum does not depend on the threads.
    let (sum, others) = parts.split_at_mut(channels * taps);
    for part in others.chunks(sum.len()) {
        for (sum, part) in sum.iter_mut().zip(part) {
            *sum += part;
        }
    }
    let [height, width] = geometry.kernel;
    tensor(sum.to_vec(), [channels, 1, height, width])
}

/// sums[i] = Σ over taps of bordered[i + tap]·kernel, the kernel read backwards.
fn correlate(bordered: &[f32], taps: &[usize], kernel: &[f32], sums: &mut [f32]) {
    for (chunk, sums) in sums.chunks_exact_mut(LANES).enumerate() {
        let mut lanes = [0.0_f32; LANES];
        for (&tap, &weight) in taps.iter().zip(kernel.iter().rev()) {
            let seen = &bordered[chunk * LANES + tap..][..LANES];
            for (lane, &value) in lanes.iter_mut().zip(seen) {
                *lane += weight * value;
            }
        }
        sums.copy_from_slice(&lanes);
    }
}

/// Σ x[i]·gradient[i].
fn product(x: &[f32], gradient: &[f32]) -> f32 {
    let mut lanes = [0.0_f32; LANES];
    let x = x.chunks_exact(LANES);
    for (x, gradient) in x.zip(gradient.chunks_exact(LANES)) {
        for ((lane, x), gradient) in lanes.iter_mut().zip(x).zip(gradient) {
            *lane += x * gradient;
        }
    }
    lanes.iter().sum()
}
