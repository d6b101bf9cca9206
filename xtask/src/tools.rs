//! What the chores need besides cargo, installed where it is missing. Versions are pinned here.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Result, bail};

use crate::run;
use crate::workspace::Workspace;

/// A program that cargo installs.
pub struct Tool {
    package: &'static str,
    version: &'static str,
    /// The program asked for its version; the first one the package installs.
    program: &'static str,
    features: &'static [&'static str],
}

/// Builds the browser package.
const WASM_PACK: Tool = Tool {
    package: "wasm-pack",
    version: "0.15.1",
    program: "wasm-pack",
    features: &[],
};

/// Writes the JavaScript side of the browser package, and runs its tests. The version is that of
/// the `wasm-bindgen` crate in `web/Cargo.toml`. Only HTTPS to a remote driver needs its TLS.
const WASM_BINDGEN: Tool = Tool {
    package: "wasm-bindgen-cli",
    version: "0.2.130",
    program: "wasm-bindgen",
    features: &["--no-default-features"],
};

/// Checks licences, sources and advisories of the dependencies.
const CARGO_DENY: Tool = Tool {
    package: "cargo-deny",
    version: "0.20.2",
    program: "cargo-deny",
    features: &[],
};

/// These tools work for seconds and are compiled while somebody waits: compile them fast.
const FAST_TO_COMPILE: [&str; 5] = [
    "profile.release.opt-level=0",
    "profile.release.lto='off'",
    "profile.release.codegen-units=16",
    "profile.release.debug=false",
    "profile.release.strip=true",
];

/// What builds the page: the wasm target, wasm-pack and wasm-bindgen.
pub fn for_the_page(workspace: &Workspace) -> Result<()> {
    rust_target(workspace, "wasm32-unknown-unknown")?;
    WASM_PACK.install(workspace)?;
    WASM_BINDGEN.install(workspace)
}

/// What checks the dependencies.
pub fn for_licences(workspace: &Workspace) -> Result<()> {
    CARGO_DENY.install(workspace)
}

/// The standard library of a target, by rustup where it is missing.
pub fn rust_target(workspace: &Workspace, triple: &str) -> Result<()> {
    let mut rustc = workspace.command("rustc");
    let folder = run::read(rustc.args(["--print", "target-libdir", "--target", triple]));
    if folder.is_some_and(|folder| PathBuf::from(folder).is_dir()) {
        return Ok(());
    }
    let mut rustup = workspace.command("rustup");
    rustup.args(["target", "add", triple]);
    run::logged(
        workspace,
        &format!("install the Rust target {triple}"),
        rustup,
    )
}

/// The driver of a browser: Debian's Chromium and its driver, by apt where they are missing.
pub fn browser(workspace: &Workspace) -> Result<PathBuf> {
    let find = || {
        Some((
            workspace.which("chromium")?,
            workspace.which("chromedriver")?,
        ))
    };
    if find().is_none() {
        let root = run::read(Command::new("id").arg("-u")).as_deref() == Some("0");
        if !root || workspace.which("apt-get").is_none() {
            bail!(
                "the tests need a browser: install Debian's packages `chromium` and `chromium-driver` \
                 (`sudo apt-get install chromium chromium-driver`) and start again"
            );
        }
        apt(workspace, "read Debian's package lists", &["update"])?;
        apt(
            workspace,
            "install chromium and chromium-driver",
            &[
                "install",
                "--yes",
                "--no-install-recommends",
                "chromium",
                "chromium-driver",
            ],
        )?;
    }
    match find() {
        Some((_, driver)) => Ok(driver),
        None => bail!(
            "`chromium` and `chromedriver` are not on the PATH though their packages are installed"
        ),
    }
}

fn apt(workspace: &Workspace, step: &str, arguments: &[&str]) -> Result<()> {
    let mut apt = workspace.command("apt-get");
    apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
    run::logged(workspace, step, apt)
}

impl Tool {
    /// Does nothing where this version is on the PATH already. The package's own lock file is tried
    /// first; a registry that lacks a version named there gets a second try without it.
    fn install(&self, workspace: &Workspace) -> Result<()> {
        if self.is_there(workspace) {
            return Ok(());
        }
        let step = format!("install {} {}", self.package, self.version);
        let locked = run::logged(workspace, &step, self.command(workspace, &["--locked"]));
        if locked.is_err() {
            let step = step + " without its lock file";
            run::logged(workspace, &step, self.command(workspace, &[]))?;
        }
        if !self.is_there(workspace) {
            bail!(
                "{} is installed but does not say it is version {}",
                self.package,
                self.version
            );
        }
        Ok(())
    }

    fn is_there(&self, workspace: &Workspace) -> bool {
        let said = run::read(workspace.command(self.program).arg("--version"));
        said.is_some_and(|said| said.split_whitespace().nth(1) == Some(self.version))
    }

    fn command(&self, workspace: &Workspace, locked: &[&str]) -> Command {
        let mut cargo = workspace.cargo();
        cargo.args([
            "install",
            "--force",
            "--version",
            self.version,
            self.package,
        ]);
        cargo.args(locked).args(self.features);
        cargo.arg("--root").arg(workspace.tool_folder());
        cargo
            .arg("--target-dir")
            .arg(workspace.tool_folder().join("build"));
        for setting in FAST_TO_COMPILE {
            cargo.args(["--config", setting]);
        }
        cargo
    }
}
