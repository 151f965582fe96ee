//! `exec-format-error`.

use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::owner::edited;
use crate::facts::start::{StartFailure, failures};
use crate::finding::{Confidence, Finding, Fix};
use crate::parse::start::StartError;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The node cannot run the file: it was built for another processor, or it is a script whose first line does not
    /// name an interpreter, or an empty or broken file.
    /// ## Signals
    /// `exec /X: exec format error` in the log, with exit code 255 or 1 (older: `standard_init_linux.go:N: exec user process
    /// caused: exec format error`); through bash exit 126 and `cannot execute binary file: Exec format error`; with crun in
    /// the message of `CreateContainerError`.
    /// ## Look-alikes
    /// `image-platform-mismatch`: the image has no variant for the node and is not pulled at all. `command-not-found`: the
    /// file or its interpreter is missing. `killed-by-signal`: SIGILL, the right processor family, too old a model.
    /// ## Fixes
    /// Build the image for the node's processor (`docker buildx build --platform`), or keep the pod on nodes of the
    /// image's kind; begin a script with `#!/bin/sh`.
    /// ## Source
    /// opencontainers/runc libcontainer/standard_init_linux.go
    ExecFormatError, stage Start, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for failure in failures(case)? {
        if let StartError::ExecFormat { path } = &failure.error {
            found.push(explain(case, &failure, path.as_deref())?);
        }
    }
    Ok(found)
}

fn explain(case: &Case<'_>, failure: &StartFailure<'_>, path: Option<&str>) -> Result<Finding, Needs> {
    let container = &failure.container;
    let architecture = match case.node()? {
        Read::Found(node) => {
            let info = node.status.as_ref().and_then(|status| status.node_info.as_ref());
            info.map(|info| (node.metadata.name.clone().unwrap_or_default(), info.architecture.clone()))
        }
        Read::Absent | Read::Unreadable => None,
    };
    let file = path.map_or_else(|| text!["its program"], |path| text![code(path)]);
    let is_script = path.is_some_and(|path| [".sh", ".py", ".rb", ".pl", ".js"].iter().any(|end| path.ends_with(end)));
    let node = architecture
        .as_ref()
        .map(|(node, architecture)| text![" Node ", name(node.as_str()), " is ", code(architecture.as_str()), "."]);
    let why = if is_script {
        text![
            "A script needs a first line such as ",
            code("#!/bin/sh"),
            " that names its interpreter; this one has none."
        ]
    } else {
        text![
            "It was built for another processor, or it is a script without an interpreter line, or the file is broken."
        ]
    };
    let on = architecture.as_ref().map(|(_, architecture)| text![" (the node is ", code(architecture.as_str()), ")"]);
    let finding = case
        .finding_in(Code::ExecFormatError, container)
        .confidence(Confidence::Certain)
        .title(text![container.subject(), ": the node cannot run ", file.clone(), ": exec format error", on])
        .explain(text!["The node's kernel does not know the format of ", file, ".", node, " ", why])
        .evidence(failure.evidence.clone())
        .evidence(case.end_evidence(container).filter(|end| *end != failure.evidence));
    let script = edited(case, Fix::disruptive(script_fix()))?;
    if is_script {
        return Ok(finding.fix(script));
    }
    let wanted = architecture.map_or_else(|| "amd64,linux/arm64".to_owned(), |(_, architecture)| architecture);
    let image = container.image();
    let build = Fix::disruptive(text!["build the image for the node's processor and roll it out"]).command(format!(
        "docker buildx build --platform linux/{wanted} -t {} --push .",
        crate::case::shell_quoted(image)
    ));
    let select =
        text!["or keep the pod on nodes of the image's processor, with node selector ", code("kubernetes.io/arch")];
    Ok(finding.fix(build).fix(edited(case, Fix::disruptive(select))?).fix(script))
}

fn script_fix() -> Text {
    text!["if it is a script, begin it with ", code("#!/bin/sh"), " or call it through its interpreter"]
}
