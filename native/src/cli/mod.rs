//! The command line: a verb a file. Words are parsed here and handed on; nothing is decided.
#![allow(clippy::print_stdout, clippy::print_stderr)] // this room talks to people

mod bars;
mod bench;
mod devices;
mod ensemble;
mod evaluate;
mod export;
mod identify;
mod import;
mod ladder;
mod models;
mod recipes;
mod serve;
mod synth;
mod table;
mod train;
mod tune;
mod verify;

use crate::data::write_atomically;
use crate::progress::Progress;
use clap::{Parser, Subcommand};
use std::path::Path;
use std::process::ExitCode;

/// Names humpback whales from photos of their tails: draws, trains, tunes, measures, packs, answers.
#[derive(Debug, Parser)]
#[command(name = "flukeprint", version, propagate_version = true)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Synth(synth::Synth),
    Import(import::Import),
    Recipes(recipes::Recipes),
    Ladder(ladder::Ladder),
    Models(models::Models),
    Train(train::Train),
    Tune(tune::Tune),
    Evaluate(evaluate::Evaluate),
    Ensemble(ensemble::Ensemble),
    Export(export::Export),
    Identify(identify::Identify),
    Verify(verify::Verify),
    Devices(devices::Devices),
    Bench(bench::Bench),
    Serve(serve::Serve),
}

/// Runs the command that the process was started with: 0 for success, 2 for bad input, 1 for what
/// went wrong otherwise.
pub fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let progress = bars::Bars::new();
    match run(&Arguments::parse().verb, &progress) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress.end();
            eprintln!("flukeprint: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(verb: &Verb, progress: &bars::Bars) -> crate::Result<()> {
    let hears: &dyn Progress = progress;
    let result = match verb {
        Verb::Synth(synth) => synth.run(hears),
        Verb::Import(import) => import.run(hears),
        Verb::Recipes(recipes) => recipes.run(),
        Verb::Ladder(ladder) => ladder.run(hears),
        Verb::Models(models) => models.run(),
        Verb::Train(train) => train.run(hears),
        Verb::Tune(tune) => tune.run(hears),
        Verb::Evaluate(evaluate) => evaluate.run(hears),
        Verb::Ensemble(ensemble) => ensemble.run(hears),
        Verb::Export(export) => export.run(hears),
        Verb::Identify(identify) => identify.run(hears),
        Verb::Verify(verify) => verify.run(),
        Verb::Devices(devices) => devices.run(),
        Verb::Bench(bench) => bench.run(hears),
        Verb::Serve(serve) => serve.run(),
    };
    progress.end();
    result
}

/// Prints `value` as one JSON object.
fn print_json(value: &impl serde::Serialize) -> crate::Result<()> {
    println!("{}", to_json(value, Path::new("the standard output"))?);
    Ok(())
}

/// Writes `value` as one JSON object to a file.
fn write_json(value: &impl serde::Serialize, path: &Path) -> crate::Result<()> {
    write_atomically(path, to_json(value, path)?.as_bytes())
}

fn to_json(value: &impl serde::Serialize, path: &Path) -> crate::Result<String> {
    serde_json::to_string_pretty(value).map_err(|error| crate::Error::Write {
        path: path.to_owned(),
        source: std::io::Error::other(error),
    })
}
