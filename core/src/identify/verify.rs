//! After an answer: the first whales' photos are compared with the query, and the answer is given anew.
//!
//! [`Identifier::to_verify`] says which photos' files are needed, whoever can fetch them does, and
//! [`Identifier::verify`] takes what came. Evidence only ever raises a whale; a file that did not come, or
//! came damaged, takes nothing from the answer.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::Serialize;

use super::{Embedding, Identifier};
use crate::bundle::{EvidenceFacts, FileEntry};
use crate::decision::{
    self, Answer, EvidenceParameters, Findings, Listed, ShortlistSize, first_by_score,
    first_by_votes,
};
use crate::evidence::geometry::Transform;
use crate::evidence::verify::{Comparison, compare};
use crate::evidence::vote::LabelVotes;
use crate::evidence::{Features, Networks, features, file};
use crate::gallery::Label;
use crate::photo::{Photo, Region};
use crate::{Error, Result};

/// A gallery photo's row, and the bytes of its keypoints or why they could not be had.
pub type Fetched = (u32, core::result::Result<Vec<u8>, String>);

/// An answer after comparing.
#[derive(Clone, Debug, Serialize)]
pub struct VerifiedAnswer {
    /// The ranked answer, by all that is known.
    pub answer: Answer,
    /// Keypoints that the query has; with none, nothing can be said.
    pub keypoints: usize,
    /// The gallery photos that it was compared with, in the order given.
    pub compared: Vec<Compared>,
    /// Those that it could not be compared with.
    pub missing: Vec<Missing>,
    /// All that was found, for an encounter that the photo is one of: of its
    /// [`EncounterPhoto`](super::EncounterPhoto).
    pub findings: Findings,
}

impl VerifiedAnswer {
    /// What speaks for a label and is shown: of its photos that were compared the one with most inliers, of
    /// equal ones the nearest, which was compared first.
    pub fn shown(&self, label: Label) -> Option<&Compared> {
        let own = self.compared.iter().filter(|one| one.label == label);
        own.rev().max_by_key(|one| one.inliers)
    }
}

/// The query compared with one gallery photo.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Compared {
    /// The photo's row in the gallery.
    pub row: u32,
    /// Whom it shows.
    pub label: Label,
    /// Descriptors that are alike.
    pub matches: usize,
    /// Matches that agree on one way that the two flukes lie to each other.
    pub inliers: u32,
    /// How likely it is, by the inliers alone, that both show one whale.
    pub probability: f64,
    /// That in a word.
    pub says: Says,
    /// The two are one photo.
    pub duplicate: bool,
    /// The inliers.
    pub pairs: Vec<Pair>,
    /// Takes pixels of the query to pixels of the gallery photo's fluke; none without a match.
    pub transform: Option<Transform>,
    /// Width and height of the gallery photo's fluke as it was looked at, pixels.
    pub size: [u32; 2],
    /// All keypoints of the gallery photo, pixels of its fluke.
    pub keypoints: Vec<[f32; 2]>,
}

impl Compared {
    /// [`Compared::transform`] as [`Transform::affine_at`] in the middle of the inliers; none without any.
    pub fn affine(&self) -> Option<[f64; 6]> {
        let count = self.pairs.len() as f64;
        let mean =
            |axis: usize| self.pairs.iter().map(|pair| pair.query[axis]).sum::<f64>() / count;
        self.transform?.affine_at([mean(0), mean(1)])
    }
}

/// What inliers say, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Says {
    /// A probability of 0.9 or more: the match can be called verified.
    Verified,
    /// 0.5 or more: it speaks for the whale.
    Likely,
    /// So many come by chance.
    Little,
}

impl Says {
    /// Of inliers with this probability.
    pub fn of(probability: f64) -> Self {
        match probability {
            probability if probability >= 0.9 => Self::Verified,
            probability if probability >= 0.5 => Self::Likely,
            _ => Self::Little,
        }
    }
}

/// An inlier.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Where it is in the query, pixels of the upright photo.
    pub query: [f64; 2],
    /// Where it is in the gallery photo, pixels of its fluke, which is of [`Compared::size`].
    pub gallery: [f64; 2],
}

/// A gallery photo that could not be compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// Its row in the gallery.
    pub row: u32,
    /// Why.
    pub reason: String,
}

impl Identifier {
    /// What the bundle says of local features, if its photos have them.
    ///
    /// # Errors
    /// [`Error::Bundle`] when they have none.
    pub fn evidence(&self) -> Result<&EvidenceFacts> {
        self.manifest.evidence.as_ref().ok_or_else(|| Error::Bundle {
            file: "bundle.json".to_string(),
            reason: "this bundle has no keypoints, so that nothing can be verified; export it with --keypoints"
                .to_string(),
        })
    }

    /// The gallery photos that a photo is to be compared with, row and file of keypoints: the nearest ones
    /// of the first whales of its answer, best first.
    ///
    /// # Errors
    /// A bundle without keypoints, and as [`Identifier::decide`].
    pub fn to_verify(&self, photo: &Embedding) -> Result<Vec<(u32, &FileEntry)>> {
        let parameters = &self.evidence()?.parameters;
        Ok(self.files_of(self.first_whales(photo, parameters)?))
    }

    /// The first whales by the networks' scores and by their edges, with the photos of each that are compared.
    pub(super) fn first_whales(
        &self,
        photo: &Embedding,
        parameters: &EvidenceParameters,
    ) -> Result<Vec<Listed>> {
        let decision = &self.manifest.decision;
        let scores = decision::final_scores(&photo.query(), &self.gallery, decision)?;
        let size = ShortlistSize::of(parameters);
        let feature = &photo.feature;
        let mut listed = first_by_score(&scores, &self.gallery, feature, size)?;
        let fits = LabelVotes::of_edges(&photo.edges);
        listed.extend(first_by_votes(&fits, &self.gallery, feature, size)?);
        Ok(listed)
    }

    /// The files of keypoints of all photos listed, each once.
    pub(super) fn files_of(&self, listed: Vec<Listed>) -> Vec<(u32, &FileEntry)> {
        let mut files: Vec<(u32, &FileEntry)> = Vec::new();
        for row in listed.into_iter().flat_map(|whale| whale.rows) {
            let photo = self.photos.get(row as usize);
            let file = photo.and_then(|photo| photo.keypoints.as_ref());
            if !files.iter().any(|&(known, _)| known == row) {
                files.extend(file.map(|file| (row, file)));
            }
        }
        files
    }

    /// The local features of the fluke in `region`, found as the gallery's were and as a file would keep
    /// them; `None` where the bundle has no such.
    ///
    /// # Errors
    /// [`Error::Region`] when the region does not lie in the photo.
    pub async fn look(&self, photo: &Photo, region: Region) -> Result<Option<Features>> {
        let Some(facts) = &self.manifest.evidence else {
            return Ok(None);
        };
        let image = facts.chip.image(photo, region)?;
        let found = features(&image, &facts.options, &Networks::default(), &self.device).await?;
        // Matches count as between photos whose features are in files.
        Ok(Some(file::kept(&found)?))
    }

    /// Compares the fluke in `region` of a photo with the gallery photos whose files were `fetched`, and
    /// answers anew: the first `count` labels. `embedding` is the photo's. `on_compared` hears how many are
    /// done. Where none could be compared with, or the photo has no keypoints, the answer is what it was.
    ///
    /// # Errors
    /// A bundle without keypoints, [`Error::Region`] when the region does not lie in the photo, and as
    /// [`Identifier::decide`].
    pub async fn verify(
        &self,
        (photo, region): (&Photo, Region),
        embedding: &Embedding,
        fetched: &[Fetched],
        count: usize,
        on_compared: impl FnMut(usize),
    ) -> Result<VerifiedAnswer> {
        let parameters = &self.evidence()?.parameters;
        let looked = self.looked(photo, region).await?;
        let comparing = Comparing {
            looked: &looked,
            votes: Vec::new(),
            parameters,
        };
        self.answer_by(comparing, embedding, fetched, count, on_compared)
    }

    /// What a photo shows, and where that is in it.
    pub(super) async fn looked(&self, photo: &Photo, region: Region) -> Result<Looked> {
        let features = self.look(photo, region).await?.unwrap_or_default();
        let photo = [photo.width, photo.height];
        let chip = &self.evidence()?.chip;
        Ok(Looked {
            to_photo: chip.to_photo(region, photo, features.size)?,
            features,
        })
    }

    /// Compares with the photos that were fetched and decides.
    pub(super) fn answer_by(
        &self,
        comparing: Comparing<'_>,
        embedding: &Embedding,
        fetched: &[Fetched],
        count: usize,
        mut on_compared: impl FnMut(usize),
    ) -> Result<VerifiedAnswer> {
        let (mut compared, mut missing) = (Vec::new(), Vec::new());
        for (done, (row, bytes)) in fetched.iter().enumerate() {
            match self.of_gallery(*row, bytes) {
                Ok((label, gallery)) => {
                    compared.push(self.compared(&comparing, *row, label, &gallery)?);
                }
                Err(reason) => missing.push(Missing { row: *row, reason }),
            }
            on_compared(done + 1);
        }
        let keypoints = comparing.looked.features.keypoints.len();
        let findings = match keypoints {
            // Without a keypoint there is nothing to say.
            0 => Findings::default(),
            _ => Findings {
                inliers: self.inliers(&compared),
                heard: share(compared.len(), missing.len()),
                votes: comparing.votes,
                ..Findings::default()
            },
        };
        let answer = self.decide_of(&[(embedding, Some(&findings))], count)?;
        Ok(VerifiedAnswer {
            answer,
            keypoints,
            compared,
            missing,
            findings,
        })
    }

    fn compared(
        &self,
        comparing: &Comparing<'_>,
        row: u32,
        label: Label,
        gallery: &Features,
    ) -> Result<Compared> {
        let Looked { features, to_photo } = comparing.looked;
        let found = compare(features, gallery, &self.evidence()?.compare);
        let inliers = found.inliers.len() as u32;
        let worth = &comparing.parameters.worth;
        let probability = worth.probability(f64::from(inliers));
        Ok(Compared {
            row,
            label,
            matches: found.matches.len(),
            inliers,
            probability,
            says: Says::of(probability),
            duplicate: found.duplicate,
            pairs: pairs(features, gallery, &found, to_photo),
            transform: from_photo(&found, to_photo),
            size: gallery.size,
            keypoints: gallery.keypoints.iter().map(|k| k.frame.center).collect(),
        })
    }

    /// Whom the gallery photo in `row` shows, and its features, out of the bytes of its file.
    fn of_gallery(
        &self,
        row: u32,
        bytes: &core::result::Result<Vec<u8>, String>,
    ) -> core::result::Result<(Label, Features), String> {
        let place = row as usize;
        let (Some(known), Some(photo)) = (self.gallery.rows().get(place), self.photos.get(place))
        else {
            return Err("the gallery has no such photo".to_string());
        };
        let entry = photo.keypoints.as_ref();
        let entry = entry.ok_or("the bundle has no keypoints of it")?;
        let bytes = bytes.as_ref().map_err(Clone::clone)?;
        let read = || -> Result<Features> {
            entry.check(bytes)?;
            file::decode(&entry.path, bytes)
        };
        let features = read().map_err(|error| error.to_string())?;
        Ok((known.label, features))
    }

    fn inliers(&self, compared: &[Compared]) -> Vec<(usize, u32)> {
        let individuals = self.gallery.individuals().len();
        let of = |one: &Compared| (one.label.slot(individuals), one.inliers);
        compared.iter().map(of).collect()
    }
}

/// A photo's features, and the way from their places to its pixels.
pub(super) struct Looked {
    pub(super) features: Features,
    to_photo: Transform,
}

/// What a query brings to be compared, and how what is found counts.
pub(super) struct Comparing<'a> {
    pub(super) looked: &'a Looked,
    /// What every label got in the gallery's vote, by slot, `[individuals + 1]`; empty where none was held.
    pub(super) votes: Vec<f32>,
    pub(super) parameters: &'a EvidenceParameters,
}

/// How many of all are there; all if there is none.
fn share(there: usize, missing: usize) -> f32 {
    match missing {
        0 => 1.0,
        missing => there as f32 / (there + missing) as f32,
    }
}

fn pairs(
    query: &Features,
    gallery: &Features,
    found: &Comparison,
    to_photo: &Transform,
) -> Vec<Pair> {
    let center = |features: &Features, keypoint: u32| {
        let keypoint = features.keypoints.get(keypoint as usize)?;
        Some(keypoint.frame.center.map(f64::from))
    };
    let pair = |index: u32| {
        let matched = found.matches.get(index as usize)?;
        Some(Pair {
            query: to_photo.map(center(query, matched.a)?)?,
            gallery: center(gallery, matched.b)?,
        })
    };
    let inliers = found.inliers.iter();
    inliers.filter_map(|inlier| pair(inlier.index)).collect()
}

fn from_photo(found: &Comparison, to_photo: &Transform) -> Option<Transform> {
    found.transform?.after(&to_photo.inverse()?).scaled()
}
