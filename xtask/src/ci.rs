//! `cargo xtask ci`: what must hold before a change goes in, cheapest first.

use std::process::{Command, ExitCode};

use crate::report::Report;
use crate::workspace::Workspace;
use crate::{guards, run, selection, test, tools};

/// A browser's target, and one without an operating system: `core` must need none.
const CORE_TARGETS: [&str; 2] = ["wasm32-unknown-unknown", "thumbv7em-none-eabihf"];

/// Runs every check, then the tests.
pub fn run(workspace: &Workspace) -> ExitCode {
    let mut report = Report::default();
    let driver = report.part(workspace, "tools", || {
        tools::for_licences(workspace)?;
        for triple in CORE_TARGETS {
            tools::rust_target(workspace, triple)?;
        }
        test::install(workspace)
    });
    report.part(workspace, "long files", || guards::long_files(workspace));
    report.part(workspace, "photos", || guards::photos(workspace));
    let format = cargo(workspace, "fmt --all --check");
    report.command(workspace, "format", format);
    dependencies(workspace, &mut report);
    for triple in CORE_TARGETS {
        let mut build = cargo(workspace, "build --locked --release --no-default-features");
        build.args(["--package", "flukeprint-core", "--target", triple]);
        report.command(workspace, &format!("core for {triple}"), build);
    }
    lints_and_documentation(workspace, &mut report);
    graphics(workspace, &mut report);
    if let Some(driver) = driver {
        test::all(workspace, &driver, &mut report);
    }
    report.close(workspace)
}

fn lints_and_documentation(workspace: &Workspace, report: &mut Report) {
    for selection in &selection::ALL {
        let mut clippy = cargo(workspace, "clippy --locked --release --all-targets");
        clippy.args(selection.arguments);
        clippy.args(["--", "--deny", "warnings"]);
        report.command(workspace, &format!("lints, {}", selection.name), clippy);

        let mut doc = cargo(workspace, "doc --locked --release --no-deps");
        doc.args(selection.arguments);
        doc.env("RUSTDOCFLAGS", "--deny warnings");
        report.command(
            workspace,
            &format!("documentation, {}", selection.name),
            doc,
        );
    }
}

/// Type-checks what only builds for GPUs compile, in one command with all their features. It stands
/// behind the lints, whose compiled dependencies it shares but for burn's. `cubecl-llvm` fetches
/// hundreds of megabytes unless it believes to be documented, which is enough to be checked.
fn graphics(workspace: &Workspace, report: &mut Report) {
    let mut check = cargo(workspace, "clippy --locked --release --lib --bins");
    check.args(selection::NATIVE.arguments);
    check.args(["--features", "flukeprint/cuda-nvrtc,flukeprint/vulkan"]);
    check.args(["--", "--deny", "warnings"]);
    check.env("DOCS_RS", "1");
    report.command(workspace, "lints, with cuda and wgpu", check);
}

/// Licences, bans and sources always. The list of known faults lives on the network: without it
/// there is nothing to check against, which is said loudly and is no fault of the change.
fn dependencies(workspace: &Workspace, report: &mut Report) {
    let rules = cargo(workspace, "deny --locked check licenses bans sources");
    report.command(workspace, "licences, bans, sources", rules);

    let mut fetch = cargo(workspace, "deny --locked fetch db");
    fetch.env("GIT_TERMINAL_PROMPT", "0");
    if run::succeeds(fetch) {
        let faults = cargo(workspace, "deny --locked check --disable-fetch advisories");
        report.command(workspace, "advisories", faults);
    } else {
        report.warn(
            workspace,
            "advisories: NOT CHECKED, their database could not be fetched",
        );
    }
}

fn cargo(workspace: &Workspace, words: &str) -> Command {
    let mut cargo = workspace.cargo();
    cargo.args(words.split(' '));
    cargo
}
