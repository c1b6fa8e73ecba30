//! The field client without a screen.

use std::process::ExitCode;

fn main() -> ExitCode {
    yaoguan_cli::phone::main(std::env::args_os().collect())
}
