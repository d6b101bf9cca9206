//! Files and folders to photos.

use crate::{Error, Result};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// How the names of photos end, in any case.
const ENDINGS: [&str; 4] = ["jpg", "jpeg", "png", "webp"];

/// A photo that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoFile {
    /// Where it is.
    pub path: PathBuf,
    /// What tables call it: its path in the folder that was given, with `/`, or its file name.
    pub name: String,
}

impl PhotoFile {
    /// The last part of its name.
    pub fn file_name(&self) -> &str {
        self.name.rsplit('/').next().unwrap_or(&self.name)
    }
}

/// What files and folders hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The photos, in the order in which files and folders were given, those of a folder sorted by name.
    pub photos: Vec<PhotoFile>,
    /// Files in the folders that are no photos by their names.
    pub others: usize,
    /// Photos that were given more than once and are there once.
    pub repeated: usize,
}

/// The photos of `paths`: files as they are, whatever they are called, and folders with all that is in
/// them. Links to folders are not followed, and what begins with a dot is left out.
///
/// # Errors
/// [`Error::NoPhotosIn`] when a folder holds none; a folder that cannot be read.
pub fn find_photos(paths: &[PathBuf]) -> Result<Found> {
    let mut found = Found::default();
    for path in paths {
        if path.is_dir() {
            let before = found.photos.len();
            let others = found.others;
            walk(path, "", &mut found)?;
            if found.photos.len() == before {
                return Err(Error::NoPhotosIn {
                    path: path.clone(),
                    others: found.others - others,
                });
            }
        } else {
            let name = path.file_name().unwrap_or(path.as_os_str());
            found.photos.push(PhotoFile {
                path: path.clone(),
                name: name.to_string_lossy().into_owned(),
            });
        }
    }
    let given = found.photos.len();
    let mut seen = HashSet::new();
    found.photos.retain(|photo| {
        // A file that is not there keeps its row, which says so.
        let real = photo.path.canonicalize();
        seen.insert(real.unwrap_or_else(|_| photo.path.clone()))
    });
    found.repeated = given - found.photos.len();
    Ok(found)
}

/// Whether a file is a photo by its name.
pub fn is_photo(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| {
        ENDINGS
            .iter()
            .any(|known| known.eq_ignore_ascii_case(ending))
    })
}

fn walk(folder: &Path, name: &str, found: &mut Found) -> Result<()> {
    let refused = |source| Error::Read {
        path: folder.to_owned(),
        source,
    };
    let entries = std::fs::read_dir(folder).map_err(refused)?;
    let mut entries: Vec<_> = entries.collect::<std::io::Result<_>>().map_err(refused)?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let file_name = entry.file_name().to_string_lossy().into_owned();
        let inner = match name {
            "" => file_name.clone(),
            _ => format!("{name}/{file_name}"),
        };
        let path = entry.path();
        if file_name.starts_with('.') {
            // Such as the `._x.jpg` that one system leaves beside every x.jpg on a stick.
            found.others += usize::from(path.is_file());
        } else if entry.file_type().map_err(refused)?.is_dir() {
            walk(&path, &inner, found)?;
        } else if path.is_file() && is_photo(&path) {
            found.photos.push(PhotoFile { path, name: inner });
        } else if path.is_file() {
            found.others += 1;
        }
    }
    Ok(())
}
