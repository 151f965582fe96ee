//! The `kubewhy` binary: parses arguments and calls the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    kubewhy::run(std::env::args_os())
}
