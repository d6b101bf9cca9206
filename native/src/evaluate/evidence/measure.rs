//! What a half of the held-out photos is answered, by parameters of the other.

use super::found::{Found, Search};
use super::judged::{Judged, JudgedMatches, Match};
use super::{Held, Tuned, TunedEvidence, by_all, by_edges, by_network, evidence as of_all};
use crate::Result;
use crate::tune::{LabelledQueries, TuneError, final_scores, tune_new_similarity};
use flukeprint_core::decision::{
    DecisionParameters, EvidenceParameters, Findings, edge_share, probabilities, rank_of,
    votes_share,
};
use flukeprint_core::gallery::Label;
use flukeprint_core::metrics::RankCounts;

/// A match is called verified where at least this share of those on the tuning half is right: more than the 98.5 %
/// that is asked for, since a threshold that is chosen there flatters there.
const PRECISION: f64 = 0.99;

/// One score a label and query.
pub(super) type Columns = Vec<Vec<f32>>;

pub(super) struct Measure<'a> {
    pub tune: &'a Held,
    pub report: &'a Held,
    pub parameters: DecisionParameters,
}

/// Σ 60/rank of the raised scores over all queries.
pub(super) fn points(
    queries: &LabelledQueries,
    found: &[Findings],
    parameters: &DecisionParameters,
    evidence: &EvidenceParameters,
) -> std::result::Result<u64, TuneError> {
    let mut counts = RankCounts::default();
    for ((scores, slot), found) in final_scores(queries, parameters)?.iter().zip(found) {
        let raised = evidence.raised(scores, found.found());
        counts.record(Some(rank_of(&raised, *slot)));
    }
    Ok(counts.points())
}

impl Measure<'_> {
    /// Every answer to the report half; `tuned` is how edges, and where keypoints were compared all evidence, count by the tuning half.
    pub(super) fn judged(&self, tuned: &Tuned, searched: &Search<'_>) -> Result<Judged> {
        let (fits, evidence) = tuned;
        let network = self.network()?;
        let with_edges = self.raised(&network, fits, |found, _, _| by_edges(found));
        let mut first = vec![
            self.first(&network, &self.parameters),
            self.first(&with_edges, &fits.calibrated(&self.parameters)),
        ];
        let compared = match evidence {
            None => None,
            Some(evidence) => {
                let matches = self.judged_matches(&network, evidence, searched)?;
                let TunedEvidence { verify, search } = evidence;
                first.extend([
                    self.first(&matches.verified, &verify.calibrated(&self.parameters)),
                    self.first(&matches.both, &search.calibrated(&self.parameters)),
                ]);
                Some(matches)
            }
        };
        let truths = self.report.queries.iter().map(|query| query.truth);
        Ok(Judged {
            truths: truths.collect(),
            edges: self.local(edges)?,
            network,
            with_edges,
            first,
            compared,
        })
    }

    fn judged_matches(
        &self,
        network: &Columns,
        TunedEvidence { verify, search }: &TunedEvidence,
        searched: &Search<'_>,
    ) -> Result<JudgedMatches> {
        let threshold = threshold(&self.matches(self.tune, search, searched));
        let matches = self.matches(self.report, search, searched).into_iter();
        Ok(JudgedMatches {
            votes: self.local(votes)?,
            local: self.local(|found| votes_and_inliers(found, search))?,
            verified: self.raised(network, verify, by_network),
            both: self.raised(network, search, by_all),
            thresholds: vec![threshold],
            matches: matches.filter(|one| one.inliers >= threshold).collect(),
        })
    }

    /// The network's scores of the report half.
    fn network(&self) -> Result<Columns> {
        let scores = final_scores(&self.report.queries, &self.parameters)?;
        Ok(scores.into_iter().map(|(scores, _)| scores).collect())
    }

    /// The first answers' probabilities, and whether they are right.
    fn first(&self, columns: &Columns, parameters: &DecisionParameters) -> Vec<(f32, bool)> {
        let individuals = self.report.queries.individuals();
        let pairs = self.report.queries.iter().zip(columns);
        pairs
            .map(|(query, column)| {
                // The first label never has less than another.
                let most = probabilities(column, parameters)
                    .into_iter()
                    .fold(0.0, f32::max);
                (most, rank_of(column, query.truth.slot(individuals)) == 1)
            })
            .collect()
    }

    fn raised(
        &self,
        scores: &Columns,
        evidence: &EvidenceParameters,
        shortlist: super::Shortlist,
    ) -> Columns {
        let size = [evidence.whales as usize, evidence.photos as usize];
        let found = of_all(&self.report.found, shortlist, size[0], size[1]);
        let pairs = scores.iter().zip(&found);
        pairs
            .map(|(scores, found)| evidence.raised(scores, found.found()))
            .collect()
    }

    /// Scores of the report half without the network, with a constant for `New` that is chosen on the
    /// tuning half.
    fn local(&self, column: impl Fn(&Found) -> Vec<f32>) -> Result<Columns> {
        let of = |held: &Held| -> Columns { held.found.iter().map(&column).collect() };
        let tune = of(self.tune);
        let truths = self.tune.queries.iter().map(|query| query.truth);
        let individuals = self.tune.queries.individuals();
        let queries =
            LabelledQueries::new(individuals, truths.collect(), Vec::new(), tune.concat())?;
        let constant = tune_new_similarity(&queries)?;
        let mut columns = of(self.report);
        for column in &mut columns {
            column[individuals] = constant;
        }
        Ok(columns)
    }

    /// The best match of every photo that has one.
    fn matches(
        &self,
        held: &Held,
        search: &EvidenceParameters,
        searched: &Search<'_>,
    ) -> Vec<Match> {
        let individuals = held.queries.individuals();
        let size = [search.whales as usize, search.photos as usize];
        let found = of_all(&held.found, by_all, size[0], size[1]);
        let photos = held.photos.iter().zip(held.queries.iter()).zip(&found);
        let best = photos.filter_map(|((&photo, query), found)| {
            let most = |one: &&(usize, u32)| (one.1, std::cmp::Reverse(one.0));
            let &(whale, inliers) = found.inliers.iter().max_by_key(most)?;
            Some(Match {
                photo: searched.name(photo).to_owned(),
                truth: query.truth,
                whale: Label::from_slot(whale, individuals),
                inliers,
            })
        });
        best.collect()
    }
}

/// The fewest inliers from which on [`PRECISION`] of the best matches are right; of a new whale's photo none is.
fn threshold(best: &[Match]) -> u32 {
    let mut all: Vec<(u32, bool)> = best
        .iter()
        .map(|one| (one.inliers, one.is_right()))
        .collect();
    all.sort_by_key(|one| std::cmp::Reverse(one.0));
    let (mut right, mut threshold) = (0_usize, u32::MAX);
    for (place, &(inliers, is_right)) in all.iter().enumerate() {
        right += usize::from(is_right);
        let last_of_equals = all.get(place + 1).is_none_or(|next| next.0 != inliers);
        if last_of_equals && right as f64 >= PRECISION * (place + 1) as f64 {
            threshold = inliers;
        }
    }
    threshold.max(1)
}

pub(super) fn edges(found: &Found) -> Vec<f32> {
    found.edges.iter().map(|&fit| edge_share(fit)).collect()
}

pub(super) fn votes(found: &Found) -> Vec<f32> {
    found
        .votes
        .iter()
        .map(|&votes| votes_share(votes))
        .collect()
}

/// Half votes, half what the inliers of the first whales of the vote are worth.
pub(super) fn votes_and_inliers(found: &Found, evidence: &EvidenceParameters) -> Vec<f32> {
    let mut column: Vec<f32> = votes(found).iter().map(|share| 0.5 * share).collect();
    for one in &found.by_vote {
        let inliers = one.inliers[evidence.photos as usize - 1];
        column[one.whale] += 0.5 * evidence.worth.probability(f64::from(inliers)) as f32;
    }
    column
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(of: &[(Label, u32, usize)]) -> Vec<Match> {
        let one = |&(truth, inliers, times): &(Label, u32, usize)| {
            let one = Match {
                photo: String::new(),
                truth,
                whale: Label::Individual(0),
                inliers,
            };
            vec![one; times]
        };
        of.iter().flat_map(one).collect()
    }

    #[test]
    fn a_match_of_a_new_whale_is_no_better_than_a_wrong_one() {
        let whale = Label::Individual(0);
        let mut best = vec![
            (whale, 30, 200),
            (Label::Individual(1), 20, 1),
            (whale, 15, 1),
        ];
        assert_eq!(threshold(&matches(&best)), 15);
        best.extend([(Label::New, 18, 1), (Label::New, 17, 1)]);
        assert_eq!(threshold(&matches(&best)), 18);
        assert_eq!(threshold(&matches(&[(Label::New, 18, 1)])), u32::MAX);
    }
}
