//! Words for people, and what happens when nobody reads them.
//!
//! `println!` stops a program with a panic when its reader goes away, as `head` does when it has seen
//! enough. Here that is no failure: what is left to print goes nowhere, and the work goes on. Where writing
//! fails otherwise (a full disk), [`failure`] says so at the end.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, PoisonError};

/// What the first failed write said.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints a line, as `println!`.
macro_rules! say {
    () => { $crate::cli::out::line(format_args!("")) };
    ($($words:tt)*) => { $crate::cli::out::line(format_args!($($words)*)) };
}

/// Prints a line to the standard error, as `eprintln!`.
macro_rules! tell {
    ($($words:tt)*) => { $crate::cli::out::error_line(format_args!($($words)*)) };
}

pub(super) use {say, tell};

/// Prints a line to the standard output.
pub(super) fn line(words: Arguments<'_>) {
    if let Err(error) = writeln!(io::stdout().lock(), "{words}") {
        remember(error);
    }
}

/// Prints words that have their ends of lines to the standard output.
pub(super) fn text(words: &str) {
    let mut out = io::stdout().lock();
    if let Err(error) = out.write_all(words.as_bytes()).and_then(|()| out.flush()) {
        remember(error);
    }
}

/// Prints a line to the standard error; there is nowhere to tell that it failed.
pub(super) fn error_line(words: Arguments<'_>) {
    let _ = writeln!(io::stderr().lock(), "{words}");
}

fn remember(error: io::Error) {
    if error.kind() != ErrorKind::BrokenPipe {
        let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
        failed.get_or_insert(error);
    }
}

/// Why not everything could be printed, unless nobody was reading any more.
pub(super) fn failure() -> Option<io::Error> {
    FAILED.lock().unwrap_or_else(PoisonError::into_inner).take()
}
