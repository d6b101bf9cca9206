//! Which input a tap of the kernel sees, and the columns that turn a convolution into a product.

use alloc::vec;
use alloc::vec::Vec;
use core::ops::Range;

/// How one image runs through a convolution.
#[derive(Clone, Copy)]
pub(super) struct Geometry {
    pub height: usize,
    pub width: usize,
    pub output_height: usize,
    pub output_width: usize,
    /// Height and width.
    pub kernel: [usize; 2],
    /// Rows above and below, columns left and right.
    pub padding: [usize; 2],
    pub stride: usize,
}

impl Geometry {
    /// Calls `row(tap, output, input)` for each tap of the kernel and row of the output: the range
    /// of the output's plane whose places see the image through that tap, and the range of the
    /// input's plane that they see, every `stride`-th value of it.
    fn each_row(&self, mut row: impl FnMut(usize, Range<usize>, Range<usize>)) {
        for tap_y in 0..self.kernel[0] {
            let rows = self.seen(0, tap_y);
            for tap_x in 0..self.kernel[1] {
                let columns = self.seen(1, tap_x);
                if columns.is_empty() {
                    continue;
                }
                for y in rows.clone() {
                    let output = y * self.output_width;
                    let input = self.place(0, y, tap_y) * self.width;
                    row(
                        tap_y * self.kernel[1] + tap_x,
                        output + columns.start..output + columns.end,
                        input + self.place(1, columns.start, tap_x)
                            ..input + self.place(1, columns.end - 1, tap_x) + 1,
                    );
                }
            }
        }
    }

    /// Taps of the kernel.
    pub(super) fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Places of the output's plane.
    pub(super) fn places(&self) -> usize {
        self.output_height * self.output_width
    }

    /// Height and width of the output's plane.
    pub(super) fn output_size(&self) -> [usize; 2] {
        [self.output_height, self.output_width]
    }

    /// The outputs along an axis that see the image, not its padding, through a tap.
    fn seen(&self, axis: usize, tap: usize) -> Range<usize> {
        let (input, output) = match axis {
            0 => (self.height, self.output_height),
            _ => (self.width, self.output_width),
        };
        let padding = self.padding[axis];
        let start = padding.saturating_sub(tap).div_ceil(self.stride);
        let end = (input + padding).saturating_sub(tap).div_ceil(self.stride);
        start..end.min(output)
    }

    /// Where an output sees the input through a tap, along an axis.
    fn place(&self, axis: usize, output: usize, tap: usize) -> usize {
        output * self.stride + tap - self.padding[axis]
    }

    /// `[channels, height, width]` as the columns `[channels·taps, output places]` (im2col).
    pub(super) fn unfold(&self, x: &[f32], channels: usize) -> Vec<f32> {
        let places = self.places();
        let taps = self.taps();
        let mut columns = vec![0.0_f32; channels * taps * places];
        let planes = x.chunks(self.height * self.width);
        for (columns, x) in columns.chunks_mut(taps * places).zip(planes) {
            self.each_row(|tap, output, input| {
                let columns = &mut columns[tap * places..(tap + 1) * places][output];
                for (column, x) in columns.iter_mut().zip(x[input].iter().step_by(self.stride)) {
                    *column = *x;
                }
            });
        }
        columns
    }

    /// Adds columns back to where [`Self::unfold`] took them from.
    pub(super) fn fold(&self, columns: &[f32], x: &mut [f32]) {
        let places = self.places();
        let taps = self.taps();
        let planes = x.chunks_mut(self.height * self.width);
        for (columns, x) in columns.chunks(taps * places).zip(planes) {
            self.each_row(|tap, output, input| {
                let columns = &columns[tap * places..(tap + 1) * places][output];
                for (x, column) in x[input].iter_mut().step_by(self.stride).zip(columns) {
                    *x += column;
                }
            });
        }
    }
}
