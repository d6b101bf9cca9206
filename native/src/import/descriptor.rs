//! HardNet as its authors publish it.

use super::checkpoint;
use crate::train::weights_file;
use crate::{Error, Result};
use burn::tensor::Device;
use flukeprint_core::evidence::HardNet;
use flukeprint_core::model::named::Named;
use std::path::Path;

/// Reads a published HardNet (`HardNet++.pth`, `checkpoint_liberty_with_aug.pth`, or the same tensors as
/// safetensors): its tensors under their own names, with which [`HardNet::load`] takes them.
///
/// # Errors
/// When the file cannot be read; when a tensor is missing, unknown, of another shape or not finite: the
/// first such is named. A network that only resembles HardNet would describe patches all the same, and
/// wrongly.
pub fn hardnet(path: &Path) -> Result<Named> {
    let tensors = checkpoint::tensors(path)?;
    let known = HardNet::published_names();
    if let Some(name) = tensors.keys().find(|name| !known.contains(name)) {
        return Err(Error::Weights {
            path: path.to_owned(),
            reason: format!(
                "is no HardNet: it has a tensor `{name}`, and HardNet has none of that name"
            ),
        });
    }
    let file = path.display().to_string();
    HardNet::load(&file, &weights_file(&tensors, path)?, &Device::flex())?;
    Ok(tensors)
}
