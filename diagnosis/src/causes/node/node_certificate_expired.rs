//! `node-certificate-expired`.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::core::v1::Node;
use kubewhy_text::{code, name, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::node_state;
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef, Severity};
use crate::kind::Kind;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// A certificate of the kubelet has run out and was not renewed: its client certificate, with which the API server knows
    /// it (the node falls silent), or its serving certificate (logs, exec and metrics of the node fail).
    /// ## Signals
    /// A CertificateSigningRequest of user `system:node:NODE` that is pending or denied: signer
    /// `kubernetes.io/kube-apiserver-client-kubelet` while Ready is Unknown, or `kubernetes.io/kubelet-serving`; a node that
    /// falls silent to the hour a year after it joined, which is how long kubeadm's certificates last. In the kubelet's
    /// journal: `The currently active client certificate has expired`; of logs and exec: `remote error: tls: internal error`.
    /// ## Look-alikes
    /// `node-kubelet-down`: the kubelet has stopped for another reason. `clock-skew`: `x509: ... is not yet valid`.
    /// ## Fixes
    /// Approve the request; where there is none, renew by kubeadm or join the node again; then restart the kubelet.
    /// ## Source
    /// pkg/kubelet/certificate/transport.go; staging/src/k8s.io/client-go/util/certificate;
    /// <https://kubernetes.io/docs/reference/access-authn-authz/kubelet-tls-bootstrapping/>
    NodeCertificateExpired, stage Node, since "0.1.0", detect
}

/// How long a request may wait before nobody is going to sign it: the controller manager approves within seconds.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);
/// How long kubeadm's client certificates last.
const YEAR: SignedDuration = SignedDuration::from_hours(365 * 24);
/// How near to that a node has to fall silent: certificates are made when it joins, and a connection may outlive them a
/// while.
const NEAR: SignedDuration = SignedDuration::from_hours(2);

const CLIENT: &str = "kubernetes.io/kube-apiserver-client-kubelet";
const SERVING: &str = "kubernetes.io/kubelet-serving";

fn detect(case: &Case<'_>) -> Verdict {
    let Some(node) = node_state::subject(case) else { return Ok(Vec::new()) };
    let ready = node_state::condition(&node, "Ready").map(|ready| ready.status.as_str());
    let finding = match ready {
        Some("Unknown") => client(case, &node)?,
        Some("True") => serving(case, &node)?,
        _ => None,
    };
    Ok(finding.into_iter().collect())
}

/// The state of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Pending,
    Denied,
    Signed,
}

/// The requests of a node's kubelet for that kind of certificate, oldest first.
fn requests(case: &Case<'_>, node: &Node, signer: &str) -> Result<Vec<(Arc<CertificateSigningRequest>, State)>, Needs> {
    let user = format!("system:node:{}", node_state::name_of(node));
    let all = case.list::<CertificateSigningRequest>(None, Filter::All)?.found().unwrap_or_default();
    let mut own: Vec<_> = all
        .into_iter()
        .filter(|it| it.spec.signer_name == signer && it.spec.username.as_deref() == Some(user.as_str()))
        .map(|it| {
            let state = state(&it);
            (it, state)
        })
        .collect();
    own.sort_by_key(|(it, _)| created(it));
    Ok(own)
}

fn state(request: &CertificateSigningRequest) -> State {
    let Some(status) = &request.status else { return State::Pending };
    let has = |type_: &str| status.conditions.iter().flatten().any(|condition| condition.type_ == type_);
    if has("Denied") || has("Failed") {
        State::Denied
    } else if status.certificate.is_some() || has("Approved") {
        State::Signed
    } else {
        State::Pending
    }
}

fn created(request: &CertificateSigningRequest) -> Option<Timestamp> {
    request.metadata.creation_timestamp.as_ref().map(|time| time.0)
}

/// The node is silent, and its last request for a client certificate was not signed.
fn client(case: &Case<'_>, node: &Node) -> Result<Option<Finding>, Needs> {
    let pulse = node_state::pulse(case, node_state::name_of(node));
    let own = requests(case, node, CLIENT)?;
    let silent =
        pulse?.map(|pulse| pulse.renewed).or_else(|| node_state::condition(node, "Ready").and_then(node_state::since));
    if let Some((request, state)) = own.last().filter(|(_, state)| *state != State::Signed) {
        return Ok(Some(unsigned(case, node, request, *state, "client").since(silent)));
    }
    let joined = node.metadata.creation_timestamp.as_ref().map(|time| time.0);
    let (Some(silent), Some(joined)) = (silent, joined) else { return Ok(None) };
    // A certificate that was renewed in time has another age.
    if !own.is_empty() || silent.duration_since(joined).checked_sub(YEAR).is_none_or(|gap| gap.abs() > NEAR) {
        return Ok(None);
    }
    let finding = case
        .finding(Code::NodeCertificateExpired)
        .root(node_state::reference(node))
        .confidence(Confidence::Likely)
        .title(text![
            node_state::called(node),
            " fell silent a year to the hour after it joined: its kubelet's client certificate has run out"
        ])
        .explain(text![
            "Certificates of kubeadm last a year. The kubelet of this node reported last at ",
            silent,
            ", and the node joined at ",
            joined,
            "; it has asked for no new certificate. Only its journal can prove it."
        ])
        .evidence(case.field(".metadata.creationTimestamp", joined.to_string()))
        .evidence(node_state::condition(node, "Ready").map(|ready| node_state::evidence(node, ready)))
        .since(Some(silent));
    Ok(Some(renew(finding)))
}

/// The node is well, and nobody signs its serving certificate.
fn serving(case: &Case<'_>, node: &Node) -> Result<Option<Finding>, Needs> {
    let own = requests(case, node, SERVING)?;
    let Some((request, state)) = own.last().filter(|(_, state)| *state != State::Signed) else { return Ok(None) };
    // Kubelets ask again and again; one that was signed within the day still serves.
    let served = own.iter().any(|(_, state)| *state == State::Signed);
    let first = own.iter().find_map(|(it, state)| (*state != State::Signed).then(|| created(it)).flatten());
    if served || first.is_none_or(|first| case.age(first) < PATIENCE) {
        return Ok(None);
    }
    let finding = unsigned(case, node, request, *state, "serving").severity(Severity::Warning).since(first);
    Ok(Some(finding.also((own.len() > 1).then(|| text!["It has asked ", own.len(), " times."]))))
}

fn unsigned(
    case: &Case<'_>,
    node: &Node,
    request: &CertificateSigningRequest,
    state: State,
    kind: &'static str,
) -> Finding {
    let asked = request.metadata.name.clone().unwrap_or_default();
    let reference = ObjectRef::new(Kind::CertificateSigningRequest, None, &asked);
    let is = if state == State::Denied { "was denied" } else { "is pending: nobody has approved it" };
    let means = if kind == "client" {
        text!["Without it the API server does not know the kubelet any more: the node falls silent."]
    } else {
        text![
            "Without it the API server cannot reach the kubelet: logs, exec, port-forward and metrics of this node fail with ",
            code("remote error: tls: internal error"),
            ". Pods run on."
        ]
    };
    let shown = if state == State::Denied { "Denied" } else { "no condition, no certificate" };
    let finding = case
        .finding(Code::NodeCertificateExpired)
        .root(reference.clone())
        .via(node_state::reference(node))
        .confidence(Confidence::Likely)
        .title(text![
            "The kubelet of ",
            node_state::called(node),
            " has no valid ",
            kind,
            " certificate: its request ",
            name(asked.clone()),
            " ",
            is
        ])
        .explain(text!["The kubelet asked for a new ", kind, " certificate, and the request ", is, ". ", means])
        .evidence(Evidence::field(&reference, ".status", shown).at(created(request)))
        .evidence(Evidence::field(&reference, ".spec.signerName", request.spec.signer_name.clone()))
        .evidence(node_state::condition(node, "Ready").map(|ready| node_state::evidence(node, ready)));
    let finding = if state == State::Pending {
        finding.fix(
            Fix::disruptive(text!["see that the request is the node's own, then approve it"])
                .command(case.kubectl_cluster(["get", "csr"]))
                .command(case.kubectl_cluster(["certificate", "approve", &asked])),
        )
    } else {
        finding.fix(
            Fix::safe(text!["see who denied it and why; then delete it, and the kubelet asks again"])
                .command(case.kubectl_cluster(["get", "csr", &asked, "-o", "yaml"]))
                .command(case.kubectl_cluster(["delete", "csr", &asked])),
        )
    };
    renew(finding)
}

/// What a person does on the node.
fn renew(finding: Finding) -> Finding {
    finding
        .fix(
            Fix::safe(text!["on the node, see until when its certificates are valid, and what the kubelet says"])
                .command("openssl x509 -noout -dates -in /var/lib/kubelet/pki/kubelet-client-current.pem")
                .command("journalctl -u kubelet --since '1 day ago' --no-pager | grep -i certificate | tail -n 20; timedatectl"),
        )
        .fix(
            Fix::disruptive(text![
                "renew it: on a control-plane node by kubeadm, on a worker by joining again with a new bootstrap token; then \
                 restart the kubelet"
            ])
            .command("kubeadm certs check-expiration; kubeadm certs renew all")
            .command("kubeadm token create --print-join-command")
            .command("systemctl restart kubelet"),
        )
}
