//! After step 6: what the person who asks expects and fears.
//!
//! - The expected share of new whales. The probabilities are fitted to photos of which a share π₀ shows
//!   new whales. Where another share π is to be expected, Bayes' rule moves the odds of `New` by
//!   π / (1 - π) · (1 - π₀) / π₀ and leaves the whales' proportions alone (Saerens et al., 2002).
//! - The cost of a missed match, in false matches. A match is missed where a known whale is called
//!   new; it is false where a photo is given a name that is not its whale's. The verdict is the
//!   one that costs less to expect: `New` costs (1 - p(New)) · cost, the best whale w costs
//!   1 - p(w). With a cost of 1 that is the label with the highest probability, the first one.
//!
//! Costs change the verdict alone: the probabilities and their order stay true.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{DecisionError, DecisionParameters};

/// What the person who asks expects and fears.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperatingPoint {
    /// The expected share of new whales, above 0 and below 1. `None`: that of the tuning photos.
    pub new_share: Option<f32>,
    /// What a missed match costs, in false matches; 0.01 to 100.
    pub missed_cost: f32,
}

impl Default for OperatingPoint {
    /// As many new whales as among the tuning photos, and both mistakes cost the same.
    fn default() -> Self {
        Self {
            new_share: None,
            missed_cost: 1.0,
        }
    }
}

impl OperatingPoint {
    /// Checks the ranges, and that `parameters` say what share they were fitted to where another is
    /// expected.
    ///
    /// # Errors
    /// Names what is wrong.
    pub fn validate(&self, parameters: &DecisionParameters) -> Result<(), DecisionError> {
        let wrong = |name, value, range| Err(DecisionError::Parameter { name, value, range });
        match (self.new_share, parameters.new_share) {
            (Some(share), _) if !(share > 0.0 && share < 1.0) => {
                wrong("expected share of new whales", share, "above 0 and below 1")
            }
            (Some(_), None) => Err(DecisionError::NoShare),
            _ if !(0.01..=100.0).contains(&self.missed_cost) => wrong(
                "cost of a missed match",
                self.missed_cost,
                "between 0.01 and 100",
            ),
            _ => Ok(()),
        }
    }

    /// The probabilities, `New` last, where this share of new whales is expected.
    pub(super) fn expect(
        &self,
        mut probabilities: Vec<f32>,
        parameters: &DecisionParameters,
    ) -> Vec<f32> {
        if let Some((new, whales)) = probabilities.split_last_mut() {
            let [for_new, for_whales] = self.factors(*new, parameters);
            *new = (f64::from(*new) * for_new) as f32;
            for whale in whales {
                *whale = (f64::from(*whale) * for_whales) as f32;
            }
        }
        probabilities
    }

    /// What the probabilities of `New`, which is `new` now, and of every whale are multiplied by.
    fn factors(&self, new: f32, parameters: &DecisionParameters) -> [f64; 2] {
        let (Some(expected), Some(fitted)) = (self.new_share, parameters.new_share) else {
            return [1.0, 1.0];
        };
        let (expected, fitted) = (f64::from(expected), f64::from(fitted));
        let (for_new, for_whales) = (expected / fitted, (1.0 - expected) / (1.0 - fitted));
        let new = f64::from(new);
        let sum = new * for_new + (1.0 - new) * for_whales;
        [for_new / sum, for_whales / sum]
    }

    /// Whether `New` is the verdict, when it has the probability `new` and the best whale `whale` at the
    /// fitted share. Of equal probabilities the whale's counts.
    pub fn says_new(&self, new: f32, whale: f32, parameters: &DecisionParameters) -> bool {
        let [for_new, for_whales] = self.factors(new, parameters);
        let (new, whale) = (f64::from(new) * for_new, f64::from(whale) * for_whales);
        if self.missed_cost == 1.0 {
            return new > whale;
        }
        self.costs_less_new(new as f32, whale as f32)
    }

    /// Whether `New` is cheaper to expect than the best whale, with their final probabilities.
    pub(super) fn costs_less_new(&self, new: f32, whale: f32) -> bool {
        f64::from(self.missed_cost) * (1.0 - f64::from(new)) < 1.0 - f64::from(whale)
    }
}

/// How often a catalogue's verdicts are wrong at an operating point, on photos that no parameter was
/// fitted to. A table of them is the curve that a bundle carries.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct OperatingRates {
    /// The expected share of new whales.
    pub new_share: f32,
    /// The cost of a missed match, in false matches.
    pub missed_cost: f32,
    /// Of the photos of known whales, the share that is called new.
    pub missed: f32,
    /// Of the photos of known whales, the share that is given another whale's name.
    pub mistaken: f32,
    /// Of the photos of new whales, the share that is given a name.
    pub false_match: f32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec;
    use proptest::prelude::*;

    use crate::decision::{Answer, Query, decide};
    use crate::gallery::{FeatureStore, Gallery, GalleryRow, Individual, Label};

    fn fitted_to(share: f32) -> DecisionParameters {
        DecisionParameters {
            new_share: Some(share),
            ..DecisionParameters::default()
        }
    }

    fn expecting(share: f32) -> OperatingPoint {
        OperatingPoint {
            new_share: Some(share),
            ..OperatingPoint::default()
        }
    }

    /// Odds of 0.25 : 0.75 at a share of 0.2, so a likelihood ratio of 4/3; at a share of 0.5 the odds
    /// are 4/3 themselves.
    #[test]
    fn bayes_by_hand() {
        let found = expecting(0.5).expect(vec![0.5, 0.25, 0.25], &fitted_to(0.2));
        let expected = [2.0 / 7.0, 1.0 / 7.0, 4.0 / 7.0];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn the_dearer_mistake_is_avoided() {
        let costs = |missed_cost| OperatingPoint {
            missed_cost,
            ..OperatingPoint::default()
        };
        // New 0.5, whale 0.3: missing costs 0.5 · cost, a false match 0.7.
        let says_new =
            |cost, new, whale| costs(cost).says_new(new, whale, &DecisionParameters::default());
        assert!(says_new(1.0, 0.5, 0.3));
        assert!(says_new(1.3, 0.5, 0.3));
        assert!(!says_new(1.5, 0.5, 0.3));
        // New 0.3, whale 0.5: 0.7 · cost against 0.5.
        assert!(!says_new(1.0, 0.3, 0.5));
        assert!(!says_new(0.8, 0.3, 0.5));
        assert!(says_new(0.5, 0.3, 0.5));
    }

    /// A query between whale 0 and `New`, a little nearer to the whale.
    #[test]
    fn the_answer_follows_what_is_expected_and_feared() {
        let whale = Individual {
            name: "Salt".into(),
        };
        let row = GalleryRow {
            label: Label::Individual(0),
            photo: 0,
        };
        let store = FeatureStore::from_features(2, &[0.0, 1.0]).unwrap();
        let gallery = Gallery::new(vec![whale], vec![row], store).unwrap();
        let query = Query {
            feature: &[0.75_f32.sqrt(), 0.5],
            logits: &[],
        };
        let parameters = fitted_to(0.5);
        let answer = |point| decide(&query, &gallery, &parameters, &point, 2).unwrap();
        let usual = answer(OperatingPoint::default());
        let order = |answer: &Answer| answer.candidates.iter().map(|one| one.label).collect();
        let labels: Vec<Label> = order(&usual);
        assert_eq!(labels, [Label::Individual(0), Label::New]);
        assert_eq!((usual.verdict.label, usual.new_rank), (labels[0], 2));

        let strangers = answer(expecting(0.9));
        assert_eq!(order(&strangers), vec![Label::New, Label::Individual(0)]);
        assert_eq!(
            (strangers.verdict.label, strangers.new_rank),
            (Label::New, 1)
        );
        assert_eq!(strangers.new.score, usual.new.score);

        let wary = answer(OperatingPoint {
            missed_cost: 0.1,
            ..OperatingPoint::default()
        });
        assert_eq!(wary.verdict.label, Label::New);
        assert_eq!(wary.candidates, usual.candidates);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let message = |point: OperatingPoint, parameters: &DecisionParameters| {
            point.validate(parameters).unwrap_err().to_string()
        };
        assert_eq!(
            message(expecting(1.0), &fitted_to(0.2)),
            "decision parameter expected share of new whales is 1, it must be above 0 and below 1"
        );
        let silent = DecisionParameters::default();
        assert!(message(expecting(0.5), &silent).contains("tune"));
        let free = OperatingPoint {
            missed_cost: 0.0,
            ..OperatingPoint::default()
        };
        assert!(message(free, &silent).contains("cost of a missed match is 0"));
        assert_eq!(OperatingPoint::default().validate(&silent), Ok(()));
    }

    proptest! {
        #[test]
        fn expecting_changes_new_against_the_whales_and_nothing_else(
            shares in prop::collection::vec(0.01_f32..1.0, 2..9),
            fitted in 0.05_f32..0.95,
            expected in 0.05_f32..0.95,
        ) {
            let sum: f32 = shares.iter().sum();
            let before: Vec<f32> = shares.iter().map(|share| share / sum).collect();
            let after = expecting(expected).expect(before.clone(), &fitted_to(fitted));
            prop_assert!((after.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            let new = before.len() - 1;
            prop_assert_eq!(after[new] > before[new], expected > fitted && after[new] != before[new]);
            for whale in 1..new {
                prop_assert!((after[whale] / after[0] - before[whale] / before[0]).abs() < 1e-3 * (before[whale] / before[0]));
            }
            let back = expecting(fitted).expect(after, &fitted_to(expected));
            for (back, before) in back.iter().zip(&before) {
                prop_assert!((back - before).abs() < 1e-5);
            }
        }
    }
}
