//! What is said of two photos.

use super::{Fluke, measured_curve};
use burn::tensor::Device;
use flukeprint_core::Result;
use flukeprint_core::evidence::geometry::{Inlier, Transform};
use flukeprint_core::evidence::verify::{CompareOptions, Comparison, compare};
use serde::Serialize;

/// Two photos compared.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// The two files.
    pub photos: [String; 2],
    /// How many keypoints each has.
    pub keypoints: [usize; 2],
    /// Descriptors that are alike.
    pub matches: usize,
    /// Matches that agree on one way that the two flukes lie to each other.
    pub inliers: usize,
    /// How likely it is, by that, that both show one whale.
    pub probability: f64,
    /// The two are one photo.
    pub duplicate: bool,
    /// One of the two was flipped.
    pub mirrored: bool,
    /// Takes pixels of photo A to pixels of photo B; none without a match.
    pub transform: Option<Transform>,
    /// The inliers.
    pub pairs: Vec<Pair>,
    /// What a person should know about it.
    pub notes: Vec<String>,
}

/// One inlier.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Where it is in photo A, pixels.
    pub a: [f64; 2],
    /// Where it is in photo B.
    pub b: [f64; 2],
    /// How far the descriptors are apart, 0 to 2.
    pub distance: f32,
    /// How far the map takes it from its place in B, pixels of B's fluke as it was looked at.
    pub residual: f32,
}

impl Verification {
    /// The inliers' places in both photos.
    pub fn points(&self) -> Vec<[[f64; 2]; 2]> {
        self.pairs.iter().map(|pair| [pair.a, pair.b]).collect()
    }
}

/// Below so many inliers the second photo is looked at in the mirror too: a photo that settles it needs
/// no mirror.
const SETTLED: usize = 15;
/// The mirror must show so many, and so many times more.
const MIRRORED: usize = 12;
const TIMES: usize = 2;

/// Compares two flukes; `names` are what they are called in the answer.
///
/// # Errors
/// When the mirrored photo cannot be looked at.
pub async fn verify(
    flukes: &[Fluke; 2],
    names: [String; 2],
    device: &Device,
) -> Result<Verification> {
    let [a, b] = flukes;
    let options = CompareOptions::default();
    let comparison = compare(&a.features, &b.features, &options);
    let mut mirrored = false;
    if comparison.inliers.len() < SETTLED
        && let Some(mirror) = b.mirrored(device).await?
    {
        let inliers = compare(&a.features, &mirror, &options).inliers.len();
        mirrored = inliers >= MIRRORED && inliers >= TIMES * comparison.inliers.len();
    }
    let curve = measured_curve()?;
    let keypoints = [a, b].map(|fluke| fluke.features.keypoints.len());
    Ok(Verification {
        notes: notes(&names, keypoints, comparison.duplicate, mirrored),
        photos: names,
        keypoints,
        matches: comparison.matches.len(),
        inliers: comparison.inliers.len(),
        probability: curve.probability(comparison.inliers.len() as f64),
        duplicate: comparison.duplicate,
        mirrored,
        transform: in_photos(flukes, comparison.transform),
        pairs: pairs(flukes, &comparison),
    })
}

/// The map between the photos, from that between what was looked at.
fn in_photos([a, b]: &[Fluke; 2], transform: Option<Transform>) -> Option<Transform> {
    let whole = b.to_photo.after(&transform?).after(&a.to_photo.inverse()?);
    whole.scaled()
}

fn pairs([a, b]: &[Fluke; 2], comparison: &Comparison) -> Vec<Pair> {
    let of = |fluke: &Fluke, keypoint: u32| {
        let center = fluke.features.keypoints[keypoint as usize].frame.center;
        fluke.to_photo.map(center.map(f64::from))
    };
    let pair = |inlier: &Inlier| {
        let found = comparison.matches[inlier.index as usize];
        Some(Pair {
            a: of(a, found.a)?,
            b: of(b, found.b)?,
            distance: found.distance,
            residual: inlier.residual,
        })
    };
    comparison.inliers.iter().filter_map(pair).collect()
}

fn notes(
    names: &[String; 2],
    keypoints: [usize; 2],
    duplicate: bool,
    mirrored: bool,
) -> Vec<String> {
    let mut notes: Vec<String> = names
        .iter()
        .zip(keypoints)
        .filter(|&(_, keypoints)| keypoints == 0)
        .map(|(name, _)| {
            format!(
                "{name} shows no keypoints: it is too small or has no texture; take another photo"
            )
        })
        .collect();
    if duplicate {
        notes.push(
            "the two are duplicates: one photo, perhaps stored, sized or cropped anew".to_owned(),
        );
    }
    if mirrored {
        let [a, b] = names;
        notes.push(format!(
            "in a mirror they agree: {a} or {b} was flipped; flip it back and verify again"
        ));
    }
    notes
}
