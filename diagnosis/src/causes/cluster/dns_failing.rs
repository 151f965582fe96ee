//! `dns-failing`.

use kubewhy_text::{code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::ends::{self, End};
use crate::facts::lookups::{self, Dns, Why};
use crate::finding::{Confidence, Finding, Fix};
use crate::parse::log::{Failure, Signature};
use crate::pods::ContainerView;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The cluster's DNS does not answer: no name resolves for anybody, however well the peers themselves are.
    /// ## Signals
    /// The log of an app: Go `lookup db on 10.96.0.10:53: ... i/o timeout`, `server misbehaving`; glibc and Python
    /// `Temporary failure in name resolution`; Node `EAI_AGAIN`; musl `bad address`; and the Service
    /// kube-system/kube-dns has no ready endpoint. CoreDNS itself: `plugin/loop: Loop ... detected`.
    /// ## Look-alikes
    /// `dependency-unreachable`: the name server answered "no such name", or DNS is well. `dns-config-wrong`: only this
    /// pod asks the wrong name server. `service-no-endpoints`: the name resolves.
    /// ## Fixes
    /// Bring CoreDNS back: its own crash, its Corefile, its rights, its replicas.
    /// ## Source
    /// <https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/>
    DnsFailing, stage Cluster, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let is_lookup = |failure: &Failure| matches!(failure, Failure::UnknownHost { .. });
    let crashed = ends::with_failure(case, |failure| is_lookup(failure) || matches!(failure, Failure::DnsLoop { .. }));
    let unready = ends::unready(case, is_lookup);
    let mut found = Vec::new();
    for (end, signature) in crashed? {
        if let Failure::DnsLoop { what } = &signature.kind {
            found.push(in_a_loop(case, &end, &signature, what)?);
            continue;
        }
        let finding = end.finding(case, Code::DnsFailing).explain(end.opening());
        found.extend(explain(case, finding, &signature)?);
    }
    for (container, signature) in unready? {
        found.extend(explain(case, opening(case, &container, &signature), &signature)?);
    }
    Ok(found)
}

fn opening(case: &Case<'_>, container: &ContainerView<'_>, signature: &Signature) -> Finding {
    let evidence = case.log_evidence(container, signature.line_number, &signature.line);
    let opening = text!["Container ", name(container.name()), " runs and is not ready."];
    case.finding_in(Code::DnsFailing, container).explain(opening).evidence(evidence)
}

fn explain(case: &Case<'_>, finding: Finding, signature: &Signature) -> Result<Option<Finding>, Needs> {
    let Failure::UnknownHost { host, answer, .. } = &signature.kind else { return Ok(None) };
    let Why::DnsDown(dns) = lookups::why(case, host, *answer)? else { return Ok(None) };
    let Dns { standing, root } = *dns;
    let path = root.path();
    let finding = finding
        .confidence(Confidence::Likely)
        .root(root.clone())
        .via(standing.service.clone())
        .title(text!["The cluster's DNS (", name(root.to_string()), ") does not answer: ", standing.clause()])
        .also(text![
            "It could not resolve ",
            code(host.clone()),
            ", since no name server answered. The cluster's DNS is down for everybody; the peer itself may be well."
        ])
        .also(standing.sentence());
    let finding = standing.evidence.iter().cloned().fold(finding, Finding::evidence);
    let finding = standing.fixes(case).into_iter().fold(finding, Finding::fix);
    let namespace = standing.service.namespace.as_deref().unwrap_or_default();
    let look = Fix::safe(text!["read what DNS itself says (", name(path), ")"])
        .command(case.kubectl_in(namespace, ["logs", "-l", "k8s-app=kube-dns", "--tail=50"]));
    Ok(Some(finding.fix(look)))
}

/// `CoreDNS` itself ends, since its queries come back to it.
fn in_a_loop(case: &Case<'_>, end: &End<'_>, signature: &Signature, what: &str) -> Result<Finding, Needs> {
    let template = ends::template(case)?;
    let what = if what.is_empty() { signature.line.clone() } else { what.to_owned() };
    Ok(end
        .finding(case, Code::DnsFailing)
        .confidence(ends::confidence(signature))
        .title(text!["CoreDNS ends since its queries come back to itself: ", quoted(what)])
        .explain(end.opening())
        .also(text![
            "It forwards what it does not know to the name server of its node's resolv.conf, which is a local \
             resolver (127.0.0.53) or the cluster's DNS again."
        ])
        .fix(
            Fix::disruptive(text![
                "forward to a real name server in the Corefile, or point the kubelet's resolvConf \
             at one"
            ])
            .command(case.kubectl(["edit", "configmap", "coredns"]))
            .command(template.restart(case)),
        )
        .fix(end.read_log(case)))
}
