//! The command line of kubewhy: explains why a Kubernetes object is broken, from a live cluster or from a dump.
//!
//! Entry point: [`run`]. [`source`] is where evidence comes from; `kubewhy_core` decides what is said, `kubewhy_console` how it
//! looks.
//!
//! Invariants: standard output carries the answer and nothing else; what is said on the side goes to standard error; no
//! command here changes a cluster.

mod bot;
mod cli;
mod commands;
pub mod config;
mod conversation;
pub mod demo;
pub mod desk;
pub mod dump;
mod find;
mod output;
pub mod source;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::output::Output;

/// How a command ended, as its exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Healthy, degraded, pending or done.
    Fine = 0,
    /// A failure was found.
    Failing = 1,
    /// The command line or a file's format is wrong.
    Usage = 2,
    /// The cluster, the dump or the target could not be read, does not exist, or is ambiguous.
    Unreadable = 3,
}

/// Runs the command line. Called as `kubectl-why` (so that `kubectl why` works) it is `kubewhy why`.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    let called = arguments.first().and_then(|name| Path::new(name).file_stem().map(OsString::from)).unwrap_or_default();
    if called == "kubectl-why" || called == "kubectl_why" {
        arguments.insert(1, OsString::from("why"));
    }
    let mut output = Output::new();
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, everything else is wrong usage.
            let ending = if error.use_stderr() { Ending::Usage } else { Ending::Fine };
            output.clap(&error);
            return ExitCode::from(ending as u8);
        }
    };
    let ending = match cli.command {
        Command::Demo(arguments) => commands::demo::run(&arguments, &mut output),
        Command::Chat(arguments) => commands::chat::run(&arguments, &mut output),
        Command::Why(arguments) => commands::why::run(&arguments, &mut output),
        Command::Scan(arguments) => commands::scan::run(&arguments, &mut output),
        Command::Record(arguments) => commands::record::run(&arguments, &mut output),
        Command::Sandbox(arguments) => commands::sandbox::run(&arguments, &mut output),
        Command::Run(arguments) => commands::run::run(&arguments, &mut output),
        Command::Check(arguments) => commands::check::run(&arguments, &mut output),
        Command::Print(arguments) => commands::print::run(&arguments, &mut output),
        Command::Catalogue(arguments) => commands::catalogue::run(&arguments, &mut output),
        Command::Completions { shell } => commands::completions::run(shell, &mut output),
        Command::Man => commands::man::run(&mut output),
    };
    ExitCode::from(ending as u8)
}
