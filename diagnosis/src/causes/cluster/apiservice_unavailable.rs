//! `apiservice-unavailable`.

use k8s_openapi::api::core::v1::Namespace;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::terminating::namespace_terminating::undiscoverable_groups;
use crate::causes::{Code, cause};
use crate::facts::metrics_api::{self, Down, State};
use crate::facts::services::{Standing, State as Behind};
use crate::finding::{Finding, Fix, ObjectRef};

cause! {
    /// ## What it means
    /// An API group that the API server hands on to a Service of the cluster does not answer. All who ask that group get
    /// errors, and since every discovery asks every group, so do others: namespaces cannot be deleted, kubectl and helm
    /// are slow, objects are not collected.
    /// ## Signals
    /// The APIService's condition Available is False: `ServiceNotFound`, `ServicePortError`, `ServiceAccessError`,
    /// `EndpointsNotFound`, `MissingEndpoints` (its pods), `EndpointsAccessError`, `FailedDiscoveryCheck` (`failing or
    /// missing response from URL`, `bad status from URL`, `timed out waiting for URL`). Its callers get `the server is
    /// currently unable to handle the request`.
    /// ## Look-alikes
    /// `metrics-server-failing` leads where an autoscaler asks and the pods of metrics-server are what fails;
    /// `scaled-to-zero` where nobody wants them. An APIService that is `Local` is served by the API server itself.
    /// ## Fixes
    /// Repair the pods behind its Service; delete a registration whose Service is gone for good; let the control plane
    /// reach the pods' port; renew the certificate or the `caBundle`.
    /// ## Source
    /// kube-aggregator pkg/controllers/status/remote/remote_available_controller.go, pkg/apiserver/handler_proxy.go.
    ApiserviceUnavailable, stage Cluster, since "0.1.0", detect
}

/// How many groups that do not answer are told of for a namespace.
const MOST: usize = 3;

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(service) = case.subject_as::<APIService>() {
        let State::Down(down) = metrics_api::state(case, &service)? else { return Ok(Vec::new()) };
        return Ok(vec![finding(case, &case.reference(), &down)?]);
    }
    let Some(namespace) = case.subject_as::<Namespace>() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for service in undiscoverable_groups(&namespace).into_iter().take(MOST) {
        let api = metrics_api::of(case, &service)?;
        if let State::Down(down) = &api.state {
            found.push(finding(case, &api.reference, down)?.root(api.reference.clone()));
        }
    }
    Ok(found)
}

fn finding(case: &Case<'_>, service: &ObjectRef, down: &Down) -> Result<Finding, crate::reader::Needs> {
    let mut finding = case
        .finding(Code::ApiserviceUnavailable)
        .root(down.workload.clone().unwrap_or_else(|| service.clone()))
        .since(down.since)
        .title(text!["APIService ", name(service.name.clone()), " does not answer: ", short(down)])
        .explain(text![
            "The API server hands requests for ",
            code(group(&service.name)),
            " on to ",
            whom(down),
            ", and gets no answer there: ",
            quoted(down.message.clone()),
            "."
        ])
        .also(down.behind.as_ref().filter(|standing| standing.is_at_fault()).map(Standing::sentence))
        .also(consequences(&service.name))
        .evidence(down.evidence.clone());
    finding.object = service.clone();
    if let Some(standing) = &down.behind {
        finding = finding.via(standing.service.clone());
        finding = standing.evidence.iter().cloned().fold(finding, Finding::evidence);
    }
    for fix in fixes(case, service, down) {
        finding = finding.fix(fix);
    }
    if down.scaled_to_zero().is_some() && case.subject_as::<APIService>().is_some() {
        return Ok(finding.follows(Code::ScaledToZero));
    }
    if let Some(node) = &down.lost_node {
        return Ok(finding.caused_in(node.clone()));
    }
    Ok(match &down.workload {
        Some(workload) if down.lacks_pods() => finding.explained_by(workload.clone()),
        _ => finding,
    })
}

fn group(service: &str) -> &str {
    service.split_once('.').map_or(service, |(_, group)| group)
}

fn whom(down: &Down) -> Text {
    match &down.behind {
        Some(standing) => text!["Service ", name(standing.service.path())],
        None => text!["a Service"],
    }
}

fn short(down: &Down) -> Text {
    let at_fault = down.behind.as_ref().filter(|standing| standing.is_at_fault());
    match (down.reason.as_str(), at_fault) {
        (_, Some(standing)) => standing.clause(),
        ("FailedDiscoveryCheck", None) => match way(&down.message) {
            Way::Certificate => text!["the API server does not trust the certificate of ", whom(down)],
            Way::Refused => text![whom(down), " refuses the connection"],
            Way::Silent => text!["the API server cannot reach ", whom(down)],
            Way::Status => text![whom(down), " answers with an error"],
            Way::Other => text![whom(down), " does not answer as it should"],
        },
        ("ServiceNotFound", None) => text![whom(down), " did not exist"],
        ("ServicePortError", None) => text![whom(down), " lacks the port that it is registered with"],
        (_, None) => text![quoted(down.message.clone())],
    }
}

/// Why the API server gets no answer from pods that are ready.
enum Way {
    Certificate,
    Refused,
    Silent,
    Status,
    Other,
}

fn way(message: &str) -> Way {
    let says = |parts: &[&str]| parts.iter().any(|part| message.contains(part));
    if says(&["x509", "certificate", "tls:"]) {
        Way::Certificate
    } else if says(&["connection refused"]) {
        Way::Refused
    } else if says(&["timeout", "timed out", "deadline exceeded", "Timeout", "no route to host", "unreachable"]) {
        Way::Silent
    } else if says(&["bad status"]) {
        Way::Status
    } else {
        Way::Other
    }
}

fn consequences(service: &str) -> Text {
    let who = match group(service) {
        "metrics.k8s.io" => "Until then autoscalers by cpu or memory and kubectl top have no figures, ",
        "custom.metrics.k8s.io" | "external.metrics.k8s.io" => {
            "Until then autoscalers by its metrics have no figures, "
        }
        _ => "Until then ",
    };
    text![who, "no namespace can be deleted completely, and kubectl and helm are slow or complain."]
}

fn fixes(case: &Case<'_>, service: &ObjectRef, down: &Down) -> Vec<Fix> {
    let describe = case.kubectl_cluster(["describe", "apiservice", &service.name]);
    let delete = case.kubectl_cluster(["delete", "apiservice", &service.name]);
    let drop = Fix::disruptive(text![
        "if what served it was removed for good: delete APIService ",
        name(service.name.clone()),
        " (nothing but the registration goes)"
    ])
    .command(delete);
    let again = Fix::safe(text!["or install what serves ", code(group(&service.name)), " again"]);
    if down.is_left_over() {
        return vec![drop, again.command(describe)];
    }
    let standing = down.behind.as_ref();
    if standing.is_some_and(|standing| matches!(standing.state, Behind::Missing(_))) {
        return vec![unserved(case, down), drop];
    }
    let mut fixes = match standing {
        Some(standing) if standing.is_at_fault() => standing.fixes(case),
        _ => Vec::new(),
    };
    if fixes.is_empty() {
        fixes.push(by_reason(down).command(describe));
    }
    if let Some(Behind::Fine) = standing.map(|standing| &standing.state) {
        let namespace = standing.and_then(|it| it.service.namespace.as_deref()).unwrap_or_default();
        fixes.push(
            Fix::safe(text!["see where its pods run and on which port they listen"])
                .command(case.kubectl_in(namespace, ["get", "pods,endpointslices", "-o", "wide"])),
        );
    }
    fixes.push(drop);
    fixes
}

/// What serves it is there, and the Service that led to it is not.
fn unserved(case: &Case<'_>, down: &Down) -> Fix {
    let service = down.behind.as_ref().map(|standing| standing.service.clone());
    let namespace = service.as_ref().and_then(|service| service.namespace.clone()).unwrap_or_default();
    let name_ = service.map(|service| service.name).unwrap_or_default();
    Fix::safe(text![
        "make the Service again that leads to Deployment ",
        name(name_.clone()),
        ", as its manifest has it"
    ])
    .command(case.kubectl_in(&namespace, ["expose", "deployment", &name_, "--port=443", "--target-port=https"]))
}

/// What to do where nothing is known to be wrong with the Service and its pods.
fn by_reason(down: &Down) -> Fix {
    match down.reason.as_str() {
        "ServicePortError" => Fix::safe(text![
            "let the port of the APIService be one that ",
            whom(down),
            " has, or give the Service that port"
        ]),
        "ServiceAccessError" | "EndpointsAccessError" => {
            Fix::safe(text!["see why the API server could not look at ", whom(down), ": the words name it"])
        }
        "MissingEndpoints" | "EndpointsNotFound" => Fix::safe(text!["see why no pod behind ", whom(down), " is ready"]),
        _ => towards(down),
    }
}

/// What to do where the pods are well.
fn towards(down: &Down) -> Fix {
    match way(&down.message) {
        Way::Certificate => Fix::disruptive(text![
            "make its ",
            code("caBundle"),
            " fit the certificate that the pods show, and renew that where it has expired",
            down.unchecked.then(|| text![" (it is not checked at present)"])
        ]),
        Way::Refused => Fix::safe(text!["let the Service's targetPort be the port on which its pods listen"]),
        Way::Silent => Fix::safe(text![
            "let the control plane reach the pods: firewall or security group from the API servers to the pods' port, \
             NetworkPolicy of that namespace, the network plugin on the control plane's nodes"
        ]),
        Way::Status => Fix::safe(text![
            "read the log of its pods: a 401 or 403 is a missing RoleBinding to ",
            code("extension-apiserver-authentication-reader"),
            ", a 404 a version that it does not serve"
        ]),
        Way::Other => Fix::safe(text!["see what the API server says of it, and read the log of its pods"]),
    }
}
