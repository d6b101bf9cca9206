//! How evidence counts, chosen on held-out photos.

use super::measure;
use super::{Ground, Held, Shortlist, by_all, by_network, evidence};
use crate::Result;
use crate::data::Catalogue;
use crate::ensemble::Ensemble;
use crate::evaluate::TunedOn;
use crate::evaluate::crossed::Parts;
use crate::progress::Progress;
use crate::tune::{
    Answered, LabelledQueries, TuneError, calibrate_evidence, final_scores, operating_rates, tune,
    weigh_edges, weigh_evidence,
};
use burn::tensor::Device;
use flukeprint_core::decision::{DecisionParameters, EvidenceParameters, Findings, OperatingRates};
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
    /// What each operating point costs where edges count, on photos that nothing was fitted to.
    pub operating: Vec<OperatingRates>,
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

/// How edges count beside the network.
pub(super) fn tuned_edges(
    (queries, found): (&LabelledQueries, &[Findings]),
    parameters: &DecisionParameters,
) -> Result<EvidenceParameters> {
    let weighed = weigh_edges(queries, found, parameters)?;
    Ok(calibrate_evidence(weighed, queries, found, parameters)?)
}

/// What photos are answered by network and edges.
fn answered(
    (queries, found): (&LabelledQueries, &[Findings]),
    parameters: &DecisionParameters,
    edges: &EvidenceParameters,
) -> Result<Answered> {
    let mut scored = final_scores(queries, parameters)?;
    for ((scores, _), found) in scored.iter_mut().zip(found) {
        *scores = edges.raised(scores, found.found());
    }
    Ok((scored, edges.calibrated(parameters)))
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
    let evidence = match compared {
        true => {
            let tune = ground.held(&search, &numbers, &ground.parameters, progress)?;
            Some(TunedEvidence::of(&tune, &ground.parameters)?)
        }
        false => None,
    };
    let found = search.edges(&ground.photos, progress);
    let queries = ground.queries.pick(&numbers)?;
    let edges = tuned_edges((&queries, &found[..photos]), &ground.parameters)?;
    let operating = ground.operating(&found, &edges, ensemble.tuned_on)?;
    Ok((TunedEdges { edges, operating }, evidence))
}

impl Ground {
    /// What each operating point costs where edges count: on the report half, or where all photos were tuned on, on each
    /// part of them by what the others choose. `found` is of all held-out photos.
    fn operating(
        &self,
        found: &[Findings],
        edges: &EvidenceParameters,
        tuned_on: TunedOn,
    ) -> Result<Vec<OperatingRates>> {
        let pick = |numbers: &[usize]| {
            let found: Vec<Findings> = numbers
                .iter()
                .map(|&number| found[number].clone())
                .collect();
            Ok::<_, TuneError>((self.queries.pick(numbers)?, found))
        };
        let crossed = |(part, others): (&[usize], Vec<usize>)| {
            let (queries, found) = pick(&others)?;
            let parameters = tune(&queries)?.parameters;
            let edges = tuned_edges((&queries, &found), &parameters)?;
            let (queries, found) = pick(part)?;
            answered((&queries, &found), &parameters, &edges)
        };
        let measured = match tuned_on {
            TunedOn::All => {
                let parts = Parts::of(&self.split, TunedOn::PARTS)?;
                parts.each().map(crossed).collect::<Result<_>>()?
            }
            TunedOn::Half => {
                let report: Vec<usize> = (self.split.tune.len()..self.photos.len()).collect();
                let (queries, found) = pick(&report)?;
                vec![answered((&queries, &found), &self.parameters, edges)?]
            }
        };
        Ok(operating_rates(&measured, self.parameters.new_share))
    }
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
