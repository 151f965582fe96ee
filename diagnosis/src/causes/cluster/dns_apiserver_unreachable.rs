//! `dns-apiserver-unreachable`.

use kubewhy_text::{code, name, text};

use crate::ask::Instance;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::ends;
use crate::facts::lookups::{self, Dns, Why};
use crate::facts::name_service::{self, Complaint};
use crate::finding::{Confidence, Finding, Fix};
use crate::parse::log::{Failure, Signature};
use crate::pods;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The cluster's DNS runs and cannot reach the API, from which it learns the names of Services: it knows none, or only
    /// those of before.
    /// ## Signals
    /// CoreDNS' log: `plugin/kubernetes: waiting for Kubernetes API before starting server`, `starting server with unsynced
    /// Kubernetes API`, `Failed to watch: failed to list *v1.Service: Get "https://10.96.0.1:443/...": dial tcp 10.96.0.1:443:
    /// i/o timeout` (or `no route to host`, `connection refused`); kube-dns: `Waiting for services and endpoints to be
    /// initialized from apiserver`.
    /// ## Look-alikes
    /// `rbac-forbidden`: the API answers, and refuses. `dns-failing`: DNS has no pod that answers, or its upstream is silent.
    /// ## Fixes
    /// The way from that node's pods to the address of Service default/kubernetes: kube-proxy, network plugin, firewall.
    /// ## Source
    /// coredns plugin/kubernetes (controller.go, setup.go);
    /// <https://kubernetes.io/docs/tasks/administer-cluster/dns-debugging-resolution/>
    DnsApiserverUnreachable, stage Cluster, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    if case.pod().is_some_and(name_service::is_dns_pod) {
        return of_itself(case);
    }
    let is_lookup = |failure: &Failure| matches!(failure, Failure::UnknownHost { .. });
    ends::explained(case, Code::DnsApiserverUnreachable, is_lookup, |_, finding, signature| {
        of_client(case, finding, signature)
    })
}

/// A pod that could not resolve a name.
fn of_client(case: &Case<'_>, finding: Finding, signature: &Signature) -> Result<Option<Finding>, Needs> {
    let Failure::UnknownHost { host, answer, .. } = &signature.kind else { return Ok(None) };
    let Why::Complains(dns, Complaint::Api, line) = lookups::why(case, host, *answer)? else { return Ok(None) };
    let Dns { standing, root } = *dns;
    let finding = finding
        .confidence(Confidence::Likely)
        .root(root.clone())
        .via(standing.service)
        .title(text![
            "The cluster's DNS (",
            name(root.to_string()),
            ") has lost the API server, so ",
            code(host.clone()),
            " does not resolve"
        ])
        .also(text![
            "DNS runs, and it cannot reach the API server, from which it learns the names of Services: it knows none, or only \
             those of before. The peer itself may be well."
        ])
        .evidence(line);
    Ok(Some(steps(case, finding)))
}

/// A pod of DNS itself.
fn of_itself(case: &Case<'_>) -> Verdict {
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let Some(container) = case.containers().find(|it| matches!(it.name(), "coredns" | "kubedns" | "dns")) else {
        return Ok(Vec::new());
    };
    if container.is_ready() {
        return Ok(Vec::new());
    }
    let ended = container.running().is_none() && container.last_terminated().is_some();
    let instance = if ended { Instance::Previous } else { Instance::Current };
    let Read::Found(log) = case.log(pod, container.name(), instance)? else { return Ok(Vec::new()) };
    let Some((Complaint::Api, number, line)) = name_service::read(&log, "") else { return Ok(Vec::new()) };
    let node = pods::node_name(pod).unwrap_or_default();
    let finding = case
        .finding_in(Code::DnsApiserverUnreachable, &container)
        .confidence(Confidence::Likely)
        .title(text!["DNS cannot reach the API server from node ", name(node), ", so it knows no Services"])
        .explain(text![
            container.subject(),
            " runs and waits for the API server, from which it learns the names of Services. Until it has them it does not get \
             ready. Other pods of that node that use the API fail alike."
        ])
        .evidence(case.log_evidence(&container, number, &line));
    Ok(vec![steps(case, finding)])
}

fn steps(case: &Case<'_>, finding: Finding) -> Finding {
    let way = Fix::safe(text![
        "see whether the address of Service default/kubernetes leads to the API server from the nodes where DNS runs: kube-proxy \
         and the network plugin there, and a firewall between nodes and control plane"
    ])
    .command(case.kubectl_in("kube-system", ["get", "pods", "-o", "wide", "-l", "k8s-app in (kube-dns, kube-proxy)"]))
    .command(case.kubectl_in("default", ["get", "service,endpointslices"]))
    .command(case.kubectl_in("kube-system", ["logs", "-l", "k8s-app=kube-dns", "--tail=30"]));
    let restart =
        Fix::disruptive(text!["once the way is free, DNS recovers by itself; a restart makes it try at once"])
            .command(case.kubectl_in("kube-system", ["rollout", "restart", "deployment", "-l", "k8s-app=kube-dns"]));
    finding.fix(way).fix(restart)
}
