//! How a Service stands: whether anybody answers behind it, and if not, why.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kubewhy_text::{Text, code, name, own, quoted, text};

use crate::ask::{Filter, Instance, Selector};
use crate::case::{Case, Subject};
use crate::finding::{Evidence, Fix, ObjectRef};
use crate::kind::{Kind, Object};
use crate::nearest::nearest;
use crate::parse::log;
use crate::pods::{self, ContainerView};
use crate::reader::{Needs, Read};

/// The label by which the slices of a Service are found.
const SERVICE_NAME: &str = "kubernetes.io/service-name";

/// How a Service stands.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) service: ObjectRef,
    pub(crate) state: State,
    /// Endpoints that are ready.
    pub(crate) ready: usize,
    /// It has no address of its own: names lead to its pods.
    pub(crate) headless: bool,
    pub(crate) evidence: Vec<Evidence>,
}

/// What is wrong with a Service, if anything.
#[derive(Clone, Debug)]
pub(crate) enum State {
    /// It could not be read.
    Unknown,
    /// There is none of that name; the nearest that there is.
    Missing(Option<String>),
    /// It has no such port; those that it has.
    WrongPort(u16, Vec<String>),
    /// It stands for a name outside the cluster.
    External(String),
    /// It has no selector and no endpoints: nobody has written any.
    Handmade,
    /// It has no endpoints, and its pods could not be read.
    Hidden,
    /// Its selector, and a pod's label that is near to it.
    SelectsNothing(String, Option<String>),
    /// The workload behind it has no replicas.
    ScaledToZero(ObjectRef),
    /// Its pods are not ready: the first of them, its trouble, and how many there are.
    NotReady(Box<Trouble>),
    /// Its targetPort, which none of its pods declares, and the ports that they declare.
    WrongTarget(i32, Vec<String>),
    /// Endpoints are ready.
    Fine,
}

/// A pod behind a Service that does not answer.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(crate) pod: ObjectRef,
    pub(crate) controller: Option<ObjectRef>,
    /// What ails it: `container main ends with exit code 1: "..."`.
    pub(crate) ails: Text,
    pub(crate) of: usize,
}

/// How the Service of that name stands, asked for that port.
///
/// # Errors
/// [`Needs`] where something has not been asked yet.
pub(crate) fn standing(
    case: &Case<'_>,
    namespace: &str,
    service_name: &str,
    port: Option<u16>,
) -> Result<Standing, Needs> {
    let reference = ObjectRef::new(Kind::Service, Some(namespace), service_name);
    let labels = BTreeMap::from([(SERVICE_NAME.to_owned(), service_name.to_owned())]);
    let slices = case.list::<EndpointSlice>(Some(namespace), Filter::Labels(Selector::labels(&labels)));
    let service = case.get::<Service>(Some(namespace), service_name)?;
    let mut standing =
        Standing { service: reference, state: State::Unknown, ready: 0, headless: false, evidence: Vec::new() };
    let service = match service {
        Read::Found(service) => service,
        Read::Absent => {
            let others = case.list::<Service>(Some(namespace), Filter::All)?.found().unwrap_or_default();
            let names = others.iter().filter_map(|other| other.metadata.name.as_deref());
            standing.state = State::Missing(nearest(service_name, names));
            return Ok(standing);
        }
        Read::Unreadable => return Ok(standing),
    };
    let Some(spec) = service.spec.as_ref() else { return Ok(standing) };
    standing.headless = spec.cluster_ip.as_deref() == Some("None");
    if spec.type_.as_deref() == Some("ExternalName") {
        standing.state = State::External(spec.external_name.clone().unwrap_or_default());
        return Ok(standing);
    }
    // The port of a headless Service binds nobody: its name leads to the pods themselves.
    if let Some(port) = port.filter(|_| !standing.headless)
        && spec.ports.iter().flatten().all(|has| has.port != i32::from(port))
    {
        let has = spec.ports.iter().flatten().map(|has| has.port.to_string()).collect();
        standing.evidence.push(Evidence::field(&standing.service, ".spec.ports", show_ports(&service)));
        standing.state = State::WrongPort(port, has);
        return Ok(standing);
    }
    let slices = slices?.found();
    let endpoints = slices.iter().flatten().flat_map(|slice| &slice.endpoints);
    standing.ready = endpoints
        .clone()
        .filter(|endpoint| endpoint.conditions.as_ref().is_none_or(|conditions| conditions.ready != Some(false)))
        .count();
    if standing.ready > 0 || slices.is_none() {
        standing.state = if slices.is_none() { State::Unknown } else { State::Fine };
        return Ok(standing);
    }
    let unready = endpoints.count();
    standing.evidence.push(endpoints_evidence(&standing.service, unready));
    standing.state = match spec.selector.clone().filter(|selector| !selector.is_empty()) {
        None => State::Handmade,
        Some(selector) => behind(case, namespace, &selector, &mut standing.evidence)?,
    };
    if let State::SelectsNothing(selector, _) = &standing.state {
        let evidence = Evidence::field(&standing.service, ".spec.selector", selector.clone());
        standing.evidence.push(evidence);
    }
    Ok(standing)
}

/// A look at a Service whose endpoints are ready and that still refuses: whether it leads to a port that its pods
/// declare.
///
/// # Errors
/// [`Needs`] where something has not been asked yet.
pub(crate) fn check_target(case: &Case<'_>, standing: &mut Standing, port: Option<u16>) -> Result<(), Needs> {
    if !matches!(standing.state, State::Fine) {
        return Ok(());
    }
    let namespace = standing.service.namespace.clone();
    let Read::Found(service) = case.get::<Service>(namespace.as_deref(), &standing.service.name)? else {
        return Ok(());
    };
    let Some(spec) = service.spec.as_ref() else { return Ok(()) };
    let ports = spec.ports.iter().flatten();
    let Some(asked) = ports.clone().find(|has| port.is_none_or(|port| has.port == i32::from(port))) else {
        return Ok(());
    };
    let target = match &asked.target_port {
        Some(IntOrString::Int(target)) => *target,
        // A named port that no container declares leaves no ready endpoint.
        Some(IntOrString::String(_)) => return Ok(()),
        None => asked.port,
    };
    let Some(selector) = spec.selector.as_ref().filter(|selector| !selector.is_empty()) else { return Ok(()) };
    let pods = case.list::<Pod>(namespace.as_deref(), Filter::Labels(Selector::labels(selector)))?.found();
    let pods = pods.unwrap_or_default();
    let declared: std::collections::BTreeSet<i32> = pods
        .iter()
        .flat_map(|pod| pods::containers(pod))
        .flat_map(|container| container.spec.ports.iter().flatten().map(|port| port.container_port))
        .collect();
    if !declared.is_empty() && !declared.contains(&target) {
        standing.evidence.push(Evidence::field(&standing.service, ".spec.ports", show_ports(&service)));
        standing.state = State::WrongTarget(target, declared.iter().map(ToString::to_string).collect());
    }
    Ok(())
}

fn show_ports(service: &Service) -> String {
    let ports = service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    let show = |port: &k8s_openapi::api::core::v1::ServicePort| {
        let target = match &port.target_port {
            Some(IntOrString::Int(number)) => format!(" -> {number}"),
            Some(IntOrString::String(name)) => format!(" -> {name}"),
            None => String::new(),
        };
        format!("{}{target}", port.port)
    };
    ports.map(show).collect::<Vec<_>>().join(", ")
}

fn endpoints_evidence(service: &ObjectRef, unready: usize) -> Evidence {
    let text = if unready == 0 { "no endpoints".to_owned() } else { format!("no ready endpoint, {unready} not ready") };
    Evidence { source: format!("EndpointSlices of {service}"), text, at: None }
}

/// Why nobody is ready behind a selector.
fn behind(
    case: &Case<'_>,
    namespace: &str,
    selector: &BTreeMap<String, String>,
    evidence: &mut Vec<Evidence>,
) -> Result<State, Needs> {
    let selector = Selector::labels(selector);
    let Some(selected) = case.list::<Pod>(Some(namespace), Filter::Labels(selector.clone()))?.found() else {
        return Ok(State::Hidden);
    };
    let of = selected.len();
    let alive = selected.iter().find(|pod| pod.metadata.deletion_timestamp.is_none()).or_else(|| selected.first());
    if let Some(pod) = alive {
        let controllers = case.controllers(&Object::Pod(Arc::clone(pod)));
        let (ails, seen) = trouble(case, pod)?;
        evidence.extend(seen);
        let pod_name = pod.metadata.name.as_deref().unwrap_or_default();
        let controller = controllers?.pop();
        let pod = ObjectRef::new(Kind::Pod, Some(namespace), pod_name);
        return Ok(State::NotReady(Box::new(Trouble { pod, controller, ails, of })));
    }
    let deployments = case.list::<Deployment>(Some(namespace), Filter::All);
    let sets = case.list::<StatefulSet>(Some(namespace), Filter::All);
    let mut templates = Vec::new();
    for it in deployments?.found().unwrap_or_default() {
        let Some(spec) = it.spec.as_ref() else { continue };
        let labels = spec.template.metadata.as_ref().and_then(|meta| meta.labels.clone());
        templates.push((Kind::Deployment, it.metadata.name.clone().unwrap_or_default(), labels, spec.replicas));
    }
    for it in sets?.found().unwrap_or_default() {
        let Some(spec) = it.spec.as_ref() else { continue };
        let labels = spec.template.metadata.as_ref().and_then(|meta| meta.labels.clone());
        templates.push((Kind::StatefulSet, it.metadata.name.clone().unwrap_or_default(), labels, spec.replicas));
    }
    for (kind, name, labels, replicas) in &templates {
        if *replicas == Some(0) && selector.matches(labels.as_ref()) {
            let reference = ObjectRef::new(*kind, Some(namespace), name);
            evidence.push(Evidence::field(&reference, ".spec.replicas", "0"));
            return Ok(State::ScaledToZero(reference));
        }
    }
    let labels: Vec<_> = templates.into_iter().filter_map(|(_, _, labels, _)| labels).collect();
    let near = match near_labels(&selector, &labels) {
        Some(near) => Some(near),
        // Pods of other workloads, and bare ones, are only asked for where no template explains it.
        None => {
            let others = case.list::<Pod>(Some(namespace), Filter::All)?.found().unwrap_or_default();
            let pods = others.iter().filter_map(|pod| pod.metadata.labels.clone());
            near_labels(&selector, &labels.into_iter().chain(pods).collect::<Vec<_>>())
        }
    };
    Ok(State::SelectsNothing(selector.to_string(), near))
}

/// A label of some pod that has the selector's key with a value near to the wanted one, or its value under another key.
fn near_labels(selector: &Selector, all: &[BTreeMap<String, String>]) -> Option<String> {
    let wanted: Vec<(&String, &String)> = selector
        .requirements()
        .iter()
        .filter_map(|requirement| match requirement {
            crate::ask::Requirement::Equals(key, value) => Some((key, value)),
            _ => None,
        })
        .collect();
    for (key, value) in wanted {
        if all.iter().any(|labels| labels.get(key) == Some(value)) {
            continue;
        }
        let values = all.iter().filter_map(|labels| labels.get(key)).map(String::as_str);
        if let Some(near) = nearest(value, values) {
            return Some(format!("{key}={near}"));
        }
        let elsewhere = all.iter().flat_map(|labels| labels.iter()).find(|(_, other)| *other == value);
        if let Some((other, _)) = elsewhere {
            return Some(format!("{other}={value}"));
        }
    }
    None
}

/// What ails a pod that does not answer, in one clause, and where that is seen.
///
/// # Errors
/// [`Needs`] where its log has not been asked yet.
pub(crate) fn trouble(case: &Case<'_>, pod: &Arc<Pod>) -> Result<(Text, Vec<Evidence>), Needs> {
    let peer = Case::new(case, Subject::Pod(Arc::clone(pod)), None);
    let condition = pods::condition(pod, "PodScheduled").filter(|condition| condition.status == "False");
    if let Some(condition) = condition {
        let message = condition.message.clone().unwrap_or_default();
        let evidence = peer.field(".status.conditions[PodScheduled]", message.clone());
        return Ok((text!["it has no node: ", quoted(message)], vec![evidence]));
    }
    let ailing = peer.containers().find(|container| is_ailing(pod, container, case.now()));
    let Some(container) = ailing else {
        return Ok((
            text!["its phase is ", own(known_phase(pods::phase(pod)))],
            vec![peer.field(".status.phase", pods::phase(pod))],
        ));
    };
    let reason = container.waiting_reason();
    if !matches!(reason, "" | "CrashLoopBackOff") {
        let evidence = peer.waiting_evidence(&container);
        let ails = text!["its container ", name(container.name()), " waits: ", quoted(evidence.text.clone())];
        return Ok((ails, vec![evidence]));
    }
    let line = last_line(&peer, pod, &container)?;
    let said = line.as_ref().map(|evidence| text![": ", quoted(evidence.text.clone())]);
    let end = container.last_end().filter(|_| container.running().is_none() || container.restarts() >= 2);
    let ails = match end {
        Some(end) if end.reason.as_deref() == Some("OOMKilled") => {
            text!["its container ", name(container.name()), " is killed for memory (OOMKilled)"]
        }
        Some(end) => {
            text!["its container ", name(container.name()), " ends with exit code ", end.exit_code, said]
        }
        None => text!["its container ", name(container.name()), " runs and is not ready", said],
    };
    let mut evidence: Vec<Evidence> = end.and_then(|_| peer.end_evidence(&container)).into_iter().collect();
    evidence.extend(line);
    Ok((ails, evidence))
}

fn known_phase(phase: &str) -> &'static str {
    match phase {
        "Pending" => "Pending",
        "Succeeded" => "Succeeded",
        "Failed" => "Failed",
        "Running" => "Running",
        _ => "unknown",
    }
}

fn is_ailing(pod: &Pod, container: &ContainerView<'_>, now: jiff::Timestamp) -> bool {
    let over = container.role == pods::Role::Init && container.terminated().is_some_and(|end| end.exit_code == 0);
    !over && (!container.is_ready() || pods::troubling_end(pod, container, now).is_some())
}

/// The line of its log that tells most.
fn last_line(peer: &Case<'_>, pod: &Pod, container: &ContainerView<'_>) -> Result<Option<Evidence>, Needs> {
    let words = match peer.last_words(container)? {
        Read::Found(words) => words,
        // A restarted container that runs now may say it again.
        _ if container.running().is_some() => match peer.log(pod, container.name(), Instance::Current)? {
            Read::Found(text) => std::rc::Rc::new(log::read(&text)),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    let found = words.signature.as_ref().map(|signature| (signature.line_number, signature.line.clone()));
    Ok(match found {
        Some((number, line)) => Some(peer.log_evidence(container, number, &line)),
        None => words.tail.last().map(|_| {
            let source = peer.log_evidence(container, 0, "").source.replace(", line 0", ", last lines");
            Evidence { source, text: words.tail.join(" | "), at: None }
        }),
    })
}

impl Standing {
    /// Tells whether it is known to be at fault.
    pub(crate) fn is_at_fault(&self) -> bool {
        !matches!(self.state, State::Unknown | State::Fine | State::External(_))
    }

    /// It in one clause for a title: `Service shop/prod-db has no endpoints, its selector app=db matches no pod`.
    pub(crate) fn clause(&self) -> Text {
        let service = text!["Service ", name(self.service.path())];
        match &self.state {
            State::Unknown => text![service, " could not be read"],
            State::Missing(_) => text!["there is no ", service],
            State::WrongPort(port, _) => text![service, " has no port ", *port],
            State::WrongTarget(target, _) => {
                text![service, " leads to port ", *target, ", which its pods do not declare"]
            }
            State::External(outside) => text![service, " stands for ", name(outside.clone())],
            State::Handmade | State::Hidden => text![service, " has no ready endpoint"],
            State::SelectsNothing(selector, _) => {
                text![service, " has no endpoints, its selector ", code(selector.clone()), " matches no pod"]
            }
            State::ScaledToZero(workload) => {
                text![service, " has no endpoints, ", name(workload.to_string()), " is scaled to zero"]
            }
            State::NotReady(trouble) => {
                text![service, " has no ready endpoint, Pod ", name(trouble.pod.name.clone()), " is not ready"]
            }
            State::Fine if self.ready == 1 => text![service, " has a ready endpoint"],
            State::Fine => text![service, " has ", self.ready, " ready endpoints"],
        }
    }

    /// It in one or two sentences.
    pub(crate) fn sentence(&self) -> Text {
        match &self.state {
            State::Missing(near) => {
                let near = near.as_ref().map(|near| text![" Did you mean ", name(near.clone()), "?"]);
                let namespace = self.service.namespace.clone().unwrap_or_default();
                text![
                    "There is no Service ",
                    name(self.service.name.clone()),
                    " in namespace ",
                    name(namespace),
                    ".",
                    near
                ]
            }
            State::WrongPort(port, has) => {
                text!["The Service has no port ", *port, "; it has ", Text::names(has.clone(), 8), "."]
            }
            State::WrongTarget(target, declared) => text![
                "The Service leads to port ",
                *target,
                " of its pods, which are ready and declare ",
                Text::names(declared.clone(), 8),
                ": most likely nobody listens on ",
                *target,
                "."
            ],
            State::SelectsNothing(_, near) => {
                let near = near.as_ref().map(|near| text![" (nearest: ", code(near.clone()), ")"]);
                text!["So nobody listens behind the Service: no pod carries the labels that it selects", near, "."]
            }
            State::ScaledToZero(workload) => {
                text!["Nobody listens behind the Service: ", name(workload.to_string()), " wants 0 replicas."]
            }
            State::NotReady(trouble) => {
                let of = (trouble.of > 1).then(|| text![" of ", trouble.of]);
                text![
                    "Behind the Service ",
                    name(trouble.pod.to_string()),
                    of,
                    " is not ready: ",
                    trouble.ails.clone(),
                    "."
                ]
            }
            State::Handmade => text!["The Service selects no pods by itself, and nobody has written endpoints for it."],
            State::Hidden => text!["So nobody listens behind the Service; its pods could not be read."],
            State::External(outside) => {
                text!["The Service is only another name for ", name(outside.clone()), ", outside the cluster."]
            }
            State::Fine => text![
                self.clause(),
                ", so the peer is up by now as far as the cluster can see; it may have come up later than the program."
            ],
            State::Unknown => text!["The name is one of a Service, and how that stands could not be read."],
        }
    }

    /// The steps that end its fault.
    pub(crate) fn fixes(&self, case: &Case<'_>) -> Vec<Fix> {
        let namespace = self.service.namespace.as_deref().unwrap_or_default();
        let service = self.service.name.as_str();
        let edit = case.kubectl_in(namespace, ["edit", "service", service]);
        let label = format!("{SERVICE_NAME}={service}");
        match &self.state {
            State::Missing(_) => vec![
                Fix::safe(text!["look at the Services that there are, and name one of them or create ", name(service)])
                    .command(case.kubectl_in(namespace, ["get", "services"])),
            ],
            State::WrongPort(_, has) => vec![
                Fix::disruptive(text!["ask for a port that the Service has: ", Text::names(has.clone(), 8)]),
                Fix::safe(text!["or add the port to Service ", name(self.service.path())]).command(edit),
            ],
            State::WrongTarget(_, declared) => vec![
                Fix::safe(text![
                    "set targetPort of Service ",
                    name(self.service.path()),
                    " to the port on which its pods listen: ",
                    Text::names(declared.clone(), 8)
                ])
                .command(edit),
            ],
            State::SelectsNothing(selector, near) => {
                let near = near.as_ref().map(|near| text![" (did you mean ", code(near.clone()), "?)"]);
                vec![
                    Fix::safe(text![
                        "make the selector of Service ",
                        name(self.service.path()),
                        " match its pods",
                        near
                    ])
                    .command(edit),
                    Fix::safe(text!["or start the pods it is meant for, with the labels ", code(selector.clone())])
                        .command(case.kubectl_in(namespace, ["get", "pods", "--show-labels"])),
                ]
            }
            State::ScaledToZero(workload) => {
                let target = format!("{}/{}", workload.kind.to_lowercase(), workload.name);
                vec![
                    Fix::safe(text!["scale ", name(workload.to_string()), " up again"])
                        .command(case.kubectl_in(namespace, ["scale", target.as_str(), "--replicas=1"])),
                ]
            }
            State::NotReady(trouble) => {
                let whose = trouble.controller.as_ref().unwrap_or(&trouble.pod).to_string();
                vec![
                    Fix::safe(text!["repair ", name(whose), " behind Service ", name(service)])
                        .command(case.kubectl_in(namespace, ["describe", "pod", trouble.pod.name.as_str()])),
                ]
            }
            State::Handmade | State::Hidden | State::External(_) | State::Fine | State::Unknown => vec![
                Fix::safe(text!["look at the endpoints of Service ", name(self.service.path())])
                    .command(case.kubectl_in(namespace, ["get", "endpointslices", "-l", label.as_str()])),
            ],
        }
    }
}
