//! `cargo xtask ci`: what must hold before a change goes in, cheapest first.

use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::report::Report;
use crate::workspace::Workspace;
use crate::{guards, run, test, tools};

const NATIVE: [&str; 3] = ["--workspace", "--exclude", "flukeprint-web"];
const WEB: [&str; 4] = [
    "--package",
    "flukeprint-web",
    "--target",
    "wasm32-unknown-unknown",
];

/// A browser's target, and one without an operating system: `core` must need none.
const CORE_TARGETS: [&str; 2] = ["wasm32-unknown-unknown", "thumbv7em-none-eabihf"];

/// Runs every check, then the tests.
pub fn run(workspace: &Workspace) -> ExitCode {
    let mut report = Report::default();
    let browser = report.part(workspace, "tools", || {
        tools::for_licences(workspace)?;
        test::install(workspace)
    });
    report.part(workspace, "format", || {
        run::logged(
            workspace,
            "format",
            cargo(workspace, &["fmt", "--all", "--check"]),
        )
    });
    report.part(workspace, "long files", || guards::long_files(workspace));
    report.part(workspace, "photos", || guards::photos(workspace));
    report.part(workspace, "licences, bans, sources", || {
        let step = cargo(
            workspace,
            &["deny", "--locked", "check", "licenses", "bans", "sources"],
        );
        run::logged(workspace, "licences, bans, sources", step)
    });
    report.part(workspace, "advisories", || advisories(workspace));
    for triple in CORE_TARGETS {
        report.part(workspace, &format!("core for {triple}"), || {
            core_for(workspace, triple)
        });
    }
    for (place, selection) in [("native", &NATIVE[..]), ("web", &WEB[..])] {
        let step = format!("lints, {place}");
        report.part(workspace, &step, || {
            let mut clippy = cargo(
                workspace,
                &["clippy", "--locked", "--release", "--all-targets"],
            );
            clippy.args(selection).args(["--", "--deny", "warnings"]);
            run::logged(workspace, &step, clippy)
        });
        let step = format!("documentation, {place}");
        report.part(workspace, &step, || {
            let mut doc = cargo(workspace, &["doc", "--locked", "--release", "--no-deps"]);
            doc.args(selection).env("RUSTDOCFLAGS", "--deny warnings");
            run::logged(workspace, &step, doc)
        });
    }
    if let Some(browser) = browser {
        test::all(workspace, &browser, &mut report);
    }
    report.close(workspace)
}

fn core_for(workspace: &Workspace, triple: &str) -> Result<()> {
    tools::rust_target(workspace, triple)?;
    let mut build = cargo(
        workspace,
        &["build", "--locked", "--release", "--no-default-features"],
    );
    build.args(["--package", "flukeprint-core", "--target", triple]);
    run::logged(workspace, &format!("core for {triple}"), build)
}

/// Known faults in dependencies. Their list lives on the network: without it there is nothing to
/// check against, which is said loudly and is no fault of the change.
fn advisories(workspace: &Workspace) -> Result<()> {
    let mut fetch = cargo(workspace, &["deny", "--locked", "fetch", "db"]);
    fetch.env("GIT_TERMINAL_PROMPT", "0");
    if !run::succeeds(fetch) {
        workspace.say("WARNING: advisories were NOT checked, their database could not be fetched");
        return Ok(());
    }
    let step = cargo(
        workspace,
        &["deny", "--locked", "check", "--disable-fetch", "advisories"],
    );
    run::logged(workspace, "advisories", step)
}

fn cargo(workspace: &Workspace, arguments: &[&str]) -> Command {
    let mut cargo = workspace.cargo();
    cargo.args(arguments);
    cargo
}
