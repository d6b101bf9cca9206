//! A depthwise convolution and its gradients, plane by plane.
//!
//! Square kernels of odd side with the padding that keeps the size at stride 1 only. A plane is laid
//! out with a border of zeros, so that every tap of the kernel is a fixed distance in memory and a
//! whole plane one long vector operation a tap, short rows or not. The gradient of a strided layer is
//! spread out with zeros between, which makes its stride 1.

use super::geometry::Geometry;
use super::norm::tensor;
use crate::model::folded::owned;
use crate::model::vector::{self, Kernel, LANES};
use alloc::vec;
use alloc::vec::Vec;
use burn::backend::{Flex, tensor::FloatTensor};
use rayon::prelude::*;

/// Values that stay in the nearest cache while tap after tap looks at them, whole lanes.
const BLOCK: usize = 1024;

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
        let at = self.corner();
        for (y, values) in plane.chunks(self.geometry.width).enumerate() {
            let start = at + y * self.row;
            bordered[start..start + values.len()].copy_from_slice(values);
        }
    }

    /// Where the plane begins inside its border.
    fn corner(&self) -> usize {
        self.border * self.row + self.border
    }

    /// Writes a gradient's plane inside the border, spread out by the stride.
    fn write_gradient(&self, plane: &[f32], bordered: &mut [f32]) {
        let at = self.corner();
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

/// Room for one plane's work, used plane after plane.
struct Desk {
    layout: Layout,
    /// The input's plane inside its border.
    input: Vec<f32>,
    /// The gradient's plane, spread out, inside the same border.
    gradient: Vec<f32>,
    sums: Vec<f32>,
}

impl Desk {
    fn new(geometry: Geometry) -> Self {
        let layout = Layout::new(geometry);
        let (input, gradient) = (layout.blank(), layout.blank());
        let sums = vec![0.0; layout.span];
        Self {
            layout,
            input,
            gradient,
            sums,
        }
    }

    /// Takes a plane of the output's gradient.
    fn take(&mut self, gradient: &[f32]) {
        self.layout.write_gradient(gradient, &mut self.gradient);
    }

    /// The output's plane, at stride 1.
    fn output(&mut self, input: &[f32], kernel: &[f32], result: &mut [f32]) {
        self.layout.write_input(input, &mut self.input);
        vector::run(Correlate {
            bordered: &self.input,
            taps: &self.layout.taps,
            kernel,
            sums: &mut self.sums,
        });
        self.write_sums(result);
    }

    /// The gradient for the input's plane, of the gradient that was taken: correlated with the kernel
    /// turned by half a turn, which `turned` is.
    fn input_gradient(&mut self, turned: &[f32], result: &mut [f32]) {
        vector::run(Correlate {
            bordered: &self.gradient,
            taps: &self.layout.taps,
            kernel: turned,
            sums: &mut self.sums,
        });
        self.write_sums(result);
    }

    fn write_sums(&self, result: &mut [f32]) {
        let rows = self.sums.chunks(self.layout.row);
        for (result, sums) in result.chunks_mut(self.layout.geometry.width).zip(rows) {
            result.copy_from_slice(&sums[..result.len()]);
        }
    }

    /// The gradient for the kernel, of the gradient that was taken and the input's plane.
    fn weight_gradient(&mut self, input: &[f32], sums: &mut [f32]) {
        self.layout.write_input(input, &mut self.input);
        let gradient = &self.gradient[self.layout.corner()..][..self.layout.span];
        vector::run(Products {
            bordered: &self.input,
            taps: &self.layout.taps,
            gradient,
            sums,
        });
    }
}

/// The convolution itself at stride 1, `[batch, channels, height, width]` like `x`.
pub(super) fn depthwise(
    geometry: Geometry,
    [batch, channels]: [usize; 2],
    x: &FloatTensor<Flex>,
    weight: &FloatTensor<Flex>,
) -> FloatTensor<Flex> {
    let (x, weight) = (x.to_contiguous(), weight.to_contiguous());
    let [height, width] = [geometry.height, geometry.width];
    let (weight, taps) = (weight.storage::<f32>(), geometry.taps());
    let mut output = vec![0.0_f32; batch * channels * height * width];
    output
        .par_chunks_mut(height * width)
        .zip(x.storage::<f32>().par_chunks(height * width))
        .enumerate()
        .for_each_init(
            || Desk::new(geometry),
            |desk, (plane, (output, x))| {
                desk.output(x, &weight[plane % channels * taps..][..taps], output);
            },
        );
    tensor(output, [batch, channels, height, width])
}

/// The gradients for the input, `[batch, channels, height, width]`, and for the kernels, `[channels,
/// 1, kernel, kernel]`. At stride 1 the former takes the memory of the output's gradient where nobody
/// else holds it.
pub(super) fn depthwise_gradients(
    geometry: Geometry,
    [batch, channels]: [usize; 2],
    x: &FloatTensor<Flex>,
    weight: &FloatTensor<Flex>,
    gradient: FloatTensor<Flex>,
) -> [FloatTensor<Flex>; 2] {
    let (x, weight, mut gradient) = (x.to_contiguous(), weight.to_contiguous(), owned(gradient));
    let (taps, places) = (geometry.taps(), geometry.places());
    let [height, width] = [geometry.height, geometry.width];
    let planes = x.storage::<f32>().par_chunks(height * width);
    let mut turned = weight.storage::<f32>().to_vec();
    turned.chunks_mut(taps).for_each(<[f32]>::reverse);
    let turned = |plane: usize| &turned[plane % channels * taps..][..taps];
    let mut parts = vec![0.0_f32; batch * channels * taps];
    let works = parts.par_chunks_mut(taps).zip(planes).enumerate();
    let of_x = if geometry.stride == 1 && places == height * width {
        let gradients = gradient.storage_mut::<f32>().par_chunks_mut(places);
        works.zip(gradients).for_each_init(
            || Desk::new(geometry),
            |desk, ((plane, (sums, x)), gradient)| {
                desk.take(gradient);
                desk.weight_gradient(x, sums);
                desk.input_gradient(turned(plane), gradient);
            },
        );
        gradient
    } else {
        let mut result = vec![0.0_f32; batch * channels * height * width];
        let results = result.par_chunks_mut(height * width);
        let gradients = gradient.storage::<f32>().par_chunks(places);
        works.zip(gradients.zip(results)).for_each_init(
            || Desk::new(geometry),
            |desk, ((plane, (sums, x)), (gradient, result))| {
                desk.take(gradient);
                desk.weight_gradient(x, sums);
                desk.input_gradient(turned(plane), result);
            },
        );
        tensor(result, [batch, channels, height, width])
    };
    // Image after image, so that the sum does not depend on the threads.
    let (sum, others) = parts.split_at_mut(channels * taps);
    for part in others.chunks(sum.len()) {
        for (sum, part) in sum.iter_mut().zip(part) {
            *sum += part;
        }
    }
    let [height, width] = geometry.kernel;
    [of_x, tensor(sum.to_vec(), [channels, 1, height, width])]
}

/// sums[i] = Σ over taps of bordered[i + tap]·kernel.
struct Correlate<'a> {
    bordered: &'a [f32],
    taps: &'a [usize],
    kernel: &'a [f32],
    sums: &'a mut [f32],
}

impl Kernel for Correlate<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (chunk, sums) in self.sums.chunks_exact_mut(LANES).enumerate() {
            let mut lanes = [0.0_f32; LANES];
            for (&tap, &weight) in self.taps.iter().zip(self.kernel) {
                let seen = &self.bordered[chunk * LANES + tap..][..LANES];
                for (lane, &value) in lanes.iter_mut().zip(seen) {
                    *lane += weight * value;
                }
            }
            sums.copy_from_slice(&lanes);
        }
    }
}

/// sums[tap] = Σ over i of bordered[i + tap]·gradient[i].
struct Products<'a> {
    bordered: &'a [f32],
    taps: &'a [usize],
    /// Whole lanes.
    gradient: &'a [f32],
    sums: &'a mut [f32],
}

impl Kernel for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.sums.fill(0.0);
        for (block, gradient) in self.gradient.chunks(BLOCK).enumerate() {
            for (sum, &tap) in self.sums.iter_mut().zip(self.taps) {
                *sum += product(&self.bordered[block * BLOCK + tap..], gradient);
            }
        }
    }
}

/// Σ x[i]·gradient[i].
#[inline(always)]
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
