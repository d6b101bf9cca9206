//! A column of the classifier out of gallery photos: imprinted weights (Qi, Brown and Lowe, 2018).
//!
//! Qi and others imprint into a classifier of cosines, where the normalised feature is the column. Ours
//! is linear, with a bias, on features that are not of unit length. So a column is the mean direction
//! of the whale's photos, as long as the trained columns are (their median), and its bias is such that
//! on the gallery's photos of others it is as high as trained columns are on those of others, at the
//! quantile [`QUANTILE`]. A trained column has learnt to be low there and an imprinted one has not: with
//! the mean of the trained biases, twice as many photos of known whales are given to enrolled ones as
//! would be by chance. Upper quantiles are what competes for the first place; the very highest photos
//! may show the same whale without anybody knowing.
//!
//! Everything comes from the bundle itself: the column of an individual follows from the gallery's rows
//! and the trained columns.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::super::members::prefix;
use super::super::weights::{Stored, floats};
use super::content::{Coded, Column, Content, Part, Row};

/// Where imprinted and trained columns are to be equally high, as a share of the photos. Chosen so that
/// enrolled whales get no more and no fewer photos of known ones than chance would give them (see
/// docs/results.md, *Enrolling*).
const QUANTILE: f64 = 0.95;
/// Photos that are asked at most, and columns; evenly taken from all.
const PHOTOS: usize = 512;
const COLUMNS: usize = 512;
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
    /// How long features are before they are normalised.
    feature_length: f32,
    /// The median length of trained columns.
    column_length: f32,
    /// The median of trained biases, where no photo can be asked.
    bias: f32,
    /// How high trained columns are at the quantile.
    target: Option<f32>,
}

impl Imprinter {
    /// Looks at the columns and photos that are there. `None` where there is no column to compare with,
    /// or one has no features of known length. `widths` are those of the members' features in a row.
    pub(super) fn new(
        content: &Content,
        tensors: &BTreeMap<String, Stored>,
        widths: &[usize],
    ) -> Option<Self> {
        let all: Vec<usize> = (0..content.rows.len()).collect();
        let asked = evenly(&all, PHOTOS);
        let trained: Vec<&Column> = content
            .columns
            .iter()
            .filter(|one| !one.imprinted)
            .collect();
        let all = || content.columns.iter().collect();
        let columns = if trained.is_empty() { all() } else { trained };
        if columns.is_empty() {
            return None;
        }
        let rows = || asked.iter().map(|&at| &content.rows[at]);
        let shown: Vec<Option<u32>> = rows().map(|row| row.photo.individual).collect();
        let mut members = Vec::new();
        let mut start = 0;
        for (number, &width) in widths.iter().enumerate() {
            let feature_length = feature_length(tensors, &prefix(number + 1))?;
            let photos = rows().map(|row| direction(row, start, width)).collect();
            let mut member = Member::new(start, width, photos, feature_length);
            member.learn(&columns, number, &shown);
            members.push(member);
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
    fn new(start: usize, width: usize, photos: Vec<Vec<f32>>, feature_length: f32) -> Self {
        Self {
            start,
            width,
            photos,
            feature_length,
            column_length: 0.0,
            bias: 0.0,
            target: None,
        }
    }

    /// Measures the columns of member `number`.
    fn learn(&mut self, columns: &[&Column], number: usize, shown: &[Option<u32>]) {
        let part = |column: &Column| {
            let part = &column.parts[number];
            (part.weight.values().collect::<Vec<f32>>(), part.bias)
        };
        let lengths = columns.iter().map(|column| length(&part(column).0));
        self.column_length = quantile(lengths.collect(), 0.5).unwrap_or(0.0);
        let biases = columns.iter().map(|column| part(column).1);
        self.bias = quantile(biases.collect(), 0.5).unwrap_or(0.0);
        let mut heights = Vec::new();
        for column in evenly(columns, COLUMNS) {
            let (weight, bias) = part(column);
            let others = self.others(shown, column.individual);
            heights.extend(others.map(|photo| self.feature_length * dot(photo, &weight) + bias));
        }
        self.target = quantile(heights, QUANTILE);
    }

    /// The photos that are asked about an individual: those of others.
    fn others<'a>(
        &'a self,
        shown: &'a [Option<u32>],
        individual: u32,
    ) -> impl Iterator<Item = &'a Vec<f32>> {
        let photos = self.photos.iter().zip(shown);
        photos
            .filter(move |(_, shown)| **shown != Some(individual))
            .map(|(photo, _)| photo)
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
        let heights = self.others(shown, individual);
        let heights = heights.map(|photo| self.feature_length * dot(photo, &weight));
        let height = quantile(heights.collect(), QUANTILE);
        let bias = match (self.target, height) {
            (Some(target), Some(height)) => target - height,
            _ => self.bias,
        };
        Part {
            weight: coded(&weight),
            bias,
        }
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

/// The sum of the products, always in the same order.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    const LANES: usize = 16;
    let (a_blocks, a_rest) = a.as_chunks::<LANES>();
    let (b_blocks, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0f32; LANES];
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    for (sum, (a, b)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *sum += a * b;
    }
    sums.iter().sum()
}

/// The value with that share of the others below it; `None` of nothing.
fn quantile(mut values: Vec<f32>, share: f64) -> Option<f32> {
    let last = values.len().checked_sub(1)?;
    let at = (last as f64 * share) as usize;
    let (_, value, _) = values.select_nth_unstable_by(at, f32::total_cmp);
    Some(*value)
}

/// At most `most` of the items, evenly taken.
fn evenly<T: Copy>(items: &[T], most: usize) -> Vec<T> {
    let count = items.len().min(most);
    (0..count)
        .map(|at| items[at * items.len() / count])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_even_choices_by_hand() {
        assert_eq!(quantile(vec![], 0.5), None);
        assert_eq!(quantile(vec![3.0, 1.0, 2.0], 0.5), Some(2.0));
        // Of 0 to 100 the value with 95 below it.
        assert_eq!(
            quantile((0..=100).map(|v| v as f32).collect(), 0.95),
            Some(95.0)
        );
        assert_eq!(evenly(&[0, 1, 2, 3, 4, 5, 6, 7], 4), [0, 2, 4, 6]);
        assert_eq!(evenly(&[0, 1], 4), [0, 1]);
    }

    #[test]
    fn codes_reach_127_and_stand_for_the_values() {
        let coded = coded(&[2.54, -1.27, 0.0]);
        assert_eq!(coded.codes, [127, -64, 0]);
        assert!((coded.scale - 0.02).abs() < 1e-7);
        assert_eq!(super::coded(&[0.0; 2]).codes, [0, 0]);
    }
}
