//! From the sources to a bundle: the native binary, then its verbs, stage after stage. A stage whose
//! command, binary and forerunners are those of last time is not run again.

use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::run;
use crate::workspace::Workspace;

/// How large a catalogue to draw.
pub struct Catalogue {
    /// Seed of the drawing.
    pub seed: u32,
    /// Known whales.
    pub individuals: u32,
    /// Photos of whales that were never named.
    pub new_photos: u32,
    /// Photos to be named.
    pub test_photos: u32,
    /// Width of a photo in pixels.
    pub photo_width: u32,
}

/// One run of all stages, with everything it makes in one folder.
pub struct Pipeline<'a> {
    workspace: &'a Workspace,
    folder: PathBuf,
    /// What the next stage depends on: the binary and all commands so far.
    key: u64,
    /// A stage was run, so all later ones must.
    changed: bool,
}

impl<'a> Pipeline<'a> {
    /// A run in `<target>/<name>`.
    pub fn new(workspace: &'a Workspace, name: &str) -> Self {
        Self {
            workspace,
            folder: workspace.target.join(name),
            key: 0,
            changed: false,
        }
    }

    /// The native binary.
    pub fn binary(&self) -> PathBuf {
        self.workspace.target.join("release/flukeprint")
    }

    /// The folder of photos to be named.
    pub fn test_photos(&self) -> PathBuf {
        self.folder.join("catalogue/test")
    }

    /// The folder that a web server hands out.
    pub fn site(&self) -> PathBuf {
        self.folder.join("site")
    }

    /// The bundle inside the site.
    pub fn bundle(&self) -> PathBuf {
        self.site().join("models/synthetic")
    }

    /// Builds the binary that runs all later stages.
    pub fn build(&mut self) -> Result<()> {
        let mut cargo = self.workspace.cargo();
        cargo.args(["build", "--locked", "--release", "--package", "flukeprint"]);
        run::logged(self.workspace, "build the native binary", cargo)?;
        let binary = self.binary();
        self.key =
            hash(&fs::read(&binary).with_context(|| format!("cannot read {}", binary.display()))?);
        Ok(())
    }

    /// Draws the catalogue.
    pub fn draw(&mut self, size: &Catalogue) -> Result<()> {
        let out = self.folder.join("catalogue");
        let mut command = self.verb("synth");
        for (flag, value) in [
            ("--seed", size.seed),
            ("--individuals", size.individuals),
            ("--new-photos", size.new_photos),
            ("--test-photos", size.test_photos),
            ("--photo-width", size.photo_width),
        ] {
            command.arg(flag).arg(value.to_string());
        }
        command.arg("--out").arg(&out);
        self.stage("draw a catalogue of synthetic whales", command, Some(&out))
    }

    /// Trains by a recipe, and tunes on the held-out photos.
    pub fn train(&mut self, recipe: &str) -> Result<()> {
        let out = self.folder.join("run");
        let mut command = self.verb("train");
        command.args(["--recipe", recipe]);
        command
            .arg("--data")
            .arg(self.folder.join("catalogue"))
            .arg("--out")
            .arg(&out);
        let recipe_file = fs::read(self.workspace.root.join(recipe)).unwrap_or_default();
        self.key = hash(&(self.key, recipe_file));
        self.stage("train", command, Some(&out))?;
        let mut command = self.verb("tune");
        command.arg("--run").arg(&out);
        self.stage("tune the decision on held-out photos", command, None)
    }

    /// Prints the table of what the run is worth.
    pub fn evaluate(&self) -> Result<()> {
        let mut command = self.verb("evaluate");
        command.arg("--run").arg(self.folder.join("run"));
        run::shown(self.workspace, "evaluate", command)
    }

    /// Writes the bundle into the site.
    pub fn export(&mut self) -> Result<()> {
        let out = self.bundle();
        let mut command = self.verb("export");
        command
            .arg("--run")
            .arg(self.folder.join("run"))
            .arg("--out")
            .arg(&out);
        self.stage("export the bundle", command, Some(&out))
    }

    /// Names the whale on the first of the photos to be named.
    pub fn identify(&self) -> Result<()> {
        let folder = self.test_photos();
        let files =
            fs::read_dir(&folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let photo = files.filter_map(|file| Some(file.ok()?.path())).min();
        let photo = photo.with_context(|| format!("no photo in {}", folder.display()))?;
        let mut command = self.verb("identify");
        command.arg("--bundle").arg(self.bundle());
        command
            .arg("--boxes")
            .arg(self.folder.join("catalogue/bounding_boxes.csv"))
            .arg(&photo);
        run::shown(
            self.workspace,
            &format!("name the whale on {}", photo.display()),
            command,
        )
    }

    fn verb(&self, verb: &str) -> Command {
        let mut command = self.workspace.command(self.binary());
        command.arg(verb);
        command
    }

    /// Runs one stage unless nothing it depends on has changed. A folder of its own is cleared
    /// first. The stamp is written last, so a stage that was cut short runs again.
    fn stage(&mut self, name: &str, command: Command, own_folder: Option<&Path>) -> Result<()> {
        let words: Vec<&OsStr> = command.get_args().collect();
        self.key = hash(&(self.key, words));
        let key = self.key.to_string();
        let stamp = self.folder.join("stamps").join(name.replace(' ', "-"));
        let kept = own_folder.is_none_or(Path::exists)
            && fs::read_to_string(&stamp).is_ok_and(|last| last == key);
        if kept && !self.changed {
            self.workspace
                .say(format!("{name}: nothing has changed, kept from last time"));
            return Ok(());
        }
        self.changed = true;
        for stale in [Some(stamp.as_path()), own_folder]
            .into_iter()
            .flatten()
            .filter(|path| path.exists())
        {
            remove(stale).with_context(|| format!("cannot clear {}", stale.display()))?;
        }
        run::shown(self.workspace, name, command)?;
        fs::create_dir_all(self.folder.join("stamps"))?;
        fs::write(&stamp, key).with_context(|| format!("cannot write {}", stamp.display()))
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    }
}

/// Good for telling whether something changed, not for anything else.
fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
