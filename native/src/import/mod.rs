//! Weights that others trained, under their own names.

mod gluon;

use crate::train::load_weights;
use crate::{Error, Result};
use flukeprint_core::model::backbone::Backbone;
use flukeprint_core::model::named;
use std::path::Path;

/// `backbone` with the weights of the safetensors file at `path`.
///
/// Read today: MobileNetV2 1.0 with MXNet/GluonCV's names, as the ONNX model zoo has it.
///
/// # Errors
/// When the file cannot be read, or is not this backbone's: the first tensor that is missing, left
/// over or of another shape is named.
pub fn start_backbone(backbone: Backbone, path: &Path) -> Result<Backbone> {
    let weights = load_weights(path)?;
    let file = path.display().to_string();
    match backbone {
        Backbone::MobileNetV2(net) => Ok(Backbone::MobileNetV2(named::write(
            net,
            gluon::mobilenet_v2(weights),
            &file,
        )?)),
        Backbone::Compact(_) => {
            let reason =
                "the compact backbone has no published weights; leave --start out".to_owned();
            Err(Error::Weights {
                path: path.to_owned(),
                reason,
            })
        }
    }
}
