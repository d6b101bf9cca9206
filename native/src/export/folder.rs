//! Bundles on disk.

use crate::device::is_cpu;
use crate::{Error, Result};
use burn::tensor::Device;
use flukeprint_core::bundle::{Bundle, Loader, StaticFile};
use flukeprint_core::identify::Identifier;
use std::path::Path;

/// What a bundle is, for messages.
pub(crate) const WANTED: &str =
    "a bundle is a folder with bundle.json, as `flukeprint export` writes it";

/// The bundle in `folder`, checked whole, on `device`. One that is not the CPU must first reproduce the
/// bundle's known answer.
///
/// # Errors
/// Anything that is missing or not what `bundle.json` says; the file is named. A device that computes
/// something else.
pub fn open_bundle(folder: &Path, device: &Device) -> Result<Identifier> {
    let identifier = Identifier::new(read_bundle(folder)?, device)?;
    if !is_cpu(device) {
        pollster::block_on(identifier.self_check())?;
    }
    Ok(identifier)
}

/// The bundle in `folder`, checked whole, on no device yet.
///
/// # Errors
/// Anything that is missing or not what `bundle.json` says; the file is named.
pub(crate) fn read_bundle(folder: &Path) -> Result<Bundle> {
    if !folder.is_dir() {
        return Err(Error::MissingFolder {
            path: folder.to_owned(),
            wanted: WANTED,
        });
    }
    let read = |name: &str| {
        let path = folder.join(name);
        if !path.is_file() {
            return Err(Error::MissingFile {
                path,
                wanted: WANTED,
            });
        }
        std::fs::read(&path).map_err(|source| Error::Read { path, source })
    };
    let mut loader = Loader::new(&read("bundle.json")?)?;
    let paths: Vec<String> = loader
        .files()
        .iter()
        .map(|file| file.path.clone())
        .collect();
    for path in paths {
        loader.add(&path, read(&path)?)?;
    }
    Ok(loader.finish()?)
}

/// Writes a bundle to `folder`: beside it first, then by renaming, so that there is never half a
/// bundle. A bundle that stands there is replaced, anything else is not.
///
/// # Errors
/// When something that is no bundle stands at `folder`, or the disk refuses.
pub fn write_bundle(folder: &Path, files: &[StaticFile]) -> Result<()> {
    write_folder(folder, "bundle.json", files)
}

/// Whether a folder with the file `mark` can be written to `folder`: nothing stands there, or an
/// empty folder or another such.
///
/// # Errors
/// [`Error::Exists`] when something else does.
pub(crate) fn check_place(folder: &Path, mark: &str) -> Result<()> {
    let replaces = folder.join(mark).is_file();
    let empty = folder
        .read_dir()
        .is_ok_and(|mut entries| entries.next().is_none());
    if folder.exists() && !replaces && !empty {
        return Err(Error::Exists {
            path: folder.to_owned(),
        });
    }
    Ok(())
}

/// Writes a folder that is known by its file `mark`, as [`write_bundle`] does.
pub(crate) fn write_folder(folder: &Path, mark: &str, files: &[StaticFile]) -> Result<()> {
    let failed = |source| Error::Write {
        path: folder.to_owned(),
        source,
    };
    check_place(folder, mark)?;
    let absolute = std::path::absolute(folder).map_err(failed)?;
    let parent = absolute.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(parent).map_err(failed)?;
    let staging = tempfile::Builder::new()
        .prefix(".flukeprint-")
        .tempdir_in(parent)
        .map_err(failed)?;
    let fresh = staging.path().join("new");
    for file in files {
        let path = fresh.join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap_or(&fresh)).map_err(failed)?;
        std::fs::write(&path, &file.bytes).map_err(|source| Error::Write { path, source })?;
    }
    if folder.exists() {
        std::fs::rename(folder, staging.path().join("old")).map_err(failed)?;
    }
    std::fs::rename(&fresh, folder).map_err(failed)
}
