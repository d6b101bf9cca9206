//! The baseline: the crop's own pixels as a feature.

use super::embeddings::{Embeddings, truths};
use super::scores::{ScoreRow, nearest_photo_rows};
use crate::Result;
use crate::data::{Catalogue, Split};
use crate::train::samples::read_photo;
use crate::tune::{LabelledQueries, tune_new_similarity};
use flukeprint_core::photo::Preprocessing;
use rayon::prelude::*;

/// Width and height that crops are squashed to.
const SIZE: (u32, u32) = (64, 32);

/// The nearest-photo rows on the report half for raw pixels (gray, 64 x 32, mean subtracted,
/// cosine), q chosen on the tuning half.
///
/// # Errors
/// A photo that cannot be read any more, a split that cannot be tuned on.
pub fn raw_pixel_rows(catalogue: &Catalogue, split: &Split, margin: f32) -> Result<Vec<ScoreRow>> {
    let features = catalogue.photos.par_iter().map(|entry| {
        let (photo, region) = read_photo(entry)?;
        let preprocessing = Preprocessing {
            margin,
            ..Preprocessing::imagenet(32, 64)
        };
        let gray = preprocessing.gray(&photo, region)?.resize(SIZE.0, SIZE.1)?;
        Ok(centred(&gray.pixels))
    });
    let features = features.collect::<Result<Vec<_>>>()?.concat();
    let width = (SIZE.0 * SIZE.1) as usize;
    let embeddings = Embeddings {
        width,
        features,
        logits: Vec::new(),
    };
    let gallery = embeddings.gallery(catalogue, &split.train)?;
    let queries = |photos: &[usize]| {
        let features = embeddings.features_of(photos);
        LabelledQueries::in_gallery(&gallery, truths(catalogue, photos), Vec::new(), &features)
    };
    let q = tune_new_similarity(&queries(&split.tune)?)?;
    Ok(nearest_photo_rows(&queries(&split.report)?, q)?)
}

/// The pixels less their mean. A picture of one gray has no direction; it gets one that is as good
/// as any other.
fn centred(pixels: &[u8]) -> Vec<f32> {
    let mean = pixels.iter().map(|&pixel| f32::from(pixel)).sum::<f32>() / pixels.len() as f32;
    let mut values: Vec<f32> = pixels
        .iter()
        .map(|&pixel| f32::from(pixel) - mean)
        .collect();
    if values.iter().all(|value| value.abs() < 1e-3) {
        values[0] = 1.0;
    }
    values
}
