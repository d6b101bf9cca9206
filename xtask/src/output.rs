//! What other programs print, read: cargo's progress and the counts of test runs.

use std::io::{self, BufReader, Read};
use std::ops::AddAssign;

/// Tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Tests that passed.
    pub passed: u64,
    /// Tests, or whole parts, that failed.
    pub failed: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Hands over the text piece by piece as it arrives. A progress bar ends its pieces with a carriage
/// return, everything else with a line feed. Errors are those of reading and of `each`.
pub fn for_each_piece(
    text: impl Read,
    mut each: impl FnMut(&str) -> io::Result<()>,
) -> io::Result<()> {
    let mut piece = Vec::new();
    for byte in BufReader::new(text).bytes() {
        match byte? {
            b'\r' | b'\n' => {
                each(&String::from_utf8_lossy(&piece))?;
                piece.clear();
            }
            other => piece.push(other),
        }
    }
    if !piece.is_empty() {
        each(&String::from_utf8_lossy(&piece))?;
    }
    Ok(())
}

/// Units done, and units in all, of a piece of cargo's progress bar:
/// `    Building [====>      ] 12/345: serde, clap`.
pub fn progress(piece: &str) -> Option<(u64, u64)> {
    let (_, rest) = piece
        .trim_start()
        .strip_prefix("Building [")?
        .split_once("] ")?;
    let (done, rest) = rest.split_once('/')?;
    let digits = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    Some((done.parse().ok()?, rest[..digits].parse().ok()?))
}

/// The counts of a summary line, of `cargo test` or of a browser run:
/// `test result: ok. 12 passed; 0 failed; 0 ignored; …`.
pub fn test_result(line: &str) -> Option<Tally> {
    let (_, counts) = line.split_once("test result: ")?.1.split_once(". ")?;
    let count = |word: &str| {
        counts
            .split(';')
            .find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok())
    };
    Some(Tally {
        passed: count("passed")?,
        failed: count("failed")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_progress_bar_gives_its_counts() {
        let piece =
            "    Building [====>                        ] 12/345: itoa, anyhow(build)         ";
        assert_eq!(progress(piece), Some((12, 345)));
        assert_eq!(progress("    Building [=>  ] 3/7"), Some((3, 7)));
    }

    #[test]
    fn other_lines_are_no_progress() {
        for line in [
            "   Compiling serde v1.0.229",
            "warning: 3/4 of this",
            "    Building [==> ] many",
            "",
        ] {
            assert_eq!(progress(line), None, "{line}");
        }
    }

    #[test]
    fn native_and_browser_summaries_are_counted() {
        let native = "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.03s";
        let browser =
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 filtered out; finished in 1.50s";
        assert_eq!(
            test_result(native),
            Some(Tally {
                passed: 12,
                failed: 0
            })
        );
        assert_eq!(
            test_result(browser),
            Some(Tally {
                passed: 3,
                failed: 2
            })
        );
    }

    #[test]
    fn a_test_that_mentions_results_is_not_counted() {
        for line in [
            "test result::parses ... ok",
            "test result: unknown",
            "test result: ok. none passed",
        ] {
            assert_eq!(test_result(line), None, "{line}");
        }
    }

    #[test]
    fn pieces_end_at_returns_and_line_feeds() {
        let mut pieces = Vec::new();
        for_each_piece(&b"one\rtwo\nthree"[..], |piece| {
            pieces.push(piece.to_owned());
            Ok(())
        })
        .unwrap();
        assert_eq!(pieces, ["one", "two", "three"]);
    }

    #[test]
    fn tallies_add_up() {
        let mut sum = Tally {
            passed: 1,
            failed: 2,
        };
        sum += Tally {
            passed: 3,
            failed: 4,
        };
        assert_eq!(
            sum,
            Tally {
                passed: 4,
                failed: 6
            }
        );
    }
}
