//! What several photos of one animal are worth together.
//!
//! Encounters are drawn from photos of whales that the model was not trained on photos of, or at least
//! not on these: the first n of a whale's photos in a random order, many times over. Each is answered
//! photo by photo, by the photo that is most certain, by all together, and by all together with one photo
//! of another whale among them. Intervals are over whales, as everywhere ([`Bootstrap`]); a whale's draws
//! are no independent trials.

mod draw;
#[cfg(test)]
mod tests;

use super::intervals::{Bootstrap, Interval};
use crate::tune::TuneError;
use flukeprint_core::decision::{
    DecisionParameters, EvidenceParameters, Findings, encounter_column, probabilities, rank_of,
};
use flukeprint_core::gallery::Label;
use flukeprint_core::metrics::LISTED;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

pub use draw::{bundle_encounters, evaluate_encounters, evaluate_encounters_beside};

/// Photos an encounter that are measured.
pub const SIZES: [usize; 4] = [1, 2, 3, 5];

/// How often encounters are drawn.
pub const DRAWS: u64 = 20;

/// How often where edges are laid on all photos of the gallery, or all of them vote, which takes its time.
pub const DRAWS_SEARCHED: u64 = 5;

/// Decides the draws.
const SEED: u64 = 7;

/// What encounters are worth.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EncounterReport {
    /// Where the whales come from and what the gallery holds, in words.
    pub protocol: &'static str,
    /// How often encounters were drawn.
    pub draws: u64,
    /// One for each of [`SIZES`] that there are encounters of.
    pub rows: Vec<EncounterRow>,
}

/// Encounters of one number of photos.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EncounterRow {
    /// Photos an encounter.
    pub photos: usize,
    /// Of whales that the gallery has; `None` without such encounters.
    pub known: Option<EncounterScores>,
    /// Of whales that it has not: the right answer is `New`.
    pub new: Option<EncounterScores>,
}

/// How the encounters of one kind fared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EncounterScores {
    /// Whales that they show.
    pub whales: usize,
    /// Encounters, over all draws.
    pub encounters: usize,
    /// The mean over the encounter's photos, each answered alone.
    pub alone: Scores,
    /// The answer of the photo whose first answer is most probable.
    pub most_certain: Scores,
    /// One answer of all photos.
    pub together: Scores,
    /// `together` less `alone`.
    pub gain: Scores,
    /// As `together`, with one photo of another whale more.
    pub with_intruder: Scores,
}

/// Three measures of the same answers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Scores {
    /// Share of encounters whose true label came first, `New` being a label.
    pub top1: Estimate,
    /// MAP@5, `New` being a label.
    pub map5: Estimate,
    /// Share of encounters whose whale came first among the known ones; `None` for new whales.
    pub known_top1: Option<Estimate>,
}

/// A mean and where it lies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// Over the encounters.
    pub value: f64,
    /// By [`Bootstrap::default`], over whales.
    pub interval: Interval,
}

/// The photos of a draw and what is known of each.
struct Draw {
    /// Final scores, `[individuals + 1]` a photo.
    columns: Vec<Vec<f32>>,
    /// What local features found for each; none where they are not asked.
    findings: Vec<Findings>,
    /// Whose encounters are measured.
    whales: Vec<Whale>,
}

/// How encounters are decided.
#[derive(Clone, Copy)]
struct Deciding<'a> {
    parameters: &'a DecisionParameters,
    /// Where local features are asked.
    evidence: Option<&'a EvidenceParameters>,
}

impl Deciding<'_> {
    /// The scores of all labels for these photos of a draw together.
    fn column(&self, draw: &Draw, photos: &[usize]) -> Result<Vec<f32>, TuneError> {
        let columns = photos.iter().map(|&photo| draw.columns[photo].clone());
        let column = encounter_column(&columns.collect::<Vec<_>>(), self.parameters)?;
        let Some(evidence) = self.evidence else {
            return Ok(column);
        };
        let found = photos.iter().map(|&photo| draw.findings[photo].found());
        Ok(evidence.raised_together(&column, &found.collect::<Vec<_>>()))
    }

    /// How probable the first answer of a column is.
    fn certainty(&self, column: &[f32]) -> f32 {
        let parameters = match self.evidence {
            Some(evidence) => evidence.calibrated(self.parameters),
            None => *self.parameters,
        };
        let first = probabilities(column, &parameters);
        first.into_iter().fold(f32::NEG_INFINITY, f32::max)
    }
}

/// One whale's photos in a draw.
struct Whale {
    /// Who it is, whether or not the gallery knows.
    whale: Label,
    /// The right answer.
    truth: Label,
    /// Places in [`Draw::columns`], in the order in which encounters take them.
    photos: Vec<usize>,
}

const WAYS: usize = 5;
const MEASURES: usize = 3;

/// `[alone, most certain, together, gain, with an intruder]`, three measures each.
type Values = [f64; WAYS * MEASURES];

/// An encounter's number of photos, whether its whale is known, its whale, and how it fared.
type Outcome = (usize, bool, Label, Values);

/// How the encounters of a draw fared.
fn outcomes(draw: &Draw, deciding: Deciding<'_>, number: u64) -> Result<Vec<Outcome>, TuneError> {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    rng.set_stream(number);
    let mut outcomes = Vec::new();
    for whale in &draw.whales {
        let intruder = intruder(draw, whale, &mut rng);
        for size in SIZES {
            let Some(photos) = whale.photos.get(..size) else {
                continue;
            };
            let values = values(draw, photos, intruder, whale.truth, deciding)?;
            outcomes.push((size, whale.truth != Label::New, whale.whale, values));
        }
    }
    Ok(outcomes)
}

/// A photo of another whale; one of its own where there is no other.
fn intruder(draw: &Draw, whale: &Whale, rng: &mut ChaCha8Rng) -> usize {
    let others = draw
        .whales
        .iter()
        .filter(|other| other.whale != whale.whale);
    let others: Vec<usize> = others.flat_map(|other| other.photos.clone()).collect();
    let among = if others.is_empty() {
        &whale.photos
    } else {
        &others
    };
    among[rng.random_range(0..among.len())]
}

fn values(
    draw: &Draw,
    photos: &[usize],
    intruder: usize,
    truth: Label,
    deciding: Deciding<'_>,
) -> Result<Values, TuneError> {
    let each = photos.iter().map(|&photo| deciding.column(draw, &[photo]));
    let each: Vec<Vec<f32>> = each.collect::<Result<_, _>>()?;
    let mut alone = [0.0; MEASURES];
    for column in &each {
        for (sum, value) in alone.iter_mut().zip(worth(column, truth)) {
            *sum += value / each.len() as f64;
        }
    }
    let certain = worth(most_certain(&each, deciding), truth);
    let together = worth(&deciding.column(draw, photos)?, truth);
    let gain = std::array::from_fn(|measure| together[measure] - alone[measure]);
    let intruded = deciding.column(draw, &[photos, &[intruder]].concat())?;
    let intruded = worth(&intruded, truth);
    let ways: [[f64; MEASURES]; WAYS] = [alone, certain, together, gain, intruded];
    Ok(std::array::from_fn(|value| {
        ways[value / MEASURES][value % MEASURES]
    }))
}

/// The column whose first label is the most probable; of equal ones the first.
fn most_certain<'a>(columns: &'a [Vec<f32>], deciding: Deciding<'_>) -> &'a [f32] {
    let (mut best, mut certain) = (&columns[0], f32::NEG_INFINITY);
    for column in columns {
        let first = deciding.certainty(column);
        if first > certain {
            (best, certain) = (column, first);
        }
    }
    best
}

/// Top-1, MAP@5, and top-1 among the known whales alone (0 for a new one).
fn worth(column: &[f32], truth: Label) -> [f64; MEASURES] {
    let individuals = column.len() - 1;
    let is_first = |rank: usize| f64::from(u8::from(rank == 1));
    let rank = rank_of(column, truth.slot(individuals));
    let among_known = match truth {
        Label::Individual(number) => is_first(rank_of(&column[..individuals], number as usize)),
        Label::New => 0.0,
    };
    let listed = if rank <= LISTED {
        1.0 / rank as f64
    } else {
        0.0
    };
    [is_first(rank), listed, among_known]
}

/// The rows of all outcomes.
fn rows(outcomes: &[Outcome]) -> Vec<EncounterRow> {
    let row = |photos: usize| {
        let of_kind = |wanted: bool| {
            let of_size = outcomes.iter().filter(|o| o.0 == photos && o.1 == wanted);
            scores(&of_size.map(|o| (o.2, o.3)).collect::<Vec<_>>(), wanted)
        };
        let (known, new) = (of_kind(true), of_kind(false));
        (known.is_some() || new.is_some()).then_some(EncounterRow { photos, known, new })
    };
    SIZES.into_iter().filter_map(row).collect()
}

/// `None` without encounters.
fn scores(outcomes: &[(Label, Values)], known: bool) -> Option<EncounterScores> {
    let intervals = Bootstrap::default().means(outcomes)?;
    let mut whales: Vec<Label> = outcomes.iter().map(|outcome| outcome.0).collect();
    whales.sort_unstable();
    whales.dedup();
    let estimate = |value: usize| Estimate {
        value: outcomes.iter().map(|o| o.1[value]).sum::<f64>() / outcomes.len() as f64,
        interval: intervals[value],
    };
    let way = |way: usize| Scores {
        top1: estimate(way * MEASURES),
        map5: estimate(way * MEASURES + 1),
        known_top1: known.then(|| estimate(way * MEASURES + 2)),
    };
    Some(EncounterScores {
        whales: whales.len(),
        encounters: outcomes.len(),
        alone: way(0),
        most_certain: way(1),
        together: way(2),
        gain: way(3),
        with_intruder: way(4),
    })
}
