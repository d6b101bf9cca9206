//! From the sources to a bundle: the native binary, then its verbs, stage after stage. A stage whose
//! command, binary and forerunners are those of last time is not run again.

use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::workspace::Workspace;
use crate::{models, run, site, web};

/// The folder of the bundle in the site's models, and what the page calls it.
const MODEL: &str = "synthetic";
const TITLE: &str = "Synthetic demo catalogue";
/// The same run once more for the tests, as a model is shipped: without pictures of anybody's photos.
const PLAIN: &str = "plain";
const PLAIN_TITLE: &str = "The same whales, without pictures";
/// What the tables call a whale without a name.
const NEW_WHALE: &str = "new_whale";

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
    /// How much the pose varies, percent: a net that trains for minutes gets easier photos.
    pub pose_percent: u32,
}

/// One run of all stages, with everything it makes in one folder.
pub struct Pipeline<'a> {
    workspace: &'a Workspace,
    folder: PathBuf,
    /// What the next stage depends on: the binary and all commands so far.
    key: u64,
    /// A stage was run, so all later ones must.
    changed: bool,
    /// The models of the site that it made, in the order in which the page offers them.
    exported: Vec<&'static str>,
}

impl<'a> Pipeline<'a> {
    /// A run in `<target>/<name>`.
    pub fn new(workspace: &'a Workspace, name: &str) -> Self {
        Self {
            workspace,
            folder: workspace.target.join(name),
            key: 0,
            changed: false,
            exported: Vec::new(),
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
        self.model(MODEL)
    }

    fn model(&self, name: &str) -> PathBuf {
        self.site().join("models").join(name)
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
            ("--pose-percent", size.pose_percent),
        ] {
            command.arg(flag).arg(value.to_string());
        }
        command.arg("--out").arg(&out);
        self.stage("draw a catalogue of synthetic whales", command, Some(&out))
    }

    /// Trains by a recipe, and tunes on all held-out photos: nobody reports on this run, and the bundle
    /// is the better calibrated the more it was tuned on.
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
        command.args(["--all", "--evidence", "--run"]).arg(&out);
        self.stage("tune the decision on held-out photos", command, None)
    }

    /// Prints what the run is worth, each tenth of the held-out photos by what the others were tuned to.
    pub fn evaluate(&self) -> Result<()> {
        let mut command = self.verb("evaluate");
        command
            .args(["--crossed", "10", "--run"])
            .arg(self.folder.join("run"));
        run::shown(self.workspace, "evaluate", command)
    }

    /// Writes the bundle into the site, with a few photos to try it on.
    pub fn export(&mut self) -> Result<()> {
        self.export_as("export the bundle", MODEL, TITLE, &["--keypoints"])?;
        let photos = self.photos_to_name()?;
        let known = photos.iter().filter(|(_, truth)| truth != NEW_WHALE);
        let new = photos.iter().filter(|(_, truth)| truth == NEW_WHALE);
        let examples: Vec<PathBuf> = known
            .take(3)
            .chain(new.take(1))
            .map(|(photo, _)| photo.clone())
            .collect();
        site::lend(&self.bundle(), &examples)
    }

    /// Writes a second bundle into the site: the same run under another title, with edges as a model is shipped, without
    /// thumbnails and keypoints.
    pub fn export_plain(&mut self) -> Result<()> {
        self.export_as(
            "export the bundle without pictures",
            PLAIN,
            PLAIN_TITLE,
            &["--no-thumbnails", "--edges"],
        )
    }

    fn export_as(
        &mut self,
        stage: &str,
        name: &'static str,
        title: &str,
        flags: &[&str],
    ) -> Result<()> {
        let out = self.model(name);
        let mut command = self.verb("export");
        command
            .args(["--title", title])
            .args(flags)
            .arg("--run")
            .arg(self.folder.join("run"))
            .arg("--out")
            .arg(&out);
        self.stage(stage, command, Some(&out))?;
        self.exported.push(name);
        Ok(())
    }

    /// Puts the page, its program and all models into the site: first those that ship with the
    /// project, then those that this run exported.
    pub fn assemble(&self) -> Result<()> {
        let www = self.workspace.root.join("www");
        let site = self.site();
        site::assemble(&www, &site)?;
        models::offer(&www.join("models"), &site.join("models"), &self.exported)?;
        web::build(self.workspace, &site.join("pkg"))
    }

    /// The photos to be named, and whom they show.
    fn photos_to_name(&self) -> Result<Vec<(PathBuf, String)>> {
        let table = self.folder.join("catalogue/test.csv");
        let text = fs::read_to_string(&table)
            .with_context(|| format!("cannot read {}", table.display()))?;
        let rows = text.lines().skip(1).filter_map(|row| row.split_once(','));
        Ok(rows
            .map(|(photo, truth)| (self.test_photos().join(photo), truth.to_owned()))
            .collect())
    }

    /// Names a whale on a photo that nothing has seen yet, as the page does it: its first whales verified.
    pub fn identify(&self) -> Result<()> {
        let photos = self.photos_to_name()?;
        let (photo, truth) = photos
            .iter()
            .find(|(_, truth)| truth != NEW_WHALE)
            .context("the catalogue has no photo to name")?;
        let mut command = self.verb("identify");
        command.arg("--verify").arg("--bundle");
        command.arg(self.bundle()).arg(photo);
        run::shown(
            self.workspace,
            &format!("name the whale on a photo of {truth}"),
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
        // A training that was interrupted leaves its state beside its folder.
        let unfinished = own_folder.map(|folder| folder.with_extension("unfinished"));
        for stale in [Some(stamp.as_path()), own_folder, unfinished.as_deref()]
            .into_iter()
            .flatten()
            .filter(|path| path.exists())
        {
            site::remove(stale).with_context(|| format!("cannot clear {}", stale.display()))?;
        }
        run::shown(self.workspace, name, command)?;
        fs::create_dir_all(self.folder.join("stamps"))?;
        fs::write(&stamp, key).with_context(|| format!("cannot write {}", stamp.display()))
    }
}

/// Good for telling whether something changed, not for anything else.
fn hash(value: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
