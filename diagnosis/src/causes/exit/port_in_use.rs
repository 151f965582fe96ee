//! `port-in-use`.

use std::collections::BTreeSet;

use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::ends::{self, End};
use crate::finding::{Finding, Fix};
use crate::parse::log::{Failure, Signature};
use crate::pods::{self, ContainerView};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The program wants to listen on a port that somebody else in the same network already has.
    /// ## Signals
    /// Go `listen tcp :8080: bind: address already in use`; Java `BindException: Address already in use`, Spring `Web
    /// server failed to start. Port 8080 was already in use.`; Python `[Errno 98] Address already in use`; Node `listen
    /// EADDRINUSE`; nginx `bind() to 0.0.0.0:80 failed (98: Address already in use)`; Redis `Could not create server
    /// TCP listening socket`.
    /// ## Look-alikes
    /// `host-port-conflict`: the scheduler finds no node with a free hostPort; the pod does not start at all.
    /// `app-permission-denied`: a port below 1024 that a user other than root may not take.
    /// ## Fixes
    /// All containers of a pod share one network: give one of the two another port. With hostNetwork the node's own
    /// processes and other such pods count too.
    /// ## Source
    /// <https://kubernetes.io/docs/concepts/workloads/pods/#pod-networking>; the programs' own wording.
    PortInUse, stage Exit, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let ends = ends::with_failure(case, |failure| matches!(failure, Failure::PortInUse { .. }))?;
    ends.iter().map(|(end, signature)| explain(case, end, signature)).collect()
}

fn explain(case: &Case<'_>, end: &End<'_>, signature: &Signature) -> Result<Finding, Needs> {
    let (address, port) = match &signature.kind {
        Failure::PortInUse { address, port } => (address.clone(), *port),
        _ => (String::new(), None),
    };
    let port = port.or_else(|| shared_port(case, end));
    let shown = match port {
        Some(port) => text!["port ", port],
        None if address.is_empty() => text!["its port"],
        None => text!["address ", code(address)],
    };
    let host_network = case.pod().and_then(pods::spec).is_some_and(|spec| spec.host_network == Some(true));
    let other = port.and_then(|port| holder(case, end, port));
    let (by, why) = match (&other, host_network) {
        (Some(other), _) => (
            text![": container ", name(other.clone()), " of the same pod uses it"],
            text!["All containers of a pod share one network, and container ", name(other.clone()), " uses that port."],
        ),
        (None, true) => (
            text![" on the node"],
            text![
                "The pod uses the node's network (hostNetwork), where every process of the node and every such pod \
                 counts."
            ],
        ),
        (None, false) => (
            Text::default(),
            text![
                "All containers of a pod share one network: another container of the pod, or another process of this \
                 one, listens there."
            ],
        ),
    };
    let template = ends::template(case)?;
    let evidence = other.as_ref().map(|other| case.field(&format!(".spec.containers[{other}].ports"), port_text(port)));
    let who = if host_network {
        let node = case.pod().and_then(pods::node_name).unwrap_or_default();
        Some(Fix::safe(text!["see which pods use the network of node ", name(node)]).command(case.kubectl_cluster([
            "get",
            "pods",
            "--all-namespaces",
            "-o",
            "wide",
            "--field-selector",
            format!("spec.nodeName={node}").as_str(),
        ])))
    } else {
        None
    };
    Ok(end
        .finding(case, Code::PortInUse)
        .confidence(ends::confidence(signature))
        .title(text![end.subject(), " cannot listen on ", shown.clone(), ", which is taken", by])
        .explain(end.opening())
        .also(text!["It wanted to listen on ", shown, ", which somebody else already has."])
        .also(why)
        .evidence(evidence)
        .fix(Fix::disruptive(text!["give one of the two another port"]).command(template.edit(case)))
        .fix(who)
        .fix(end.read_log(case)))
}

fn port_text(port: Option<u16>) -> String {
    port.map(|port| port.to_string()).unwrap_or_default()
}

/// The only port that this container and another of the pod both name, where the log names none.
fn shared_port(case: &Case<'_>, end: &End<'_>) -> Option<u16> {
    let own = ports_of(&end.container);
    let others =
        case.containers().filter(|other| other.name() != end.container.name() && other.role != pods::Role::Init);
    let theirs: BTreeSet<u16> = others.flat_map(|other| ports_of(&other)).collect();
    let mut shared = own.intersection(&theirs);
    let port = shared.next().copied();
    port.filter(|_| shared.next().is_none())
}

/// What a container names that can be a port: declared, or a number of its command, arguments and variables.
fn ports_of(container: &ContainerView<'_>) -> BTreeSet<u16> {
    let spec = container.spec;
    let declared = spec.ports.iter().flatten().filter_map(|port| u16::try_from(port.container_port).ok());
    let values = spec.env.iter().flatten().filter_map(|env| env.value.as_ref());
    let words = spec.command.iter().chain(&spec.args).flatten().chain(values);
    let numbers =
        words.flat_map(|word| word.split(|c: char| !c.is_ascii_digit())).filter_map(|digits| digits.parse().ok());
    declared.chain(numbers.filter(|number: &u16| *number >= 80)).collect()
}

/// The other container of the pod that declares the port, or whose probe asks it.
fn holder(case: &Case<'_>, end: &End<'_>, port: u16) -> Option<String> {
    let port = i32::from(port);
    let others =
        case.containers().filter(|other| other.name() != end.container.name() && other.role != pods::Role::Init);
    let others: Vec<_> = others.collect();
    let declares =
        others.iter().find(|other| other.spec.ports.iter().flatten().any(|declared| declared.container_port == port));
    let mentions = || others.iter().find(|other| ports_of(other).iter().any(|named| i32::from(*named) == port));
    declares.or_else(mentions).map(|other| other.name().to_owned())
}
