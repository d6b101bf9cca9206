//! What a training has come to, epoch by epoch: `events.jsonl`, a JSON object a line, and
//! `training.svg`, the same as a picture.

use super::checkpoint::Position;
use super::course::Rates;
use super::plot::{self, Panel};
use crate::data::write_atomically;
use crate::{Error, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};

/// The journal's name in the folder of a run; it is there once an epoch is done.
pub(super) const FILE: &str = "events.jsonl";
const PICTURE: &str = "training.svg";

/// What an epoch has come to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Epoch {
    /// The number of the run of the loop, from 0.
    pub(super) course: usize,
    /// What it is called.
    pub(super) stage: String,
    /// The epoch of that run, from 1.
    pub(super) epoch: usize,
    /// Epochs that it has.
    pub(super) epochs: usize,
    /// Mean loss.
    pub(super) loss: f64,
    /// Joint norm of the last step's gradients, before clipping.
    pub(super) gradient_norm: f64,
    /// The rates of the last step.
    pub(super) rates: Rates,
    /// MAP@5 of held-out photos of known whales by their nearest training photo, where the recipe
    /// looks (`validation.watch`).
    pub(super) map5: Option<f64>,
    /// Photos trained on.
    pub(super) photos: usize,
    /// How long that took.
    pub(super) seconds: f64,
    /// How long of it the device waited for photos.
    pub(super) waited: f64,
}

/// An epoch of any training, as a journal keeps it.
pub(super) trait Entry: Serialize + DeserializeOwned {
    /// How far the training was then.
    fn position(&self) -> Position;

    /// All epochs so far as a picture.
    fn panels(epochs: &[Self]) -> Vec<Panel>;
}

impl Entry for Epoch {
    fn position(&self) -> Position {
        Position {
            course: self.course,
            epochs: self.epoch,
        }
    }

    fn panels(epochs: &[Self]) -> Vec<Panel> {
        let curve = |name, value: fn(&Self) -> Option<f64>| plot::curve(name, epochs, value);
        let panel = |title, curves| Panel { title, curves };
        vec![
            panel("mean loss", vec![curve("loss", |epoch| Some(epoch.loss))]),
            panel(
                "rates at the epoch's end",
                vec![
                    curve("heads", |epoch| Some(epoch.rates.heads)),
                    curve("classifiers", |epoch| Some(epoch.rates.classifiers)),
                    curve("backbone, deeper half", |epoch| Some(epoch.rates.upper)),
                    curve("backbone, shallower half", |epoch| Some(epoch.rates.lower)),
                ],
            ),
            panel(
                "MAP@5, held-out known whales",
                vec![curve("nearest photo", |epoch| epoch.map5)],
            ),
        ]
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.seconds.max(f64::MIN_POSITIVE);
        write!(
            f,
            "{}, epoch {} of {}: loss {:.3}, {:.1} photos/s, {:.0} % of the time waiting for them",
            self.stage,
            self.epoch,
            self.epochs,
            self.loss,
            self.photos as f64 / seconds,
            100.0 * self.waited / seconds
        )?;
        match self.map5 {
            Some(map5) => write!(f, "; held-out known whales' MAP@5 {map5:.3}"),
            None => Ok(()),
        }
    }
}

/// The epochs so far, on disk.
#[derive(Debug)]
pub(super) struct Journal<E> {
    folder: PathBuf,
    epochs: Vec<E>,
}

impl<E: Entry> Journal<E> {
    /// The journal in `folder`, without what came after `reached`: a training that was stopped goes
    /// on from there.
    ///
    /// # Errors
    /// When a journal is there that cannot be read.
    pub(super) fn open(folder: &Path, reached: Option<Position>) -> Result<Self> {
        let path = folder.join(FILE);
        let text = match (reached, path.exists()) {
            (Some(_), true) => std::fs::read_to_string(&path).map_err(|source| Error::Read {
                path: path.clone(),
                source,
            })?,
            _ => String::new(),
        };
        let epochs = text.lines().map(serde_json::from_str::<E>);
        let epochs = epochs
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|error| Error::Run {
                path,
                reason: format!("this is no journal of a training ({error})"),
            })?;
        let is_past = |epoch: &E| reached.is_some_and(|reached| epoch.position() <= reached);
        Ok(Self {
            folder: folder.to_owned(),
            epochs: epochs.into_iter().filter(is_past).collect(),
        })
    }

    /// Adds an epoch and draws the picture anew.
    ///
    /// # Errors
    /// When one of the two files cannot be written.
    pub(super) fn add(&mut self, epoch: E) -> Result<()> {
        self.epochs.push(epoch);
        let path = self.folder.join(FILE);
        let lines = self.epochs.iter().map(serde_json::to_string);
        let lines = lines
            .collect::<std::result::Result<Vec<_>, _>>()
            .map_err(|error| Error::Write {
                path: path.clone(),
                source: error.into(),
            })?;
        write_atomically(&path, (lines.join("\n") + "\n").as_bytes())?;
        let panels = E::panels(&self.epochs);
        plot::draw(self.epochs.len(), &panels, &self.folder.join(PICTURE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn epoch(course: usize, epoch: usize, map5: Option<f64>) -> Epoch {
        let rate = 1e-3 / epoch as f64;
        Epoch {
            course,
            stage: ["head", "everything"][course].to_owned(),
            epoch,
            epochs: 3,
            loss: 9.0 / epoch as f64,
            gradient_norm: 1.0,
            rates: Rates {
                heads: rate,
                classifiers: rate,
                upper: rate / 5.0,
                lower: 0.0,
                first_upper_block: 0,
                fixed_blocks: 0,
            },
            map5,
            photos: 320,
            seconds: 4.0,
            waited: 1.0,
        }
    }

    #[test]
    fn a_training_that_goes_on_forgets_what_came_after_its_checkpoint() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), None).unwrap();
        for done in [
            epoch(0, 1, None),
            epoch(0, 2, None),
            epoch(1, 1, Some(0.25)),
        ] {
            journal.add(done).unwrap();
        }
        let reached = Position {
            course: 0,
            epochs: 2,
        };
        let mut journal = Journal::open(folder.path(), Some(reached)).unwrap();
        journal.add(epoch(1, 1, Some(0.5))).unwrap();
        let text = std::fs::read_to_string(folder.path().join(FILE)).unwrap();
        let lines: Vec<serde_json::Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1]["epoch"], 2);
        assert_eq!(lines[2]["map5"], 0.5);
        assert_eq!(lines[2]["rates"]["heads"], 1e-3);
        let picture = std::fs::read_to_string(folder.path().join(PICTURE)).unwrap();
        assert!(picture.starts_with("<svg"));
    }

    #[test]
    fn a_line_says_what_a_person_wants_to_know() {
        assert_eq!(
            epoch(1, 3, Some(0.5)).to_string(),
            "everything, epoch 3 of 3: loss 3.000, 80.0 photos/s, 25 % of the time waiting for them; \
             held-out known whales' MAP@5 0.500"
        );
    }
}
