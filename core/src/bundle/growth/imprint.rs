//! A column of the classifier out of gallery photos: imprinted weights (Qi, Brown and Lowe, 2018).
//!
//! Qi and others imprint into a classifier of cosines, where the normalised feature is the column. Ours
//! is linear, with a bias, on features that are not of unit length. So a column is the mean direction
//! of the whale's photos, as long as the trained columns are (their median), and its bias is such that
//! the gallery's photos of others find the whale as probable, on average, as they find a whale of a
//! trained column that is not theirs: one in as many as there are. A trained column has learnt to be low
//! there and an imprinted one has not: with the mean of the trained biases, enrolled whales take twice as
//! many photos of known ones as chance would give them, or nearly all, by the network. Matching a mean or
//! a quantile of the logits does not do, for what competes for the first place is the very end of their
//! tail, and that of an imprinted column is longer (docs/results/encounters.md, *Enrolling*).
//!
//! Everything comes from the bundle itself: the column of an individual follows from the gallery's rows,
//! the trained columns and T.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::super::members::prefix;
use super::super::weights::{Stored, floats};
use super::content::{Coded, Column, Content, Part, Row};
use crate::gallery::dot;

/// Photos that are asked at most, evenly taken from all.
const PHOTOS: usize = 512;
/// Lengths below this have no direction.
const SHORTEST: f32 = 1e-12;

/// Makes columns for a bundle at one time.
pub(super) struct Imprinter {
    members: Vec<Member>,
    /// Whom the photos that are asked show.
    shown: Vec<Option<u32>>,
}

/// What a member's trained columns are like.
struct Member {
    /// Where its values begin in a gallery row, and how many they are.
    start: usize,
    width: usize,
    /// The photos that are asked, unit length.
    photos: Vec<Vec<f32>>,
    /// ln Σ exp(T · logit) of each over the trained columns of others than it shows.
    log_sums: Vec<f32>,
    /// How long features are before they are normalised.
    feature_length: f32,
    /// The median length of trained columns.
    column_length: f32,
    /// The median of trained biases, where no photo can be asked.
    bias: f32,
    /// How many trained columns there are.
    columns: usize,
    /// T.
    temperature: f32,
}

/// What every member is made from.
struct Basis<'a> {
    columns: Vec<&'a Column>,
    rows: Vec<&'a Row>,
    shown: &'a [Option<u32>],
    temperature: f32,
}

impl Imprinter {
    /// Looks at the columns and photos that are there. `None` where there is no column to compare with,
    /// or one has no features of known length. `widths` are those of the members' features in a row,
    /// `temperature` is the decision's T.
    pub(super) fn new(
        content: &Content,
        tensors: &BTreeMap<String, Stored>,
        widths: &[usize],
        temperature: f32,
    ) -> Option<Self> {
        let trained = content.columns.iter().filter(|one| !one.imprinted);
        let trained: Vec<&Column> = trained.collect();
        let columns = match trained.is_empty() {
            true => content.columns.iter().collect(),
            false => trained,
        };
        if columns.is_empty() {
            return None;
        }
        let rows = evenly(&content.rows, PHOTOS);
        let shown: Vec<Option<u32>> = rows.iter().map(|row| row.photo.individual).collect();
        let basis = Basis {
            columns,
            rows,
            shown: &shown,
            temperature,
        };
        let mut members = Vec::new();
        let mut start = 0;
        for (number, &width) in widths.iter().enumerate() {
            let feature_length = feature_length(tensors, &prefix(number + 1))?;
            members.push(Member::new(&basis, number, start, width, feature_length));
            start += width;
        }
        Some(Self { members, shown })
    }

    /// The column of an individual out of its rows, of which there is one at least.
    pub(super) fn column(&self, content: &Content, individual: u32) -> Column {
        let rows = content.rows_of(Some(individual));
        let rows: Vec<&Row> = rows.iter().map(|&at| &content.rows[at]).collect();
        let part = |member: &Member| member.part(&rows, individual, &self.shown);
        Column {
            individual,
            imprinted: true,
            parts: self.members.iter().map(part).collect(),
        }
    }
}

impl Member {
    /// Measures the columns of member `number`, whose features are `width` values of a row from `start`.
    fn new(
        basis: &Basis<'_>,
        number: usize,
        start: usize,
        width: usize,
        feature_length: f32,
    ) -> Self {
        let columns = || basis.columns.iter();
        let parts = || columns().map(|column| &column.parts[number]);
        let weights: Vec<Vec<f32>> = parts().map(|part| part.weight.values().collect()).collect();
        let lengths = weights.iter().map(|weight| length(weight)).collect();
        let photos = basis.rows.iter();
        let photos: Vec<Vec<f32>> = photos.map(|row| direction(row, start, width)).collect();
        let log_sum = |(photo, shown): (&Vec<f32>, &Option<u32>)| {
            let columns = basis.columns.iter().zip(&weights);
            let others = columns.filter(|(column, _)| *shown != Some(column.individual));
            let logits = others.map(|(column, weight)| {
                let logit = feature_length * dot(photo, weight) + column.parts[number].bias;
                basis.temperature * logit
            });
            log_sum(&logits.collect::<Vec<f32>>())
        };
        Self {
            log_sums: photos.iter().zip(basis.shown).map(log_sum).collect(),
            start,
            width,
            photos,
            feature_length,
            column_length: median(lengths),
            bias: median(parts().map(|part| part.bias).collect()),
            columns: weights.len(),
            temperature: basis.temperature,
        }
    }

    fn part(&self, rows: &[&Row], individual: u32, shown: &[Option<u32>]) -> Part {
        let mut sum = vec![0.0f32; self.width];
        for row in rows {
            let direction = direction(row, self.start, self.width);
            sum.iter_mut()
                .zip(direction)
                .for_each(|(sum, value)| *sum += value);
        }
        let scale = self.column_length / length(&sum).max(SHORTEST);
        let weight: Vec<f32> = sum.iter().map(|value| value * scale).collect();
        Part {
            bias: self.bias_for(&weight, individual, shown),
            weight: coded(&weight),
        }
    }

    /// The bias b at which the mean of exp(T · (logit + b)) / Σ exp(T · trained logit) over the photos of
    /// others is one in as many as there are columns.
    fn bias_for(&self, weight: &[f32], individual: u32, shown: &[Option<u32>]) -> f32 {
        let photos = self.photos.iter().zip(&self.log_sums).zip(shown);
        let others = photos
            .filter(|((_, log_sum), shown)| **shown != Some(individual) && log_sum.is_finite());
        let shares: Vec<f32> = others
            .map(|((photo, log_sum), _)| {
                self.temperature * self.feature_length * dot(photo, weight) - log_sum
            })
            .collect();
        if shares.is_empty() {
            return self.bias;
        }
        let mean = log_sum(&shares) - libm::logf(shares.len() as f32);
        -(mean + libm::logf(self.columns as f32)) / self.temperature
    }
}

/// How long a member's features are, from its last batch norms: their values have mean β and deviation γ
/// over the training photos, so that the mean square of a length is Σ γ² + β².
fn feature_length(tensors: &BTreeMap<String, Stored>, before: &str) -> Option<f32> {
    let mut squares = 0.0;
    for head in 0.. {
        let values = |name: &str| {
            let name = format!("{before}embedder.heads.{head}.output_norm.{name}");
            tensors.get(&name).map(|stored| floats(&stored.bytes))
        };
        match (values("gamma"), values("beta")) {
            (Some(gamma), Some(beta)) => {
                squares += dot(&gamma, &gamma) + dot(&beta, &beta);
            }
            _ if head == 0 => return None,
            _ => break,
        }
    }
    Some(libm::sqrtf(squares))
}

/// A member's values of a gallery row, unit length.
fn direction(row: &Row, start: usize, width: usize) -> Vec<f32> {
    let codes = &row.feature.codes[start..start + width];
    let values: Vec<f32> = codes.iter().map(|&code| f32::from(code)).collect();
    let length = length(&values).max(SHORTEST);
    values.into_iter().map(|value| value / length).collect()
}

/// 8-bit codes, as [`super::super::weights::encode`] makes them.
fn coded(values: &[f32]) -> Coded {
    let largest = values
        .iter()
        .fold(0.0f32, |most, v| most.max(libm::fabsf(*v)));
    let scale = largest / 127.0;
    let code = |&value: &f32| match scale {
        0.0 => 0,
        scale => libm::rintf(value / scale) as i8,
    };
    Coded {
        scale,
        codes: values.iter().map(code).collect(),
    }
}

fn length(values: &[f32]) -> f32 {
    libm::sqrtf(dot(values, values))
}

/// ln Σ exp(value); −∞ of nothing.
fn log_sum(values: &[f32]) -> f32 {
    let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if largest == f32::NEG_INFINITY {
        return largest;
    }
    let powers = values
        .iter()
        .map(|value| f64::from(libm::expf(value - largest)));
    largest + libm::log(powers.sum::<f64>()) as f32
}

/// The value in the middle, the lower one of two; 0 of nothing.
fn median(mut values: Vec<f32>) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = (values.len() - 1) / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// At most `most` of the items, evenly taken.
fn evenly<T>(items: &[T], most: usize) -> Vec<&T> {
    let count = items.len().min(most);
    (0..count)
        .map(|at| &items[at * items.len() / count])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_sums_and_even_choices_by_hand() {
        assert_eq!(median(vec![]), 0.0);
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(log_sum(&[]), f32::NEG_INFINITY);
        // ln(1 + 2 + 3), and nothing overflows.
        let logarithms = [1f32, 2.0, 3.0].map(f32::ln);
        assert!((log_sum(&logarithms) - 6f32.ln()).abs() < 1e-6);
        assert!((log_sum(&[500.0, 500.0]) - 500.0 - 2f32.ln()).abs() < 1e-4);
        assert_eq!(evenly(&[0, 1, 2, 3, 4, 5, 6, 7], 4), [&0, &2, &4, &6]);
        assert_eq!(evenly(&[0, 1], 4), [&0, &1]);
    }

    #[test]
    fn codes_reach_127_and_stand_for_the_values() {
        let coded = coded(&[2.54, -1.27, 0.0]);
        assert_eq!(coded.codes, [127, -64, 0]);
        assert!((coded.scale - 0.02).abs() < 1e-7);
        assert_eq!(super::coded(&[0.0; 2]).codes, [0, 0]);
    }
}
