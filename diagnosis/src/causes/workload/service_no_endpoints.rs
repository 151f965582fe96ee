//! `service-no-endpoints`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, Service};
use kubewhy_text::{Text, code, name, text};

use crate::ask::{Filter, Selector};
use crate::case::{Case, Subject, Verdict, Workload};
use crate::causes::{Code, cause};
use crate::facts::control_plane::{self, Component};
use crate::facts::managers;
use crate::facts::services::{self, Standing, State, behind};
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef, Severity};
use crate::kind::{Kind, Object};
use crate::pods::{self, Role};
use crate::reader::{Needs, Reader};

cause! {
    /// ## What it means
    /// Nobody answers behind a Service: no pod has the labels that it selects, none of its pods is ready, or it leads to a
    /// port on which they do not listen. Clients inside the cluster are refused at once; of a headless Service the name
    /// does not resolve.
    /// ## Signals
    /// No EndpointSlice with label `kubernetes.io/service-name: NAME` has an endpoint that is ready. Then the selector
    /// against the labels of pods and templates (the nearest ones are named), the pods' own state, their controller's
    /// replicas, `targetPort` against the ports that the containers declare, `externalName`, the lease of the controller
    /// manager. With endpoints that look well and connections refused: a numeric `targetPort` that nobody declares.
    /// ## Look-alikes
    /// The pods' own trouble (`readiness-probe-failing`, `node-lost`, a crash) is the root where it is found, and so is
    /// `scaled-to-zero`. `network-policy-blocks`: endpoints are ready and traffic is dropped, so clients wait instead of being
    /// refused. `kube-proxy-down`: the Service does not answer from one node. `dns-failing`: no name resolves.
    /// `load-balancer-pending`: only the way in from outside lacks.
    /// ## Fixes
    /// Make selector and labels agree, repair or scale up the pods, correct `targetPort`.
    /// ## Source
    /// staging/src/k8s.io/endpointslice/utils.go, pkg/controller/endpointslice, pkg/proxy/iptables/proxier.go;
    /// <https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/>
    ServiceNoEndpoints, stage Workload, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(service) = case.subject_as::<Service>() else { return Ok(Vec::new()) };
    if service.metadata.deletion_timestamp.is_some() {
        return Ok(Vec::new());
    }
    let namespace = case.namespace().unwrap_or_default();
    let mut standing = services::standing(case, namespace, case.name(), None)?;
    services::check_target(case, &mut standing, None)?;
    match &standing.state {
        State::Unknown | State::Missing(_) | State::WrongPort(..) | State::External(_) | State::Completed(_) => {
            Ok(Vec::new())
        }
        State::NotReady(trouble) if trouble.starting => Ok(Vec::new()),
        State::Fine => partial(case, &service, &standing),
        State::SelectsNothing(..) if waits_for_cron_job(case, &service)? => Ok(Vec::new()),
        State::ScaledToZero(workload) => scaled_to_zero(case, &service, &standing, workload),
        _ => Ok(vec![explain(case, &service, &standing)?]),
    }
}

fn explain(case: &Case<'_>, service: &Service, standing: &Standing) -> Result<Finding, Needs> {
    let headless = if standing.headless {
        "its name does not resolve, since it is headless"
    } else {
        "clients inside the cluster are refused"
    };
    let nobody = !matches!(standing.state, State::WrongTarget(..) | State::Nowhere(..));
    let mut finding = case
        .finding(Code::ServiceNoEndpoints)
        .title(standing.clause())
        .explain(standing.sentence())
        .also(nobody.then(|| text!["Until that is mended, ", headless, "."]));
    finding = standing.evidence.iter().cloned().fold(finding, Finding::evidence);
    finding = standing.fixes(case).into_iter().fold(finding, Finding::fix);
    Ok(match &standing.state {
        State::NotReady(trouble) | State::Terminating(trouble) => {
            trouble.culprits().into_iter().fold(finding, Finding::caused_in)
        }
        State::NoPods(workload) => finding.caused_in(workload.clone()),
        State::WrongTarget(target, _) if target.starts_with(|first: char| first.is_ascii_digit()) => {
            finding.confidence(Confidence::Likely)
        }
        // The controller manager writes endpoints; its lease tells whether it lives.
        State::Stale(_) => finding.confidence(Confidence::Likely).caused_in(Component::ControllerManager.lease()),
        // What made such a Service may well know why nobody is behind it at the moment.
        State::SelectsNothing(..) | State::Handmade => made_by(service, finding),
        _ => finding,
    })
}

/// A Service that belongs to an operator's object, or that a template has made for pods that it need not have.
fn made_by(service: &Service, finding: Finding) -> Finding {
    let owner = service.metadata.owner_references.iter().flatten().find(|owner| owner.controller == Some(true));
    let Some(owner) = owner else { return finding };
    finding.severity(Severity::Warning).confidence(Confidence::Likely).also(text![
        "It was made for ",
        name(format!("{} {}", owner.kind, owner.name)),
        ", whose controller may label a pod for it only at times."
    ])
}

fn waits_for_cron_job(case: &Case<'_>, service: &Service) -> Result<bool, Needs> {
    let Some(selector) = selector(service) else { return Ok(false) };
    behind::is_of_cron_job(case, case.namespace().unwrap_or_default(), &Selector::labels(selector))
}

fn selector(service: &Service) -> Option<&BTreeMap<String, String>> {
    service.spec.as_ref()?.selector.as_ref().filter(|selector| !selector.is_empty())
}

/// The workload that wants no pods leads, an error for whoever needs the Service; what is idle by design is none.
fn scaled_to_zero(case: &Case<'_>, service: &Service, standing: &Standing, workload: &ObjectRef) -> Verdict {
    let Some(kind) = Kind::from_name(&workload.kind) else { return Ok(Vec::new()) };
    let reader: &Reader<'_> = case;
    let read = reader.object(kind, workload.namespace.as_deref(), &workload.name)?.found();
    let own = explain(case, service, standing)?;
    let Some(it) = read.as_ref().and_then(Workload::of) else { return Ok(vec![own]) };
    let idle = managers::of_field(it.object().meta(), &["f:spec", "f:replicas"])
        .is_some_and(|by| by.who.to_ascii_lowercase().contains("keda"));
    let severity = if idle { Severity::Warning } else { Severity::Error };
    let about = case.about(Subject::Workload(it));
    let mut found = (Code::ScaledToZero.cause().detect)(&about)?;
    for finding in &mut found {
        finding.severity = severity;
        finding.root = Some(workload.clone());
    }
    found.push(own.severity(severity).follows(Code::ScaledToZero));
    Ok(found)
}

/// Endpoints are ready, and something is still worth a look.
fn partial(case: &Case<'_>, service: &Service, standing: &Standing) -> Verdict {
    let Some(selector) = selector(service) else { return Ok(Vec::new()) };
    let labels = Filter::Labels(Selector::labels(selector));
    let pods = case.list::<Pod>(case.namespace(), labels)?.found().unwrap_or_default();
    let live: Vec<&Arc<Pod>> =
        pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none() && !pods::is_finished(pod)).collect();
    let mut found = Vec::new();
    found.extend(outdated(case, standing, &pods)?);
    found.extend(some_unready(case, standing, &live)?);
    found.extend(two_apps(case, service, &live));
    found.extend(not_everywhere(case, service, standing, &live)?);
    Ok(found)
}

/// Endpoints of pods that are gone, while nobody writes endpoints.
fn outdated(case: &Case<'_>, standing: &Standing, pods: &[Arc<Pod>]) -> Result<Option<Finding>, Needs> {
    let slices = services::slices(case, case.namespace().unwrap_or_default(), case.name())?.found().unwrap_or_default();
    let endpoints = slices.iter().flat_map(|slice| &slice.endpoints).filter(|endpoint| services::is_ready(endpoint));
    let of_pods = endpoints.filter_map(|endpoint| {
        let pod = endpoint.target_ref.as_ref().filter(|of| of.kind.as_deref() == Some("Pod"))?.name.clone()?;
        Some((pod, endpoint.addresses.first().cloned().unwrap_or_default()))
    });
    let exists = |name: &str| pods.iter().any(|pod| pod.metadata.name.as_deref() == Some(name));
    let gone: Vec<(String, String)> = of_pods.filter(|(pod, _)| !exists(pod)).collect();
    if gone.is_empty() || control_plane::down(case, Component::ControllerManager)?.is_none() {
        return Ok(None);
    }
    let names = Text::names(gone.iter().map(|(pod, _)| pod.clone()), 3);
    let shown: Vec<String> = gone.iter().map(|(pod, address)| format!("{address} (Pod {pod})")).collect();
    let label = format!("{}={}", services::SERVICE_NAME, case.name());
    let path = name(standing.service.path());
    Ok(Some(
        case.finding(Code::ServiceNoEndpoints)
            .root(case.reference().with_detail("endpoints"))
            .title(text!["Service ", path.clone(), " still leads to pods that are gone: ", names.clone()])
            .explain(text![
                gone.len(),
                " of the ",
                standing.ready,
                " endpoints of Service ",
                path,
                " are addresses of pods that no longer exist (",
                names,
                "): a share of the connections goes nowhere. The controller manager, which would take them out, does \
                 not run."
            ])
            .evidence(Evidence {
                source: format!("EndpointSlices of {}", standing.service),
                text: shown.join(", "),
                at: None,
            })
            .fix(
                Fix::safe(text!["get the controller manager to run: it writes the endpoints anew by itself"])
                    .command(case.kubectl(["get", "endpointslices", "-l", label.as_str(), "-o", "wide"])),
            )
            .caused_in(Component::ControllerManager.lease()),
    ))
}

/// Some pods of several do not get ready: it works, with less behind it.
fn some_unready(case: &Case<'_>, standing: &Standing, live: &[&Arc<Pod>]) -> Result<Option<Finding>, Needs> {
    let unready: Vec<&&Arc<Pod>> = live
        .iter()
        .filter(|pod| !pods::is_true(pod, "Ready") && !behind::is_starting(pod, case.now()))
        .filter(|pod| pods::node_name(pod).is_some() || pods::condition(pod, "PodScheduled").is_some())
        .collect();
    let Some(first) = unready.first() else { return Ok(None) };
    let publishes = standing.ready >= live.len();
    if publishes {
        return Ok(None);
    }
    let controllers = case.controllers(&Object::Pod(Arc::clone(first)));
    let (ails, seen) = services::trouble(case, first)?;
    let pod = case.neighbour(Kind::Pod, first.metadata.name.as_deref().unwrap_or_default());
    let culprit = controllers?.pop().filter(|it| Kind::from_name(&it.kind).is_some_and(|kind| kind != Kind::Node));
    let names = unready.iter().filter_map(|pod| pod.metadata.name.clone()).collect::<Vec<_>>();
    let of = text![unready.len(), " of ", live.len(), " pods behind Service ", name(standing.service.path())];
    let one = if unready.len() == 1 { " is not ready" } else { " are not ready" };
    let finding = case
        .finding(Code::ServiceNoEndpoints)
        .severity(Severity::Warning)
        .title(text![of, one, ": ", Text::names(names, 3)])
        .explain(text![
            "The Service answers through the pods that are ready; ",
            name(pod.to_string()),
            " gets no traffic: ",
            ails,
            "."
        ])
        .evidence(Evidence {
            source: format!("EndpointSlices of {}", standing.service),
            text: format!("{} ready of {}", standing.ready, live.len()),
            at: None,
        })
        .fix(Fix::safe(text!["see why ", name(pod.to_string()), " is not ready"]).command(case.kubectl([
            "describe",
            "pod",
            pod.name.as_str(),
        ])))
        .explained_by(culprit.unwrap_or(pod));
    Ok(Some(seen.into_iter().fold(finding, Finding::evidence)))
}

/// The selector catches pods of different programs: a share of the requests goes to the wrong one.
fn two_apps(case: &Case<'_>, service: &Service, live: &[&Arc<Pod>]) -> Option<Finding> {
    // A headless Service may gather members of many programs, who pick out whom they mean.
    if service.spec.as_ref().and_then(|spec| spec.cluster_ip.as_deref()) == Some("None") {
        return None;
    }
    let mut apps: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for pod in live.iter().filter(|pod| pods::is_true(pod, "Ready")) {
        let images =
            pods::containers(pod).filter(|container| container.role == Role::Main).map(|it| repository(it.image()));
        apps.entry(owner(pod)).or_default().extend(images);
    }
    let (first, images) = apps.iter().next()?;
    let (other, _) = apps.iter().find(|(_, others)| others.is_disjoint(images))?;
    let selector = Selector::labels(selector(service)?).to_string();
    Some(
        case.finding(Code::ServiceNoEndpoints)
            .severity(Severity::Warning)
            .confidence(Confidence::Likely)
            .root(case.reference().with_detail("selector"))
            .title(text![
                "Service ",
                name(case.reference().path()),
                " selects pods of two programs: ",
                name(first.clone()),
                " and ",
                name(other.clone())
            ])
            .explain(text![
                "Its selector ",
                code(selector.clone()),
                " matches pods of ",
                name(first.clone()),
                " and of ",
                name(other.clone()),
                ", which run different images. Requests are spread over both, so a share of them reaches the wrong one."
            ])
            .evidence(case.field(".spec.selector", selector))
            .fix(
                Fix::disruptive(text!["add a label to the selector that only the pods of one of them carry"])
                    .command(case.kubectl(["edit", "service", case.name()])),
            ),
    )
}

/// What made a pod, told by its owner's name without the hash of a template.
fn owner(pod: &Pod) -> String {
    let owner = pod.metadata.owner_references.iter().flatten().find(|owner| owner.controller == Some(true));
    let Some(owner) = owner else { return format!("Pod {}", pod.metadata.name.as_deref().unwrap_or_default()) };
    match behind::deployment_of(pod) {
        Some(deployment) => format!("Deployment {deployment}"),
        None => format!("{} {}", owner.kind, owner.name),
    }
}

/// The image without its tag and digest.
fn repository(image: &str) -> String {
    let image = image.split('@').next().unwrap_or(image);
    let slash = image.rfind('/').map_or(0, |at| at + 1);
    match image.rfind(':').filter(|colon| *colon >= slash) {
        Some(colon) => image.get(..colon).unwrap_or(image).to_owned(),
        None => image.to_owned(),
    }
}

/// With `internalTrafficPolicy: Local` only nodes that have an endpoint are served; a `DaemonSet` has one on each.
fn not_everywhere(
    case: &Case<'_>,
    service: &Service,
    standing: &Standing,
    live: &[&Arc<Pod>],
) -> Result<Option<Finding>, Needs> {
    let local = service.spec.as_ref().and_then(|spec| spec.internal_traffic_policy.as_deref()) == Some("Local");
    let by_node = live.iter().any(|pod| owner(pod).starts_with("DaemonSet "));
    if !local || by_node {
        return Ok(None);
    }
    let slices = services::slices(case, case.namespace().unwrap_or_default(), case.name())?.found().unwrap_or_default();
    let endpoints = slices.iter().flat_map(|slice| &slice.endpoints).filter(|endpoint| services::is_ready(endpoint));
    let nodes: BTreeSet<String> = endpoints.filter_map(|endpoint| endpoint.node_name.clone()).collect();
    if nodes.is_empty() {
        return Ok(None);
    }
    Ok(Some(
        case.finding(Code::ServiceNoEndpoints)
            .severity(Severity::Warning)
            .root(case.reference().with_detail("internalTrafficPolicy"))
            .title(text![
                "Service ",
                name(standing.service.path()),
                " answers only clients on ",
                Text::names(nodes.iter().cloned(), 4)
            ])
            .explain(text![
                "Its ",
                code("internalTrafficPolicy"),
                " is Local: a client reaches only endpoints of its own node, and from every other node than ",
                Text::names(nodes.iter().cloned(), 4),
                " its packets are dropped, which clients see as a timeout."
            ])
            .evidence(case.field(".spec.internalTrafficPolicy", "Local"))
            .fix(Fix::safe(text!["set internalTrafficPolicy to Cluster, or run its pods as a DaemonSet"]).command(
                case.kubectl([
                    "patch",
                    "service",
                    case.name(),
                    "-p",
                    r#"{"spec":{"internalTrafficPolicy":"Cluster"}}"#,
                ]),
            )),
    ))
}
