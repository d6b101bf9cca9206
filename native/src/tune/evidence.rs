//! How evidence counts, from what was found for held-out photos.

use flukeprint_core::decision::{DecisionParameters, EvidenceParameters, Findings};
use flukeprint_core::evidence::probability::{Curve, CurveError};
use rayon::prelude::*;

use super::likelihood::{Said, likeliest};
use super::{LabelledQueries, TuneError, first, sharpness};
use crate::evidence::{LabelledScore, fit};

/// A heavier weight would be refused.
const HEAVIEST: f64 = 1000.0;

/// Chooses the worth of inliers, then the weights, by maximum likelihood of the true labels. `found` has one
/// entry a query, and votes for all or none of them; `whales` and `photos` say how it was searched. How sure the
/// answers are is put straight by [`calibrate_evidence`].
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
    Ok(weighed(start, &scores, found))
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
    Ok(weighed(start, &scores, found))
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
        clear_edge_weight: 0.0,
        new_raise: 0.0,
        new_fall: 0.0,
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

/// `start` with the likeliest weights.
fn weighed(
    start: EvidenceParameters,
    scores: &[first::Scored],
    found: &[Findings],
) -> EvidenceParameters {
    let pairs = scores.par_iter().zip(found);
    let said: Vec<Said> = pairs
        .map(|((scores, slot), found)| said(&start, scores, *slot, found))
        .collect();
    let [sharpness, edges, clear, votes, odds, fall, new] = likeliest(&said, start.sharpness);
    // A score is what the network says times 1.
    let weight = |weight: f64| (weight / sharpness).min(HEAVIEST) as f32;
    EvidenceParameters {
        odds_weight: weight(odds),
        votes_weight: weight(votes),
        edge_weight: weight(edges),
        clear_edge_weight: weight(clear),
        new_raise: weight(new),
        new_fall: weight(fall),
        ..start
    }
}

/// What each kind of evidence says of every label, as a raise of weight 1.
fn said(start: &EvidenceParameters, scores: &[f32], slot: usize, found: &Findings) -> Said {
    let found = found.found();
    let raised_by = |by: EvidenceParameters| -> Vec<f32> {
        let raised = by.raised(&vec![0.0; scores.len()], found);
        match raised.iter().any(|&raise| raise != 0.0) {
            true => raised,
            false => Vec::new(),
        }
    };
    let nothing = || start.clone();
    Said {
        slot,
        of_labels: [
            scores.to_vec(),
            raised_by(EvidenceParameters {
                edge_weight: 1.0,
                ..nothing()
            }),
            raised_by(EvidenceParameters {
                clear_edge_weight: 1.0,
                ..nothing()
            }),
            raised_by(EvidenceParameters {
                votes_weight: 1.0,
                ..nothing()
            }),
            raised_by(EvidenceParameters {
                odds_weight: 1.0,
                ..nothing()
            }),
            raised_by(EvidenceParameters {
                new_fall: 1.0,
                ..nothing()
            }),
        ],
        heard: if found.is_nothing() { 0.0 } else { found.heard },
    }
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
    use flukeprint_core::gallery::Label;
    use flukeprint_core::metrics::RankCounts;

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
