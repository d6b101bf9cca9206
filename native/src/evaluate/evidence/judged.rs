//! The tables of what local features add.

use super::calibration::{FirstAnswers, NAMES, calibrations};
use super::measure::Columns;
use super::{Again, ByKeypoints, Contradiction, EvidenceReport, Gain, Tuned, Verified};
use crate::Result;
use crate::data::Catalogue;
use crate::evaluate::intervals::Bootstrap;
use crate::evaluate::scores::{ScoreRow, row_of_columns, worth};
use crate::tune::TuneError;
use flukeprint_core::decision::rank_of;
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
    pub with_edges: Columns,
    /// The first answers, as [`NAMES`] says.
    pub first: FirstAnswers,
    /// Where keypoints were compared.
    pub compared: Option<JudgedMatches>,
}

/// What keypoints answer.
pub(super) struct JudgedMatches {
    pub votes: Columns,
    /// Votes and inliers, without the network.
    pub local: Columns,
    pub verified: Columns,
    pub both: Columns,
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
        self.with_edges.extend(more.with_edges);
        for (all, more) in self.first.iter_mut().zip(more.first) {
            all.extend(more);
        }
        if let Some((all, more)) = self.compared.as_mut().zip(more.compared) {
            all.add(more);
        }
        self
    }

    pub(super) fn report(
        &self,
        catalogue: &Catalogue,
        crossed: bool,
        (edges, tuned): Tuned,
        unseen: Vec<Again>,
    ) -> Result<EvidenceReport> {
        let compared = self.compared.as_ref();
        let rows = [
            (NAMES[0], Some(&self.network)),
            (EDGES, Some(&self.edges)),
            (VOTES, compared.map(|compared| &compared.votes)),
            (LOCAL, compared.map(|compared| &compared.local)),
            (NAMES[1], Some(&self.with_edges)),
            (NAMES[2], compared.map(|compared| &compared.verified)),
            (NAMES[3], compared.map(|compared| &compared.both)),
        ];
        let rows = rows
            .into_iter()
            .filter_map(|(name, columns)| self.row(name, columns?));
        let by_keypoints = compared.zip(tuned).map(|(compared, tuned)| ByKeypoints {
            verify: tuned.verify,
            search: tuned.search,
            verified: compared.verified(catalogue),
        });
        Ok(EvidenceReport {
            photos: self.truths.len(),
            crossed,
            rows: rows.collect(),
            calibration: calibrations(&self.first)?,
            map5_gain: self.map5_gain()?,
            known_top1_gain: self.known_top1_gain()?,
            edges,
            by_keypoints,
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
        let local = self.compared.as_ref().map(|compared| &compared.local);
        let others = local.into_iter().chain([&self.edges]);
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

    /// What all together have more than `alone`, photo by photo; `value` is of a column and the true slot.
    fn differences(
        &self,
        alone: &Columns,
        counts: impl Fn(Label) -> bool,
        value: impl Fn(&[f32], usize) -> f64,
    ) -> Vec<(Label, [f64; 1])> {
        let compared = self.compared.as_ref().map(|compared| &compared.both);
        let together = compared.unwrap_or(&self.with_edges);
        let pairs = self.truths.iter().zip(together.iter().zip(alone));
        let counted = pairs.filter(|(truth, _)| counts(**truth));
        counted
            .map(|(&truth, (together, alone))| {
                let slot = truth.slot(together.len() - 1);
                (truth, [value(together, slot) - value(alone, slot)])
            })
            .collect()
    }
}

impl JudgedMatches {
    fn add(&mut self, more: Self) {
        self.votes.extend(more.votes);
        self.local.extend(more.local);
        self.verified.extend(more.verified);
        self.both.extend(more.both);
        self.thresholds.extend(more.thresholds);
        self.matches.extend(more.matches);
    }

    fn verified(&self, catalogue: &Catalogue) -> Verified {
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
