//! Where things stand, and the commands started from there.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// The checkout, the build folder, and when the chore began.
pub struct Workspace {
    /// The checkout.
    pub root: PathBuf,
    /// Cargo's build folder; whatever a chore makes goes below it.
    pub target: PathBuf,
    started: Instant,
}

impl Workspace {
    /// Asks cargo, which started this program, for the checkout, and this program's own place for
    /// the build folder: `<target>/<profile>/xtask`. That holds however the folder was chosen.
    pub fn find() -> Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR")
            .context("start this program as `cargo xtask`, from inside the checkout")?;
        let program = env::current_exe().context("cannot find this program's own file")?;
        let root = Path::new(&manifest).parent();
        let target = program.ancestors().nth(2);
        Ok(Self {
            root: root.context("xtask has no parent folder")?.to_owned(),
            target: target
                .context("xtask lies outside a build folder")?
                .to_owned(),
            started: Instant::now(),
        })
    }

    /// Where tools installed for this workspace lie.
    pub fn tool_folder(&self) -> PathBuf {
        self.target.join("tools")
    }

    /// The log file of a step.
    pub fn log(&self, step: &str) -> PathBuf {
        let name: String = step
            .chars()
            .map(|c| if c.is_alphanumeric() { c } else { '-' })
            .collect();
        self.target.join("logs").join(name + ".log")
    }

    /// A command in the checkout that sees the installed tools and the same build folder.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(&self.root)
            .env("PATH", self.search_path())
            .env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// The cargo that started this program.
    pub fn cargo(&self) -> Command {
        self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    /// The first file of that name in the installed tools or on the PATH.
    pub fn which(&self, program: &str) -> Option<PathBuf> {
        env::split_paths(&self.search_path())
            .map(|folder| folder.join(program))
            .find(|file| file.is_file())
    }

    /// How long this chore has been running.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// A line for the person who waits, with the time since the start.
    pub fn say(&self, text: impl AsRef<str>) {
        println!("[{}] {}", clock(self.elapsed()), text.as_ref());
    }

    fn search_path(&self) -> OsString {
        let mut path = self.tool_folder().join("bin").into_os_string();
        if let Some(rest) = env::var_os("PATH") {
            path.push(":");
            path.push(rest);
        }
        path
    }
}

/// Minutes and seconds, `mm:ss`.
pub fn clock(time: Duration) -> String {
    format!("{:02}:{:02}", time.as_secs() / 60, time.as_secs() % 60)
}
