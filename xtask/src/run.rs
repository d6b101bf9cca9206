//! Child processes: shown as they are, logged behind a progress bar, or listened to.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::iter;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::output;
use crate::workspace::Workspace;

/// Lines of a failed step's log that are repeated on the screen.
const TAIL: usize = 40;

/// Runs a program that talks to the person itself.
pub fn shown(workspace: &Workspace, step: &str, mut command: Command) -> Result<()> {
    workspace.say(step);
    let status = command
        .status()
        .with_context(|| cannot_start(step, &command))?;
    if !status.success() {
        let words: Vec<_> = iter::once(command.get_program())
            .chain(command.get_args())
            .collect();
        let words = words.join(OsStr::new(" "));
        bail!(
            "the step \"{step}\" failed ({status}); its message stands above. It was: {}",
            words.display()
        );
    }
    Ok(())
}

/// Runs a program behind a progress bar, its output in a log file. Cargo is asked for its own
/// progress, which the bar repeats; where there is no terminal, plain lines say how far it is.
pub fn logged(workspace: &Workspace, step: &str, mut command: Command) -> Result<()> {
    workspace.say(step);
    let log = workspace.log(step);
    let mut file = create(&log)?;
    command
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", "100");
    command.env("CARGO_TERM_COLOR", "never");
    let bar = Bar::new();
    let status = listen(step, command, |piece| match output::progress(piece) {
        Some((done, all)) => {
            bar.set(done, all);
            Ok(())
        }
        None => {
            bar.name(piece);
            writeln!(file, "{piece}")
        }
    });
    bar.clear();
    let status = status?;
    if !status.success() {
        let text = fs::read_to_string(&log).unwrap_or_default();
        let lines: Vec<_> = text
            .lines()
            .filter(|line| !line.trim().is_empty())
            .collect();
        let tail = lines[lines.len().saturating_sub(TAIL)..].join("\n");
        bail!(
            "{tail}\nthe step \"{step}\" failed ({status}); its whole output is in {}",
            log.display()
        );
    }
    Ok(())
}

/// Runs a program, shows every line it prints, and hands each to `each`.
pub fn listened(step: &str, command: Command, mut each: impl FnMut(&str)) -> Result<ExitStatus> {
    listen(step, command, |line| {
        println!("{line}");
        each(line);
        Ok(())
    })
}

/// Whether a program starts and ends well; silent.
pub fn succeeds(mut command: Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// What a program prints on standard output, trimmed, if it ends well.
pub fn read(command: &mut Command) -> Option<String> {
    let output = command
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Standard output and standard error go through one pipe, so that their order is kept.
fn listen(
    step: &str,
    mut command: Command,
    each: impl FnMut(&str) -> io::Result<()>,
) -> Result<ExitStatus> {
    let (reader, writer) = io::pipe()?;
    command.stdout(writer.try_clone()?).stderr(writer);
    let mut child = command
        .spawn()
        .with_context(|| cannot_start(step, &command))?;
    drop(command); // closes our own ends of the pipe, or reading would never end
    output::for_each_piece(reader, each)
        .with_context(|| format!("the output of \"{step}\" was lost"))?;
    Ok(child.wait()?)
}

fn cannot_start(step: &str, command: &Command) -> String {
    format!(
        "the step \"{step}\" cannot start {}",
        command.get_program().display()
    )
}

fn create(log: &Path) -> Result<File> {
    let folder = log.parent().context("a log file lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    File::create(log).with_context(|| format!("cannot write {}", log.display()))
}

/// A bar on a terminal, one line for every tenth elsewhere.
struct Bar {
    bar: ProgressBar,
    plain: bool,
}

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new(0);
        if let Ok(style) =
            ProgressStyle::with_template("  {spinner} {bar:30} {pos}/{len}  {elapsed}  {wide_msg}")
        {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self {
            bar,
            plain: !io::stderr().is_terminal(),
        }
    }

    fn set(&self, done: u64, all: u64) {
        let tenth = |done: u64| 10 * done / all.max(1);
        let before = self.bar.position();
        if self.plain && self.bar.length() == Some(all) && tenth(done) > tenth(before) {
            println!("  {done}/{all}");
        }
        self.bar.set_length(all);
        self.bar.set_position(done);
    }

    fn name(&self, line: &str) {
        self.bar.set_message(line.trim().to_owned());
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
