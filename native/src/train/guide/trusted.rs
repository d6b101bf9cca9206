//! Which lines are learnt from.

use super::Fluke;
use crate::Result;
use crate::progress::Progress;
use flukeprint_core::evidence::edge::Edges;
use flukeprint_core::gallery::Label;
use std::slice;

/// A line that fits another photo of its whale by so many standard deviations runs along the edge in both: the best of
/// a thousand others comes to 5 seldom.
const FITS: f32 = 5.0;
/// Of the others, where there is no other photo of the whale, this share is left out, the least plain.
const NOT_PLAIN: f32 = 0.35;

/// The flukes whose lines are trusted, in their order.
///
/// # Errors
/// None that a program of this version can have.
pub(super) fn trusted(
    labels: &[Label],
    flukes: &[Fluke],
    progress: &dyn Progress,
) -> Result<Vec<usize>> {
    let edges = Edges::of(flukes.iter().map(|fluke| Some(&fluke.edge)))?;
    let mut plain: Vec<f32> = flukes.iter().map(|fluke| fluke.plain).collect();
    plain.sort_by(f32::total_cmp);
    let plain = plain.get((NOT_PLAIN * plain.len() as f32) as usize);
    let plain = plain.copied().unwrap_or(f32::INFINITY);
    progress.begin("comparing edges", flukes.len());
    let is_trusted = |&place: &usize| {
        progress.advance(place + 1);
        let mates = mates(labels, place);
        if mates.is_empty() {
            return flukes[place].plain >= plain;
        }
        let others: Vec<bool> = (0..flukes.len()).map(|other| other != place).collect();
        let fits = edges.fit_of_some(&others, slice::from_ref(&flukes[place].edge));
        mates.into_iter().any(|mate| fits[mate] >= FITS)
    };
    Ok((0..flukes.len()).filter(is_trusted).collect())
}

/// The other flukes of the same known whale.
fn mates(labels: &[Label], place: usize) -> Vec<usize> {
    let is_mate = |&other: &usize| other != place && labels[other] == labels[place];
    match labels[place] {
        Label::Individual(_) => (0..labels.len()).filter(is_mate).collect(),
        Label::New => Vec::new(),
    }
}
