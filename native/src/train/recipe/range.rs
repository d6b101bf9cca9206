//! Checks of single numbers.

use crate::{Error, Result};
use std::ops::RangeInclusive;

/// Refuses what is not above 0.
pub(crate) fn positive(name: &'static str, value: f64) -> Result<()> {
    check(name, value, value.is_finite() && value > 0.0, "more than 0")
}

/// Refuses what is not from 0 to `most`; `wanted` says so in words.
pub(crate) fn within(
    name: &'static str,
    value: f64,
    most: f64,
    wanted: &'static str,
) -> Result<()> {
    check(name, value, (0.0..=most).contains(&value), wanted)
}

/// Refuses what is not in `range`; `wanted` says so in words.
pub(crate) fn ranged(
    name: &'static str,
    value: f64,
    range: RangeInclusive<f64>,
    wanted: &'static str,
) -> Result<()> {
    check(name, value, range.contains(&value), wanted)
}

fn check(name: &'static str, value: f64, holds: bool, wanted: &'static str) -> Result<()> {
    match holds {
        true => Ok(()),
        false => Err(Error::Setting {
            name,
            value: value.to_string(),
            wanted,
        }),
    }
}
