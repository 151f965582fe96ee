//! `scaled-to-zero`.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Subject, Verdict, Workload};
use crate::causes::{Code, cause};
use crate::facts::metrics_api::{self, State};
use crate::facts::scaling::{self, Target, Trouble};
use crate::facts::{managers, manifest};
use crate::finding::{Action, Evidence, Finding, Fix, ObjectRef, Severity};
use crate::kind::Kind;
use crate::reader::Needs;
use crate::scope;

cause! {
    /// ## What it means
    /// The workload wants no pods: somebody or something set its replicas to 0. Nothing is broken, and nothing runs.
    /// ## Signals
    /// `spec.replicas: 0`; event `Scaled down replica set NAME from N to 0`; the managed fields of `f:replicas` name who did
    /// it (kubectl, kube-controller-manager for an autoscaler, keda, argocd, helm) and when.
    /// ## Look-alikes
    /// `rollout-paused`: pods are wanted, and the change waits. A ReplicaSet of an older revision has 0 by design. A CronJob
    /// that is suspended: `cronjob-not-running`. A workload that is being deleted.
    /// ## Fixes
    /// Scale it up, through whoever owns the number: an autoscaler or a GitOps tool would set it back.
    /// ## Source
    /// <https://kubernetes.io/docs/tasks/run-application/scale-stateful-set/>, pkg/controller/deployment/sync.go
    ScaledToZero, stage Workload, since "0.1.0", detect
}

/// The cluster's own components, by the labels they carry: what needs them is the cluster.
const NEEDED: &[(&str, &str)] = &[
    ("k8s-app", "metrics-server"),
    ("app.kubernetes.io/name", "metrics-server"),
    ("k8s-app", "kube-dns"),
    ("k8s-app", "coredns"),
    ("app.kubernetes.io/name", "coredns"),
];

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(service) = case.subject_as::<APIService>() {
        return of_api(case, &service);
    }
    if let Some(it) = case.subject_as::<HorizontalPodAutoscaler>() {
        return of_autoscaler(case, &it);
    }
    let Some(workload) = case.workload() else { return Ok(Vec::new()) };
    let owned = case.meta().owner_references.iter().flatten().any(|owner| owner.controller == Some(true));
    if scope::replicas(workload).is_none_or(|(wanted, _)| wanted != 0)
        || matches!(workload, Workload::DaemonSet(_))
        || case.meta().deletion_timestamp.is_some()
        || owned
    {
        return Ok(Vec::new());
    }
    let labels = case.meta().labels.as_ref();
    let needed = case.namespace() == Some("kube-system")
        && NEEDED
            .iter()
            .any(|(key, value)| labels.and_then(|labels| labels.get(*key)).is_some_and(|label| label == value));
    let finding = finding(case)?;
    Ok(vec![if needed { finding.severity(Severity::Error) } else { finding }])
}

/// An aggregated API that does not answer since nobody wants the pods behind it.
fn of_api(case: &Case<'_>, service: &APIService) -> Verdict {
    let State::Down(down) = metrics_api::state(case, service)? else { return Ok(Vec::new()) };
    let Some(workload) = down.scaled_to_zero() else { return Ok(Vec::new()) };
    let needs = text!["APIService ", name(case.name()), " needs it, and does not answer without."];
    let found = workload_of(case, workload)?;
    let own = found.map(|it| finding(&case.about(Subject::Workload(it)))).transpose()?;
    let finding = own.unwrap_or_else(|| case.finding(Code::ScaledToZero).title(titled(workload)));
    let through = down.behind.as_ref().map(|standing| standing.service.clone());
    let finding = through.into_iter().fold(finding, Finding::via);
    Ok(vec![finding.severity(Severity::Error).root(workload.clone()).also(needs).evidence(down.evidence.clone())])
}

/// An autoscaler rests while its target wants no pods.
fn of_autoscaler(case: &Case<'_>, it: &HorizontalPodAutoscaler) -> Verdict {
    let Some(Trouble::Disabled(said)) = scaling::trouble(case, it)? else { return Ok(Vec::new()) };
    let Some(target) = scaling::target(it) else { return Ok(Vec::new()) };
    let rests = text![
        "HorizontalPodAutoscaler ",
        name(case.name()),
        " rests meanwhile: it does not start what is at zero, and goes on once the target has a replica."
    ];
    let found = scaling::workload(case, &target)?.found();
    // It may have been scaled up since; then the autoscaler has only not looked again.
    let up = found.as_ref().and_then(scope::replicas).is_some_and(|(wanted, _)| wanted > 0);
    if up {
        return Ok(Vec::new());
    }
    let own = found.map(|it| finding(&case.about(Subject::Workload(it)))).transpose()?;
    let finding = own.unwrap_or_else(|| {
        let kind = target.reference.kind.to_lowercase();
        let up = case.kubectl(["scale", &format!("{kind}/{}", target.reference.name), "--replicas=1"]);
        case.finding(Code::ScaledToZero)
            .severity(Severity::Warning)
            .title(titled(&target.reference))
            .fix(Fix::safe(text!["scale it up; the autoscaler goes on from there"]).command(up))
    });
    let by_keda = case.meta().labels.as_ref().is_some_and(|labels| labels.contains_key("scaledobject.keda.sh/name"));
    let idle = by_keda.then(|| text!["The autoscaler is KEDA's, which starts the target again when there is work."]);
    let finding = if by_keda { finding.severity(Severity::Info) } else { finding };
    Ok(vec![finding.root(target.reference).also(rests).also(idle).evidence(said.evidence)])
}

fn workload_of(case: &Case<'_>, reference: &ObjectRef) -> Result<Option<Workload>, Needs> {
    let target = Target {
        kind: Kind::from_name(&reference.kind),
        reference: reference.clone(),
        written: reference.kind.to_string(),
    };
    Ok(scaling::workload(case, &target)?.found())
}

fn titled(workload: &ObjectRef) -> Text {
    text![name(workload.to_string()), " is scaled to zero: it wants no pods"]
}

/// What there is to say of the workload of this case, which wants no pods.
fn finding(case: &Case<'_>) -> Result<Finding, Needs> {
    let event = case.newest_event(&["ScalingReplicaSet", "KEDAScaleTargetDeactivated"], |event| {
        event.message.ends_with(" to 0") || event.message.contains(" to 0 ")
    })?;
    let by = managers::of_field(case.meta(), &["f:spec", "f:replicas"]);
    let before = event.as_ref().and_then(|event| scaled_from(&event.message)).or_else(|| applied(case));
    let since = by.as_ref().and_then(|by| by.at).or_else(|| event.as_ref().and_then(|event| event.last));
    let idle = by.as_ref().is_some_and(|by| by.who.to_ascii_lowercase().contains("keda"))
        || event.as_ref().is_some_and(|event| event.reason == "KEDAScaleTargetDeactivated");
    let who: Option<Text> = by.as_ref().map(|by| {
        let of = owner(&by.who);
        text!["The number was set by ", name(by.who.clone()), by.at.map(|at| text![" at ", at]), of, "."]
    });
    let kind = case.object().kind();
    let path = case.reference().path();
    let count = before.unwrap_or(1);
    let up = Fix::safe(match before {
        Some(before) => text!["scale it up again, to the ", before, " that it had"],
        None => text!["scale it up (through the tool that owns the number, where there is one)"],
    })
    .command(case.kubectl([
        "scale",
        &format!("{}/{}", kind.kubectl_name(), case.name()),
        &format!("--replicas={count}"),
    ]))
    .remedy(Action::Scale);
    Ok(case
        .finding(Code::ScaledToZero)
        .severity(if idle { Severity::Info } else { Severity::Warning })
        .since(since)
        .title(text![kubewhy_text::own(kind.name()), " ", name(path.clone()), " is scaled to zero: it wants no pods"])
        .explain(text![
            kubewhy_text::own(kind.name()),
            " ",
            name(path),
            " says ",
            code("replicas: 0"),
            ", so Kubernetes runs no pod of it. That is what was asked for, and whatever needs it finds nobody."
        ])
        .also(who)
        .evidence(case.field(".spec.replicas", "0").at(since))
        .evidence(event.as_deref().map(Evidence::event))
        .fix(up))
}

/// Whose tool the field manager is.
fn owner(manager: &str) -> Text {
    let manager = manager.to_ascii_lowercase();
    if manager.contains("keda") {
        text![": KEDA, which scales an idle workload to zero by design"]
    } else if manager.contains("argocd") || manager.contains("flux") || manager.contains("kustomize-controller") {
        text![": a GitOps tool, which sets the number again from its repository"]
    } else if manager.contains("helm") {
        text![": Helm, so it stands in the chart's values"]
    } else if manager == "kube-controller-manager" {
        text![": a controller, mostly an autoscaler"]
    } else if manager.starts_with("kubectl") {
        text![": a person or a script with kubectl"]
    } else {
        Text::default()
    }
}

/// `Scaled down replica set NAME from 3 to 0`, before 1.29 `... to 0 from 3`.
fn scaled_from(message: &str) -> Option<i32> {
    let (_, rest) = message.split_once(" from ")?;
    rest.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok().filter(|count| *count > 0)
}

/// The number of the manifest that was applied.
fn applied(case: &Case<'_>) -> Option<i32> {
    let text = case.meta().annotations.as_ref()?.get(manifest::ANNOTATION)?;
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let count = value.get("spec")?.get("replicas")?.as_i64()?;
    i32::try_from(count).ok().filter(|count| *count > 0)
}
