//! Photos into a bundle, and the columns that they make.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use super::content::{Coded, Row};
use super::edit::Edit;
use super::imprint::Imprinter;
use super::journal::Did;
use super::operations::{Result, Work, check_name};
use super::{GrowingBundle, GrowthError};
use crate::bundle::manifest::{FileEntry, GalleryPhoto};
use crate::evidence::Edge;
use crate::gallery::{FeatureStore, GalleryError, normalized};

/// A photo that is to come into a bundle.
#[derive(Clone, Debug, PartialEq)]
pub struct NewPhoto {
    /// Its file name, by which it is known.
    pub file: String,
    /// SHA-256 of the file, hexadecimal.
    pub sha256: String,
    /// Whom it shows; a name that is not in the bundle becomes an individual. Nobody is a whale
    /// without a name.
    pub individual: Option<String>,
    /// Its embedding by the bundle's networks, any length but zero.
    pub feature: Vec<f32>,
    /// A small picture of it.
    pub thumbnail: Option<FileEntry>,
    /// Its local features, where the bundle has such.
    pub keypoints: Option<FileEntry>,
    /// Its trailing edge, where the bundle has such.
    pub edge: Option<Edge>,
}

/// What came of an enrolment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// Photos that came in.
    pub photos: usize,
    /// Individuals that came in with them.
    pub individuals: usize,
    /// Columns of the classifier that were made or made anew.
    pub columns: usize,
}

impl GrowingBundle {
    /// Adds photos to the gallery; names that are new become individuals. Each individual that came in,
    /// and every one before it without a column, gets an imprinted one, and one whose only column is
    /// imprinted gets it anew, out of all its photos. `date` is `YYYY-MM-DD`.
    ///
    /// The classifier stays as it is where it cannot grow: where an ensemble averages features, the
    /// gallery does not hold what each member's classifier reads. Such whales are known by their photos.
    ///
    /// # Errors
    /// No photo, a feature that cannot be used, a photo that is there already, or a name that cannot be
    /// one. Nothing is changed then.
    pub fn enroll(&mut self, photos: Vec<NewPhoto>, date: &str) -> Result<Enrolled> {
        if photos.is_empty() {
            return Err(GrowthError::NoPhotos);
        }
        let rows = photos.iter().map(|photo| self.coded(photo));
        let features: Vec<Coded> = rows.collect::<Result<_>>()?;
        self.check_repeated(&photos, &features)?;
        let mut work = Work::on(&self.content);
        let numbers = add_names(&mut work, &photos)?;
        let known = self.content.names.len();
        let individuals: Vec<String> = work.content.names[known..].to_vec();
        let rows = photos.into_iter().zip(features);
        let rows: Vec<Row> = rows
            .map(|(photo, feature)| Row {
                photo: GalleryPhoto {
                    individual: photo
                        .individual
                        .and_then(|name| numbers.get(&name).copied()),
                    file: photo.file,
                    thumbnail: photo.thumbnail,
                    keypoints: photo.keypoints,
                    edge: photo.edge,
                    sha256: Some(photo.sha256),
                },
                feature,
            })
            .collect();
        let shown: BTreeSet<u32> = rows.iter().filter_map(|row| row.photo.individual).collect();
        let at = self.content.rows.len();
        let photos = rows.len();
        work.apply(Edit::InsertRows { at, rows })?;
        let columns = self.imprint(&mut work, &shown)?;
        let enrolled = Enrolled {
            photos,
            individuals: individuals.len(),
            columns,
        };
        let did = Did::Enroll {
            photos,
            individuals,
        };
        self.finish(work, did, date);
        Ok(enrolled)
    }

    /// The photo's feature as the gallery stores it.
    fn coded(&self, photo: &NewPhoto) -> Result<Coded> {
        let refuse = |problem| GrowthError::Photo {
            file: photo.file.clone(),
            problem,
        };
        let dimension = self.content.dimension;
        let unit = normalized(&photo.feature, dimension).map_err(refuse)?;
        let store = FeatureStore::from_features(dimension, &unit).map(|store| store.to_codes());
        let store = store.map_err(|error| match error {
            GalleryError::Row { problem, .. } => refuse(problem),
            _ => refuse(crate::gallery::FeatureError::ZeroLength),
        })?;
        let (codes, scales) = store.codes().unwrap_or_default();
        Ok(Coded {
            scale: scales.first().copied().unwrap_or(0.0),
            codes: codes.to_vec(),
        })
    }

    /// Refuses what is in the gallery already, or stands twice among the photos.
    fn check_repeated(&self, photos: &[NewPhoto], features: &[Coded]) -> Result<()> {
        const HERE: &str = "is in the bundle already";
        const GIVEN: &str = "was given too";
        let rows = &self.content.rows;
        let mut seen: Vec<(&str, Option<&str>, &Coded, &str)> = rows
            .iter()
            .map(|row| {
                let photo = &row.photo;
                let sha256 = photo.sha256.as_deref();
                (photo.file.as_str(), sha256, &row.feature, HERE)
            })
            .collect();
        for (photo, feature) in photos.iter().zip(features) {
            let same = seen.iter().find(|(_, sha256, coded, _)| {
                *sha256 == Some(photo.sha256.as_str()) || is_same(coded, feature)
            });
            if let Some((earlier, .., place)) = same {
                return Err(GrowthError::Repeated {
                    file: photo.file.clone(),
                    earlier: (*earlier).to_string(),
                    place,
                });
            }
            let named = seen.iter().find(|(file, ..)| *file == photo.file);
            if let Some((.., place)) = named {
                return Err(GrowthError::FileName {
                    file: photo.file.clone(),
                    place,
                });
            }
            seen.push((&photo.file, Some(&photo.sha256), feature, GIVEN));
        }
        Ok(())
    }

    /// Makes the imprinted columns of these individuals anew, and those that are missing. Returns how
    /// many it made.
    pub(super) fn imprint(&self, work: &mut Work, shown: &BTreeSet<u32>) -> Result<usize> {
        let Some(widths) = self.slices() else {
            return Ok(0);
        };
        let content = &work.content;
        let again = shown.iter().filter_map(|&one| {
            let columns = content.columns_of(one);
            match columns.as_slice() {
                [only] if content.columns[*only].imprinted => Some((one, *only)),
                _ => None,
            }
        });
        let again: Vec<(u32, usize)> = again.collect();
        let first = content.classified() as u32;
        let missing = first..content.names.len() as u32;
        let has_row = |one: &u32| !content.rows_of(Some(*one)).is_empty();
        let missing: Vec<u32> = missing.take_while(has_row).collect();
        let temperature = self.manifest.decision.temperature;
        if again.is_empty() && missing.is_empty() {
            return Ok(0);
        }
        let Some(imprinter) = Imprinter::new(content, &self.tensors, &widths, temperature) else {
            return Ok(0);
        };
        let made = again.len() + missing.len();
        for (individual, at) in again {
            let column = imprinter.column(&work.content, individual);
            work.apply(Edit::RemoveColumns { at, count: 1 })?;
            let columns = vec![column];
            work.apply(Edit::InsertColumns { at, columns })?;
        }
        let column = |&individual: &u32| imprinter.column(&work.content, individual);
        let columns: Vec<_> = missing.iter().map(column).collect();
        let at = work.content.columns.len();
        work.apply(Edit::InsertColumns { at, columns })?;
        Ok(made)
    }
}

/// Makes individuals of the names that are new, in the order in which they first stand, and returns the
/// numbers of all that are named.
fn add_names(work: &mut Work, photos: &[NewPhoto]) -> Result<BTreeMap<String, u32>> {
    let names = work.content.names.iter().cloned();
    let mut numbers: BTreeMap<String, u32> = names.zip(0..).collect();
    for name in photos.iter().filter_map(|photo| photo.individual.as_ref()) {
        check_name(name)?;
        if !numbers.contains_key(name) {
            let at = work.content.names.len() as u32;
            let name = name.clone();
            numbers.insert(name.clone(), at);
            work.apply(Edit::InsertName { at, name })?;
        }
    }
    Ok(numbers)
}

/// Whether two features are of the same picture: a device that rounds otherwise moves a code by one.
fn is_same(a: &Coded, b: &Coded) -> bool {
    let mut codes = a.codes.iter().zip(&b.codes);
    codes.all(|(a, b)| a.abs_diff(*b) <= 1)
}
