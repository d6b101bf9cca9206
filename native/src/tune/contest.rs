//! One query before every mixture of the three opinions.
//!
//! Mixing weights do change the whales' order, but MAP@5 needs only the rank of the true label, and
//! that only if it is among the first five. Most whales are behind the truth in both halves, similarity
//! and probability, and so behind it in every mixture; some are ahead of it in both. What is left is
//! mixed for every mixture.
//!
//! "Behind" and "ahead" are meant by more than rounding can turn round, so that the rank is exactly
//! that of the decision's own scores.

use flukeprint_core::decision::{Weights, fused_score};
use flukeprint_core::gallery::Label;
use flukeprint_core::metrics::LISTED;

/// Units of rounding, with room, in a sum of three products.
const ROUNDING: f32 = 1e-6;
/// Smaller than any probability that matters, and large enough for its products to be told apart.
const TINY: f32 = 1e-37;

/// What a query is contested with: two columns of the known whales, and three constants for `New`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opinions<'a> {
    /// Similarity of each whale.
    pub similarity: &'a [f32],
    /// Probability of each whale, 0…1.
    pub probability: &'a [f32],
    /// What `New` has in the three opinions.
    pub new: [f32; 3],
    /// Whom the photo shows.
    pub truth: Label,
}

/// Mixtures that are tried, and how much they lean to the classifier.
pub(super) struct Mixtures {
    /// All of them, none of their weights below 0.
    pub weights: Vec<Weights>,
    /// The largest c3/(c1 + c2) of those that look at similarities at all.
    lean: f32,
}

impl Mixtures {
    pub(super) fn new(weights: Vec<Weights>) -> Self {
        let leans = weights.iter().map(|[c1, c2, c3]| c3 / (c1 + c2));
        let lean = leans.filter(|lean| lean.is_finite()).fold(0.0, f32::max);
        Self { weights, lean }
    }
}

/// What is left to be compared.
pub(super) struct Contest {
    /// Whales that are better than the truth in every mixture.
    ahead: usize,
    /// Those that come before the truth in label order, and so of equals.
    before: Whales,
    /// Those that come after it.
    after: Whales,
    /// Similarity and probability of the true whale; `None` for `New`.
    target: Option<[f32; 2]>,
    new: [f32; 3],
}

/// Similarities and probabilities of some whales.
#[derive(Default)]
struct Whales {
    similarity: Vec<f32>,
    probability: Vec<f32>,
}

impl Contest {
    /// For mixtures among `mixtures` alone.
    pub(super) fn new(opinions: &Opinions<'_>, mixtures: &Mixtures) -> Self {
        let individuals = opinions.similarity.len();
        let slot = opinions.truth.slot(individuals);
        let target =
            (slot < individuals).then(|| [opinions.similarity[slot], opinions.probability[slot]]);
        let bounds = Bounds::of(opinions, target, mixtures.lean);
        let mut contest = Self {
            ahead: 0,
            before: Whales::default(),
            after: Whales::default(),
            target,
            new: opinions.new,
        };
        let whales = opinions.similarity.iter().zip(opinions.probability);
        for (whale, (&similarity, &probability)) in whales.enumerate() {
            if bounds.is_behind(similarity, probability) || whale == slot {
                continue;
            }
            if bounds.is_ahead(similarity, probability) {
                contest.ahead += 1;
                if contest.ahead == LISTED {
                    break;
                }
                continue;
            }
            let side = match whale < slot {
                true => &mut contest.before,
                false => &mut contest.after,
            };
            side.similarity.push(similarity);
            side.probability.push(probability);
        }
        contest
    }

    /// The rank that `rank_of` would find in the fused column, without making the column; ranks beyond
    /// the list are not told apart.
    pub(super) fn rank(&self, weights: Weights) -> usize {
        if self.ahead >= LISTED {
            return 1 + LISTED;
        }
        let [nearest, with_new, classifier] = self.new;
        let new = fused_score(weights, nearest, with_new, classifier);
        let (target, new_is_better) = match self.target {
            Some([similarity, probability]) => {
                let target = fused_score(weights, similarity, similarity, probability);
                (target, new > target)
            }
            None => (new, false),
        };
        let before = self.before.count(weights, |score| score >= target);
        let after = self.after.count(weights, |score| score > target);
        1 + self.ahead + before + after + usize::from(new_is_better)
    }
}

impl Whales {
    /// How many have a score that is `better`.
    fn count(&self, weights: Weights, better: impl Fn(f32) -> bool) -> usize {
        let whales = self.similarity.iter().zip(&self.probability);
        let better = whales.map(|(&similarity, &probability)| {
            let score = fused_score(weights, similarity, similarity, probability);
            u32::from(better(score))
        });
        better.sum::<u32>() as usize
    }
}

/// Beyond these a whale is on one side of the truth in every mixture.
struct Bounds {
    behind: [f32; 2],
    ahead: [f32; 2],
}

impl Bounds {
    /// With c = c1 + c2 above 0, scores differ by c · Δsimilarity + c3 · Δprobability, and rounding by
    /// less than 4e-7 · (c · similarity + c3); with c = 0 by c3 · Δprobability alone, and rounding by a
    /// share of that.
    fn of(opinions: &Opinions<'_>, target: Option<[f32; 2]>, lean: f32) -> Self {
        let [nearest, with_new, classifier] = opinions.new;
        let (low, high, probability) = match target {
            Some([similarity, probability]) => (similarity, similarity, probability),
            None => (nearest.min(with_new), nearest.max(with_new), classifier),
        };
        let of_whales = opinions.similarity.iter().copied();
        let largest = of_whales
            .chain([nearest, with_new])
            .fold(0.0, |most: f32, similarity| most.max(similarity.abs()));
        let similarity = ROUNDING * (largest + lean);
        let share = ROUNDING * probability + TINY;
        Self {
            behind: [low - similarity, probability - share],
            ahead: [high + similarity, probability + share],
        }
    }

    fn is_behind(&self, similarity: f32, probability: f32) -> bool {
        similarity < self.behind[0] && probability < self.behind[1]
    }

    fn is_ahead(&self, similarity: f32, probability: f32) -> bool {
        similarity > self.ahead[0] && probability > self.ahead[1]
    }
}
