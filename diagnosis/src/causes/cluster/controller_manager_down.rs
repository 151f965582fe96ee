//! `controller-manager-down`.

use kubewhy_text::{name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::control_plane::{self, Component};
use crate::facts::neglect;

cause! {
    /// ## What it means
    /// kube-controller-manager does not run: what runs goes on, and nothing is brought in line any more.
    /// ## Signals
    /// Lease `kube-system/kube-controller-manager` not renewed for more than 15 seconds while other leases are, or without
    /// holder. Around it: `status.observedGeneration` behind `metadata.generation`, Deployments without ReplicaSet, Jobs
    /// without status, fewer pods than wanted and no event that says why.
    /// ## Look-alikes
    /// A refused creation (`quota-exceeded`, `admission-webhook-unavailable`, ...): its event says so. `rollout-paused`,
    /// `scaled-to-zero`: by design. `scheduler-down`: the pods are there and have no node. One controller that does nothing
    /// while the others work: its rights, or `--controllers`. No lease at all says nothing.
    /// ## Fixes
    /// Start kube-controller-manager again: its static pod's manifest, its credentials, its way to the API server.
    /// ## Source
    /// staging/src/k8s.io/client-go/tools/leaderelection/leaderelection.go,
    /// cmd/kube-controller-manager/app/controllermanager.go; <https://kubernetes.io/docs/concepts/architecture/leases/>
    ControllerManagerDown, stage Cluster, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let component = Component::ControllerManager;
    let sign = match neglect::of_workload(case)? {
        Some(sign) => Some(sign),
        None => neglect::of_service(case)?,
    };
    let Some(sign) = sign else {
        return control_plane::on_lease(case, component, Code::ControllerManagerDown);
    };
    let Some(down) = control_plane::down(case, component)? else { return Ok(Vec::new()) };
    let finding = case
        .finding(Code::ControllerManagerDown)
        .title(text![
            down.clause(),
            ", so nothing acts on ",
            case.object().kind().name(),
            " ",
            name(case.reference().path())
        ])
        .evidence(sign.evidence);
    let finding = down.describe(case, finding, Some(&sign.sentence))?.via(component.lease());
    Ok(vec![finding])
}
