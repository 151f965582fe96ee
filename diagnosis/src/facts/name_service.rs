//! The cluster's DNS itself: its Deployment, its pods, and what they say.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;

use crate::ask::{Filter, Instance, Selector};
use crate::case::{Case, Subject};
use crate::facts::control_plane::NAMESPACE;
use crate::finding::{Evidence, ObjectRef};
use crate::kind::Kind;
use crate::pods;
use crate::reader::{Needs, Read};
use crate::triage::{PodDigest, triage};

/// How many of its pods are asked what they say.
const ASKED: usize = 2;
/// How far back in a log that has no times something still counts.
const RECENT_LINES: usize = 200;
/// How many of its last lines tell how it is now.
const LAST: usize = 20;
/// How many of its last lines still hold of a connection that broke.
const STILL: usize = 30;
/// How many answers of the upstream have to be missing where none of them is the name in question.
const SEVERAL: usize = 4;

/// The label that the DNS of nearly every distribution carries, whatever its name.
pub(crate) fn labels() -> Selector {
    Selector::labels(&BTreeMap::from([("k8s-app".to_owned(), "kube-dns".to_owned())]))
}

/// Tells whether a Deployment is the cluster's DNS.
pub(crate) fn is_dns(deployment: &Deployment) -> bool {
    let name = deployment.metadata.name.as_deref().unwrap_or_default();
    let template = deployment.spec.as_ref().and_then(|spec| spec.template.metadata.as_ref());
    let labelled = template.and_then(|meta| meta.labels.as_ref()).and_then(|labels| labels.get("k8s-app"));
    deployment.metadata.namespace.as_deref() == Some(NAMESPACE)
        && !name.contains("autoscaler")
        && (matches!(name, "coredns" | "kube-dns" | "rke2-coredns-rke2-coredns")
            || labelled.is_some_and(|label| label == "kube-dns"))
}

/// Why the DNS cache of the node beside a pod (`NodeLocal` DNS) does not answer; none where there is none, or it runs.
///
/// # Errors
/// [`Needs`] where its pods have not been asked yet.
pub(crate) fn cache_down_beside(case: &Case<'_>) -> Result<Option<ObjectRef>, Needs> {
    let Some(node) = case.pod().and_then(pods::node_name) else { return Ok(None) };
    let labels = Selector::labels(&BTreeMap::from([("k8s-app".to_owned(), "node-local-dns".to_owned())]));
    let all = case.list::<Pod>(Some(NAMESPACE), Filter::Labels(labels))?.found().unwrap_or_default();
    let mine = all.iter().find(|pod| pods::node_name(pod) == Some(node));
    let works = |pod: &Arc<Pod>| triage(&PodDigest::from(&**pod), case.now()).works();
    Ok(mine
        .filter(|pod| !works(pod))
        .map(|pod| ObjectRef::new(Kind::Pod, Some(NAMESPACE), pod.metadata.name.as_deref().unwrap_or_default())))
}

/// Tells whether a pod is one of the cluster's DNS.
pub(crate) fn is_dns_pod(pod: &Pod) -> bool {
    let labels = pod.metadata.labels.as_ref();
    let label = labels.and_then(|labels| labels.get("k8s-app"));
    label.is_some_and(|label| label == "kube-dns")
        || pod.metadata.namespace.as_deref() == Some(NAMESPACE)
            && pods::containers(pod).any(|it| it.name() == "coredns")
}

/// What the cluster's DNS complains of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Complaint {
    /// Name servers outside do not answer it: the server, where the line names it.
    Upstream(Option<String>),
    /// It cannot reach the API, from which it knows the Services.
    Api,
    /// It may not read the API.
    Forbidden,
}

/// The line of the DNS pods' logs that bears on a name; `host` is looked for in complaints about name servers outside.
///
/// # Errors
/// [`Needs`] where pods or logs have not been asked yet.
pub(crate) fn complaint(case: &Case<'_>, namespace: &str, host: &str) -> Result<Option<(Complaint, Evidence)>, Needs> {
    let pods = case.list::<Pod>(Some(namespace), Filter::Labels(labels()))?.found().unwrap_or_default();
    let mut asked: Vec<&Arc<Pod>> = pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).collect();
    asked.sort_by_key(|pod| pod.metadata.name.clone());
    asked.truncate(ASKED);
    let mut needs = None;
    let mut found = Vec::new();
    for pod in asked {
        match of_pod(case, pod, host) {
            Ok(said) => found.extend(said),
            Err(lacking) => needs = Some(lacking),
        }
    }
    needs.map_or(Ok(found.into_iter().next()), Err)
}

fn of_pod(case: &Case<'_>, pod: &Arc<Pod>, host: &str) -> Result<Option<(Complaint, Evidence)>, Needs> {
    let about = case.about(Subject::Pod(Arc::clone(pod)));
    let Some(container) = about.containers().find(|it| matches!(it.name(), "coredns" | "dns" | "kubedns" | "dnsmasq"))
    else {
        return Ok(None);
    };
    let Read::Found(log) = case.log(pod, container.name(), Instance::Current)? else { return Ok(None) };
    let said = read(&log, host);
    Ok(said.map(|(complaint, number, line)| (complaint, about.log_evidence(&container, number, &line))))
}

/// The complaint of a log that bears on a name, with its line.
pub(crate) fn read(log: &str, host: &str) -> Option<(Complaint, usize, String)> {
    let lines: Vec<&str> = log.lines().collect();
    let from = lines.len().saturating_sub(RECENT_LINES);
    let wanted = host.trim_end_matches('.').to_lowercase();
    let mut upstream: Vec<(usize, &str, Option<String>)> = Vec::new();
    let mut named = None;
    let mut api: Option<(Complaint, usize, &str)> = None;
    let mut unsynced = false;
    for (at, line) in lines.iter().enumerate().skip(from) {
        unsynced |= line.contains("unsynced Kubernetes API");
        match of_line(line) {
            Some(Complaint::Upstream(server)) => {
                let is_it = !wanted.is_empty() && line.to_lowercase().contains(&format!(" {wanted}."));
                if is_it {
                    named = Some((at, *line, server.clone()));
                }
                upstream.push((at, line, server));
            }
            // A refusal says more than that it waits because of it.
            Some(Complaint::Api) if matches!(api, Some((Complaint::Forbidden, ..))) => {}
            Some(other) => api = Some((other, at, *line)),
            // It has waited for the API, and got it.
            None if line.contains("plugin/reload: Running configuration") && !unsynced => api = None,
            None => {}
        }
    }
    // A watch that broke and was taken up again is followed by other words.
    let api = api.filter(|(_, at, _)| unsynced || lines.len().saturating_sub(*at) <= STILL);
    let short = |line: &str| line.chars().take(400).collect::<String>();
    if let Some((complaint, at, line)) = api {
        return Some((complaint, at + 1, short(line)));
    }
    let several = upstream.len() >= SEVERAL;
    let (at, line, server) = named.or_else(|| upstream.pop().filter(|_| several))?;
    Some((Complaint::Upstream(server), at + 1, short(line)))
}

/// The complaint about name servers outside of which most of the last lines are: who asks about DNS itself names no host.
pub(crate) fn read_itself(log: &str) -> Option<(Complaint, usize, String, bool)> {
    let lines: Vec<&str> = log.lines().collect();
    let from = lines.len().saturating_sub(LAST);
    let said = lines.iter().enumerate().skip(from).filter_map(|(at, line)| Some((of_line(line)?, at, *line)));
    let upstream: Vec<_> = said.filter(|(complaint, ..)| matches!(complaint, Complaint::Upstream(_))).collect();
    let most = upstream.len() * 2 >= lines.len().min(LAST);
    let several = upstream.len() >= SEVERAL;
    let (complaint, at, line) = upstream.into_iter().next_back().filter(|_| several)?;
    Some((complaint, at + 1, line.chars().take(400).collect(), most))
}

/// What the DNS pods themselves complain of, asked of so many of them: whether most of their last lines say so.
///
/// # Errors
/// [`Needs`] where pods or logs have not been asked yet.
pub(crate) fn complaint_of_itself(case: &Case<'_>, most: usize) -> Result<Option<(Complaint, Evidence, bool)>, Needs> {
    let pods = case.list::<Pod>(Some(NAMESPACE), Filter::Labels(labels()))?.found().unwrap_or_default();
    for pod in pods.iter().filter(|pod| pods::is_true(pod, "Ready")).take(most) {
        let about = case.about(Subject::Pod(Arc::clone(pod)));
        let Some(container) = about.containers().find(|it| it.name() == "coredns") else { continue };
        let Read::Found(log) = case.log(pod, container.name(), Instance::Current)? else { continue };
        if let Some((complaint, number, line, mostly)) = read_itself(&log) {
            return Ok(Some((complaint, about.log_evidence(&container, number, &line), mostly)));
        }
    }
    Ok(None)
}

/// What a line of `CoreDNS` or kube-dns complains of.
fn of_line(line: &str) -> Option<Complaint> {
    let any = |of: &[&str]| of.iter().any(|part| line.contains(part));
    let silence =
        ["i/o timeout", "connection refused", "no healthy proxies", "no route to host", "network is unreachable"];
    if line.contains("plugin/errors: 2 ") && any(&silence) || line.contains("skydns: failure to forward request") {
        return Some(Complaint::Upstream(upstream_of(line)));
    }
    let watches = line.contains("Failed to watch") || line.contains("failed to list ");
    if watches && line.contains("is forbidden") {
        return Some(Complaint::Forbidden);
    }
    let dead = any(&silence) || any(&["TLS handshake timeout", "context deadline exceeded", "EOF"]);
    let waits = any(&[
        "waiting for Kubernetes API before starting server",
        "starting server with unsynced Kubernetes API",
        "Waiting for services and endpoints to be initialized from apiserver",
        "Timeout waiting for initialization",
        "Kubernetes API connection failure",
    ]);
    (watches && dead || waits).then_some(Complaint::Api)
}

/// `read udp 10.244.0.5:40011->10.0.0.2:53: i/o timeout` asks 10.0.0.2:53; `dial tcp 10.0.0.2:53: connect: ...` too.
fn upstream_of(line: &str) -> Option<String> {
    let rest = line.split_once("->").map(|(_, rest)| rest).or_else(|| {
        let (_, rest) = line.split_once("dial tcp ").or_else(|| line.split_once("dial udp "))?;
        Some(rest)
    })?;
    let end = rest.find(": ").unwrap_or(rest.len());
    let server = rest.get(..end)?.trim_end_matches('"');
    (!server.is_empty() && server.len() < 60).then(|| server.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upstream_that_is_silent_is_told_where_it_was_asked_for_the_name() {
        let log = "[ERROR] plugin/errors: 2 api.stripe.com. A: read udp 10.244.0.5:40011->10.0.0.2:53: i/o timeout\n";
        let (complaint, line, _) = read(log, "api.stripe.com").expect("a complaint");
        assert_eq!((complaint, line), (Complaint::Upstream(Some("10.0.0.2:53".to_owned())), 1));
        assert_eq!(read(log, "payments"), None, "one answer that was missing is no trouble of another name");
    }

    #[test]
    fn a_lost_api_outweighs_and_is_over_after_a_reload() {
        let lost = "[INFO] plugin/kubernetes: waiting for Kubernetes API before starting server\n";
        assert!(matches!(read(lost, "payments"), Some((Complaint::Api, 1, _))));
        let again = format!("{lost}[INFO] plugin/reload: Running configuration SHA512 = 59\n");
        assert_eq!(read(&again, "payments"), None);
        let denied = "[ERROR] plugin/kubernetes: Unhandled Error: Failed to watch: failed to list *v1.Service: services is \
             forbidden: User \"system:serviceaccount:kube-system:coredns\" cannot list resource";
        assert!(matches!(read(denied, "x"), Some((Complaint::Forbidden, ..))));
    }
}
