//! The clock: blocks of steps without waiting, then steps part by part.

use super::{Memory, Workload};
use crate::device::describe;
use crate::progress::Progress;
use crate::{Error, Result};
use burn::tensor::Device;
use serde::Serialize;
use std::time::Instant;

/// Blocks that the headline's steps are dealt out to; between blocks the device is waited for.
const BLOCKS: usize = 5;

/// What is measured, a step at a time.
pub(super) trait Work: Sized {
    /// One step. `after` is called with the name of each part when all of it has been asked for.
    fn step(self, after: &mut dyn FnMut(&'static str) -> Result<()>) -> Result<Self>;
}

/// Median and extremes of repeated measurements.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// The middle one; of two in the middle the greater.
    pub median: f64,
    /// The least.
    pub least: f64,
    /// The most.
    pub most: f64,
}

impl Spread {
    /// Of at least one value; of none, zeros.
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let at = |place: usize| values.get(place).copied().unwrap_or(0.0);
        Self {
            median: at(values.len() / 2),
            least: at(0),
            most: at(values.len().saturating_sub(1)),
        }
    }
}

/// Times in seconds.
#[derive(Debug)]
pub(super) struct Measured {
    /// Steps in all blocks together.
    pub(super) steps: usize,
    /// A step's share of each block.
    pub(super) blocks: Vec<f64>,
    /// Every step's time in each part, in the order of the parts.
    pub(super) parts: Vec<(&'static str, Vec<f64>)>,
    pub(super) memory: Memory,
}

/// Runs `work` for the workload's steps twice: for the headline and for the breakdown.
pub(super) fn measure<W: Work>(
    mut work: W,
    workload: &Workload,
    device: &Device,
    progress: &dyn Progress,
) -> Result<Measured> {
    let in_block = workload.steps.div_ceil(BLOCKS);
    let blocks = workload.steps.div_ceil(in_block);
    let steps = blocks * in_block;
    let mut done = 0;
    progress.begin("measuring", workload.warm_up + steps + workload.steps);
    let mut step = |work: W, after: &mut dyn FnMut(&'static str) -> Result<()>| {
        let work = work.step(after);
        done += 1;
        progress.advance(done);
        work
    };

    for _ in 0..workload.warm_up {
        work = step(work, &mut |_| Ok(()))?;
    }
    wait(device)?;
    let mut seconds = Vec::new();
    for _ in 0..blocks {
        let begun = Instant::now();
        for _ in 0..in_block {
            work = step(work, &mut |_| Ok(()))?;
        }
        wait(device)?;
        seconds.push(begun.elapsed().as_secs_f64() / in_block as f64);
    }

    let mut parts = Parts::default();
    let mut memory = Memory::default();
    for _ in 0..workload.steps {
        let mut begun = Instant::now();
        work = step(work, &mut |part| {
            wait(device)?;
            parts.add(part, begun.elapsed().as_secs_f64());
            memory.look(device);
            begun = Instant::now();
            Ok(())
        })?;
    }
    Ok(Measured {
        steps,
        blocks: seconds,
        parts: parts.0,
        memory,
    })
}

/// Waits until the device has done what it was asked for.
fn wait(device: &Device) -> Result<()> {
    device.sync().map_err(|error| Error::Device {
        device: describe(device),
        reason: format!("it failed: {error}; try a smaller --batch or --size"),
    })
}

/// Times by part, in the order in which parts were first heard of.
#[derive(Debug, Default)]
struct Parts(Vec<(&'static str, Vec<f64>)>);

impl Parts {
    fn add(&mut self, part: &'static str, seconds: f64) {
        match self.0.iter_mut().find(|(name, _)| *name == part) {
            Some((_, all)) => all.push(seconds),
            None => self.0.push((part, vec![seconds])),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Mode;
    use crate::progress::Silent;
    use flukeprint_core::model::Precision;
    use flukeprint_core::model::backbone::BackboneName;
    use std::cell::Cell;

    #[test]
    fn the_spread_of_values_by_hand() {
        let of = |values: &[f64]| Spread::of(values.iter().copied());
        let spread = of(&[3.0, 1.0, 10.0, 2.0, 4.0]);
        assert_eq!((spread.least, spread.median, spread.most), (1.0, 3.0, 10.0));
        let spread = of(&[2.0, 1.0]);
        assert_eq!((spread.least, spread.median, spread.most), (1.0, 2.0, 2.0));
        assert_eq!(of(&[]).median, 0.0);
    }

    struct Counting<'a>(&'a Cell<usize>);

    impl Work for Counting<'_> {
        fn step(self, after: &mut dyn FnMut(&'static str) -> Result<()>) -> Result<Self> {
            self.0.set(self.0.get() + 1);
            after("forward")?;
            after("backward")?;
            Ok(self)
        }
    }

    #[test]
    fn steps_are_dealt_out_to_blocks_of_one_length() {
        for (steps, blocks, in_blocks) in [(1, 1, 1), (3, 3, 3), (7, 4, 8), (20, 5, 20)] {
            let workload = Workload {
                backbone: BackboneName::Compact,
                height: 64,
                width: 64,
                batch: 2,
                individuals: 2,
                mode: Mode::Inference,
                precision: Precision::F32,
                steps,
                warm_up: 2,
            };
            let count = Cell::new(0);
            let work = Counting(&count);
            let measured = measure(work, &workload, &Device::flex(), &Silent).unwrap();
            assert_eq!(measured.blocks.len(), blocks);
            assert_eq!(measured.steps, in_blocks);
            assert_eq!(count.get(), 2 + in_blocks + steps);
            let names: Vec<_> = measured.parts.iter().map(|part| part.0).collect();
            assert_eq!(names, ["forward", "backward"]);
            assert!(measured.parts.iter().all(|part| part.1.len() == steps));
        }
    }
}
