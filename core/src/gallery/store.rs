//! How the features lie in memory: `f32`, or 8-bit codes at a quarter of the size.

use alloc::vec::Vec;

use super::{FeatureError, GalleryError};

/// Lengths below this count as zero, as in `torch.nn.functional.normalize`.
const SHORTEST: f64 = 1e-12;
/// How far from 1 the length of a stored row may be.
const UNIT_TOLERANCE: f64 = 1e-3;
/// The largest 8-bit code; -128 is not used, so that codes are symmetric.
const LARGEST_CODE: f32 = 127.0;

/// Unit-length features, `[rows, dimension]`, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureStore {
    dimension: usize,
    values: Values,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Values {
    Float(Vec<f32>),
    /// Row `r` is `scales[r] * codes[r]`. The scale is chosen so that this has length one, so that
    /// a row loses direction to rounding but no length.
    Codes {
        codes: Vec<i8>,
        scales: Vec<f32>,
    },
}

impl FeatureStore {
    /// An empty store of `f32` features. `dimension` is at least 1.
    pub fn empty(dimension: usize) -> Result<Self, GalleryError> {
        Self::from_features(dimension, &[])
    }

    /// Takes features of any length, `[rows, dimension]`, and brings each to length one.
    pub fn from_features(dimension: usize, features: &[f32]) -> Result<Self, GalleryError> {
        check_shape(dimension, features.len())?;
        let mut unit = Vec::with_capacity(features.len());
        for (row, feature) in features.chunks_exact(dimension).enumerate() {
            let feature = normalized(feature, dimension)
                .map_err(|problem| GalleryError::Row { row, problem })?;
            unit.extend_from_slice(&feature);
        }
        Ok(Self {
            dimension,
            values: Values::Float(unit),
        })
    }

    /// Takes features that are stored as unit length, `[rows, dimension]`, and keeps them bit for
    /// bit. A row whose length is not 1 within 1e-3 is refused.
    pub fn from_unit_features(dimension: usize, features: Vec<f32>) -> Result<Self, GalleryError> {
        check_shape(dimension, features.len())?;
        for (row, feature) in features.chunks_exact(dimension).enumerate() {
            finite_length(feature)
                .and_then(check_unit)
                .map_err(|problem| GalleryError::Row { row, problem })?;
        }
        Ok(Self {
            dimension,
            values: Values::Float(features),
        })
    }

    /// Takes stored 8-bit codes, `[rows, dimension]`, and their scales, `[rows]`, bit for bit.
    /// A row whose length `scale * |codes|` is not 1 within 1e-3 is refused.
    pub fn from_codes(
        dimension: usize,
        codes: Vec<i8>,
        scales: Vec<f32>,
    ) -> Result<Self, GalleryError> {
        check_shape(dimension, codes.len())?;
        let rows = codes.len() / dimension;
        if scales.len() != rows {
            return Err(GalleryError::RowCount {
                features: rows,
                described: scales.len(),
                what: "scales",
            });
        }
        for (row, (codes, &scale)) in codes.chunks_exact(dimension).zip(&scales).enumerate() {
            check_codes(codes, scale).map_err(|problem| GalleryError::Row { row, problem })?;
        }
        Ok(Self {
            dimension,
            values: Values::Codes { codes, scales },
        })
    }

    /// The same features as 8-bit codes, a quarter of the size. Already coded rows stay as they
    /// are.
    pub fn to_codes(&self) -> Self {
        let Values::Float(features) = &self.values else {
            return self.clone();
        };
        let mut codes = Vec::with_capacity(features.len());
        let mut scales = Vec::with_capacity(self.rows());
        for feature in features.chunks_exact(self.dimension) {
            scales.push(encode(feature, &mut codes));
        }
        Self {
            dimension: self.dimension,
            values: Values::Codes { codes, scales },
        }
    }

    /// Adds one feature of any length, brought to length one, as the last row.
    pub(super) fn push(&mut self, feature: &[f32]) -> Result<(), FeatureError> {
        let feature = normalized(feature, self.dimension)?;
        match &mut self.values {
            Values::Float(features) => features.extend_from_slice(&feature),
            Values::Codes { codes, scales } => scales.push(encode(&feature, codes)),
        }
        Ok(())
    }

    /// Values in a feature.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Number of features.
    pub fn rows(&self) -> usize {
        match &self.values {
            Values::Float(features) => features.len() / self.dimension,
            Values::Codes { scales, .. } => scales.len(),
        }
    }

    /// The features `[rows, dimension]`, if they are kept as `f32`.
    pub fn features(&self) -> Option<&[f32]> {
        match &self.values {
            Values::Float(features) => Some(features),
            Values::Codes { .. } => None,
        }
    }

    /// The codes `[rows, dimension]` and the scales `[rows]`, if the features are kept so.
    pub fn codes(&self) -> Option<(&[i8], &[f32])> {
        match &self.values {
            Values::Float(_) => None,
            Values::Codes { codes, scales } => Some((codes, scales)),
        }
    }

    /// The feature at `row`, where features are kept as `f32`.
    pub(super) fn float_row(&self, row: usize) -> Option<&[f32]> {
        let values = row * self.dimension..(row + 1) * self.dimension;
        self.features()?.get(values)
    }

    /// The codes at `row` and their scale, where features are kept so.
    pub(super) fn code_row(&self, row: usize) -> Option<(&[i8], f32)> {
        let (codes, scales) = self.codes()?;
        let values = row * self.dimension..(row + 1) * self.dimension;
        Some((codes.get(values)?, *scales.get(row)?))
    }

    /// Adds the feature at `row` to `sum`, `[dimension]`. A row that does not exist adds nothing.
    pub(super) fn add_to(&self, row: usize, sum: &mut [f64]) {
        let values = row * self.dimension..(row + 1) * self.dimension;
        match &self.values {
            Values::Float(features) => {
                let feature = features.get(values).into_iter().flatten();
                sum.iter_mut()
                    .zip(feature)
                    .for_each(|(sum, &value)| *sum += f64::from(value));
            }
            Values::Codes { codes, scales } => {
                let scale = scales.get(row).copied().map_or(0.0, f64::from);
                let feature = codes.get(values).into_iter().flatten();
                sum.iter_mut()
                    .zip(feature)
                    .for_each(|(sum, &code)| *sum += scale * f64::from(code));
            }
        }
    }

    pub(super) fn values(&self) -> &Values {
        &self.values
    }
}

/// The feature divided by its length; `dimension` is the length its slice must have.
pub fn normalized(feature: &[f32], dimension: usize) -> Result<Vec<f32>, FeatureError> {
    if feature.len() != dimension {
        return Err(FeatureError::Dimension {
            expected: dimension,
            found: feature.len(),
        });
    }
    let length = finite_length(feature)?;
    if length < SHORTEST {
        return Err(FeatureError::ZeroLength);
    }
    Ok(feature
        .iter()
        .map(|&value| (f64::from(value) / length) as f32)
        .collect())
}

fn check_shape(dimension: usize, values: usize) -> Result<(), GalleryError> {
    if dimension == 0 {
        return Err(GalleryError::NoDimension);
    }
    if !values.is_multiple_of(dimension) {
        return Err(GalleryError::Shape { values, dimension });
    }
    Ok(())
}

/// The Euclidean length, in f64 so that neither tiny nor huge values are lost.
fn finite_length(feature: &[f32]) -> Result<f64, FeatureError> {
    let mut squares = 0.0_f64;
    for (position, &value) in feature.iter().enumerate() {
        if !value.is_finite() {
            return Err(FeatureError::NotFinite { position, value });
        }
        squares += f64::from(value) * f64::from(value);
    }
    Ok(libm::sqrt(squares))
}

fn check_unit(length: f64) -> Result<(), FeatureError> {
    if libm::fabs(length - 1.0) > UNIT_TOLERANCE {
        return Err(FeatureError::NotUnit { length });
    }
    Ok(())
}

fn check_codes(codes: &[i8], scale: f32) -> Result<(), FeatureError> {
    if !(scale.is_finite() && scale > 0.0) {
        return Err(FeatureError::Scale { scale });
    }
    check_unit(f64::from(scale) * codes_length(codes))
}

fn codes_length(codes: &[i8]) -> f64 {
    let squares: i64 = codes
        .iter()
        .map(|&code| i64::from(code) * i64::from(code))
        .sum();
    libm::sqrt(squares as f64)
}

/// Appends a unit feature's 8-bit codes and returns the scale that gives them length one.
fn encode(feature: &[f32], codes: &mut Vec<i8>) -> f32 {
    let largest = feature
        .iter()
        .fold(0.0_f32, |most, &value| most.max(libm::fabsf(value)));
    let start = codes.len();
    codes.extend(
        feature
            .iter()
            .map(|&value| libm::roundf(value / largest * LARGEST_CODE) as i8),
    );
    (1.0 / codes_length(&codes[start..])) as f32
}
