//! Whether the probabilities of first answers can be believed, with local features and without.

use super::measure::Measure;
use super::{Held, TunedEvidence};
use crate::Result;
use crate::data::Catalogue;
use crate::evaluate::confidence::beyond_chance;
use crate::evaluate::report::Half;
use crate::tune::{TuneError, tune};
use flukeprint_core::decision::DecisionParameters;
use flukeprint_core::metrics::{ece, ece_by_chance};
use serde::Serialize;

/// Which answers are judged.
pub(super) const NAMES: [&str; 3] = [
    "network",
    "network, first whales verified",
    "network and votes, verified",
];

/// The probabilities of first answers and whether they are right, by [`NAMES`].
pub(super) type FirstAnswers = [Vec<(f32, bool)>; 3];

/// How far first answers' probabilities are from how often they are right.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Calibration {
    /// The row that it belongs to.
    pub name: &'static str,
    /// The expected calibration error, 15 bins of equal mass.
    pub ece: f64,
    /// What it would be by chance alone.
    pub ece_by_chance: f64,
    /// The root of what the mean squared error is beyond chance, as in
    /// [`Confidence::ece_beyond_chance`](crate::evaluate::Confidence::ece_beyond_chance).
    pub ece_beyond_chance: f64,
}

/// The same over all held-out photos, each answered by what was tuned on the other half.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CrossedCalibration {
    /// How many they are.
    pub photos: usize,
    /// Whether probabilities can be believed.
    pub calibration: Vec<Calibration>,
}

pub(super) fn calibrations(answers: &FirstAnswers) -> Result<Vec<Calibration>> {
    let of = |(name, answers): (&'static str, &Vec<(f32, bool)>)| {
        Ok::<_, TuneError>(Calibration {
            name,
            ece: ece(answers)?,
            ece_by_chance: ece_by_chance(answers)?,
            ece_beyond_chance: beyond_chance(answers)?,
        })
    };
    let all = NAMES.into_iter().zip(answers).map(of);
    Ok(all.collect::<std::result::Result<_, _>>()?)
}

/// `report` is the half that `answers` are of. The network's decision is tuned on it anew, and then how
/// evidence counts; `held` compares a half's photos with the whales that are first in a decision.
pub(super) fn crossed(
    catalogue: &Catalogue,
    report: &Held,
    mut answers: FirstAnswers,
    held: impl Fn(Half, &DecisionParameters) -> Result<Held>,
) -> Result<CrossedCalibration> {
    let parameters = tune(&report.queries)?.parameters;
    let measure = Measure {
        catalogue,
        tune: &held(Half::Report, &parameters)?,
        report: &held(Half::Tune, &parameters)?,
        parameters,
    };
    let tuned = TunedEvidence::of(measure.tune, &parameters)?;
    for (all, more) in answers.iter_mut().zip(measure.first_answers(&tuned)?) {
        all.extend(more);
    }
    Ok(CrossedCalibration {
        photos: answers[0].len(),
        calibration: calibrations(&answers)?,
    })
}
