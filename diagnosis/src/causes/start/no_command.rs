//! `no-command`.

use kubewhy_text::{code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::owner::edited;
use crate::facts::start::{StartFailure, failures, field_of};
use crate::finding::{Finding, Fix};
use crate::parse::start::StartError;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// Neither the image (ENTRYPOINT, CMD) nor the pod (`command`, `args`) says which program to run.
    /// ## Signals
    /// Waiting `CreateContainerError` with `no command specified` (containerd: `failed to generate container "ID" spec:
    /// failed to generate spec: no command specified`; Docker: `No command specified`). The first element of `command` or
    /// `args` is an empty string: `exec: "": executable file not found in $PATH`.
    /// ## Look-alikes
    /// `command-not-found`: a program is named and does not exist. `process-completed`: a program ran and ended.
    /// ## Fixes
    /// Set `command` in the pod's template, or use an image that has an entrypoint (a base image or an image made `FROM
    /// scratch` often has none).
    /// ## Source
    /// containerd internal/cri/opts/spec_opts.go; CRI-O internal/factory/container/container.go
    NoCommand, stage Start, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for failure in failures(case)? {
        match failure.error {
            StartError::NoCommand => found.push(explain(case, &failure)?),
            StartError::EmptyCommand => found.push(empty(case, &failure)?),
            _ => {}
        }
    }
    Ok(found)
}

fn explain(case: &Case<'_>, failure: &StartFailure<'_>) -> Result<Finding, Needs> {
    let container = &failure.container;
    let image = container.image();
    let set =
        Fix::disruptive(text!["say what to run: set ", code("command"), " for container ", name(container.name())]);
    let build = Fix::disruptive(text!["or use an image that has an ENTRYPOINT or CMD: ", name(image), " has none"]);
    Ok(case
        .finding_in(Code::NoCommand, container)
        .title(text![container.subject(), ": neither image ", name(image), " nor the pod names a command"])
        .explain(text![
            "An image usually says which program to start. This one does not, and the pod sets neither ",
            code("command"),
            " nor ",
            code("args"),
            ", so there is nothing to run."
        ])
        .evidence(failure.evidence.clone())
        .fix(edited(case, set)?)
        .fix(build))
}

/// A command line whose first element, the program, is an empty string.
fn empty(case: &Case<'_>, failure: &StartFailure<'_>) -> Result<Finding, Needs> {
    let container = &failure.container;
    let field = field_of(container, "");
    let place = field.unwrap_or("the image's own command line");
    let fix = match field {
        Some(field) => text![
            "put the program into ",
            code(field),
            " of container ",
            name(container.name()),
            ", or remove the empty element: without ",
            code("command"),
            " the image's own entrypoint runs"
        ],
        None => text!["say what to run: set ", code("command"), " for container ", name(container.name())],
    };
    Ok(case
        .finding_in(Code::NoCommand, container)
        .title(text![container.subject(), ": the first element of its command is empty"])
        .explain(text![
            "The first element of a command line is the program to run. Here it is an empty string (",
            code(place),
            "), so the runtime looks for a program without a name. A template that put in a variable without a value \
             leaves such an element."
        ])
        .evidence(failure.evidence.clone())
        .evidence(field.map(|field| case.field(&format!("{}.{field}", container.spec_path()), "an empty string")))
        .fix(edited(case, Fix::disruptive(fix))?))
}
