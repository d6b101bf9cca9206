//! The models of a site. A model is a folder with a `bundle.json`; `models.json` lists them for the
//! page, which opens with the first.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::site;

/// What a model is known by.
const MANIFEST: &str = "bundle.json";
/// What a model was trained on, is worth and must not be used for; the page links to it.
const CARD: &str = "MODEL_CARD.md";

/// Brings the models of a site up to date: copies of all `shipped` ones, then its `own` in their order.
/// What else is there was a model of another day and goes.
pub fn offer(shipped: &Path, models: &Path, own: &[&str]) -> Result<()> {
    fs::create_dir_all(models).with_context(|| format!("cannot make {}", models.display()))?;
    for name in entries(models)? {
        if !own.contains(&name.as_str()) {
            let stale = models.join(name);
            site::remove(&stale).with_context(|| format!("cannot remove {}", stale.display()))?;
        }
    }
    let mut names = models_in(shipped)?;
    for name in &names {
        if own.contains(&name.as_str()) {
            let folder = shipped.join(name);
            bail!(
                "{} has the name of a model that is made here: rename it",
                folder.display()
            );
        }
        site::copy(&shipped.join(name), &models.join(name))?;
    }
    names.extend(own.iter().map(|&name| name.to_owned()));
    write_list(models, &names)
}

/// Lists the models that are in the folder, by name. Without any nothing is written.
pub fn list(models: &Path) -> Result<()> {
    let names = models_in(models)?;
    if names.is_empty() {
        return Ok(());
    }
    write_list(models, &names)
}

fn write_list(models: &Path, names: &[String]) -> Result<()> {
    let list = names
        .iter()
        .map(|name| describe(models, name))
        .collect::<Result<Vec<Value>>>()?;
    site::write(&models.join("models.json"), &json!({ "models": list }))
}

/// What the page says about a model before it has loaded it.
fn describe(models: &Path, name: &str) -> Result<Value> {
    let folder = models.join(name);
    let file = folder.join(MANIFEST);
    let text = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let manifest: Value = serde_json::from_slice(&text)
        .with_context(|| format!("{} is no manifest", file.display()))?;
    let title = manifest["title"]
        .as_str()
        .with_context(|| format!("{} has no title", file.display()))?;
    let files = manifest["files"]
        .as_object()
        .with_context(|| format!("{} lists no files", file.display()))?;
    // What is fetched before the first photo; thumbnails come one by one, when they are shown.
    let bytes = text.len() as u64
        + files
            .values()
            .filter_map(|file| file["bytes"].as_u64())
            .sum::<u64>();
    let mut model = json!({ "path": name, "title": title, "bytes": bytes });
    for (key, file) in [("card", CARD), ("examples", site::EXAMPLES)] {
        if folder.join(file).is_file() {
            model[key] = json!(file);
        }
    }
    Ok(model)
}

/// Names of the folders that hold a model, sorted; none where there is no such folder.
fn models_in(folder: &Path) -> Result<Vec<String>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = entries(folder)?;
    names.retain(|name| folder.join(name).join(MANIFEST).is_file());
    names.sort();
    Ok(names)
}

fn entries(folder: &Path) -> Result<Vec<String>> {
    let unreadable = || format!("cannot read {}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(unreadable)? {
        let name = entry.with_context(unreadable)?.file_name();
        names.push(name.to_string_lossy().into_owned());
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;
    use tempfile::TempDir;

    /// A folder of shipped models and one of a site, both empty.
    struct Folders(TempDir);

    impl Folders {
        fn new() -> Self {
            let folders = Self(tempfile::tempdir().unwrap());
            fs::create_dir(folders.shipped()).unwrap();
            fs::create_dir(folders.site()).unwrap();
            folders
        }

        fn shipped(&self) -> PathBuf {
            self.0.path().join("shipped")
        }

        fn site(&self) -> PathBuf {
            self.0.path().join("site")
        }

        fn offer(&self, own: &[&str]) -> Result<()> {
            offer(&self.shipped(), &self.site(), own)
        }

        fn listed(&self) -> Value {
            let text = fs::read(self.site().join("models.json")).unwrap();
            serde_json::from_slice::<Value>(&text).unwrap()["models"].take()
        }
    }

    fn put_model(models: &Path, name: &str, title: &str) -> PathBuf {
        let folder = models.join(name);
        fs::create_dir(&folder).unwrap();
        let manifest = json!({
            "title": title,
            "files": { "weights": { "path": "w", "bytes": 1000 }, "index": { "path": "i", "bytes": 200 } },
        });
        fs::write(folder.join(MANIFEST), manifest.to_string()).unwrap();
        folder
    }

    #[test]
    fn shipped_models_come_first_and_bring_their_card() {
        let folders = Folders::new();
        let mine = put_model(&folders.site(), "mine", r#"Ours, "the" drawn"#);
        fs::write(mine.join("examples.json"), "{}").unwrap();
        let shipped = put_model(&folders.shipped(), "real", "Real whales");
        fs::write(shipped.join(CARD), "What it is worth.").unwrap();
        folders.offer(&["mine"]).unwrap();

        let listed = folders.listed();
        let manifest_bytes = fs::metadata(shipped.join(MANIFEST)).unwrap().len();
        assert_eq!(
            listed[0],
            json!({ "path": "real", "title": "Real whales", "bytes": manifest_bytes + 1200, "card": CARD })
        );
        assert_eq!(listed[1]["path"], "mine");
        assert_eq!(listed[1]["title"], r#"Ours, "the" drawn"#);
        assert_eq!(listed[1]["examples"], "examples.json");
        assert!(listed[1].get("card").is_none());
        let copied = fs::read_to_string(folders.site().join("real").join(CARD)).unwrap();
        assert_eq!(copied, "What it is worth.");
    }

    #[test]
    fn a_checkout_without_shipped_models_offers_its_own_alone() {
        let folders = Folders::new();
        fs::remove_dir(folders.shipped()).unwrap();
        put_model(&folders.site(), "mine", "Ours");
        folders.offer(&["mine"]).unwrap();
        assert_eq!(folders.listed().as_array().unwrap().len(), 1);
    }

    #[test]
    fn a_model_that_is_no_longer_shipped_leaves_the_site() {
        let folders = Folders::new();
        put_model(&folders.site(), "mine", "Ours");
        let shipped = put_model(&folders.shipped(), "real", "Real whales");
        folders.offer(&["mine"]).unwrap();
        assert!(folders.site().join("real").is_dir());
        fs::remove_dir_all(shipped).unwrap();
        folders.offer(&["mine"]).unwrap();
        assert!(!folders.site().join("real").exists());
        assert!(folders.site().join("mine").is_dir());
    }

    #[test]
    fn a_shipped_model_does_not_replace_one_that_is_made_here() {
        let folders = Folders::new();
        put_model(&folders.site(), "mine", "Ours");
        put_model(&folders.shipped(), "mine", "Theirs");
        let error = folders.offer(&["mine"]).unwrap_err().to_string();
        assert!(error.contains("mine"), "{error}");
    }
}
