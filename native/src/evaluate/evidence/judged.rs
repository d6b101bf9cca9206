//! The tables of what local features add.

use super::calibration::{FirstAnswers, NAMES, calibrations};
use super::measure::Columns;
use super::{Again, Contradiction, EvidenceReport, Gain, TunedEvidence, Verified};
use crate::Result;
use crate::data::Catalogue;
use crate::evaluate::intervals::Bootstrap;
use crate::evaluate::scores::{ScoreRow, row_of_columns, worth};
use crate::tune::TuneError;
use flukeprint_core::decision::{EvidenceParameters, rank_of};
use flukeprint_core::gallery::Label;

/// By trailing edges alone, by votes alone, and with what the inliers of their first whales are worth.
pub(super) const EDGES: &str = "trailing edge";
pub(super) const VOTES: &str = "votes";
pub(super) const LOCAL: &str = "votes and inliers";

/// Photos that were answered in every way, each by parameters that it was not tuned on.
pub(super) struct Judged {
    pub truths: Vec<Label>,
    pub network: Columns,
    pub edges: Columns,
    pub votes: Columns,
    /// Votes and inliers, without the network.
    pub local: Columns,
    pub with_edges: Columns,
    pub verified: Columns,
    pub both: Columns,
    /// The first answers, as [`NAMES`] says.
    pub first: FirstAnswers,
    /// The fewest inliers of a verified match; a number for each part.
    pub thresholds: Vec<u32>,
    /// The verified ones.
    pub matches: Vec<Match>,
}

/// A photo's best match.
#[derive(Clone, Debug)]
pub(super) struct Match {
    pub photo: String,
    pub truth: Label,
    pub whale: Label,
    pub inliers: u32,
}

impl Match {
    pub(super) fn is_right(&self) -> bool {
        self.truth == self.whale
    }
}

impl Judged {
    /// These and then `more`.
    pub(super) fn and(mut self, more: Self) -> Self {
        self.truths.extend(more.truths);
        self.network.extend(more.network);
        self.edges.extend(more.edges);
        self.votes.extend(more.votes);
        self.local.extend(more.local);
        self.with_edges.extend(more.with_edges);
        self.verified.extend(more.verified);
        self.both.extend(more.both);
        for (all, more) in self.first.iter_mut().zip(more.first) {
            all.extend(more);
        }
        self.thresholds.extend(more.thresholds);
        self.matches.extend(more.matches);
        self
    }

    pub(super) fn report(
        &self,
        catalogue: &Catalogue,
        (edges, tuned): (EvidenceParameters, TunedEvidence),
        unseen: Vec<Again>,
    ) -> Result<EvidenceReport> {
        let rows = [
            (NAMES[0], &self.network),
            (EDGES, &self.edges),
            (VOTES, &self.votes),
            (LOCAL, &self.local),
            (NAMES[1], &self.with_edges),
            (NAMES[2], &self.verified),
            (NAMES[3], &self.both),
        ];
        let rows = rows
            .into_iter()
            .filter_map(|(name, columns)| self.row(name, columns));
        Ok(EvidenceReport {
            photos: self.truths.len(),
            crossed: self.thresholds.len() > 1,
            rows: rows.collect(),
            calibration: calibrations(&self.first)?,
            map5_gain: self.map5_gain()?,
            known_top1_gain: self.known_top1_gain()?,
            verified: self.verified_matches(catalogue),
            edges,
            verify: tuned.verify,
            search: tuned.search,
            unseen,
        })
    }

    fn row(&self, name: &'static str, columns: &Columns) -> Option<ScoreRow> {
        let truths = self.truths.iter().copied();
        row_of_columns(name, columns.iter().map(Vec::as_slice).zip(truths))
    }

    /// Network, local features or edges, whichever `measure` is highest of.
    fn better(&self, measure: impl Fn(ScoreRow) -> Option<f64>) -> &Columns {
        let of = |columns| self.row("", columns).and_then(&measure).unwrap_or(0.0);
        let others = [&self.local, &self.edges].into_iter();
        others.fold(&self.network, |best, columns| {
            match of(columns) > of(best) {
                true => columns,
                false => best,
            }
        })
    }

    fn map5_gain(&self) -> Result<Gain> {
        let value = |column: &[f32], slot| worth(Some(rank_of(column, slot)))[0];
        let better = self.better(|row| Some(row.map5));
        gain(&self.differences(better, |_| true, value))
    }

    fn known_top1_gain(&self) -> Result<Gain> {
        let value = |column: &[f32], slot| {
            let whales = &column[..column.len() - 1];
            f64::from(u8::from(rank_of(whales, slot) == 1))
        };
        let better = self.better(|row| row.top1_known);
        gain(&self.differences(better, |truth| truth != Label::New, value))
    }

    /// What both together have more than `alone`, photo by photo; `value` is of a column and the true slot.
    fn differences(
        &self,
        alone: &Columns,
        counts: impl Fn(Label) -> bool,
        value: impl Fn(&[f32], usize) -> f64,
    ) -> Vec<(Label, [f64; 1])> {
        let pairs = self.truths.iter().zip(self.both.iter().zip(alone));
        let counted = pairs.filter(|(truth, _)| counts(**truth));
        counted
            .map(|(&truth, (both, alone))| {
                let slot = truth.slot(both.len() - 1);
                (truth, [value(both, slot) - value(alone, slot)])
            })
            .collect()
    }

    fn verified_matches(&self, catalogue: &Catalogue) -> Verified {
        let count = |kind: fn(&Match) -> bool| self.matches.iter().filter(|one| kind(one)).count();
        let right = count(Match::is_right);
        let new = count(|one| one.truth == Label::New);
        let all = self.matches.len();
        let wrong = self.matches.iter().filter(|one| !one.is_right());
        let contradictions = wrong.map(|one| Contradiction {
            photo: one.photo.clone(),
            labelled: name(catalogue, one.truth),
            matches: name(catalogue, one.whale),
            inliers: one.inliers,
        });
        Verified {
            inliers: self.thresholds.clone(),
            right,
            wrong: all - right - new,
            new,
            precision: (all > 0).then(|| right as f64 / all as f64),
            contradictions: contradictions.collect(),
        }
    }
}

fn name(catalogue: &Catalogue, label: Label) -> String {
    match label {
        Label::Individual(whale) => catalogue.individuals[whale as usize].clone(),
        Label::New => flukeprint_core::gallery::NEW_WHALE.to_owned(),
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
