//! `frequent-restarts`.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{Node, Pod};
use kubewhy_text::{Text, code, name, own, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::memory::oom_limit::raise;
use crate::causes::{Code, cause};
use crate::facts::ends::{self, End, Story, Template};
use crate::facts::heap::{self, Limit};
use crate::facts::probes;
use crate::facts::restarts::{self, Against, Around, Sibling, Worn};
use crate::facts::usage;
use crate::finding::{Confidence, Evidence, Finding, Fix, Severity};
use crate::parse::exit_code;

use crate::parse::log::{Failure, Language, Signature};
use crate::parse::probe::ProbeKind;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The container runs, and has been restarted far more often than its siblings or than its age bears. There is no crash
    /// loop at this moment: each run lasts long enough that the back-off starts anew, so nothing looks broken between two
    /// ends.
    /// ## Signals
    /// `restartCount` above five, at least once a day on average, or at least three times as often as the median of the pods of
    /// the same template; the last restart no longer ago than five times the usual pause. What the API keeps: the last end
    /// (`lastState.terminated`), the log of that one instance, the siblings. Events of earlier ends are gone after an hour.
    /// ## Look-alikes
    /// `app-panic`, `oom-limit` and their kin: the same end a few minutes ago, or in a crash loop; they lead then. `node-rebooted`:
    /// all pods of a node restarted at one instant. Workers that end with 0 when their time is up, all alike; a pod that was restarted once or twice in weeks, a crash loop that is over, and
    /// the pod of a Job are no finding.
    /// ## Fixes
    /// Read what the last instance said; where it says nothing, keep more of the next end: ship the logs,
    /// `terminationMessagePolicy: FallbackToLogsOnError`, `GOTRACEBACK=all` for Go.
    /// ## Source
    /// <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#container-restarts>; apiserver flag `--event-ttl` (1 h);
    /// pkg/kubelet/kuberuntime/kuberuntime_manager.go, `doBackOff` (the back-off starts anew after 10 minutes).
    FrequentRestarts, stage Workload, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for worn in restarts::worn(case) {
        let node = case.node();
        let around = restarts::around(case, &worn);
        let end = ends::before(case, worn.container);
        let siblings = restarts::siblings(case, &worn.container)?;
        let against = restarts::against(worn.pace, &siblings);
        // Workers that end well after their time and are started anew are made so.
        let by_design = worn.end.is_some_and(|end| end.exit_code == 0 && end.reason.as_deref() != Some("OOMKilled"));
        if against != Against::FarBeyond && (by_design || !worn.pace.is_daily()) {
            continue;
        }
        let (node, around, end) = (node?, around?, end?);
        let of_the_node = matches!(around, Around::Together(_, most) if most.saturating_mul(2) >= worn.pace.restarts);
        if !of_the_node {
            let seen = Seen { worn: &worn, siblings, against, around, end, node: node.found() };
            found.push(explain(case, pod, &seen)?);
        }
    }
    Ok(found)
}

/// What is known of a container that restarts again and again.
struct Seen<'s, 'c> {
    worn: &'s Worn<'c>,
    siblings: Vec<Sibling>,
    against: Against,
    around: Around,
    end: Option<End<'c>>,
    node: Option<std::sync::Arc<Node>>,
}

fn explain(case: &Case<'_>, pod: &Pod, seen: &Seen<'_, '_>) -> Result<Finding, Needs> {
    let Seen { worn, .. } = seen;
    let container = &worn.container;
    let template = ends::template(case)?;
    let by_probe = probes::killed_by_probe(case, container)?;
    let out_of_memory = matches!(seen.end.as_ref().map(|end| &end.story), Some(Story::OutOfMemory));
    let limit = Limit::of(pod, container).filter(|_| out_of_memory);
    let (again, measured) = usage::memory_again(case, container, limit)?.unwrap_or_default();
    let others = peers(&seen.siblings);
    let title = match &others {
        Some(others) => text![container.subject(), " restarted ", worn.pace.show(), ", ", others.clone()],
        None => text![
            container.subject(),
            " restarted ",
            worn.pace.show(),
            ", one every ",
            own(ends::show(worn.pace.interval()))
        ],
    };
    let path = format!("{}.restartCount", container.status_path());
    let finding = case
        .finding_in(Code::FrequentRestarts, container)
        .severity(Severity::Warning)
        .confidence(Confidence::Likely)
        .follows_lead()
        .title(title)
        .explain(text![
            "It runs now, for ",
            own(ends::show(worn.uptime)),
            ", and on average for ",
            own(ends::show(worn.pace.interval())),
            ": no crash loop at this moment."
        ])
        .also(compared(seen))
        .also(last_end(seen))
        .also(said(case, pod, seen, by_probe.map(ProbeKind::word)))
        .also(ruled_out(seen, by_probe.is_some()))
        .also(rhythm(seen))
        .also(again)
        .evidence(case.field(&path, worn.pace.restarts.to_string()))
        .evidence(sibling_counts(case, &seen.siblings))
        .evidence(case.end_evidence(container))
        .evidence(line(case, seen))
        .evidence(node_evidence(seen))
        .evidence(measured)
        .since(worn.ended());
    Ok(fixes(case, &template, seen).into_iter().fold(finding, Finding::fix))
}

/// `its 4 siblings 19 to 24 times`.
fn peers(siblings: &[Sibling]) -> Option<Text> {
    let least = siblings.iter().map(|sibling| sibling.pace.restarts).min()?;
    let most = siblings.iter().map(|sibling| sibling.pace.restarts).max()?;
    let who = if siblings.len() == 1 { text!["its sibling "] } else { text!["its ", siblings.len(), " siblings "] };
    Some(match (least, most) {
        (_, 0) => text![who, "never"],
        (_, 1) if siblings.len() == 1 => text![who, "once"],
        (least, most) if least == most => text![who, most, " times"],
        (least, most) => text![who, least, " to ", most, " times"],
    })
}

fn compared(seen: &Seen<'_, '_>) -> Option<Text> {
    match seen.against {
        Against::FarBeyond => Some(text![
            "Its siblings restart far less: look for what this pod alone has (its node, its volume, its part of the work)."
        ]),
        Against::Alike => Some(text![
            "Its siblings restart as often: the cause is common to all (the template, a dependency, what they are asked)."
        ]),
        Against::Between | Against::Nobody => None,
    }
}

/// How the last run ended.
fn last_end(seen: &Seen<'_, '_>) -> Text {
    let Some(end) = seen.worn.end else {
        return text!["How its last run ended is told no longer."];
    };
    let after = seen.worn.last_run().map(|run| text![" after ", own(ends::show(run))]);
    let by_shell = end.exit_code == 2 && seen.worn.last_run().is_some_and(|run| run > SignedDuration::from_mins(1));
    let meaning = if by_shell {
        "after so long no shell's misuse; a Go panic or fatal error ends with it"
    } else if end.reason.as_deref() == Some("OOMKilled") {
        "OOMKilled"
    } else {
        exit_code::meaning(end.exit_code)
    };
    text!["The last run ended", after, " with exit code ", end.exit_code, " (", meaning, ")."]
}

/// What is known of that end: the cause that its own rule would name, or the last words.
fn said(case: &Case<'_>, pod: &Pod, seen: &Seen<'_, '_>, by_probe: Option<&'static str>) -> Option<Text> {
    let container = &seen.worn.container;
    if let Some(probe) = by_probe {
        return Some(text!["Its own ", probe, " probe killed it then."]);
    }
    let end = seen.end.as_ref()?;
    Some(match &end.story {
        Story::OutOfMemory => {
            let limit = Limit::of(pod, container).map(|limit| text![" of ", own(limit.show()), limit.remark()]);
            text!["The kernel killed it at its memory limit", limit, " (", code(Code::OomLimit.as_str()), ")."]
        }
        Story::Log(signature) => {
            let frame = signature.frame.as_ref().map(|frame| text![" at ", code(frame.clone())]);
            let known = recognised(&signature.kind).map(|known| text![" (", code(known.as_str()), ")"]);
            text!["Its log then ends in ", quoted(signature.line.clone()), frame, known, "."]
        }
        Story::Ordered(signal, _) => {
            let probe = case.containers().any(|it| {
                it.name() == container.name() && (it.spec.liveness_probe.is_some() || it.spec.startup_probe.is_some())
            });
            let who = if probe {
                "it has a probe that may kill it, and the events that would tell are gone after an hour"
            } else {
                "it has no probe that could have sent it, so it came from outside or from the node"
            };
            text![signal.name, " is an order: ", who, "."]
        }
        Story::Completed | Story::Fault(_) | Story::Lost | Story::Plain => end.last_words(),
    })
}

/// The cause that a failure in a log belongs to.
fn recognised(failure: &Failure) -> Option<Code> {
    Some(match failure {
        Failure::Panic { .. } => Code::AppPanic,
        Failure::HeapExhausted { .. } => Code::HeapExhausted,
        Failure::MissingVariable { .. }
        | Failure::MissingFile { .. }
        | Failure::MissingModule { .. }
        | Failure::BadFlag { .. }
        | Failure::BadSetting { .. }
        | Failure::UnreadableConfig { .. } => Code::AppConfigError,
        Failure::Refused { .. }
        | Failure::Timeout { .. }
        | Failure::UnknownHost { .. }
        | Failure::Reset { .. }
        | Failure::Unreachable { .. } => Code::DependencyUnreachable,
        Failure::AuthFailed { .. } => Code::DependencyAuthFailed,
        Failure::Overloaded { .. } => Code::DependencyOverloaded,
        Failure::Tls { .. } => Code::TlsCertificateInvalid,
        Failure::PortInUse { .. } => Code::PortInUse,
        Failure::PermissionDenied { .. } | Failure::ReadOnlyFileSystem { .. } => Code::AppPermissionDenied,
        Failure::NoSpace { .. } => Code::AppDiskFull,
        _ => return None,
    })
}

/// What the evidence rules out, and what follows from that.
fn ruled_out(seen: &Seen<'_, '_>, by_probe: bool) -> Option<Text> {
    let end = seen.worn.end?;
    if let Around::Together(others, _) = seen.around {
        return Some(text![
            "That last end was the node's: containers of ",
            others,
            " other pods ended in the same two minutes; the many others are this container's own."
        ]);
    }
    let by_itself = !matches!(end.exit_code, 137 | 143) && end.reason.as_deref() != Some("OOMKilled") && !by_probe;
    if !by_itself {
        return None;
    }
    let spec = seen.worn.container.spec;
    let probe = if spec.liveness_probe.is_none() && spec.startup_probe.is_none() {
        "no probe that kills"
    } else {
        "no probe's kill is told"
    };
    let node = seen.node.as_ref().filter(|node| is_calm(node)).map(|node| {
        let node = node.metadata.name.clone().unwrap_or_default();
        let alone = matches!(seen.around, Around::Alone).then_some(text![" and no other pod there ended then"]);
        text![", node ", name(node), " is Ready without pressure", alone]
    });
    Some(text![
        "The platform did not do that (no OOM kill, ",
        probe,
        node,
        "): the process ends by itself, and neither another entrypoint nor more probes cure that."
    ])
}

/// Ready, and no pressure.
fn is_calm(node: &Node) -> bool {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let mut ready = false;
    for condition in conditions {
        match (condition.type_.as_str(), condition.status.as_str()) {
            ("Ready", "True") => ready = true,
            ("MemoryPressure" | "DiskPressure" | "PIDPressure", "True") => return false,
            _ => {}
        }
    }
    ready
}

/// What the few times that the API still shows say about a rhythm.
fn rhythm(seen: &Seen<'_, '_>) -> Option<Text> {
    let ended = seen.worn.ended()?;
    let with = restarts::ended_with(&seen.siblings, ended);
    if with > 0 {
        return Some(text![
            with,
            if with == 1 { " sibling" } else { " siblings" },
            " ended within two minutes of it: look at what they share, a dependency or an input."
        ]);
    }
    if let Some(Story::Log(_)) = seen.end.as_ref().map(|end| &end.story) {
        return None;
    }
    let (run, usual) = (seen.worn.last_run()?.as_secs(), seen.worn.pace.interval().as_secs());
    let regular = usual > 1800 && run.saturating_sub(usual).abs().saturating_mul(10) <= usual;
    regular.then(|| {
        text![
            "That run was as long as the average one: equal runs hint at a leak, or at a token or session that expires."
        ]
    })
}

fn sibling_counts(case: &Case<'_>, siblings: &[Sibling]) -> Option<Evidence> {
    if siblings.is_empty() {
        return None;
    }
    let show = |sibling: &Sibling| {
        let node = sibling.node.as_ref().map(|node| format!(" on {node}")).unwrap_or_default();
        format!("{}: {} in {}{node}", sibling.name, sibling.pace.restarts, ends::show(sibling.pace.life))
    };
    let shown: Vec<String> = siblings.iter().take(10).map(show).collect();
    let source = format!("restartCount of the other pods of the template of {}", case.reference());
    Some(Evidence { source, text: shown.join(", "), at: None })
}

/// The line of the previous log that tells most.
fn line(case: &Case<'_>, seen: &Seen<'_, '_>) -> Option<Evidence> {
    seen.end.as_ref()?.evidence(case).into_iter().nth(1)
}

fn node_evidence(seen: &Seen<'_, '_>) -> Option<Evidence> {
    let node = seen.node.as_ref()?;
    let conditions = node.status.as_ref()?.conditions.as_ref()?;
    let shown: Vec<String> = conditions.iter().map(|it| format!("{}={}", it.type_, it.status)).collect();
    let source = format!("Node {} .status.conditions", node.metadata.name.as_deref().unwrap_or_default());
    Some(Evidence { source, text: shown.join(", "), at: None })
}

fn fixes(case: &Case<'_>, template: &Template, seen: &Seen<'_, '_>) -> Vec<Fix> {
    let container = &seen.worn.container;
    let previous = ["logs", case.name(), "-c", container.name(), "--previous", "--tail=200"];
    let read = Fix::safe(text![
        "read the log of the instance that ended last; the kubelet keeps this one only, so save it before the next end"
    ])
    .command(case.kubectl(previous));
    let mut fixes = vec![read];
    if let Some(Story::Log(signature)) = seen.end.as_ref().map(|end| &end.story)
        && let (Some(frame), Failure::Panic { .. }) = (&signature.frame, &signature.kind)
    {
        let image = container.image();
        fixes.push(Fix::safe(text!["repair the code at ", code(frame.clone()), " (image ", name(image), ")"]));
    }
    if let (Some(end), Some(limit)) = (&seen.end, case.pod().and_then(|pod| Limit::of(pod, container)))
        && matches!(end.story, Story::OutOfMemory)
    {
        fixes.push(raise(case, template, end, &heap::suggestion(limit.bytes * 3 / 2), limit));
    }
    fixes.push(keep_more(case, template, seen));
    if seen.against == Against::FarBeyond {
        let selector = Fix::safe(text!["compare this pod with its siblings: node, volumes, traffic"]);
        fixes.push(selector.command(case.kubectl(["get", "pods", "-o", "wide"])));
    }
    fixes
}

/// What makes the next end tell more.
fn keep_more(case: &Case<'_>, template: &Template, seen: &Seen<'_, '_>) -> Fix {
    let container = &seen.worn.container;
    let go = is_go(seen);
    let traceback = go.then(|| text![", let Go print all goroutines (", code("GOTRACEBACK=all"), ")"]);
    let title = text![
        "keep more of the next end: ship the logs off the node, have the kubelet keep the last lines (",
        code("terminationMessagePolicy: FallbackToLogsOnError"),
        ")",
        traceback
    ];
    let mut policy = serde_json::json!({"name": container.name(), "terminationMessagePolicy": "FallbackToLogsOnError"});
    if go && let Some(fields) = policy.as_object_mut() {
        fields.insert("env".to_owned(), serde_json::json!([{"name": "GOTRACEBACK", "value": "all"}]));
    }
    let mut fix = Fix::disruptive(title);
    // A static pod is changed on its node, in the file that it is made of.
    if case.meta().owner_references.iter().flatten().any(|owner| owner.kind == "Node") {
        return fix;
    }
    let Some(patch) = template.patch(&serde_json::json!({"containers": [policy]})) else {
        return fix.command(template.edit(case));
    };
    let body = patch.body.to_string();
    let command = case.kubectl(["patch", template.argument.as_str(), "--type=strategic", "-p", body.as_str()]);
    fix.patch = Some(patch);
    fix.command(command)
}

/// The last end is that of a Go program, or may be.
fn is_go(seen: &Seen<'_, '_>) -> bool {
    let told = |signature: &Signature| signature.language == Some(Language::Go);
    match seen.end.as_ref().map(|end| &end.story) {
        Some(Story::Log(signature)) => told(signature),
        _ => seen.worn.end.is_some_and(|end| end.exit_code == 2),
    }
}
