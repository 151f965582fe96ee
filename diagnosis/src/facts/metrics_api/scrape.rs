//! What metrics-server cannot read of the kubelets, as its log tells.

use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, code, name, quoted, text};

use super::pods_behind;
use crate::ask::Instance;
use crate::case::Case;
use crate::finding::{Evidence, Fix, ObjectRef};
use crate::kind::Kind;
use crate::pods;
use crate::reader::{Needs, Read};

/// What metrics-server says it cannot read.
#[derive(Clone, Debug)]
pub(crate) struct Scrape {
    pub(crate) evidence: Evidence,
    /// The node that it cannot read, where the line names one.
    pub(crate) node: Option<String>,
    kind: ScrapeError,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ScrapeError {
    Certificate,
    Name,
    Refused,
    Silent,
    Rights,
    Other,
}

/// The last scrape that failed, as the log of a pod behind that Service tells.
///
/// # Errors
/// [`Needs`] where something has not been asked yet.
pub(crate) fn scrape_behind(case: &Case<'_>, service: &ObjectRef) -> Result<Option<Scrape>, Needs> {
    let alive = pods_behind(case, service)?.into_iter().find(|pod| pod.metadata.deletion_timestamp.is_none());
    match alive {
        Some(pod) => scrape(case, &pod),
        None => Ok(None),
    }
}

/// The last scrape that failed, as the log of this pod tells.
///
/// # Errors
/// [`Needs`] where the log has not been asked yet.
pub(crate) fn scrape(case: &Case<'_>, pod: &Pod) -> Result<Option<Scrape>, Needs> {
    let Some(container) = pods::containers(pod).find(|container| container.running().is_some()) else {
        return Ok(None);
    };
    let Read::Found(log) = case.log(pod, container.name(), Instance::Current)? else { return Ok(None) };
    let lines: Vec<(usize, &str)> = log.lines().enumerate().collect();
    let failed = lines.iter().rev().find(|(_, line)| line.contains("Failed to scrape node"));
    let failed = failed.or_else(|| {
        lines.iter().rev().find(|(_, line)| {
            ["no metrics to serve", "metric collection didn't finish on time", "unable to fully scrape metrics"]
                .iter()
                .any(|words| line.contains(words))
        })
    });
    Ok(failed.map(|(index, line)| {
        let namespace = pod.metadata.namespace.as_deref();
        let pod = ObjectRef::new(Kind::Pod, namespace, pod.metadata.name.as_deref().unwrap_or_default());
        let source = format!("log of container {} of {pod}, line {}", container.name(), index + 1);
        Scrape {
            evidence: Evidence { source, text: (*line).to_owned(), at: None },
            node: node_of(line),
            kind: scrape_error(line),
        }
    }))
}

/// `... "Failed to scrape node" err="..." node="node-2"`
fn node_of(line: &str) -> Option<String> {
    let (_, rest) = line.rsplit_once("node=\"")?;
    rest.split('"').next().filter(|node| !node.is_empty()).map(str::to_owned)
}

fn scrape_error(line: &str) -> ScrapeError {
    let says = |parts: &[&str]| parts.iter().any(|part| line.contains(part));
    if says(&["x509", "certificate"]) {
        ScrapeError::Certificate
    } else if says(&["no such host", "server misbehaving"]) {
        ScrapeError::Name
    } else if says(&["401", "403", "Unauthorized", "Forbidden", "forbidden"]) {
        ScrapeError::Rights
    } else if says(&["connection refused"]) {
        ScrapeError::Refused
    } else if says(&["timeout", "deadline exceeded", "no route to host", "finish on time"]) {
        ScrapeError::Silent
    } else {
        ScrapeError::Other
    }
}

impl Scrape {
    /// What it means.
    pub(crate) fn sentence(&self) -> Text {
        let whom = match &self.node {
            Some(node) => text!["the kubelet of node ", name(node.clone())],
            None => text!["the kubelets"],
        };
        let why = match self.kind {
            ScrapeError::Certificate => text![
                "it does not trust the certificate that the kubelet shows (one that the kubelet has signed itself \
                 names no address)"
            ],
            ScrapeError::Name => text!["the node's name does not resolve inside the cluster"],
            ScrapeError::Refused => text!["nobody listens on port 10250 there"],
            ScrapeError::Silent => text!["it gets no answer on port 10250 in time"],
            ScrapeError::Rights => text!["the kubelet does not let it read its figures"],
            ScrapeError::Other => text!["its log says ", quoted(self.evidence.text.clone())],
        };
        text!["metrics-server cannot read ", whom, ": ", why, "."]
    }

    /// What ends it.
    pub(crate) fn fixes(&self, case: &Case<'_>, workload: &ObjectRef) -> Vec<Fix> {
        let namespace = workload.namespace.as_deref().unwrap_or("kube-system");
        let target = format!("{}/{}", workload.kind.to_lowercase(), workload.name);
        let edit = case.kubectl_in(namespace, ["edit", target.as_str()]);
        match self.kind {
            ScrapeError::Certificate => vec![
                Fix::disruptive(text![
                    "give the kubelets certificates of the cluster's CA: ",
                    code("serverTLSBootstrap: true"),
                    " in their configuration, then approve their requests"
                ])
                .command(case.kubectl_cluster(["get", "csr"])),
                Fix::disruptive(text![
                    "or, where that trade-off is acceptable, let metrics-server not check them: ",
                    code("--kubelet-insecure-tls")
                ])
                .command(edit),
            ],
            ScrapeError::Name => vec![
                Fix::disruptive(text![
                    "let it use addresses instead of names: ",
                    code("--kubelet-preferred-address-types=InternalIP")
                ])
                .command(edit),
            ],
            ScrapeError::Refused | ScrapeError::Silent => {
                let get = case.kubectl_cluster(["get", "nodes", "-o", "wide"]);
                vec![
                    Fix::safe(text![
                        "see whether the node is Ready, and open TCP port 10250 of the nodes to the pods (firewall, \
                         security group, NetworkPolicy)"
                    ])
                    .command(get),
                ]
            }
            ScrapeError::Rights => {
                vec![
                Fix::safe(text![
                    "see that ClusterRole system:metrics-server allows ",
                    code("nodes/metrics"),
                    ", that it is bound to its ServiceAccount, and that the kubelets ask the API (authentication and \
                     authorization by webhook)"
                ])
                .command(case.kubectl_cluster(["get", "clusterrole", "system:metrics-server", "-o", "yaml"])),
            ]
            }
            ScrapeError::Other => vec![
                Fix::safe(text!["read what metrics-server says"])
                    .command(case.kubectl_in(namespace, ["logs", target.as_str(), "--tail=50"])),
            ],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrape_errors_are_told_apart() {
        for (line, kind, node) in [
            (
                r#"E1121 10:00:00.1 1 scraper.go:149] "Failed to scrape node" err="Get \"https://10.0.0.5:10250/metrics/resource\": tls: failed to verify certificate: x509: cannot validate certificate for 10.0.0.5 because it doesn't contain any IP SANs" node="node-2""#,
                ScrapeError::Certificate,
                Some("node-2"),
            ),
            (
                r#""Failed to scrape node" err="Get \"https://node-2:10250/metrics/resource\": dial tcp: lookup node-2 on 10.96.0.10:53: no such host" node="node-2""#,
                ScrapeError::Name,
                Some("node-2"),
            ),
            (
                r#""Failed to scrape node" err="request failed, status: \"401 Unauthorized\"""#,
                ScrapeError::Rights,
                None,
            ),
            (r#""Failed to scrape node, timeout to access kubelet" node="n1""#, ScrapeError::Silent, Some("n1")),
        ] {
            assert_eq!((scrape_error(line), node_of(line).as_deref()), (kind, node), "{line}");
        }
    }
}
