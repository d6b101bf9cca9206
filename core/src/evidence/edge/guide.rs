//! Where the edge is likely: how a small network sees the whole fluke at once.
//!
//! The line that is traced is the strongest one, and now and then that is a horizon, a wake or the
//! border of a white patch. What a fluke looks like tells them apart (as in Weideman et al., *Extracting Identifying
//! Contours for African Elephants and Humpback Whales Using a Learned Appearance Model*, 2020). The network is
//! the code's, not a bundle's: how an edge looks is the same in every catalogue. It is trained by `flukeprint guide`, in
//! burn; here the same is computed in plain loops, because a photo is traced where no device is.

use alloc::borrow::Cow;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use super::field::Field;
use super::larger;
use crate::Result;
use crate::bundle::weights;
use crate::evidence::image::GrayImage;
use crate::model::named;

/// The picture that the network sees.
pub const ROWS: usize = 64;
/// Its columns.
pub const COLUMNS: usize = 128;

/// One convolution of 3 x 3 pixels. All are followed by a ReLU but the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layer {
    /// What its tensors are called, `NAME.weight` and `NAME.bias`.
    pub name: &'static str,
    /// Channels in.
    pub input: usize,
    /// Channels out.
    pub output: usize,
    /// Pixels from one place to the next: 2 halves the map.
    pub stride: usize,
    /// Pixels from one tap to the next; as many zeros are around the map.
    pub dilation: usize,
}

const fn layer(name: &'static str, [input, output]: [usize; 2]) -> Layer {
    Layer {
        name,
        input,
        output,
        stride: 1,
        dilation: 1,
    }
}

const fn halving(name: &'static str, channels: [usize; 2]) -> Layer {
    Layer {
        stride: 2,
        ..layer(name, channels)
    }
}

/// The network: down to an eighth, and up again, each map beside what was seen at its size on the way down.
pub const LAYERS: [Layer; 12] = [
    layer("whole", [3, 8]),
    halving("to_half", [8, 16]),
    layer("half", [16, 16]),
    halving("to_quarter", [16, 24]),
    layer("quarter", [24, 24]),
    halving("to_eighth", [24, 32]),
    layer("eighth", [32, 32]),
    Layer {
        dilation: 2,
        ..layer("around", [32, 32])
    },
    layer("up_to_quarter", [32 + 24, 24]),
    layer("up_to_half", [24 + 16, 16]),
    layer("up_to_whole", [16 + 8, 12]),
    layer("likely", [12, 1]),
];

/// What the network is fed, `[3, 64, 128]`: the picture from -1 to 1, how far down a pixel is, from -1 to 1, and the square of how
/// far from the middle.
pub fn input(picture: &[f32]) -> Vec<f32> {
    let across = |place: usize, count: usize| 2.0 * place as f32 / (count - 1) as f32 - 1.0;
    let places = || (0..ROWS).flat_map(|row| (0..COLUMNS).map(move |column| (row, column)));
    let down = places().map(|(row, _)| across(row, ROWS));
    let aside = places().map(|(_, column)| across(column, COLUMNS) * across(column, COLUMNS));
    picture.iter().copied().chain(down).chain(aside).collect()
}

/// The network.
#[derive(Clone, Debug)]
pub struct Guide {
    /// Weights `[output, input, 3, 3]` and biases of every layer.
    layers: Vec<[Vec<f32>; 2]>,
}

impl Guide {
    /// The network of this version, which traces every edge.
    ///
    /// # Errors
    /// None, as a test makes sure.
    pub fn shipped() -> Result<Self> {
        Self::read("guide.safetensors", include_bytes!("guide.safetensors"))
    }

    /// A network from a safetensors file called `file`.
    ///
    /// # Errors
    /// [`Error::Bundle`](crate::Error::Bundle) when `bytes` are no safetensors file, [`Error::Tensor`](crate::Error::Tensor) for the first tensor that is missing or has
    /// another shape.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self> {
        let mut tensors = weights::decode(file, bytes)?;
        let layers = LAYERS.iter().map(|layer| {
            let kernel = [layer.output, layer.input, 3, 3];
            let mut take = |kind, shape: &[usize]| {
                named::take(&mut tensors, file, &format!("{}.{kind}", layer.name), shape)
            };
            let weights = take("weight", &kernel)?;
            let biases = take("bias", &[layer.output])?;
            Ok([weights, biases])
        });
        Ok(Self {
            layers: layers.collect::<Result<_>>()?,
        })
    }

    /// The logarithm of how likely the edge runs through each pixel of its column, `[64, 128]`, for a picture as [`Sight`](super::Sight) has it.
    pub fn likely(&self, picture: &[f32]) -> Vec<f32> {
        let seen = Maps::of(ROWS, COLUMNS, &input(picture));
        let of = |layer: usize, input: &Maps| self.convolved(layer, input);
        let whole = of(0, &seen);
        let half = of(2, &of(1, &whole));
        let quarter = of(4, &of(3, &half));
        let eighth = of(7, &of(6, &of(5, &quarter)));
        let quarter = of(8, &eighth.doubled().beside(&quarter));
        let half = of(9, &quarter.doubled().beside(&half));
        let whole = of(10, &half.doubled().beside(&whole));
        log_shares(&of(11, &whole))
    }

    /// The field's picture as the network sees it, `[64, 128]` from -1 to 1.
    pub(super) fn picture(field: &Field) -> Vec<f32> {
        let (rows, columns) = (field.rows, field.columns);
        let range = |place: usize, count: usize, size: usize| {
            let first = place * size / count;
            first..((place + 1) * size / count).max(first + 1)
        };
        let mut picture = Vec::with_capacity(ROWS * COLUMNS);
        for row in 0..ROWS {
            let rows = range(row, ROWS, rows);
            for column in 0..COLUMNS {
                let mean = mean(
                    &field.picture,
                    rows.clone(),
                    range(column, COLUMNS, columns),
                );
                picture.push(mean / 127.5 - 1.0);
            }
        }
        picture
    }

    fn convolved(&self, place: usize, input: &Maps) -> Maps {
        let layer = LAYERS[place];
        let [weights, biases] = &self.layers[place];
        let (rows, columns) = (input.rows / layer.stride, input.columns / layer.stride);
        let mut output = Maps::empty(layer.output, rows, columns);
        let input = Taps::of(input, layer);
        let (kernels, _) = weights.as_chunks::<9>();
        let kernels = kernels.chunks_exact(layer.input).zip(biases);
        for (channel, (kernels, &bias)) in kernels.enumerate() {
            for row in 0..rows {
                let below = |down| row * layer.stride + down * layer.dilation;
                let rows = [0, 1, 2].map(|down| below(down).checked_sub(layer.dilation));
                let line = output.line_mut(channel, row);
                let (blocks, _) = line.as_chunks_mut::<BLOCK>();
                for (at, block) in blocks.iter_mut().enumerate() {
                    *block = [bias; BLOCK];
                    add(block, &input, rows, kernels, at * BLOCK);
                }
                if place + 1 < LAYERS.len() {
                    line.iter_mut()
                        .for_each(|value| *value = larger(*value, 0.0));
                }
            }
        }
        output
    }
}

/// Places of a line that are computed together, and stay in the processor's registers meanwhile. Every line has a multiple of them.
const BLOCK: usize = 16;

/// Adds to places of a line, from `first` on, what all taps of all channels see from there, three of a line at a time, in the order in which they
/// stand. `rows` are those of the map that the taps see, those outside it are zeros. A function of its own: a browser makes fast what is called often.
#[inline(never)]
fn add(
    block: &mut [f32; BLOCK],
    input: &Taps<'_>,
    rows: [Option<usize>; 3],
    kernels: &[[f32; 9]],
    first: usize,
) {
    for (channel, kernel) in kernels.iter().enumerate() {
        for (row, taps) in rows.iter().zip(kernel.as_chunks::<3>().0) {
            let Some(seen) = row.and_then(|row| input.seen(channel, row, first)) else {
                continue;
            };
            for (place, value) in block.iter_mut().enumerate() {
                let [a, b, c] = [0, 1, 2].map(|tap| taps[tap] * seen[tap][place]);
                *value = *value + a + b + c;
            }
        }
    }
}

/// Zeros to both sides of every line: as far as a tap reaches.
const PAD: usize = 2;

/// Maps of one size.
struct Maps {
    rows: usize,
    columns: usize,
    /// `[channels, rows, PAD + columns + PAD]`.
    values: Vec<f32>,
}

impl Maps {
    fn empty(channels: usize, rows: usize, columns: usize) -> Self {
        Self {
            rows,
            columns,
            values: vec![0.0; channels * rows * (columns + 2 * PAD)],
        }
    }

    fn of(rows: usize, columns: usize, values: &[f32]) -> Self {
        let channels = values.len() / (rows * columns);
        let mut maps = Self::empty(channels, rows, columns);
        for (place, line) in values.chunks_exact(columns).enumerate() {
            maps.line_mut(place / rows, place % rows)
                .copy_from_slice(line);
        }
        maps
    }

    fn width(&self) -> usize {
        self.columns + 2 * PAD
    }

    fn line_mut(&mut self, channel: usize, row: usize) -> &mut [f32] {
        let width = self.width();
        &mut self.values[(channel * self.rows + row) * width..][PAD..PAD + self.columns]
    }

    /// Twice as large, every pixel four.
    fn doubled(&self) -> Self {
        let width = self.width();
        let channels = self.values.len() / (self.rows * width);
        let mut doubled = Self::empty(channels, 2 * self.rows, 2 * self.columns);
        for (place, line) in self.values.chunks_exact(width).enumerate() {
            let pairs = line[PAD..PAD + self.columns].iter();
            let pairs: Vec<f32> = pairs.flat_map(|&value| [value, value]).collect();
            for row in [2 * place, 2 * place + 1] {
                doubled.line_mut(0, row).copy_from_slice(&pairs);
            }
        }
        doubled
    }

    /// These channels and then those of `other`, which is as large.
    fn beside(mut self, other: &Self) -> Self {
        self.values.extend_from_slice(&other.values);
        self
    }
}

/// Maps of which each of a kernel's three taps sees neighbouring values from neighbouring places.
struct Taps<'a> {
    rows: usize,
    width: usize,
    /// Lines, each of a map; where every second place is left out, its even values and then its odd ones.
    values: Cow<'a, [f32]>,
    /// What the taps see from the first place, in a line.
    first: [usize; 3],
}

impl<'a> Taps<'a> {
    fn of(maps: &'a Maps, layer: Layer) -> Self {
        let (rows, width) = (maps.rows, maps.width());
        let [left, here, right] = [PAD - layer.dilation, PAD, PAD + layer.dilation];
        if layer.stride == 1 {
            return Self {
                rows,
                width,
                values: Cow::Borrowed(&maps.values),
                first: [left, here, right],
            };
        }
        let parted = |line: &'a [f32]| {
            let [even, odd] = [0, 1].map(|first| line[first..].iter().step_by(2).copied());
            even.chain(odd)
        };
        Self {
            rows,
            width,
            values: maps.values.chunks_exact(width).flat_map(parted).collect(),
            first: [left, here, right].map(|at| at % 2 * (width / 2) + at / 2),
        }
    }

    /// What the taps see in a row from [`BLOCK`] places, none outside.
    fn seen(&self, channel: usize, row: usize, place: usize) -> Option<[&[f32; BLOCK]; 3]> {
        let row = Some(row).filter(|&row| row < self.rows)?;
        let line = &self.values[(channel * self.rows + row) * self.width..][..self.width];
        let [a, b, c] = self.first.map(|tap| line[tap + place..].first_chunk());
        Some([a?, b?, c?])
    }
}

/// Every column's logarithms of shares (softmax), of a single map.
fn log_shares(map: &Maps) -> Vec<f32> {
    let at = |row: usize, column: usize| map.values[row * map.width() + PAD + column];
    let mut shares = vec![0.0; map.rows * map.columns];
    for column in 0..map.columns {
        let rows = || (0..map.rows).map(|row| at(row, column));
        let most = rows().fold(f32::NEG_INFINITY, f32::max);
        let sum: f32 = rows().map(|value| libm::expf(value - most)).sum();
        let sum = most + libm::logf(sum);
        for row in 0..map.rows {
            shares[row * map.columns + column] = at(row, column) - sum;
        }
    }
    shares
}

fn mean(
    picture: &GrayImage,
    rows: core::ops::Range<usize>,
    columns: core::ops::Range<usize>,
) -> f32 {
    let count = rows.len() * columns.len();
    let lines = rows.map(|row| picture.row(row)[columns.clone()].iter().sum::<f32>());
    lines.sum::<f32>() / count as f32
}
