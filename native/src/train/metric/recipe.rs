//! What decides how the metric-learning start runs: the recipe's table `[triplet]`.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The metric-learning start of training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TripletRecipe {
    /// Epochs whose negatives a linear assignment over the batch chooses.
    pub assigned_epochs: usize,
    /// Epochs after them whose negatives are the hardest over all training photos.
    pub hardest_epochs: usize,
    /// Pairs of photos a batch, 2 or more; an epoch's pairs are spread evenly over its batches, so a
    /// batch may have fewer.
    #[serde(default = "default_pairs")]
    pub pairs: usize,
    /// How much farther than the positive the negative is to be, on features of unit length.
    #[serde(default = "default_margin")]
    pub margin: f64,
    /// Highest rate of the heads.
    pub head_rate: f64,
    /// Highest rate of the backbone's deeper half.
    pub upper_rate: f64,
    /// Highest rate of the backbone's shallower half.
    pub lower_rate: f64,
    /// How negatives are chosen.
    #[serde(default)]
    pub mining: Mining,
}

fn default_pairs() -> usize {
    16
}

fn default_margin() -> f64 {
    0.3
}

/// How negatives are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mining {
    /// First a linear assignment over the batch, then the hardest over all photos, as the original.
    #[default]
    AssignedThenHardest,
    /// The hardest positive and the hardest negative of the batch (Hermans, Beyer and Leibe, 2017),
    /// for the epochs of both phases together.
    BatchHard,
}

impl TripletRecipe {
    /// Makes sure that every value is in its range.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first that is not.
    pub fn check(&self) -> Result<()> {
        let refuse = |name, value: String, wanted| {
            Err(Error::Setting {
                name,
                value,
                wanted,
            })
        };
        if self.epochs() == 0 {
            let name = "triplet.assigned_epochs + triplet.hardest_epochs";
            return refuse(name, "0".to_owned(), "at least 1");
        }
        if self.pairs < 2 {
            return refuse("triplet.pairs", self.pairs.to_string(), "at least 2");
        }
        for (name, value) in [
            ("triplet.margin", self.margin),
            ("triplet.head_rate", self.head_rate),
        ] {
            if !(value.is_finite() && value > 0.0) {
                return refuse(name, value.to_string(), "more than 0");
            }
        }
        for (name, value) in [
            ("triplet.upper_rate", self.upper_rate),
            ("triplet.lower_rate", self.lower_rate),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return refuse(name, value.to_string(), "0 or more");
            }
        }
        Ok(())
    }

    /// Epochs of both phases.
    pub fn epochs(&self) -> usize {
        self.assigned_epochs.saturating_add(self.hardest_epochs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Recipe;

    const TABLE: &str = "\n[triplet]\nassigned_epochs = 2\nhardest_epochs = 3\n\
        head_rate = 3e-3\nupper_rate = 2e-3\nlower_rate = 1e-3\n";

    fn parse(table: &str) -> Result<Recipe> {
        Recipe::parse("mine.toml", &(tiny().to_toml()? + table))
    }

    fn tiny() -> Recipe {
        Recipe::load("tiny").unwrap()
    }

    #[test]
    fn a_table_with_the_rates_and_epochs_is_enough_and_survives_its_own_toml() {
        let recipe = parse(TABLE).unwrap();
        let triplet = recipe.triplet.clone().unwrap();
        assert_eq!((triplet.pairs, triplet.margin), (16, 0.3));
        assert_eq!(triplet.mining, Mining::AssignedThenHardest);
        assert_eq!(
            Recipe::parse("again", &recipe.to_toml().unwrap()).unwrap(),
            recipe
        );
        let hard = parse(&format!("{TABLE}mining = \"batch-hard\"\n")).unwrap();
        assert_eq!(hard.triplet.unwrap().mining, Mining::BatchHard);
    }

    #[test]
    fn a_recipe_without_the_table_keeps_its_text() {
        assert!(!tiny().to_toml().unwrap().contains("triplet"));
    }

    #[test]
    fn a_value_out_of_its_range_is_named() {
        for (old, new, words) in [
            (
                "head_rate = 3e-3",
                "head_rate = nan",
                ["triplet.head_rate", "NaN"],
            ),
            (
                "upper_rate = 2e-3",
                "upper_rate = -1.0",
                ["triplet.upper_rate", "-1"],
            ),
            (
                "lower_rate = 1e-3",
                "lower_rate = inf",
                ["triplet.lower_rate", "inf"],
            ),
            (
                "lower_rate",
                "margin = 0.0\nlower_rate",
                ["triplet.margin", "more than 0"],
            ),
            (
                "lower_rate",
                "pairs = 1\nlower_rate",
                ["triplet.pairs", "at least 2"],
            ),
            (
                "lower_rate",
                "mining = \"easy\"\nlower_rate",
                ["easy", "batch-hard"],
            ),
            (
                "lower_rate",
                "margins = 0.1\nlower_rate",
                ["margins", "did you mean margin?"],
            ),
        ] {
            let message = parse(&TABLE.replace(old, new)).unwrap_err().to_string();
            for word in words {
                assert!(message.contains(word), "{word}: {message}");
            }
        }
        let none = TABLE
            .replace("epochs = 2", "epochs = 0")
            .replace("epochs = 3", "epochs = 0");
        let message = parse(&none).unwrap_err().to_string();
        assert!(message.contains("triplet.assigned_epochs") && message.contains("at least 1"));
    }
}
