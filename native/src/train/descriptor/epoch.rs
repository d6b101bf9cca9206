//! What an epoch of a descriptor's training has come to.

use crate::train::checkpoint::Position;
use crate::train::journal::Entry;
use crate::train::plot::{Panel, curve};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct DescriptorEpoch {
    /// The epoch, from 1.
    pub(super) epoch: usize,
    /// Epochs in all.
    pub(super) epochs: usize,
    /// Mean loss.
    pub(super) loss: f64,
    /// The share of points whose two patches are nearer each other than to any other patch of the batch.
    pub(super) right: f64,
    /// Joint norm of the last step's gradients.
    pub(super) gradient_norm: f64,
    /// The rate of the last step.
    pub(super) rate: f64,
    /// Points trained on.
    pub(super) points: usize,
    /// How long that took.
    pub(super) seconds: f64,
    /// How long of it the device waited for patches.
    pub(super) waited: f64,
}

impl Entry for DescriptorEpoch {
    fn position(&self) -> Position {
        Position {
            course: 0,
            epochs: self.epoch,
        }
    }

    fn panels(epochs: &[Self]) -> Vec<Panel> {
        type Value = fn(&DescriptorEpoch) -> Option<f64>;
        let panel = |title, name, value: Value| Panel {
            title,
            curves: vec![curve(name, epochs, value)],
        };
        vec![
            panel("mean loss", "loss", |epoch| Some(epoch.loss)),
            panel(
                "points told from all others of their batch",
                "share",
                |epoch| Some(epoch.right),
            ),
            panel("rate at the epoch's end", "rate", |epoch| Some(epoch.rate)),
        ]
    }
}

impl fmt::Display for DescriptorEpoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.seconds.max(f64::MIN_POSITIVE);
        write!(
            f,
            "hardnet, epoch {} of {}: loss {:.3}, {:.1} % of points told from all others of their batch, {:.1} \
             points/s, {:.0} % of the time waiting for patches",
            self.epoch,
            self.epochs,
            self.loss,
            100.0 * self.right,
            self.points as f64 / seconds,
            100.0 * self.waited / seconds
        )
    }
}
