//! `kubewhy why`: one answer.

use kubewhy_core::answer::{self, Extras};
use kubewhy_core::resolve::{ResolveError, Wanted};
use kubewhy_diagnosis::{Report, Status};
use serde_json::json;

use crate::Ending;
use crate::cli::{Format, WhyArgs};
use crate::commands::open;
use crate::output::Output;
use crate::source::Source;

pub(crate) fn run(arguments: &WhyArgs, output: &mut Output) -> Ending {
    let context = arguments.from.context.as_deref();
    let wanted = match Wanted::from_arguments(&arguments.target, arguments.namespace.as_deref()) {
        Ok(wanted) => wanted,
        Err(error) => return refuse(&error, arguments.output, output),
    };
    let (source, now) = match open(&arguments.from) {
        Ok(opened) => opened,
        Err(error) => {
            if arguments.output == Format::Json {
                let error = json!({"code": "unreachable", "message": chain(&error), "next": []});
                output.answer(&json!({"status": "unknown", "error": error}).to_string());
            }
            output.error(&chain(&error));
            return Ending::Unreadable;
        }
    };
    let target = match source.find(&wanted, context) {
        Ok(target) => target,
        Err(error) => return refuse(&error, arguments.output, output),
    };
    let (mut report, _) = source.explain(target, now);
    if report.error.as_ref().is_some_and(|error| error.code == "not-found") {
        match source.search(&wanted, context) {
            Ok(near) => {
                output.note(&format!("{} does not exist; explaining {}", report.target.reference(), near.reference()));
                (report, _) = source.explain(near, now);
            }
            Err(error) => {
                if let Some(own) = &mut report.error {
                    own.next = error.next_words();
                }
            }
        }
    }
    output.answer(&show(&report, arguments.output, output, &source));
    ending(&report)
}

fn show(report: &Report, format: Format, output: &Output, source: &Source) -> String {
    match format {
        Format::Text => output.text(&answer::report(report, &Extras::default()), report.now),
        Format::Markdown => kubewhy_console::markdown(&answer::report(report, &Extras::default())),
        Format::Json => match serde_json::to_string_pretty(report) {
            Ok(json) => json,
            Err(error) => json!({"status": "unknown", "error": {"code": "failed", "message": format!("{}: {error}", source.name())}}).to_string(),
        },
    }
}

pub(crate) fn ending(report: &Report) -> Ending {
    match report.status {
        _ if report.error.is_some() => Ending::Unreadable,
        Status::Failing => Ending::Failing,
        Status::Healthy | Status::Degraded | Status::Pending => Ending::Fine,
        Status::Unknown => Ending::Unreadable,
    }
}

fn refuse(error: &ResolveError, format: Format, output: &mut Output) -> Ending {
    if format == Format::Json {
        let error = json!({"code": error.code(), "message": error.to_string(), "next": error.next_words()});
        output.answer(&json!({"status": "unknown", "error": error}).to_string());
    }
    output.error(&error.to_string());
    if error.is_usage() { Ending::Usage } else { Ending::Unreadable }
}

/// The error with what caused it, once.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text
}
