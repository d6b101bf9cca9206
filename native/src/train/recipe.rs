//! Recipes: everything that decides what a training run makes, as a TOML file.

use super::metric::TripletRecipe;
use crate::data::{Augmentation, write_atomically};
use crate::{Error, Result};
use flukeprint_core::bundle::sha256_hex;
use flukeprint_core::model::{EmbedderConfig, FinderConfig};
use flukeprint_core::photo::Preprocessing;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The recipes that come with the program.
const SHIPPED: [(&str, &str); 4] = [
    ("demo", include_str!("../../recipes/demo.toml")),
    ("small", include_str!("../../recipes/small.toml")),
    (
        "small-scratch",
        include_str!("../../recipes/small-scratch.toml"),
    ),
    ("tiny", include_str!("../../recipes/tiny.toml")),
];

/// A training run, in full.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What it is called.
    pub name: String,
    /// Seed of weights, split, order and augmentation.
    pub seed: u64,
    /// The network.
    pub model: EmbedderConfig,
    /// What the network reads.
    pub input: Input,
    /// Photos a step.
    pub batch: usize,
    /// Weight of ring loss; the original has 0.01.
    pub ring: f64,
    /// How photos are classed while training.
    #[serde(default)]
    pub classifier: Classifier,
    /// Weight decay as a share of the rate; the original has 0.01.
    pub weight_decay: f64,
    /// The joint norm that gradients are clipped to; the original has 0.1.
    pub clip: f64,
    /// First stage: the head alone.
    pub head: Stage,
    /// Second stage: everything.
    pub full: Stage,
    /// What a training photo goes through.
    pub augmentation: Augmentation,
    /// The held-out photos.
    pub validation: Validation,
    /// The fluke finder; without it the bundle takes a photo as it is.
    #[serde(default)]
    pub finder: Option<FinderRecipe>,
    /// The metric-learning start before the first stage; without it there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub triplet: Option<TripletRecipe>,
}

/// What the network reads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Height in pixels.
    pub height: usize,
    /// Width in pixels.
    pub width: usize,
    /// Share of the box added on each side; the original has 0.1.
    pub margin: f32,
}

/// The stripes' classifiers, which only training has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Classifier {
    /// What they compute.
    pub kind: ClassifierKind,
    /// ArcFace's factor on the cosines.
    pub scale: f64,
    /// ArcFace's margin, radians.
    pub margin: f64,
    /// Share of a stripe's pooled values left out, in front of its head.
    pub head_dropout: f64,
    /// Share of its feature's values left out, in front of its classifier.
    pub dropout: f64,
}

impl Default for Classifier {
    /// The original's.
    fn default() -> Self {
        Self {
            kind: ClassifierKind::Linear,
            scale: 30.0,
            margin: 0.3,
            head_dropout: 0.3,
            dropout: 0.5,
        }
    }
}

/// What a stripe's classifier computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassifierKind {
    /// A linear layer, as in the original.
    Linear,
    /// Cosines to one direction an individual, with a margin (Deng et al., 2019). It learns whales
    /// of two photos in far fewer epochs.
    Arcface,
}

/// One stage of training: a one-cycle run over so many epochs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Passes over the training photos; 0 leaves the stage out.
    pub epochs: usize,
    /// Highest rate of the head.
    pub head_rate: f64,
    /// Highest rate of the backbone's deeper half, which the first stage does not train.
    #[serde(default)]
    pub upper_rate: f64,
    /// Highest rate of the backbone's shallower half, which the first stage does not train.
    #[serde(default)]
    pub lower_rate: f64,
    /// What batch norms do in parts whose rate is zero; the original's learn.
    #[serde(default)]
    pub frozen_norms: FrozenNorms,
}

/// What the batch norms of layers do whose rate is zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FrozenNorms {
    /// They normalise by the batch and go on learning their statistics, as in the original.
    #[default]
    Learn,
    /// They normalise by the statistics they have, which spares a CPU most of the work below the
    /// first layer that learns.
    Rest,
}

/// The held-out photos: spec, *Data*.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validation {
    /// Photos of new whales among them, as far as there are enough.
    pub new_whales: usize,
}

/// How the fluke finder is trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FinderRecipe {
    /// The network.
    #[serde(default)]
    pub model: FinderConfig,
    /// Passes over the photos that have a box.
    pub epochs: usize,
    /// Photos a step.
    pub batch: usize,
    /// Highest rate.
    pub rate: f64,
}

impl Recipe {
    /// The recipe of that name, or the one in the file of that path.
    ///
    /// # Errors
    /// When there is neither, or the file is no recipe; names what is.
    pub fn load(name_or_path: &str) -> Result<Self> {
        let shipped = SHIPPED.iter().find(|(name, _)| *name == name_or_path);
        let text = match shipped {
            Some((_, text)) => (*text).to_owned(),
            None if name_or_path.ends_with(".toml") => std::fs::read_to_string(name_or_path)
                .map_err(|source| Error::Read {
                    path: name_or_path.into(),
                    source,
                })?,
            None => {
                let names = SHIPPED.map(|(name, _)| name).join(", ");
                return Err(Error::Recipe {
                    recipe: name_or_path.to_owned(),
                    reason: format!(
                        "there is no such recipe; choose one of {names}, or a file ending in .toml{}",
                        nearest(name_or_path, SHIPPED.map(|(name, _)| name))
                    ),
                });
            }
        };
        Self::parse(name_or_path, &text)
    }

    /// Reads a recipe from TOML.
    ///
    /// # Errors
    /// When `text` is no recipe or a value is out of its range; `origin` names it in the message.
    pub fn parse(origin: &str, text: &str) -> Result<Self> {
        let refuse = |reason: String| Error::Recipe {
            recipe: origin.to_owned(),
            reason,
        };
        // The parser's message spans lines and draws the place; one line is enough here.
        let one_line = |error: toml::de::Error| {
            let line = error
                .span()
                .map_or(0, |span| 1 + text[..span.start].matches('\n').count());
            let message = error.message().replace('\n', " ");
            // "unknown field `clap`, expected one of `clip`, …": the wrong name, then the right ones.
            let mut names = message.split('`').skip(1).step_by(2);
            let meant = match (message.starts_with("unknown"), names.next()) {
                (true, Some(wrong)) => nearest(wrong, names),
                _ => String::new(),
            };
            refuse(format!("line {line}: {message}{meant}"))
        };
        let recipe: Self = toml::from_str(text).map_err(one_line)?;
        recipe.check().map_err(|error| refuse(error.to_string()))?;
        Ok(recipe)
    }

    fn check(&self) -> Result<()> {
        self.model.check(self.input.height, self.input.width)?;
        self.augmentation.validate()?;
        let positive = |name: &'static str, value: f64| match value.is_finite() && value > 0.0 {
            true => Ok(()),
            false => Err(Error::Setting {
                name,
                value: value.to_string(),
                wanted: "more than 0",
            }),
        };
        let within = |name: &'static str, value: f64, (most, wanted): (f64, &'static str)| {
            match (0.0..=most).contains(&value) {
                true => Ok(()),
                false => Err(Error::Setting {
                    name,
                    value: value.to_string(),
                    wanted,
                }),
            }
        };
        positive("batch", self.batch.saturating_sub(1) as f64)?; // batch norm needs two photos
        positive("clip", self.clip)?;
        positive("classifier.scale", self.classifier.scale)?;
        within(
            "classifier.margin",
            self.classifier.margin,
            (1.5, "0 to 1.5"),
        )?;
        within(
            "classifier.head_dropout",
            self.classifier.head_dropout,
            (0.99, "0 to 0.99"),
        )?;
        within(
            "classifier.dropout",
            self.classifier.dropout,
            (0.99, "0 to 0.99"),
        )?;
        for (stage, name) in [
            (&self.head, "head.head_rate"),
            (&self.full, "full.head_rate"),
        ] {
            if stage.epochs > 0 {
                positive(name, stage.head_rate)?;
            }
        }
        self.triplet.as_ref().map_or(Ok(()), TripletRecipe::check)?;
        match &self.finder {
            Some(finder) => positive("finder.batch", finder.batch.saturating_sub(1) as f64),
            None => Ok(()),
        }
    }

    /// How photos become inputs.
    pub fn preprocessing(&self) -> Preprocessing {
        let facts = self.model.backbone.facts();
        Preprocessing {
            margin: self.input.margin,
            mean: facts.mean,
            deviation: facts.deviation,
            ..Preprocessing::imagenet(self.input.height, self.input.width)
        }
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

    /// SHA-256 of the recipe as TOML.
    ///
    /// # Errors
    /// As [`Recipe::to_toml`].
    pub fn sha256(&self) -> Result<String> {
        Ok(sha256_hex(self.to_toml()?.as_bytes()))
    }

    /// Writes the recipe as TOML.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_atomically(path, self.to_toml()?.as_bytes())
    }
}

/// "; did you mean …?" with the most similar name, or nothing when none is similar.
fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(wrong, name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(String::new, |(_, name)| format!("; did you mean {name}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shipped_recipe_is_one_and_survives_its_own_toml() {
        for (name, text) in SHIPPED {
            let recipe = Recipe::load(name).unwrap();
            assert_eq!(recipe.name, name);
            assert_eq!(
                Recipe::parse(name, &recipe.to_toml().unwrap()).unwrap(),
                Recipe::parse(name, text).unwrap()
            );
        }
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let text = SHIPPED[0].1.replace("clip =", "clap =");
        let message = Recipe::parse("mine.toml", &text).unwrap_err().to_string();
        assert!(
            message.contains("mine.toml") && message.contains("clap"),
            "{message}"
        );
        assert!(message.ends_with("did you mean clip?"), "{message}");
        assert!(!message.contains('\n'));
    }

    #[test]
    fn an_unknown_backbone_names_the_nearest() {
        let text = SHIPPED[0].1.replace("\"compact\"", "\"resnet-50\"");
        let message = Recipe::parse("mine.toml", &text).unwrap_err().to_string();
        assert!(message.ends_with("did you mean resnet50?"), "{message}");
    }

    #[test]
    fn an_unknown_recipe_names_those_there_are() {
        let message = Recipe::load("demmo").unwrap_err().to_string();
        assert!(
            message.contains("demo") && message.contains("small"),
            "{message}"
        );
        assert!(message.ends_with("did you mean demo?"), "{message}");
    }

    #[test]
    fn too_many_stripes_for_the_width_are_refused() {
        let text = SHIPPED[0].1.replace("stripes = 4", "stripes = 99");
        assert!(
            Recipe::parse("mine.toml", &text)
                .unwrap_err()
                .to_string()
                .contains("99")
        );
    }
}
