//! Whether a Service leads to ports that its pods listen on, as far as they declare it.

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, Probe, Service, ServicePort};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::{Standing, State};
use crate::ask::{Filter, Selector};
use crate::case::Case;
use crate::finding::Evidence;
use crate::pods::{self, ContainerView, Role};
use crate::reader::{Needs, Read};

/// A look at a Service whose endpoints are ready: whether it leads to a port that its pods declare. `port` is the one
/// that a client was refused at; without it, all are looked at, and only what cannot be otherwise counts.
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
    let Some(selector) = spec.selector.as_ref().filter(|selector| !selector.is_empty()) else { return Ok(()) };
    let pods = case.list::<Pod>(namespace.as_deref(), Filter::Labels(Selector::labels(selector)))?.found();
    let pods: Vec<Arc<Pod>> = pods.unwrap_or_default().into_iter().filter(|pod| !pods::is_finished(pod)).collect();
    if pods.is_empty() {
        return Ok(());
    }
    let all: Vec<&ServicePort> = spec.ports.iter().flatten().collect();
    let Some(wrong) = wrong_target(&all, &pods, port, standing.headless) else { return Ok(()) };
    standing.evidence.push(Evidence::field(&standing.service, ".spec.ports", show_ports(&service)));
    standing.state = State::WrongTarget(wrong, show_declared(&pods));
    Ok(())
}

/// The target that no pod declares.
fn wrong_target(all: &[&ServicePort], pods: &[Arc<Pod>], port: Option<u16>, headless: bool) -> Option<String> {
    if let Some(port) = port {
        let asked = all.iter().find(|has| has.port == i32::from(port))?;
        return judge(asked, pods).map(|(target, _)| target);
    }
    // The ports of a headless Service only stand in records: clients go to the pods' own.
    if headless {
        return None;
    }
    let judged: Vec<Option<(String, bool)>> = all.iter().map(|port| judge(port, pods)).collect();
    // A name that no container has leaves that port without endpoints, whatever the others do.
    let named = judged.iter().flatten().find(|(_, certain)| *certain);
    // A number that is not declared may well be listened on beside one that is.
    let sole = if judged.iter().all(Option::is_some) { judged.iter().flatten().next() } else { None };
    named.or(sole).map(|(target, _)| target.clone())
}

/// The target of a port where no pod declares it, and whether that is certain: for a name it is, for a number it is the
/// best guess.
fn judge(port: &ServicePort, pods: &[Arc<Pod>]) -> Option<(String, bool)> {
    let protocol = port.protocol.as_deref().unwrap_or("TCP");
    let declared: Vec<(Option<&str>, i32, &str)> =
        pods.iter().flat_map(|pod| pods::containers(pod)).flat_map(declared).collect();
    match &port.target_port {
        Some(IntOrString::String(name)) => {
            let found = declared.iter().any(|(has, _, over)| *has == Some(name.as_str()) && *over == protocol);
            let over = declared.iter().find(|(has, ..)| *has == Some(name.as_str())).map(|(_, _, over)| *over);
            let shown = over.map_or_else(|| name.clone(), |_| format!("{name}/{protocol}"));
            (!found).then_some((shown, true))
        }
        target => {
            let number = if let Some(IntOrString::Int(number)) = target { *number } else { port.port };
            let same = |(_, has, over): &(Option<&str>, i32, &str)| *has == number && *over == protocol;
            if declared.is_empty() || declared.iter().any(same) || pods.iter().any(|pod| speaks_of(pod, number)) {
                return None;
            }
            let elsewhere = declared.iter().any(|(_, has, _)| *has == number);
            let shown = if elsewhere { format!("{number}/{protocol}") } else { number.to_string() };
            Some((shown, false))
        }
    }
}

fn declared(container: ContainerView<'_>) -> impl Iterator<Item = (Option<&str>, i32, &str)> {
    let spec = container.spec;
    let counts = container.role != Role::Init;
    spec.ports
        .iter()
        .flatten()
        .filter(move |_| counts)
        .map(|port| (port.name.as_deref(), port.container_port, port.protocol.as_deref().unwrap_or("TCP")))
}

/// Tells whether a pod shows that it listens on a port that it does not declare: a probe asks there, or command,
/// arguments or variables name the number.
fn speaks_of(pod: &Pod, number: i32) -> bool {
    let word = number.to_string();
    let names = |text: &String| text.split(|c: char| !c.is_ascii_digit()).any(|digits| digits == word);
    pods::containers(pod).any(|container| {
        let spec = container.spec;
        let probes = [&spec.readiness_probe, &spec.liveness_probe, &spec.startup_probe];
        let asked = probes.into_iter().flatten().any(|probe| probed(probe) == Some(number));
        let told = spec.command.iter().chain(&spec.args).flatten().any(names);
        let set = spec.env.iter().flatten().filter_map(|variable| variable.value.as_ref()).any(names);
        (asked && container.is_ready()) || told || set
    })
}

fn probed(probe: &Probe) -> Option<i32> {
    let port = probe.http_get.as_ref().map(|get| &get.port).or(probe.tcp_socket.as_ref().map(|tcp| &tcp.port));
    match port {
        Some(IntOrString::Int(number)) => Some(*number),
        Some(IntOrString::String(_)) => None,
        None => probe.grpc.as_ref().map(|grpc| grpc.port),
    }
}

fn show_declared(pods: &[Arc<Pod>]) -> Vec<String> {
    let all: BTreeSet<(i32, Option<&str>, &str)> = pods
        .iter()
        .flat_map(|pod| pods::containers(pod))
        .flat_map(declared)
        .map(|(name, number, over)| (number, name, over))
        .collect();
    let over = |protocol: &str| if protocol == "TCP" { String::new() } else { format!("/{protocol}") };
    all.into_iter()
        .map(|(number, name, protocol)| match name {
            Some(name) => format!("{number}{} ({name})", over(protocol)),
            None => format!("{number}{}", over(protocol)),
        })
        .collect()
}

/// The ports of a Service, each with where it leads.
pub(crate) fn show_ports(service: &Service) -> String {
    let ports = service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    let show = |port: &ServicePort| {
        let target = match &port.target_port {
            Some(IntOrString::Int(number)) => format!(" -> {number}"),
            Some(IntOrString::String(name)) => format!(" -> {name}"),
            None => String::new(),
        };
        let protocol = port.protocol.as_deref().filter(|protocol| *protocol != "TCP");
        format!("{}{}{target}", port.port, protocol.map(|it| format!("/{it}")).unwrap_or_default())
    };
    ports.map(show).collect::<Vec<_>>().join(", ")
}
