//! The `flukeprint` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    flukeprint::cli::main()
}
