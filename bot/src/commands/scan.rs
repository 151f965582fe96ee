//! `kubewhy scan`: everything that is broken, one report per root.

use kubewhy_diagnosis::scan::{self, Scan};

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
    let answers: Vec<_> = scan::KINDS.iter().map(|kind| (*kind, source.list(*kind, namespace))).collect();
    let (suspects, unread) = scan::suspects(&answers, namespace, now);
    let reports = suspects
        .into_iter()
        .map(|suspect| {
            let mut target = suspect;
            source.name().clone_into(&mut target.cluster);
            target.context.clone_from(&arguments.from.context);
            source.explain(target, now).0
        })
        .collect();
    let scan = Scan::new(reports, unread);
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
