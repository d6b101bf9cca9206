//! What no compiler says: no overlong file, no photo of somebody else's.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::run;
use crate::workspace::Workspace;

/// A longer source file is about more than one thing.
const MOST_LINES: usize = 400;

/// What cameras and web sites write.
const PHOTO_FORMATS: [&str; 8] = ["jpg", "jpeg", "webp", "avif", "heic", "tif", "tiff", "bmp"];

/// Source files longer than [`MOST_LINES`].
pub fn long_files(workspace: &Workspace) -> Result<()> {
    let mut long = Vec::new();
    for file in files(workspace)?.into_iter().filter(|file| is_source(file)) {
        let text = fs::read_to_string(workspace.root.join(&file))
            .with_context(|| format!("cannot read {file}"))?;
        let lines = text.lines().count();
        if lines > MOST_LINES {
            long.push(format!("{file} ({lines} lines)"));
        }
    }
    if !long.is_empty() {
        bail!(
            "longer than {MOST_LINES} lines, so split: {}",
            long.join(", ")
        );
    }
    Ok(())
}

/// Real photos belong to the people who took them. Pictures here are drawn by the program and kept
/// as PNG, in `docs` and `www`; any other picture may be a photo and is refused.
pub fn photos(workspace: &Workspace) -> Result<()> {
    let photos: Vec<_> = files(workspace)?
        .into_iter()
        .filter(|file| may_be_photo(file))
        .collect();
    if !photos.is_empty() {
        bail!(
            "may be photos, which must not enter the project: {}",
            photos.join(", ")
        );
    }
    Ok(())
}

/// Every file that git tracks or would add, and that is still there.
fn files(workspace: &Workspace) -> Result<Vec<String>> {
    let mut git = workspace.command("git");
    git.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]);
    let list = run::read(&mut git).context("git cannot list the files of the checkout")?;
    let files = list
        .split('\0')
        .filter(|file| !file.is_empty() && workspace.root.join(file).is_file());
    Ok(files.map(str::to_owned).collect())
}

fn is_source(file: &str) -> bool {
    file.ends_with(".rs") || file.ends_with(".js")
}

fn may_be_photo(file: &str) -> bool {
    let drawn = file.starts_with("docs/") || file.starts_with("www/");
    match file.to_lowercase().rsplit_once('.') {
        Some((_, "png")) => !drawn,
        Some((_, ending)) => PHOTO_FORMATS.contains(&ending),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_refused_outside_docs_and_www() {
        for file in [
            "docs/0a0b0c0d.jpg",
            "tests/fluke.png",
            "www/whale.WEBP",
            "core/src/photo/x.jpeg",
        ] {
            assert!(may_be_photo(file), "{file}");
        }
        for file in [
            "docs/page.png",
            "www/icon.png",
            "www/icon.svg",
            "core/src/photo/mod.rs",
        ] {
            assert!(!may_be_photo(file), "{file}");
        }
    }
}
