//! What trailing edges and local features add: alone, and fused with the network's decision.
//!
//! Everything is chosen on the tuning half of a run's held-out photos and measured on the report half,
//! with the training photos as the gallery. First the trailing edges, which need no more than the gallery. Then two ways
//! to the whales that are compared by keypoints: the first whales of the network's decision and by edge, as a browser
//! can do it, and with them those of the catalogue-wide vote.

mod calibration;
mod edges;
mod found;
mod judged;
mod keypoints;
mod marks;
mod measure;
mod saved;
mod searching;
mod tuned;
mod unseen;

use super::crossed::Parts;
use super::embeddings::Embeddings;
use super::intervals::Interval;
use super::reid::Reid;
use super::report::{HeldOut, queries};
use super::scores::ScoreRow;
use crate::Result;
use crate::data::{Catalogue, Split};
use crate::ensemble::Ensemble;
use crate::progress::Progress;
use crate::tune::{LabelledQueries, TuneError, tune};
use burn::tensor::Device;
use flukeprint_core::decision::{DecisionParameters, EvidenceParameters, Findings};
use found::{Found, MOST_WHALES, Search};
use serde::Serialize;

pub use calibration::Calibration;
pub use edges::catalogue_edges;
pub use keypoints::keypoint_files;
pub(crate) use marks::Marks;
pub use saved::carry_over;
pub(crate) use searching::Searching;
use tuned::tuned_edges;
pub use tuned::{TunedEdges, TunedEvidence, tune_evidence_of};

/// What edges, and where they were compared local features, add on the report half, or on all held-out photos.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EvidenceReport {
    /// Photos measured on.
    pub photos: usize,
    /// Whether all held-out photos were measured on, each part of them by parameters tuned on the others.
    pub crossed: bool,
    /// The network alone, edges and local features alone, and all of them.
    pub rows: Vec<ScoreRow>,
    /// Whether the probabilities of the network's decision and of both can be believed.
    pub calibration: Vec<Calibration>,
    /// MAP@5 of all together less the best one alone, photo by photo.
    pub map5_gain: Gain,
    /// Top-1 of all together less the best one alone, photo by photo of known whales, `New` left aside.
    pub known_top1_gain: Gain,
    /// How trailing edges count beside the network, by what the first photos measured on were not part of: of halves, by
    /// the tuning half.
    pub edges: EvidenceParameters,
    /// Where keypoints were compared.
    #[serde(flatten)]
    pub by_keypoints: Option<ByKeypoints>,
    /// Photos of whales that training left out, each looked up among the others of them; none where the
    /// recipe leaves no whale out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<Again>,
}

/// What is told of matches of keypoints.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ByKeypoints {
    /// How evidence counts where a browser verifies the first whales, by the same photos as edges do.
    pub verify: EvidenceParameters,
    /// How it counts where the whole catalogue votes too.
    pub search: EvidenceParameters,
    /// When a match is called verified, and how often that is right.
    pub verified: Verified,
}

/// How often whales that training never saw are found again in one way.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Again {
    /// The way.
    pub name: &'static str,
    /// How often.
    #[serde(flatten)]
    pub reid: Reid,
}

/// A difference of two answers to the same photos.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gain {
    /// The mean.
    pub value: f64,
    /// Where it lies when other whales are drawn.
    pub interval: Interval,
}

/// Matches that are called verified: so many inliers that of those that were tuned on at least 99 % are right.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verified {
    /// Inliers from which on a match is verified, by the tuning half; crossed, a number for each part, where
    /// there are halves the report half's first.
    pub inliers: Vec<u32>,
    /// Photos of known whales with a verified match, by the label of the best one right.
    pub right: usize,
    /// Those of known whales whose best match is another whale by the labels.
    pub wrong: usize,
    /// Photos of new whales with a verified match.
    pub new: usize,
    /// right / (right + wrong + new).
    pub precision: Option<f64>,
    /// Every verified match that contradicts the labels: to be looked at, for it may be one whale under
    /// two names.
    pub contradictions: Vec<Contradiction>,
}

/// A verified match between photos of different names.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contradiction {
    /// The photo.
    pub photo: String,
    /// The whale that it shows by the labels, or `new_whale`.
    pub labelled: String,
    /// The whale that it matches.
    pub matches: String,
    /// By how many inliers.
    pub inliers: u32,
}

/// Held-out photos with what was found for them.
struct Held {
    queries: LabelledQueries,
    photos: Vec<usize>,
    found: Vec<Found>,
}

/// How edges count, and where keypoints were compared all that is.
type Tuned = (EvidenceParameters, Option<TunedEvidence>);

/// Compares the held-out photos of a tuned run, [`Ensemble::alone`], or of several by trailing edges, and where `compared` by
/// keypoints too, tunes on one half and measures on the other. `crossed` cuts them into so many parts, two being the halves, and
/// measures on all of them, each part by what was tuned on the others.
///
/// # Errors
/// As [`super::evaluate`] and [`super::evaluate_crossed`].
pub fn evaluate_evidence(
    ensemble: &Ensemble,
    catalogue: &Catalogue,
    compared: bool,
    crossed: Option<usize>,
    device: &Device,
    progress: &dyn Progress,
) -> Result<EvidenceReport> {
    if crossed.is_none() {
        ensemble.tuned_on.require_report_half(ensemble.first())?;
    }
    let ground = Ground::of(ensemble, catalogue, compared, device, progress)?;
    let parts = Parts::of(&ground.split, crossed.unwrap_or(2))?;
    let search = ground.search(catalogue, progress)?;
    let judge = |part: &[usize], others: &[usize]| {
        let parameters = match crossed {
            Some(_) => tune(&ground.queries.pick(others)?)?.parameters,
            None => ground.parameters,
        };
        let held = |numbers| ground.held(&search, numbers, &parameters, progress);
        let measure = measure::Measure {
            tune: &held(others)?,
            report: &held(part)?,
            parameters,
        };
        let of_edges: Vec<Findings> = measure.tune.found.iter().map(by_edges).collect();
        let evidence = compared.then(|| TunedEvidence::of(measure.tune, &parameters));
        let tuned = (
            tuned_edges((&measure.tune.queries, &of_edges), &parameters)?,
            evidence.transpose()?,
        );
        let judged = measure.judged(&tuned, &search)?;
        Ok::<_, crate::Error>((judged, parameters, tuned))
    };
    // Of halves the report half first.
    let mut parts = parts.each().collect::<Vec<_>>().into_iter().rev();
    let Some((part, others)) = parts.next() else {
        return Err(TuneError::NoQueries.into());
    };
    let (mut judged, parameters, tuned) = judge(part, &others)?;
    if crossed.is_some() {
        for (part, others) in parts {
            judged = judged.and(judge(part, &others)?.0);
        }
    }
    let unseen = unseen::looked_up(&ground, catalogue, &parameters, &tuned, progress)?;
    judged.report(catalogue, crossed.is_some(), tuned, unseen)
}

/// A run's photos, with all that they are compared by.
struct Ground {
    split: Split,
    parameters: DecisionParameters,
    embeddings: Embeddings,
    /// All held-out photos, the tuning half first, and their places in the catalogue.
    queries: LabelledQueries,
    photos: Vec<usize>,
    marks: Marks,
}

impl Ground {
    /// Without `compared` no keypoints are looked for: no photo has any.
    fn of(
        ensemble: &Ensemble,
        catalogue: &Catalogue,
        compared: bool,
        device: &Device,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let split = ensemble.split(catalogue)?;
        let embeddings = ensemble.embeddings(catalogue, &split, device, progress)?;
        Ok(Self {
            parameters: ensemble.decision,
            queries: queries(catalogue, &split, &embeddings, HeldOut::All)?,
            photos: HeldOut::All.photos(&split),
            embeddings,
            marks: Marks::of(ensemble.first(), catalogue, &split, compared, progress)?,
            split,
        })
    }

    fn search<'a>(
        &'a self,
        catalogue: &'a Catalogue,
        progress: &dyn Progress,
    ) -> Result<Search<'a>> {
        let (split, embeddings) = (&self.split, &self.embeddings);
        Search::new(catalogue, split, embeddings, &self.marks, progress)
    }

    /// The held-out photos with these numbers.
    fn held(
        &self,
        search: &Search<'_>,
        numbers: &[usize],
        parameters: &DecisionParameters,
        progress: &dyn Progress,
    ) -> Result<Held> {
        let photos: Vec<usize> = numbers.iter().map(|&number| self.photos[number]).collect();
        let queries = self.queries.pick(numbers)?;
        let found = search.all(&queries, &photos, &self.embeddings, parameters, progress)?;
        Ok(Held {
            queries,
            photos,
            found,
        })
    }
}

/// Which of the whales that were compared count, for so many whales and photos.
type Shortlist = fn(&Found, usize, usize) -> Findings;

/// Edges alone.
fn by_edges(found: &Found) -> Findings {
    Findings::of_edges(found.edges.clone())
}

/// The first whales of the network and those whose edges fit best.
fn by_network(found: &Found, whales: usize, photos: usize) -> Findings {
    let listed = [&found.by_network, &found.by_edge];
    let first = listed
        .into_iter()
        .flat_map(|listed| listed.iter().take(whales));
    let inliers = first.map(|one| (one.whale, one.inliers[photos - 1]));
    Findings {
        inliers: inliers.collect(),
        ..by_edges(found)
    }
}

/// With them those of the catalogue's vote.
fn by_all(found: &Found, whales: usize, photos: usize) -> Findings {
    let mut evidence = by_network(found, whales, photos);
    let voted = found.by_vote.iter().take(whales);
    let inliers = voted.map(|one| (one.whale, one.inliers[photos - 1]));
    evidence.inliers.extend(inliers);
    evidence.votes.clone_from(&found.votes);
    evidence
}

fn evidence(found: &[Found], shortlist: Shortlist, whales: usize, photos: usize) -> Vec<Findings> {
    let of = |found: &Found| shortlist(found, whales, photos);
    found.iter().map(of).collect()
}
