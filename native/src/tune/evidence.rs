//! How evidence counts, from what was found for held-out photos.

use flukeprint_core::decision::{DecisionParameters, EvidenceParameters, Findings};
use flukeprint_core::evidence::probability::{Curve, CurveError};
use flukeprint_core::gallery::Label;
use flukeprint_core::metrics::RankCounts;
use rayon::prelude::*;

use super::standing::Standing;
use super::{LabelledQueries, TuneError, first, sharpness};
use crate::evidence::{LabelledScore, fit};

/// What a factor e of the odds, and votes, may add to a score, in times the sum of the mixing weights.
const ODDS_WEIGHTS: [f32; 12] = [
    0.0, 0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.18, 0.25,
];
const VOTES_WEIGHTS: [f32; 9] = [0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5];
/// And what 10 standard deviations of an edge's fit may add.
const EDGE_WEIGHTS: [f32; 12] = [0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0];
/// What may be added to `New`: so many steps of so much, in times that sum.
const NEW_RAISES: usize = 91;
const NEW_STEP: f32 = 0.02;

/// Chooses the worth of inliers, then by MAP@5 the weights (of equal ones the smallest). `found` has one
/// entry a query, and votes for all or none of them; `whales` and `photos` say how it was searched. The
/// order of the answers is chosen then, not yet how sure they are: see [`calibrate_evidence`].
///
/// # Errors
/// No pair of photos was compared; a parameter out of range.
pub fn weigh_evidence(
    queries: &LabelledQueries,
    found: &[Findings],
    parameters: &DecisionParameters,
    [whales, photos]: [u32; 2],
) -> Result<EvidenceParameters, TuneError> {
    let scores = final_scores(queries, parameters)?;
    let start = unweighed(worth(queries, found)?, parameters, [whales, photos]);
    let sum: f32 = parameters.weights.iter().sum();
    Ok(weights(&start, &scores, found, sum))
}

/// As [`weigh_evidence`], of trailing edges alone.
///
/// # Errors
/// A parameter out of range.
pub fn weigh_edges(
    queries: &LabelledQueries,
    found: &[Findings],
    parameters: &DecisionParameters,
) -> Result<EvidenceParameters, TuneError> {
    let scores = final_scores(queries, parameters)?;
    // No inliers are counted.
    let worth = Curve::new(vec![[0.0, 0.5], [1.0, 0.5]])?;
    let start = unweighed(worth, parameters, [1, 1]);
    let sum: f32 = parameters.weights.iter().sum();
    Ok(weights(&start, &scores, found, sum))
}

/// Evidence of that worth that does not count yet.
fn unweighed(
    worth: Curve,
    parameters: &DecisionParameters,
    [whales, photos]: [u32; 2],
) -> EvidenceParameters {
    EvidenceParameters {
        whales,
        photos,
        worth,
        odds_weight: 0.0,
        votes_weight: 0.0,
        edge_weight: 0.0,
        new_raise: 0.0,
        sharpness: parameters.sharpness,
        first_slope: parameters.first_slope,
        first_offset: parameters.first_offset,
        new_first: None,
    }
}

/// `weighed` with the calibration of the scores that it raises, for the queries and what was found that it
/// was chosen on.
///
/// # Errors
/// A parameter out of range.
pub fn calibrate_evidence(
    weighed: EvidenceParameters,
    queries: &LabelledQueries,
    found: &[Findings],
    parameters: &DecisionParameters,
) -> Result<EvidenceParameters, TuneError> {
    let raised: Vec<first::Scored> = final_scores(queries, parameters)?
        .iter()
        .zip(found)
        .map(|((scores, slot), found)| (weighed.raised(scores, found.found()), *slot))
        .collect();
    let sharpness = sharpness::fit(&raised);
    let [of_whales, of_new] = first::fit_apart(&raised, sharpness);
    Ok(EvidenceParameters {
        sharpness,
        first_slope: of_whales.slope,
        first_offset: of_whales.offset,
        new_first: Some(of_new),
        ..weighed
    })
}

/// The final scores (step 5) of all queries with the slots of their true labels.
pub fn final_scores(
    queries: &LabelledQueries,
    parameters: &DecisionParameters,
) -> Result<Vec<(Vec<f32>, usize)>, TuneError> {
    first::final_scores(queries, parameters)
}

/// The weights with the best MAP@5; `sum` is that of the mixing weights. Of edges alone first, then of votes and
/// odds beside them, then of edges beside those: all at once would be too many.
fn weights(
    start: &EvidenceParameters,
    scores: &[first::Scored],
    found: &[Findings],
    sum: f32,
) -> EvidenceParameters {
    let first = |is: bool, weights: &'static [f32]| match is {
        true => weights,
        false => &weights[..1],
    };
    let voted = found.iter().any(|found| !found.votes.is_empty());
    let compared = found.iter().any(|found| !found.edges.is_empty());
    let votes = first(voted, &VOTES_WEIGHTS);
    let edges = first(compared, &EDGE_WEIGHTS);
    let with_edges = |start: &EvidenceParameters| -> Vec<EvidenceParameters> {
        let tried = edges.iter().map(|&edge| EvidenceParameters {
            edge_weight: edge * sum,
            ..start.clone()
        });
        tried.collect()
    };
    let with_votes = |start: &EvidenceParameters| -> Vec<EvidenceParameters> {
        let pairs = votes
            .iter()
            .flat_map(|&votes| ODDS_WEIGHTS.iter().map(move |&odds| (votes, odds)));
        let tried = pairs.map(|(votes, odds)| EvidenceParameters {
            odds_weight: odds * sum,
            votes_weight: votes * sum,
            ..start.clone()
        });
        tried.collect()
    };
    let best = |tried: Vec<EvidenceParameters>| best_of(tried, scores, found, sum);
    let start = match compared {
        true => best(with_edges(start)),
        false => start.clone(),
    };
    let both = best(with_votes(&start));
    match compared {
        true => best(with_edges(&both)),
        false => both,
    }
}

/// The parameters with the best MAP@5 out of those tried, of equal ones the first, with the best raise of `New`.
fn best_of(
    tried: Vec<EvidenceParameters>,
    scores: &[first::Scored],
    found: &[Findings],
    sum: f32,
) -> EvidenceParameters {
    let raise = |step: usize| NEW_STEP * step as f32 * sum;
    let points_of = |tried: &EvidenceParameters| {
        let tried = EvidenceParameters {
            new_raise: 0.0,
            ..tried.clone()
        };
        let mut counts = vec![RankCounts::default(); NEW_RAISES];
        for ((scores, slot), found) in scores.iter().zip(found) {
            let found = found.found();
            let raised = tried.raised(scores, found);
            let (&new, whales) = raised.split_last().unwrap_or((&0.0, &[]));
            let standing = Standing::new(whales, Label::from_slot(*slot, whales.len()));
            for (step, counts) in counts.iter_mut().enumerate() {
                let raise = match found.is_nothing() {
                    true => 0.0,
                    false => raise(step) * found.heard,
                };
                counts.record(Some(standing.rank(new + raise)));
            }
        }
        let points = counts.iter().map(RankCounts::points).enumerate();
        first_best(points)
    };
    let results: Vec<(usize, u64)> = tried.par_iter().map(points_of).collect();
    let (best, _) = first_best(results.iter().map(|result| result.1).enumerate());
    EvidenceParameters {
        new_raise: raise(results[best].0),
        ..tried[best].clone()
    }
}

/// Place and points of the first of the best.
fn first_best(points: impl Iterator<Item = (usize, u64)>) -> (usize, u64) {
    points.fold((0, 0), |best, next| match next.1 > best.1 {
        true => next,
        false => best,
    })
}

/// What inliers are worth: how often a whale that was compared and has so many is the photo's.
fn worth(queries: &LabelledQueries, found: &[Findings]) -> Result<Curve, CurveError> {
    let individuals = queries.individuals();
    let pairs = queries.iter().zip(found).flat_map(|(query, found)| {
        let truth = query.truth.slot(individuals);
        found
            .inliers
            .iter()
            .map(move |&(whale, inliers)| LabelledScore {
                score: f64::from(inliers),
                same: whale == truth,
            })
    });
    fit(&pairs.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use Label::{Individual as Whale, New};
    use flukeprint_core::decision::rank_of;

    /// Whales 0 and 1; the network is wrong about the first photo and sees no stranger in the third.
    fn queries() -> LabelledQueries {
        let similarities = [
            [0.5, 0.6, 0.0],
            [0.3, 0.7, 0.0],
            [0.6, 0.5, 0.0],
            [0.2, 0.1, 0.0],
        ];
        let truths = vec![Whale(0), Whale(1), New, New];
        LabelledQueries::new(2, truths, vec![], similarities.concat()).unwrap()
    }

    fn parameters() -> DecisionParameters {
        DecisionParameters {
            new_similarity: 0.4,
            ..DecisionParameters::default()
        }
    }

    fn points(found: &[Findings], evidence: &EvidenceParameters) -> u64 {
        let mut counts = RankCounts::default();
        let scores = final_scores(&queries(), &parameters()).unwrap();
        for ((scores, slot), found) in scores.iter().zip(found) {
            let raised = evidence.raised(scores, found.found());
            counts.record(Some(rank_of(&raised, *slot)));
        }
        counts.points()
    }

    fn tuned(found: &[Findings]) -> EvidenceParameters {
        let weighed = weigh_evidence(&queries(), found, &parameters(), [2, 1]).unwrap();
        calibrate_evidence(weighed, &queries(), found, &parameters()).unwrap()
    }

    fn found(inliers: [u32; 2], votes: &[f32]) -> Findings {
        Findings {
            inliers: vec![(0, inliers[0]), (1, inliers[1])],
            votes: votes.to_vec(),
            edges: Vec::new(),
            heard: 1.0,
        }
    }

    #[test]
    fn a_match_puts_right_what_the_network_has_wrong() {
        let found = [
            found([30, 3], &[]),
            found([2, 25], &[]),
            found([3, 4], &[]),
            found([4, 2], &[]),
        ];
        let tuned = tuned(&found);
        assert!(tuned.odds_weight > 0.0 && [tuned.votes_weight, tuned.edge_weight] == [0.0; 2]);
        assert_eq!(tuned.validate(), Ok(()));
        // The stranger that the network does not see is found where New is raised.
        assert!(tuned.new_raise > 0.0);
        assert_eq!(points(&found, &tuned), 240);
        assert!(tuned.worth.probability(30.0) > tuned.worth.probability(3.0));
    }

    #[test]
    fn votes_find_the_stranger_too() {
        let found = [
            found([30, 3], &[2.0, 0.1, 0.0]),
            found([2, 25], &[0.1, 2.0, 0.0]),
            found([3, 4], &[0.1, 0.1, 0.0]),
            found([4, 2], &[0.1, 0.1, 0.0]),
        ];
        let tuned = tuned(&found);
        assert_eq!(points(&found, &tuned), 240, "{tuned:?}");
        assert!(tuned.new_raise > 0.0);
    }

    #[test]
    fn without_a_pair_there_is_nothing_to_tell() {
        let found = vec![Findings::default(); 4];
        assert!(weigh_evidence(&queries(), &found, &parameters(), [2, 1]).is_err());
    }
}
