//! How evidence counts, chosen on held-out photos.

use super::measure;
use super::{Ground, Held, Shortlist, by_all, by_edges, by_network, evidence};
use crate::Result;
use crate::data::Catalogue;
use crate::ensemble::Ensemble;
use crate::progress::Progress;
use crate::tune::{TuneError, calibrate_evidence, weigh_edges, weigh_evidence};
use burn::tensor::Device;
use flukeprint_core::decision::{DecisionParameters, EvidenceParameters, Findings};
use serde::{Deserialize, Serialize};

/// How many whales of a shortlist are tried, and how many photos of each.
const WHALES: [usize; 3] = [5, 10, super::MOST_WHALES];
const PHOTOS: [usize; 3] = [1, 2, 3];

/// How trailing edges count beside the networks, where nothing else is compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TunedEdges {
    /// How much a fit counts.
    pub edges: EvidenceParameters,
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

impl TunedEdges {
    pub(super) fn of(tune: &Held, parameters: &DecisionParameters) -> Result<Self> {
        let found: Vec<Findings> = tune.found.iter().map(by_edges).collect();
        let weighed = weigh_edges(&tune.queries, &found, parameters)?;
        let edges = calibrate_evidence(weighed, &tune.queries, &found, parameters)?;
        Ok(Self { edges })
    }
}

impl TunedEvidence {
    pub(super) fn of(tune: &Held, parameters: &DecisionParameters) -> Result<Self> {
        Ok(Self {
            verify: best(tune, parameters, by_network)?,
            search: best(tune, parameters, by_all)?,
        })
    }
}

/// Chooses how edges count, and with `compared` how everything else does that is compared, on the photos that the
/// decision was chosen on, as [`evaluate_evidence`](super::evaluate_evidence) does.
///
/// # Errors
/// As [`evaluate_evidence`](super::evaluate_evidence).
pub fn tune_evidence_of(
    ensemble: &Ensemble,
    catalogue: &Catalogue,
    compared: bool,
    device: &Device,
    progress: &dyn Progress,
) -> Result<(TunedEdges, Option<TunedEvidence>)> {
    let ground = Ground::of(ensemble, catalogue, compared, device, progress)?;
    let search = ground.search(catalogue, progress)?;
    let photos = ensemble.tuned_on.photos().photos(&ground.split).len();
    // The tuning half comes first.
    let numbers: Vec<usize> = (0..photos).collect();
    let tune = ground.held(&search, &numbers, &ground.parameters, progress)?;
    let evidence = compared.then(|| TunedEvidence::of(&tune, &ground.parameters));
    Ok((
        TunedEdges::of(&tune, &ground.parameters)?,
        evidence.transpose()?,
    ))
}

/// The number of whales and photos with the best MAP@5 on the tuning half; of equal ones the fewest.
fn best(
    tune: &Held,
    parameters: &DecisionParameters,
    shortlist: Shortlist,
) -> Result<EvidenceParameters> {
    let mut best: Option<(u64, Vec<Findings>, EvidenceParameters)> = None;
    for whales in WHALES {
        for photos in PHOTOS {
            let found = evidence(&tune.found, shortlist, whales, photos);
            let size = [whales as u32, photos as u32];
            let weighed = weigh_evidence(&tune.queries, &found, parameters, size)?;
            let points = measure::points(&tune.queries, &found, parameters, &weighed)?;
            if best.as_ref().is_none_or(|(most, ..)| points > *most) {
                best = Some((points, found, weighed));
            }
        }
    }
    let (_, found, weighed) = best.ok_or(TuneError::NoQueries)?;
    Ok(calibrate_evidence(
        weighed,
        &tune.queries,
        &found,
        parameters,
    )?)
}
