//! `cargo xtask web`: the browser package.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::workspace::Workspace;
use crate::{models, run, tools};

/// The package of wasm-opt: Debian's is too old for what today's rustc writes.
const BINARYEN: &str = "binaryen@132";

/// What the module uses. All features at once would write a module that Chromium refuses.
const WASM_FEATURES: [&str; 7] = [
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
];

#[derive(Args)]
pub struct Options {
    /// Shrink the module by wasm-opt (needs npm) and print its sizes
    #[arg(long)]
    optimize: bool,
}

/// Builds `www/pkg`, and lists the models that are in `www`: with both, it is a site.
pub fn run(workspace: &Workspace, options: Options) -> Result<()> {
    tools::for_the_page(workspace)?;
    let package = workspace.root.join("www/pkg");
    build(workspace, &package)?;
    let module = package.join("flukeprint_web_bg.wasm");
    if options.optimize {
        size(workspace, "as built", &module)?;
        optimize(workspace, &module)?;
        size(workspace, "optimized", &module)?;
    }
    models::list(&workspace.root.join("www/models"))?;
    workspace.say(format!("The package is in {}", package.display()));
    Ok(())
}

/// Builds the browser package into a folder. wasm-pack is kept from downloading anything.
pub fn build(workspace: &Workspace, out: &Path) -> Result<()> {
    let mut pack = workspace.command("wasm-pack");
    pack.args([
        "build",
        "web",
        "--target",
        "web",
        "--release",
        "--mode",
        "no-install",
        "--no-opt",
    ]);
    pack.arg("--out-dir").arg(out).args(["--", "--locked"]);
    run::logged(workspace, "build the browser package", pack)
}

fn optimize(workspace: &Workspace, module: &Path) -> Result<()> {
    let smaller = module.with_extension("wasm.tmp");
    let mut command = workspace.command(wasm_opt(workspace)?);
    command
        .arg("-O2")
        .args(WASM_FEATURES)
        .arg(module)
        .arg("-o")
        .arg(&smaller);
    run::logged(workspace, "optimize the module", command)?;
    fs::rename(&smaller, module).with_context(|| format!("cannot write {}", module.display()))
}

fn wasm_opt(workspace: &Workspace) -> Result<std::path::PathBuf> {
    let program = workspace.tool_folder().join("node_modules/.bin/wasm-opt");
    if !program.exists() {
        if workspace.which("npm").is_none() {
            bail!(
                "--optimize installs {BINARYEN} by npm, which is not here: install Node.js with npm"
            );
        }
        let mut npm = workspace.command("npm");
        npm.arg("install")
            .arg("--prefix")
            .arg(workspace.tool_folder());
        npm.args(["--no-save", "--no-audit", "--no-fund", BINARYEN]);
        run::logged(workspace, &format!("install {BINARYEN}"), npm)?;
    }
    Ok(program)
}

/// The size on the disk and on the wire.
fn size(workspace: &Workspace, what: &str, module: &Path) -> Result<()> {
    let raw = fs::metadata(module)
        .with_context(|| format!("cannot read {}", module.display()))?
        .len();
    let compressed = Command::new("brotli")
        .args(["-q", "11", "--stdout"])
        .arg(module)
        .output();
    let wire = match compressed {
        Ok(output) if output.status.success() => {
            format!("{:.2} MB", megabytes(output.stdout.len() as u64))
        }
        _ => "not measured, the program `brotli` is missing".to_owned(),
    };
    workspace.say(format!(
        "{what}: {:.1} MB, by brotli {wire}",
        megabytes(raw)
    ));
    Ok(())
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
