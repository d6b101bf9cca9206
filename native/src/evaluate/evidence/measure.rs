//! The tables of what local features add.

use super::calibration::{FirstAnswers, NAMES, calibrations};
use super::found::{Found, Search};
use super::{
    Contradiction, EvidenceReport, Gain, Held, TunedEvidence, Verified, by_both, by_network,
    evidence as of_all,
};
use crate::Result;
use crate::data::Catalogue;
use crate::evaluate::intervals::Bootstrap;
use crate::evaluate::scores::{ScoreRow, row_of_columns, worth};
use crate::tune::{Evidence, LabelledQueries, TuneError, final_scores, tune_new_similarity};
use flukeprint_core::decision::{
    DecisionParameters, EvidenceParameters, probabilities, rank_of, votes_share,
};
use flukeprint_core::gallery::Label;
use flukeprint_core::metrics::RankCounts;

/// A match is called verified where at least this share of those on the tuning half is right: more than the 98.5 %
/// that is asked for, since a threshold that is chosen there flatters there.
const PRECISION: f64 = 0.99;

/// One score a label and query.
type Columns = Vec<Vec<f32>>;

pub(super) struct Measure<'a> {
    pub catalogue: &'a Catalogue,
    pub tune: &'a Held,
    pub report: &'a Held,
    pub parameters: DecisionParameters,
}

/// Σ 60/rank of the raised scores over all queries.
pub(super) fn points(
    queries: &LabelledQueries,
    found: &[Evidence],
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
    pub(super) fn report(
        &self,
        tuned: TunedEvidence,
        searched: &Search<'_>,
    ) -> Result<EvidenceReport> {
        let TunedEvidence { verify, search } = &tuned;
        let network = self.network()?;
        let votes = self.local(votes)?;
        let local = self.local(|found| votes_and_inliers(found, search))?;
        let verified = self.raised(&network, verify, by_network);
        let both = self.raised(&network, search, by_both);
        let better = match self.map5(&local) > self.map5(&network) {
            true => &local,
            false => &network,
        };
        let better_known = match self.known_top1(&local) > self.known_top1(&network) {
            true => &local,
            false => &network,
        };
        let rows = [
            (NAMES[0], &network),
            ("votes", &votes),
            ("votes and inliers", &local),
            (NAMES[1], &verified),
            (NAMES[2], &both),
        ];
        Ok(EvidenceReport {
            photos: self.report.queries.len(),
            rows: rows
                .into_iter()
                .filter_map(|(name, columns)| self.row(name, columns))
                .collect(),
            calibration: calibrations(&self.first_answers(&tuned)?)?,
            crossed: None,
            map5_gain: self.map5_gain(&both, better)?,
            known_top1_gain: self.known_top1_gain(&both, better_known)?,
            verified: self.verified(search, searched),
            verify: tuned.verify,
            search: tuned.search,
        })
    }

    /// The network's scores of the report half.
    fn network(&self) -> Result<Columns> {
        let scores = final_scores(&self.report.queries, &self.parameters)?;
        Ok(scores.into_iter().map(|(scores, _)| scores).collect())
    }

    /// The first answers to the report half, as [`NAMES`] says.
    pub(super) fn first_answers(&self, tuned: &TunedEvidence) -> Result<FirstAnswers> {
        let TunedEvidence { verify, search } = tuned;
        let network = self.network()?;
        let verified = self.raised(&network, verify, by_network);
        let both = self.raised(&network, search, by_both);
        Ok([
            self.first(&network, &self.parameters),
            self.first(&verified, &verify.calibrated(&self.parameters)),
            self.first(&both, &search.calibrated(&self.parameters)),
        ])
    }

    fn row(&self, name: &'static str, columns: &Columns) -> Option<ScoreRow> {
        let truths = self.report.queries.iter().map(|query| query.truth);
        row_of_columns(name, columns.iter().map(Vec::as_slice).zip(truths))
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

    fn map5(&self, columns: &Columns) -> f64 {
        self.row("", columns).map_or(0.0, |row| row.map5)
    }

    fn known_top1(&self, columns: &Columns) -> f64 {
        let row = self.row("", columns);
        row.and_then(|row| row.top1_known).unwrap_or(0.0)
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

    fn map5_gain(&self, both: &Columns, alone: &Columns) -> Result<Gain> {
        let individuals = self.report.queries.individuals();
        let values = self.report.queries.iter().zip(both.iter().zip(alone));
        let values: Vec<(Label, [f64; 1])> = values
            .map(|(query, (both, alone))| {
                let slot = query.truth.slot(individuals);
                let [with, without] =
                    [both, alone].map(|column| worth(Some(rank_of(column, slot)))[0]);
                (query.truth, [with - without])
            })
            .collect();
        gain(&values)
    }

    fn known_top1_gain(&self, both: &Columns, alone: &Columns) -> Result<Gain> {
        let individuals = self.report.queries.individuals();
        let values = self.report.queries.iter().zip(both.iter().zip(alone));
        let values: Vec<(Label, [f64; 1])> = values
            .filter(|(query, _)| query.truth != Label::New)
            .map(|(query, (both, alone))| {
                let slot = query.truth.slot(individuals);
                let first = |column: &Vec<f32>| rank_of(&column[..individuals], slot) == 1;
                let [with, without] =
                    [both, alone].map(|column| f64::from(u8::from(first(column))));
                (query.truth, [with - without])
            })
            .collect();
        gain(&values)
    }

    fn verified(&self, search: &EvidenceParameters, searched: &Search<'_>) -> Verified {
        let size = [search.whales as usize, search.photos as usize];
        let best = |held: &Held| -> Vec<(Label, Label, u32)> {
            let individuals = held.queries.individuals();
            let found = of_all(&held.found, by_both, size[0], size[1]);
            let best = held
                .queries
                .iter()
                .zip(&found)
                .filter_map(|(query, found)| {
                    let first = found
                        .inliers
                        .iter()
                        .max_by_key(|(whale, inliers)| (*inliers, std::cmp::Reverse(*whale)))?;
                    Some((query.truth, Label::from_slot(first.0, individuals), first.1))
                });
            best.collect()
        };
        let threshold = threshold(&best(self.tune));
        let mut verified = Verified {
            inliers: threshold,
            right: 0,
            wrong: 0,
            new: 0,
            precision: None,
            contradictions: Vec::new(),
        };
        let photos = self.report.photos.iter();
        for (&photo, (truth, whale, inliers)) in photos.zip(best(self.report)) {
            if inliers < threshold {
                continue;
            }
            match truth {
                _ if truth == whale => verified.right += 1,
                Label::New => verified.new += 1,
                Label::Individual(_) => verified.wrong += 1,
            }
            if truth != whale {
                verified.contradictions.push(Contradiction {
                    photo: searched.name(photo).to_owned(),
                    labelled: self.name(truth),
                    matches: self.name(whale),
                    inliers,
                });
            }
        }
        let answered = verified.right + verified.wrong + verified.new;
        verified.precision = (answered > 0).then(|| verified.right as f64 / answered as f64);
        verified
    }

    fn name(&self, label: Label) -> String {
        match label {
            Label::Individual(whale) => self.catalogue.individuals[whale as usize].clone(),
            Label::New => flukeprint_core::gallery::NEW_WHALE.to_owned(),
        }
    }
}

fn gain(values: &[(Label, [f64; 1])]) -> Result<Gain> {
    let [interval] = Bootstrap::default()
        .means(values)
        .ok_or(TuneError::NoQueries)?;
    let sum: f64 = values.iter().map(|(_, [value])| value).sum();
    Ok(Gain {
        value: sum / values.len() as f64,
        interval,
    })
}

/// The fewest inliers from which on [`PRECISION`] of the best matches are right; of a new whale's photo none is.
fn threshold(best: &[(Label, Label, u32)]) -> u32 {
    let mut all: Vec<(u32, bool)> = best
        .iter()
        .map(|(truth, whale, inliers)| (*inliers, truth == whale))
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

fn votes(found: &Found) -> Vec<f32> {
    found
        .votes
        .iter()
        .map(|&votes| votes_share(votes))
        .collect()
}

/// Half votes, half what the inliers of the first whales of the vote are worth.
fn votes_and_inliers(found: &Found, evidence: &EvidenceParameters) -> Vec<f32> {
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

    #[test]
    fn a_match_of_a_new_whale_is_no_better_than_a_wrong_one() {
        let whale = Label::Individual(0);
        let mut best: Vec<(Label, Label, u32)> = (0..200).map(|_| (whale, whale, 30)).collect();
        best.push((Label::Individual(1), whale, 20));
        best.push((whale, whale, 15));
        assert_eq!(threshold(&best), 15);
        best.extend([(Label::New, whale, 18), (Label::New, whale, 17)]);
        assert_eq!(threshold(&best), 18);
        assert_eq!(threshold(&[(Label::New, whale, 18)]), u32::MAX);
    }
}
