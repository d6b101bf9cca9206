//! Weights that others trained, under their own names.
//!
//! - `checkpoint`: a `.pth` or `.safetensors` file to tensors under its own names;
//! - `layers`: which of its layers is which of ours;
//! - `descriptor`: HardNet, whose names core knows.

mod checkpoint;
mod descriptor;
mod layers;
#[cfg(test)]
mod tests;

pub use descriptor::hardnet;

use crate::{Error, Result};
use burn::tensor::Device;
use flukeprint_core::model::backbone::{Backbone, BackboneName};
use flukeprint_core::model::named::{self, Named, Values};
use layers::namings;
use std::collections::BTreeMap;
use std::path::Path;

/// How many tensors a message names before it only counts them.
const NAMED: usize = 5;

/// A checkpoint's trunk as a backbone of ours.
#[derive(Debug)]
pub struct Imported {
    /// Every tensor of the backbone, under our names.
    pub tensors: Named,
    /// Whose names the checkpoint has.
    pub whose: &'static str,
    /// What did not fit, one a line; empty unless that was allowed.
    pub misfits: Vec<String>,
}

/// Reads the trunk of a published checkpoint, `.pth` or `.safetensors`, as the backbone `name`. Its
/// classifier is left out.
///
/// With `lenient`, what is missing or of another shape keeps fresh weights and what is unknown is
/// left out; [`Imported::misfits`] lists both.
///
/// # Errors
/// When the file cannot be read; unless `lenient`, when a tensor is missing, unknown or of another
/// shape: they are named, and the backbone that the file rather looks like.
pub fn import(name: BackboneName, path: &Path, lenient: bool) -> Result<Imported> {
    let refuse = |reason: String| Error::Weights {
        path: path.to_owned(),
        reason,
    };
    let trunk = checkpoint::trunk(path)?;
    if trunk.is_empty() {
        return Err(refuse("holds no weights of a trunk".to_owned()));
    }
    let ours = tensors_of(&Backbone::new(name, &Device::flex()))?;
    let Some((whose, renaming)) = best_naming(name, &trunk) else {
        return Err(refuse(format!(
            "cannot be used: there are no published weights for {}",
            name.name()
        )));
    };
    let fit = Fit::new(&ours, &renaming, trunk);
    if !fit.misfits.is_empty() && !lenient {
        let mut reason = format!(
            "is no {} under {whose}'s names: {}",
            name.name(),
            fit.summary()
        );
        if let Some(other) = looks_like(path)?.filter(|&other| other != name) {
            reason += &format!("; it looks like {}", other.name());
        }
        return Err(refuse(reason));
    }
    let misfits = fit.misfits.iter().map(ToString::to_string).collect();
    let mut tensors = ours;
    tensors.extend(fit.tensors);
    Ok(Imported {
        tensors,
        whose,
        misfits,
    })
}

/// A new backbone `name` with the weights of the file at `path`: one that [`import`] wrote, or a
/// published checkpoint.
///
/// # Errors
/// As [`import`].
pub fn start_backbone(name: BackboneName, backbone: Backbone, path: &Path) -> Result<Backbone> {
    let file = path.display().to_string();
    let tensors = checkpoint::trunk(path)?;
    let is_ours = tensors.keys().eq(tensors_of(&backbone)?.keys());
    let tensors = match is_ours {
        true => tensors,
        false => import(name, path, false)?.tensors,
    };
    with_tensors(name, backbone, tensors, &file)
}

/// A backbone's tensors by name, without the name of the variant that stands before them.
fn tensors_of(backbone: &Backbone) -> Result<Named> {
    let short = |(name, values): (String, Values)| match name.split_once('.') {
        Some((_, rest)) => (rest.to_owned(), values),
        None => (name, values),
    };
    Ok(named::read(backbone)?.into_iter().map(short).collect())
}

/// The reverse of [`tensors_of`]; `file` is for messages.
fn with_tensors(
    name: BackboneName,
    backbone: Backbone,
    tensors: Named,
    file: &str,
) -> Result<Backbone> {
    let long = |(tensor, values)| (format!("{name:?}.{tensor}"), values);
    let tensors = tensors.into_iter().map(long).collect();
    Ok(named::write(backbone, tensors, file)?)
}

/// The naming of `name` that most tensors have, as their name to ours.
fn best_naming(
    name: BackboneName,
    trunk: &Named,
) -> Option<(&'static str, BTreeMap<String, String>)> {
    namings(name)
        .into_iter()
        .map(|naming| (naming.whose, naming.tensors()))
        .max_by_key(|(_, renaming)| renaming.keys().filter(|n| trunk.contains_key(*n)).count())
}

/// The backbone that a checkpoint fits without a misfit.
fn looks_like(path: &Path) -> Result<Option<BackboneName>> {
    let trunk = checkpoint::trunk(path)?;
    for &name in BackboneName::ALL {
        if let Some((_, renaming)) = best_naming(name, &trunk) {
            let known = trunk.keys().all(|theirs| renaming.contains_key(theirs));
            if known && !trunk.is_empty() {
                let ours = tensors_of(&Backbone::new(name, &Device::flex()))?;
                if Fit::new(&ours, &renaming, trunk.clone()).misfits.is_empty() {
                    return Ok(Some(name));
                }
            }
        }
    }
    Ok(None)
}

/// A checkpoint beside a backbone.
struct Fit {
    tensors: Named,
    misfits: Vec<Misfit>,
}

enum Misfit {
    Missing(String),
    Unknown(String),
    Misshapen {
        name: String,
        shape: Vec<usize>,
        wanted: Vec<usize>,
    },
}

impl Fit {
    fn new(ours: &Named, renaming: &BTreeMap<String, String>, trunk: Named) -> Self {
        let mut fit = Self {
            tensors: Named::new(),
            misfits: Vec::new(),
        };
        let is_missing = |(theirs, name): &(&String, &String)| {
            ours.contains_key(*name) && !trunk.contains_key(*theirs)
        };
        let missing: Vec<Misfit> = renaming
            .iter()
            .filter(is_missing)
            .map(|(theirs, _)| Misfit::Missing(theirs.clone()))
            .collect();
        let mut unknown = Vec::new();
        for (theirs, values) in trunk {
            let known = renaming.get(&theirs);
            match known.and_then(|name| Some((name, ours.get(name)?))) {
                Some((name, wanted)) => fit.add(name, theirs, wanted, values),
                None => unknown.push(Misfit::Unknown(theirs)),
            }
        }
        // What says most comes first.
        fit.misfits.extend(unknown);
        fit.misfits.extend(missing);
        fit
    }

    fn add(&mut self, ours: &str, theirs: String, wanted: &Values, values: Values) {
        if values.shape == wanted.shape {
            self.tensors.insert(ours.to_owned(), values);
        } else {
            self.misfits.push(Misfit::Misshapen {
                name: theirs,
                shape: values.shape,
                wanted: wanted.shape.clone(),
            });
        }
    }

    /// The first misfits and the number of the others.
    fn summary(&self) -> String {
        let first: Vec<String> = self
            .misfits
            .iter()
            .take(NAMED)
            .map(ToString::to_string)
            .collect();
        let more = match self.misfits.len().saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!("{}{more}", first.join(", "))
    }
}

impl std::fmt::Display for Misfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(name) => write!(f, "`{name}` is missing"),
            Self::Unknown(name) => write!(f, "`{name}` is unknown"),
            Self::Misshapen {
                name,
                shape,
                wanted,
            } => write!(f, "`{name}` is {shape:?} and not {wanted:?}"),
        }
    }
}
