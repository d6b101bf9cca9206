//! What an epoch has come to so far.

use super::read::values;
use crate::{Error, Result};
use burn::tensor::Tensor;
use std::time::{Duration, Instant};

/// Losses are read from the device so many at a time: reading waits for all work before it.
const READ_TOGETHER: usize = 16;

/// Steps, losses and waiting of one epoch.
pub(super) struct Tally {
    stage: String,
    epoch: usize,
    /// Losses that are still on the device.
    unread: Vec<Tensor<1>>,
    sum: f64,
    read: usize,
    /// The norm that the gradients of the last step had, before clipping.
    pub(super) norm: Option<Tensor<1>>,
    /// How long the device had no batch to work on.
    pub(super) waited: Duration,
}

impl Tally {
    /// Nothing yet. Stage and epoch (from 0) are for messages.
    pub(super) fn new(stage: &str, epoch: usize) -> Self {
        Self {
            stage: stage.to_owned(),
            epoch,
            unread: Vec::new(),
            sum: 0.0,
            read: 0,
            norm: None,
            waited: Duration::ZERO,
        }
    }

    /// Steps so far.
    pub(super) fn steps(&self) -> usize {
        self.read + self.unread.len()
    }

    /// What `next` gives; the time it takes counts as waiting.
    pub(super) fn wait_for<T>(&mut self, next: impl FnOnce() -> T) -> T {
        let begun = Instant::now();
        let next = next();
        self.waited += begun.elapsed();
        next
    }

    /// Takes in the loss of a step, `[1]`.
    ///
    /// # Errors
    /// [`Error::Loss`] once this loss, or one of the few before it, is found to be no number.
    pub(super) fn add(&mut self, loss: &Tensor<1>) -> Result<()> {
        self.unread.push(loss.clone().inner());
        match self.unread.len() {
            READ_TOGETHER => self.read_all(),
            _ => Ok(()),
        }
    }

    /// The mean loss of the steps; 0 without any.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub(super) fn mean_loss(&mut self) -> Result<f64> {
        self.read_all()?;
        Ok(self.sum / self.read.max(1) as f64)
    }

    /// The norm of the last step's gradients.
    pub(super) fn last_norm(&self) -> Result<f64> {
        match &self.norm {
            Some(norm) => Ok(values(norm.clone())?.into_iter().map(f64::from).sum()),
            None => Ok(0.0),
        }
    }

    fn read_all(&mut self) -> Result<()> {
        if self.unread.is_empty() {
            return Ok(());
        }
        let losses = Tensor::cat(std::mem::take(&mut self.unread), 0);
        for value in values(losses)? {
            if !value.is_finite() {
                return Err(Error::Loss {
                    stage: self.stage.clone(),
                    epoch: self.epoch + 1,
                    value,
                });
            }
            self.sum += f64::from(value);
            self.read += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    fn loss(value: f32) -> Tensor<1> {
        Tensor::from_data([value], &Device::flex().autodiff())
    }

    #[test]
    fn the_mean_is_over_all_steps() {
        let mut tally = Tally::new("everything", 0);
        let steps = READ_TOGETHER + 4;
        for step in 0..steps {
            tally.add(&loss(step as f32)).unwrap();
        }
        assert_eq!(tally.steps(), steps);
        assert_eq!(tally.mean_loss().unwrap(), (steps - 1) as f64 / 2.0);
    }

    #[test]
    fn a_loss_that_is_no_number_is_found_and_named() {
        let mut tally = Tally::new("everything", 2);
        tally.add(&loss(f32::NAN)).unwrap();
        let mut error = Ok(());
        for _ in 1..READ_TOGETHER {
            error = tally.add(&loss(1.0));
        }
        let text = error.unwrap_err().to_string();
        assert!(
            text.contains("everything") && text.contains("epoch 3"),
            "{text}"
        );
        let mut tally = Tally::new("head", 0);
        tally.add(&loss(f32::INFINITY)).unwrap();
        tally.mean_loss().unwrap_err();
    }
}
