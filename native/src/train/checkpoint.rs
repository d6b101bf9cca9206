//! Where a training stands after an epoch, in a file from which it can go on as if it had never
//! stopped: on the CPU to the same weights, bit for bit.

use super::optimizer::Memory;
use super::weights::{load_with_facts, save_with_facts};
use crate::{Error, Result};
use burn::module::Module;
use flukeprint_core::model::named::{self, Named};
use std::collections::HashMap;
use std::path::Path;

/// The file's name in the folder of a run.
pub(super) const FILE: &str = "checkpoint.safetensors";
/// What stands before the name of a network's tensor.
const WEIGHTS: &str = "weights.";
/// What the file says of itself beside the tensors.
const COURSE: &str = "course";
const EPOCHS: &str = "epochs";
const STEPS: &str = "steps";

/// How far a training has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    /// The number of the run of the loop, from 0.
    pub(super) course: usize,
    /// Epochs of it that are done.
    pub(super) epochs: usize,
}

/// The state after an epoch.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Checkpoint {
    /// How far it is.
    pub(super) position: Position,
    /// Every tensor of the network as it is trained.
    pub(super) weights: Named,
    /// What the optimizer remembers.
    pub(super) memory: Memory,
}

impl Checkpoint {
    /// The state of a network, with what its optimizer remembers.
    ///
    /// # Errors
    /// When a tensor cannot be read from its device.
    pub(super) fn of<M: Module>(network: &M, memory: Memory, position: Position) -> Result<Self> {
        Ok(Self {
            position,
            weights: named::read(network)?,
            memory,
        })
    }

    /// Writes it; a checkpoint that was there before is replaced whole or stays.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn save(self, path: &Path) -> Result<()> {
        let weights = self.weights.into_iter();
        let mut tensors: Named = weights
            .map(|(name, values)| (format!("{WEIGHTS}{name}"), values))
            .collect();
        tensors.extend(self.memory.moments);
        let facts = [
            (COURSE, self.position.course.to_string()),
            (EPOCHS, self.position.epochs.to_string()),
            (STEPS, self.memory.steps.to_string()),
        ];
        let facts = facts.map(|(name, value)| (name.to_owned(), value));
        save_with_facts(&tensors, facts.into(), path)
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// When the file is missing or no checkpoint.
    pub(super) fn load(path: &Path) -> Result<Self> {
        let (tensors, facts) = load_with_facts(path)?;
        let mut weights = Named::new();
        let mut moments = Named::new();
        for (name, values) in tensors {
            match name.strip_prefix(WEIGHTS) {
                Some(name) => weights.insert(name.to_owned(), values),
                None => moments.insert(name, values),
            };
        }
        let position = Position {
            course: number(&facts, COURSE, path)?,
            epochs: number(&facts, EPOCHS, path)?,
        };
        let steps = number(&facts, STEPS, path)?;
        Ok(Self {
            position,
            weights,
            memory: Memory { moments, steps },
        })
    }

    /// `network` with the weights of this state; `path` is for messages.
    ///
    /// # Errors
    /// When they are another network's.
    pub(super) fn restore<M: Module>(&self, network: M, path: &Path) -> Result<M> {
        let weights = self.weights.clone();
        Ok(named::write(network, weights, &path.display().to_string())?)
    }
}

fn number<T: std::str::FromStr>(
    facts: &HashMap<String, String>,
    name: &str,
    path: &Path,
) -> Result<T> {
    let value = facts.get(name).and_then(|value| value.parse().ok());
    value.ok_or_else(|| Error::Weights {
        path: path.to_owned(),
        reason: format!("is no checkpoint: it does not say its `{name}`"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flukeprint_core::model::named::Values;

    fn named(name: &str) -> Named {
        let values = Values {
            shape: vec![2],
            values: vec![0.1, f32::MIN_POSITIVE],
        };
        [(name.to_owned(), values)].into()
    }

    fn checkpoint() -> Checkpoint {
        let mut moments = named("first.network.total.weight");
        moments.extend(named("second.network.total.weight"));
        Checkpoint {
            position: Position {
                course: 2,
                epochs: 7,
            },
            weights: named("network.total.weight"),
            memory: Memory { moments, steps: 91 },
        }
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        checkpoint().save(&path).unwrap();
        assert_eq!(Checkpoint::load(&path).unwrap(), checkpoint());
    }

    #[test]
    fn other_weights_and_torn_files_are_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        super::super::save_weights(&named("a"), &path).unwrap();
        let error = Checkpoint::load(&path).unwrap_err().to_string();
        assert!(error.contains("course") && error.contains(FILE), "{error}");
        checkpoint().save(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        let error = Checkpoint::load(&path).unwrap_err().to_string();
        assert!(error.contains(FILE), "{error}");
    }
}
