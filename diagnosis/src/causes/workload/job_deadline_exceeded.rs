//! `job-deadline-exceeded`.

use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use kubewhy_text::{Text, code, name, text};
use serde_json::json;

use crate::case::{Case, Verdict, Workload};
use crate::causes::{Code, cause};
use crate::facts::refusal;
use crate::finding::{Action, Evidence, Fix};
use crate::kind::Kind;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The Job was active longer than its own activeDeadlineSeconds, counted over all attempts. Its pods were stopped and
    /// deleted, whatever they were doing.
    /// ## Signals
    /// Condition Failed (from 1.31 FailureTarget first) True, `DeadlineExceeded`, `Job was active longer than specified deadline`.
    /// ## Look-alikes
    /// `deadline-exceeded`: the pod's own activeDeadlineSeconds. `job-failed`: its attempts failed. `rollout-stalled`: the
    /// progress deadline of a Deployment.
    /// ## Fixes
    /// Find what took the time (waiting for a node or an image, retrying, or working), then raise the deadline and run it again.
    /// ## Source
    /// pkg/controller/job/job_controller.go;
    /// <https://kubernetes.io/docs/concepts/workloads/controllers/job/#job-termination-and-cleanup>
    JobDeadlineExceeded, stage Workload, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(Workload::Job(job)) = case.workload() else { return Ok(Vec::new()) };
    let conditions = job.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let failed = conditions
        .filter(|it| matches!(it.type_.as_str(), "Failed" | "FailureTarget") && it.status == "True")
        .find(|it| it.reason.as_deref() == Some("DeadlineExceeded"));
    let Some(failed) = failed else { return Ok(Vec::new()) };
    if case.meta().deletion_timestamp.is_some() {
        return Ok(Vec::new());
    }
    let (spent, evidence) = spent(case, job)?;
    let owner = refusal::owner(case)?;
    let at = failed.last_transition_time.as_ref().map(|time| time.0);
    let started = job.status.as_ref().and_then(|status| status.start_time.as_ref()).map(|time| time.0);
    let deadline = job.spec.as_ref().and_then(|spec| spec.active_deadline_seconds);
    let seconds = deadline.map(|seconds| text![" of ", seconds, " seconds"]);
    let when = started.map(|started| text!["It started at ", started, ". "]);
    let attempts = job.status.as_ref().and_then(|status| status.failed).unwrap_or(0);
    let more = deadline.map_or(3600, |seconds| seconds.saturating_mul(2));
    let text_ = failed.message.clone().unwrap_or_default();
    let finding = case
        .finding(Code::JobDeadlineExceeded)
        .since(at)
        .title(text![
            "Job ",
            name(case.reference().path()),
            " was stopped: it ran longer than its deadline",
            seconds.clone()
        ])
        .explain(text![
            "The Job's own deadline (",
            code("activeDeadlineSeconds"),
            ")",
            seconds,
            " was over before its work was done, so Kubernetes stopped and deleted its pods (",
            attempts,
            if attempts == 1 { " counts as failed). " } else { " count as failed). " },
            when
        ])
        .also(spent)
        .evidence(
            case.field(&format!(".status.conditions[{}]", failed.type_), format!("DeadlineExceeded: {text_}")).at(at),
        )
        .evidence(deadline.map(|seconds| case.field(".spec.activeDeadlineSeconds", seconds.to_string())))
        .evidence(evidence);
    Ok(vec![fixes(case, finding, &owner, more)])
}

fn fixes(
    case: &Case<'_>,
    finding: crate::finding::Finding,
    owner: &crate::finding::ObjectRef,
    more: i64,
) -> crate::finding::Finding {
    let raise = text![
        "give it more time (",
        code(format!("activeDeadlineSeconds: {more}")),
        ", or what its work needs), and run it again"
    ];
    if owner.kind == Kind::CronJob.name() {
        let body = json!({"spec": {"jobTemplate": {"spec": {"activeDeadlineSeconds": more}}}}).to_string();
        let again = format!("{}-again", owner.name);
        return finding.fix(
            Fix::safe(raise)
                .command(case.kubectl(["patch", &refusal::target(owner), "--type", "merge", "-p", &body]))
                .command(case.kubectl(["create", "job", &again, &format!("--from=cronjob/{}", owner.name)])),
        );
    }
    finding.fix(
        Fix::disruptive(text![
            raise,
            ": save it, change activeDeadlineSeconds in the file, and let it replace the old Job"
        ])
        .commands(refusal::again(case, case.name()))
        .remedy(Action::DeleteJob),
    )
}

/// How the last pod spent the time: waiting for a node, waiting to start, or working; the pod itself is gone.
fn spent(case: &Case<'_>, job: &Job) -> Result<(Option<Text>, Option<Evidence>), Needs> {
    let made = case.newest_event(&["SuccessfulCreate"], |event| event.message.starts_with("Created pod: "))?;
    let Some(pod) = made.as_ref().and_then(|event| event.message.strip_prefix("Created pod: ").map(str::trim)) else {
        return Ok((None, None));
    };
    let events = case.events(Kind::Pod, case.namespace(), pod, None)?;
    let newest = |reason: &str| events.iter().rev().find(|event| event.reason == reason);
    let end: Option<Timestamp> = job
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .filter_map(|it| it.last_transition_time.as_ref())
        .map(|time| time.0)
        .min();
    if let Some(started) = newest("Started") {
        let ran = started.last.zip(end).map(|(from, to)| to.duration_since(from).as_secs().max(0));
        let ran = ran.map(|seconds| text![" for ", seconds, " seconds"]);
        let text_ = text![
            "Its pod ",
            name(pod),
            " had started and ran",
            ran,
            " until it was stopped: the time went into the work itself."
        ];
        return Ok((Some(text_), Some(Evidence::event(started))));
    }
    let stuck = events.iter().rev().find(|event| event.is_warning());
    Ok(match (stuck, newest("Scheduled")) {
        (Some(stuck), _) => {
            let text_ =
                text!["Its pod ", name(pod), " never started: ", kubewhy_text::quoted(stuck.message.clone()), "."];
            (Some(text_), Some(Evidence::event(stuck)))
        }
        (None, Some(bound)) => (
            Some(text!["Its pod ", name(pod), " got a node, and no container of it is seen to start."]),
            Some(Evidence::event(bound)),
        ),
        (None, None) => (None, None),
    })
}
