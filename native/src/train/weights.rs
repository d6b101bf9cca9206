//! Weights on disk at full precision, as safetensors.

use crate::data::write_atomically;
use crate::{Error, Result};
use flukeprint_core::model::named::{Named, Values};
use half::f16;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use std::collections::HashMap;
use std::path::Path;

/// Writes `named` as 32-bit floats.
///
/// # Errors
/// When the file cannot be written.
pub fn save_weights(named: &Named, path: &Path) -> Result<()> {
    write(named, None, path)
}

/// As [`save_weights`], with facts beside the tensors.
pub(super) fn save_with_facts(named: &Named, facts: Facts, path: &Path) -> Result<()> {
    write(named, Some(facts), path)
}

/// What a file says beside its tensors.
type Facts = HashMap<String, String>;

/// As [`save_with_facts`], rounded to 16-bit floats: half the size, for weights that are trained on.
pub(super) fn save_half(named: &Named, facts: Facts, path: &Path) -> Result<()> {
    let half = |v: &f32| f16::from_f32(*v).to_le_bytes();
    let bytes = |values: &[f32]| values.iter().flat_map(half).collect();
    write_atomically(path, &file(named, Dtype::F16, bytes, Some(facts), path)?)
}

fn write(named: &Named, facts: Option<Facts>, path: &Path) -> Result<()> {
    write_atomically(path, &file(named, Dtype::F32, full, facts, path)?)
}

fn full(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// What [`save_weights`] writes; `path` is for messages.
pub(crate) fn weights_file(named: &Named, path: &Path) -> Result<Vec<u8>> {
    file(named, Dtype::F32, full, None, path)
}

fn file(
    named: &Named,
    kind: Dtype,
    bytes: impl Fn(&[f32]) -> Vec<u8>,
    facts: Option<Facts>,
    path: &Path,
) -> Result<Vec<u8>> {
    let bytes: Vec<(&String, &Values, Vec<u8>)> = named
        .iter()
        .map(|(name, values)| (name, values, bytes(&values.values)))
        .collect();
    let refuse = |error: &dyn std::fmt::Display| Error::Weights {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let views = bytes.iter().map(|(name, values, bytes)| {
        TensorView::new(kind, values.shape.clone(), bytes).map(|view| (name.as_str(), view))
    });
    let views = views
        .collect::<std::result::Result<Vec<_>, _>>()
        .map_err(|error| refuse(&error))?;
    safetensors::serialize(views, facts).map_err(|error| refuse(&error))
}

/// Reads a safetensors file of 32-bit or 16-bit floats.
///
/// # Errors
/// When the file is missing, is no safetensors file or holds other numbers.
pub fn load_weights(path: &Path) -> Result<Named> {
    Ok(load_with_facts(path)?.0)
}

/// As [`load_weights`], with the facts beside the tensors.
pub(super) fn load_with_facts(path: &Path) -> Result<(Named, Facts)> {
    if !path.exists() {
        return Err(Error::MissingFile {
            path: path.to_owned(),
            wanted: "it should hold a network's weights",
        });
    }
    let refuse = |reason: String| Error::Weights {
        path: path.to_owned(),
        reason,
    };
    let file = std::fs::read(path).map_err(|source| Error::Read {
        path: path.to_owned(),
        source,
    })?;
    let tensors = SafeTensors::deserialize(&file)
        .map_err(|error| refuse(format!("is no safetensors file ({error})")))?;
    let values = |view: &TensorView<'_>| match view.dtype() {
        Dtype::F32 => Some(
            view.data()
                .chunks_exact(4)
                .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
                .collect(),
        ),
        Dtype::F16 => Some(
            view.data()
                .chunks_exact(2)
                .map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32())
                .collect(),
        ),
        _ => None,
    };
    let named = tensors.iter().map(|(name, view)| {
        let values = values(&view).ok_or_else(|| {
            refuse(format!(
                "tensor `{name}` is {:?}, not F32 or F16",
                view.dtype()
            ))
        })?;
        Ok((
            name.to_owned(),
            Values {
                shape: view.shape().to_vec(),
                values,
            },
        ))
    });
    let named = named.collect::<Result<Named>>()?;
    let (_, metadata) = SafeTensors::read_metadata(&file)
        .map_err(|error| refuse(format!("is no safetensors file ({error})")))?;
    let facts = metadata.metadata().clone().unwrap_or_default();
    Ok((named, facts))
}
