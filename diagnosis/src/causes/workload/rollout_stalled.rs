//! `rollout-stalled`.

use kubewhy_text::{Text, name, text};

use crate::case::{Case, Verdict, Workload};
use crate::causes::{Code, cause};
use crate::finding::{Action, Fix};
use crate::scope::REVISION;

cause! {
    /// ## What it means
    /// A Deployment has waited longer than its progressDeadlineSeconds (10 minutes if not set) for its new pods to become
    /// ready. The old pods stay; nothing rolls back by itself.
    /// ## Signals
    /// Condition Progressing False, `ProgressDeadlineExceeded`, `ReplicaSet "NAME" has timed out progressing.`
    /// ## Look-alikes
    /// It is never a root by itself: what holds the new pods (image, probe, scheduling, refused creation) is the cause, and
    /// this follows from it. `rollout-paused`: somebody stopped the rollout. A rollout within its deadline is no failure.
    /// ## Fixes
    /// Repair what holds the new pods, or go back to the revision before.
    /// ## Source
    /// pkg/controller/deployment/progress.go;
    /// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#failed-deployment>
    RolloutStalled, stage Workload, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(Workload::Deployment(deployment)) = case.workload() else { return Ok(Vec::new()) };
    if case.meta().deletion_timestamp.is_some() {
        return Ok(Vec::new());
    }
    let status = deployment.status.as_ref();
    let condition = status
        .into_iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .find(|it| it.type_ == "Progressing" && it.reason.as_deref() == Some("ProgressDeadlineExceeded"));
    let Some(condition) = condition.filter(|it| it.status == "False") else { return Ok(Vec::new()) };
    let spec = deployment.spec.as_ref();
    let desired = spec.and_then(|spec| spec.replicas).unwrap_or(1);
    let deadline = spec.and_then(|spec| spec.progress_deadline_seconds).unwrap_or(600);
    let count = |of: Option<i32>| of.unwrap_or(0);
    let updated = count(status.and_then(|status| status.updated_replicas));
    let available = count(status.and_then(|status| status.available_replicas));
    // It got there after all, and the condition waits for the controller.
    if updated >= desired && available >= desired {
        return Ok(Vec::new());
    }
    let message = condition.message.clone().unwrap_or_default();
    let set = message.split('"').nth(1).filter(|_| message.starts_with("ReplicaSet")).map(str::to_owned);
    let of_set = set.as_ref().map(|set| text![" (ReplicaSet ", name(set.clone()), ")"]);
    let since = condition.last_transition_time.as_ref().map(|time| time.0);
    let served: Text = match available {
        0 => text!["No pod is available."],
        available => text![available, " of ", desired, " pods are available, those of the old revision among them."],
    };
    let target = format!("deployment/{}", case.name());
    let look = Fix::safe(text!["see what holds the new pods"])
        .command(case.kubectl(["rollout", "status", &target, "--timeout=5s"]))
        .command(match &set {
            Some(set) => case.kubectl(["describe", "replicaset", set]),
            None => case.kubectl(["describe", &target]),
        });
    // The first revision has none before it.
    let annotations = deployment.metadata.annotations.as_ref();
    let is_first = annotations.and_then(|all| all.get(REVISION)).is_some_and(|revision| revision == "1");
    let undo = (!is_first).then(|| {
        Fix::disruptive(text!["go back to the revision before"])
            .command(case.kubectl(["rollout", "undo", &target]))
            .remedy(Action::Undo)
    });
    Ok(vec![
        case.finding(Code::RolloutStalled)
            .follows_lead()
            .since(since)
            .title(text![
                "the rollout of Deployment ",
                name(case.reference().path()),
                " has stalled: ",
                updated,
                " of ",
                desired,
                if desired == 1 { " pod is of the new revision" } else { " pods are of the new revision" }
            ])
            .explain(text![
                "The new pods",
                of_set,
                " have not become ready within the ",
                deadline,
                " seconds that the Deployment allows. ",
                served,
                " Kubernetes keeps trying and does not go back by itself."
            ])
            .evidence(
                case.field(".status.conditions[Progressing]", format!("ProgressDeadlineExceeded: {message}")).at(since),
            )
            .fix(look)
            .fix(undo),
    ])
}
