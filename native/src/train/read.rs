//! From the device that trains to this side of it.

use crate::Result;
use burn::tensor::Tensor;

/// The values of a tensor, row by row.
pub(super) fn values<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let refuse = |reason: String| flukeprint_core::Error::Device {
        device: "the device that trains".to_owned(),
        reason,
    };
    let data = tensor
        .try_into_data()
        .map_err(|error| refuse(format!("{error:?}")))?;
    let values = data
        .try_into_vec()
        .map_err(|error| refuse(format!("{error:?}")))?;
    Ok(values)
}
