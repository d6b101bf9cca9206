//! A published checkpoint's tensors, whatever it was saved with.

use crate::train::load_weights;
use crate::{Error, Result};
use flukeprint_core::model::named::{Named, Values};
use half::{bf16, f16};
use pytorch_reader::{DType, PytorchReader, Tensor};
use std::path::Path;

/// Ends of the names of files that PyTorch wrote.
const PICKLES: [&str; 5] = ["pth", "pt", "bin", "ckpt", "tar"];
/// Keys that training scripts put the weights under.
const NESTS: [&str; 3] = ["state_dict.", "model_state_dict.", "model."];
/// What wrappers put in front of every name.
const WRAPPERS: [&str; 4] = ["module.", "model.", "backbone.", "encoder."];
/// Beginnings of what belongs to a classifier.
const CLASSIFIERS: [&str; 6] = [
    "fc.",
    "classifier.",
    "last_linear.",
    "head.",
    "pre_logits.",
    "mobilenetv20_output_",
];

/// The tensors of a trunk under the checkpoint's own names, wrappers and older spellings undone, the
/// classifier and counters left out.
///
/// # Errors
/// As [`tensors`].
pub(super) fn trunk(path: &Path) -> Result<Named> {
    let trunk = tensors(path)?.into_iter().map(|(name, values)| {
        let name = ["norm", "conv"].into_iter().fold(name, |name, layer| {
            // DenseNet's older names: `denselayer3.norm.1.weight`.
            name.replace(&format!(".{layer}.1."), &format!(".{layer}1."))
                .replace(&format!(".{layer}.2."), &format!(".{layer}2."))
        });
        (name, values)
    });
    Ok(trunk
        .filter(|(name, _)| !CLASSIFIERS.iter().any(|start| name.starts_with(start)))
        .collect())
}

/// The tensors under the checkpoint's own names, wrappers undone, counters left out.
///
/// A `.pth` is read as data: no code that it may hold runs.
///
/// # Errors
/// When the file is missing, cut short or no checkpoint.
pub(super) fn tensors(path: &Path) -> Result<Named> {
    let is_pickle = path.extension().is_some_and(|end| {
        PICKLES
            .iter()
            .any(|pickle| end.eq_ignore_ascii_case(pickle))
    });
    let tensors = match is_pickle {
        true => load_pickle(path)?,
        false => load_weights(path)?,
    };
    let mut tensors = unwrap(unnest(tensors));
    tensors.retain(|name, _| !name.ends_with("num_batches_tracked"));
    Ok(tensors)
}

/// What stands under a key for the weights, where there is one.
fn unnest(tensors: Named) -> Named {
    let nest = NESTS
        .iter()
        .find(|nest| tensors.keys().any(|name| name.starts_with(*nest)));
    let Some(nest) = nest else {
        return tensors;
    };
    let inner =
        |(name, values): (String, Values)| Some((name.strip_prefix(nest)?.to_owned(), values));
    tensors.into_iter().filter_map(inner).collect()
}

/// Without the wrappers' prefixes that every name has.
fn unwrap(mut tensors: Named) -> Named {
    let common = |tensors: &Named| {
        WRAPPERS
            .iter()
            .find(|wrapper| !tensors.is_empty() && tensors.keys().all(|n| n.starts_with(*wrapper)))
            .copied()
    };
    while let Some(wrapper) = common(&tensors) {
        tensors = tensors
            .into_iter()
            .map(|(name, values)| (name[wrapper.len()..].to_owned(), values))
            .collect();
    }
    tensors
}

fn load_pickle(path: &Path) -> Result<Named> {
    if !path.exists() {
        return Err(Error::MissingFile {
            path: path.to_owned(),
            wanted: "it should be a checkpoint, .pth or .safetensors",
        });
    }
    let refuse = |reason: String| Error::Weights {
        path: path.to_owned(),
        reason,
    };
    let reader = PytorchReader::new(path).map_err(|error| {
        let error = error.to_string().replace('\n', " ");
        refuse(format!(
            "is no PyTorch checkpoint that can be read ({error})"
        ))
    })?;
    let tensors = reader.into_tensors().into_iter();
    let floats = tensors.filter(|(_, tensor)| {
        let dtype = tensor.dtype();
        matches!(dtype, DType::F64 | DType::F32 | DType::F16 | DType::BF16)
    });
    floats
        .map(|(name, tensor)| {
            let values = values(&tensor)
                .map_err(|error| refuse(format!("tensor `{name}` cannot be read ({error})")))?;
            let shape = tensor.shape().to_vec();
            Ok((name, Values { shape, values }))
        })
        .collect()
}

fn values(tensor: &Tensor) -> std::io::Result<Vec<f32>> {
    let bytes = tensor.read()?;
    let values = bytes.chunks_exact(tensor.dtype().size());
    Ok(match tensor.dtype() {
        DType::F64 => values
            .filter_map(|b| b.try_into().ok())
            .map(|b| f64::from_le_bytes(b) as f32)
            .collect(),
        DType::F16 => values
            .map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32())
            .collect(),
        DType::BF16 => values
            .map(|b| bf16::from_le_bytes([b[0], b[1]]).to_f32())
            .collect(),
        _ => values
            .filter_map(|b| b.try_into().ok())
            .map(f32::from_le_bytes)
            .collect(),
    })
}
