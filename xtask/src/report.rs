//! The parts of a long check: every one is run, and the end says what failed.

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::Result;

use crate::output::{self, Tally};
use crate::run;
use crate::workspace::{Workspace, clock};

/// What has been run so far.
#[derive(Default)]
pub struct Report {
    tests: Tally,
    lines: Vec<String>,
}

impl Report {
    /// Runs a part without tests. It counts only when it fails, as one failure.
    pub fn part<T>(
        &mut self,
        workspace: &Workspace,
        name: &str,
        part: impl FnOnce() -> Result<T>,
    ) -> Option<T> {
        let started = Instant::now();
        let outcome = part();
        match &outcome {
            Ok(_) => self.note(name, "ok", started),
            Err(error) => {
                workspace.say(format!("FAILED: {name}: {error:#}"));
                self.tests.failed += 1;
                self.note(name, "FAILED", started);
            }
        }
        outcome.ok()
    }

    /// Runs one logged command as a part.
    pub fn command(&mut self, workspace: &Workspace, name: &str, command: Command) -> Option<()> {
        self.part(workspace, name, || run::logged(workspace, name, command))
    }

    /// Says, now and again at the end, what was not looked at.
    pub fn warn(&mut self, workspace: &Workspace, text: &str) {
        workspace.say(format!("WARNING: {text}"));
        self.lines.push(format!("       {text}"));
    }

    /// Runs tests and counts them. A run that ends badly without naming a failed test, or that ran
    /// no test at all, is one failure.
    pub fn tests(&mut self, workspace: &Workspace, name: &str, command: Command) {
        let started = Instant::now();
        workspace.say(name);
        let mut tally = Tally::default();
        let ended = run::listened(name, command, |line| {
            tally += output::test_result(line).unwrap_or_default()
        });
        let ended_well = match &ended {
            Ok(status) => status.success(),
            Err(error) => {
                workspace.say(format!("FAILED: {name}: {error:#}"));
                false
            }
        };
        if tally.failed == 0 && (!ended_well || tally.passed == 0) {
            tally.failed = 1;
        }
        self.tests += tally;
        self.note(
            name,
            &format!("{} passed, {} failed", tally.passed, tally.failed),
            started,
        );
    }

    /// Prints every part and, as the very last line, the counts. The exit code is 1 if anything failed.
    pub fn close(self, workspace: &Workspace) -> ExitCode {
        workspace.say("Summary");
        for line in &self.lines {
            println!("  {line}");
        }
        println!("{} passed, {} failed", self.tests.passed, self.tests.failed);
        if self.tests.failed == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        }
    }

    fn note(&mut self, name: &str, outcome: &str, started: Instant) {
        self.lines
            .push(format!("{}  {name}: {outcome}", clock(started.elapsed())));
    }
}
