//! The command line: a verb a file. Words are parsed here and handed on; nothing is decided.

mod background;
mod bars;
mod bench;
mod beside;
mod devices;
mod encounters;
mod enroll;
mod enrolling;
mod ensemble;
mod evaluate;
mod evidence;
mod export;
mod guide;
mod history;
mod identify;
mod import;
mod ladder;
mod merge;
mod models;
mod operating;
mod out;
mod recipes;
mod remove;
mod rename;
mod serve;
mod submission;
mod synth;
mod table;
mod train;
mod tune;
mod undo;
mod verify;
mod weights;

use crate::data::write_atomically;
use crate::progress::Progress;
use clap::{Parser, Subcommand};
use out::{say, tell};
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
    Weights(weights::Weights),
    Guide(guide::Guide),
    Background(background::Background),
    Identify(identify::Identify),
    Verify(verify::Verify),
    Enroll(enroll::Enroll),
    Remove(remove::Remove),
    Merge(merge::Merge),
    Rename(rename::Rename),
    Undo(undo::Undo),
    History(history::History),
    Submission(submission::Submission),
    Devices(devices::Devices),
    Bench(bench::Bench),
    Serve(serve::Serve),
}

/// What messages call it.
const OUTPUT: &str = "the standard output";

/// Runs the command that the process was started with: 0 for success, 2 for bad input, 1 for what
/// went wrong otherwise.
pub fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_writer(std::io::stderr)
        .init();
    let progress = bars::Bars::new();
    let done = run(&Arguments::parse().verb, &progress);
    let printed = out::failure().map_or(Ok(()), |source| {
        Err(crate::Error::Write {
            path: OUTPUT.into(),
            source,
        })
    });
    match done.and(printed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            progress.end();
            tell!("flukeprint: {error}");
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
        Verb::Weights(weights) => weights.run(hears),
        Verb::Guide(guide) => guide.run(hears),
        Verb::Background(background) => background.run(hears),
        Verb::Identify(identify) => identify.run(hears),
        Verb::Verify(verify) => verify.run(),
        Verb::Enroll(enroll) => enroll.run(hears),
        Verb::Remove(remove) => remove.run(hears),
        Verb::Merge(merge) => merge.run(hears),
        Verb::Rename(rename) => rename.run(hears),
        Verb::Undo(undo) => undo.run(hears),
        Verb::History(history) => history.run(),
        Verb::Submission(submission) => submission.run(hears),
        Verb::Devices(devices) => devices.run(),
        Verb::Bench(bench) => bench.run(hears),
        Verb::Serve(serve) => serve.run(),
    };
    progress.end();
    result
}

/// Prints `value` as one JSON object.
fn print_json(value: &impl serde::Serialize) -> crate::Result<()> {
    say!("{}", to_json(value, Path::new(OUTPUT))?);
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
