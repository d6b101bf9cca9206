//! The folder that a web server hands out: the page's files, the browser package, the bundle.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// Made elsewhere and put beside the page's files; never taken from them.
const MADE: [&str; 2] = ["pkg", "models"];

/// Brings the page's files in `site` up to date with `www`, and leaves what is made elsewhere alone.
pub fn assemble(www: &Path, site: &Path) -> Result<()> {
    fs::create_dir_all(site).with_context(|| format!("cannot make {}", site.display()))?;
    for entry in fs::read_dir(site).with_context(|| format!("cannot read {}", site.display()))? {
        let entry = entry?;
        if !is_made(&entry) {
            let path = entry.path();
            let removed = if path.is_dir() {
                fs::remove_dir_all(&path)
            } else {
                fs::remove_file(&path)
            };
            removed.with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    copy(www, site)
}

/// Lists the one model of the site, and lends the page a few photos to try it on.
pub fn introduce(site: &Path, model: &str, title: &str, examples: &[PathBuf]) -> Result<()> {
    let models = site.join("models");
    let folder = models.join(model).join("examples");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut entries = Vec::new();
    for (number, photo) in examples.iter().enumerate() {
        let name = format!("{}.jpg", number + 1);
        let target = folder.join(&name);
        fs::copy(photo, &target).with_context(|| format!("cannot write {}", target.display()))?;
        entries.push(format!(
            r#"{{"file":"examples/{name}","name":"Photo {}"}}"#,
            number + 1
        ));
    }
    // The words are ours and need no escaping.
    let list = format!(r#"{{"examples":[{}]}}"#, entries.join(","));
    write(&models.join(model).join("examples.json"), &list)?;
    let list = format!(r#"{{"models":[{{"path":"{model}","title":"{title}"}}]}}"#);
    write(&models.join("models.json"), &list)
}

fn write(path: &Path, text: &str) -> Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            if !is_made(&entry) {
                copy(&entry.path(), &target)?;
            }
        } else {
            fs::copy(entry.path(), &target)
                .with_context(|| format!("cannot write {}", target.display()))?;
        }
    }
    Ok(())
}

fn is_made(entry: &fs::DirEntry) -> bool {
    MADE.iter().any(|name| entry.file_name() == *name)
}
