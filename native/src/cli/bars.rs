//! Progress bars on a terminal, plain lines without one. Both go to the standard error, so that the
//! standard output holds results alone.

use super::out::tell;
use crate::progress::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Without a terminal, a line at most so often; what is over sooner needs none.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The bar of the task at hand.
#[derive(Debug)]
pub struct Bars {
    terminal: bool,
    task: Mutex<Task>,
}

#[derive(Debug)]
struct Task {
    name: String,
    total: usize,
    bar: Option<ProgressBar>,
    /// The first number of steps heard of, and when: a training that goes on begins in the middle.
    first: Option<(usize, Instant)>,
    /// When the task began or the last line told of it.
    told: Instant,
}

impl Task {
    fn new(name: &str, total: usize, bar: Option<ProgressBar>) -> Self {
        Self {
            name: name.to_owned(),
            total,
            bar,
            first: None,
            told: Instant::now(),
        }
    }

    /// "TASK: 30 of 100, 2.5 a second, 0:28 to go".
    fn line(&self, done: usize) -> String {
        let mut line = format!("{}: {done} of {}", self.name, self.total);
        let Some((first, since)) = self.first else {
            return line;
        };
        let rate = done.saturating_sub(first) as f64 / since.elapsed().as_secs_f64();
        if rate > 0.0 {
            let left = (self.total.saturating_sub(done) as f64 / rate) as u64;
            line += &format!(", {rate:.2} a second, {}:{:02} to go", left / 60, left % 60);
        }
        line
    }
}

impl Bars {
    /// Nothing to show yet.
    pub fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            task: Mutex::new(Task::new("", 0, None)),
        }
    }

    /// Takes the bar away.
    pub fn end(&self) {
        if let Some(bar) = self.lock().bar.take() {
            bar.finish_and_clear();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Task> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Bars {
    fn begin(&self, name: &str, total: usize) {
        self.end();
        let bar = self.terminal.then(|| {
            let bar =
                ProgressBar::with_draw_target(Some(total as u64), ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template(
                "{msg:<26} [{bar:32}] {pos}/{len}  {per_sec}, {elapsed} gone, {eta} to go",
            );
            bar.set_style(
                style
                    .unwrap_or_else(|_| ProgressStyle::default_bar())
                    .progress_chars("=> "),
            );
            bar.set_message(name.to_owned());
            bar
        });
        *self.lock() = Task::new(name, total, bar);
    }

    fn advance(&self, done: usize) {
        let mut task = self.lock();
        if let Some(bar) = &task.bar {
            bar.set_position(bar.position().max(done as u64));
            return;
        }
        task.first.get_or_insert((done, Instant::now()));
        if task.told.elapsed() >= LINE_EVERY {
            task.told = Instant::now();
            tell!("{}", task.line(done));
        }
    }

    fn note(&self, text: &str) {
        match &self.lock().bar {
            Some(bar) => bar.println(text),
            None => tell!("{text}"),
        }
    }
}
