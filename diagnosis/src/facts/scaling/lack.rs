//! What an autoscaler's error says is lacking.

use super::Said;

/// What is lacking, as the error tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lack<'w> {
    /// A pod has no request of that resource, in that container where one is named.
    Request { resource: &'w str, container: Option<&'w str>, pod: &'w str },
    /// The API that serves the figures is not registered, or does not answer.
    Api(Family),
    /// The API answers, and knows no such metric.
    Metric(Family),
    /// The controller may not ask that API.
    Forbidden(Family),
    /// The API answers, and has no figures of these pods.
    Figures(Family),
    /// The target selects no pod.
    Pods,
    /// A metric of a container that the pods do not have.
    Container(&'w str),
    /// Anything else.
    Other(Family),
}

/// Which of the three APIs figures come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    Resource,
    Custom,
    External,
}

impl Family {
    /// Its API group.
    pub(crate) const fn group(self) -> &'static str {
        match self {
            Self::Resource => "metrics.k8s.io",
            Self::Custom => "custom.metrics.k8s.io",
            Self::External => "external.metrics.k8s.io",
        }
    }

    /// The versions it may be registered with, the usual one first.
    pub(crate) const fn versions(self) -> &'static [&'static str] {
        match self {
            Self::Resource | Self::External => &["v1beta1"],
            Self::Custom => &["v1beta1", "v1beta2"],
        }
    }
}

/// Sorts out what an error says is lacking.
pub(crate) fn lack(said: &Said) -> Lack<'_> {
    let words = said.words.as_str();
    if let Some(request) = missing_request(words) {
        return request;
    }
    if let Some((before, _)) = words.split_once(" not present in metrics for pod ")
        && let Some((_, container)) = before.rsplit_once("container ")
    {
        return Lack::Container(container);
    }
    let family = if words.contains("external metrics API") || said.reason == "FailedGetExternalMetric" {
        Family::External
    } else if words.contains("custom metrics API")
        || matches!(said.reason.as_str(), "FailedGetPodsMetric" | "FailedGetObjectMetric")
    {
        Family::Custom
    } else {
        Family::Resource
    };
    let says = |parts: &[&str]| parts.iter().any(|part| words.contains(part));
    if says(&["no pods returned by selector"]) {
        Lack::Pods
    } else if says(&["no metrics returned from", "did not receive metrics for", "did not receive pod metrics"]) {
        Lack::Figures(family)
    } else if says(&["could not find the metric", "no metrics found", "not found for metric", "metric not found"]) {
        Lack::Metric(family)
    } else if says(&["forbidden", "Unauthorized", "the server has asked for the client to provide credentials"]) {
        Lack::Forbidden(family)
    } else if says(&[
        "could not find the requested resource",
        "unable to handle the request",
        "no custom metrics API",
        "no external metrics API",
        "no known available metric versions",
        "no matches for",
        "stale GroupVersion discovery",
        "service unavailable",
        "timeout",
        "timed out",
        "deadline exceeded",
        "connection refused",
        "no endpoints available",
        "unable to return a response",
        "x509",
    ]) {
        Lack::Api(family)
    } else {
        Lack::Other(family)
    }
}

/// `missing request for cpu in container app of Pod cart-7c9`, `missing pod-level request for cpu in Pod cart-7c9`.
fn missing_request(words: &str) -> Option<Lack<'_>> {
    let first = |text| str::split(text, [' ', ',']).next().unwrap_or(text);
    if let Some((_, rest)) = words.split_once("missing pod-level request for ") {
        let (resource, rest) = rest.split_once(" in Pod ")?;
        return Some(Lack::Request { resource, container: None, pod: first(rest) });
    }
    let (_, rest) = words.split_once("missing request for ")?;
    let (resource, rest) = rest.split_once(" in ").unwrap_or((first(rest), ""));
    let (container, pod) = match rest.strip_prefix("container ").and_then(|rest| rest.split_once(" of Pod ")) {
        Some((container, pod)) => (Some(container), pod),
        None => (None, rest.rsplit_once("Pod ").map_or("", |(_, pod)| pod)),
    };
    Some(Lack::Request { resource, container, pod: first(pod) })
}

#[cfg(test)]
mod tests {
    use super::super::bare;
    use super::*;
    use crate::finding::Evidence;

    fn said(reason: &str, words: &str) -> Said {
        let evidence = Evidence { source: String::new(), text: String::new(), at: None };
        Said { reason: reason.to_owned(), words: bare(words).to_owned(), evidence, since: None }
    }

    #[test]
    fn a_missing_request_is_named() {
        let told = said(
            "FailedGetResourceMetric",
            "the HPA was unable to compute the replica count: failed to get cpu utilization: missing request for cpu \
             in container main of Pod eagle-b8b4966fc-75494",
        );
        let wanted = Lack::Request { resource: "cpu", container: Some("main"), pod: "eagle-b8b4966fc-75494" };
        assert_eq!(lack(&told), wanted);
        let told = said("FailedGetResourceMetric", "missing pod-level request for memory in Pod eagle-1");
        assert_eq!(lack(&told), Lack::Request { resource: "memory", container: None, pod: "eagle-1" });
        let told = said("FailedGetResourceMetric", "failed to get cpu utilization: missing request for cpu");
        assert_eq!(lack(&told), Lack::Request { resource: "cpu", container: None, pod: "" });
    }

    #[test]
    fn the_api_that_fails_is_told() {
        for (reason, words, wanted) in [
            (
                "FailedGetResourceMetric",
                "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from \
                 resource metrics API: the server is currently unable to handle the request (get pods.metrics.k8s.io)",
                Lack::Api(Family::Resource),
            ),
            (
                "FailedGetPodsMetric",
                "unable to get metric http_requests: unable to fetch metrics from custom metrics API: the server could \
                 not find the metric http_requests for pods",
                Lack::Metric(Family::Custom),
            ),
            (
                "FailedGetExternalMetric",
                "unable to get external metric shop/s0-rabbitmq/&LabelSelector{}: unable to fetch metrics from \
                 external metrics API: the server is currently unable to handle the request",
                Lack::Api(Family::External),
            ),
            (
                "FailedGetResourceMetric",
                "failed to get cpu utilization: did not receive metrics for targeted pods (pods might be unready)",
                Lack::Figures(Family::Resource),
            ),
            (
                "FailedGetContainerResourceMetric",
                "failed to get cpu container metric value: unable to get metrics for resource cpu: container ap not \
                 present in metrics for pod shop/cart-7c9-a",
                Lack::Container("ap"),
            ),
            (
                "FailedGetResourceMetric",
                "failed to get memory utilization: no pods returned by selector while calculating replica count",
                Lack::Pods,
            ),
            (
                "FailedComputeMetricsReplicas",
                "invalid metrics (1 invalid out of 1), first error is: failed to get cpu utilization: unable to get \
                 metrics for resource cpu: unable to fetch metrics from resource metrics API: pods.metrics.k8s.io is \
                 forbidden: User \"x\" cannot list resource",
                Lack::Forbidden(Family::Resource),
            ),
        ] {
            assert_eq!(lack(&said(reason, words)), wanted, "{words}");
        }
    }
}
