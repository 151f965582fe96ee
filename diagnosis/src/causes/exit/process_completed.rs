//! `process-completed`.

use kubewhy_text::{code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::ends::{self, End, Story};
use crate::finding::{Finding, Fix};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The main process of the container ended well, though it should have run on, and is restarted again and again.
    /// ## Signals
    /// `terminated` with exit code 0 and reason `Completed`, restartPolicy Always, waiting `CrashLoopBackOff`.
    /// ## Look-alikes
    /// `liveness-probe-killing`: the probe ended it, and it left with 0. `app-error`: any other exit code. A Job's or
    /// init container's end with 0 is no fault. `oom-limit`: an OOM kill can read exit code 0 with reason OOMKilled.
    /// ## Fixes
    /// Run the program in the foreground, or give the pod's work to a Job where it is meant to end.
    /// ## Source
    /// <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy>
    ProcessCompleted, stage Exit, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let ends = ends::of(case)?;
    ends.iter().filter(|end| matches!(end.story, Story::Completed)).map(|end| explain(case, end)).collect()
}

fn explain(case: &Case<'_>, end: &End<'_>) -> Result<Finding, Needs> {
    let template = ends::template(case)?;
    let spec = end.container.spec;
    let words: Vec<&str> = spec.command.iter().chain(&spec.args).flatten().map(String::as_str).collect();
    let line = words.join(" ");
    let shell = match words.as_slice() {
        [] => Some(
            "The image's own command decides what runs; an image of a bare operating system runs a shell, which ends \
             without a terminal.",
        ),
        [single] if is_interpreter(single) => {
            Some("A shell or interpreter without a terminal and without a script ends at once.")
        }
        _ if goes_to_background(&line) => {
            Some("Its command starts the program in the background, and then ends itself; the container ends with it.")
        }
        _ => None,
    };
    let reason = shell.map(|reason| text![reason]);
    let evidence =
        (!words.is_empty()).then(|| case.field(&format!("{}.command", end.container.spec_path()), line.clone()));
    let foreground = Fix::disruptive(text![
        "let the program of container ",
        name(end.container.name()),
        " run in the foreground (no ",
        code("&"),
        ", no daemon mode), as the last thing that its command does"
    ]);
    Ok(end
        .finding(case, Code::ProcessCompleted)
        .title(text![end.subject(), " ends by itself with exit code 0, and should run on"])
        .explain(end.opening())
        .also(text![
            "Nothing failed: its main process had nothing left to do. Its restartPolicy is Always, so it is \
         started again each time."
        ])
        .also(reason)
        .evidence(evidence)
        .fix(foreground.command(template.edit(case)))
        .fix(Fix::disruptive(text!["or make it a Job or CronJob, if its work is meant to end"]))
        .fix(end.read_log(case)))
}

fn is_interpreter(word: &str) -> bool {
    let program = word.rsplit('/').next().unwrap_or(word);
    matches!(program, "sh" | "bash" | "ash" | "dash" | "zsh" | "python" | "python3" | "node" | "irb" | "php")
}

fn goes_to_background(line: &str) -> bool {
    let trimmed = line.trim_end();
    let detached = trimmed.ends_with('&') && !trimmed.ends_with("&&");
    let daemon = [
        "nohup ",
        "service ",
        "systemctl start",
        "startup.sh",
        " -daemon",
        " --daemon",
        " --daemonize yes",
        "start-stop-daemon",
    ];
    detached || daemon.iter().any(|word| line.contains(word))
}
