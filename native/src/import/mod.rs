//! Weights that others trained, under their own names.

mod gluon;

use crate::train::load_weights;
use crate::{Error, Result};
use flukeprint_core::model::backbone::{Backbone, BackboneName};
use flukeprint_core::model::named;
use std::path::Path;

/// `backbone` with the weights of the safetensors file at `path`.
///
/// Read today: MobileNetV2 1.0 with MXNet/GluonCV's names, as the ONNX model zoo has it.
///
/// # Errors
/// When the file cannot be read, or is not this backbone's: the first tensor that is missing, left
/// over or of another shape is named.
pub fn start_backbone(backbone: Backbone, name: BackboneName, path: &Path) -> Result<Backbone> {
    let weights = load_weights(path)?;
    let renamed = match name {
        BackboneName::MobileNetV2 => gluon::mobilenet_v2(weights),
        BackboneName::Compact => {
            let reason = "the compact backbone has no published weights; leave --start out".to_owned();
            return Err(Error::Weights { path: path.to_owned(), reason });
        }
    };
    Ok(named::write(backbone, renamed, &path.display().to_string())?)
}
