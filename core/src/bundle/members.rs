//! Several networks in one bundle: an ensemble.
//!
//! The first member's facts stand where those of a single network do, and so do its tensors. The
//! tensors of member 2 begin with `member2.`, those of member 3 with `member3.`, and so on.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use safetensors::tensor::SafeTensors;
use serde::{Deserialize, Serialize};

use super::manifest::{ENSEMBLE_FORMAT, FORMAT, MERGED_FORMAT, Manifest, ModelFacts};
use super::weights::{self, Stored};
use super::write::FINDER;
use crate::identify::Fuse;
use crate::model::EmbedderConfig;
use crate::model::named::Named;
use crate::photo::Preprocessing;
use crate::{Error, Result};

/// What makes several networks an ensemble.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnsembleFacts {
    /// How the members' features become one; their logits are averaged.
    pub fuse: Fuse,
    /// The members after the first, at least one.
    pub others: Vec<MemberFacts>,
}

/// A member after the first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemberFacts {
    /// Its embedder.
    pub embedder: EmbedderConfig,
    /// How a photo becomes its input.
    pub preprocessing: Preprocessing,
    /// Its recipe's name.
    pub recipe: String,
    /// SHA-256 of its recipe as it was run.
    pub recipe_sha256: String,
    /// Its seed.
    pub seed: u64,
    /// As [`ModelFacts::start_sha256`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_sha256: Option<String>,
}

/// An embedder of a bundle and what it reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Member<'a> {
    /// Its place among the members, from 1; `None` for a network that answers alone.
    pub number: Option<usize>,
    /// What it is made of.
    pub embedder: &'a EmbedderConfig,
    /// How a photo becomes its input.
    pub preprocessing: &'a Preprocessing,
    /// Its recipe's name.
    pub recipe: &'a str,
}

impl Member<'_> {
    /// `file` for messages about this member: alone, the file's name; among others, with the member.
    pub(crate) fn in_file(&self, file: &str) -> String {
        match self.number {
            None => file.to_string(),
            Some(number) => format!("{file}, member {number} ({})", self.recipe),
        }
    }

    /// Checks that the network can be built and reads what it is given.
    fn check(&self) -> Result<()> {
        self.preprocessing.validate()?;
        let (height, width) = (self.preprocessing.height, self.preprocessing.width);
        self.embedder.check(height, width)
    }

    /// What is wrong with this member of `file`: alone as it is, among others with the member's name.
    pub(crate) fn name_in(&self, file: &str, error: Error) -> Error {
        match self.number {
            None => error,
            Some(_) => Error::Bundle {
                file: self.in_file(file),
                reason: error.to_string(),
            },
        }
    }
}

impl ModelFacts {
    /// The bundle format that can say this.
    pub(super) fn format(&self) -> u32 {
        match self.ensemble {
            None => FORMAT,
            Some(_) => ENSEMBLE_FORMAT,
        }
    }
}

impl Manifest {
    /// The networks that answer together, in order; one alone where there is no ensemble.
    pub fn members(&self) -> Vec<Member<'_>> {
        let ensemble = self.model.ensemble.as_ref();
        let first = Member {
            number: ensemble.map(|_| 1),
            embedder: &self.model.embedder,
            preprocessing: &self.preprocessing,
            recipe: &self.model.recipe,
        };
        let others = ensemble.map_or(&[][..], |ensemble| &ensemble.others);
        let others = (2..).zip(others).map(|(number, facts)| Member {
            number: Some(number),
            embedder: &facts.embedder,
            preprocessing: &facts.preprocessing,
            recipe: &facts.recipe,
        });
        core::iter::once(first).chain(others).collect()
    }

    /// How the members' features become one; of no account for one network.
    pub fn fuse(&self) -> Fuse {
        let ensemble = self.model.ensemble.as_ref();
        ensemble.map_or_else(Fuse::default, |ensemble| ensemble.fuse)
    }

    /// Values in a feature of the gallery.
    pub fn feature_width(&self) -> usize {
        let members = self.members().into_iter();
        self.fuse()
            .width(members.map(|member| member.embedder.feature_width()))
    }

    /// Checks every member, and that they fit each other and the format.
    pub(super) fn check_members(&self) -> Result<()> {
        const FILE: &str = "bundle.json";
        let refuse = |file: String, reason: String| Err(Error::Bundle { file, reason });
        let members = self.members();
        let several = members.len() > 1;
        let fits = self.format == MERGED_FORMAT || several == (self.format == ENSEMBLE_FORMAT);
        if !fits || several != self.model.ensemble.is_some() {
            let reason = format!(
                "has format {}, but the number of its networks is {}; export the bundle again",
                self.format,
                members.len()
            );
            return refuse(FILE.to_string(), reason);
        }
        for member in &members {
            member
                .check()
                .map_err(|error| member.name_in(FILE, error))?;
        }
        let width = self.model.embedder.feature_width();
        let averaged = self.fuse() == Fuse::Average;
        match members
            .iter()
            .find(|member| averaged && member.embedder.feature_width() != width)
        {
            None => Ok(()),
            Some(member) => refuse(
                member.in_file(FILE),
                format!(
                    "makes {} values a feature and the first member {width}, which cannot be \
                     averaged; export the bundle again",
                    member.embedder.feature_width()
                ),
            ),
        }
    }
}

/// What the tensors of the member with this number, from 1, are called before their own name.
pub(super) fn prefix(number: usize) -> String {
    match number {
        1 => String::new(),
        _ => format!("member{number}."),
    }
}

/// One weights file of several, see [`weights::encode`]: a member's network each. The finder is that
/// of the first file that has one. What is stored stays as it is, to the bit.
///
/// # Errors
/// [`Error::Bundle`] when one of them is no safetensors file.
pub fn join_members(files: &[Vec<u8>]) -> Result<Vec<u8>> {
    let mut joined = BTreeMap::new();
    let mut has_finder = false;
    for (number, bytes) in (1..).zip(files) {
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| Error::Bundle {
            file: format!("the weights of member {number}"),
            reason: format!("are no safetensors file ({error:?})"),
        })?;
        let mut finds = false;
        for (name, view) in tensors.iter() {
            let of_finder = name.starts_with(FINDER);
            finds |= of_finder;
            if of_finder && has_finder {
                continue;
            }
            let before = if of_finder {
                String::new()
            } else {
                prefix(number)
            };
            let stored = Stored {
                dtype: view.dtype(),
                shape: view.shape().to_vec(),
                bytes: view.data().to_vec(),
            };
            joined.insert(format!("{before}{name}"), stored);
        }
        has_finder |= finds;
    }
    weights::serialize("the weights", &joined)
}

/// The tensors of each of `members` networks, from those of all as [`join_members`] put them together.
/// What belongs to no member stays with the first, which will refuse it.
#[must_use]
pub fn split_members(joined: Named, members: usize) -> Vec<Named> {
    let mut split = vec![Named::new(); members.max(1)];
    let prefixes: Vec<String> = (2..=members).map(prefix).collect();
    for (name, values) in joined {
        let mut others = (1..).zip(&prefixes);
        let own = others.find_map(|(at, prefix)| Some((at, name.strip_prefix(prefix.as_str())?)));
        let (at, own) = own.unwrap_or((0, name.as_str()));
        split[at].insert(own.to_string(), values);
    }
    split
}

#[cfg(test)]
mod tests {
    use super::super::write::{join_finder, split_finder};
    use super::*;
    use crate::model::named::Values;

    fn named(value: f32) -> Named {
        let shape = vec![2, 3];
        let values = vec![value, 0.5, -value, 0.25, 1.0, 7.0];
        Named::from([("linear.weight".to_string(), Values { shape, values })])
    }

    #[test]
    fn members_come_out_as_they_went_in_with_the_first_finder_there_is() {
        let alone =
            |network: Named, finder: Named| weights::encode(&join_finder(network, finder)).unwrap();
        let files = [
            alone(named(1.0), Named::new()),
            alone(named(2.0), named(20.0)),
            alone(named(3.0), named(30.0)),
        ];
        let joined = weights::decode("w", &join_members(&files).unwrap()).unwrap();
        let (networks, finder) = split_finder(joined);
        let expected = files
            .each_ref()
            .map(|file| split_finder(weights::decode("w", file).unwrap()));
        assert_eq!(
            split_members(networks, 3),
            expected.each_ref().map(|one| one.0.clone())
        );
        assert_eq!(finder, expected[1].1);
    }

    #[test]
    fn one_members_file_stays_as_it_is() {
        let file = weights::encode(&join_finder(named(1.0), named(2.0))).unwrap();
        assert_eq!(join_members(core::slice::from_ref(&file)).unwrap(), file);
    }

    #[test]
    fn a_member_too_many_stays_with_the_first() {
        let file = weights::encode(&named(1.0)).unwrap();
        let joined = join_members(&[file.clone(), file.clone(), file]).unwrap();
        let split = split_members(weights::decode("w", &joined).unwrap(), 2);
        assert_eq!(split.len(), 2);
        assert!(split[0].contains_key("member3.linear.weight"));
    }
}
