//! `kubewhy scan`: everything that is broken, one report per root.

use crate::Ending;
use crate::cli::{Format, ScanArgs};
use crate::commands::{open, why};
use crate::output::Output;
use crate::render;

pub(crate) fn run(arguments: &ScanArgs, output: &mut Output) -> Ending {
    let (source, now) = match open(&arguments.from) {
        Ok(opened) => opened,
        Err(error) => {
            output.error(&why::chain(&error));
            return Ending::Unreadable;
        }
    };
    let namespace = match (&arguments.namespace, arguments.all_namespaces) {
        (Some(namespace), _) => Some(namespace.as_str()),
        (None, true) => None,
        (None, false) => source.default_namespace(),
    };
    let scan = source.scan(namespace, arguments.from.context.as_deref(), now);
    output.answer(&match arguments.output {
        Format::Json => serde_json::to_string_pretty(&scan).unwrap_or_else(|error| error.to_string()),
        Format::Text => render::text::scan(&scan, output.colour()),
        Format::Markdown => render::markdown::scan(&scan),
    });
    if scan.roots.iter().any(|root| root.report.is_failing()) {
        Ending::Failing
    } else if scan.unread.is_empty() {
        Ending::Fine
    } else {
        Ending::Unreadable
    }
}
