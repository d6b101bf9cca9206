//! What decides how a descriptor is trained.

use super::warp::WarpRecipe;
use crate::train::Validation;
use crate::train::recipe::{positive, within};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The networks that can be trained so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Descriptor {
    /// [`HardNet`](flukeprint_core::evidence::HardNet).
    HardNet,
}

/// The training of a descriptor, in full. Its `descriptor` tells it from a recipe of a network that names
/// whales.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DescriptorRecipe {
    /// What is trained.
    pub descriptor: Descriptor,
    /// What the recipe is called.
    pub name: String,
    /// Seed of weights, split, order and warps.
    pub seed: u64,
    /// Points a batch at most, two patches each; the original has 1,024, which is for a GPU. Pictures
    /// with few keypoints give fewer.
    pub points: usize,
    /// Points that a batch takes from one picture, or from two photos of one whale. No whale is in a
    /// batch twice: two patches of one place would be taken for two places.
    pub points_a_picture: usize,
    /// Epochs; after each the training can be gone on with.
    pub epochs: usize,
    /// Batches an epoch. There is no end of warps, so an epoch is as long as one likes.
    pub batches: usize,
    /// The rate at the beginning, from where it falls to 0 in a straight line; the original has 10.
    pub rate: f64,
    /// Pairs across two photos of a whale.
    pub across: Across,
    /// What a picture goes through for its second patches.
    pub warp: WarpRecipe,
    /// The held-out photos: nothing is learnt of them. The seed and the numbers of a run's recipe give
    /// its split.
    pub validation: Validation,
}

/// Pairs across two photos of a whale, where matches by RootSIFT agree on one map.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Across {
    /// The share of a batch's pictures that they give, as far as there are enough; 0 to 1.
    pub share: f64,
    /// Matches that must agree before two photos are trusted.
    pub inliers: usize,
    /// Pairs of photos that are looked at for each whale.
    pub pairs_a_whale: usize,
}

impl DescriptorRecipe {
    /// Checks every number's range.
    ///
    /// # Errors
    /// [`Error::Setting`] with the first that is out of it.
    pub(crate) fn check(&self) -> Result<()> {
        let at_least = |name, value: usize, least: usize, wanted| match value >= least {
            true => Ok(()),
            false => Err(Error::Setting {
                name,
                value: value.to_string(),
                wanted,
            }),
        };
        at_least("points_a_picture", self.points_a_picture, 1, "1 or more")?;
        // Batch norm and negatives need two; one whale in a batch would be nearly all of them.
        let two = self.points_a_picture.saturating_mul(2);
        at_least("points", self.points, two, "twice points_a_picture or more")?;
        at_least("batches", self.batches, 1, "1 or more")?;
        at_least("epochs", self.epochs, 1, "1 or more")?;
        // Fewer agree by accident.
        at_least("across.inliers", self.across.inliers, 8, "8 or more")?;
        positive("rate", self.rate)?;
        within("across.share", self.across.share, 1.0, "0 to 1")?;
        self.warp.check()
    }

    /// Pictures a batch takes points from.
    pub fn pictures(&self) -> usize {
        self.points / self.points_a_picture.max(1)
    }

    /// The rate of a step (from 0).
    pub fn rate_at(&self, step: usize) -> f64 {
        let steps = (self.epochs * self.batches).max(1);
        self.rate * (1.0 - step as f64 / steps as f64).max(0.0)
    }

    /// The recipe as TOML.
    ///
    /// # Errors
    /// When a value has no TOML form.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|error| Error::Recipe {
            recipe: self.name.clone(),
            reason: error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::train::recipe::AnyRecipe;
    use crate::train::{DescriptorRecipe, Recipe};
    use proptest::prelude::*;

    fn changed(text: &str) -> crate::Result<DescriptorRecipe> {
        let text = format!("base = \"hardnet\"\n{text}");
        match AnyRecipe::parse("mine.toml", &text)? {
            AnyRecipe::Descriptor(recipe) => Ok(*recipe),
            AnyRecipe::Network(_) => panic!("its base trains a descriptor"),
        }
    }

    #[test]
    fn a_recipe_on_the_shipped_one_says_only_what_it_changes() {
        let recipe = changed("points = 512\n[across]\nshare = 0.25").unwrap();
        assert_eq!((recipe.points, recipe.across.share), (512, 0.25));
        assert_eq!(recipe.rate, 10.0);
        let toml = recipe.to_toml().unwrap();
        let again = AnyRecipe::parse("again", &toml).unwrap();
        assert!(matches!(again, AnyRecipe::Descriptor(again) if *again == recipe));
    }

    #[test]
    fn what_is_out_of_range_or_unknown_is_named() {
        for (text, name) in [
            ("points = 8", "points"),
            ("rate = 0.0", "rate"),
            ("batches = 0", "batches"),
            ("[across]\nshare = 1.5", "across.share"),
            ("[across]\ninliers = 2", "across.inliers"),
            ("[warp]\nscale = 0.5", "warp.scale"),
            ("[warp]\nblurr = 1", "blurr"),
        ] {
            let message = changed(text).unwrap_err().to_string();
            assert!(
                message.contains(name) && !message.contains('\n'),
                "{message}"
            );
        }
    }

    #[test]
    fn it_is_no_recipe_of_a_network_that_names_whales() {
        let message = Recipe::load("hardnet").unwrap_err().to_string();
        assert!(message.contains("trains a descriptor"), "{message}");
    }

    proptest! {
        /// The original's `adjust_learning_rate`: in a straight line from the rate to nothing.
        #[test]
        fn the_rate_falls_in_a_straight_line(epochs in 1usize..40, batches in 1usize..200, rate in 0.1f64..20.0) {
            let recipe = DescriptorRecipe { epochs, batches, rate, ..changed("").unwrap() };
            let steps = epochs * batches;
            prop_assert_eq!(recipe.rate_at(0), rate);
            prop_assert!(recipe.rate_at(steps).abs() < 1e-12);
            for step in 1..=steps {
                let fall = recipe.rate_at(step - 1) - recipe.rate_at(step);
                prop_assert!((fall - rate / steps as f64).abs() < 1e-9);
            }
        }
    }
}
