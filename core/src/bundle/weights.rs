//! Networks as safetensors, 8 bits a weight.
//!
//! A tensor of two axes or more is stored as `NAME` (I8, same shape) and `NAME.scale` (F32, one
//! value an output channel): value = code · scale, codes in −127…127. Output channels are the first
//! axis of a convolution's `[output, input, height, width]` and the second of a linear layer's
//! `[input, output]`. Everything else (biases, norms) is stored as F32.

use alloc::borrow::Cow;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use half::f16;
use safetensors::tensor::{Dtype, SafeTensors, View};

use crate::model::named::{Named, Values};
use crate::{Error, Result};

const SCALE: &str = ".scale";
/// What the total classifier's tensors are called before their own name.
const CLASSIFIER: &str = "total.";

/// Bytes of a tensor on their way into a file or out of one.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
    pub(crate) bytes: Vec<u8>,
}

impl View for &Stored {
    fn dtype(&self) -> Dtype {
        self.dtype
    }
    fn shape(&self) -> &[usize] {
        &self.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.bytes)
    }
    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

impl Stored {
    pub(crate) fn f32(shape: Vec<usize>, values: &[f32]) -> Self {
        Self {
            dtype: Dtype::F32,
            shape,
            bytes: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        }
    }

    pub(crate) fn i8(shape: Vec<usize>, codes: &[i8]) -> Self {
        Self {
            dtype: Dtype::I8,
            shape,
            bytes: codes.iter().map(|&code| code as u8).collect(),
        }
    }
}

/// Writes `tensors` as a safetensors file, in the order of their names.
///
/// # Errors
/// [`Error::Bundle`] when the format cannot hold them.
pub(crate) fn serialize(file: &str, tensors: &BTreeMap<String, Stored>) -> Result<Vec<u8>> {
    let refuse = |error| Error::Bundle {
        file: file.to_string(),
        reason: format!("cannot be written ({error})"),
    };
    safetensors::serialize(
        tensors.iter().map(|(name, stored)| (name.as_str(), stored)),
        None,
    )
    .map_err(refuse)
}

/// The networks' tensors as the bytes of a weights file.
///
/// # Errors
/// [`Error::Tensor`] when a value is not finite.
pub fn encode(named: &Named) -> Result<Vec<u8>> {
    let mut stored = BTreeMap::new();
    for (name, values) in named {
        if values.values.iter().any(|value| !value.is_finite()) {
            let reason =
                "has values that are not finite; train again with a lower rate".to_string();
            return Err(Error::Tensor {
                file: "the network".to_string(),
                name: name.clone(),
                reason,
            });
        }
        match output_axis(&values.shape) {
            None => drop(stored.insert(
                name.clone(),
                Stored::f32(values.shape.clone(), &values.values),
            )),
            Some(axis) => {
                let (codes, scales) = quantize(values, axis);
                stored.insert(
                    format!("{name}{SCALE}"),
                    Stored::f32(vec![scales.len()], &scales),
                );
                stored.insert(name.clone(), Stored::i8(values.shape.clone(), &codes));
            }
        }
    }
    serialize("the weights", &stored)
}

/// The tensors of a weights file, expanded to f32. 16-bit floats are read too.
///
/// # Errors
/// [`Error::Bundle`] when `bytes` are no safetensors file, [`Error::Tensor`] when a tensor has no
/// scale, another type or a value that is not finite.
pub fn decode(file: &str, bytes: &[u8]) -> Result<Named> {
    decode_some(file, bytes, |_| true)
}

/// As [`decode`], of the tensors whose names are `wanted`; the others may be of any type.
pub(crate) fn decode_some(
    file: &str,
    bytes: &[u8],
    wanted: impl Fn(&str) -> bool,
) -> Result<Named> {
    let tensors = open(file, bytes)?;
    let names = tensors.names().into_iter();
    names
        .filter(|name| !name.ends_with(SCALE) && wanted(name))
        .map(|name| Ok((name.to_string(), expand(file, &tensors, name)?)))
        .collect()
}

/// A weights file without the classifiers, for a decision that does not ask them.
///
/// # Errors
/// [`Error::Bundle`] when `bytes` are no safetensors file.
pub fn without_classifiers(file: &str, bytes: &[u8]) -> Result<Vec<u8>> {
    let mut tensors = stored(file, bytes)?;
    // Those of an ensemble's other members have its number before their name.
    let own = |name: &str| {
        let numbered = name
            .strip_prefix("member")
            .and_then(|name| name.split_once('.'));
        numbered.map_or(name, |(_, own)| own).to_string()
    };
    tensors.retain(|name, _| !own(name).starts_with(CLASSIFIER));
    serialize(file, &tensors)
}

/// The tensors of a safetensors file as they are stored.
///
/// # Errors
/// [`Error::Bundle`] when `bytes` are no safetensors file.
pub(super) fn stored(file: &str, bytes: &[u8]) -> Result<BTreeMap<String, Stored>> {
    let tensors = open(file, bytes)?;
    let stored = tensors.iter().map(|(name, view)| {
        let stored = Stored {
            dtype: view.dtype(),
            shape: view.shape().to_vec(),
            bytes: view.data().to_vec(),
        };
        (name.to_string(), stored)
    });
    Ok(stored.collect())
}

/// The names of a safetensors file's tensors.
///
/// # Errors
/// [`Error::Bundle`] when `bytes` are no safetensors file.
pub(crate) fn names(file: &str, bytes: &[u8]) -> Result<Vec<String>> {
    let tensors = open(file, bytes)?;
    Ok(tensors
        .names()
        .into_iter()
        .map(ToString::to_string)
        .collect())
}

fn open<'a>(file: &str, bytes: &'a [u8]) -> Result<SafeTensors<'a>> {
    SafeTensors::deserialize(bytes).map_err(|error| Error::Bundle {
        file: file.to_string(),
        reason: format!("is no safetensors file ({error:?})"),
    })
}

/// The values of tensor `name`.
fn expand(file: &str, tensors: &SafeTensors<'_>, name: &str) -> Result<Values> {
    let refuse = |reason: &str| Error::Tensor {
        file: file.to_string(),
        name: name.to_string(),
        reason: reason.to_string(),
    };
    let view = tensors.tensor(name).map_err(|_| refuse("is missing"))?;
    let shape = view.shape().to_vec();
    let values = match view.dtype() {
        Dtype::F32 => floats(view.data()),
        Dtype::F16 => {
            let halves = view.data().chunks_exact(2);
            halves
                .map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32())
                .collect()
        }
        Dtype::I8 => {
            let scales = tensors
                .tensor(&format!("{name}{SCALE}"))
                .map_err(|_| refuse("has no scale"))?;
            let axis = output_axis(&shape).ok_or_else(|| refuse("has too few axes for 8 bits"))?;
            let scales = floats(scales.data());
            if scales.len() != shape[axis] {
                return Err(refuse("has not one scale an output channel"));
            }
            let channel = channel_of(&shape, axis);
            let codes = view.data().iter().enumerate();
            codes
                .map(|(i, &code)| f32::from(code as i8) * scales[channel(i)])
                .collect()
        }
        _ => return Err(refuse("is neither F32, F16 nor I8")),
    };
    if values.iter().any(|value: &f32| !value.is_finite()) {
        return Err(refuse("has values that are not finite"));
    }
    Ok(Values { shape, values })
}

/// Little-endian bytes to floats.
pub(crate) fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect()
}

/// The axis of the output channels, for tensors that are stored in 8 bits.
fn output_axis(shape: &[usize]) -> Option<usize> {
    match shape.len() {
        0 | 1 => None,
        2 => Some(1),
        _ => Some(0),
    }
}

/// Row-major position to position along `axis`.
fn channel_of(shape: &[usize], axis: usize) -> impl Fn(usize) -> usize + use<> {
    let inner: usize = shape[axis + 1..].iter().product();
    let length = shape[axis];
    move |i| i / inner % length
}

/// Codes, and one scale an output channel: the largest magnitude over 127.
fn quantize(values: &Values, axis: usize) -> (Vec<i8>, Vec<f32>) {
    let channel = channel_of(&values.shape, axis);
    let mut scales = vec![0.0f32; values.shape[axis]];
    for (i, value) in values.values.iter().enumerate() {
        let scale = &mut scales[channel(i)];
        *scale = scale.max(value.abs() / 127.0);
    }
    let code = |(i, value): (usize, &f32)| match scales[channel(i)] {
        0.0 => 0,
        scale => libm::rintf(value / scale) as i8,
    };
    let codes = values.values.iter().enumerate().map(code).collect();
    (codes, scales)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn named(shape: &[usize], values: Vec<f32>) -> Named {
        Named::from([(
            "layer.weight".to_string(),
            Values {
                shape: shape.to_vec(),
                values,
            },
        )])
    }

    proptest! {
        #[test]
        fn a_weight_is_at_most_half_a_step_off(values in proptest::collection::vec(-9f32..9.0, 24)) {
            for shape in [&[4, 6][..], &[2, 3, 2, 2]] {
                let before = named(shape, values.clone());
                let after = decode("w", &encode(&before).unwrap()).unwrap();
                let channel = channel_of(shape, output_axis(shape).unwrap());
                for (i, (a, b)) in values.iter().zip(&after["layer.weight"].values).enumerate() {
                    let largest = values.iter().enumerate().filter(|(j, _)| channel(*j) == channel(i));
                    let step = largest.fold(0f32, |m, (_, v)| m.max(v.abs())) / 127.0;
                    prop_assert!((a - b).abs() <= 0.5001 * step, "{a} {b} {step}");
                }
            }
        }
    }

    #[test]
    fn biases_are_stored_exactly() {
        let before = named(&[3], vec![0.1, -2.5e-7, 1e9]);
        assert_eq!(decode("w", &encode(&before).unwrap()).unwrap(), before);
    }

    #[test]
    fn what_is_not_finite_is_refused() {
        assert!(encode(&named(&[2], vec![f32::NAN, 0.0])).is_err());
    }

    #[test]
    fn rubbish_is_refused() {
        assert!(decode("w", b"not a safetensors file").is_err());
        assert!(decode("w", &[0xFF; 64]).is_err());
    }
}
