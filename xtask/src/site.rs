//! The folder that a web server hands out: the page's files and the browser package; its models are
//! in `models`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// Made elsewhere and put beside the page's files; never taken from them.
const MADE: [&str; 2] = ["pkg", "models"];

/// Brings the page's files in `site` up to date with `www`, and leaves what is made elsewhere alone.
pub fn assemble(www: &Path, site: &Path) -> Result<()> {
    fs::create_dir_all(site).with_context(|| format!("cannot make {}", site.display()))?;
    for entry in fs::read_dir(site).with_context(|| format!("cannot read {}", site.display()))? {
        let entry = entry?;
        if !is_made(&entry) {
            let path = entry.path();
            remove(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    copy_but(www, site, is_made)
}

/// Where a model's photos to try it on are listed.
pub const EXAMPLES: &str = "examples.json";

/// Lends the page a few photos to try a model on.
pub fn lend(model: &Path, examples: &[PathBuf]) -> Result<()> {
    let folder = model.join("examples");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut entries = Vec::new();
    for (number, photo) in examples.iter().enumerate() {
        let name = format!("{}.jpg", number + 1);
        let target = folder.join(&name);
        fs::copy(photo, &target).with_context(|| format!("cannot write {}", target.display()))?;
        entries.push(
            json!({ "file": format!("examples/{name}"), "name": format!("Photo {}", number + 1) }),
        );
    }
    write(&model.join(EXAMPLES), &json!({ "examples": entries }))
}

/// Writes what the page reads.
pub fn write(path: &Path, value: &Value) -> Result<()> {
    fs::write(path, format!("{value:#}\n"))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    copy_but(from, to, |_| false)
}

fn copy_but(from: &Path, to: &Path, left_out: fn(&fs::DirEntry) -> bool) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if left_out(&entry) {
            continue;
        }
        if entry.path().is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)
                .with_context(|| format!("cannot write {}", target.display()))?;
        }
    }
    Ok(())
}

/// Removes a file, or a folder with all that is in it.
pub fn remove(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    }
}

fn is_made(entry: &fs::DirEntry) -> bool {
    MADE.iter().any(|name| entry.file_name() == *name)
}
