//! `dependency-overloaded`.

use kubewhy_text::{name, quoted, text};

use super::dependency_auth_failed::display;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::ends;
use crate::facts::peers::{self, Peer, Place};
use crate::finding::{Finding, Fix};
use crate::parse::log::{Failure, Signature};
use crate::pods::ContainerView;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The program reached its peer, and the peer said "not now": it starts, it recovers, or it is at a limit of its
    /// own.
    /// ## Signals
    /// PostgreSQL `sorry, too many clients already`, `the database system is starting up`, `remaining connection slots
    /// are reserved`; MySQL `Too many connections`; Redis `LOADING Redis is loading the dataset in memory`, `max number
    /// of clients reached`, `OOM command not allowed`, `MISCONF`, `CLUSTERDOWN`; gRPC `Unavailable`; 429, 502, 503,
    /// 504.
    /// ## Look-alikes
    /// `dependency-unreachable`: nobody answered. `dependency-auth-failed`: the answer was about credentials.
    /// `registry-rate-limited`: 429 of an image registry, said to the kubelet.
    /// ## Fixes
    /// Wait where the peer starts; raise its limit or lower the number of connections of each client where it is full.
    /// ## Source
    /// The servers' own wording; <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
    DependencyOverloaded, stage Exit, since "0.1.0", detect
}

fn is_mine(failure: &Failure) -> bool {
    matches!(failure, Failure::Overloaded { .. })
}

fn detect(case: &Case<'_>) -> Verdict {
    ends::explained(case, Code::DependencyOverloaded, is_mine, |container, finding, signature| {
        explain(case, container, finding, signature)
    })
}

fn explain(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    finding: Finding,
    signature: &Signature,
) -> Result<Option<Finding>, Needs> {
    let Failure::Overloaded { peer, system, what } = &signature.kind else { return Ok(None) };
    let peer = match peer {
        Some(peer) => Some(peers::resolve(case, container, Some(peer))?),
        None => None,
    };
    let address = peer.as_ref().and_then(Peer::address);
    let who = match (&address, system) {
        (Some(address), _) => text![name(address.clone())],
        (None, Some(system)) => text![display(*system)],
        (None, None) => text!["The peer of container ", name(container.name())],
    };
    let said = if what.is_empty() { signature.line.clone() } else { what.clone() };
    let starts = ["starting up", "recovery", "LOADING", "shutting down", "loading the dataset"];
    let passing = starts.iter().any(|words| said.contains(words));
    let meaning = if passing {
        "The peer is not ready yet; the program gives up instead of waiting."
    } else {
        "The peer works and takes no more: its own limit is reached, by all its clients together."
    };
    let mut finding = finding
        .confidence(ends::confidence(signature))
        .title(text![who, " answers \"not now\": ", quoted(said)])
        .also(text![meaning]);
    if let Some(Place::Service(standing, _)) = peer.as_ref().map(|peer| &peer.place) {
        finding = finding.also(standing.sentence());
        finding = standing.evidence.iter().cloned().fold(finding, Finding::evidence);
    }
    if let Some(root) = peer.as_ref().and_then(Peer::root) {
        finding = finding.root(root);
    }
    if let Some(service) = peer.as_ref().and_then(Peer::at_fault) {
        finding = finding.caused_in(service);
    }
    let template = ends::template(case)?;
    let first = if passing {
        Fix::safe(text!["wait until the peer is up; the restarts of the container end by themselves then"])
            .command(case.kubectl(["get", "pods", "--watch"]))
    } else {
        Fix::disruptive(text![
            "lower the number of connections of each client (pool size, replicas), or raise the limit of the peer"
        ])
        .command(template.edit(case))
    };
    let retry = Fix::disruptive(text!["let the program try again with a pause instead of ending"]);
    Ok(Some(finding.fix(first).fix(retry)))
}
