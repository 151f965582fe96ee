//! `scheduler-not-running`.

use jiff::SignedDuration;
use k8s_openapi::api::coordination::v1::Lease;
use kubewhy_text::{name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::event::Event;
use crate::facts::capacity::advice::edit_template;
use crate::facts::capacity::unscheduled::waits_for_node;
use crate::facts::control_plane::{self, Component};
use crate::finding::{Confidence, Finding, Fix, ObjectRef};
use crate::pods;
use crate::reader::Read;

/// A scheduler looks at a new pod within seconds.
const LOOKS_WITHIN: SignedDuration = SignedDuration::from_secs(60);
const DEFAULT: &str = "default-scheduler";

cause! {
    /// ## What it means
    /// No scheduler has looked at the pod: it waits without a verdict. Either the scheduler does not run, or the pod
    /// names one (`schedulerName`) that nobody runs.
    /// ## Signals
    /// Phase `Pending`, no node, no condition `PodScheduled` and no event for more than a minute; and no lease
    /// `kube-system/kube-scheduler` that is renewed, or a `schedulerName` that is not the cluster's own.
    /// ## Look-alikes
    /// `scheduler-down`: the scheduler's lease shows that it does not run; this follows from it then.
    /// `scheduling-gated`: the condition says so. `resource-claim-failed`: a ResourceClaim that does not exist leaves
    /// the pod without condition and event too. `bound-to-missing-node`: the pod has a node. Where a verdict is
    /// there, it is one of the other causes of this stage.
    /// ## Fixes
    /// Start the scheduler again, or correct `schedulerName`.
    /// ## Source
    /// pkg/scheduler/eventhandlers.go (`responsibleForPod`); <https://kubernetes.io/docs/concepts/architecture/leases/>
    SchedulerNotRunning, stage Scheduling, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(pod) = case.pod().filter(|_| waits_for_node(case)) else { return Ok(Vec::new()) };
    let spec = pods::spec(pod);
    let gated = spec.is_some_and(|spec| spec.scheduling_gates.as_ref().is_some_and(|gates| !gates.is_empty()));
    let claims = spec.is_some_and(|spec| spec.resource_claims.as_ref().is_some_and(|claims| !claims.is_empty()));
    let young = pods::created(pod).is_none_or(|created| case.age(created) < LOOKS_WITHIN);
    if gated || claims || pods::condition(pod, "PodScheduled").is_some() {
        return Ok(Vec::new());
    }
    let events = case.own_events()?;
    let scheduler =
        spec.and_then(|spec| spec.scheduler_name.as_deref()).filter(|name| !name.is_empty()).unwrap_or(DEFAULT);
    if events.iter().any(|event| has_looked(event, scheduler)) {
        return Ok(Vec::new());
    }
    let finding = case
        .finding(Code::SchedulerNotRunning)
        .confidence(Confidence::Likely)
        .since(pods::created(pod))
        .evidence(case.field(".status.conditions", "no PodScheduled, and no event"))
        .evidence(case.field(".spec.schedulerName", scheduler));
    let found = if scheduler == DEFAULT { stopped(case, finding)? } else { unknown(case, finding, scheduler)? };
    // A lease that nobody holds needs no waiting, and a scheduler of its own name need not be there at all.
    let seconds = pods::created(pod).map_or(i64::MAX, |created| case.age(created).as_secs());
    let named = scheduler != DEFAULT && seconds >= 15;
    let doubtful = |finding: Finding| if young { finding.confidence(Confidence::Possible) } else { finding };
    Ok(found
        .into_iter()
        .filter(|finding| !young || named || finding.confidence == Confidence::Certain)
        .map(|finding| if named { doubtful(finding) } else { finding })
        .collect())
}

/// Tells whether an event is of somebody who has the pod in hand, unlike a policy engine or a controller of metadata.
fn has_looked(event: &Event, scheduler: &str) -> bool {
    let component = event.component.as_str();
    let known = ["scheduler", "kubelet", "autoscaler", "karpenter", "controller"];
    component.is_empty() || component.contains(scheduler) || known.iter().any(|part| component.contains(part))
}

/// The cluster's own scheduler, as its lease shows it: where that is down, it is the cause, and this follows from it.
fn stopped(case: &Case<'_>, finding: Finding) -> Verdict {
    let component = Component::Scheduler;
    let down = control_plane::down(case, component)?;
    let known = case.get::<Lease>(Some(control_plane::NAMESPACE), component.program())?;
    let (finding, lives) = match (&down, &known) {
        (Some(down), _) => {
            let finding = finding.root(component.lease()).caused_in(component.lease()).evidence(down.evidence());
            (finding.confidence(Confidence::Certain), text!["It waits for the scheduler: ", down.clause(), "."])
        }
        // The scheduler lives: it holds this pod back, or its condition was not read.
        (None, Read::Found(_)) => return Ok(Vec::new()),
        (None, _) => {
            let finding = finding.root(ObjectRef::virtual_("Cluster", "kube-scheduler"));
            (finding, text!["Whether the scheduler runs could not be read from its lease."])
        }
    };
    let finding = finding
        .title(text![
            "No scheduler has looked at Pod ",
            name(case.reference().path()),
            ": kube-scheduler does \
        not run"
        ])
        .explain(text![
            "A new pod gets a node from the scheduler within seconds. This one has neither a node nor a verdict. ",
            lives
        ]);
    let look = Fix::safe(text!["see whether kube-scheduler runs, and what it says"])
        .command(case.kubectl_in("kube-system", ["get", "pods", "-l", "component=kube-scheduler", "-o", "wide"]))
        .command(case.kubectl_in("kube-system", ["logs", "-l", "component=kube-scheduler", "--tail=50"]));
    let start = Fix::safe(text![
        "start it again: on a kubeadm cluster it is a static pod of the control-plane node \
        (/etc/kubernetes/manifests/kube-scheduler.yaml)"
    ]);
    Ok(vec![finding.fix(look).fix(start)])
}

/// A scheduler of that name may not exist.
fn unknown(case: &Case<'_>, finding: Finding, scheduler: &str) -> Verdict {
    let near = crate::nearest::nearest(scheduler, [DEFAULT]);
    let finding = finding
        .title(text!["No scheduler called ", name(scheduler), " has looked at Pod ", name(case.reference().path())])
        .explain(text![
            "The pod names the scheduler ",
            name(scheduler),
            ", and no other one touches it. In all the time no \
            such scheduler has said anything about it: the name is wrong, or that scheduler does not run.",
        ]);
    let meant = near.map(|near| text![": did you mean ", name(near), "?"]);
    let correct = Fix::disruptive(text![
        "take schedulerName out of the template (the cluster's own scheduler then takes the pod), or correct it",
        meant
    ])
    .command(edit_template(case)?);
    let look = Fix::safe(text!["or start the scheduler ", name(scheduler), "; see what runs"])
        .command(case.kubectl_in("kube-system", ["get", "pods"]));
    Ok(vec![finding.fix(correct).fix(look)])
}
