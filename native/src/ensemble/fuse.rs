//! What several runs say of every photo, as one.

use super::Fuse;
use crate::Result;
use crate::data::Split;
use crate::evaluate::Embeddings;
use flukeprint_core::identify::Embedding;
use rayon::prelude::*;
use std::borrow::Cow;

/// The members' embeddings of the same photos, fused photo by photo as a bundle fuses them. One
/// member's stay as they are.
pub(super) fn fused<'a>(
    members: &[&'a Embeddings],
    fuse: Fuse,
    split: &Split,
) -> Result<Cow<'a, Embeddings>> {
    let (first, several) = match members {
        [] => return Err(crate::tune::TuneError::NoQueries.into()),
        [only] => return Ok(Cow::Borrowed(only)),
        [first, ..] => (first, members),
    };
    let photos = first.features.len() / first.width;
    let mut row_of = vec![None; photos];
    let held_out = || split.tune.iter().chain(&split.report);
    for (row, &photo) in held_out().enumerate() {
        row_of[photo] = Some(row);
    }
    let rows = held_out().count().max(1);
    // Photos that are not held out have no logits.
    let said = |member: &Embeddings, photo: usize| {
        let width = member.logits.len() / rows;
        let logits = row_of[photo].map(|row| &member.logits[row * width..(row + 1) * width]);
        Embedding {
            feature: member.feature(photo).to_vec(),
            logits: logits.unwrap_or_default().to_vec(),
            edges: Vec::new(),
        }
    };
    let together = |photo: usize| {
        let members = several.iter().map(|member| said(member, photo));
        Embedding::of_members(members.collect(), fuse)
    };
    let embeddings: Vec<Embedding> = (0..photos)
        .into_par_iter()
        .map(together)
        .collect::<flukeprint_core::Result<_>>()?;
    let width = fuse.width(members.iter().map(|member| member.width));
    let mut features = Vec::with_capacity(photos * width);
    for embedding in &embeddings {
        features.extend_from_slice(&embedding.feature);
    }
    let logits = held_out().flat_map(|&photo| &embeddings[photo].logits);
    Ok(Cow::Owned(Embeddings {
        width,
        features,
        logits: logits.copied().collect(),
    }))
}
