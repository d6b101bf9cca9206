//! How near strangers come to a piece of an edge: its background.
//!
//! Smooth pieces are near to many others, a nick of a form of its own to none. Of a query's pieces that is measured over the gallery
//! (`fit`). To measure it of all pieces of a gallery would take as many comparisons as there are pairs of photos; but a piece's form
//! alone tells it almost as well, and a small network has learnt how. Like the guide it is the code's, not a bundle's: what is
//! common is so in every catalogue. `flukeprint background` trains it, in burn; here the same is computed in plain loops.

use alloc::vec::Vec;

use super::curve::Edge;
use super::lay::FAR;
use super::segments::{FORM, PIECES, Scales};
use super::{larger, root};
use crate::Result;
use crate::bundle::weights;
use crate::model::named;

/// Numbers that the network is fed of a piece.
pub const INPUTS: usize = 2 * FORM + 4;
/// Its hidden units, rectified.
pub const HIDDEN: usize = 32;
/// The mean of all pieces' backgrounds: a place is rare above it, common below. From data/hwi.
pub(super) const USUAL: f32 = 0.491;
/// Of every so manyeth piece it is computed, between them it lies evenly: they overlap by nine tenths.
const EVERY: usize = 4;
/// What a piece of no height at all counts as, so that a form can be divided by its size.
const LEAST: f32 = 0.05;
/// Places to a tip from which on a piece is looked for to both sides alike.
const TO_TIP: f32 = FAR as f32;

/// The network.
#[derive(Clone, Debug)]
pub struct Background {
    /// `[inputs, hidden]`.
    hidden: Vec<[f32; HIDDEN]>,
    bias: [f32; HIDDEN],
    /// `[hidden]`.
    output: [f32; HIDDEN],
    output_bias: f32,
}

impl Background {
    /// The network of this version.
    ///
    /// # Errors
    /// None, as a test makes sure.
    pub fn shipped() -> Result<Self> {
        let bytes = include_bytes!("background.safetensors");
        Self::read("background.safetensors", bytes)
    }

    /// A network from a safetensors file called `file`: `hidden.weight` `[76, 32]`, `hidden.bias`, `output.weight` `[32, 1]`,
    /// `output.bias`.
    ///
    /// # Errors
    /// [`Error::Bundle`](crate::Error::Bundle) when `bytes` are no safetensors file, [`Error::Tensor`](crate::Error::Tensor) for the first tensor that is missing or has
    /// another shape.
    pub fn read(file: &str, bytes: &[u8]) -> Result<Self> {
        let mut tensors = weights::decode(file, bytes)?;
        let mut take = |name, shape: &[usize]| named::take(&mut tensors, file, name, shape);
        let rows = take("hidden.weight", &[INPUTS, HIDDEN])?;
        let bias = take("hidden.bias", &[HIDDEN])?;
        let output = take("output.weight", &[HIDDEN, 1])?;
        let output_bias = take("output.bias", &[1])?;
        let line = |values: &[f32]| core::array::from_fn(|unit| values[unit]);
        Ok(Self {
            hidden: rows.chunks_exact(HIDDEN).map(line).collect(),
            bias: line(&bias),
            output: line(&output),
            output_bias: output_bias[0],
        })
    }

    /// The distance, 0 to 2, at which some fifty of 3,000 strangers' edges come nearer to a piece that is so fed.
    pub fn of(&self, input: &[f32; INPUTS]) -> f32 {
        let mut units = self.bias;
        for (value, weights) in input.iter().zip(&self.hidden) {
            for (unit, weight) in units.iter_mut().zip(weights) {
                *unit += value * weight;
            }
        }
        let rectified = units.iter().zip(&self.output);
        let sum: f32 = rectified.map(|(unit, out)| larger(*unit, 0.0) * out).sum();
        sum + self.output_bias
    }

    /// Of every piece of an edge, `[192]`, most of them between two others.
    pub(super) fn of_pieces(&self, edge: &Scales) -> [f32; PIECES] {
        let last = PIECES - 1;
        let computed = (0..PIECES + EVERY).step_by(EVERY);
        let at: Vec<f32> = computed
            .map(|number| self.of(&input(edge, number.min(last))))
            .collect();
        core::array::from_fn(|number| {
            let before = number / EVERY * EVERY;
            let apart = EVERY.min(last - before).max(1);
            let share = (number - before) as f32 / apart as f32;
            at[number / EVERY] * (1.0 - share) + at[number / EVERY + 1] * share
        })
    }
}

/// What the network is fed of every piece of an edge, `[192]`: its form by its size, that without signs, the logarithm of its size and
/// where it lies.
pub fn inputs(edge: &Edge) -> Vec<[f32; INPUTS]> {
    let scales = Scales::of(edge);
    (0..PIECES).map(|number| input(&scales, number)).collect()
}

pub(super) fn input(edge: &Scales, number: usize) -> [f32; INPUTS] {
    let form = edge.form(number);
    let squares: f32 = form.iter().map(|value| value * value).sum();
    // The root of the sum of the scales' mean squares.
    let size = root(squares * 3.0 / FORM as f32) + LEAST;
    let last = (PIECES - 1) as f32;
    let from_middle = (number as f32 - last / 2.0).abs() / (last / 2.0);
    let to_tip = number.min(PIECES - 1 - number) as f32;
    let place = [
        libm::logf(size),
        from_middle,
        from_middle * from_middle,
        larger(TO_TIP - to_tip, 0.0) / TO_TIP,
    ];
    let by_size = form.map(|value| value / size);
    let mut input = [0.0; INPUTS];
    let without_sign = by_size.map(f32::abs);
    let all = by_size.iter().chain(&without_sign).chain(&place);
    for (input, value) in input.iter_mut().zip(all) {
        *input = *value;
    }
    input
}

#[cfg(test)]
mod tests {
    use super::super::curve::EDGE;
    use super::super::tests::{BOX, Numbers, any_edge, photo, ripples, traced};
    use super::*;

    fn mean(values: &[f32]) -> f32 {
        values.iter().sum::<f32>() / values.len() as f32
    }

    #[test]
    fn the_network_of_this_version_holds_a_fluke_for_more_common_than_a_jagged_line() {
        let network = Background::shipped().unwrap();
        let of = |edge: &Edge| mean(&network.of_pieces(&Scales::of(edge)));
        let mut numbers = Numbers(11);
        let jagged = of(&any_edge(&mut numbers));
        let fluke = of(&traced(
            &photo(&ripples(&mut numbers), [40.0, 200.0], 4.0),
            BOX,
        ));
        assert!(0.2 < fluke && fluke < jagged - 0.05, "{fluke} {jagged}");
        // What has no form is as far from everything as what is at right angles: the root of 2.
        let level = of(&Edge::from_steps([0; EDGE]));
        assert!(jagged < level && level < 1.5, "{jagged} {level}");
    }

    #[test]
    fn between_the_pieces_that_are_computed_it_lies_evenly() {
        let network = Background::shipped().unwrap();
        let edge = any_edge(&mut Numbers(12));
        let all = network.of_pieces(&Scales::of(&edge));
        let inputs = inputs(&edge);
        let at = |number: usize| network.of(&inputs[number]);
        for number in [0, 4, 100, 188, 191] {
            assert!((all[number] - at(number)).abs() < 1e-6, "{number}");
        }
        assert!((all[9] - (0.75 * at(8) + 0.25 * at(12))).abs() < 1e-6);
        assert!((all[190] - (at(188) + 2.0 * at(191)) / 3.0).abs() < 1e-6);
    }

    #[test]
    fn what_is_fed_knows_form_size_and_place() {
        let edge = any_edge(&mut Numbers(13));
        let half = Edge::from_steps(edge.as_steps().map(|step| 2 * (step / 2)));
        let fed = inputs(&half);
        // Half as high: the same form, less its size by the logarithm of 2.
        let lower = inputs(&Edge::from_steps(half.as_steps().map(|step| step / 2)));
        for (fed, lower) in fed[60].iter().zip(&lower[60]).take(2 * FORM) {
            assert!((fed - lower).abs() < 0.1, "{fed} {lower}");
        }
        assert!((fed[60][2 * FORM] - lower[60][2 * FORM] - 0.69).abs() < 0.15);
        // Both tips are alike, and the middle is away from them.
        assert_eq!(fed[0][2 * FORM + 1..], [1.0, 1.0, 1.0]);
        assert_eq!(fed[191][2 * FORM + 1..], [1.0, 1.0, 1.0]);
        assert!(fed[96][2 * FORM + 1] < 0.01 && fed[96][2 * FORM + 3] == 0.0);
    }

    #[test]
    fn a_file_that_is_no_such_network_is_refused_by_its_name() {
        let refused = Background::read("mine", b"no network").unwrap_err();
        assert!(alloc::format!("{refused}").contains("mine"));
        let guide = include_bytes!("guide.safetensors");
        let refused = alloc::format!("{}", Background::read("mine", guide).unwrap_err());
        assert!(refused.contains("hidden.weight"), "{refused}");
    }
}
