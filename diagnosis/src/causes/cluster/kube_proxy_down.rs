//! `kube-proxy-down`.

use k8s_openapi::api::apps::v1::DaemonSet;
use kubewhy_text::{Text, code, name, text};

use crate::ask::Instance;
use crate::case::{Case, Verdict, Workload};
use crate::causes::{Code, cause};
use crate::facts::control_plane::NAMESPACE;
use crate::facts::ends;
use crate::facts::lookups::{self, Why};
use crate::facts::peers::{self, Place};
use crate::facts::service_proxy::{self, Fault};
use crate::finding::{Confidence, Evidence, Finding, Fix};
use crate::parse::log::{self, Failure, Signature};
use crate::pods::{self, ContainerView};
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// kube-proxy does not run on a node: from there the addresses of Services lead nowhere, or to pods that are gone, while
    /// the pods themselves answer.
    /// ## Signals
    /// A program cannot reach the address of a Service (timeout, refused, no name server answers) that has ready endpoints,
    /// and the kube-proxy pod of its node is not ready, crashes, or is missing. DaemonSet kube-system/kube-proxy with fewer
    /// ready pods than nodes.
    /// ## Look-alikes
    /// `service-no-endpoints`: nobody is behind the Service. `network-policy-blocks`: the pods themselves are not reached
    /// either. A cluster whose network plugin replaces kube-proxy (Cilium, OVN) has none, which says nothing. Rules that were
    /// written before it died go on working: only changes are missed.
    /// ## Fixes
    /// What keeps its pod from running on that node: its configuration, its kubeconfig, the node.
    /// ## Source
    /// pkg/proxy/iptables/proxier.go; <https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/#is-the-kube-proxy-working>
    KubeProxyDown, stage Cluster, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(Workload::DaemonSet(set)) = case.workload() {
        return Ok(of_daemon_set(case, set).into_iter().collect());
    }
    let mut found = ends::explained(case, Code::KubeProxyDown, is_mine, |container, finding, signature| {
        of_client(case, container, finding, signature)
    })?;
    if found.is_empty() {
        found.extend(of_restarted(case)?);
    }
    Ok(found)
}

/// A program that ended, whose last log is gone, and that says the same again now that it runs.
fn of_restarted(case: &Case<'_>) -> Result<Option<Finding>, Needs> {
    let Some(pod) = case.pod() else { return Ok(None) };
    for container in case.containers() {
        let again = container.running().is_some() && pods::troubling_end(pod, &container, case.now()).is_some();
        if !again || !matches!(case.last_words(&container)?, Read::Unreadable) {
            continue;
        }
        let Read::Found(log) = case.log(pod, container.name(), Instance::Current)? else { continue };
        let Some(signature) = log::read(&log).signature.filter(|signature| is_mine(&signature.kind)) else { continue };
        let opening = text![container.subject(), " ends again and again."];
        let finding = case.finding_in(Code::KubeProxyDown, &container).explain(opening).evidence(Evidence {
            source: format!(
                "log of container {} of {}, line {}",
                container.name(),
                case.reference(),
                signature.line_number
            ),
            text: signature.line.clone(),
            at: None,
        });
        if let Some(finding) = of_client(case, &container, finding, &signature)? {
            return Ok(Some(finding));
        }
    }
    Ok(None)
}

fn is_mine(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Refused { .. } | Failure::Timeout { .. } | Failure::Unreachable { .. } | Failure::UnknownHost { .. }
    )
}

fn of_client(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    finding: Finding,
    signature: &Signature,
) -> Result<Option<Finding>, Needs> {
    let (fault, meant): (Fault, Text) = match &signature.kind {
        Failure::UnknownHost { host, answer, .. } => {
            let Why::Proxy(fault) = lookups::why(case, host, *answer)? else { return Ok(None) };
            (*fault, text!["the name server, which it asks for ", code(host.clone())])
        }
        Failure::Refused { peer } | Failure::Timeout { peer } | Failure::Unreachable { peer } => {
            let peer = peers::resolve(case, container, peer.as_ref())?;
            let Some(fault) = service_proxy::in_the_way(case, &peer)? else { return Ok(None) };
            let Place::Service(standing, _) = &peer.place else { return Ok(None) };
            (fault, text!["Service ", name(standing.service.path()), ", which has ready endpoints"])
        }
        _ => return Ok(None),
    };
    Ok(Some(explain(case, finding, fault, &meant)))
}

fn explain(case: &Case<'_>, finding: Finding, fault: Fault, meant: &Text) -> Finding {
    let node = fault.node.clone();
    let mut finding = finding
        .confidence(Confidence::Likely)
        .root(service_proxy::daemon_set())
        .title(text![
            "kube-proxy does not run on node ",
            name(node.clone()),
            ", so Services are not reached from there: ",
            fault.clause.clone()
        ])
        .also(text![
            "It could not reach ",
            meant.clone(),
            ". On each node kube-proxy turns the addresses of Services into those of their pods; on node ",
            name(node.clone()),
            " ",
            fault.clause.clone(),
            ", so these addresses lead nowhere there, or to pods that are gone."
        ]);
    finding = fault.evidence.into_iter().fold(finding, Finding::evidence);
    let look = Fix::safe(text!["see what ails kube-proxy on node ", name(node.clone())]).command(case.kubectl_in(
        NAMESPACE,
        ["get", "pods", "-l", "k8s-app=kube-proxy", "-o", "wide", "--field-selector", &format!("spec.nodeName={node}")],
    ));
    match fault.pod {
        Some(pod) => finding
            .via(pod.clone())
            .fix(look.command(case.kubectl_in(NAMESPACE, ["logs", pod.name.as_str(), "--tail=50"])))
            .explained_by(pod),
        None => finding
            .fix(look.command(case.kubectl_in(NAMESPACE, ["describe", "daemonset", service_proxy::DAEMON_SET])))
            .fix(
                Fix::safe(text![
                    "where the DaemonSet keeps it off the node (nodeSelector, taints without toleration), correct that"
                ])
                .command(case.kubectl_in(NAMESPACE, ["edit", "daemonset", service_proxy::DAEMON_SET])),
            )
            .explained_by(service_proxy::daemon_set()),
    }
}

/// The `DaemonSet` is meant for no node.
fn nowhere(case: &Case<'_>, set: &DaemonSet) -> Finding {
    let spec = set.spec.as_ref().and_then(|spec| spec.template.spec.as_ref());
    let selector = spec.and_then(|spec| spec.node_selector.clone()).unwrap_or_default();
    let shown: Vec<String> = selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let shown = if shown.is_empty() { "none".to_owned() } else { shown.join(",") };
    case.finding(Code::KubeProxyDown)
        .confidence(Confidence::Likely)
        .title(text!["kube-proxy runs on no node: its DaemonSet is meant for none (nodeSelector ", code(shown.clone()), ")"])
        .explain(text![
            "On each node kube-proxy turns the addresses of Services into those of their pods. No node has the labels that its \
             DaemonSet asks for, so it runs nowhere: what was set up before it went still works, and no change of a Service's \
             pods reaches any node. Where a network plugin has taken its place, that is meant so."
        ])
        .evidence(case.field(".spec.template.spec.nodeSelector", shown))
        .evidence(case.field(".status", "desiredNumberScheduled 0"))
        .fix(
            Fix::safe(text!["let it run on the nodes again: correct its nodeSelector (", code("kubernetes.io/os: linux"), ")"])
                .command(case.kubectl_in(NAMESPACE, ["get", "nodes", "--show-labels"]))
                .command(case.kubectl_in(NAMESPACE, ["edit", "daemonset", service_proxy::DAEMON_SET])),
        )
}

/// The `DaemonSet` itself: what ails its pods is the cause, and this says what follows from it.
fn of_daemon_set(case: &Case<'_>, set: &DaemonSet) -> Option<Finding> {
    let is_it = case.name() == service_proxy::DAEMON_SET && case.namespace() == Some(NAMESPACE);
    let status = set.status.as_ref().filter(|_| is_it && case.meta().deletion_timestamp.is_none())?;
    let (wanted, ready) = (status.desired_number_scheduled, status.number_ready);
    let young = case.meta().creation_timestamp.as_ref().is_some_and(|made| case.age(made.0).as_secs() < 60);
    if service_proxy::runs_nowhere(set) && !young {
        return Some(nowhere(case, set));
    }
    if young || ready >= wanted {
        return None;
    }
    let lacking = wanted - ready;
    let look = Fix::safe(text!["see on which nodes it does not run, and what it says there"])
        .command(case.kubectl_in(NAMESPACE, ["get", "pods", "-l", "k8s-app=kube-proxy", "-o", "wide"]))
        .command(case.kubectl_in(NAMESPACE, ["logs", "-l", "k8s-app=kube-proxy", "--tail=20", "--prefix"]));
    Some(
        case.finding(Code::KubeProxyDown)
            .follows_lead()
            .title(text![
                "kube-proxy does not run on ",
                lacking,
                " of ",
                wanted,
                if wanted == 1 { " node" } else { " nodes" },
                ": Services are not reached from there"
            ])
            .explain(text![
                "On each node kube-proxy turns the addresses of Services into those of their pods. Where it does not run, these \
                 addresses lead nowhere, or to pods that are gone; pods reach one another by their own addresses all the same."
            ])
            .evidence(case.field(".status", format!("desiredNumberScheduled {wanted}, numberReady {ready}")))
            .fix(look),
    )
}
