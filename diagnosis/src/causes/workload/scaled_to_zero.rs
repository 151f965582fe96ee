//! `scaled-to-zero`.

use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict, Workload};
use crate::causes::{Code, cause};
use crate::facts::{managers, manifest};
use crate::finding::{Action, Evidence, Fix, Severity};

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

fn detect(case: &Case<'_>) -> Verdict {
    let Some(workload) = case.workload() else { return Ok(Vec::new()) };
    let replicas = match workload {
        Workload::Deployment(it) => it.spec.as_ref().and_then(|spec| spec.replicas),
        Workload::StatefulSet(it) => it.spec.as_ref().and_then(|spec| spec.replicas),
        Workload::ReplicaSet(it) => it.spec.as_ref().and_then(|spec| spec.replicas),
        Workload::DaemonSet(_) | Workload::Job(_) | Workload::CronJob(_) => None,
    };
    let owned = case.meta().owner_references.iter().flatten().any(|owner| owner.controller == Some(true));
    if replicas != Some(0) || case.meta().deletion_timestamp.is_some() || owned {
        return Ok(Vec::new());
    }
    let event = case.newest_event(&["ScalingReplicaSet", "KEDAScaleTargetDeactivated"], |event| {
        event.message.ends_with(" to 0") || event.message.contains(" to 0 ")
    })?;
    let by = managers::of_field(case.meta(), &["f:spec", "f:replicas"]);
    let before = event.as_ref().and_then(|event| scaled_from(&event.message)).or_else(|| applied(case));
    let since = by.as_ref().and_then(|by| by.at).or_else(|| event.as_ref().and_then(|event| event.last));
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
    Ok(vec![
        case.finding(Code::ScaledToZero)
            .severity(Severity::Warning)
            .since(since)
            .title(text![
                kubewhy_text::own(kind.name()),
                " ",
                name(path.clone()),
                " is scaled to zero: it wants no pods"
            ])
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
            .fix(up),
    ])
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
