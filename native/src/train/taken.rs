//! What a training takes from a bundle: its network as it is, its fluke finder, and a recipe that leaves both
//! as they are.

use super::recipe::{FinderRecipe, Input, Recipe};
use super::start::LEARNED;
use crate::export::read_bundle;
use crate::{Error, Result};
use flukeprint_core::bundle::Bundle;
use flukeprint_core::model::named::Named;
use std::path::{Path, PathBuf};

/// What a recipe is called by which a bundle's network stays as it is.
const KEPT: &str = "kept";
/// Model, input and finder are the bundle's.
const AS_IT_IS: &str = r#"
base = "small"
name = "kept"

[full]
epochs = 0

[validation]
watch = 0
"#;

/// A bundle of one network.
pub(super) struct Taken {
    folder: PathBuf,
    bundle: Bundle,
}

impl Taken {
    /// Whether there is a bundle in `folder`, and not a run.
    pub(super) fn is_in(folder: &Path) -> bool {
        folder.join("bundle.json").is_file()
    }

    /// The bundle in `folder`, checked whole.
    ///
    /// # Errors
    /// As [`read_bundle`]; a bundle of several networks.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let bundle = read_bundle(folder)?;
        let taken = Self {
            folder: folder.to_owned(),
            bundle,
        };
        match taken.bundle.networks.len() {
            1 => Ok(taken),
            several => Err(taken.refuse(format!(
                "holds {several} networks that answer together; only one that answers alone can be taken"
            ))),
        }
    }

    /// Its weights file.
    pub(super) fn file(&self) -> PathBuf {
        self.folder.join(&self.bundle.manifest.files.weights.path)
    }

    /// Backbone and heads, named as in a training's weights, batch norms folded. Its classifier stays behind: it knows
    /// other whales.
    pub(super) fn learned(&self) -> Named {
        let network = self.bundle.networks.iter().flatten();
        let named = network.map(|(name, values)| (format!("network.{name}"), values.clone()));
        named
            .filter(|(name, _)| name.starts_with(LEARNED))
            .collect()
    }

    /// Its fluke finder, batch norms folded.
    ///
    /// # Errors
    /// When it has none.
    pub(super) fn finder(&self) -> Result<(FinderRecipe, Named)> {
        let facts = self.bundle.manifest.model.finder.clone();
        let model = facts.ok_or_else(|| self.refuse("has no fluke finder to take".to_owned()))?;
        Ok((FinderRecipe::untrained(model), self.bundle.finder.clone()))
    }

    /// A recipe that trains nothing: the bundle's network and input, and its finder where it has one.
    ///
    /// # Errors
    /// When the bundle reads photos as no recipe can say.
    pub(super) fn recipe(&self) -> Result<Recipe> {
        let (facts, how) = (
            &self.bundle.manifest.model,
            &self.bundle.manifest.preprocessing,
        );
        let mut recipe = Recipe::parse(KEPT, AS_IT_IS)?;
        recipe.model = facts.embedder.clone();
        recipe.input = Input {
            height: how.height,
            width: how.width,
            margin: how.margin,
            views: how.views.clone(),
            ..recipe.input
        };
        recipe.finder = facts.finder.clone().map(FinderRecipe::untrained);
        match recipe.preprocessing() == *how {
            true => Ok(recipe),
            false => Err(self.refuse(
                "reads photos in another way than recipes of its backbone do; take a bundle that was exported \
                 by this program"
                    .to_owned(),
            )),
        }
    }

    fn refuse(&self, reason: String) -> Error {
        Error::Bundle {
            path: self.folder.clone(),
            reason,
        }
    }
}
