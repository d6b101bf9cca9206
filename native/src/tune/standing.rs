//! One query before every constant for `New`: what its ranking of the known whales leaves to be said.
//!
//! A constant for `New` leaves the whales' own order alone: `New` is put into it somewhere. So a query
//! is ranked once, and each of the 121 constants costs a few comparisons.
//!
//! For the classifier even that needs few exponentials: probabilities have the order of the logits, at
//! every temperature. [`Logits`] decides by logits what they decide beyond the rounding of the
//! probabilities, and leaves to the probabilities themselves what hangs on their last digits.

use flukeprint_core::decision::{classifier_probabilities, rank_of};
use flukeprint_core::gallery::Label;
use flukeprint_core::metrics::LISTED;

use super::exponential;
use super::queries::LabelledQuery;

/// What a query's ranking of the known whales leaves to be said about any constant for `New`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Standing {
    /// The true whale is behind five others.
    Out,
    /// The true whale's rank among the whales, and its score.
    Known { rank: usize, score: f32 },
    /// The photo shows a new whale: the best scores of the whales.
    New { best: [f32; LISTED] },
}

impl Standing {
    /// From the whales' scores.
    pub(super) fn new(scores: &[f32], truth: Label) -> Self {
        match truth {
            Label::Individual(number) => Self::Known {
                rank: rank_of(scores, number as usize),
                score: scores[number as usize],
            },
            Label::New => Self::New {
                best: best_scores(scores),
            },
        }
    }

    /// The true label's rank once `New` with this constant is among the labels. `New` is the last
    /// of equals. Ranks beyond the list are not told apart.
    pub(super) fn rank(&self, constant: f32) -> usize {
        match self {
            Self::Out => 1 + LISTED,
            Self::Known { rank, score } => rank + usize::from(constant > *score),
            Self::New { best } => 1 + best.iter().filter(|&&score| score >= constant).count(),
        }
    }

    /// Whether a constant is so near to a score that the score's last digits decide.
    fn is_near(&self, constants: &[f32]) -> bool {
        let near = |score: &f32| {
            let reach = 2.0 * exponential::ERROR * score;
            let next = constants.partition_point(|&constant| constant < score - reach);
            constants
                .get(next)
                .is_some_and(|&constant| constant <= score + reach)
        };
        match self {
            Self::Out => false,
            Self::Known { score, .. } => near(score),
            // Nothing is as low as the lowest constant but nothing itself.
            Self::New { best } => best.iter().filter(|&&score| score > 0.0).any(near),
        }
    }
}

/// The highest scores, highest first; minus infinity where there are no more.
fn best_scores(scores: &[f32]) -> [f32; LISTED] {
    let mut best = [f32::NEG_INFINITY; LISTED];
    for &score in scores {
        if score > best[LISTED - 1] {
            best[LISTED - 1] = score;
            best.sort_unstable_by(|a, b| b.total_cmp(a));
        }
    }
    best
}

/// Logits that are closer than this, over T, may have probabilities that rounding makes equal.
const CLOSE: f32 = 4e-6;
/// The share of the distance to the largest logit that rounding may add to it.
const ROUNDING: f32 = 1e-6;
/// exp of less than minus this, shared among all whales, is near the end of what an `f32` can tell
/// apart.
const FAINT: f32 = 60.0;

/// A query's logits, before every temperature.
pub(super) struct Logits<'a> {
    query: LabelledQuery<'a>,
    individuals: usize,
    /// The largest, largest first.
    best: [f32; LISTED],
}

impl<'a> Logits<'a> {
    /// Of a query with logits.
    pub(super) fn new(query: LabelledQuery<'a>, individuals: usize) -> Self {
        Self {
            query,
            individuals,
            best: best_scores(query.logits),
        }
    }

    /// The standing by softmax(T · logits): for each of the constants, which rise, the ranks that
    /// [`Standing::new`] would give.
    pub(super) fn standing(&self, temperature: f32, constants: &[f32]) -> Standing {
        let quick = match self.query.truth {
            Label::Individual(number) => self.known(number as usize, temperature),
            Label::New => Some(self.new_whale(temperature)),
        };
        match quick {
            Some(standing) if !standing.is_near(constants) => standing,
            _ => {
                let logits = self.query.logits;
                let exact = classifier_probabilities(logits, self.individuals, temperature);
                Standing::new(&exact, self.query.truth)
            }
        }
    }

    /// `None` where rounding decides, or the classifier does not know the whale.
    fn known(&self, slot: usize, temperature: f32) -> Option<Standing> {
        let logits = self.query.logits;
        let logit = *logits.get(slot)?;
        let largest = self.best[0];
        let close = CLOSE / temperature + ROUNDING * (largest - logit);
        let faint = largest - FAINT / temperature;
        // Differences of neighbours are exact, sums are not.
        let higher = count(logits, |other| other - logit > close && other > faint);
        if higher >= LISTED {
            return Some(Standing::Out);
        }
        let beside = count(logits, |other| (other - logit).abs() <= close);
        let is_clear = beside == 1 && logit > faint;
        is_clear.then(|| Standing::Known {
            rank: 1 + higher,
            score: self.probability(logit, temperature, self.sum(temperature)),
        })
    }

    fn new_whale(&self, temperature: f32) -> Standing {
        let sum = self.sum(temperature);
        let classified = self.query.logits.len();
        let numbered = self.best.iter().enumerate();
        let mut best = [f32::NEG_INFINITY; LISTED];
        for (best, (place, &logit)) in best.iter_mut().zip(numbered) {
            if place < classified {
                *best = self.probability(logit, temperature, sum);
            } else if place < self.individuals {
                // The classifier does not know it.
                *best = 0.0;
            }
        }
        Standing::New { best }
    }

    fn sum(&self, temperature: f32) -> f64 {
        exponential::sum(self.query.logits, self.best[0], temperature)
    }

    fn probability(&self, logit: f32, temperature: f32, sum: f64) -> f32 {
        (f64::from(temperature * (logit - self.best[0])).exp() / sum) as f32
    }
}

fn count(values: &[f32], wanted: impl Fn(f32) -> bool) -> usize {
    let wanted = values.iter().map(|&value| u32::from(wanted(value)));
    wanted.sum::<u32>() as usize
}
