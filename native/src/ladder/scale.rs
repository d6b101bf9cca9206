//! How large the rungs are trained.

use crate::Result;
use crate::train::Recipe;
use serde::Serialize;

/// The size of the ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// Small photos, narrow networks, an epoch or two: proves on a CPU, in minutes, that every rung
    /// works. Its scores say nothing of the steps.
    Tiny,
    /// As the recipes have it: days of a GPU.
    Full,
}

/// Tiny: what channels are divided by.
const NARROW: usize = 4;
/// Tiny: what the width of the heads is divided by.
const HEADS: usize = 16;
/// Tiny: the input's height and its least width, pixels.
const SIDES: (usize, usize) = (64, 128);
/// Tiny: photos a step.
const BATCH: usize = 16;
/// Tiny: epochs of everything.
const EPOCHS: usize = 2;

impl Scale {
    /// The recipe at this scale.
    ///
    /// # Errors
    /// When no input is wide enough for the network's stripes.
    pub fn apply(self, recipe: Recipe) -> Result<Recipe> {
        match self {
            Self::Full => Ok(recipe),
            Self::Tiny => tiny(recipe),
        }
    }
}

fn tiny(mut recipe: Recipe) -> Result<Recipe> {
    recipe.model.narrow = NARROW;
    recipe.model.head_width = (recipe.model.head_width / HEADS).max(8);
    recipe.input.height = SIDES.0;
    recipe.input.width = SIDES.1;
    let stride = recipe.model.backbone.facts().stride;
    while recipe
        .model
        .check(recipe.input.height, recipe.input.width)
        .is_err()
        && recipe.input.width < 4 * SIDES.1
    {
        recipe.input.width += stride;
    }
    recipe
        .model
        .check(recipe.input.height, recipe.input.width)?;
    recipe.batch = BATCH;
    recipe.head.epochs = recipe.head.epochs.min(1);
    recipe.full.epochs = recipe.full.epochs.min(EPOCHS);
    if let Some(triplet) = &mut recipe.triplet {
        triplet.assigned_epochs = triplet.assigned_epochs.min(1);
        triplet.hardest_epochs = triplet.hardest_epochs.min(1);
        triplet.pairs = triplet.pairs.min(BATCH / 2);
    }
    Ok(recipe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ladder::choose;

    #[test]
    fn every_rung_can_be_built_tiny() {
        for rung in choose(&[]).unwrap() {
            for recipe in rung.recipes().unwrap() {
                let recipe = Scale::Tiny.apply(recipe).unwrap();
                assert!(recipe.input.width <= 192, "{}", recipe.name);
                assert!(recipe.head.epochs + recipe.full.epochs <= 3);
            }
        }
    }
}
