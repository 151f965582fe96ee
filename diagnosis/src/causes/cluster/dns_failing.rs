//! `dns-failing`.

use k8s_openapi::api::apps::v1::Deployment;
use kubewhy_text::{code, name, quoted, text};

use crate::ask::Filter;
use crate::case::{Case, Subject, Verdict, Workload};
use crate::causes::workload::network_policy_blocks;
use crate::causes::{Code, cause};
use crate::facts::control_plane::NAMESPACE;
use crate::facts::ends::{self, End};
use crate::facts::lookups::{self, Dns, Why};
use crate::facts::name_service::{self, Complaint};
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef, Severity};
use crate::health::Cluster;
use crate::kind::Kind;
use crate::parse::log::{DnsAnswer, Failure, Signature};
use crate::pods::{self, ContainerView};
use crate::reader::Needs;
use crate::scope;

cause! {
    /// ## What it means
    /// The cluster's DNS does not answer: no name resolves for anybody, however well the peers themselves are.
    /// ## Signals
    /// The log of an app: Go `lookup db on 10.96.0.10:53: ... i/o timeout`, `server misbehaving`; glibc and Python
    /// `Temporary failure in name resolution`; Node `EAI_AGAIN`; musl `bad address`; and the Service
    /// kube-system/kube-dns has no ready endpoint. CoreDNS itself: `plugin/loop: Loop ... detected`; or it runs and says
    /// `plugin/errors: 2 NAME. A: read udp ...->10.0.0.2:53: i/o timeout` (only names outside the cluster fail), or
    /// `services is forbidden`; or nothing at all while queries to its address time out. `NodeLocal` DNS: the cache of one node is down.
    /// ## Look-alikes
    /// `dependency-unreachable`: the name server answered "no such name", or DNS is well. `dns-config-wrong`: only this
    /// pod asks the wrong name server. `dns-apiserver-unreachable`: DNS runs and has lost the API. `kube-proxy-down`: DNS is
    /// well, and one node does not lead to it. `service-no-endpoints`: the name resolves. Where DNS itself is asked about,
    /// its own cause leads.
    /// ## Fixes
    /// Bring CoreDNS back: its own crash, its Corefile, its rights, its replicas.
    /// ## Source
    /// <https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/>
    DnsFailing, stage Cluster, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    match case.subject() {
        Subject::Other(_) => return of_cluster(case),
        Subject::Workload(Workload::Deployment(it)) if name_service::is_dns(it) => return of_itself(case),
        _ => {}
    }
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
    Ok(match lookups::why(case, host, *answer)? {
        Why::DnsDown(dns) => Some(down(case, finding, host, &dns)),
        Why::Complains(dns, Complaint::Upstream(server), line) => {
            Some(no_upstream(case, finding, host, &dns, server).evidence(line))
        }
        Why::Complains(dns, Complaint::Forbidden, line) => Some(forbidden(case, finding, host, &dns).evidence(line)),
        Why::Cache(pod) => Some(cache(case, finding, host, &pod)),
        Why::Name if *answer == DnsAnswer::NoAnswer => {
            if network_policy_blocks::closes(case, &signature.kind)? {
                return Ok(None);
            }
            lookups::silent(case, &signature.line)?.map(|(dns, address)| unheard(case, finding, host, &dns, address))
        }
        _ => None,
    })
}

/// The finding whose root is the cluster's DNS, reached through its Service.
fn of_dns(finding: Finding, confidence: Confidence, dns: &Dns) -> Finding {
    finding.confidence(confidence).root(dns.root.clone()).via(dns.standing.service.clone())
}

/// Nobody answers.
fn down(case: &Case<'_>, finding: Finding, host: &str, dns: &Dns) -> Finding {
    let Dns { standing, root } = dns;
    let path = root.path();
    let finding = of_dns(finding, Confidence::Likely, dns)
        .title(text!["The cluster's DNS (", name(root.to_string()), ") does not answer: ", standing.clause()])
        .also(text![
            "It could not resolve ",
            code(host),
            ", since no name server answered. The cluster's DNS is down for everybody; the peer itself may be well."
        ])
        .also(standing.sentence());
    let finding = standing.evidence.iter().cloned().fold(finding, Finding::evidence);
    let finding = standing.fixes(case).into_iter().fold(finding, Finding::fix);
    let namespace = standing.service.namespace.as_deref().unwrap_or_default();
    let look = Fix::safe(text!["read what DNS itself says (", name(path), ")"])
        .command(case.kubectl_in(namespace, ["logs", "-l", "k8s-app=kube-dns", "--tail=50"]));
    // What ails its pods is its own cause, and stands in the explanation.
    finding.fix(look).explained_by(root.clone())
}

/// Its pods are ready and complain of nothing, and who asked its address heard nothing.
fn unheard(case: &Case<'_>, finding: Finding, host: &str, dns: &Dns, address: String) -> Finding {
    let namespace = dns.standing.service.namespace.as_deref().unwrap_or_default();
    of_dns(finding, Confidence::Possible, dns)
        .title(text![
            "The cluster's DNS (",
            name(dns.root.to_string()),
            ", ",
            code(address.clone()),
            ") does not answer the queries of this pod"
        ])
        .also(text![
            "It could not resolve ",
            code(host),
            ": the query went to ",
            code(address),
            ", and nothing came back. The pods of DNS are ready and complain of nothing, which their probes show on other \
             ports: queries to port 53 (UDP and TCP) are lost on the way, by a firewall, a network policy or the network \
             between two nodes. The peer itself may be well."
        ])
        .evidence(Evidence::field(&dns.standing.service, ".status", "has ready endpoints"))
        .fix(lookups::ask_it(case, Some(host)))
        .fix(
            Fix::safe(text!["see what stands before port 53 of DNS: policies, and rules on the nodes of its pods"])
                .command(case.kubectl_in(namespace, ["get", "networkpolicies"]))
                .command("iptables-save | grep -E 'dport 53( |$)'"),
        )
}

/// It answers for the cluster's own names, and gets no answer for those outside.
fn no_upstream(case: &Case<'_>, finding: Finding, host: &str, dns: &Dns, server: Option<String>) -> Finding {
    let namespace = dns.standing.service.namespace.as_deref().unwrap_or_default();
    let whom = server.map_or_else(|| text!["its upstream"], |server| text!["its upstream ", code(server)]);
    let finding = of_dns(finding, Confidence::Likely, dns)
        .title(text![
            "The cluster's DNS (",
            name(dns.root.to_string()),
            ") gets no answer from ",
            whom.clone(),
            ": names outside the cluster do not resolve"
        ])
        .also(text![
            "It could not resolve ",
            code(host),
            ". The cluster's DNS runs and knows the names of Services; what it does not know it asks of ",
            whom,
            ", which does not answer: firewall, security group or network policy on port 53 (UDP and TCP), a node that does \
             not forward (",
            code("iptables FORWARD DROP"),
            "), or a wrong name server in the node's resolv.conf."
        ]);
    let finding = upstream_steps(case, namespace).into_iter().fold(finding, Finding::fix);
    finding.explained_by(dns.root.clone())
}

/// It may not read the Services.
fn forbidden(case: &Case<'_>, finding: Finding, host: &str, dns: &Dns) -> Finding {
    let namespace = dns.standing.service.namespace.as_deref().unwrap_or_default();
    of_dns(finding, Confidence::Likely, dns)
        .title(text![
            "The cluster's DNS (",
            name(dns.root.to_string()),
            ") may not read the API, so it knows no Services"
        ])
        .also(text![
            "It could not resolve ",
            code(host),
            ". DNS learns the names of Services from the API, and its service account is refused there."
        ])
        .fix(
            Fix::safe(text!["bind the ClusterRole of DNS to its service account again"])
                .command(case.kubectl_cluster(["get", "clusterrole", "system:coredns", "-o", "yaml"]))
                .command(case.kubectl_cluster([
                    "create",
                    "clusterrolebinding",
                    "system:coredns",
                    "--clusterrole=system:coredns",
                    &format!("--serviceaccount={namespace}:coredns"),
                ])),
        )
        .fix(
            Fix::safe(text!["read what DNS itself says"])
                .command(case.kubectl_in(namespace, ["logs", "-l", "k8s-app=kube-dns", "--tail=50"])),
        )
}

/// The cache of the node is down: only its pods are hurt.
fn cache(case: &Case<'_>, finding: Finding, host: &str, pod: &ObjectRef) -> Finding {
    let node = case.pod().and_then(pods::node_name).unwrap_or_default();
    let root = ObjectRef::new(Kind::DaemonSet, pod.namespace.as_deref(), "node-local-dns");
    let namespace = pod.namespace.as_deref().unwrap_or_default();
    finding
        .confidence(Confidence::Likely)
        .root(root)
        .via(pod.clone())
        .title(text!["The DNS cache of node ", name(node), " (", name(pod.to_string()), ") does not run"])
        .also(text![
            "It could not resolve ",
            code(host),
            ". Pods of this node ask the node's own DNS cache first; the cluster's DNS itself is well, so other nodes are not \
             hurt."
        ])
        .evidence(Evidence::field(pod, ".status.conditions[Ready]", "not True"))
        .fix(
            Fix::safe(text!["see what ails the cache of that node"])
                .command(case.kubectl_in(namespace, ["describe", "pod", pod.name.as_str()]))
                .command(case.kubectl_in(namespace, ["logs", pod.name.as_str(), "--tail=50"])),
        )
        .explained_by(pod.clone())
}

/// DNS itself is asked about: it runs, and says that nobody outside answers it.
fn of_itself(case: &Case<'_>) -> Verdict {
    let ready = case.workload().and_then(scope::replicas).is_some_and(|(_, ready)| ready > 0);
    let said = if ready { name_service::complaint_of_itself(case, 2)? } else { None };
    Ok(said.map(|said| silent_upstream(case, &case.reference(), said)).into_iter().collect())
}

fn silent_upstream(case: &Case<'_>, dns: &ObjectRef, said: (Complaint, Evidence, bool)) -> Finding {
    let (complaint, line, mostly) = said;
    let server = match complaint {
        Complaint::Upstream(Some(server)) => text!["its upstream ", code(server)],
        _ => text!["its upstream"],
    };
    let finding = case
        .finding(Code::DnsFailing)
        .severity(if mostly { Severity::Error } else { Severity::Warning })
        .confidence(Confidence::Likely)
        .root(dns.clone())
        .title(text![
            "The cluster's DNS (",
            name(dns.to_string()),
            ") gets no answer from ",
            server,
            ": names outside the cluster do not resolve"
        ])
        .explain(text![
            "It runs and knows the names of Services. What it does not know it asks of name servers outside, and these do not \
             answer."
        ])
        .evidence(line);
    upstream_steps(case, dns.namespace.as_deref().unwrap_or_default()).into_iter().fold(finding, Finding::fix)
}

/// The steps towards a name server that answers.
fn upstream_steps(case: &Case<'_>, namespace: &str) -> Vec<Fix> {
    vec![
        Fix::safe(text!["see which upstream is set, in the Corefile and in the node's resolv.conf"])
            .command(case.kubectl_in(namespace, ["get", "configmap", "coredns", "-o", "jsonpath={.data.Corefile}"]))
            .command(case.kubectl_in(namespace, ["get", "networkpolicies"])),
        Fix::safe(text![
            "ask the upstream from a node and from a pod: where only the pod fails, the node does not forward, or a firewall \
             stops port 53 (UDP and TCP)"
        ])
        .command(case.kubectl_in(namespace, ["run", "dns-test", "--rm", "-it", "--image=busybox", "--", "nslookup", "example.com"]))
        .command("iptables -S FORWARD | head -1; sysctl net.ipv4.ip_forward"),
        Fix::disruptive(text!["forward to a name server that answers, in the Corefile (", code("forward . IP"), ")"])
            .command(case.kubectl_in(namespace, ["edit", "configmap", "coredns"])),
    ]
}

/// The whole cluster is asked about, and its DNS has no ready pod.
fn of_cluster(case: &Case<'_>) -> Verdict {
    if case.subject_as::<Cluster>().is_none_or(|cluster| cluster.unreachable.is_some()) {
        return Ok(Vec::new());
    }
    let deployments = case.list::<Deployment>(Some(NAMESPACE), Filter::All)?.found().unwrap_or_default();
    let ready = |it: &Deployment| it.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0);
    let all: Vec<_> = deployments.iter().filter(|it| name_service::is_dns(it)).collect();
    let Some(dns) = all.first() else { return Ok(Vec::new()) };
    if all.iter().any(|it| ready(it) > 0) {
        let said = name_service::complaint_of_itself(case, 1)?;
        let root = ObjectRef::new(Kind::Deployment, Some(NAMESPACE), dns.metadata.name.as_deref().unwrap_or_default());
        return Ok(said.map(|said| silent_upstream(case, &root, said)).into_iter().collect());
    }
    let wanted = dns.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let root = ObjectRef::new(Kind::Deployment, Some(NAMESPACE), dns.metadata.name.as_deref().unwrap_or_default());
    let counts = match wanted {
        0 => text!["does not run: it is scaled to zero"],
        1 => text!["does not answer: 0 of 1 pod is ready"],
        _ => text!["does not answer: 0 of ", wanted, " pods are ready"],
    };
    let finding = case
        .finding(Code::DnsFailing)
        .root(root.clone())
        .title(text![
            "The cluster's DNS (",
            name(root.to_string()),
            ") ",
            counts,
        ])
        .explain(text![
            "No name of a Service resolves for anybody, however well the Services are. Programs that keep connections go on for \
             a while; what starts or reconnects fails."
        ])
        .evidence(Evidence::field(&root, ".status.readyReplicas", format!("0, .spec.replicas {wanted}")))
        .fix(
            Fix::safe(text!["see what DNS itself says"])
                .command(case.kubectl_in(NAMESPACE, ["describe", "deployment", root.name.as_str()]))
                .command(case.kubectl_in(NAMESPACE, ["logs", "-l", "k8s-app=kube-dns", "--tail=50"])),
        )
        .explained_by(root);
    Ok(vec![finding])
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
