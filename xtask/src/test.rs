//! `cargo xtask test`: installs what the tests need and runs all of them.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::pipeline::{Catalogue, Pipeline};
use crate::report::Report;
use crate::selection::{self, Selection};
use crate::tools;
use crate::workspace::Workspace;

/// As small as still tells whales apart.
const CATALOGUE: Catalogue = Catalogue {
    seed: 7,
    individuals: 40,
    new_photos: 20,
    test_photos: 10,
    photo_width: 320,
    pose_percent: 100,
};

/// Seconds that the tests of one file may take in the browser.
const BROWSER_TIMEOUT: &str = "300";

/// All tests by themselves.
pub fn run(workspace: &Workspace) -> Result<ExitCode> {
    let driver = install(workspace)?;
    let mut report = Report::default();
    all(workspace, &driver, &mut report);
    Ok(report.close(workspace))
}

/// What the tests need and the machine may lack; gives the browser's driver.
pub fn install(workspace: &Workspace) -> Result<PathBuf> {
    let driver = tools::browser(workspace)?;
    tools::for_the_page(workspace)?;
    Ok(driver)
}

/// All tests, as parts of a report.
pub fn all(workspace: &Workspace, driver: &Path, report: &mut Report) {
    let mut fixture = Pipeline::new(workspace, "test-fixture");
    if report
        .part(workspace, "native build", || fixture.build())
        .is_some()
    {
        report.part(workspace, "small catalogue and its bundles", || {
            fixture.draw(&CATALOGUE)?;
            fixture.train("tiny")?;
            fixture.export()?;
            fixture.export_plain()
        });
    }
    report.part(workspace, "page", || fixture.assemble());

    for selection in &selection::ALL {
        let name = format!("tests, {}", selection.name);
        let mut build = cargo_test(workspace, selection);
        build.arg("--no-run");
        let built = report.command(workspace, &format!("{name}: build"), build);
        if built.is_some() {
            let mut cargo = cargo_test(workspace, selection);
            cargo
                .env("FLUKEPRINT_SITE", fixture.site())
                .env("FLUKEPRINT_BIN", fixture.binary())
                .env("FLUKEPRINT_PHOTOS", fixture.test_photos())
                .env("CHROMEDRIVER", driver)
                .env("WASM_BINDGEN_TEST_TIMEOUT", BROWSER_TIMEOUT);
            report.tests(workspace, &name, cargo);
        }
    }
}

fn cargo_test(workspace: &Workspace, selection: &Selection) -> Command {
    let mut cargo = workspace.cargo();
    cargo
        .args(["test", "--locked", "--release", "--no-fail-fast"])
        .args(selection.arguments);
    cargo.env(
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER",
        "wasm-bindgen-test-runner",
    );
    cargo
}
