//! `flukeprint recipes`.

use super::out::{self, say};
use crate::Result;
use crate::ladder::{Rung, choose};
use crate::train::recipe::AnyRecipe;
use crate::train::recipe::shipped::{DESCRIPTORS, RECIPES};
use crate::train::{DescriptorRecipe, Recipe};
use clap::Args;
use serde::Serialize;

/// List the recipes that come with the program, or print one in full.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  flukeprint recipes --json\n  flukeprint recipes vgg16-bn-gem > mine.toml"
)]
pub struct Recipes {
    /// Print this recipe in full, to be copied and changed.
    name: Option<String>,
    /// Print one JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Listed {
    name: String,
    /// The ladder's step and its published MAP@5, for a rung.
    #[serde(skip_serializing_if = "Option::is_none")]
    step: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    published: Option<f64>,
    /// What is trained: one recipe, or an ensemble's several.
    recipes: Vec<Recipe>,
}

impl Recipes {
    pub fn run(&self) -> Result<()> {
        if let Some(name) = &self.name {
            match (AnyRecipe::load(name)?, self.json) {
                (AnyRecipe::Network(recipe), true) => return super::print_json(&recipe),
                (AnyRecipe::Descriptor(recipe), true) => return super::print_json(&recipe),
                (AnyRecipe::Network(recipe), false) => out::text(&recipe.to_toml()?),
                (AnyRecipe::Descriptor(recipe), false) => out::text(&recipe.to_toml()?),
            }
            return Ok(());
        }
        let (listed, descriptors) = (listed()?, descriptors()?);
        if self.json {
            #[derive(Serialize)]
            struct All {
                recipes: Vec<Listed>,
                descriptors: Vec<DescriptorRecipe>,
            }
            return super::print_json(&All {
                recipes: listed,
                descriptors,
            });
        }
        for one in &listed {
            say!("{}", line(one));
        }
        for one in &descriptors {
            let (points, epochs, batches) = (one.points, one.epochs, one.batches);
            say!(
                "{:<22}descriptor of patches, {points} points a batch, {epochs} x {batches} batches",
                one.name
            );
        }
        Ok(())
    }
}

fn listed() -> Result<Vec<Listed>> {
    let plain = RECIPES.iter().map(|(name, _)| {
        Ok(Listed {
            name: (*name).to_owned(),
            step: None,
            published: None,
            recipes: vec![Recipe::load(name)?],
        })
    });
    let rung = |rung: Rung| {
        Ok(Listed {
            recipes: rung.recipes()?,
            name: rung.name,
            step: Some(rung.facts.step),
            published: Some(rung.facts.published),
        })
    };
    plain.chain(choose(&[])?.into_iter().map(rung)).collect()
}

fn descriptors() -> Result<Vec<DescriptorRecipe>> {
    let all = DESCRIPTORS
        .iter()
        .filter_map(|(name, _)| match AnyRecipe::load(name) {
            Ok(AnyRecipe::Descriptor(recipe)) => Some(Ok(*recipe)),
            Ok(AnyRecipe::Network(_)) => None,
            Err(error) => Some(Err(error)),
        });
    all.collect()
}

fn line(one: &Listed) -> String {
    let what = match one.recipes.as_slice() {
        [recipe] => format!(
            "{}, {} x {}, {} + {} epochs",
            recipe.model.backbone.name(),
            recipe.input.height,
            recipe.input.width,
            recipe.head.epochs,
            recipe.full.epochs
        ),
        several => {
            let names = several.iter().map(|recipe| recipe.name.as_str());
            names.collect::<Vec<_>>().join(" + ")
        }
    };
    let step = match (&one.step, one.published) {
        (Some(step), Some(published)) => format!("  [{published:.3} {step}]"),
        _ => String::new(),
    };
    format!("{:<22}{what}{step}", one.name)
}
