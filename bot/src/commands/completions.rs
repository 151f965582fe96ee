//! `kubewhy completions`: a script for a shell.

use clap::CommandFactory as _;

use crate::Ending;
use crate::cli::Cli;
use crate::output::Output;

pub(crate) fn run(shell: clap_complete::Shell, output: &mut Output) -> Ending {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kubewhy", &mut script);
    output.answer(&String::from_utf8_lossy(&script));
    Ending::Fine
}
