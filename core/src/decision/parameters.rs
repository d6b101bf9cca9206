//! The numbers that decide. They are tuned on held-out photos and travel in the bundle.

use serde::{Deserialize, Serialize};

use super::{DecisionError, Weights};

/// The decision's parameters (spec, *Deciding*). An unknown field is refused when they are read:
/// it would be a number that decides and is not used.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionParameters {
    /// T, multiplies the logits before the softmax; above 0, at most 1000.
    pub temperature: f32,
    /// p, the constant for `New` beside the softmax; 0 to 1.
    pub new_probability: f32,
    /// q, the constant for `New` beside the similarities; 0 to 1.
    pub new_similarity: f32,
    /// How much the mean of a whale's photos counts beside the nearest of them; 0 to 1. 0 where
    /// nothing is said of it, as in bundles made before there was this number.
    #[serde(default)]
    pub centre_share: f32,
    /// The share of new whales among the photos that the parameters were fitted to; above 0 and below
    /// 1. `None` where nothing is said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_share: Option<f32>,
    /// c1, c2, c3, the weights of similarity, similarity with q, and classifier; each 0 to 1000,
    /// not all 0.
    pub weights: Weights,
    /// β, multiplies the final scores before the softmax that makes probabilities of them; above
    /// 0, at most 1,000,000.
    pub sharpness: f32,
    /// What the log odds of the first label are multiplied by after that softmax; above 0, at most
    /// 100. 1 where nothing is said of it, as in bundles made before there was this number.
    #[serde(default = "unchanged_slope")]
    pub first_slope: f32,
    /// What is then added to them; -100 to 100. 0 where nothing is said of it.
    #[serde(default)]
    pub first_offset: f32,
    /// Slope and offset where `New` is the first label. `None`: as for a whale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_first: Option<FirstOdds>,
}

/// What becomes of the first label's log odds o: the probability floor + (1 - floor) / (1 + exp(-slope · o - offset)).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstOdds {
    /// They are multiplied by this; above 0, at most 100.
    pub slope: f32,
    /// And then this is added; -100 to 100.
    pub offset: f32,
    /// The least probability; 0 to 0.9. Where nothing speaks for any whale, `New` may be right as often as
    /// strangers come, however near to it a whale's score.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub floor: f32,
}

fn is_zero(floor: &f32) -> bool {
    *floor == 0.0
}

impl FirstOdds {
    /// Log odds stay what they are.
    pub const UNCHANGED: Self = Self {
        slope: 1.0,
        offset: 0.0,
        floor: 0.0,
    };

    fn validate(self, names: [&'static str; 3]) -> Result<(), DecisionError> {
        factor(names[0], self.slope, 100.0, "above 0 and at most 100")?;
        within(
            names[1],
            self.offset,
            -100.0..=100.0,
            "between -100 and 100",
        )?;
        within(names[2], self.floor, 0.0..=0.9, "between 0 and 0.9")
    }
}

fn unchanged_slope() -> f32 {
    1.0
}

impl Default for DecisionParameters {
    /// For a model that was never tuned: the nearest photo alone decides, with q in the middle of
    /// its range. An untuned classifier's probabilities mean little.
    fn default() -> Self {
        Self {
            temperature: 1.0,
            new_probability: 0.475,
            new_similarity: 0.475,
            centre_share: 0.0,
            new_share: None,
            weights: [0.0, 1.0, 0.0],
            sharpness: 10.0,
            first_slope: unchanged_slope(),
            first_offset: 0.0,
            new_first: None,
        }
    }
}

impl DecisionParameters {
    /// Whether what the classifier says counts.
    pub fn asks_the_classifier(&self) -> bool {
        self.weights[2] > 0.0
    }

    /// Checks every range.
    ///
    /// # Errors
    /// Names the parameter, its value and the range.
    pub fn validate(&self) -> Result<(), DecisionError> {
        factor(
            "temperature",
            self.temperature,
            1000.0,
            "above 0 and at most 1000",
        )?;
        share("new_probability", self.new_probability)?;
        share("new_similarity", self.new_similarity)?;
        share("centre_share", self.centre_share)?;
        if let Some(value) = self.new_share {
            let shares = f32::MIN_POSITIVE..=1.0 - f32::EPSILON;
            within("new_share", value, shares, "above 0 and below 1")?;
        }
        for weight in self.weights {
            within("weights", weight, 0.0..=1000.0, "between 0 and 1000")?;
        }
        if self.weights.iter().all(|&weight| weight == 0.0) {
            return Err(DecisionError::NoWeight);
        }
        factor(
            "sharpness",
            self.sharpness,
            1e6,
            "above 0 and at most 1000000",
        )?;
        let of_whales = self.first_odds(false);
        of_whales.validate(["first_slope", "first_offset", "floor"])?;
        let of_new = self.first_odds(true);
        of_new.validate(["new_first slope", "new_first offset", "new_first floor"])
    }

    /// What becomes of the first label's log odds, where it is `New` and where it is a whale.
    pub(super) fn first_odds(&self, new: bool) -> FirstOdds {
        let of_whales = FirstOdds {
            slope: self.first_slope,
            offset: self.first_offset,
            floor: 0.0,
        };
        match self.new_first {
            Some(of_new) if new => of_new,
            _ => of_whales,
        }
    }
}

fn factor(
    name: &'static str,
    value: f32,
    most: f32,
    range: &'static str,
) -> Result<(), DecisionError> {
    within(name, value, f32::MIN_POSITIVE..=most, range)
}

fn share(name: &'static str, value: f32) -> Result<(), DecisionError> {
    within(name, value, 0.0..=1.0, "between 0 and 1")
}

/// NaN is within no range.
fn within(
    name: &'static str,
    value: f32,
    values: core::ops::RangeInclusive<f32>,
    range: &'static str,
) -> Result<(), DecisionError> {
    if values.contains(&value) {
        Ok(())
    } else {
        Err(DecisionError::Parameter { name, value, range })
    }
}
