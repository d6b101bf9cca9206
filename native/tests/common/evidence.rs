//! A bundle with keypoints, made once.

use super::{catalogue, copy, file_name, flukeprint, refused, run_folder, succeed};
use serde_json::Value;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;

pub fn export(run: &Path, out: &Path) -> Command {
    let mut command = flukeprint(&["export", "--date", "2026-01-01", "--keypoints", "--run"]);
    command.arg(run).arg("--out").arg(out);
    command
}

/// A bundle with keypoints, in the folder of its run.
pub fn with_keypoints() -> &'static Path {
    static MADE: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let made = MADE.get_or_init(|| {
        let run = copy(run_folder());
        let refusal = refused(&mut export(run.path(), &run.path().join("bundle")));
        assert!(refusal.contains("tune --evidence"), "{refusal}");
        let tuned = succeed(flukeprint(&["tune", "--evidence", "--run"]).arg(run.path()));
        let told = String::from_utf8(tuned.stdout).unwrap();
        assert!(told.contains("verifying the first whales"), "{told}");
        assert!(told.contains("with the catalogue's vote"), "{told}");
        let out = run.path().join("bundle");
        succeed(&mut export(run.path(), &out));
        (run, out)
    });
    &made.1
}

pub fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The individuals' file of a bundle.
pub fn individuals(bundle: &Path) -> Value {
    let manifest = json(&bundle.join("bundle.json"));
    let path = manifest["files"]["individuals"]["path"].as_str().unwrap();
    json(&bundle.join(path))
}

/// A photo that the gallery holds, of a whale that it knows.
pub fn known_photo() -> PathBuf {
    let individuals = individuals(with_keypoints());
    let photos = individuals["photos"].as_array().unwrap();
    let known = photos.iter().find(|photo| photo["individual"].is_u64());
    let file = known.unwrap()["file"].as_str().unwrap();
    catalogue().join("train").join(file)
}

/// The share of `photos` whose first label is right by what a bundle says of its operating points: where a missed match costs
/// as much as a false one, the verdict is the first label, and what is not missed, mistaken or falsely matched is right.
pub fn right(manifest: &Value, photos: &[PathBuf], labels: &HashMap<String, String>) -> f64 {
    let points = manifest["operating"].as_array().unwrap();
    let even = points.iter().find(|one| one["missed_cost"] == 1.0).unwrap();
    let rate = |name: &str| even[name].as_f64().unwrap();
    let is_new = |photo: &&PathBuf| labels[&file_name(photo)] == "new_whale";
    let new = photos.iter().filter(is_new).count() as f64;
    let known = photos.len() as f64 - new;
    let wrong = known * (rate("missed") + rate("mistaken")) + new * rate("false_match");
    1.0 - wrong / photos.len() as f64
}
