//! Facts of the stage admission: refused creations, read once and shared by its causes.

use k8s_openapi::api::core::v1::PodTemplateSpec;
use kubewhy_text::{Text, name, text};
use serde_json::{Value, json};

use crate::case::{Case, Refusal, Subject, Workload, shell_quoted};
use crate::causes::Code;
use crate::finding::{Finding, ObjectRef};
use crate::kind::Kind;
use crate::parse::refusal::{self, Why};
use crate::reader::Needs;

/// A refused creation, and why.
pub(crate) struct Refused {
    pub(crate) refusal: Refusal,
    /// The refused object, as far as it is named.
    pub(crate) object: Option<(String, String)>,
    pub(crate) why: Why,
}

/// The refused creations of a workload.
pub(crate) fn of(case: &Case<'_>) -> Result<Vec<Refused>, Needs> {
    let refusals = case.refusals()?;
    let read = refusals.into_iter().map(|refusal| {
        let refusal::Refused { object, why } = refusal::parse(&refusal.message);
        Refused { refusal, object, why }
    });
    Ok(read.collect())
}

impl Refused {
    /// A finding with its evidence.
    pub(crate) fn finding(&self, case: &Case<'_>, code: Code) -> Finding {
        case.finding(code).since(self.refusal.since).evidence(self.refusal.evidence.clone())
    }

    /// `pod`, `job` or `claim NAME`: what was refused.
    pub(crate) fn what(&self, case: &Case<'_>) -> Text {
        match &self.object {
            Some((kind, claim)) if kind.to_ascii_lowercase().starts_with("persistentvolumeclaim") => {
                text!["PersistentVolumeClaim ", name(claim.clone())]
            }
            Some((kind, job)) if kind.to_ascii_lowercase().starts_with("job") => text!["Job ", name(job.clone())],
            _ if matches!(case.workload(), Some(Workload::CronJob(_))) => text!["a Job of CronJob ", name(case.name())],
            _ => text!["the pods of ", kubewhy_text::own(case.object().kind().name()), " ", name(case.name())],
        }
    }

    /// `Kubernetes refuses to create the pods of ReplicaSet cart-7c9 (1 of 3 exist).`
    pub(crate) fn sentence(&self, case: &Case<'_>) -> Text {
        let old = match case.workload() {
            Some(Workload::Deployment(it)) => {
                it.status.as_ref().map(|status| status.replicas.unwrap_or(0) - status.updated_replicas.unwrap_or(0))
            }
            _ => None,
        };
        let old =
            old.filter(|old| *old > 0).map(|old| text![" of the new revision; ", old, " of an older one are kept"]);
        let exist = counts(case).map(|(there, wanted)| text![" (", there, " of ", wanted, " exist", old, ")"]);
        text!["Kubernetes refuses to create ", self.what(case), exist, ". "]
    }
}

/// How many pods the controller has made, and how many it wants.
pub(crate) fn counts(case: &Case<'_>) -> Option<(i32, i32)> {
    Some(match case.workload()? {
        // Pods of older revisions do not count: they were not refused.
        Workload::Deployment(it) => (
            it.status.as_ref().and_then(|status| status.updated_replicas).unwrap_or(0),
            it.spec.as_ref()?.replicas.unwrap_or(1),
        ),
        Workload::ReplicaSet(it) => {
            (it.status.as_ref().map_or(0, |status| status.replicas), it.spec.as_ref()?.replicas.unwrap_or(1))
        }
        Workload::StatefulSet(it) => {
            (it.status.as_ref().map_or(0, |status| status.replicas), it.spec.as_ref()?.replicas.unwrap_or(1))
        }
        Workload::DaemonSet(it) => {
            let status = it.status.as_ref()?;
            (status.current_number_scheduled, status.desired_number_scheduled)
        }
        Workload::Job(_) | Workload::CronJob(_) => return None,
    })
}

/// The object that holds the template: the top controller, or the subject.
pub(crate) fn owner(case: &Case<'_>) -> Result<ObjectRef, Needs> {
    Ok(case.controllers(case.object())?.pop().unwrap_or_else(|| case.reference()))
}

/// `deployment/cart`, as `kubectl` takes it.
pub(crate) fn target(owner: &ObjectRef) -> String {
    format!("{}/{}", owner.kind.to_ascii_lowercase(), owner.name)
}

/// A strategic patch of the pod template that lives in that object.
pub(crate) fn template_patch(owner: &ObjectRef, pod_spec: &Value) -> Value {
    match Kind::from_name(&owner.kind) {
        Some(Kind::CronJob) => json!({"spec": {"jobTemplate": {"spec": {"template": {"spec": pod_spec}}}}}),
        Some(Kind::Pod) => json!({"spec": pod_spec}),
        _ => json!({"spec": {"template": {"spec": pod_spec}}}),
    }
}

/// The commands that patch the template in that object.
pub(crate) fn patch(case: &Case<'_>, owner: &ObjectRef, type_: &str, body: &Value) -> Vec<String> {
    if owner.kind == Kind::Job.name() {
        return again(case, &owner.name);
    }
    vec![case.kubectl(["patch", &target(owner), "--type", type_, "-p", &body.to_string()])]
}

/// The commands that open the template in that object for editing.
pub(crate) fn edit(case: &Case<'_>, owner: &ObjectRef) -> Vec<String> {
    if owner.kind == Kind::Job.name() {
        return again(case, &owner.name);
    }
    vec![case.kubectl(["edit", &target(owner)])]
}

/// The commands that make a Job anew from a file to be changed in between: its template cannot be changed, and what the
/// controller added to it must not be in the new one.
pub(crate) fn again(case: &Case<'_>, job: &str) -> Vec<String> {
    let file = format!("{job}.json");
    let added = r#"["controller-uid", "batch.kubernetes.io/controller-uid"]"#;
    let filter = format!("del(.status, .spec.selector, .spec.template.metadata.labels{added})");
    let get = case.kubectl(["get", "job", job, "-o", "json"]);
    vec![
        format!("{get} | jq {} > {}", shell_quoted(&filter), shell_quoted(&file)),
        case.kubectl(["replace", "--force", "-f", &file]),
    ]
}

/// The template of the subject's pods.
pub(crate) fn template<'c>(case: &'c Case<'_>) -> Option<&'c PodTemplateSpec> {
    match case.subject() {
        Subject::Workload(workload) => workload.template(),
        Subject::Pod(_) | Subject::Claim(_) | Subject::Namespace(_) | Subject::Other(_) => None,
    }
}
