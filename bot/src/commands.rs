//! The commands, a file each.

pub(crate) mod catalogue;
pub(crate) mod chat;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod man;
pub(crate) mod print;
pub(crate) mod record;
pub(crate) mod run;
pub(crate) mod sandbox;
pub(crate) mod scan;
pub(crate) mod why;

use jiff::Timestamp;
use kubewhy_kubernetes::Connection;

use crate::cli::From;
use crate::source::{Source, SourceError};

/// Opens what `--from`, `--context` and `--kubeconfig` say, and its clock.
fn open(from: &From) -> Result<(Source, Timestamp), SourceError> {
    let source = match &from.from {
        Some(path) => Source::dump(path)?,
        None => Source::cluster(&Connection {
            context: from.context.clone(),
            kubeconfig: from.kubeconfig.clone(),
            ..Connection::default()
        })?,
    };
    let now = from.at.unwrap_or_else(|| source.clock());
    Ok((source, now))
}
