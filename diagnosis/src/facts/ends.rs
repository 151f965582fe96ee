//! How containers ended: one story for each, so that exactly one cause speaks for it.
//!
//! Ends that other stages explain (nothing ever ran, the container's own probe or hook killed it, the pod is on its
//! way out,
//! the node went away) have no story here. A signature in the log outweighs the exit code; an order to stop (137,
//! 143) is
//! never taken for more than the evidence shows.

use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ContainerStateTerminated, Pod};
use kubewhy_text::{Text, name, own, quoted, text};

use crate::ask::Instance;
use crate::case::{Case, Verdict};
use crate::causes::Code;
use crate::event::Event;
use crate::facts::{owner, probes, start};
use crate::finding::{Confidence, Evidence, Finding, Fix, Patch, Severity};
use crate::parse::exit_code::{self, Signal};
use crate::parse::log::{self, Failure, LastWords, Signature};
use crate::parse::start::is_runtimes;
use crate::pods::{self, ContainerView};
use crate::reader::{Needs, Read};

/// What lies behind an end.
#[derive(Clone, Debug)]
pub(crate) enum Story {
    /// The kernel killed it for memory.
    OutOfMemory,
    /// Its log names a failure.
    Log(Box<Signature>),
    /// It ended well, and should have run on.
    Completed,
    /// It died of a signal of its own doing.
    Fault(Signal),
    /// It was ordered to stop, and nothing tells by whom.
    Ordered(Signal, Option<Evidence>),
    /// The runtime lost track of it.
    Lost,
    /// Any other code.
    Plain,
}

/// A container that ended in trouble.
#[derive(Clone, Debug)]
pub(crate) struct End<'c> {
    pub(crate) container: ContainerView<'c>,
    pub(crate) state: &'c ContainerStateTerminated,
    pub(crate) story: Story,
    /// Its last words; none where no log was to be had.
    pub(crate) words: Option<Rc<LastWords>>,
    /// They stand in the termination message, not in the log.
    in_message: bool,
}

/// The troubling ends of the pod's containers that this stage explains.
///
/// # Errors
/// [`Needs`] where events or logs have not been asked yet.
pub(crate) fn of<'c>(case: &'c Case<'_>) -> Result<Vec<End<'c>>, Needs> {
    let Some(pod) = case.pod().filter(|pod| !is_leaving(pod)) else { return Ok(Vec::new()) };
    let mut ends: Vec<End<'c>> = Vec::new();
    let mut needs = None;
    for container in case.containers() {
        match sort_out(case, pod, container) {
            Ok(end) => ends.extend(end),
            Err(lacking) => needs = Some(lacking),
        }
    }
    if let Some(needs) = needs {
        return Err(needs);
    }
    // Commands that a shell or the runtime did not find or could not run are the stage start's matter.
    if ends.iter().any(|end| matches!(end.state.exit_code, 1 | 126 | 127 | 255)) {
        let failures = start::failures(case)?;
        ends.retain(|end| {
            let out_of_memory = matches!(end.story, Story::OutOfMemory);
            out_of_memory || failures.iter().all(|failure| failure.container.name() != end.container.name())
        });
    }
    Ok(ends)
}

/// The ends whose log names a failure that passes.
///
/// # Errors
/// [`Needs`] where events or logs have not been asked yet.
pub(crate) fn with_failure<'c>(
    case: &'c Case<'_>,
    passes: impl Fn(&Failure) -> bool,
) -> Result<Vec<(End<'c>, Signature)>, Needs> {
    let ends = of(case)?.into_iter();
    Ok(ends
        .filter_map(|end| match &end.story {
            Story::Log(signature) if passes(&signature.kind) => {
                let signature = (**signature).clone();
                Some((end, signature))
            }
            _ => None,
        })
        .collect())
}

/// Being deleted, evicted, rejected or disrupted: what its containers go through then is told by other stages.
fn is_leaving(pod: &Pod) -> bool {
    let rejected =
        pods::status(pod).and_then(|status| status.reason.as_deref()).is_some_and(|reason| !reason.is_empty());
    pod.metadata.deletion_timestamp.is_some() || rejected || pods::is_true(pod, "DisruptionTarget")
}

fn sort_out<'c>(case: &'c Case<'_>, pod: &Pod, container: ContainerView<'c>) -> Result<Option<End<'c>>, Needs> {
    let Some(state) = pods::troubling_end(pod, &container, case.now()) else { return Ok(None) };
    sort_out_end(case, container, state)
}

/// How the instance before the present one ended, however long ago that is; none where another stage explains it.
///
/// # Errors
/// [`Needs`] where events or logs have not been asked yet.
pub(crate) fn before<'c>(case: &'c Case<'_>, container: ContainerView<'c>) -> Result<Option<End<'c>>, Needs> {
    let Some(state) = container.last_terminated() else { return Ok(None) };
    sort_out_end(case, container, state)
}

fn sort_out_end<'c>(
    case: &'c Case<'_>,
    container: ContainerView<'c>,
    state: &'c ContainerStateTerminated,
) -> Result<Option<End<'c>>, Needs> {
    let held_by_other = !matches!(container.waiting_reason(), "" | "CrashLoopBackOff");
    let lost_with_node = state.reason.as_deref() == Some("ContainerStatusUnknown");
    let mut end = End { container, state, story: Story::Plain, words: None, in_message: false };
    if is_out_of_memory(state) {
        end.story = Story::OutOfMemory;
        return Ok(Some(end));
    }
    if held_by_other || lost_with_node || never_ran(state) || is_lost(&container, state) {
        return Ok(None);
    }
    let events = case.own_events();
    // The controller is named in every answer; asked now, it costs no round of its own.
    let _ = case.controllers(case.object());
    let by_probe = probes::killed_by_probe(case, &container);
    let read = words_of(case, &container, state);
    let events = events?;
    if by_probe?.is_some() || was_killed_by_kubelet(events, &container, state) {
        return Ok(None);
    }
    if let Some((words, in_message)) = read? {
        end.words = Some(words);
        end.in_message = in_message;
    }
    if matches!(state.exit_code, 1 | 134 | 135) && lacks_huge_pages(&end) {
        return Ok(None);
    }
    end.story = story(&end, events);
    Ok(Some(end))
}

/// A program that could not be run.
pub(crate) fn is_about_a_command(failure: &Failure) -> bool {
    matches!(failure, Failure::CommandNotFound { .. } | Failure::NotExecutable { .. } | Failure::ExecFormat { .. })
}

fn story(end: &End<'_>, events: &[std::sync::Arc<Event>]) -> Story {
    let code = end.state.exit_code;
    let signature = end.words.as_ref().and_then(|words| words.signature.clone()).map(with_reference);
    if is_unknown(end.state) {
        return Story::Lost;
    }
    let signal = exit_code::signal(code);
    let outweighs = |signature: &Signature| match signal {
        // On the way down a program complains of much that is not its cause.
        Some(signal) if signal.is_order => {
            signature.decisive && matches!(signature.kind, Failure::HeapExhausted { .. } | Failure::NoMemory { .. })
        }
        Some(_) => {
            let told =
                signature.decisive || matches!(signature.kind, Failure::Panic { .. } | Failure::HeapExhausted { .. });
            told && !is_name_of_signal(&signature.kind)
        }
        None => code != 0 || signature.decisive,
    };
    if let Some(signature) = signature.filter(outweighs) {
        return Story::Log(Box::new(signature));
    }
    match signal {
        Some(signal) if signal.is_order => {
            let stop = events.iter().rev().find(|event| {
                event.reason == "Killing" && concerns(event, &end.container) && is_of_this_run(event, end.state)
            });
            // Only these two are how others stop a container; of any other signal it died, whoever sent it.
            let to_stop = matches!(signal.number, 9 | 15) || stop.is_some();
            let stop = stop.map(|event| Evidence::event(event));
            if to_stop { Story::Ordered(signal, stop) } else { Story::Fault(signal) }
        }
        Some(signal) => Story::Fault(signal),
        None if code == 0 => Story::Completed,
        None => Story::Plain,
    }
}

/// Memory that a server wants as huge pages is the matter of the stage memory.
fn lacks_huge_pages(end: &End<'_>) -> bool {
    let Some(words) = &end.words else { return false };
    let lines = words.tail.iter().chain(words.signature.as_ref().map(|signature| &signature.line));
    lines.map(|line| line.to_lowercase()).any(|line| {
        let denied = line.contains("cannot allocate memory") || line.contains("enomem");
        let huge = ["huge page", "hugepage", "hugetlb"].iter().any(|word| line.contains(word));
        let unavailable = denied || line.contains("no free") || line.contains("not available");
        (denied && line.contains("could not map anonymous shared memory")) || (huge && unavailable)
    })
}

/// A shell's `Segmentation fault` says no more than the exit code does.
fn is_name_of_signal(failure: &Failure) -> bool {
    const NAMES: &[&str] = &[
        "Segmentation fault",
        "Aborted",
        "Illegal instruction",
        "Bus error",
        "Floating point exception",
        "Trace/breakpoint trap",
        "Bad system call",
    ];
    let Failure::Panic { what } = failure else { return false };
    let bare = what.trim_end_matches("(core dumped)").trim();
    NAMES.contains(&bare)
}

/// A peer named `$(DB_HOST)` is a reference to a variable that nobody expanded.
fn with_reference(signature: Signature) -> Signature {
    let host = match &signature.kind {
        Failure::UnknownHost { host, .. } => host,
        Failure::Refused { peer: Some(peer) }
        | Failure::Timeout { peer: Some(peer) }
        | Failure::Unreachable { peer: Some(peer) } => &peer.host,
        _ => return signature,
    };
    let Some(name) = reference(host).map(str::to_owned) else { return signature };
    Signature { kind: Failure::MissingVariable { name }, ..signature }
}

/// The variable that a text refers to: `$(NAME)` or `${NAME}`.
pub(crate) fn reference(text: &str) -> Option<&str> {
    let (open, close) = if text.contains("$(") { ("$(", ')') } else { ("${", '}') };
    let name = text.split_once(open)?.1.split_once(close)?.0;
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    plain.then_some(name)
}

fn is_out_of_memory(state: &ContainerStateTerminated) -> bool {
    let message = state.message.as_deref().unwrap_or_default();
    state.reason.as_deref() == Some("OOMKilled") || message.contains("container init was OOM-killed")
}

/// The runtime does not know how it ended, and it is not up again: told where the node is at fault.
fn is_lost(container: &ContainerView<'_>, state: &ContainerStateTerminated) -> bool {
    container.running().is_none() && is_unknown(state)
}

fn is_unknown(state: &ContainerStateTerminated) -> bool {
    state.exit_code == 255 && state.reason.as_deref() == Some("Unknown")
}

/// The runtime could not start it: the stage start speaks of that.
fn never_ran(state: &ContainerStateTerminated) -> bool {
    matches!(state.reason.as_deref(), Some("StartError" | "ContainerCannotRun"))
        || (state.exit_code == 128 && state.started_at.as_ref().is_some_and(|time| time.0.as_second() <= 0))
        || (matches!(state.exit_code, -1 | 126 | 127 | 128)
            && is_runtimes(state.message.as_deref().unwrap_or_default()))
}

fn concerns(event: &Event, container: &ContainerView<'_>) -> bool {
    event.container().is_none_or(|of| of == container.name())
}

/// The event is not of an earlier instance: nothing older than the start of this one.
fn is_of_this_run(event: &Event, state: &ContainerStateTerminated) -> bool {
    let slack = SignedDuration::from_secs(2);
    match (event.last, state.started_at.as_ref()) {
        (Some(said), Some(started)) => said.saturating_add(slack).is_ok_and(|said| said >= started.0),
        _ => true,
    }
}

/// Its own hook, a change of its definition or a resize ended it.
fn was_killed_by_kubelet(
    events: &[std::sync::Arc<Event>],
    container: &ContainerView<'_>,
    state: &ContainerStateTerminated,
) -> bool {
    events.iter().any(|event| {
        let telling = match event.reason.as_str() {
            "FailedPostStartHook" => true,
            "Killing" => KUBELETS_REASONS.iter().any(|words| event.message.contains(words)),
            _ => false,
        };
        telling && concerns(event, container) && is_of_this_run(event, state)
    })
}

const KUBELETS_REASONS: &[&str] =
    &["FailedPostStartHook", "PostStartHook", "definition changed", "resize requires restart"];

/// What it said last, and whether that stands in its termination message.
fn words_of(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    state: &ContainerStateTerminated,
) -> Result<Option<(Rc<LastWords>, bool)>, Needs> {
    let log = case.last_words(container)?.found();
    let told = log.as_ref().is_some_and(|words| words.signature.is_some());
    let message = state.message.as_deref().filter(|message| !told && !message.trim().is_empty());
    let message = message.map(log::read).filter(|words| !words.not_the_apps && !words.tail.is_empty());
    Ok(match (log, message) {
        (Some(log), None) => Some((log, false)),
        (Some(log), Some(message)) if message.signature.is_none() => Some((log, false)),
        (_, Some(message)) => Some((Rc::new(message), true)),
        (None, None) => None,
    })
}

impl End<'_> {
    /// How long it ran.
    pub(crate) fn run_time(&self) -> Option<SignedDuration> {
        let started = self.state.started_at.as_ref()?.0;
        let finished = self.state.finished_at.as_ref()?.0;
        Some(finished.duration_since(started)).filter(|time| !time.is_negative() && started.as_second() > 0)
    }

    /// An error, unless it is up and ready again for a while.
    fn severity(&self, case: &Case<'_>) -> Severity {
        let started = self.container.running().and_then(|running| running.started_at.as_ref());
        let holds = started.is_some_and(|started| case.age(started.0) > SignedDuration::from_mins(2));
        if self.container.is_ready() && holds { Severity::Warning } else { Severity::Error }
    }

    /// Since when the pod is not ready, else when it ended last.
    fn since(&self, case: &Case<'_>) -> Option<Timestamp> {
        let ready = case.pod().and_then(|pod| pods::condition(pod, "Ready")).filter(|ready| ready.status == "False");
        ready.and_then(|ready| ready.last_transition_time.as_ref()).map(|time| time.0).or_else(|| self.ended())
    }

    /// When it ended.
    pub(crate) fn ended(&self) -> Option<Timestamp> {
        self.state.finished_at.as_ref().map(|time| time.0)
    }

    /// `Container app`, or `Init container app`.
    pub(crate) fn subject(&self) -> Text {
        self.container.subject()
    }

    /// `Container app ended with exit code 1 after 2 s and was restarted 3 times.`
    pub(crate) fn opening(&self) -> Text {
        let after = self.run_time().map(|time| text![" after ", own(show(time))]);
        let again = match self.container.restarts() {
            0 => None,
            1 => Some(text![" and was restarted once"]),
            times => Some(text![" and was restarted ", times, " times"]),
        };
        text![self.subject(), " ended with exit code ", self.state.exit_code, after, again, "."]
    }

    /// The end itself, and the line of the log that tells most.
    pub(crate) fn evidence(&self, case: &Case<'_>) -> Vec<Evidence> {
        let mut evidence: Vec<Evidence> = case.end_evidence(&self.container).into_iter().collect();
        let Some(words) = self.words.as_ref().filter(|_| !self.in_message) else { return evidence };
        if let Story::Log(signature) = &self.story {
            evidence.push(case.log_evidence(&self.container, signature.line_number, &signature.line));
        } else {
            let source = case.log_evidence(&self.container, 0, "").source.replace(", line 0", ", last lines");
            let text = words.tail.join(" | ");
            evidence.push(Evidence { source, text, at: None });
        }
        evidence
    }

    /// ` Its last words: "..."`, or that no log could be read.
    pub(crate) fn last_words(&self) -> Text {
        if let Some(last) = self.words.as_ref().and_then(|words| words.last_word()) {
            text!["Its last words: ", quoted(last.trim_end_matches('.')), "."]
        } else {
            text!["No log of it could be read."]
        }
    }

    /// The step that shows what it said.
    pub(crate) fn read_log(&self, case: &Case<'_>) -> Fix {
        let mut command = vec!["logs", case.name(), "-c", self.container.name()];
        if self.container.terminated().is_none() {
            command.push("--previous");
        }
        Fix::safe(text!["read what container ", name(self.container.name()), " said before it ended"])
            .command(case.kubectl(command))
    }
}

/// How sure a reading of a log is: an inference where the wording is decisive, else a possibility.
pub(crate) fn confidence(signature: &Signature) -> Confidence {
    if signature.decisive { Confidence::Likely } else { Confidence::Possible }
}

/// The findings of that code on containers whose log names a failure that passes: those that ended of it, and those that
/// run with it and do not get ready.
///
/// # Errors
/// [`Needs`] where events, logs or what `explain` reads have not been asked yet.
pub(crate) fn explained(
    case: &Case<'_>,
    code: Code,
    passes: impl Fn(&Failure) -> bool + Copy,
    explain: impl Fn(&ContainerView<'_>, Finding, &Signature) -> Result<Option<Finding>, Needs>,
) -> Verdict {
    let crashed = with_failure(case, passes);
    let unready = unready(case, passes);
    let mut found = Vec::new();
    for (end, signature) in crashed? {
        let finding = end.finding(case, code).explain(end.opening());
        found.extend(explain(&end.container, finding, &signature)?);
    }
    for (container, signature) in unready? {
        let opening = text![container.subject(), " runs and is not ready."];
        let evidence = case.log_evidence(&container, signature.line_number, &signature.line);
        let finding = case.finding_in(code, &container).explain(opening).evidence(evidence);
        found.extend(explain(&container, finding, &signature)?);
    }
    Ok(found)
}

/// How far back in the log of a program that runs a failure still counts.
const RECENT_LINES: usize = 40;

/// What a main container says that runs and is not ready, where its log names a failure that passes. Its crashes have
/// their own story.
///
/// # Errors
/// [`Needs`] where a log has not been asked yet.
pub(crate) fn unready<'c>(
    case: &'c Case<'_>,
    passes: impl Fn(&Failure) -> bool,
) -> Result<Vec<(ContainerView<'c>, Signature)>, Needs> {
    let Some(pod) = case.pod().filter(|pod| !is_leaving(pod)) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    let mut needs = None;
    for container in case.containers().filter(|container| is_unready(case, pod, container)) {
        let log = match case.log(pod, container.name(), Instance::Current) {
            Ok(Read::Found(log)) => log,
            Ok(_) => continue,
            Err(lacking) => {
                needs = Some(lacking);
                continue;
            }
        };
        let newest = log.lines().count().saturating_sub(RECENT_LINES);
        let counts =
            |signature: &Signature| signature.decisive && signature.line_number > newest && passes(&signature.kind);
        found.extend(log::read(&log).signature.filter(counts).map(|signature| (container, signature)));
    }
    needs.map_or(Ok(found), Err)
}

/// It runs, has had time to get ready, and is not; it does not crash either.
fn is_unready(case: &Case<'_>, pod: &Pod, container: &ContainerView<'_>) -> bool {
    let started = container.running().and_then(|running| running.started_at.as_ref()).map(|time| time.0);
    let settled = started.is_some_and(|started| case.age(started) > SignedDuration::from_secs(20));
    settled && !container.is_ready() && pods::troubling_end(pod, container, case.now()).is_none()
}

/// A duration as people say it: `2 s`, `3 min`, `5 h`, `4 days`.
pub(crate) fn show(time: SignedDuration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => "less than a second".to_owned(),
        1..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// What holds the template of a pod: its top controller, or the pod itself.
///
/// # Errors
/// [`Needs`] where a controller has not been asked yet.
pub(crate) fn template(case: &Case<'_>) -> Result<Template, Needs> {
    // A static pod belongs to its node, which has no template.
    let top = case.controllers(case.object())?.pop().filter(|top| top.kind != "Node");
    Ok(match top {
        Some(top) => Template {
            argument: format!("{}/{}", top.kind.to_lowercase(), top.name),
            name: top.name.clone(),
            is_pod: top.kind == "Job",
            is_cron_job: top.kind == "CronJob",
        },
        None => Template {
            argument: format!("pod/{}", case.name()),
            name: case.name().to_owned(),
            is_pod: true,
            is_cron_job: false,
        },
    })
}

/// What holds the template of a pod.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    /// As `kubectl` takes it: `deployment/cart`.
    pub(crate) argument: String,
    name: String,
    /// It cannot be changed in place: a pod that stands alone, or a Job.
    pub(crate) is_pod: bool,
    is_cron_job: bool,
}

impl Template {
    /// The command that opens it in an editor; what cannot be changed in place is made anew.
    pub(crate) fn edit(&self, case: &Case<'_>) -> String {
        if !self.is_pod {
            return case.kubectl(["edit", &self.argument]);
        }
        let kind = self.argument.split('/').next().unwrap_or_default();
        owner::remake(case, kind, &self.name)
    }

    /// The command that starts its pods anew.
    pub(crate) fn restart(&self, case: &Case<'_>) -> String {
        let rolls = ["deployment/", "statefulset/", "daemonset/"];
        if rolls.iter().any(|kind| self.argument.starts_with(kind)) {
            return case.kubectl(["rollout", "restart", &self.argument]);
        }
        case.kubectl(["delete", "pod", case.name()])
    }

    /// A patch of the pod's specification; none where it cannot be changed in place.
    pub(crate) fn patch(&self, spec: &serde_json::Value) -> Option<Patch> {
        let template = serde_json::json!({"spec": {"template": {"spec": spec}}});
        let body = if self.is_cron_job { serde_json::json!({"spec": {"jobTemplate": template}}) } else { template };
        (!self.is_pod).then_some(Patch { type_: "strategic", body })
    }
}

impl End<'_> {
    /// A finding of that code on the container, with the end and the log as evidence.
    pub(crate) fn finding(&self, case: &Case<'_>, code: Code) -> Finding {
        let finding = case
            .finding_in(code, &self.container)
            .confidence(Confidence::Likely)
            .severity(self.severity(case))
            .since(self.since(case));
        self.evidence(case).into_iter().fold(finding, Finding::evidence)
    }
}
