//! A small catalogue, a run on it and its bundle, made once by the real command.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses a part

pub mod evidence;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::Duration;
use tempfile::TempDir;

/// The command with its first arguments.
pub fn flukeprint(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flukeprint"));
    command.args(arguments);
    command
}

/// Runs a command that must succeed.
pub fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// The one line that the command printed, with exit code 2.
pub fn refusal(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(output.stdout.is_empty());
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("flukeprint: "))
        .collect();
    assert_eq!(lines.len(), 1, "{text}");
    assert!(
        text.trim_end().ends_with(lines[0]),
        "nothing follows the line: {text}"
    );
    lines[0].to_owned()
}

/// Draws `catalogue`, trains and tunes `run` on it and packs `bundle`, all in `folder`.
pub fn make(folder: &Path, threads: &str) {
    let at = |name: &str| folder.join(name);
    let verb = |words: &str| {
        let mut command = flukeprint(&words.split(' ').collect::<Vec<_>>());
        command.env("RAYON_NUM_THREADS", threads);
        command
    };
    let synth =
        "synth --seed 5 --individuals 30 --new-photos 12 --test-photos 6 --photo-width 160 --out";
    succeed(verb(synth).arg(at("catalogue")));
    let mut train = verb("train --recipe tiny --data");
    succeed(train.arg(at("catalogue")).arg("--out").arg(at("run")));
    succeed(verb("tune --run").arg(at("run")));
    let mut export = verb("export --date 2026-01-01 --run");
    succeed(export.arg(at("run")).arg("--out").arg(at("bundle")));
}

fn made() -> &'static TempDir {
    static MADE: OnceLock<TempDir> = OnceLock::new();
    MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        make(folder.path(), "2");
        folder
    })
}

/// A catalogue of 30 whales.
pub fn catalogue() -> &'static Path {
    part("catalogue")
}

/// A tuned run on it.
pub fn run_folder() -> &'static Path {
    part("run")
}

/// The run's bundle.
pub fn bundle() -> &'static Path {
    part("bundle")
}

fn part(name: &'static str) -> &'static Path {
    static PATHS: OnceLock<Vec<PathBuf>> = OnceLock::new();
    let paths = PATHS.get_or_init(|| {
        ["catalogue", "run", "bundle"]
            .map(|part| made().path().join(part))
            .to_vec()
    });
    paths.iter().find(|path| path.ends_with(name)).unwrap()
}

/// A copy of a folder to spoil.
pub fn copy(folder: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    copy_into(folder, copy.path());
    copy
}

fn copy_into(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => {
                fs::create_dir(&target).unwrap();
                copy_into(&entry.path(), &target);
            }
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

/// The test photos in a folder of their own, one of them in a folder in it, beside a note.
pub fn season() -> tempfile::TempDir {
    let season = copy(&catalogue().join("test"));
    fs::write(season.path().join("notes.txt"), "calm sea").unwrap();
    let photos = photos_of(season.path());
    let last = photos.last().unwrap();
    fs::create_dir(season.path().join("later")).unwrap();
    let name = last.file_name().unwrap();
    fs::rename(last, season.path().join("later").join(name)).unwrap();
    season
}

/// The photos of a folder by name.
pub fn photos_of(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut photos: Vec<PathBuf> = entries.filter(|path| path.is_file()).collect();
    photos.retain(|path| path.extension().is_some_and(|ending| ending == "jpg"));
    photos.sort();
    photos
}

/// The last part of a path.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// The table as a map a row, by column.
pub fn table(path: &Path) -> Vec<HashMap<String, String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows = reader.deserialize();
    rows.map(Result::unwrap).collect()
}

/// The one line of a refusal, with exit code 2.
pub fn refused(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    let mut lines = text.lines().filter(|line| line.starts_with("flukeprint: "));
    let line = lines.next().unwrap().to_owned();
    assert_eq!(lines.next(), None, "{text}");
    line
}

/// Epochs that an unfinished or finished run has told of.
pub fn epochs_done(run: &Path) -> usize {
    fs::read_to_string(run.join("events.jsonl")).map_or(0, |text| text.lines().count())
}

/// Trains into `whole` in one go and into `pieces`, both in `place`, with SIGKILL every two epochs, then
/// `train --resume`; the same files must come of it, and nothing else be left. `fresh` begins a training.
pub fn whole_and_in_pieces(place: &Path, files: &[&str], fresh: &dyn Fn(&Path) -> Command) {
    let (whole, pieces) = (place.join("whole"), place.join("pieces"));
    succeed(&mut fresh(&whole));
    let unfinished = place.join("pieces.unfinished");
    let mut kills = 0;
    let mut command = fresh(&pieces);
    loop {
        let before = epochs_done(&unfinished);
        let mut child = command.spawn().unwrap();
        // Two epochs a life: some of the kills hit an epoch half way, some a checkpoint.
        while epochs_done(&unfinished) < before + 2 && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(3));
        }
        if child.try_wait().unwrap().is_some() {
            break;
        }
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        kills += 1;
        command = flukeprint(&["train", "--resume", "--out"]);
        command.arg(&pieces).stderr(Stdio::null());
    }
    assert!(kills >= 2, "it was killed {kills} times only");
    assert!(!unfinished.exists());
    for file in files {
        let [a, b] = [&pieces, &whole].map(|run| fs::read(run.join(file)).unwrap());
        assert!(a == b, "{file} differs");
    }
    assert_eq!(epochs_done(&pieces), epochs_done(&whole));
    let names = |run: &Path| {
        let entries = fs::read_dir(run).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&pieces), names(&whole), "nothing else is left behind");
}
