//! Where the time of an answer goes.

use flukeprint_core::identify::Stage;
use serde::Serialize;
use std::time::{Duration, Instant};

/// Seconds a photo, on average, of each stage from its bytes to its answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct StageSeconds {
    /// [`Stage::Decode`], reading the file included.
    pub decode: f64,
    /// [`Stage::Find`]; next to nothing where boxes are given.
    pub find: f64,
    /// [`Stage::Prepare`].
    pub prepare: f64,
    /// [`Stage::Embed`].
    pub embed: f64,
    /// [`Stage::Decide`].
    pub decide: f64,
}

impl StageSeconds {
    /// Each with its name, in their order.
    pub fn named(&self) -> [(Stage, f64); 5] {
        [
            (Stage::Decode, self.decode),
            (Stage::Find, self.find),
            (Stage::Prepare, self.prepare),
            (Stage::Embed, self.embed),
            (Stage::Decide, self.decide),
        ]
    }

    /// Seconds a photo in all.
    pub fn total(&self) -> f64 {
        self.named().map(|(_, seconds)| seconds).iter().sum()
    }
}

/// Adds up the time of stages.
#[derive(Debug, Default)]
pub(super) struct Clock {
    running: Option<(Stage, Instant)>,
    spent: [Duration; 5],
}

impl Clock {
    /// A stage begins, and the one before ends.
    pub(super) fn begin(&mut self, stage: Stage) {
        self.stop();
        self.running = Some((stage, Instant::now()));
    }

    /// The stage at hand ends.
    pub(super) fn stop(&mut self) {
        if let Some((stage, begun)) = self.running.take() {
            self.spent[stage as usize] += begun.elapsed();
        }
    }

    /// What a photo took on average of so many.
    pub(super) fn mean(&self, photos: usize) -> StageSeconds {
        let [decode, find, prepare, embed, decide] = self
            .spent
            .map(|spent| spent.as_secs_f64() / photos.max(1) as f64);
        StageSeconds {
            decode,
            find,
            prepare,
            embed,
            decide,
        }
    }
}
