//! What the tests run on. `cargo xtask test` builds it and names it in the environment.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

/// The model of the site that most tests use, by its name in the address.
pub const MODEL: &str = "synthetic";
/// The same run exported once more: another title, no thumbnails.
pub const PLAIN: &str = "plain";

/// Where the built site, the program and the photos are.
#[derive(Debug)]
pub struct Fixture {
    /// `FLUKEPRINT_SITE`: the page with its program and the bundle, as it would be hosted.
    pub site: PathBuf,
    /// `FLUKEPRINT_BIN`: the native program.
    pub binary: PathBuf,
    /// `FLUKEPRINT_PHOTOS`: photos of the synthetic catalogue, by name; at least ten.
    pub photos: Vec<PathBuf>,
}

impl Fixture {
    /// Reads the fixture's places from the environment.
    ///
    /// # Errors
    /// If something is missing; the message says to run `cargo xtask test`.
    pub fn from_env() -> Result<Self> {
        let site = place("FLUKEPRINT_SITE")?;
        for needed in [
            "index.html",
            "pkg/flukeprint_web.js",
            "models/synthetic/bundle.json",
            "models/plain/bundle.json",
        ] {
            let file = site.join(needed);
            ensure!(
                file.is_file(),
                "{} is missing: run `cargo xtask test`, which builds it",
                file.display()
            );
        }
        let folder = place("FLUKEPRINT_PHOTOS")?;
        let photos = photos_in(&folder)?;
        let enough = "the tests need ten: run `cargo xtask test`, which draws them";
        ensure!(
            photos.len() >= 10,
            "{} holds {} photos; {enough}",
            folder.display(),
            photos.len()
        );
        Ok(Self {
            site,
            binary: place("FLUKEPRINT_BIN")?,
            photos,
        })
    }

    /// The bundle's folder within the site.
    #[must_use]
    pub fn bundle(&self) -> PathBuf {
        self.site.join("models").join(MODEL)
    }

    /// A copy of the site that a test may damage. The bundle's folder is `models/synthetic` in it.
    ///
    /// # Errors
    /// If a file can't be copied.
    pub fn copy_of_site(&self) -> Result<TempDir> {
        let copy = tempfile::tempdir()?;
        copy_folder(&self.site, copy.path())?;
        Ok(copy)
    }
}

fn place(variable: &str) -> Result<PathBuf> {
    let hint = "run `cargo xtask test`, which prepares what these tests need";
    let path = PathBuf::from(
        env::var_os(variable).with_context(|| format!("{variable} is not set: {hint}"))?,
    );
    ensure!(
        path.exists(),
        "{variable} names {}, which does not exist: {hint}",
        path.display()
    );
    Ok(path)
}

fn photos_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut photos = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if extension.is_some_and(|extension| ["jpg", "png", "webp"].contains(&extension)) {
            photos.push(path);
        }
    }
    photos.sort();
    Ok(photos)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let source = entry?.path();
        let target = to.join(source.file_name().context("a folder's entry has a name")?);
        if source.is_dir() {
            copy_folder(&source, &target)?;
        } else {
            fs::copy(&source, &target).with_context(|| format!("copying {}", source.display()))?;
        }
    }
    Ok(())
}
