//! A bundle against labelled photos that it has not seen.

use super::embeddings::truths;
use super::scores::{ScoreRow, score_rows};
use crate::data::{Catalogue, PhotoEntry};
use crate::progress::Progress;
use crate::train::samples::read_photo;
use crate::tune::LabelledQueries;
use crate::{Error, Result};
use flukeprint_core::identify::{Embedding, Identifier};
use serde::Serialize;
use std::time::Instant;

/// What a bundle is worth on labelled photos.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BundleReport {
    /// Photos measured on.
    pub photos: usize,
    /// Those of them that show whales of the gallery.
    pub known_photos: usize,
    /// Each part of the decision, alone and together.
    pub rows: Vec<ScoreRow>,
    /// Seconds a photo, from its bytes to its answer.
    pub seconds_per_photo: f64,
}

/// Names every photo of `catalogue`, read with the bundle's individuals as the known ones, and
/// scores the answers. A photo without a box is searched by the finder.
///
/// # Errors
/// A photo that cannot be read or answered.
pub fn evaluate_bundle(
    identifier: &Identifier,
    catalogue: &Catalogue,
    progress: &dyn Progress,
) -> Result<BundleReport> {
    let begun = Instant::now();
    let (mut features, mut logits) = (Vec::new(), Vec::new());
    progress.begin("naming photos", catalogue.photos.len());
    for (done, entry) in catalogue.photos.iter().enumerate() {
        let embedding = embed(identifier, entry)?;
        features.extend(embedding.feature);
        logits.extend(embedding.logits);
        progress.advance(done + 1);
    }
    let all: Vec<usize> = (0..catalogue.photos.len()).collect();
    let queries = LabelledQueries::in_gallery(
        identifier.gallery(),
        truths(catalogue, &all),
        logits,
        &features,
    )?;
    let rows = score_rows(&queries, &identifier.manifest().decision)?;
    Ok(BundleReport {
        photos: queries.len(),
        known_photos: queries.known(),
        rows,
        seconds_per_photo: begun.elapsed().as_secs_f64() / queries.len() as f64,
    })
}

fn embed(identifier: &Identifier, entry: &PhotoEntry) -> Result<Embedding> {
    let (photo, _) = read_photo(entry)?;
    let named = |error: flukeprint_core::Error| Error::Photo {
        path: entry.path.clone(),
        reason: error.to_string(),
    };
    let embedded = identifier.embed_photo(&photo, entry.region, |_| ());
    let (_, _, embedding) = pollster::block_on(embedded).map_err(named)?;
    Ok(embedding)
}
