//! `cargo xtask humpback`: the model of real whales that ships in `www/models/humpback`, from photos to
//! bundle. Takes hours; what is finished is kept, and an interrupted training goes on.

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
/// What may be downloaded before the first photo is named.
const MOST_BYTES: u64 = 8 << 20;

#[derive(Args)]
pub struct Options {
    /// Folder with `hwi` (Kaggle's layout), `boxes` and `weights/mobilenet_v2_imagenet.safetensors`
    #[arg(long)]
    data: PathBuf,
    /// Day of the export, YYYY-MM-DD [default: today]
    #[arg(long)]
    date: Option<String>,
}

/// Trains the finder on whole photos, the network in five runs, and packs the last.
pub fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    let mut cargo = workspace.cargo();
    cargo.args(["build", "--locked", "--release", "--package", "flukeprint"]);
    run::logged(workspace, "build the native binary", cargo)?;
    let made = Made {
        workspace,
        folder: workspace.target.join(NAME),
    };
    fs::create_dir_all(&made.folder)?;
    let data = |name: &str| options.data.join(name);

    let whole = made.folder.join("boxes");
    boxes::catalogue(&data("boxes"), &whole)?;
    made.train("humpback-finder", &["--data".as_ref(), &whole])?;
    let finder = made.run_of("humpback-finder");
    let (hwi, weights) = (
        data("hwi"),
        data("weights/mobilenet_v2_imagenet.safetensors"),
    );
    let from = [
        "--data".as_ref(),
        hwi.as_path(),
        "--start".as_ref(),
        &weights,
    ];
    made.train("humpback-first", &from)?;
    let first = made.run_of("humpback-first");
    let from = ["--data".as_ref(), hwi.as_path(), "--start".as_ref(), &first];
    made.train("humpback-mirrored", &from)?;
    let mirrored = made.run_of("humpback-mirrored");
    let from = [
        "--data".as_ref(),
        hwi.as_path(),
        "--start".as_ref(),
        &mirrored,
    ];
    made.train("humpback-strong", &from)?;
    let strong = made.run_of("humpback-strong");
    let from = [
        "--data".as_ref(),
        hwi.as_path(),
        "--start".as_ref(),
        &strong,
    ];
    made.train("humpback-large", &from)?;

    let large = made.run_of("humpback-large");
    made.show("choose the decision", "tune", &large, &["--all", "--edges"])?;
    let crossed = ["--evidence", "--crossed", "10"];
    made.show("measure on held-out photos", "evaluate", &large, &crossed)?;
    let from = [
        "--all-of".as_ref(),
        large.as_path(),
        "--start".as_ref(),
        &large,
        "--finder".as_ref(),
        &finder,
    ];
    made.train("humpback-all", &from)?;
    made.export(options.date.as_deref())
}

/// What this chore makes, in the build folder.
struct Made<'a> {
    workspace: &'a Workspace,
    folder: PathBuf,
}

impl Made<'_> {
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

    /// Packs the last run without any picture, and puts it where models ship, beside its card.
    fn export(&self, date: Option<&str>) -> Result<()> {
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
        self.show(
            "pack the bundle",
            "export",
            &self.run_of("humpback-all"),
            &words,
        )?;
        let bytes = size(&bundle)?;
        if bytes > MOST_BYTES {
            bail!("the bundle has {bytes} bytes, more than the {MOST_BYTES} that a phone may load");
        }
        let ships = self.workspace.root.join("www/models").join(NAME);
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
