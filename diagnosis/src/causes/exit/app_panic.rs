//! `app-panic`.

use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::ends::{self, End};
use crate::finding::{Finding, Fix};
use crate::parse::log::{Failure, Language, Signature};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The program died of an unhandled exception, a panic or a failed assertion of its own.
    /// ## Signals
    /// The log of the instance that ended has a runtime's last words: Go `panic: ` or `fatal error: ` with `goroutine N
    /// [running]:` (exit 2), Java `Exception in thread "main"`, Python `Traceback (most recent call last):`, Node
    /// `Uncaught` or a stack above `Node.js v20`, Rust `thread 'main' panicked at` (exit 101), .NET `Unhandled
    /// exception.` (exit 134), C++ `terminate called after throwing`.
    /// ## Look-alikes
    /// `app-config-error`, `dependency-unreachable`, `dependency-auth-failed`: the exception only carries their
    /// message, and that message decides. `heap-exhausted`: the exception is the runtime's own lack of memory.
    /// `killed-by-signal`: the process was killed by a fault, and no runtime said a word. `shell-misuse`: exit 2 of a
    /// shell.
    /// ## Fixes
    /// Read the stack from its top frame of the application's own code; go back to the image that worked where the
    /// crash came with a change.
    /// ## Source
    /// <https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/>; the runtimes' own
    /// wording.
    AppPanic, stage Exit, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let ends = ends::with_failure(case, |failure| matches!(failure, Failure::Panic { .. }))?;
    ends.iter().map(|(end, signature)| explain(case, end, signature)).collect()
}

fn explain(case: &Case<'_>, end: &End<'_>, signature: &Signature) -> Result<Finding, Needs> {
    let what = match &signature.kind {
        Failure::Panic { what } if !what.is_empty() => what.clone(),
        _ => signature.line.clone(),
    };
    let frame = signature.frame.as_ref().map(|frame| text![" It happened at ", code(frame.clone()), "."]);
    let kind = signature.language.map_or("an unhandled error", noun);
    let template = ends::template(case)?;
    let history = Fix::safe(text!["see whether it came with the last change of the template"]);
    let history =
        (!template.is_pod).then(|| history.command(case.kubectl(["rollout", "history", template.argument.as_str()])));
    Ok(end
        .finding(case, Code::AppPanic)
        .confidence(ends::confidence(signature))
        .title(text![end.subject(), " crashes: ", quoted(what)])
        .explain(text![
            end.opening(),
            " Its log ends in ",
            kind,
            ": the program met something that its code does not handle.",
            frame
        ])
        .also(go_ends_with_two(end, signature))
        .also(text!["It runs image ", name(end.container.image()), "."])
        .fix(end.read_log(case))
        .fix(Fix::safe(if let Some(frame) = &signature.frame {
            text!["repair the code at ", code(frame.clone()), ", or give it the input that it expects"]
        } else {
            text!["repair the code that the stack in the log names, or give it the input that it expects"]
        }))
        .fix(history))
}

/// The code that a shell gives for a wrong call is Go's for a panic.
fn go_ends_with_two(end: &End<'_>, signature: &Signature) -> Option<Text> {
    let is_it = end.state.exit_code == 2 && signature.language == Some(Language::Go);
    is_it.then(|| text!["Exit code 2 is what a Go program ends with on a panic; no shell was misused."])
}

fn noun(language: Language) -> &'static str {
    match language {
        Language::Go => "a Go panic",
        Language::Java => "an uncaught Java exception",
        Language::Python => "an uncaught Python exception",
        Language::Node => "an uncaught error of Node.js",
        Language::Rust => "a Rust panic",
        Language::Ruby => "an uncaught Ruby exception",
        Language::Php => "a fatal error of PHP",
        Language::DotNet => "an unhandled .NET exception",
        Language::Erlang => "a crash of the Erlang runtime",
        Language::Native | Language::Shell => "an abort of the program itself",
    }
}
