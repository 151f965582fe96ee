//! `readiness-gate-unmet`.

use jiff::SignedDuration;
use kubewhy_text::{code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::nodes::node_is_lost;
use crate::finding::{Confidence, Finding, Fix, Severity};
use crate::pods;

cause! {
    /// ## What it means
    /// All containers are ready, and the pod is not: its readiness gates ask for conditions that somebody else has to set,
    /// and one is not True.
    /// ## Signals
    /// Condition Ready False `ReadinessGatesNotReady` (`corresponding condition of pod readiness gate "X" does not exist.` or `the
    /// status of pod readiness gate "X" is not "True", but False`), ContainersReady True, `spec.readinessGates`.
    /// ## Look-alikes
    /// `readiness-probe-failing`: a container is not ready. `node-lost`: Ready False although the containers are ready, and no
    /// gate.
    /// ## Fixes
    /// See what the controller that sets the condition says; take the gate out if that controller is gone.
    /// ## Source
    /// pkg/kubelet/status/generate.go, GeneratePodReadyCondition
    ReadinessGateUnmet, stage Probe, since "0.1.0", detect
}

/// How long a controller may need to set its condition.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

fn detect(case: &Case<'_>) -> Verdict {
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let gates = pods::spec(pod).into_iter().flat_map(|spec| spec.readiness_gates.iter().flatten());
    let unmet: Vec<&str> =
        gates.map(|gate| gate.condition_type.as_str()).filter(|gate| !pods::is_true(pod, gate)).collect();
    let held = pods::is_true(pod, "ContainersReady") && !pods::is_true(pod, "Ready");
    if unmet.is_empty() || !held || case.meta().deletion_timestamp.is_some() || node_is_lost(case)? {
        return Ok(Vec::new());
    }
    Ok(unmet.into_iter().map(|gate| explain(case, gate)).collect())
}

fn explain(case: &Case<'_>, gate: &str) -> Finding {
    let condition = case.pod().and_then(|pod| pods::condition(pod, gate));
    let ready = case.pod().and_then(|pod| pods::condition(pod, "ContainersReady"));
    let since = ready.and_then(|condition| condition.last_transition_time.as_ref()).map(|time| time.0);
    let early = since.is_some_and(|since| case.age(since) < PATIENCE);
    let state = if let Some(condition) = condition {
        text!["is ", name(condition.status.as_str())]
    } else {
        text!["was never set"]
    };
    let said = condition
        .and_then(|condition| condition.message.as_deref().filter(|message| !message.is_empty()))
        .map(|message| text!["It says: ", quoted(message), "."]);
    let owner = owner(gate);
    let by = owner.as_ref().map_or_else(|| text!["another controller"], |(owner, _)| text![*owner]);
    let fix = match owner {
        Some((owner, Some((namespace, labels)))) => Fix::safe(text!["see what ", owner, " says about it"])
            .command(case.kubectl_in(namespace, ["logs", "-l", labels, "--tail", "100"])),
        _ => Fix::safe(text!["see what the controller that sets condition ", code(gate), " says"])
            .command(case.kubectl(["describe", "pod", case.name()])),
    };
    let drop = Fix::disruptive(text![
        "if that controller is gone: take the gate out of ",
        code("spec.readinessGates"),
        " (or the label of the namespace that injects it)"
    ]);
    let shown: String = condition.map_or_else(
        || "no such condition".to_owned(),
        |condition| format!("{}: {}", condition.status, condition.message.as_deref().unwrap_or_default()),
    );
    case.finding(Code::ReadinessGateUnmet)
        .severity(if early { Severity::Info } else { Severity::Error })
        .confidence(Confidence::Certain)
        .title(text!["Readiness gate ", name(gate), " ", state.clone()])
        .explain(text![
            "All containers are ready. The pod also waits for condition ",
            name(gate),
            ", which ",
            by,
            " has to set to True, and which ",
            state,
            ", so the pod gets no traffic."
        ])
        .also(said)
        .evidence(case.field(&format!(".status.conditions[{gate}]"), shown))
        .evidence(ready_message(case))
        .since(since)
        .fix(fix)
        .fix(drop)
}

fn ready_message(case: &Case<'_>) -> Option<crate::finding::Evidence> {
    let condition = case.pod().and_then(|pod| pods::condition(pod, "Ready"))?;
    Some(case.field(".status.conditions[Ready]", condition.message.clone().unwrap_or_default()))
}

/// Who sets a condition of that type, and where its pods are.
type Owner = (&'static str, Option<(&'static str, &'static str)>);

fn owner(gate: &str) -> Option<Owner> {
    let aws = Some(("kube-system", "app.kubernetes.io/name=aws-load-balancer-controller"));
    let known: [(&str, Owner); 7] = [
        ("target-health.elbv2.k8s.aws/", ("the AWS Load Balancer Controller", aws)),
        ("target-health.alb.ingress.k8s.aws/", ("the AWS ALB Ingress Controller", aws)),
        ("cloud.google.com/load-balancer-neg-ready", ("the load balancer controller of GKE", None)),
        ("networking.gke.io/", ("the network controller of GKE", None)),
        ("InPlaceUpdateReady", ("OpenKruise", Some(("kruise-system", "control-plane=controller-manager")))),
        ("KruisePodReady", ("OpenKruise", Some(("kruise-system", "control-plane=controller-manager")))),
        ("readiness.alibabacloud.com/", ("the load balancer controller of Alibaba Cloud", None)),
    ];
    known.into_iter().find(|(prefix, _)| gate.starts_with(prefix)).map(|(_, owner)| owner)
}
