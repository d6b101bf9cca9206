//! The one-cycle policy (Smith and Topin, 2018; spec, *Training*): how rate and momentum run over
//! the steps of a stage.

use std::f64::consts::PI;

/// Share of the steps over which the rate rises.
const RISE: f64 = 0.3;
/// The rate starts at its maximum divided by this.
const START_DIVISOR: f64 = 25.0;
/// The rate ends at its maximum divided by this.
const END_DIVISOR: f64 = 250_000.0;
/// Adam's β₁ where the rate is lowest, and where it is highest.
const MOMENTUM: (f64, f64) = (0.95, 0.85);

/// One stage of so many steps.
#[derive(Clone, Copy, Debug)]
pub struct OneCycle {
    steps: usize,
}

impl OneCycle {
    /// A cycle over `steps` steps.
    pub fn new(steps: usize) -> Self {
        Self { steps }
    }

    /// What the maximum rate is multiplied with at `step` (from 0): 1/25 to 1 to 1/250,000, cosine.
    pub fn rate(&self, step: usize) -> f64 {
        let (rising, share) = self.phase(step);
        match rising {
            true => cosine(1.0 / START_DIVISOR, 1.0, share),
            false => cosine(1.0, 1.0 / END_DIVISOR, share),
        }
    }

    /// Adam's β₁ at `step`: 0.95 to 0.85 to 0.95, cosine.
    pub fn momentum(&self, step: usize) -> f64 {
        let (rising, share) = self.phase(step);
        match rising {
            true => cosine(MOMENTUM.0, MOMENTUM.1, share),
            false => cosine(MOMENTUM.1, MOMENTUM.0, share),
        }
    }

    /// Whether the rate rises at `step`, and how far that phase has gone, 0…1.
    fn phase(&self, step: usize) -> (bool, f64) {
        let last = self.steps.saturating_sub(1).max(1) as f64;
        let done = (step as f64 / last).min(1.0);
        match done < RISE {
            true => (true, done / RISE),
            false => (false, (done - RISE) / (1.0 - RISE)),
        }
    }
}

fn cosine(from: f64, to: f64, share: f64) -> f64 {
    to + (from - to) * (1.0 + (PI * share).cos()) / 2.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cycle_runs_as_the_original_says() {
        let cycle = OneCycle::new(101);
        assert!((cycle.rate(0) - 0.04).abs() < 1e-12);
        assert!((cycle.rate(30) - 1.0).abs() < 1e-12);
        assert!((cycle.rate(100) - 4e-6).abs() < 1e-12);
        // Half way up, the cosine has done half of the rise.
        assert!((cycle.rate(15) - 0.52).abs() < 1e-12);
        let momenta = [0, 30, 100].map(|step| cycle.momentum(step));
        assert!((momenta[0] - 0.95).abs() < 1e-12 && (momenta[1] - 0.85).abs() < 1e-12);
        assert!((momenta[2] - 0.95).abs() < 1e-12);
    }

    #[test]
    fn a_stage_of_one_step_is_no_division_by_zero() {
        assert!(OneCycle::new(1).rate(0).is_finite());
    }
}
