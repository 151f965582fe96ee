//! `shell-misuse`.

use kubewhy_text::{code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::ends::{self, End};
use crate::finding::{Finding, Fix};
use crate::parse::log::{Failure, Signature};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// A shell does not understand the script or the options that the container gives it.
    /// ## Signals
    /// Mostly exit code 2, and the log: bash `syntax error near unexpected token`, `syntax error: unexpected end of
    /// file`, dash `Syntax error: "fi" unexpected`, busybox `syntax error: unexpected "fi"`, `illegal option`, `Bad
    /// substitution`.
    /// ## Look-alikes
    /// `app-panic`: a Go panic ends with 2 as well. `app-config-error`: a program's own complaint about a flag, or a
    /// variable that the script demands. `command-not-found`: exit 127. `command-not-executable`: exit 126.
    /// ## Fixes
    /// Correct the script; check it with `sh -n`. Scripts for bash need bash in the image.
    /// ## Source
    /// <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html>
    ShellMisuse, stage Exit, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let ends = ends::with_failure(case, |failure| matches!(failure, Failure::ShellSyntax { .. }))?;
    ends.iter().map(|(end, signature)| explain(case, end, signature)).collect()
}

fn explain(case: &Case<'_>, end: &End<'_>, signature: &Signature) -> Result<Finding, Needs> {
    let template = ends::template(case)?;
    let (shell, detail) = match &signature.kind {
        Failure::ShellSyntax { shell, detail } => (shell.clone(), detail.clone()),
        _ => (String::new(), String::new()),
    };
    let detail = if detail.is_empty() { signature.line.clone() } else { detail };
    let spec = end.container.spec;
    let words: Vec<&String> = spec.command.iter().chain(&spec.args).flatten().collect();
    let script = words.into_iter().rev().find(|word| word.contains([' ', '\n', ';']));
    let path = if spec.args.is_some() { "args" } else { "command" };
    let evidence = script.map(|script| case.field(&format!("{}.{path}", end.container.spec_path()), shorten(script)));
    let whose = if script.is_some() {
        "The script stands in the command of the container."
    } else {
        "The script is a file of the image or of a volume."
    };
    let program = shell.rsplit('/').next().unwrap_or_default();
    let shell = match program {
        "" => text!["The shell"],
        "sh" | "bash" | "ash" | "dash" | "ksh" | "zsh" | "busybox" => text!["The shell ", code(shell)],
        _ => text!["The shell that runs ", code(shell)],
    };
    Ok(end
        .finding(case, Code::ShellMisuse)
        .confidence(ends::confidence(signature))
        .title(text![end.subject(), " gives its shell a script that it does not understand: ", quoted(detail)])
        .explain(end.opening())
        .also(text![shell, " refused the script before or while running it. ", whose])
        .evidence(evidence)
        .fix(
            Fix::disruptive(text![
                "correct the syntax in the command or script of container ",
                name(end.container.name()),
                " (check it with ",
                code("sh -n"),
                "; features of bash need bash)"
            ])
            .command(template.edit(case)),
        )
        .fix(end.read_log(case)))
}

fn shorten(script: &str) -> String {
    let short: String = script.chars().take(300).collect();
    if short.len() < script.len() { format!("{short} ...") } else { short }
}
