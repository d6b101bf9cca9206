//! `flukeprint recipes`.

use super::out::{self, say};
use crate::Result;
use crate::ladder::{Rung, choose};
use crate::train::Recipe;
use crate::train::recipe::shipped::RECIPES;
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
            let recipe = Recipe::load(name)?;
            match self.json {
                true => return super::print_json(&recipe),
                false => out::text(&recipe.to_toml()?),
            }
            return Ok(());
        }
        let listed = listed()?;
        if self.json {
            #[derive(Serialize)]
            struct All {
                recipes: Vec<Listed>,
            }
            return super::print_json(&All { recipes: listed });
        }
        for one in &listed {
            say!("{}", line(one));
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
