//! What of a bundle changes when it grows.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use safetensors::tensor::Dtype;
use serde::{Deserialize, Serialize};

use super::super::load::refuse;
use super::super::manifest::{GalleryPhoto, Individuals, Manifest, MergedColumn};
use super::super::members::prefix;
use super::super::weights::{self, Stored, floats, stored};
use super::read_individuals;
use crate::Result;

const WEIGHT: &str = "total.weight";
const SCALE: &str = "total.weight.scale";
const BIAS: &str = "total.bias";

/// Names, gallery rows and the classifiers' columns, all as they are stored.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Content {
    pub(super) names: Vec<String>,
    pub(super) rows: Vec<Row>,
    /// Values in a feature.
    pub(super) dimension: usize,
    pub(super) columns: Vec<Column>,
    /// Values in each member's feature.
    pub(super) widths: Vec<usize>,
}

/// A gallery photo with its feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Row {
    pub(super) photo: GalleryPhoto,
    pub(super) feature: Coded,
}

/// 8-bit codes and what they are multiplied by; in JSON the scale's bytes and the codes, hexadecimal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(super) struct Coded {
    pub(super) scale: f32,
    pub(super) codes: Vec<i8>,
}

/// What the classifiers hold of one class: a weight vector and a bias a member.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Column {
    /// Whose it is; those of one individual may be several.
    pub(super) individual: u32,
    /// Whether it was made of gallery photos; otherwise it was trained.
    pub(super) imprinted: bool,
    pub(super) parts: Vec<Part>,
}

/// A member's weight vector and bias; in JSON the bias as its bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "(Coded, u32)", from = "(Coded, u32)")]
pub(super) struct Part {
    pub(super) weight: Coded,
    pub(super) bias: f32,
}

impl Content {
    /// Takes the classifiers' tensors out of `tensors`, and the rest from the files.
    pub(super) fn read(
        manifest: &Manifest,
        tensors: &mut BTreeMap<String, Stored>,
        index: &[u8],
        individuals: &[u8],
    ) -> Result<Self> {
        let files = &manifest.files;
        let individuals = read_individuals(&files.individuals.path, individuals)?;
        let members = manifest.members();
        let widths: Vec<usize> = members
            .iter()
            .map(|member| member.embedder.feature_width())
            .collect();
        let mut parts = Vec::new();
        for (number, &width) in (1..).zip(&widths) {
            let file = &files.weights.path;
            parts.push(take_classifier(file, &prefix(number), width, tensors)?);
        }
        let columns = columns(parts, &individuals)
            .ok_or_else(|| refuse(&files.individuals.path, "does not fit the classifier"))?;
        let dimension = manifest.feature_width();
        let mut index = stored(&files.index.path, index)?;
        let (codes, scales) = (index.remove("codes"), index.remove("scales"));
        let (Some(codes), Some(scales)) = (codes, scales) else {
            return Err(refuse(&files.index.path, "has not the two tensors"));
        };
        let features = codes
            .bytes
            .chunks_exact(dimension)
            .zip(floats(&scales.bytes));
        let rows = individuals.photos.into_iter().zip(features);
        let rows = rows.map(|(photo, (codes, scale))| Row {
            photo,
            feature: Coded {
                scale,
                codes: signed(codes),
            },
        });
        Ok(Self {
            names: individuals.names,
            rows: rows.collect(),
            dimension,
            columns,
            widths,
        })
    }

    /// How many individuals the classifier answers for.
    pub(super) fn classified(&self) -> usize {
        let last = self.columns.iter().map(|column| column.individual).max();
        last.map_or(0, |last| last as usize + 1)
    }

    /// The places of an individual's columns.
    pub(super) fn columns_of(&self, individual: u32) -> Vec<usize> {
        let places = self.columns.iter().zip(0..);
        let own = places.filter(|(column, _)| column.individual == individual);
        own.map(|(_, at)| at).collect()
    }

    /// The rows of an individual, or of new whales.
    pub(super) fn rows_of(&self, individual: Option<u32>) -> Vec<usize> {
        let places = self.rows.iter().zip(0..);
        let own = places.filter(|(row, _)| row.photo.individual == individual);
        own.map(|(_, at)| at).collect()
    }

    /// The individuals' file.
    pub(super) fn individuals(&self) -> Individuals {
        let (mut merged, mut next) = (Vec::new(), 0);
        for (column, at) in self.columns.iter().zip(0..) {
            match column.individual == next {
                true => next += 1,
                false => merged.push(MergedColumn {
                    column: at,
                    individual: column.individual,
                }),
            }
        }
        let columns = self.columns.iter().zip(0..);
        let imprinted = columns.filter(|(column, _)| column.imprinted);
        Individuals {
            names: self.names.clone(),
            photos: self.rows.iter().map(|row| row.photo.clone()).collect(),
            merged,
            imprinted: imprinted.map(|(_, at)| at).collect(),
        }
    }

    /// The index file.
    pub(super) fn index(&self) -> Result<Vec<u8>> {
        let codes: Vec<i8> = self
            .rows
            .iter()
            .flat_map(|row| &row.feature.codes)
            .copied()
            .collect();
        let scales: Vec<f32> = self.rows.iter().map(|row| row.feature.scale).collect();
        let tensors = BTreeMap::from([
            (
                "codes".to_string(),
                Stored::i8(vec![scales.len(), self.dimension], &codes),
            ),
            (
                "scales".to_string(),
                Stored::f32(vec![scales.len()], &scales),
            ),
        ]);
        weights::serialize("the index", &tensors)
    }

    /// Puts the classifiers' tensors among the others, if there are any.
    pub(super) fn write_columns(&self, tensors: &mut BTreeMap<String, Stored>) {
        let columns = self.columns.len();
        if columns == 0 {
            return;
        }
        for (member, &width) in self.widths.iter().enumerate() {
            let parts = || self.columns.iter().map(|column| &column.parts[member]);
            let mut codes = vec![0; width * columns];
            for (at, part) in parts().enumerate() {
                for (value, &code) in part.weight.codes.iter().enumerate() {
                    codes[value * columns + at] = code;
                }
            }
            let scales: Vec<f32> = parts().map(|part| part.weight.scale).collect();
            let biases: Vec<f32> = parts().map(|part| part.bias).collect();
            let before = prefix(member + 1);
            let mut insert = |name: &str, stored| tensors.insert(format!("{before}{name}"), stored);
            insert(WEIGHT, Stored::i8(vec![width, columns], &codes));
            insert(SCALE, Stored::f32(vec![columns], &scales));
            insert(BIAS, Stored::f32(vec![columns], &biases));
        }
    }
}

/// A member's classifier, column by column; no column where it has none.
fn take_classifier(
    file: &str,
    before: &str,
    width: usize,
    tensors: &mut BTreeMap<String, Stored>,
) -> Result<Vec<Part>> {
    let has = |name: &&str| tensors.contains_key(&format!("{before}{name}"));
    if ![WEIGHT, SCALE, BIAS].iter().any(has) {
        return Ok(Vec::new());
    }
    let mut take = |name: &str, dtype: Dtype| {
        let name = format!("{before}{name}");
        let found = tensors.remove(&name);
        found
            .filter(|found| found.dtype == dtype)
            .ok_or_else(|| refuse(file, &format!("has no tensor `{name}` as {dtype:?}")))
    };
    let weight = take(WEIGHT, Dtype::I8)?;
    let scales = floats(&take(SCALE, Dtype::F32)?.bytes);
    let biases = floats(&take(BIAS, Dtype::F32)?.bytes);
    let columns = scales.len();
    if weight.shape != [width, columns] || biases.len() != columns {
        return Err(refuse(
            file,
            "has a classifier of another shape than the model",
        ));
    }
    let codes = signed(&weight.bytes);
    let column = |at: usize| codes.iter().skip(at).step_by(columns).copied().collect();
    let parts = scales.iter().zip(biases).enumerate();
    let parts = parts.map(|(at, (&scale, bias))| Part {
        weight: Coded {
            scale,
            codes: column(at),
        },
        bias,
    });
    Ok(parts.collect())
}

/// The members' parts side by side, with whose each column is. `None` where they do not fit.
fn columns(members: Vec<Vec<Part>>, individuals: &Individuals) -> Option<Vec<Column>> {
    let count = members.first()?.len();
    if members.iter().any(|parts| parts.len() != count) {
        return None;
    }
    let owners = individuals.owners(count)?;
    let mut columns: Vec<Column> = owners
        .into_iter()
        .map(|individual| Column {
            individual,
            imprinted: false,
            parts: Vec::new(),
        })
        .collect();
    for parts in members {
        for (column, part) in columns.iter_mut().zip(parts) {
            column.parts.push(part);
        }
    }
    for &at in &individuals.imprinted {
        columns.get_mut(at as usize)?.imprinted = true;
    }
    Some(columns)
}

fn signed(bytes: &[u8]) -> Vec<i8> {
    bytes.iter().map(|&byte| byte as i8).collect()
}

impl Coded {
    /// The numbers that the codes stand for.
    pub(super) fn values(&self) -> impl Iterator<Item = f32> {
        self.codes.iter().map(|&code| f32::from(code) * self.scale)
    }
}

impl From<Coded> for String {
    fn from(coded: Coded) -> Self {
        let codes = coded.codes.iter().map(|&code| code as u8);
        let bytes = coded.scale.to_le_bytes().into_iter().chain(codes);
        bytes.map(|byte| format!("{byte:02x}")).collect()
    }
}

impl TryFrom<String> for Coded {
    type Error = &'static str;

    fn try_from(hex: String) -> core::result::Result<Self, &'static str> {
        let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let byte = |[high, low]: &[u8; 2]| Some((digit(*high)? * 16 + digit(*low)?) as u8);
        let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
        match bytes.as_deref().map(<[u8]>::split_first_chunk::<4>) {
            Some(Some((scale, codes))) if rest.is_empty() => Ok(Self {
                scale: f32::from_le_bytes(*scale),
                codes: signed(codes),
            }),
            _ => Err("a row of codes is not hexadecimal"),
        }
    }
}

impl From<Part> for (Coded, u32) {
    fn from(part: Part) -> Self {
        (part.weight, part.bias.to_bits())
    }
}

impl From<(Coded, u32)> for Part {
    fn from((weight, bits): (Coded, u32)) -> Self {
        Self {
            weight,
            bias: f32::from_bits(bits),
        }
    }
}
