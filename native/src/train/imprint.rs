//! First directions for the classes that a start does not know.
//!
//! A classifier by cosines compares a feature with a direction for each class. Where backbone and heads
//! have learned before, the mean direction of a class's own photos is a better first one than chance
//! (weight imprinting; Qi et al., 2018), and the first epochs need not be spent on finding it.

use super::metric::embed;
use super::network::TrainingNetwork;
use super::samples::Samples;
use crate::Result;
use burn::module::Module;
use flukeprint_core::model::named::{self, Values};
use std::collections::{BTreeMap, BTreeSet};

/// `network` whose classifiers know of the classes `unknown` what their samples look like to it.
/// Columns keep the length that was drawn for them: only their direction is compared.
///
/// # Errors
/// A photo that cannot be read any more.
pub(super) fn imprint(
    network: TrainingNetwork,
    samples: &Samples,
    unknown: &BTreeSet<u32>,
) -> Result<TrainingNetwork> {
    let of = |sample: usize| {
        samples
            .class(sample)
            .filter(|class| unknown.contains(class))
    };
    let known: BTreeSet<usize> = samples.known().into_iter().collect();
    let (shown, classes): (Vec<usize>, Vec<u32>) = known
        .into_iter()
        .filter_map(|sample| Some((sample, of(sample)?)))
        .unzip();
    if shown.is_empty() {
        return Ok(network);
    }
    let features = embed(samples, &network.valid().network.embedder, shown)?;
    let width = features.len() / classes.len();
    let mut tensors = named::read(&network)?;
    let heads: Vec<String> = (0..)
        .map(|head| format!("classifiers.{head}.weight"))
        .take_while(|name| tensors.contains_key(name))
        .collect();
    for (head, name) in heads.iter().enumerate() {
        let Some(weight) = tensors.get_mut(name) else {
            continue;
        };
        let own = weight.shape.first().copied().unwrap_or(0);
        let rows = features.chunks(width).map(|row| &row[head * own..][..own]);
        for (class, direction) in mean_directions(rows.zip(classes.iter().copied())) {
            turn(weight, class as usize, &direction);
        }
    }
    Ok(named::write(network, tensors, "imprinted classifiers")?)
}

/// The mean of each class's features, each of which counts by its direction alone.
fn mean_directions<'a>(
    features: impl Iterator<Item = (&'a [f32], u32)>,
) -> BTreeMap<u32, Vec<f32>> {
    let mut means: BTreeMap<u32, Vec<f32>> = BTreeMap::new();
    for (feature, class) in features {
        let norm = length(feature).max(f32::MIN_POSITIVE);
        let mean = means
            .entry(class)
            .or_insert_with(|| vec![0.0; feature.len()]);
        for (mean, value) in mean.iter_mut().zip(feature) {
            *mean += value / norm;
        }
    }
    means
}

/// Turns a column of `[width, classes]` to a direction; a direction of no length leaves it as it is.
fn turn(weight: &mut Values, class: usize, direction: &[f32]) {
    let classes = weight.shape.last().copied().unwrap_or(0);
    let column: Vec<f32> = weight
        .values
        .iter()
        .skip(class)
        .step_by(classes)
        .copied()
        .collect();
    let scale = length(&column) / length(direction);
    if !scale.is_finite() {
        return;
    }
    let places = weight.values.iter_mut().skip(class).step_by(classes);
    for (place, value) in places.zip(direction) {
        *place = value * scale;
    }
}

fn length(values: &[f32]) -> f32 {
    values.iter().map(|v| v * v).sum::<f32>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_begins_in_the_mean_direction_of_its_photos() {
        // One photo to the right and, ten times as long, one upwards: half way between the two.
        let features: [(&[f32], u32); 3] = [(&[2.0, 0.0], 1), (&[-1.0, 0.0], 0), (&[0.0, 20.0], 1)];
        let directions = mean_directions(features.into_iter());
        assert_eq!(directions[&1], [1.0, 1.0]);
        let mut weight = Values {
            shape: vec![2, 3],
            values: vec![5.0, 3.0, 6.0, 7.0, 4.0, 8.0],
        };
        turn(&mut weight, 1, &directions[&1]);
        let side = (25.0_f32 / 2.0).sqrt();
        assert_eq!(weight.values, [5.0, side, 6.0, 7.0, side, 8.0]);
        turn(&mut weight, 0, &[0.0, 0.0]);
        assert_eq!(weight.values[0], 5.0);
    }
}
