//! What local features add: alone, and fused with the network's decision.
//!
//! Everything is chosen on the tuning half of a run's held-out photos and measured on the report half,
//! with the training photos as the gallery. Two ways to the whales that are compared: the first whales of
//! the network's decision, as a browser can do it, and with them those of the catalogue-wide vote.

mod calibration;
mod found;
mod judged;
mod keypoints;
mod measure;
mod saved;

use super::embeddings::Embeddings;
use super::intervals::Interval;
use super::report::{Half, queries};
use super::scores::ScoreRow;
use crate::Result;
use crate::data::{Catalogue, Split};
use crate::ensemble::Ensemble;
use crate::progress::Progress;
use crate::tune::{Evidence, LabelledQueries, tune, tune_evidence};
use burn::tensor::Device;
use flukeprint_core::decision::{DecisionParameters, EvidenceParameters};
use flukeprint_core::evidence::Features;
use found::{Found, MOST_WHALES, Search};
use serde::{Deserialize, Serialize};

pub use calibration::Calibration;
pub use keypoints::{catalogue_keypoints, keypoint_files};

/// How many whales of a shortlist are tried, and how many photos of each.
const WHALES: [usize; 3] = [5, 10, MOST_WHALES];
const PHOTOS: [usize; 3] = [1, 2, 3];

/// What local features add on the report half, or on all held-out photos.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EvidenceReport {
    /// Photos measured on.
    pub photos: usize,
    /// Whether both halves were measured on, each by parameters tuned on the other.
    pub crossed: bool,
    /// Local features alone, the network alone, and both.
    pub rows: Vec<ScoreRow>,
    /// Whether the probabilities of the network's decision and of both can be believed.
    pub calibration: Vec<Calibration>,
    /// MAP@5 of both less the better one alone, photo by photo.
    pub map5_gain: Gain,
    /// Top-1 of both less the better one alone, photo by photo of known whales, `New` left aside.
    pub known_top1_gain: Gain,
    /// How evidence counts by the tuning half where a browser verifies the first whales.
    pub verify: EvidenceParameters,
    /// How it counts where the whole catalogue votes too.
    pub search: EvidenceParameters,
    /// When a match is called verified, and how often that is right.
    pub verified: Verified,
}

/// A difference of two answers to the same photos.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gain {
    /// The mean.
    pub value: f64,
    /// Where it lies when other whales are drawn.
    pub interval: Interval,
}

/// Matches that are called verified: so many inliers that on the tuning half at least 99 % are right.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verified {
    /// Inliers from which on a match is verified, by the tuning half; then by the report half, where that
    /// answered the tuning half.
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

/// A half of the held-out photos with what was found for it.
struct Held {
    queries: LabelledQueries,
    photos: Vec<usize>,
    found: Vec<Found>,
}

/// Compares the held-out photos of a tuned run, [`Ensemble::alone`], or of several by local features, tunes
/// on one half and measures on the other. `crossed` measures on all of them, each half by what was tuned on the other.
///
/// # Errors
/// As [`super::evaluate`].
pub fn evaluate_evidence(
    ensemble: &Ensemble,
    catalogue: &Catalogue,
    crossed: bool,
    device: &Device,
    progress: &dyn Progress,
) -> Result<EvidenceReport> {
    let ground = Ground::of(ensemble, catalogue, device, progress)?;
    let search = ground.search(catalogue, progress)?;
    let judge = |[tune, report]: [Half; 2], parameters: DecisionParameters| {
        let held = |half| ground.held(catalogue, &search, half, &parameters, progress);
        let measure = measure::Measure {
            tune: &held(tune)?,
            report: &held(report)?,
            parameters,
        };
        let tuned = TunedEvidence::of(measure.tune, &parameters)?;
        let judged = measure.judged(&tuned, &search)?;
        Ok::<_, crate::Error>((judged, tuned))
    };
    let (mut judged, tuned) = judge([Half::Tune, Half::Report], ground.parameters)?;
    if crossed {
        let report = queries(catalogue, &ground.split, &ground.embeddings, Half::Report)?;
        let parameters = tune(&report)?.parameters;
        judged = judged.and(judge([Half::Report, Half::Tune], parameters)?.0);
    }
    judged.report(catalogue, tuned)
}

/// How evidence counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TunedEvidence {
    /// Where the first whales are verified.
    pub verify: EvidenceParameters,
    /// Where the whole catalogue votes too.
    pub search: EvidenceParameters,
}

impl TunedEvidence {
    fn of(tune: &Held, parameters: &DecisionParameters) -> Result<Self> {
        Ok(Self {
            verify: best(tune, parameters, by_network)?,
            search: best(tune, parameters, by_both)?,
        })
    }
}

/// Chooses on the tuning half how evidence counts, as [`evaluate_evidence`] does.
///
/// # Errors
/// As [`evaluate_evidence`].
pub fn tune_evidence_of(
    ensemble: &Ensemble,
    catalogue: &Catalogue,
    device: &Device,
    progress: &dyn Progress,
) -> Result<TunedEvidence> {
    let ground = Ground::of(ensemble, catalogue, device, progress)?;
    let search = ground.search(catalogue, progress)?;
    let parameters = &ground.parameters;
    let tune = ground.held(catalogue, &search, Half::Tune, parameters, progress)?;
    TunedEvidence::of(&tune, &ground.parameters)
}

/// A run's photos, with all that they are compared by.
struct Ground {
    split: Split,
    parameters: DecisionParameters,
    embeddings: Embeddings,
    keypoints: Vec<Features>,
}

impl Ground {
    fn of(
        ensemble: &Ensemble,
        catalogue: &Catalogue,
        device: &Device,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let split = ensemble.split(catalogue)?;
        Ok(Self {
            parameters: ensemble.decision,
            embeddings: ensemble.embeddings(catalogue, &split, device, progress)?,
            keypoints: catalogue_keypoints(ensemble.first(), catalogue, progress)?,
            split,
        })
    }

    fn search<'a>(
        &'a self,
        catalogue: &'a Catalogue,
        progress: &dyn Progress,
    ) -> Result<Search<'a>> {
        let (split, keypoints) = (&self.split, &self.keypoints);
        Search::new(catalogue, split, &self.embeddings, keypoints, progress)
    }

    fn held(
        &self,
        catalogue: &Catalogue,
        search: &Search<'_>,
        half: Half,
        parameters: &DecisionParameters,
        progress: &dyn Progress,
    ) -> Result<Held> {
        let photos = match half {
            Half::Tune => &self.split.tune,
            Half::Report => &self.split.report,
        };
        let queries = queries(catalogue, &self.split, &self.embeddings, half)?;
        let found = search.all(&queries, photos, &self.embeddings, parameters, progress)?;
        Ok(Held {
            queries,
            photos: photos.clone(),
            found,
        })
    }
}

/// Which of the whales that were compared count, for so many whales and photos.
type Shortlist = fn(&Found, usize, usize) -> Evidence;

fn by_network(found: &Found, whales: usize, photos: usize) -> Evidence {
    let first = found.by_network.iter().take(whales);
    let inliers = first.map(|one| (one.whale, one.inliers[photos - 1]));
    Evidence {
        inliers: inliers.collect(),
        votes: Vec::new(),
    }
}

fn by_both(found: &Found, whales: usize, photos: usize) -> Evidence {
    let mut evidence = by_network(found, whales, photos);
    let voted = found.by_vote.iter().take(whales);
    let inliers = voted.map(|one| (one.whale, one.inliers[photos - 1]));
    evidence.inliers.extend(inliers);
    evidence.votes.clone_from(&found.votes);
    evidence
}

/// The number of whales and photos with the best MAP@5 on the tuning half; of equal ones the fewest.
fn best(
    tune: &Held,
    parameters: &DecisionParameters,
    shortlist: Shortlist,
) -> Result<EvidenceParameters> {
    let mut best: Option<(u64, EvidenceParameters)> = None;
    for whales in WHALES {
        for photos in PHOTOS {
            let found = evidence(&tune.found, shortlist, whales, photos);
            let size = [whales as u32, photos as u32];
            let tuned = tune_evidence(&tune.queries, &found, parameters, size)?;
            let points = measure::points(&tune.queries, &found, parameters, &tuned)?;
            if best.as_ref().is_none_or(|(most, _)| points > *most) {
                best = Some((points, tuned));
            }
        }
    }
    let (_, best) = best.ok_or(crate::tune::TuneError::NoQueries)?;
    Ok(best)
}

fn evidence(found: &[Found], shortlist: Shortlist, whales: usize, photos: usize) -> Vec<Evidence> {
    let of = |found: &Found| shortlist(found, whales, photos);
    found.iter().map(of).collect()
}
