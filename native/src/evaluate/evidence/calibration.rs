//! Whether the probabilities of first answers can be believed, with local features and without.

use crate::Result;
use crate::evaluate::confidence::beyond_chance;
use crate::tune::TuneError;
use flukeprint_core::metrics::{ece, ece_by_chance};
use serde::Serialize;

/// Which answers are judged.
pub(super) const NAMES: [&str; 4] = [
    "network",
    "network and edges",
    "network and edges, first whales verified",
    "network, edges and votes, verified",
];

/// The probabilities of first answers and whether they are right, by as many of [`NAMES`] as were measured.
pub(super) type FirstAnswers = Vec<Vec<(f32, bool)>>;

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
