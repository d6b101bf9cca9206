//! How much each kind of evidence counts, by maximum likelihood of the true labels.
//!
//! A label's score is a sum of what the network, edges, votes and matches say, each by its weight, and of a
//! constant for `New`; softmax makes probabilities of the scores (multinomial logit: McFadden, 1974). The negative log
//! likelihood is convex in the weights, β among them as the network's, so that Newton's way finds the one best. It asks
//! how sure the answers are, not only in which order they come, and so its weights swing less from photos to photos than
//! those with the best MAP@5, and the probabilities fit better (docs/results/trailing-edge.md, *By likelihood*).

use rayon::prelude::*;

/// Kinds of what is said of every label.
pub(super) const SAID: usize = 6;
/// Weights: of what is said, and the constant for `New`.
pub(super) const WEIGHTS: usize = SAID + 1;

/// Of half the sum of the squared weights so much is added to what is made small: no weight grows without end, and one
/// that changes nothing is 0.
const RIDGE: f64 = 1e-3;
/// The network's weight at the beginning, and at least.
const LEAST: f64 = 1e-3;
const STEPS: usize = 60;
/// Steps that make it no better by this end the search.
const GAIN: f64 = 1e-9;
/// Labels whose probability is below exp of this times the first one's are nothing beside it.
const NEGLIGIBLE: f64 = -30.0;

/// What is said of a query's labels, `New` the last.
pub(super) struct Said {
    /// The true label.
    pub(super) slot: usize,
    /// By kind, `[labels]` each, the network's scores first.
    pub(super) of_labels: [Vec<f32>; SAID],
    /// What the constant for `New` is multiplied by, 0 to 1.
    pub(super) heard: f32,
}

/// The weights that make the true labels likeliest, those of evidence 0 or more.
pub(super) fn likeliest(queries: &[Said], sharpness: f32) -> [f64; WEIGHTS] {
    let mut free = [true; WEIGHTS];
    loop {
        let mut start = [0.0; WEIGHTS];
        start[0] = f64::from(sharpness).max(LEAST);
        let weights = newton(queries, start, free);
        // Evidence that speaks against its whale is none: without the worst of it again.
        let worst = (1..WEIGHTS)
            .filter(|&kind| weights[kind] < 0.0)
            .min_by(|&a, &b| weights[a].total_cmp(&weights[b]));
        match worst {
            Some(kind) => free[kind] = false,
            None => return weights,
        }
    }
}

fn newton(queries: &[Said], start: [f64; WEIGHTS], free: [bool; WEIGHTS]) -> [f64; WEIGHTS] {
    let mut weights = start;
    let mut here = Bowl::at(queries, &weights);
    for _ in 0..STEPS {
        let step = here.step(free);
        // Halves of the step until it is one down.
        let next = (0..30).find_map(|halvings| {
            let share = 0.5_f64.powi(halvings);
            let mut next: [f64; WEIGHTS] =
                std::array::from_fn(|kind| weights[kind] + share * step[kind]);
            next[0] = next[0].max(LEAST);
            let bowl = Bowl::at(queries, &next);
            (bowl.loss < here.loss).then_some((next, bowl))
        });
        let Some((next, bowl)) = next else { break };
        let gain = here.loss - bowl.loss;
        (weights, here) = (next, bowl);
        if gain < GAIN * here.loss.max(1.0) {
            break;
        }
    }
    weights
}

/// The negative log likelihood at a place, which way it rises and how that changes.
struct Bowl {
    loss: f64,
    slope: [f64; WEIGHTS],
    bend: [[f64; WEIGHTS]; WEIGHTS],
}

impl Bowl {
    fn at(queries: &[Said], weights: &[f64; WEIGHTS]) -> Self {
        // Added up in their order, so that the sum does not hang on threads.
        let parts: Vec<Self> = queries
            .par_iter()
            .map(|query| Self::of(query, weights))
            .collect();
        let squares: f64 = weights.iter().map(|weight| weight * weight).sum();
        let mut all = Self {
            loss: 0.5 * RIDGE * squares,
            slope: weights.map(|weight| RIDGE * weight),
            bend: std::array::from_fn(|a| {
                std::array::from_fn(|b| if a == b { RIDGE } else { 0.0 })
            }),
        };
        for part in parts {
            all.loss += part.loss;
            for a in 0..WEIGHTS {
                all.slope[a] += part.slope[a];
                for b in 0..WEIGHTS {
                    all.bend[a][b] += part.bend[a][b];
                }
            }
        }
        all
    }

    fn of(query: &Said, weights: &[f64; WEIGHTS]) -> Self {
        let labels = query.of_labels[0].len();
        let said = |label: usize| -> [f64; WEIGHTS] {
            std::array::from_fn(|kind| match kind {
                SAID if label + 1 == labels => f64::from(query.heard),
                SAID => 0.0,
                _ => f64::from(query.of_labels[kind].get(label).copied().unwrap_or(0.0)),
            })
        };
        let score = |said: &[f64; WEIGHTS]| -> f64 {
            said.iter()
                .zip(weights)
                .map(|(said, weight)| said * weight)
                .sum()
        };
        let scores: Vec<f64> = (0..labels).map(|label| score(&said(label))).collect();
        let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (mut sum, mut means) = (0.0, [0.0; WEIGHTS]);
        let mut squares = [[0.0; WEIGHTS]; WEIGHTS];
        for (label, score) in scores.iter().enumerate() {
            if score - most < NEGLIGIBLE {
                continue;
            }
            let (share, said) = ((score - most).exp(), said(label));
            sum += share;
            for a in 0..WEIGHTS {
                means[a] += share * said[a];
                for b in 0..WEIGHTS {
                    squares[a][b] += share * said[a] * said[b];
                }
            }
        }
        let means = means.map(|mean| mean / sum);
        let truth = said(query.slot);
        Self {
            loss: most + sum.ln() - scores[query.slot],
            slope: std::array::from_fn(|kind| means[kind] - truth[kind]),
            bend: std::array::from_fn(|a| {
                std::array::from_fn(|b| squares[a][b] / sum - means[a] * means[b])
            }),
        }
    }

    /// The step to where the bowl would be lowest if it bent evenly, among the weights that are free.
    fn step(&self, free: [bool; WEIGHTS]) -> [f64; WEIGHTS] {
        let mut rows: [[f64; WEIGHTS + 1]; WEIGHTS] = std::array::from_fn(|a| {
            std::array::from_fn(|b| match (free[a], b) {
                (true, WEIGHTS) => -self.slope[a],
                (true, b) if free[b] => self.bend[a][b],
                (false, b) if a == b => 1.0,
                _ => 0.0,
            })
        });
        // Gauss and Jordan's way; the matrix is positive definite, so the diagonal serves.
        for pivot in 0..WEIGHTS {
            let row = rows[pivot].map(|value| value / rows[pivot][pivot]);
            for (place, other) in rows.iter_mut().enumerate() {
                let factor = other[pivot];
                for (value, by) in other.iter_mut().zip(row) {
                    *value = if place == pivot {
                        by
                    } else {
                        *value - factor * by
                    };
                }
            }
        }
        rows.map(|row| row[WEIGHTS])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(slot: usize, network: [f32; 3], edges: [f32; 2]) -> Said {
        let edges = [edges[0], edges[1], 0.0].to_vec();
        Said {
            slot,
            of_labels: [network.to_vec(), edges, vec![], vec![], vec![], vec![]],
            heard: 1.0,
        }
    }

    /// Of two whales the edge is right three times of four, the network says nothing: with a weight w the odds of the
    /// whale whose edge fits are e^w, so w = ln 3, and `New`, which never comes, is told from them by its constant alone.
    #[test]
    fn odds_are_as_counted() {
        let query = |slot| said(slot, [0.0, 0.0, -9.0], [1.0, 0.0]);
        let queries: Vec<Said> = (0..400).map(|i| query(usize::from(i % 4 == 0))).collect();
        let weights = likeliest(&queries, 1.0);
        assert!((weights[1] - 3.0_f64.ln()).abs() < 0.01, "{weights:?}");
        assert_eq!(weights[2..SAID], [0.0; 4]);
    }

    /// Evidence that is wrong more often than right is left out, not turned round.
    #[test]
    fn what_speaks_against_its_whale_is_not_counted() {
        let query = |slot| said(slot, [0.0, 0.0, -9.0], [1.0, 0.0]);
        let queries: Vec<Said> = (0..400).map(|i| query(usize::from(i % 4 != 0))).collect();
        assert_eq!(likeliest(&queries, 1.0)[1], 0.0);
    }

    /// The share of strangers is what the constant gives them where nothing else speaks.
    #[test]
    fn strangers_get_their_share() {
        let query = |slot| said(slot, [0.0; 3], [0.0; 2]);
        let queries: Vec<Said> = (0..400)
            .map(|i| query(if i % 2 == 0 { 2 } else { i % 4 / 2 }))
            .collect();
        // Two whales share one half.
        assert!((likeliest(&queries, 1.0)[SAID] - 2.0_f64.ln()).abs() < 0.01);
    }

    /// Slope and bend against differences of the loss.
    #[test]
    fn the_bowl_is_what_its_loss_says() {
        let queries = [
            said(0, [0.3, 0.5, 0.4], [0.8, 0.1]),
            said(2, [0.6, 0.2, 0.4], [0.1, 0.3]),
        ];
        let at = [3.0, 1.5, 0.0, 0.0, 0.0, 0.0, 0.5];
        let bowl = Bowl::at(&queries, &at);
        for kind in [0, 1, SAID] {
            let moved = |by: f64| {
                let mut at = at;
                at[kind] += by;
                Bowl::at(&queries, &at)
            };
            let (up, down) = (moved(1e-4), moved(-1e-4));
            let slope = (up.loss - down.loss) / 2e-4;
            assert!((slope - bowl.slope[kind]).abs() < 1e-6);
            for other in 0..WEIGHTS {
                let bend = (up.slope[other] - down.slope[other]) / 2e-4;
                assert!((bend - bowl.bend[kind][other]).abs() < 1e-6);
            }
        }
    }
}
