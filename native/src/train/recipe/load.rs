//! From a name or a file to a checked recipe.
//!
//! A recipe may stand on another: `base = "NAME"` takes everything from the recipe of that name, and
//! what the file says itself replaces single values of it.

use super::{Recipe, shipped};
use crate::train::DescriptorRecipe;
use crate::{Error, Result};
use std::path::Path;
use toml::{Table, Value};

/// Recipes that may stand on one another.
const MOST_BASES: usize = 32;

/// A recipe of either kind.
#[derive(Clone, Debug)]
pub enum AnyRecipe {
    /// Of a network that names whales.
    Network(Box<Recipe>),
    /// Of one that describes patches.
    Descriptor(Box<DescriptorRecipe>),
}

impl AnyRecipe {
    /// As [`Recipe::load`].
    ///
    /// # Errors
    /// As there.
    pub fn load(name_or_path: &str) -> Result<Self> {
        Self::parse(name_or_path, &text(name_or_path)?)
    }

    /// As [`Recipe::parse`].
    ///
    /// # Errors
    /// As there.
    pub fn parse(origin: &str, text: &str) -> Result<Self> {
        let table = whole(origin, table(origin, text)?)?;
        if !table.contains_key(DESCRIPTOR) {
            return Ok(Self::Network(Box::new(Recipe::parse(origin, text)?)));
        }
        let recipe: DescriptorRecipe = table
            .try_into()
            .map_err(|error| refuse(origin, &error, text))?;
        recipe.check().map_err(|error| Error::Recipe {
            recipe: origin.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(Self::Descriptor(Box::new(recipe)))
    }
}

impl Recipe {
    /// The recipe of that name, or the one in the file of that path.
    ///
    /// # Errors
    /// When there is neither, or the file is no recipe; names what is.
    pub fn load(name_or_path: &str) -> Result<Self> {
        Self::parse(name_or_path, &text(name_or_path)?)
    }

    /// Reads a recipe from TOML.
    ///
    /// # Errors
    /// When `text` is no recipe or a value is out of its range; `origin` names it in the message.
    pub fn parse(origin: &str, text: &str) -> Result<Self> {
        let table = table(origin, text)?;
        if table.contains_key(MEMBERS) {
            return Err(Error::Recipe {
                recipe: origin.to_owned(),
                reason: "is an ensemble, which is no training run; `flukeprint ladder` trains its \
                         members and scores it"
                    .to_owned(),
            });
        }
        if whole(origin, table.clone())?.contains_key(DESCRIPTOR) {
            return Err(Error::Recipe {
                recipe: origin.to_owned(),
                reason:
                    "trains a descriptor of patches, not a network that names whales; `flukeprint \
                         train` takes it"
                        .to_owned(),
            });
        }
        // Without a base the text itself is read, so that a message can name the line.
        let recipe: Self = match table.contains_key(BASE) || table.contains_key(RUNG) {
            false => toml::from_str(text).map_err(|error| refuse(origin, &error, text))?,
            true => whole(origin, table)?
                .try_into()
                .map_err(|error| refuse(origin, &error, text))?,
        };
        recipe.check().map_err(|error| Error::Recipe {
            recipe: origin.to_owned(),
            reason: error.to_string(),
        })?;
        Ok(recipe)
    }
}

/// What an ensemble has.
const MEMBERS: &str = "members";
/// What a descriptor's recipe has.
const DESCRIPTOR: &str = "descriptor";
const BASE: &str = "base";
/// The table that says what step of the ladder a recipe is; it trains nothing.
const RUNG: &str = "rung";

/// The text of the recipe of that name or path.
pub(crate) fn text(name_or_path: &str) -> Result<String> {
    if let Some(shipped) = shipped::text(name_or_path) {
        return Ok(shipped.to_owned());
    }
    if Path::new(name_or_path)
        .extension()
        .is_some_and(|end| end == "toml")
    {
        return std::fs::read_to_string(name_or_path).map_err(|source| Error::Read {
            path: name_or_path.into(),
            source,
        });
    }
    let reason = format!(
        "there is no such recipe; `flukeprint recipes` lists those there are, or give a file ending \
         in .toml{}",
        nearest(name_or_path, shipped::names())
    );
    Err(Error::Recipe {
        recipe: name_or_path.to_owned(),
        reason,
    })
}

/// The text as a TOML table.
pub(crate) fn table(origin: &str, text: &str) -> Result<Table> {
    text.parse().map_err(|error| refuse(origin, &error, text))
}

/// The table on top of those that it stands on, without what only the ladder reads.
fn whole(origin: &str, mut table: Table) -> Result<Table> {
    for _ in 0..MOST_BASES {
        let Some(base) = table.remove(BASE) else {
            table.remove(RUNG);
            return Ok(table);
        };
        let base = base.as_str().map(str::to_owned).unwrap_or_default();
        let mut below = self::table(&base, &text(&base)?)?;
        lay(&mut below, table);
        table = below;
    }
    Err(Error::Recipe {
        recipe: origin.to_owned(),
        reason: format!("stands on more than {MOST_BASES} others; is there a circle of `base`?"),
    })
}

/// Replaces what `above` says, table by table.
fn lay(below: &mut Table, above: Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => lay(below, above),
            (_, value) => drop(below.insert(key, value)),
        }
    }
}

/// The parser's message spans lines and draws the place; one line is enough here.
fn refuse(origin: &str, error: &toml::de::Error, text: &str) -> Error {
    let line = error.span().map_or_else(String::new, |span| {
        let line = 1 + text[..span.start.min(text.len())].matches('\n').count();
        format!("line {line}: ")
    });
    let message = error.message().replace('\n', " ");
    // "unknown field `clap`, expected one of `clip`, …": the wrong name, then the right ones.
    let mut names = message.split('`').skip(1).step_by(2);
    let meant = match (message.starts_with("unknown"), names.next()) {
        (true, Some(wrong)) => nearest(wrong, names),
        _ => String::new(),
    };
    Error::Recipe {
        recipe: origin.to_owned(),
        reason: format!("{line}{message}{meant}"),
    }
}

/// "; did you mean …?" with the most similar name, or nothing when none is similar.
pub fn nearest<'a>(wrong: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    names
        .into_iter()
        .map(|name| (strsim::jaro_winkler(wrong, name), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(String::new, |(_, name)| format!("; did you mean {name}?"))
}
