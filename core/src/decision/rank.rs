//! Step 7: the labels in order.

use alloc::vec::Vec;
use core::cmp::Ordering;

use serde::Serialize;

use super::DecisionError;
use crate::gallery::{Label, Nearest};

/// A ranked answer for one query.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The first labels, best first.
    pub candidates: Vec<Candidate>,
    /// What is said of `New`, whether or not it is among the first.
    pub new: Candidate,
    /// The place of `New` among all labels, from 1.
    pub new_rank: usize,
}

/// One label of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Candidate {
    /// The label.
    pub label: Label,
    /// Its final score (step 5); only the order and the differences mean something.
    pub score: f32,
    /// The probability that the photo shows this label; over all labels they sum to one.
    pub probability: f32,
    /// The label's nearest photo, if it has any in the gallery.
    pub nearest: Option<Nearest>,
}

/// The first `k` labels by score, and `New`.
pub(super) fn answer(
    scores: &[f32],
    probabilities: &[f32],
    nearest: &[Option<Nearest>],
    k: usize,
) -> Result<Answer, DecisionError> {
    if k == 0 {
        return Err(DecisionError::NoCandidates);
    }
    let new = scores.len().checked_sub(1).ok_or(DecisionError::NoLabels)?;
    let candidate = |slot: usize| Candidate {
        label: Label::from_slot(slot, new),
        score: scores[slot],
        probability: probabilities[slot],
        nearest: nearest[slot],
    };
    Ok(Answer {
        candidates: first(scores, k).into_iter().map(candidate).collect(),
        new: candidate(new),
        new_rank: rank_of(scores, new),
    })
}

/// The slots of the `k` best scores, best first.
fn first(scores: &[f32], k: usize) -> Vec<usize> {
    let mut slots: Vec<usize> = (0..scores.len()).collect();
    if k < slots.len() {
        slots.select_nth_unstable_by(k, |&a, &b| order(scores, a, b));
        slots.truncate(k);
    }
    slots.sort_unstable_by(|&a, &b| order(scores, a, b));
    slots
}

/// Higher scores first, equal ones in label order.
fn order(scores: &[f32], a: usize, b: usize) -> Ordering {
    let by_score = scores[b].partial_cmp(&scores[a]);
    by_score.unwrap_or(Ordering::Equal).then(a.cmp(&b))
}

/// The rank, from 1, that the label at `slot` has in a column of scores: the place where
/// [`decide`](super::decide) would list it. The scores must be finite and `slot` be one of them.
pub fn rank_of(scores: &[f32], slot: usize) -> usize {
    let score = scores[slot];
    let before = scores[..slot]
        .iter()
        .filter(|&&other| other >= score)
        .count();
    let after = scores[slot + 1..]
        .iter()
        .filter(|&&other| other > score)
        .count();
    1 + before + after
}
