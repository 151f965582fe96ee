//! `app-error`.

use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::advice;
use crate::facts::ends::{self, End, Story};
use crate::facts::heap::Limit;
use crate::finding::{Confidence, Finding, Fix};
use crate::parse::exit_code;
use crate::parse::log::{Failure, Signature};
use crate::pods::Role;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The program ended with an error code of its own, and nothing that could be read names a more exact cause.
    /// ## Signals
    /// `terminated` with an exit code other than 0, and a log without a known signature, or no log at all. The code,
    /// what it means by convention, the run time and the last lines are shown as they are.
    /// ## Look-alikes
    /// Every other cause of this stage has a signature or a signal: `app-config-error`, `app-panic`,
    /// `dependency-unreachable`, `killed-by-signal`, `terminated-externally`, `process-completed`. `command-not-found`:
    /// exit 127 by the shell or the runtime.
    /// ## Fixes
    /// Read the last lines; run the entrypoint by hand in a copy of the pod where they say nothing.
    /// ## Source
    /// <https://kubernetes.io/docs/tasks/debug/debug-application/debug-running-pod/>
    AppError, stage Exit, since "0.1.0", detect
}

/// Failures that a log names and that no other cause is made for.
fn is_mine(failure: &Failure) -> bool {
    let other = ends::is_about_a_command(failure);
    other
        || matches!(
            failure,
            Failure::Fatal { .. }
                | Failure::NoThreads { .. }
                | Failure::TooManyOpenFiles
                | Failure::InstanceLocked { .. }
                | Failure::Usage { .. }
                | Failure::Migration { .. }
        )
}

/// A refusal by the Kubernetes API that hardly ends a program: of an event, or before a signal.
fn is_odd_refusal(failure: &Failure, exit_code: i32) -> bool {
    let Failure::KubernetesForbidden { user, resource, .. } = failure else { return false };
    resource == "events" || user.starts_with("system:node:") || matches!(exit_code, 126..=254)
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for end in ends::of(case)? {
        match &end.story {
            // `init-container-failed` tells its end and its last words.
            Story::Plain if end.container.role == Role::Init => {}
            Story::Plain => found.push(plain(case, &end)?),
            Story::Log(signature) if is_mine(&signature.kind) => {
                found.push(said(case, &end, signature)?);
            }
            // `rbac-forbidden` passes over these; a crash is not passed over in silence.
            Story::Log(signature) if is_odd_refusal(&signature.kind, end.state.exit_code) => {
                found.push(said(case, &end, signature)?);
            }
            _ => {}
        }
    }
    Ok(found)
}

/// The failure that the log names.
fn said(case: &Case<'_>, end: &End<'_>, signature: &Signature) -> Result<Finding, Needs> {
    let template = ends::template(case)?;
    let (title, meaning, fix) = named(end, &signature.kind, &signature.line);
    let fix = Fix::disruptive(fix).command(template.edit(case));
    let (meaning, fix) = advice::by_words(case, &template, &end.container, &signature.line).unwrap_or((meaning, fix));
    let finding = end.finding(case, Code::AppError).confidence(ends::confidence(signature));
    Ok(finding.title(title).explain(end.opening()).also(meaning).fix(fix).fix(end.read_log(case)))
}

/// What a log names, in a sentence and with a step.
fn named(end: &End<'_>, failure: &Failure, line: &str) -> (Text, Text, Text) {
    let subject = end.subject();
    match failure {
        Failure::NoThreads { .. } => (
            text![subject, " gets no more threads or processes: ", quoted(line)],
            text!["The system refused a new thread: the limit on process ids (pids) of the pod or node is reached."],
            text!["lower the number of threads, or raise podPidsLimit of the kubelet"],
        ),
        Failure::TooManyOpenFiles => (
            text![subject, " has too many open files: ", quoted(line)],
            text![
                "The process reached its limit on open files: a leak of connections or files, or a low ulimit of the \
                 runtime."
            ],
            text!["close what the program opens, or raise the limit (LimitNOFILE of the container runtime)"],
        ),
        Failure::InstanceLocked { path } => (
            text![
                subject,
                " finds its data held by another instance",
                path.as_ref().map(|path| text![": ", code(path.clone())])
            ],
            text![
                "Two instances may not share one data directory: another pod still uses the volume, or a lock file \
                 was left behind by a crash."
            ],
            text![
                "run one instance per volume (StatefulSet, or strategy Recreate); remove a stale lock only when no \
                 other instance runs"
            ],
        ),
        Failure::Usage { program } => (
            text![subject, " prints how to call ", code(program.clone()), " and ends"],
            text![
                "The program did not get the arguments that it needs: command or args are missing, misspelt or \
                 incomplete."
            ],
            text!["give the container the command and arguments that the program asks for"],
        ),
        Failure::Migration { what } => (
            text![subject, " fails in its database migration: ", quoted(what.clone())],
            text!["The program changes the database's schema before it starts, and that step failed."],
            text!["repair the migration or the schema by hand, as the migration tool describes"],
        ),
        Failure::Fatal { what } if !what.is_empty() => generic(end, what),
        _ => generic(end, line),
    }
}

fn generic(end: &End<'_>, line: &str) -> (Text, Text, Text) {
    (
        text![end.subject(), " gives up with exit code ", end.state.exit_code, ": ", quoted(line)],
        text!["The program ended itself, for the reason that its log gives."],
        text!["act on what the program says: ", quoted(line)],
    )
}

/// What might have ended it from outside, and did not.
fn by_itself(case: &Case<'_>, end: &End<'_>) -> Option<Text> {
    // Above 128 stand signals, and 255 may be the runtime's.
    if end.state.exit_code > 128 || end.state.exit_code < 0 {
        return None;
    }
    let limit = case.pod().and_then(|pod| Limit::of(pod, &end.container)).is_some();
    let probe = end.container.spec.liveness_probe.is_some() || end.container.spec.startup_probe.is_some();
    let memory = if limit {
        "not killed for memory (it has a limit, and the reason is not OOMKilled)"
    } else {
        "not killed at a memory limit (it has none)"
    };
    let probes = if probe {
        "not by a probe (none is on record as the killer)"
    } else {
        "not by a probe (it has none that kills)"
    };
    Some(text!["It ended by itself: ", memory, ", ", probes, ", and its code is none of a signal."])
}

fn meaning(exit: i32) -> Text {
    match exit_code::meaning(exit) {
        exit_code::OWN => {
            text!["Code ", exit, " is the program's own; its documentation or its log tells what it means."]
        }
        meaning => text!["By convention ", exit, " means: ", meaning, "."],
    }
}

fn plain(case: &Case<'_>, end: &End<'_>) -> Result<Finding, Needs> {
    let exit = end.state.exit_code;
    let last = end.words.as_ref().and_then(|words| words.last_word());
    let title = if let Some(last) = last {
        text![end.subject(), " ends with exit code ", exit, ": ", quoted(last)]
    } else {
        text![end.subject(), " ends with exit code ", exit, ", and no log could be read"]
    };
    let template = ends::template(case)?;
    let shell = text![
        "run the entrypoint of container ",
        name(end.container.name()),
        " by hand in a copy of the pod, which a shell holds open"
    ];
    let copy = format!("{}-debug", case.name());
    let copy_to = format!("--copy-to={copy}");
    let container = format!("--container={}", end.container.name());
    let debug = Fix::safe(shell).command(case.kubectl([
        "debug",
        case.name(),
        "-it",
        copy_to.as_str(),
        container.as_str(),
        "--",
        "sh",
    ]));
    let command = Fix::disruptive(if let Some(last) = last {
        text!["act on what the program says: ", quoted(last)]
    } else {
        text!["look at command, arguments and input of the program"]
    });
    let silent = last.is_none();
    let finding = end
        .finding(case, Code::AppError)
        .confidence(if last.is_some() { Confidence::Likely } else { Confidence::Possible })
        .title(title)
        .explain(end.opening())
        .also(meaning(exit))
        .also(by_itself(case, end))
        .also(end.last_words())
        .fix(end.read_log(case))
        .fix(command.command(template.edit(case)))
        .fix(debug);
    // Whose last words are gone may say now, while it runs again, that no Service is reached from its node.
    Ok(if silent { keep_its_words(case, end, finding).follows(Code::KubeProxyDown) } else { finding })
}

/// The steps for a container that leaves no words behind.
fn keep_its_words(case: &Case<'_>, end: &End<'_>, finding: Finding) -> Finding {
    let container = end.container.name();
    let find = ["exec", case.name(), "-c", container, "--", "find", "/", "-xdev", "-name", "*.log", "-mmin", "-60"];
    let elsewhere = Fix::safe(text![
        "see, while it runs, whether it writes its log to a file inside the container; then let it log to standard output"
    ])
    .command(case.kubectl(find));
    let next_time = Fix::disruptive(text![
        "keep its words for the next time: ",
        code("terminationMessagePolicy: FallbackToLogsOnError"),
        " in container ",
        name(container),
        " leaves the last lines in the pod's status; a log collector on the nodes ships the rest before the container goes"
    ]);
    finding.fix(elsewhere).fix(next_time)
}
