//! The ladder: every step of the original system's way up (spec, *The ladder*), trained and scored on
//! one split, beside the published score.
//!
//! - [`rung`]: what a step is, read from its recipe;
//! - [`scale`]: how large it is trained;
//! - `answer`: how its answer is made and scored;
//! - `climb`: the work, rung after rung; rungs that share a training share a run;
//! - `plot`: the picture.

mod answer;
mod balance;
mod climb;
mod plot;
pub mod rung;
pub mod scale;

pub use answer::Answer;
pub use climb::{Climb, climb};
pub use plot::draw;
pub use rung::{Rung, choose};
pub use scale::Scale;

use crate::evaluate::scores::ScoreRow;
use serde::Serialize;

/// What the rungs came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LadderReport {
    /// `tiny` or `full`.
    pub scale: Scale,
    /// Photos measured on, the report half of the held-out ones.
    pub photos: usize,
    /// Those of them that show known whales.
    pub known_photos: usize,
    /// The rungs in order.
    pub rungs: Vec<RungReport>,
}

/// What a rung came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RungReport {
    /// The rung's name.
    pub name: String,
    /// The step, as the write-up calls it.
    pub step: String,
    /// The published score: MAP@5 on the competition's test photos.
    pub published: f64,
    /// Ours, on the held-out photos.
    pub ours: ScoreRow,
    /// Seconds that training and embedding took; 0 where a rung uses the run of an earlier one.
    pub seconds: f64,
}
