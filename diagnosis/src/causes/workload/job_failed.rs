//! `job-failed`.

use k8s_openapi::api::batch::v1::{Job, JobCondition};
use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict, Workload};
use crate::causes::{Code, cause};
use crate::facts::refusal;
use crate::finding::{Action, Finding, Fix, ObjectRef};
use crate::kind::Kind;

cause! {
    /// ## What it means
    /// A Job has given up: its pods failed as often as it allows, or a rule of its podFailurePolicy ended it at once.
    /// ## Signals
    /// Condition Failed (from 1.31 FailureTarget first) True with `BackoffLimitExceeded`, `PodFailurePolicy`
    /// (`Container C for pod P failed with exit code N matching FailJob rule at index I`), `FailedIndexes`,
    /// `MaxFailedIndexesExceeded`.
    /// ## Look-alikes
    /// What its pods died of is the cause, and this follows from it; it leads only where the pods and their logs are gone.
    /// `job-deadline-exceeded`: the Job's own deadline. A Job that succeeded after a retry is fine.
    /// ## Fixes
    /// Repair what the pods died of, and run the Job again: a failed Job is never taken up again.
    /// ## Source
    /// pkg/controller/job/job_controller.go, pod_failure_policy.go;
    /// <https://kubernetes.io/docs/concepts/workloads/controllers/job/#pod-backoff-failure-policy>
    JobFailed, stage Workload, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(Workload::Job(job)) = case.workload() else { return Ok(Vec::new()) };
    let Some(failed) = failed(job).filter(|_| case.meta().deletion_timestamp.is_none()) else { return Ok(Vec::new()) };
    let owner = refusal::owner(case)?;
    let reason = failed.reason.as_deref().unwrap_or("Failed");
    let message = failed.message.clone().unwrap_or_default();
    let at = failed.last_transition_time.as_ref().map(|time| time.0);
    let attempts = job.status.as_ref().and_then(|status| status.failed).unwrap_or(0);
    let limit = job.spec.as_ref().and_then(|spec| spec.backoff_limit).unwrap_or(6);
    let (short, long) = match reason {
        "BackoffLimitExceeded" => (
            text![
                "its pods failed ",
                attempts,
                if attempts == 1 { " time" } else { " times" },
                " (backoffLimit ",
                limit,
                ")"
            ],
            text![
                "Its pods failed ",
                attempts,
                if attempts == 1 { " time" } else { " times" },
                ", which is more than the ",
                limit,
                " retries that ",
                code("backoffLimit"),
                " allows, so Kubernetes gave it up."
            ],
        ),
        "PodFailurePolicy" => policy(&message),
        "FailedIndexes" | "MaxFailedIndexesExceeded" => {
            let indexes = job.status.as_ref().and_then(|status| status.failed_indexes.clone());
            let which = indexes.map(|it| text![" (", code(it), ")"]);
            (
                text!["some of its indexes failed", which.clone()],
                text!["Some of its indexes", which, " failed for good: ", quoted(message.clone()), "."],
            )
        }
        _ => (text![quoted(message.clone())], text!["Kubernetes gave it up: ", quoted(message.clone()), "."]),
    };
    let finding = case
        .finding(Code::JobFailed)
        .follows_lead()
        .since(at)
        .title(text!["Job ", name(case.reference().path()), " has failed: ", short])
        .explain(text![long, " What the pods died of is the cause; a failed Job is not taken up again by itself."])
        .evidence(case.field(&format!(".status.conditions[{}]", failed.type_), format!("{reason}: {message}")).at(at));
    let retry = (reason == "PodFailurePolicy").then(|| {
        Fix::safe(text!["where that end should be retried after all, change the rule in ", code("podFailurePolicy")])
            .commands(refusal::edit(case, &owner))
    });
    Ok(vec![fixes(case, finding, &owner).fix(retry)])
}

fn failed(job: &Job) -> Option<&JobCondition> {
    let conditions = || job.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let is = |type_: &'static str| conditions().find(move |it| it.type_ == type_ && it.status == "True");
    is("Failed").or_else(|| is("FailureTarget")).filter(|it| it.reason.as_deref() != Some("DeadlineExceeded"))
}

/// `Container C for pod NS/P failed with exit code N matching FailJob rule at index I`
fn policy(message: &str) -> (Text, Text) {
    let after = |marker: &str| {
        let (_, rest) = message.split_once(marker)?;
        rest.split([' ', ',']).next().filter(|word| !word.is_empty()).map(str::to_owned)
    };
    let exit = after("exit code ");
    let rule = after("rule at index ");
    let container = after("Container ").filter(|_| exit.is_some());
    let what = match (&container, &exit) {
        (Some(container), Some(exit)) => {
            text!["container ", name(container.clone()), " ended with exit code ", code(exit.clone())]
        }
        _ => text!["a pod failed"],
    };
    let which = rule.map(|rule| {
        text![", and rule ", code(format!("podFailurePolicy.rules[{rule}]")), " (FailJob) ends the Job then"]
    });
    let long = match &which {
        Some(which) => text!["Without any retry: ", what.clone(), which.clone(), "."],
        None => text!["Without any retry, by its podFailurePolicy: ", quoted(message), "."],
    };
    (text![what, ", which its podFailurePolicy does not retry"], long)
}

fn fixes(case: &Case<'_>, finding: Finding, owner: &ObjectRef) -> Finding {
    let look = Fix::safe(text!["see what its pods ended with"])
        .command(case.kubectl(["get", "pods", "-l", &format!("job-name={}", case.name())]))
        .command(case.kubectl(["logs", &format!("job/{}", case.name()), "--all-containers", "--tail=50"]));
    let again = if owner.kind == Kind::CronJob.name() {
        let again = format!("{}-again", owner.name);
        Fix::safe(text!["once it is repaired, run it again"]).command(case.kubectl([
            "create",
            "job",
            &again,
            &format!("--from=cronjob/{}", owner.name),
        ]))
    } else {
        Fix::disruptive(text![
            "once it is repaired, run it again: save it, change the file where needed, and let it replace the old Job"
        ])
        .commands(refusal::again(case, case.name()))
        .remedy(Action::DeleteJob)
    };
    finding.fix(look).fix(again)
}
