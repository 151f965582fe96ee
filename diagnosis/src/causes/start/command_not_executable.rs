//! `command-not-executable`.

use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::owner::edited;
use crate::facts::start::{StartFailure, failures, field_of, volume_over, volume_source};
use crate::finding::{Finding, Fix};
use crate::parse::start::StartError;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The program that the container is to run is there, and it may not be executed: it lacks the execute bit, it is a
    /// directory, or its file system is mounted noexec.
    /// ## Signals
    /// `exec: "/X": permission denied` or `exec: "/X": is a directory` in waiting `RunContainerError`, in a last end
    /// `StartError` 128 or `ContainerCannotRun` 126; behind a shell exit code 126 and `/X: Permission denied` in the log.
    /// ## Look-alikes
    /// `command-not-found`: the file is not there. `app-permission-denied`: the program runs and may not open a file or
    /// port. `exec-format-error`: it may be executed and is no program for this machine.
    /// ## Fixes
    /// Give the file its execute bit: `defaultMode: 0755` on a ConfigMap or Secret volume, `chmod +x` in the image; or
    /// call it through its interpreter. Name the program, not its directory.
    /// ## Source
    /// opencontainers/runc libcontainer/standard_init_linux.go
    CommandNotExecutable, stage Start, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for failure in failures(case)? {
        if let StartError::NotExecutable { path, directory } = &failure.error {
            found.push(explain(case, &failure, path, *directory)?);
        }
    }
    Ok(found)
}

fn explain(case: &Case<'_>, failure: &StartFailure<'_>, path: &str, directory: bool) -> Result<Finding, Needs> {
    let container = &failure.container;
    let title = match (path, directory) {
        ("", _) => text![container.subject(), " runs a file that may not be executed"],
        (path, true) => {
            text![container.subject(), ": ", quoted(path), " is a directory, not a program"]
        }
        (path, false) => {
            text![container.subject(), ": ", quoted(path), " may not be executed (permission denied)"]
        }
    };
    let (mode, source) = mode(case, failure, path);
    let finding = case
        .finding_in(Code::CommandNotExecutable, container)
        .confidence(failure.confidence)
        .title(title)
        .explain(what_happened(failure, path, directory))
        .also(mode)
        .evidence(failure.evidence.clone())
        .evidence(case.end_evidence(container).filter(|end| *end != failure.evidence));
    if directory {
        let fix = Fix::disruptive(text!["name the program itself, not its directory ", code(path)]);
        return Ok(finding.fix(edited(case, fix)?));
    }
    let finding = match source {
        Some(volume) => {
            let title = text!["set ", code("defaultMode: 0755"), " on volume ", name(volume)];
            finding.fix(edited(case, Fix::disruptive(title))?)
        }
        None => finding.fix(Fix::disruptive(text![
            "give the file its execute bit in the image: ",
            code(format!("RUN chmod +x {}", if path.is_empty() { "FILE" } else { path })),
            ", then build and roll out the image again"
        ])),
    };
    let called = if path.is_empty() { "/path/of/the/script" } else { path };
    let list = serde_json::to_string(&["sh", called]).unwrap_or_default();
    let through = Fix::disruptive(text!["or call a script through its shell: ", code(format!("command: {list}"))]);
    Ok(finding.fix(edited(case, through)?))
}

fn what_happened(failure: &StartFailure<'_>, path: &str, directory: bool) -> Text {
    if path.is_empty() && failure.in_log && failure.evidence.source.starts_with("log ") {
        return text![
            "The kernel refused to execute the program that the container is to run: the file is there and has no execute \
             bit for the user that the container runs as."
        ];
    }
    if path.is_empty() {
        return text![
            "The container ended with exit code 126, a shell's way to say that a file is there and may not be executed. ",
            "Its log could not be read, so which file it was is not known."
        ];
    }
    let by = match field_of(&failure.container, path) {
        Some(field) => text!["The pod asks for ", code(path), " in ", code(field)],
        None if failure.in_log => text!["A shell in the container called ", code(path)],
        None => text!["The image's own entrypoint is ", code(path)],
    };
    if directory {
        return text![by, ", and that is a directory."];
    }
    text![by, ". It is there, and it is a directory or has no execute bit for the user that the container runs as."]
}

/// What the volume that holds the file says about its mode, and its name where its mode can be set.
fn mode(case: &Case<'_>, failure: &StartFailure<'_>, path: &str) -> (Option<Text>, Option<String>) {
    let Some((mount, volume)) = volume_over(case, &failure.container, path) else { return (None, None) };
    let mode = if let Some(source) = &volume.config_map {
        source.default_mode
    } else if let Some(source) = &volume.secret {
        source.default_mode
    } else if let Some(source) = &volume.projected {
        source.default_mode
    } else {
        let text = text![
            "It lies on ",
            volume_source(volume),
            ", mounted at ",
            code(mount.mount_path.clone()),
            ": the file needs its execute bit there, and the file system must not be mounted noexec."
        ];
        return (Some(text), None);
    };
    let octal = format!("{:04o}", mode.unwrap_or(0o644));
    let text = text![
        "It comes from ",
        volume_source(volume),
        " through volume ",
        name(volume.name.clone()),
        ", whose files get mode ",
        code(octal),
        ": readable, not executable."
    ];
    (Some(text), Some(volume.name.clone()))
}
