//! The server of the town.

use std::process::ExitCode;

fn main() -> ExitCode {
    yaoguan_cli::town::main(std::env::args_os().collect())
}
