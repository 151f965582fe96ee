//! `dependency-unreachable`.

use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::workload::network_policy_blocks;
use crate::causes::{Code, cause};
use crate::facts::ends;
use crate::facts::lookups::{self, Why};
use crate::facts::name_service;
use crate::facts::peers::{self, Peer, Place};
use crate::facts::service_proxy;
use crate::facts::services::{self, State};
use crate::finding::{Confidence, Finding, Fix};
use crate::parse::log::{self, DnsAnswer, Failure, Signature};
use crate::pods::ContainerView;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The program cannot reach something that it needs: the connection is refused, gets no answer, or the name does
    /// not resolve.
    /// ## Signals
    /// The log of a crashed container, or of one that runs and is not ready: Go `dial tcp 10.96.0.7:5432: connect:
    /// connection refused`, `i/o timeout`, `no route to host`, `lookup db on 10.96.0.10:53: no such host`; Java
    /// `ConnectException: Connection refused`, `UnknownHostException`; Python `[Errno 111] Connection refused`, `[Errno
    /// -2] Name or service not known`; Node `ECONNREFUSED`, `ETIMEDOUT`, `ENOTFOUND`; libpq `could not translate host
    /// name`; nginx `host not found in upstream`. The peer is looked up: its Service, that one's endpoints, its pods.
    /// ## Look-alikes
    /// `dns-failing`: no name resolves, since the cluster's DNS is down. `dns-config-wrong`: this pod alone asks the
    /// wrong name server. `dependency-auth-failed`, `dependency-overloaded`, `tls-certificate-invalid`: the peer
    /// answered. `rbac-forbidden`: the Kubernetes API answered.
    /// ## Fixes
    /// Repair the peer: make its Service's selector match its pods, scale it up, end its own crash. Correct host or
    /// port where the peer is fine. For a peer outside: firewall, route, its own state.
    /// ## Source
    /// <https://kubernetes.io/docs/tasks/debug/debug-application/debug-service/>; the clients' own wording.
    DependencyUnreachable, stage Exit, since "0.1.0", detect
}

/// Failures of reaching a peer at all.
pub(crate) fn is_mine(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Refused { .. }
            | Failure::Timeout { .. }
            | Failure::UnknownHost { .. }
            | Failure::Reset { .. }
            | Failure::Unreachable { .. }
    )
}

fn detect(case: &Case<'_>) -> Verdict {
    ends::explained(case, Code::DependencyUnreachable, is_mine, |container, finding, signature| {
        explain(case, container, finding, signature)
    })
}

fn explain(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    finding: Finding,
    signature: &Signature,
) -> Result<Option<Finding>, Needs> {
    let (verb, meaning, wanted) = match &signature.kind {
        Failure::Refused { peer } => {
            (" refuses connections", "a refusal means that nobody listens there", peer.clone())
        }
        Failure::Timeout { peer } => (
            " does not answer",
            "silence means that something between drops the traffic, or that the address is wrong",
            peer.clone(),
        ),
        Failure::Unreachable { peer } => (" cannot be reached", "no route leads there", peer.clone()),
        Failure::Reset { peer } => (" cuts the connection", "the peer, or something between, ended it", peer.clone()),
        Failure::UnknownHost { host, port, answer } => {
            let named = (!host.is_empty()).then(|| log::Peer { host: host.clone(), port: *port, ip: None });
            match lookups::why(case, host, *answer)? {
                Why::Name => {}
                Why::DnsDown(_) => return Ok(Some(behind_dns(finding, container, named.as_ref()))),
                Why::Policy(..) | Why::Complains(..) | Why::Cache(_) | Why::Proxy(_) | Why::Conntrack(_) => {
                    return Ok(None);
                }
            }
            let meaning = match answer {
                DnsAnswer::NoSuchName => "the name server knows no such name",
                DnsAnswer::NoAnswer => "no name server answered, and the cluster's DNS is not seen to be down",
            };
            (" does not resolve", meaning, named)
        }
        _ => return Ok(None),
    };
    let mut peer = peers::resolve(case, container, wanted.as_ref())?;
    // Where the way to Services is broken on the node, the peer is not the matter.
    if service_proxy::in_the_way(case, &peer)?.is_some() {
        return Ok(None);
    }
    if let (Failure::Refused { .. }, Place::Service(standing, None)) = (&signature.kind, &mut peer.place) {
        services::check_target(case, standing, peer.port)?;
    }
    let known = peer.address();
    let title = if let Some(address) = &known {
        text![name(address.clone()), verb, clause(&peer)]
    } else {
        text!["Container ", name(container.name()), " cannot reach its peer: ", quoted(signature.line.clone())]
    };
    let told = peer.told_by.clone().map(|told| text![" (named by ", told, ")"]);
    let wants = known.as_ref().map(|address| text!["It needs ", name(address.clone()), told, ", which"]);
    let said = text![wants.unwrap_or_else(|| text!["Its peer"]), verb, ": ", meaning, "."];
    let lookup = match &signature.kind {
        Failure::UnknownHost { answer, .. } => Some(*answer),
        _ => None,
    };
    let at_fault = matches!(&peer.place, Place::Service(standing, _) if standing.is_at_fault());
    let confidence = match (signature.decisive, at_fault) {
        (true, _) | (false, true) => Confidence::Likely,
        (false, false) => Confidence::Possible,
    };
    let finding = finding.confidence(confidence).title(title).also(said).also(place(&peer, lookup));
    let finding = with_evidence(finding, &peer);
    let fixes = fixes(case, container, &peer)?;
    let mut finding = fixes.into_iter().fold(finding, Finding::fix);
    if lookup == Some(DnsAnswer::NoAnswer) {
        finding = finding.fix(lookups::ask_it(case, peer.host.as_deref()));
    }
    let finding = match peer.at_fault() {
        // What DNS itself does not reach is its own matter where that is the API.
        _ if case.pod().is_some_and(name_service::is_dns_pod) => finding.follows(Code::DnsApiserverUnreachable),
        Some(service) => finding.caused_in(service),
        None if network_policy_blocks::closes(case, &signature.kind)? => finding.follows(Code::NetworkPolicyBlocks),
        None if lookup == Some(DnsAnswer::NoAnswer) => finding.follows(Code::DnsFailing),
        None => finding,
    };
    Ok(Some(match peer.root() {
        Some(root) => finding.root(root),
        None => finding,
    }))
}

/// A peer that nobody could look up because the cluster's DNS does not answer: the trouble there leads.
fn behind_dns(finding: Finding, container: &ContainerView<'_>, peer: Option<&log::Peer>) -> Finding {
    let wanted = peer.map_or_else(|| text!["its peer"], |peer| text![name(peer.host.clone())]);
    finding
        .confidence(Confidence::Likely)
        .title(text!["Container ", name(container.name()), " cannot look up ", wanted])
        .also(text!["No name server answered, and the cluster's own DNS is down: the peer itself may be well."])
        .fix(Fix::safe(text!["mend the cluster's DNS first; the container then starts by itself"]))
        .follows(Code::DnsFailing)
}

/// What the cluster knows of the peer, for the title.
fn clause(peer: &Peer) -> Text {
    match &peer.place {
        Place::Service(standing, _) if !matches!(standing.state, State::Fine | State::Unknown) => {
            text![": ", standing.clause()]
        }
        Place::Localhost(Some(sidecar)) => {
            text![": container ", name(sidecar.clone()), " of the same pod listens there"]
        }
        Place::Localhost(None) => text![": that is the pod itself"],
        _ => Text::default(),
    }
}

fn place(peer: &Peer, lookup: Option<DnsAnswer>) -> Text {
    match &peer.place {
        Place::Service(standing, Some(pod)) => text![
            code(peer.host.clone().unwrap_or_default()),
            " is the name of Pod ",
            name(pod.clone()),
            " behind Service ",
            name(standing.service.path()),
            "; such a name resolves only while the pod is ready. ",
            standing.sentence()
        ],
        Place::Service(standing, None) => standing.sentence(),
        Place::Localhost(Some(sidecar)) => text![
            "localhost is the pod itself, where container ",
            name(sidecar.clone()),
            " declares that port: it is not up, or comes up later."
        ],
        Place::Localhost(None) => {
            text![
                "localhost is the pod itself, and no other container of it declares that port: the address is a \
                 forgotten default, or a sidecar is missing."
            ]
        }
        Place::Outside => match lookup {
            None => {
                text!["It is no Service of this cluster, so firewall, route or the peer itself are to be looked at."]
            }
            Some(DnsAnswer::NoSuchName) => {
                text!["It is no Service of this cluster: the name is misspelt, or its own domain does not know it."]
            }
            Some(DnsAnswer::NoAnswer) => text![
                "It is a name outside the cluster: the way from the cluster's DNS to the name servers outside is to \
                 be looked at."
            ],
        },
        Place::Private => text![
            "It is a private address that no Service known here has: one of another namespace, a pod or node, or a \
             host outside, so firewall and route count too."
        ],
        Place::Unknown => Text::default(),
    }
}

fn with_evidence(finding: Finding, peer: &Peer) -> Finding {
    let Place::Service(standing, _) = &peer.place else { return finding };
    standing.evidence.iter().cloned().fold(finding, Finding::evidence)
}

fn fixes(case: &Case<'_>, container: &ContainerView<'_>, peer: &Peer) -> Result<Vec<Fix>, Needs> {
    let template = ends::template(case)?;
    let edit = template.edit(case);
    Ok(match &peer.place {
        Place::Service(standing, _) => {
            let mut fixes = standing.fixes(case);
            if matches!(standing.state, State::Fine | State::Unknown | State::External(_)) {
                fixes.push(network(case, peer));
            }
            fixes.push(
                Fix::disruptive(text![
                    "or correct the address in the configuration of container ",
                    name(container.name())
                ])
                .command(edit),
            );
            fixes
        }
        Place::Localhost(Some(sidecar)) => {
            vec![
                Fix::safe(text!["see why container ", name(sidecar.clone()), " does not listen"])
                    .command(case.kubectl(["logs", case.name(), "-c", sidecar])),
            ]
        }
        Place::Localhost(None) => vec![
            Fix::disruptive(text![
                "name the peer's Service instead of localhost, or add the container that should listen"
            ])
            .command(edit),
        ],
        Place::Private => {
            let address = peer.host.clone().unwrap_or_default();
            let field = format!("spec.clusterIP={address}");
            vec![
                network(case, peer),
                Fix::safe(text!["see whether it is the address of a Service of another namespace"]).command(
                    case.kubectl_cluster(["get", "services", "--all-namespaces", "--field-selector", field.as_str()]),
                ),
                Fix::disruptive(text![
                    "or correct the address in the configuration of container ",
                    name(container.name())
                ])
                .command(edit),
            ]
        }
        Place::Outside => vec![
            network(case, peer),
            Fix::disruptive(text!["or correct the address in the configuration of container ", name(container.name())])
                .command(edit),
        ],
        Place::Unknown => vec![
            Fix::safe(text![
                "see in the log and the variables of container ",
                name(container.name()),
                " which peer it means"
            ])
            .command(edit),
        ],
    })
}

fn network(case: &Case<'_>, peer: &Peer) -> Fix {
    let whom = peer.address().map_or_else(|| text!["the peer"], |address| text![name(address)]);
    Fix::safe(text!["check that ", whom, " is up and that firewall, route and network policies let the pod through"])
        .command(case.kubectl(["get", "networkpolicies"]))
}
