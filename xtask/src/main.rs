//! The chores of the workspace. `cargo xtask --help` lists them.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line talks to a terminal"
)]

mod boxes;
mod ci;
mod demo;
mod guards;
mod humpback;
mod models;
mod output;
mod pipeline;
mod report;
mod run;
mod selection;
mod site;
mod test;
mod tools;
mod web;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// The chores of the Flukeprint workspace.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// From nothing to a named whale and a served page, on a synthetic catalogue
    Demo(demo::Options),
    /// Install what the tests need and run all of them
    Test,
    /// What must hold before a change goes in: format, lints, docs, licences, no_std, tests
    Ci,
    /// The shipped model of real whales, from photos that are not part of the project; takes hours
    Humpback(humpback::Options),
    /// Build the browser package into www/pkg, and list the models in www/models
    Web(web::Options),
}

fn main() -> ExitCode {
    match perform(Arguments::parse().chore) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(chore: Chore) -> anyhow::Result<ExitCode> {
    let workspace = Workspace::find()?;
    match chore {
        Chore::Demo(options) => demo::run(&workspace, &options).map(|()| ExitCode::SUCCESS),
        Chore::Web(options) => web::run(&workspace, options).map(|()| ExitCode::SUCCESS),
        Chore::Humpback(options) => humpback::run(&workspace, &options).map(|()| ExitCode::SUCCESS),
        Chore::Test => test::run(&workspace),
        Chore::Ci => Ok(ci::run(&workspace)),
    }
}
