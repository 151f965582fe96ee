//! `kubewhy scan`: everything that is broken, one report per root.

use kubewhy_core::answer::{self, Extras};

use crate::Ending;
use crate::cli::{Format, ScanArgs};
use crate::commands::{open, why};
use crate::output::Output;

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
        Format::Text => output.text(&answer::scan(&scan, &Extras::default()), now),
        Format::Markdown => kubewhy_console::markdown(&answer::scan(&scan, &Extras::default())),
    });
    if scan.roots.iter().any(|root| root.report.is_failing()) {
        Ending::Failing
    } else if scan.unread.is_empty() {
        Ending::Fine
    } else {
        Ending::Unreadable
    }
}
