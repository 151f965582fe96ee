//! `rollout-paused`.

use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict, Workload};
use crate::causes::{Code, cause};
use crate::facts::managers;
use crate::finding::{Fix, Severity};

cause! {
    /// ## What it means
    /// A Deployment is paused while its template has changed (or before it made its first pods): the change does not reach
    /// any pod until it is resumed.
    /// ## Signals
    /// `spec.paused: true` and fewer updated replicas than replicas; condition Progressing Unknown, `DeploymentPaused`.
    /// ## Look-alikes
    /// `rollout-stalled`: the rollout runs, and its pods do not get ready. `scaled-to-zero`: no pods are wanted. A paused
    /// Deployment whose pods are all of the present template is no fault.
    /// ## Fixes
    /// `kubectl rollout resume`; the managed fields tell who paused it.
    /// ## Source
    /// pkg/controller/deployment/sync.go;
    /// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pausing-and-resuming-a-deployment>
    RolloutPaused, stage Workload, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(Workload::Deployment(deployment)) = case.workload() else { return Ok(Vec::new()) };
    let Some(spec) = deployment.spec.as_ref().filter(|spec| spec.paused == Some(true)) else { return Ok(Vec::new()) };
    let desired = spec.replicas.unwrap_or(1);
    let status = deployment.status.as_ref();
    let updated = status.and_then(|status| status.updated_replicas).unwrap_or(0);
    let ready = status.and_then(|status| status.ready_replicas).unwrap_or(0);
    let made = status.and_then(|status| status.replicas).unwrap_or(0);
    let seen = status.and_then(|status| status.observed_generation).zip(case.meta().generation);
    let observed = seen.is_none_or(|(seen, made)| seen >= made);
    if case.meta().deletion_timestamp.is_some() || desired == 0 || updated >= desired || !observed {
        return Ok(Vec::new());
    }
    let by = managers::of_field(case.meta(), &["f:spec", "f:paused"]);
    let who =
        by.as_ref().map(|by| text!["It was paused by ", name(by.who.clone()), by.at.map(|at| text![" at ", at]), "."]);
    let what: Text = if made == 0 {
        text!["It has made no pod at all, because it was paused before its first rollout."]
    } else if updated == 0 {
        text!["All its ", made, " pods are of an older template: what was changed since has reached none of them."]
    } else {
        text![updated, " of ", desired, " pods are of the present template; the others wait for the rollout to go on."]
    };
    let target = format!("deployment/{}", case.name());
    let since = by.as_ref().and_then(|by| by.at);
    let resume = Fix::disruptive(text!["resume the rollout: the pods are replaced by those of the present template"])
        .command(case.kubectl(["rollout", "resume", &target]));
    let see = Fix::safe(text!["see first what would change"]).command(case.kubectl(["rollout", "history", &target]));
    let severity = if ready == 0 { Severity::Error } else { Severity::Warning };
    Ok(vec![
        case.finding(Code::RolloutPaused)
            .severity(severity)
            .since(since)
            .title(text![
                "Deployment ",
                name(case.reference().path()),
                " is paused with a changed template: ",
                updated,
                " of ",
                desired,
                " pods have it"
            ])
            .explain(text!["The Deployment says ", code("paused: true"), ". ", what])
            .also(who)
            .evidence(case.field(".spec.paused", "true").at(since))
            .evidence(
                case.field(".status", format!("replicas {made}, updatedReplicas {updated}, readyReplicas {ready}")),
            )
            .fix(resume)
            .fix(see),
    ])
}
