//! Where encounters are drawn from: a run's whales that training left out, or labelled photos.

use super::{
    DRAWS, DRAWS_SEARCHED, Deciding, Draw, EncounterReport, Outcome, SEED, Whale, outcomes, rows,
};
use crate::data::{Catalogue, Split};
use crate::evaluate::embeddings::{Embeddings, embed_catalogue, embed_photos};
use crate::evaluate::evidence::{Marks, Searching, TunedEdges, TunedEvidence};
use crate::progress::Progress;
use crate::train::Run;
use crate::tune::{LabelledQueries, TuneError};
use crate::{Error, Result};
use burn::tensor::Device;
use flukeprint_core::decision::{DecisionParameters, EvidenceParameters, Findings};
use flukeprint_core::gallery::{Gallery, Label};
use flukeprint_core::identify::Embedding;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::collections::BTreeMap;

const RUN: &str = "whales that training left out; a random half of them is enrolled with one photo each \
                   beside the training photos, the other half is new; encounters take the other photos";
const BUNDLE: &str = "the labelled photos by whale, against the bundle's gallery; whales that it has not \
                      are new, photos without a name are left out";

/// Measures encounters of the whales that a tuned run's training left out.
///
/// # Errors
/// [`Error::NoSecondPhoto`] when the run left no whale out, or none with two photos; as
/// [`evaluate`](crate::evaluate::evaluate).
pub fn evaluate_encounters(
    run: &Run,
    catalogue: &Catalogue,
    device: &Device,
    progress: &dyn Progress,
) -> Result<EncounterReport> {
    let unseen = Unseen::of(run, catalogue, device, progress)?;
    let parameters = &run.decision()?;
    let deciding = Deciding {
        parameters,
        evidence: None,
    };
    let drawn = |number: u64| {
        let (draw, _) = unseen.draw(catalogue, parameters, number)?;
        Ok(outcomes(&draw, deciding, number)?)
    };
    report(RUN, DRAWS, drawn)
}

/// As [`evaluate_encounters`], where edges are laid on all photos of the gallery, as the run's were tuned. With `compared`
/// all photos vote for each photo too, and the first whales are verified, as the run's evidence was tuned.
///
/// # Errors
/// As [`evaluate_encounters`], and when edges or evidence were not tuned.
pub fn evaluate_encounters_beside(
    run: &Run,
    catalogue: &Catalogue,
    compared: bool,
    device: &Device,
    progress: &dyn Progress,
) -> Result<EncounterReport> {
    let parameters = &run.decision()?;
    let evidence = &match compared {
        true => TunedEvidence::read(run.folder(), parameters)?.search,
        false => TunedEdges::read(run.folder(), parameters)?.edges,
    };
    let unseen = Unseen::of(run, catalogue, device, progress)?;
    let places = [&unseen.split.train[..], &unseen.split.unseen].concat();
    let marks = Marks::of(run, catalogue, &unseen.split, compared, progress)?;
    let searching = Searching::new(&marks, &places, progress)?;
    let deciding = Deciding {
        parameters,
        evidence: Some(evidence),
    };
    let drawn = |number: u64| {
        let (mut draw, asked) = unseen.draw(catalogue, parameters, number)?;
        let Asked { gallery, photos } = asked;
        let findings = photos.par_iter().zip(&draw.columns);
        let findings = findings.map(|(&photo, scores)| {
            let feature = &unseen.said[&photo].feature;
            searching.findings(&gallery, photo, (feature, scores), evidence, compared)
        });
        draw.findings = findings.collect::<Result<_>>()?;
        Ok(outcomes(&draw, deciding, number)?)
    };
    report(RUN, DRAWS_SEARCHED, drawn)
}

/// The whales that training left out.
struct Unseen {
    split: Split,
    whales: ByWhale,
    embeddings: Embeddings,
    said: BTreeMap<usize, Embedding>,
}

/// What the photos of a draw are looked up in, and their places in the catalogue.
struct Asked {
    gallery: Gallery,
    photos: Vec<usize>,
}

impl Unseen {
    fn of(
        run: &Run,
        catalogue: &Catalogue,
        device: &Device,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let split = run.split(catalogue)?;
        let whales = by_whale(catalogue, &split.unseen);
        if whales.iter().all(|(_, photos)| photos.len() < 2) {
            return Err(Error::NoSecondPhoto {
                photos: split.unseen.len(),
            });
        }
        let embeddings = embed_catalogue(run, catalogue, &split, device, progress)?;
        let unseen = embed_photos(run, catalogue, &split.unseen, device, progress)?;
        let said = split.unseen.iter().copied().zip(unseen).collect();
        Ok(Self {
            split,
            whales,
            embeddings,
            said,
        })
    }

    fn draw(
        &self,
        catalogue: &Catalogue,
        parameters: &DecisionParameters,
        number: u64,
    ) -> Result<(Draw, Asked)> {
        let (whales, enrolled) = enroll_half(self.whales.clone(), number);
        let train: Vec<usize> = self.split.train.iter().copied().chain(enrolled).collect();
        let gallery = self.embeddings.gallery(catalogue, &train)?;
        let photos = whales.iter().flat_map(|whale| &whale.photos);
        let photos: Vec<usize> = photos.copied().collect();
        let said = || photos.iter().map(|photo| &self.said[photo]);
        let queries = LabelledQueries::in_gallery(
            &gallery,
            vec![Label::New; photos.len()],
            said().flat_map(|one| &one.logits).copied().collect(),
            &said()
                .flat_map(|one| &one.feature)
                .copied()
                .collect::<Vec<_>>(),
        )?;
        let draw = Draw {
            columns: columns(&queries, parameters)?,
            findings: Vec::new(),
            whales: in_order(whales),
        };
        Ok((draw, Asked { gallery, photos }))
    }
}

/// Measures encounters of labelled photos, whose final scores `queries` give, and `beside` what was found for each of them
/// and how it counts, where the bundle has edges. `own` are the labels in the photos' own table, by which they are
/// grouped; the right answers are those of `queries`.
///
/// # Errors
/// [`Error::NoSecondPhoto`] when no whale has two photos; a parameter out of range.
pub fn bundle_encounters(
    queries: &LabelledQueries,
    own: &[Label],
    parameters: &DecisionParameters,
    beside: Option<(&EvidenceParameters, &[Findings])>,
) -> Result<EncounterReport> {
    let mut whales: BTreeMap<Label, Vec<usize>> = BTreeMap::new();
    for (photo, &label) in own.iter().enumerate() {
        if label != Label::New {
            whales.entry(label).or_default().push(photo);
        }
    }
    if whales.values().all(|photos| photos.len() < 2) {
        return Err(Error::NoSecondPhoto { photos: own.len() });
    }
    let truths: Vec<Label> = queries.iter().map(|query| query.truth).collect();
    let columns = columns(queries, parameters)?;
    let drawn = |number: u64| {
        let mut rng = rng(number);
        let whale = |(&whale, photos): (&Label, &Vec<usize>)| {
            let mut photos = photos.clone();
            photos.shuffle(&mut rng);
            let truth = truths[photos[0]];
            Whale {
                whale,
                truth,
                photos,
            }
        };
        let draw = Draw {
            whales: whales.iter().map(whale).collect(),
            findings: beside.map_or_else(Vec::new, |(_, found)| found.to_vec()),
            columns: columns.clone(),
        };
        let deciding = Deciding {
            parameters,
            evidence: beside.map(|(evidence, _)| evidence),
        };
        Ok(outcomes(&draw, deciding, number)?)
    };
    report(BUNDLE, DRAWS, drawn)
}

fn report(
    protocol: &'static str,
    draws: u64,
    drawn: impl Fn(u64) -> Result<Vec<Outcome>> + Sync + Send,
) -> Result<EncounterReport> {
    let all: Vec<Vec<Outcome>> = (0..draws)
        .into_par_iter()
        .map(drawn)
        .collect::<Result<_>>()?;
    Ok(EncounterReport {
        protocol,
        draws,
        rows: rows(&all.concat()),
    })
}

/// A generator of its own for every draw, so that threads do not matter.
fn rng(number: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED ^ u64::MAX);
    rng.set_stream(number);
    rng
}

type ByWhale = Vec<(Label, Vec<usize>)>;

fn by_whale(catalogue: &Catalogue, photos: &[usize]) -> ByWhale {
    let mut whales: BTreeMap<Label, Vec<usize>> = BTreeMap::new();
    for &photo in photos {
        let label = catalogue.photos[photo].label;
        whales.entry(label).or_default().push(photo);
    }
    whales.into_iter().collect()
}

/// The whales of a draw with photos of the catalogue, and the photos that are enrolled.
fn enroll_half(mut whales: ByWhale, number: u64) -> (Vec<Whale>, Vec<usize>) {
    let mut rng = rng(number);
    whales.shuffle(&mut rng);
    let known = whales.len() / 2;
    let mut enrolled = Vec::new();
    let whales = whales.into_iter().enumerate();
    let whales = whales.filter_map(|(place, (whale, mut photos))| {
        photos.shuffle(&mut rng);
        let truth = match place < known {
            true => {
                enrolled.extend(photos.pop());
                whale
            }
            false => Label::New,
        };
        (!photos.is_empty()).then_some(Whale {
            whale,
            truth,
            photos,
        })
    });
    let whales = whales.collect();
    (whales, enrolled)
}

/// The same whales with their photos' places in the order in which they were asked.
fn in_order(mut whales: Vec<Whale>) -> Vec<Whale> {
    let mut places = 0..;
    for whale in &mut whales {
        let photos = whale.photos.len();
        whale.photos = places.by_ref().take(photos).collect();
    }
    whales
}

fn columns(
    queries: &LabelledQueries,
    parameters: &DecisionParameters,
) -> std::result::Result<Vec<Vec<f32>>, TuneError> {
    let column = |query: crate::tune::LabelledQuery<'_>| {
        let columns = query.columns(parameters)?;
        Ok(columns.fused)
    };
    queries.iter().map(column).collect()
}
