//! What the person who asks expects and fears, in words of the command line.

use super::out::say;
use clap::Args;
use flukeprint_core::decision::{OperatingPoint, OperatingRates};

/// The new-whale operating point.
#[derive(Clone, Copy, Debug, Args)]
pub struct OperatingArgs {
    /// Expected share of new whales among the photos, above 0 and below 1; default: as among the photos
    /// that the bundle was tuned on
    #[arg(long, value_name = "SHARE")]
    new_share: Option<f32>,
    /// What missing a known whale costs, in false matches: 0.01 to 100; changes the verdict, not the
    /// probabilities
    #[arg(long, value_name = "TIMES", default_value_t = 1.0)]
    missed_cost: f32,
}

impl OperatingArgs {
    pub fn point(self) -> OperatingPoint {
        OperatingPoint {
            new_share: self.new_share,
            missed_cost: self.missed_cost,
        }
    }
}

/// Prints what each cost of a missed match brings where as many whales are new as was fitted to.
pub fn print(rates: &[OperatingRates], fitted: Option<f32>) {
    let at_fitted = || rates.iter().filter(|one| Some(one.new_share) == fitted);
    let Some(share) = fitted.filter(|_| at_fitted().next().is_some()) else {
        return;
    };
    say!(
        "A missed match costs as many false ones; {:.0} % of new whales expected; other photos:",
        100.0 * share
    );
    say!("  cost   known called new   known misnamed   new given a name");
    for one in at_fitted() {
        say!(
            "  {:>4}   {:>14.1} %   {:>12.1} %   {:>14.1} %",
            one.missed_cost,
            100.0 * one.missed,
            100.0 * one.mistaken,
            100.0 * one.false_match
        );
    }
}
