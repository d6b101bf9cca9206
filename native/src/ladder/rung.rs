//! What a step of the ladder is.

use super::Answer;
use crate::train::Recipe;
use crate::train::recipe::{load, nearest, shipped};
use crate::{Error, Result};
use serde::Deserialize;
use toml::Table;

/// A step of the ladder.
#[derive(Clone, Debug, PartialEq)]
pub struct Rung {
    /// Its name, and that of its recipe.
    pub name: String,
    /// What the write-up calls it, its score and how its answer is made.
    pub facts: Facts,
    /// What is trained for it.
    pub trained: Trained,
}

/// A recipe's table `rung`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The step, as the write-up calls it.
    pub step: String,
    /// MAP@5 on the competition's test photos.
    pub published: f64,
    /// Which part of the decision answers.
    pub answer: Answer,
}

/// What is trained for a rung.
#[derive(Clone, Debug, PartialEq)]
pub enum Trained {
    /// One network.
    Alone(Box<Recipe>),
    /// Several, by their recipes' names.
    Together(Vec<String>),
}

impl Rung {
    /// The rung of that name.
    ///
    /// # Errors
    /// When there is none, naming the nearest, or when its recipe cannot be used.
    pub fn load(name: &str) -> Result<Self> {
        let mut names = shipped::LADDER.iter().map(|(name, _)| *name);
        if !names.clone().any(|known| known == name) {
            let reason = format!(
                "is no rung; the ladder has {}{}",
                names.clone().collect::<Vec<_>>().join(", "),
                nearest(name, &mut names)
            );
            return Err(refuse(name, reason));
        }
        let mut table = load::table(name, &load::text(name)?)?;
        let facts = table
            .remove("rung")
            .ok_or_else(|| refuse(name, "has no table `rung`".to_owned()))?;
        let facts = facts
            .try_into()
            .map_err(|error| refuse(name, format!("rung: {}", error.message())))?;
        Ok(Self {
            name: name.to_owned(),
            facts,
            trained: trained(name, &table)?,
        })
    }

    /// The recipes that are trained for it, under their names.
    ///
    /// # Errors
    /// When a member's recipe cannot be used.
    pub fn recipes(&self) -> Result<Vec<Recipe>> {
        match &self.trained {
            Trained::Alone(recipe) => Ok(vec![recipe.as_ref().clone()]),
            Trained::Together(members) => members.iter().map(|name| Recipe::load(name)).collect(),
        }
    }
}

fn trained(name: &str, table: &Table) -> Result<Trained> {
    let Some(members) = table.get("members") else {
        return Ok(Trained::Alone(Box::new(Recipe::load(name)?)));
    };
    let names = members.as_array().into_iter().flatten();
    let names: Option<Vec<String>> = names.map(|name| name.as_str().map(str::to_owned)).collect();
    match names {
        Some(names) if names.len() > 1 => Ok(Trained::Together(names)),
        _ => Err(refuse(
            name,
            "`members` must name two recipes or more".to_owned(),
        )),
    }
}

fn refuse(name: &str, reason: String) -> Error {
    Error::Recipe {
        recipe: name.to_owned(),
        reason,
    }
}

/// The rungs of those names, all of them where none is given, in the ladder's order.
///
/// # Errors
/// As [`Rung::load`].
pub fn choose(names: &[String]) -> Result<Vec<Rung>> {
    let wanted = names.iter().map(|name| Rung::load(name));
    let wanted: Vec<Rung> = wanted.collect::<Result<_>>()?;
    let all = shipped::LADDER.iter().map(|(name, _)| *name);
    all.filter(|name| names.is_empty() || wanted.iter().any(|rung| rung.name == *name))
        .map(Rung::load)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_is_the_specs() {
        let published: Vec<f64> = choose(&[])
            .unwrap()
            .iter()
            .map(|rung| rung.facts.published)
            .collect();
        // Verification by local features, 0.963, has no rung yet.
        let wanted = [
            0.813, 0.834, 0.872, 0.877, 0.883, 0.899, 0.904, 0.897, 0.901, 0.920, 0.934, 0.942,
            0.944, 0.955, 0.925, 0.945, 0.944, 0.961, 0.966,
        ];
        assert_eq!(published, wanted);
    }

    #[test]
    fn rungs_come_in_the_ladders_order_and_wrong_names_are_told() {
        let names = ["vgg16-bn".to_owned(), "resnet50-center".to_owned()];
        let rungs = choose(&names).unwrap();
        let names: Vec<&str> = rungs.iter().map(|rung| rung.name.as_str()).collect();
        assert_eq!(names, ["resnet50-center", "vgg16-bn"]);
        let message = choose(&["resnet50-heds".to_owned()]).unwrap_err();
        let message = message.to_string();
        assert!(
            message.ends_with("did you mean resnet50-heads?"),
            "{message}"
        );
    }

    #[test]
    fn members_of_ensembles_are_recipes() {
        for rung in choose(&[]).unwrap() {
            for recipe in rung.recipes().unwrap() {
                assert!(!recipe.name.is_empty());
            }
        }
    }
}
