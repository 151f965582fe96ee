//! `clock-skew`.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Node, Pod};
use kubewhy_text::{name, own, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::ends::{self, show};
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::log::{Failure, Signature, TlsFault};
use crate::pods;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The clock of a node is off: certificates seem not valid yet (or expired), tokens are refused, leases look old, all at
    /// once.
    /// ## Signals
    /// The node's lease `kube-node-lease/NODE` is renewed at a time that lies ahead of all others; a container was started
    /// before its pod was made; `x509: certificate has expired or is not yet valid: current time ... is before ...`;
    /// node-problem-detector's condition `NTPProblem`.
    /// ## Look-alikes
    /// `tls-certificate-invalid`: the certificate itself is old or new, and the clocks agree. `node-kubelet-down`: a lease that
    /// is old, and nothing that lies ahead. The asker's own clock: then everything lies ahead or behind alike.
    /// ## Fixes
    /// Time synchronisation on that node (chrony, systemd-timesyncd), then its kubelet.
    /// ## Source
    /// crypto/x509 (verify.go), config/custom-plugin-monitor.json of node-problem-detector;
    /// <https://kubernetes.io/docs/concepts/architecture/leases/#node-heart-beats>
    ClockSkew, stage Cluster, since "0.1.0", detect
}

/// More than the pods' and leases' own rhythm explains.
const OFF: SignedDuration = SignedDuration::from_secs(90);

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(node) = case.subject_as::<Node>() {
        return of_node(case, &node);
    }
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let is_time =
        |failure: &Failure| matches!(failure, Failure::Tls { fault: TlsFault::NotYetValid | TlsFault::Expired, .. });
    ends::explained(case, Code::ClockSkew, is_time, |_, finding, signature| {
        let Some(node) = pods::node_name(pod) else { return Ok(None) };
        let Some(seen) = of_certificate(case, signature)? else { return Ok(None) };
        let finding =
            finding.also(text!["A certificate seems to be from the future there: it is the clock that is wrong."]);
        Ok(Some(explain(finding, node, seen)))
    })
}

/// Tells whether the clock, and not a certificate, is what a program complains of.
///
/// # Errors
/// [`Needs`] where leases have not been asked yet.
pub(crate) fn speaks_for(case: &Case<'_>, signature: &Signature) -> Result<bool, Needs> {
    Ok(of_certificate(case, signature)?.is_some())
}

fn of_certificate(case: &Case<'_>, signature: &Signature) -> Result<Option<Off>, Needs> {
    // `current time T is before N`: with expired ones the certificate is mostly right.
    let early = signature.line.contains("is before")
        || matches!(signature.kind, Failure::Tls { fault: TlsFault::NotYetValid, .. });
    match case.pod().filter(|_| early).and_then(|pod| Some((pod, pods::node_name(pod)?))) {
        Some((pod, node)) => off(case, node, Some(pod)),
        None => Ok(None),
    }
}

/// How a node's clock is seen to be off.
struct Off {
    by: SignedDuration,
    ahead: bool,
    evidence: Evidence,
}

/// The node's lease lies ahead of all others, or a container of the pod was started before the pod was made.
fn off(case: &Case<'_>, node: &str, pod: Option<&Pod>) -> Result<Option<Off>, Needs> {
    let started = pod.into_iter().flat_map(|pod| {
        let made = pods::created(pod);
        let times = pods::containers(pod).filter_map(|container| {
            let running = container.running().and_then(|it| it.started_at.as_ref());
            let ended = container.last_end().and_then(|it| it.started_at.as_ref());
            running.or(ended).map(|time| time.0).filter(|time| time.as_second() > 0)
        });
        times.filter_map(move |time| Some((time, made?))).collect::<Vec<_>>()
    });
    if let (Some((time, made)), Some(pod)) = (started.min(), pod)
        && made.duration_since(time) > OFF
    {
        let reference = ObjectRef::new(
            Kind::Pod,
            pod.metadata.namespace.as_deref(),
            pod.metadata.name.as_deref().unwrap_or_default(),
        );
        let words = format!("started at {time}, while the pod was made at {made}");
        let evidence = Evidence::field(&reference, ".status.containerStatuses", words);
        return Ok(Some(Off { by: made.duration_since(time), ahead: false, evidence }));
    }
    let leases = case.list::<Lease>(Some("kube-node-lease"), Filter::All)?.found().unwrap_or_default();
    let renewed = |lease: &Lease| lease.spec.as_ref()?.renew_time.as_ref().map(|time| time.0);
    let of = |own: bool| {
        let named = leases.iter().filter(move |lease| (lease.metadata.name.as_deref() == Some(node)) == own);
        named.filter_map(|lease| renewed(lease)).max()
    };
    let (Some(mine), Some(others)) = (of(true), of(false)) else { return Ok(None) };
    let newest: Timestamp = others.max(case.now());
    // A dump's clock may be that very lease: then only the others tell.
    let against = if newest == mine { others } else { newest };
    let by = mine.duration_since(against);
    let live = case.now().duration_since(others) < OFF;
    if by <= OFF || !live {
        return Ok(None);
    }
    let place = ObjectRef::new(Kind::Lease, Some("kube-node-lease"), node);
    let words = format!("{mine}, while the newest of the other nodes is {others}");
    Ok(Some(Off { by, ahead: true, evidence: Evidence::field(&place, ".spec.renewTime", words).at(Some(mine)) }))
}

fn of_node(case: &Case<'_>, node: &Node) -> Verdict {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let told = conditions.into_iter().find(|condition| condition.type_ == "NTPProblem" && condition.status == "True");
    let ahead = node.status.iter().flat_map(|status| status.conditions.iter().flatten()).any(|condition| {
        let beat = condition.last_heartbeat_time.as_ref();
        condition.type_ == "Ready" && beat.is_some_and(|beat| beat.0.duration_since(case.now()) > OFF)
    });
    if let Some(told) = told {
        let words = told.message.clone().or_else(|| told.reason.clone()).unwrap_or_default();
        let finding = case.finding(Code::ClockSkew).confidence(Confidence::Likely);
        let evidence = case.field(".status.conditions[NTPProblem]", words);
        let finding = finding
            .root(case.reference())
            .title(text!["the clock of node ", name(case.name()), " is not kept in time"])
            .explain(text![
                "node-problem-detector says that time synchronisation does not work there. Certificates, tokens and leases \
                 begin to fail once the clock is off by more than they bear."
            ])
            .evidence(evidence);
        return Ok(vec![steps(finding, case.name())]);
    }
    if !ahead {
        return Ok(Vec::new());
    }
    let Some(seen) = off(case, case.name(), None)? else { return Ok(Vec::new()) };
    Ok(vec![explain(case.finding(Code::ClockSkew), case.name(), seen)])
}

fn explain(finding: Finding, node: &str, seen: Off) -> Finding {
    let how = if seen.ahead { " ahead" } else { " behind" };
    let finding = finding
        .confidence(Confidence::Likely)
        .root(ObjectRef::new(Kind::Node, None, node))
        .title(text!["the clock of node ", name(node), " is some ", own(show(seen.by)), how])
        .also(text![
            "What the node's clock writes does not fit what the API server's writes. With a wrong clock certificates seem expired \
             or not valid yet, tokens are refused, and leases look old, all at once."
        ])
        .evidence(seen.evidence);
    steps(finding, node)
}

fn steps(finding: Finding, node: &str) -> Finding {
    finding
        .fix(
            Fix::safe(text!["on node ", name(node), ", see whether its clock is synchronised, and with what"])
                .command("timedatectl status; chronyc tracking"),
        )
        .fix(
            Fix::disruptive(text![
                "start time synchronisation there again, set the clock at once, then restart its kubelet"
            ])
            .command("systemctl restart chrony chronyd systemd-timesyncd 2>/dev/null; chronyc makestep")
            .command("systemctl restart kubelet"),
        )
}
