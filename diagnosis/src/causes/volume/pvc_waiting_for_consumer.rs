//! `pvc-waiting-for-consumer`.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, name, quoted, text};

use crate::ask::Filter;
use crate::case::{Case, Subject, Verdict};
use crate::causes::{Code, cause};
use crate::facts::claims::{self, Trouble, Troubled};
use crate::finding::{Evidence, Finding, Fix, ObjectRef, Severity};
use crate::kind::Kind;
use crate::pods;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The claim's volume is only made once a pod that uses it is put on a node. Without such a pod the claim is
    /// Pending by design; where the pod cannot be scheduled, what holds the pod holds the claim.
    /// ## Signals
    /// The class has `volumeBindingMode: WaitForFirstConsumer`; event WaitForFirstConsumer `waiting for first consumer
    /// to be created before binding`, or WaitForPodScheduled `waiting for pod NAME to be scheduled`.
    /// ## Look-alikes
    /// `pvc-provisioning-failed`: a node was chosen and the driver failed. `pvc-no-matching-volume`: volumes are made
    /// by hand.
    /// ## Fixes
    /// None where no pod uses it; else end what keeps the pod from being scheduled.
    /// ## Source
    /// pkg/controller/volume/persistentvolume/pv_controller.go;
    /// <https://kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode>
    PvcWaitingForConsumer, stage Volume, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    // Of a pod's view it is never the cause: the pod is what the claim waits for.
    if !matches!(case.subject(), Subject::Claim(_)) {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for troubled in claims::troubled(case)? {
        if let Trouble::Waiting { class, event, pods } = &troubled.trouble {
            let event = event.as_deref().map(Evidence::event);
            let finding = match pods.first() {
                Some(pod) => held_up(case, &troubled, class, pod)?,
                None => by_design(case, &troubled, class),
            };
            found.push(finding.evidence(event).evidence(troubled.phase(case)));
        }
    }
    Ok(found)
}

fn by_design(case: &Case<'_>, troubled: &Troubled, class: &str) -> Finding {
    let claim = troubled.reference(case);
    troubled
        .finding(case, Code::PvcWaitingForConsumer)
        .severity(Severity::Info)
        .title(text!["Claim ", name(claim.path()), " waits for its first pod, by design"])
        .explain(text![
            "StorageClass ",
            name(class),
            " makes volumes only when a pod that uses the claim is put on a node (WaitForFirstConsumer). No pod \
                that waits to be scheduled uses ",
            name(claim.path()),
            ", so nothing is wrong.",
        ])
        .fix(Fix::safe(text!["nothing to mend: start a pod that uses the claim"]).command(case.kubectl([
            "describe",
            "persistentvolumeclaim",
            &troubled.name,
        ])))
}

fn held_up(case: &Case<'_>, troubled: &Troubled, class: &str, pod_name: &str) -> Result<Finding, Needs> {
    let claim = troubled.reference(case);
    let pods = case.list::<Pod>(case.namespace(), Filter::All)?.found().unwrap_or_default();
    let pod = pods.iter().find(|pod| pod.metadata.name.as_deref() == Some(pod_name));
    let reference = ObjectRef::new(Kind::Pod, case.namespace(), pod_name);
    let verdict = pod.and_then(scheduling_verdict);
    let says: Option<Text> = verdict.clone().map(|verdict| text![" The scheduler says of it: ", quoted(verdict), "."]);
    let severity = if verdict.is_some() { Severity::Error } else { Severity::Info };
    Ok(troubled
        .finding(case, Code::PvcWaitingForConsumer)
        .follows_lead()
        .severity(severity)
        .root(reference.clone())
        .title(text!["Claim ", name(claim.path()), " waits for pod ", name(pod_name), ", which is not scheduled"])
        .explain(text![
            "StorageClass ",
            name(class),
            " makes volumes only when a pod that uses the claim is put on a node (WaitForFirstConsumer). Pod ",
            name(pod_name),
            " uses it and has no node yet, so what holds the pod holds the claim.",
            says,
        ])
        .evidence(verdict.map(|verdict| Evidence::field(&reference, ".status.conditions[PodScheduled]", verdict)))
        .fix(
            Fix::safe(text![
                "end what keeps pod ",
                name(pod_name),
                " from being scheduled; the claim is then served by itself"
            ])
            .command(case.kubectl(["describe", "pod", pod_name])),
        ))
}

fn scheduling_verdict(pod: &Arc<Pod>) -> Option<String> {
    let condition = pods::condition(pod, "PodScheduled").filter(|condition| condition.status == "False")?;
    condition.message.clone().filter(|message| !message.is_empty())
}
