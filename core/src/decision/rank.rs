//! Step 8: the labels in order, and the verdict.

use alloc::vec::Vec;
use core::cmp::Ordering;

use serde::Serialize;

use super::{DecisionError, OperatingPoint};
use crate::gallery::{Closeness, Label, Nearest};

/// A ranked answer for one query.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// The first labels, best first.
    pub candidates: Vec<Candidate>,
    /// What is said of `New`, whether or not it is among the first.
    pub new: Candidate,
    /// The place of `New` among all labels, from 1.
    pub new_rank: usize,
    /// What to say if one thing is to be said: the first candidate, unless one mistake costs more than
    /// the other; then it is `New` or the best whale.
    pub verdict: Candidate,
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

/// The first `k` labels, `New`, and the verdict.
pub(super) fn answer(
    scores: &[f32],
    probabilities: &[f32],
    closeness: &[Option<Closeness>],
    point: &OperatingPoint,
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
        nearest: closeness[slot].map(|one| one.nearest),
    };
    let order = |&a: &usize, &b: &usize| {
        let by_probability = probabilities[b].partial_cmp(&probabilities[a]);
        let by_score = || scores[b].partial_cmp(&scores[a]).unwrap_or(Ordering::Equal);
        let by_probability = by_probability.unwrap_or(Ordering::Equal);
        by_probability.then_with(by_score).then(a.cmp(&b))
    };
    let best_whale = (0..new).min_by(order);
    let says_new = |whale: usize| match point.missed_cost == 1.0 {
        true => order(&new, &whale).is_lt(),
        false => point.costs_less_new(probabilities[new], probabilities[whale]),
    };
    let verdict = best_whale.filter(|&whale| !says_new(whale));
    Ok(Answer {
        candidates: first(scores.len(), k, order)
            .into_iter()
            .map(candidate)
            .collect(),
        new: candidate(new),
        new_rank: 1 + (0..new).filter(|slot| order(slot, &new).is_lt()).count(),
        verdict: candidate(verdict.unwrap_or(new)),
    })
}

/// The first `k` of so many slots, in order.
fn first(slots: usize, k: usize, order: impl Fn(&usize, &usize) -> Ordering) -> Vec<usize> {
    let mut slots: Vec<usize> = (0..slots).collect();
    if k < slots.len() {
        slots.select_nth_unstable_by(k, &order);
        slots.truncate(k);
    }
    slots.sort_unstable_by(order);
    slots
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
