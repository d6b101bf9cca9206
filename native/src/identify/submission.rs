//! Kaggle's file: `Image,Id` with up to five names a photo, best first, separated by spaces.

use super::answers::{Beside, answer_photo};
use super::photos::{PhotoFile, find_photos};
use crate::data::{NEW_WHALE, check_photos, read_columns, write_atomically};
use crate::progress::Progress;
use crate::{Error, Result};
use csv::Writer;
use flukeprint_core::identify::Identifier;
use flukeprint_core::metrics::LISTED;
use flukeprint_core::photo::Region;
use serde::Serialize;
use std::collections::{HashMap, HashSet};
use std::path::Path;

/// The answers for a test folder.
#[derive(Clone, Debug, Serialize)]
pub struct Submission {
    /// Every photo's name and the names for it, in the order of the sample, or of the folder.
    #[serde(skip)]
    pub rows: Vec<(String, Vec<String>)>,
    /// Photos that could not be answered and got `new_whale` alone, with the reason.
    pub filled: Vec<Filled>,
}

/// A photo that could not be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Filled {
    /// Its name.
    pub image: String,
    /// Why.
    pub reason: String,
}

impl Submission {
    /// The share of photos with `new_whale` in first place; 0 without photos.
    pub fn new_share(&self) -> f64 {
        let is_new = |row: &&(String, Vec<String>)| row.1.first().is_some_and(|n| n == NEW_WHALE);
        let new = self.rows.iter().filter(is_new).count();
        new as f64 / self.rows.len().max(1) as f64
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`Error::Write`]; nothing is then half written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let failed = |error: String| Error::Write {
            path: path.to_owned(),
            source: std::io::Error::other(error),
        };
        let mut writer = Writer::from_writer(Vec::new());
        let mut put = |image: &str, names: &str| {
            let written = writer.write_record([image, names]);
            written.map_err(|error| failed(error.to_string()))
        };
        put("Image", "Id")?;
        for (image, names) in &self.rows {
            put(image, &names.join(" "))?;
        }
        let bytes = writer
            .into_inner()
            .map_err(|error| failed(error.to_string()))?;
        write_atomically(path, &bytes)
    }
}

/// The photos to answer: all of `folder`, or those that the column Image of `sample` lists, in its order.
///
/// # Errors
/// A folder that is none or without photos, a sample that cannot be read or lists none;
/// [`Error::Submission`] when it lists one twice, or one that is not in the folder.
pub fn photos_of(folder: &Path, sample: Option<&Path>) -> Result<Vec<PhotoFile>> {
    if !folder.is_dir() {
        return Err(Error::MissingFolder {
            path: folder.to_owned(),
            wanted: "the photos to name are expected there",
        });
    }
    let found = find_photos(&[folder.to_owned()])?.photos;
    let Some(sample) = sample else {
        return Ok(found);
    };
    let mut by_name: HashMap<String, PhotoFile> = found
        .into_iter()
        .map(|photo| (photo.name.clone(), photo))
        .collect();
    let mut photos = Vec::new();
    let (mut listed, mut missing) = (HashSet::new(), Vec::new());
    for row in read_columns(sample, ["Image"])? {
        let [image] = row.cells;
        if !listed.insert(image.clone()) {
            let reason = format!(
                "{} lists `{image}` twice, again on line {}; keep one of the rows",
                sample.display(),
                row.line
            );
            return Err(Error::Submission { reason });
        }
        match by_name.remove(&image) {
            Some(photo) => photos.push(photo),
            None => missing.push(image),
        }
    }
    if let Some(first) = missing.first() {
        let reason = format!(
            "{} of the {} photos that {} lists are not in {}: {first}{}; add them",
            missing.len(),
            listed.len(),
            sample.display(),
            folder.display(),
            others(&missing)
        );
        return Err(Error::Submission { reason });
    }
    match photos.is_empty() {
        true => Err(Error::NoPhotos {
            path: sample.to_owned(),
        }),
        false => Ok(photos),
    }
}

/// Some more of a list after its first, and how many there are beyond them.
fn others(names: &[String]) -> String {
    let shown: String = names
        .iter()
        .skip(1)
        .take(4)
        .map(|n| format!(", {n}"))
        .collect();
    match names.len().saturating_sub(5) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Refuses names that Kaggle's file cannot hold.
///
/// # Errors
/// [`Error::Submission`] naming the first.
pub fn check_names(identifier: &Identifier) -> Result<()> {
    let individuals = identifier.gallery().individuals();
    let spaced = |name: &str| name.is_empty() || name.contains(char::is_whitespace);
    match individuals.iter().find(|one| spaced(&one.name)) {
        Some(one) => Err(Error::Submission {
            reason: format!(
                "the catalogue's whale `{}` has a space in its name, and spaces separate the names in \
                 Kaggle's file; rename it",
                one.name
            ),
        }),
        None => Ok(()),
    }
}

/// Answers every photo. One that cannot be answered stops all, unless `fill_broken`: then it gets
/// `new_whale` and nothing else. Where the catalogue has fewer than four whales, lists are shorter than
/// five names.
///
/// # Errors
/// [`Error::Submission`] naming the photos that cannot be used, before any is answered if it shows so
/// early; as [`check_names`].
pub fn answer(
    identifier: &Identifier,
    photos: &[PhotoFile],
    regions: &[Option<Region>],
    beside: Beside<'_>,
    fill_broken: bool,
    progress: &dyn Progress,
) -> Result<Submission> {
    check_names(identifier)?;
    let mut broken = broken(photos, progress);
    if let Some(first) = broken.iter().flatten().next()
        && !fill_broken
    {
        let number = broken.iter().flatten().count();
        return Err(refusal(first, number, photos.len()));
    }
    let mut submission = Submission {
        rows: Vec::with_capacity(photos.len()),
        filled: Vec::new(),
    };
    progress.begin("naming photos", photos.len());
    for (done, photo) in photos.iter().enumerate() {
        let answered = match broken[done].take() {
            Some(filled) => Err(filled),
            None => names(identifier, photo, regions[done], beside),
        };
        let names = match answered {
            Ok(names) => names,
            Err(filled) if fill_broken => {
                submission.filled.push(filled);
                vec![NEW_WHALE.to_owned()]
            }
            Err(filled) => return Err(refusal(&filled, 1, photos.len())),
        };
        submission.rows.push((photo.name.clone(), names));
        progress.advance(done + 1);
    }
    Ok(submission)
}

fn names(
    identifier: &Identifier,
    photo: &PhotoFile,
    region: Option<Region>,
    beside: Beside<'_>,
) -> std::result::Result<Vec<String>, Filled> {
    let answer = answer_photo(identifier, photo, region, LISTED, beside);
    match answer.error {
        Some(reason) => Err(Filled {
            image: photo.name.clone(),
            reason,
        }),
        None => Ok(answer.candidates.into_iter().map(|one| one.name).collect()),
    }
}

/// What is wrong with each photo's file, as far as that shows without decoding it.
fn broken(photos: &[PhotoFile], progress: &dyn Progress) -> Vec<Option<Filled>> {
    let paths: Vec<_> = photos.iter().map(|photo| photo.path.clone()).collect();
    progress.begin("checking photos", paths.len());
    let checked = check_photos(&paths, &|done, _| progress.advance(done));
    let problems = photos.iter().zip(checked);
    problems
        .map(|(photo, checked)| {
            let problem = checked.err()?;
            Some(Filled {
                image: photo.name.clone(),
                reason: problem.to_string(),
            })
        })
        .collect()
}

fn refusal(first: &Filled, broken: usize, photos: usize) -> Error {
    let Filled { image, reason } = first;
    let reason = format!(
        "{broken} of {photos} photos cannot be answered (first: {image}: {reason}); mend or remove them, \
         or give --fill-broken to answer `{NEW_WHALE}` for them"
    );
    Error::Submission { reason }
}
