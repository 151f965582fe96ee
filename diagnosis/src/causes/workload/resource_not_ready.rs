//! `resource-not-ready`.

use std::sync::Arc;

use jiff::SignedDuration;
use kubewhy_text::{Text, code, name, own, quoted, text};
use serde_json::Value;

use crate::case::{Case, Subject, Verdict};
use crate::causes::{Code, cause};
use crate::event::Event;
use crate::facts::conditions::{self, Gravity, Sign};
use crate::facts::operators;
use crate::finding::{Confidence, Evidence, Finding, Fix, Severity};
use crate::kind::{Foreign, Kind, Object};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// A custom resource says of itself that it is not ready: its controller wrote so into its status. What exactly is
    /// wrong, the condition's own words say; kubewhy does not know the kind.
    /// ## Signals
    /// `.status.conditions[]`: Ready, Available, Healthy, Accepted, ResolvedRefs, Programmed, Succeeded and the like
    /// False for more than a minute; Failed, Stalled, Error and the like True; Degraded True; those of
    /// `.status.parents[]` and `.status.listeners[]` (Gateway API). `.status.phase` or `.status.state` Failed or Error;
    /// Argo CD's `.status.health.status` Degraded or Missing; `.status.error.message`; `.status.observedGeneration`
    /// behind `.metadata.generation`. Without any status, where its kind always has one: Warning events about it.
    /// ## Look-alikes
    /// `terminating-finalizer`: it is being deleted. A condition that is False on purpose (`Active`, `Paused`,
    /// `Progressing`), or for less than a minute, is none. Kubernetes' own kinds have causes of their own.
    /// ## Fixes
    /// What the message names; then the log of the controller, which tries again by itself.
    /// ## Source
    /// <https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties>,
    /// <https://gateway-api.sigs.k8s.io/geps/gep-1364/>, <https://pkg.go.dev/sigs.k8s.io/cli-utils/pkg/kstatus/status>.
    ResourceNotReady, stage Workload, since "0.1.0", detect
}

/// API groups all of whose kinds get conditions from their controller within seconds.
const ALWAYS_SPEAK: [&str; 8] = [
    "cert-manager.io",
    "gateway.networking.k8s.io",
    "kustomize.toolkit.fluxcd.io",
    "helm.toolkit.fluxcd.io",
    "source.toolkit.fluxcd.io",
    "tekton.dev",
    "serving.knative.dev",
    "cluster.x-k8s.io",
];

/// How long an event says something of now.
const FRESH: SignedDuration = SignedDuration::from_mins(15);

/// How long a message may be that stands in the title.
const TITLE_BYTES: usize = 80;

/// How long a controller may take to write its first condition.
const SPEAKS_WITHIN_SECONDS: i64 = 120;

fn detect(case: &Case<'_>) -> Verdict {
    let Subject::Other(object) = case.subject() else { return Ok(Vec::new()) };
    if case.meta().deletion_timestamp.is_some() {
        return Ok(Vec::new());
    }
    let signs = conditions::of(object, case.now());
    if let Some(lead) = signs.wrong.first() {
        return Ok(vec![explain(case, lead, &signs.wrong)?]);
    }
    let created = case.meta().creation_timestamp.as_ref().map(|time| time.0);
    let is_old = created.is_some_and(|created| case.age(created).as_secs() >= SPEAKS_WITHIN_SECONDS);
    let is_silent = matches!(object, Object::Foreign(it) if !has_status(it) && ALWAYS_SPEAK.contains(&Kind::Foreign(it.kind).group()));
    if is_silent && is_old {
        return Ok(vec![silent(case)?]);
    }
    if signs.well.is_some() || !matches!(object, Object::Foreign(_)) {
        return Ok(Vec::new());
    }
    // Nothing in its status says how it is: what is said about it now has to do.
    let fresh = |event: &Arc<Event>| event.last.is_some_and(|last| case.age(last) < FRESH);
    let warning = newest_warning(case)?.filter(fresh);
    Ok(match warning {
        Some(warning) => vec![warned(case, &warning)?],
        None => Vec::new(),
    })
}

/// Tells whether anybody has written anything into its status.
fn has_status(it: &Foreign) -> bool {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    it.fields
        .get("status")
        .and_then(Value::as_object)
        .is_some_and(|fields| fields.values().any(|value| !is_empty(value)))
}

/// Nothing but an event says that something is wrong.
fn warned(case: &Case<'_>, warning: &Event) -> Result<Finding, Needs> {
    let me = case.reference();
    let finding = case
        .finding(Code::ResourceNotReady)
        .severity(Severity::Warning)
        .confidence(Confidence::Possible)
        .root(me.clone())
        .title(text![own(me.kind.to_string()), " ", name(me.path()), ": warning ", name(warning.reason.clone())])
        .explain(text![
            "The status of ",
            own(me.kind.to_string()),
            " ",
            name(me.path()),
            " does not say whether it is well, and this was said about it a moment ago: ",
            quoted(warning.message.clone()),
            ".",
        ])
        .evidence(Evidence::event(warning))
        .since(warning.first);
    with_controller(case, finding, operators::manager_of_status(case.meta()).as_deref())
}

fn explain(case: &Case<'_>, lead: &Sign, all: &[Sign]) -> Result<Finding, Needs> {
    let me = case.reference();
    let at = |sign: &Sign| {
        let words = if sign.message.is_empty() { &sign.reason } else { &sign.message };
        let reason = Some(&sign.reason).filter(|reason| !reason.is_empty() && !sign.message.is_empty());
        let reason = reason.map(|reason| format!(", reason {reason}")).unwrap_or_default();
        case.field(&sign.path, format!("{}{reason}: {words}", sign.what)).at(sign.since)
    };
    let fails = lead.gravity == Gravity::Fails;
    let reason = Some(lead.reason.clone()).filter(|reason| !reason.is_empty());
    let words = Some(lead.message.clone()).filter(|words| !words.is_empty());
    // Without a reason a short message tells what it is about.
    let title_words = words.clone().filter(|words| words.len() <= TITLE_BYTES).map(|words| text![": ", quoted(words)]);
    let title_reason = reason.clone().map(|reason| text![" (", name(reason), ")"]).or(title_words);
    let since = lead.since.map(|since| text![" since ", since]);
    let manager = operators::manager_of_status(case.meta());
    let mut finding = case
        .finding(Code::ResourceNotReady)
        .severity(if fails { Severity::Error } else { Severity::Warning })
        .root(me.clone())
        .title(text![own(me.kind.to_string()), " ", name(me.path()), ": ", name(lead.what.clone()), title_reason])
        .explain(text![
            "Its controller says of ",
            own(me.kind.to_string()),
            " ",
            name(me.path()),
            " that ",
            code(lead.what.clone()),
            since,
            reason.map(|reason| text![", reason ", code(reason)]),
            words.map(|words| text![": ", quoted(words)]),
            ".",
        ])
        .also(paused(case))
        .also(owner(case))
        .since(lead.since);
    for sign in all.iter().take(4) {
        finding = finding.evidence(at(sign));
    }
    if let Some(event) = newest_warning(case)? {
        finding = finding.evidence(Evidence::event(&event));
    }
    with_controller(case, finding, manager.as_deref())
}

/// A kind whose controller always says something, and an object of which it said nothing.
fn silent(case: &Case<'_>) -> Result<Finding, Needs> {
    let me = case.reference();
    let created = case.meta().creation_timestamp.as_ref().map(|time| time.0);
    let finding = case
        .finding(Code::ResourceNotReady)
        .severity(Severity::Warning)
        .confidence(Confidence::Likely)
        .root(me.clone())
        .title(text![own(me.kind.to_string()), " ", name(me.path()), ": its controller has not looked at it"])
        .explain(text![
            own(me.kind.to_string()),
            " ",
            name(me.path()),
            " has no status, and controllers of ",
            code(case.object().kind().group()),
            " write one within seconds. Most likely the controller does not run, or does not look after this one.",
        ])
        .evidence(case.field(".status", "empty"))
        .evidence(created.map(|created| case.field(".metadata.creationTimestamp", created.to_string())))
        .since(created);
    with_controller(case, finding, None)
}

/// Who writes the status, whether that runs, and the commands to go on with.
fn with_controller(case: &Case<'_>, finding: Finding, manager: Option<&str>) -> Result<Finding, Needs> {
    let kind = case.object().kind().kubectl_name();
    let describe = Fix::safe(text!["mend what the message names; the controller tries again by itself"])
        .command(case.kubectl(["describe", &kind, case.name()]));
    let group = case.object().kind().group();
    let names: Vec<&str> = manager.into_iter().chain([group]).collect();
    let finding = finding.also(manager.map(operators::writes));
    if !matches!(case.object(), Object::Foreign(_)) {
        return Ok(finding.fix(describe));
    }
    let Some(operator) = operators::find(case, &names, case.namespace())? else {
        return Ok(finding
            .fix(describe)
            .fix(Fix::safe(text!["read the log of its controller"]).command(operators::look_for(&names))));
    };
    let log = Fix::safe(text!["read the log of its controller"]).command(operator.logs(case));
    let finding = finding.also(operator.sentence());
    let finding = if operator.is_down() { finding.caused_in(operator.workload.clone()) } else { finding };
    Ok(finding.fix(describe).fix(log))
}

/// A person stopped the controller's work on it.
fn paused(case: &Case<'_>) -> Option<Text> {
    let Object::Foreign(it) = case.object() else { return None };
    let spec = it.fields.get("spec")?;
    let set = |key: &str| spec.get(key).and_then(serde_json::Value::as_bool) == Some(true);
    let field = ["suspend", "suspended", "paused"].into_iter().find(|key| set(key))?;
    Some(text![
        "It has ",
        code(format!("spec.{field}: true")),
        ": its controller does not work on it until that is taken away."
    ])
}

/// What it was made for.
fn owner(case: &Case<'_>) -> Option<Text> {
    let owner = case.meta().owner_references.iter().flatten().find(|owner| owner.controller == Some(true))?;
    let kind = text![name(owner.kind.clone()), " ", name(owner.name.clone())];
    Some(text!["It was made by ", kind, ", which waits for it."])
}

fn newest_warning(case: &Case<'_>) -> Result<Option<Arc<Event>>, Needs> {
    Ok(case.own_events()?.iter().rev().find(|event| event.is_warning()).cloned())
}
