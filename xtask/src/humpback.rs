//! `cargo xtask humpback`: the model of real whales that ships in `www/models/humpback`, from photos to
//! bundle. Takes hours; what is finished is kept, and an interrupted training goes on. With `--kept` it takes minutes:
//! the network that ships stays, and everything after training is done again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::boxes;
use crate::workspace::Workspace;
use crate::{run, site};

/// The model's folder below `www/models`.
const NAME: &str = "humpback";
const TITLE: &str = "Humpback whales, 1,645 individuals";
/// The recipes that the network learns by, each from what the one before has learnt.
const STEPS: [&str; 4] = [
    "humpback-first",
    "humpback-mirrored",
    "humpback-strong",
    "humpback-large",
];
/// The collection in Kaggle's layout, below `--data`.
const PHOTOS: &str = "hwi";
/// The weights that the first recipe begins with, likewise.
const WEIGHTS: &str = "weights/mobilenet_v2_imagenet.safetensors";
/// What may be downloaded before the first photo is named.
const MOST_BYTES: u64 = 8 << 20;

#[derive(Args)]
pub struct Options {
    /// Folder with `hwi` (Kaggle's layout), `boxes` and `weights/mobilenet_v2_imagenet.safetensors`
    #[arg(long)]
    data: PathBuf,
    /// Train nothing: the network and the fluke finder that ship stay as they are, edges are traced, the decision chosen
    /// and everything packed anew
    #[arg(long)]
    kept: bool,
    /// Day of the export, YYYY-MM-DD [default: today]
    #[arg(long)]
    date: Option<String>,
}

/// Trains the finder on whole photos and the network in five runs, or takes those that ship, and packs what comes of it.
pub fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    options.check()?;
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--locked", "--release", "--package", "flukeprint"]);
    run::logged(workspace, "build the native binary", cargo)?;
    let made = Made {
        workspace,
        folder: workspace.target.join(NAME),
    };
    fs::create_dir_all(&made.folder)?;
    let last = match options.kept {
        true => made.keep(&options.data)?,
        false => made.learn(&options.data)?,
    };
    made.export(&last, options.date.as_deref())
}

impl Options {
    /// That what is needed is there, before minutes are spent on a build.
    fn check(&self) -> Result<()> {
        let labels = Path::new(PHOTOS).join("train.csv");
        let learnt = [Path::new("boxes/boxes.csv"), Path::new(WEIGHTS)];
        let learnt = learnt.into_iter().filter(|_| !self.kept);
        let needed = std::iter::once(labels.as_path()).chain(learnt);
        for path in needed.map(|path| self.data.join(path)) {
            if !path.exists() {
                bail!(
                    "{} is not there; `cargo xtask humpback --help` says what --data holds",
                    path.display()
                );
            }
        }
        Ok(())
    }
}

/// What this chore makes, in the build folder.
struct Made<'a> {
    workspace: &'a Workspace,
    folder: PathBuf,
}

impl Made<'_> {
    /// A run with the network that ships, tuned and measured.
    fn keep(&self, data: &Path) -> Result<PathBuf> {
        let kept = self.run_of("humpback-kept");
        if kept.exists() {
            // Of another network, maybe.
            site::remove(&kept)?;
        }
        let ships = self.ships();
        let (hwi, ships) = (data.join(PHOTOS), ships.as_path());
        let from = [
            "--data".as_ref(),
            hwi.as_path(),
            "--start".as_ref(),
            ships,
            "--finder".as_ref(),
            ships,
        ];
        self.train("humpback-kept", &from)?;
        self.judge(&kept, "--edges")?;
        Ok(kept)
    }

    /// The last of the runs that learn, which has learnt from the held-out photos too; the one before it was tuned and
    /// measured.
    fn learn(&self, data: &Path) -> Result<PathBuf> {
        let whole = self.folder.join("boxes");
        boxes::catalogue(&data.join("boxes"), &whole)?;
        self.train("humpback-finder", &["--data".as_ref(), &whole])?;
        let hwi = data.join(PHOTOS);
        let mut start = data.join(WEIGHTS);
        for recipe in STEPS {
            let from = ["--data".as_ref(), hwi.as_path(), "--start".as_ref(), &start];
            self.train(recipe, &from)?;
            start = self.run_of(recipe);
        }
        self.judge(&start, "--evidence")?;
        let finder = self.run_of("humpback-finder");
        let from = [
            "--all-of".as_ref(),
            start.as_path(),
            "--start".as_ref(),
            &start,
            "--finder".as_ref(),
            &finder,
        ];
        self.train("humpback-all", &from)?;
        Ok(self.run_of("humpback-all"))
    }

    /// Chooses the decision of a run, and prints what the way of choosing is worth.
    fn judge(&self, run: &Path, beside: &str) -> Result<()> {
        self.show("choose the decision", "tune", run, &["--all", "--edges"])?;
        let crossed = [beside, "--crossed", "10"];
        self.show("measure on held-out photos", "evaluate", run, &crossed)
    }

    /// Where the model ships.
    fn ships(&self) -> PathBuf {
        self.workspace.root.join("www/models").join(NAME)
    }

    fn run_of(&self, recipe: &str) -> PathBuf {
        self.folder.join(recipe)
    }

    fn verb(&self, verb: &str) -> Command {
        let binary = self.workspace.target.join("release/flukeprint");
        let mut command = self.workspace.command(binary);
        command.arg(verb);
        // The C library of Linux otherwise gives the maps of every layer back to the system, which
        // takes a quarter of the time.
        command.env("MALLOC_MMAP_THRESHOLD_", "4294967296");
        command.env("MALLOC_TRIM_THRESHOLD_", "8589934592");
        command
    }

    /// Trains by a shipped recipe, unless that was done before.
    fn train(&self, recipe: &str, from: &[&Path]) -> Result<()> {
        let out = self.run_of(recipe);
        if out.exists() {
            self.workspace.say(format!("{recipe}: kept from last time"));
            return Ok(());
        }
        let mut command = self.verb("train");
        match out.with_extension("unfinished").exists() {
            true => command.arg("--resume"),
            false => command.args(["--recipe", recipe]).args(from),
        };
        run::shown(self.workspace, &format!("train {recipe}"), {
            command.arg("--out").arg(&out);
            command
        })
    }

    fn show(&self, step: &str, verb: &str, run_folder: &Path, more: &[&str]) -> Result<()> {
        let mut command = self.verb(verb);
        command.arg("--run").arg(run_folder).args(more);
        run::shown(self.workspace, step, command)
    }

    /// Packs a run without any picture, and puts it where models ship, beside its card.
    fn export(&self, last: &Path, date: Option<&str>) -> Result<()> {
        let bundle = self.folder.join("bundle");
        let out = bundle.display().to_string();
        let mut words = vec![
            "--no-thumbnails",
            "--edges",
            "--title",
            TITLE,
            "--out",
            &out,
        ];
        words.extend(date.iter().flat_map(|&date| ["--date", date]));
        self.show("pack the bundle", "export", last, &words)?;
        let bytes = size(&bundle)?;
        if bytes > MOST_BYTES {
            bail!("the bundle has {bytes} bytes, more than the {MOST_BYTES} that a phone may load");
        }
        let ships = self.ships();
        for entry in fs::read_dir(&ships).into_iter().flatten() {
            let path = entry?.path();
            if path.extension().is_none_or(|end| end != "md") {
                site::remove(&path)?;
            }
        }
        site::copy(&bundle, &ships)?;
        let ships = ships.display();
        self.workspace.say(format!(
            "{ships}: {bytes} bytes; see that the figures in its MODEL_CARD.md are still true"
        ));
        Ok(())
    }
}

/// Bytes of the files in a folder.
fn size(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?
    {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_before_anything_is_built() {
        let folder = tempfile::tempdir().unwrap();
        let options = |kept| Options {
            data: folder.path().to_owned(),
            kept,
            date: None,
        };
        let missing = |kept| options(kept).check().unwrap_err().to_string();
        let write = |path: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        };
        assert!(missing(true).contains("train.csv"));
        write("hwi/train.csv");
        options(true).check().unwrap();
        assert!(missing(false).contains("boxes.csv"));
        write("boxes/boxes.csv");
        assert!(missing(false).contains("mobilenet_v2_imagenet.safetensors"));
        write("weights/mobilenet_v2_imagenet.safetensors");
        options(false).check().unwrap();
    }
}
