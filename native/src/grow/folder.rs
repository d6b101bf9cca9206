//! The folder of a bundle that changes.

use crate::data::{remove_temporary_files, write_atomically};
use crate::export::{SEARCH, WANTED, write_bundle};
use crate::{Error, Result};
use flukeprint_core::bundle::{GrowingBundle, KEYPOINTS, StaticFile};
use flukeprint_core::evidence::file::ENDING;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const MANIFEST: &str = "bundle.json";
const THUMBNAILS: &str = "thumbnails";
/// Folders of files that are fetched on demand.
const ON_DEMAND: [&str; 2] = [THUMBNAILS, KEYPOINTS];
/// What the bundle's own files are called before their hash; what a search keeps is of no use to another
/// gallery.
const STEMS: [&str; 5] = ["weights", "index", "individuals", "journal", SEARCH];

/// A bundle in its folder, taken apart.
#[derive(Debug)]
pub struct BundleFolder {
    folder: PathBuf,
    /// `bundle.json` as it was read.
    read: Vec<u8>,
    /// The bundle.
    pub bundle: GrowingBundle,
}

impl BundleFolder {
    /// Reads the bundle in `folder`, checked whole.
    ///
    /// # Errors
    /// Anything that is missing or not what `bundle.json` says; the file is named.
    pub fn open(folder: &Path) -> Result<Self> {
        if !folder.is_dir() {
            return Err(Error::MissingFolder {
                path: folder.to_owned(),
                wanted: WANTED,
            });
        }
        let manifest = read(folder, MANIFEST)?;
        let bundle = GrowingBundle::open(&manifest, |path| read(folder, path))?;
        Ok(Self {
            folder: folder.to_owned(),
            read: manifest,
            bundle,
        })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes what has changed, with new small `pictures` and keypoints. Every file is written under the name of its
    /// hash beside the others and `bundle.json` replaced last, so that a bundle stands there at all times;
    /// then what nothing names any more is removed.
    ///
    /// With `out` a copy is written there, as [`write_bundle`] does, and this folder stays as it is.
    ///
    /// # Errors
    /// A disk that refuses, [`Error::BundleChanged`]; the bundle is then as it was.
    pub fn save(&self, pictures: Vec<StaticFile>, out: Option<&Path>) -> Result<()> {
        match out {
            Some(out) if !is_same(out, &self.folder) => self.copy_to(out, pictures),
            _ => self.replace(pictures),
        }
    }

    fn replace(&self, pictures: Vec<StaticFile>) -> Result<()> {
        let files = self.bundle.files()?;
        let (manifest, others): (Vec<StaticFile>, Vec<StaticFile>) =
            files.into_iter().partition(|file| file.path == MANIFEST);
        if read(&self.folder, MANIFEST)? != self.read {
            return Err(Error::BundleChanged {
                path: self.folder.clone(),
            });
        }
        let needed = self.needed(&others);
        for file in others.iter().chain(&pictures) {
            self.write(file)?;
        }
        for file in &manifest {
            self.write(file)?;
        }
        self.clear(&needed)
    }

    fn write(&self, file: &StaticFile) -> Result<()> {
        let path = self.folder.join(&file.path);
        let parent = path.parent().unwrap_or(&self.folder);
        std::fs::create_dir_all(parent).map_err(|source| Error::Write {
            path: parent.to_owned(),
            source,
        })?;
        write_atomically(&path, &file.bytes)
    }

    /// The paths that the bundle names.
    fn needed(&self, files: &[StaticFile]) -> BTreeSet<String> {
        let pictures = self.bundle.on_demand();
        let pictures = pictures.into_iter().map(|entry| entry.path.clone());
        let files = files.iter().map(|file| file.path.clone());
        files.chain(pictures).collect()
    }

    /// Removes those of the bundle's own files that it does not name. A model card or whatever else people
    /// put there stays.
    fn clear(&self, needed: &BTreeSet<String>) -> Result<()> {
        let failed = |source| Error::Write {
            path: self.folder.clone(),
            source,
        };
        remove_temporary_files(&self.folder).map_err(failed)?;
        let on_demand = ON_DEMAND.map(|name| (format!("{name}/"), self.folder.join(name)));
        let whole = (String::new(), self.folder.clone());
        for (before, folder) in [whole].into_iter().chain(on_demand) {
            if !folder.is_dir() {
                continue;
            }
            for entry in std::fs::read_dir(&folder).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let path = format!("{before}{}", entry.file_name().to_string_lossy());
                if is_own(&path) && !needed.contains(&path) {
                    std::fs::remove_file(entry.path()).map_err(failed)?;
                }
            }
        }
        for name in ON_DEMAND {
            // It is removed if it is empty, and only then.
            let _ = std::fs::remove_dir(self.folder.join(name));
        }
        Ok(())
    }

    fn copy_to(&self, out: &Path, pictures: Vec<StaticFile>) -> Result<()> {
        let mut files = pictures;
        let mut have: BTreeSet<String> = files.iter().map(|file| file.path.clone()).collect();
        for entry in self.bundle.on_demand() {
            if have.insert(entry.path.clone()) {
                let bytes = read(&self.folder, &entry.path)?;
                entry.check(&bytes)?;
                let path = entry.path.clone();
                files.push(StaticFile { path, bytes });
            }
        }
        files.extend(self.bundle.files()?);
        write_bundle(out, &files)
    }
}

fn read(folder: &Path, name: &str) -> Result<Vec<u8>> {
    let path = folder.join(name);
    if !path.is_file() {
        return Err(Error::MissingFile {
            path,
            wanted: WANTED,
        });
    }
    std::fs::read(&path).map_err(|source| Error::Read { path, source })
}

fn is_same(a: &Path, b: &Path) -> bool {
    let [a, b] = [a, b].map(|path| path.canonicalize().ok());
    a.is_some() && a == b
}

/// Whether a path in a bundle's folder is called as the files are that a bundle names by their hash.
fn is_own(path: &str) -> bool {
    let is_hash = |text: &str| text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
    if let Some((folder, file)) = path.split_once('/') {
        let ending = match folder {
            THUMBNAILS => "jpg",
            KEYPOINTS => ENDING,
            _ => return false,
        };
        let stem = file.rsplit_once('.').filter(|parts| parts.1 == ending);
        return stem.is_some_and(|(stem, _)| is_hash(stem));
    }
    match path.split('.').collect::<Vec<_>>().as_slice() {
        [stem, hash, "safetensors" | "json"] => STEMS.contains(stem) && is_hash(hash),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_own;

    #[test]
    fn only_what_is_called_by_its_hash_is_the_bundles_own() {
        for path in [
            "weights.73d7510d55ea3112.safetensors",
            "journal.73d7510d55ea3112.json",
            "search.73d7510d55ea3112.safetensors",
            "thumbnails/73d7510d55ea3112.jpg",
            "keypoints/73d7510d55ea3112.keypoints",
        ] {
            assert!(is_own(path), "{path}");
        }
        for path in [
            "bundle.json",
            "MODEL_CARD.md",
            "weights.mine.safetensors",
            "notes.73d7510d55ea3112.json",
            "73d7510d55ea3112.jpg",
            "thumbnails/my whale.jpg",
            "keypoints/73d7510d55ea3112.jpg",
        ] {
            assert!(!is_own(path), "{path}");
        }
    }
}
