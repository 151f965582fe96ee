//! `network-policy-blocks`.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::networking::v1::NetworkPolicy;
use kubewhy_text::{Text, code, name, own, text};
use serde_json::json;

use crate::ask::{Filter, Selector};
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::losses::{self, Loss};
use crate::facts::policies::{Closing, Direction, Lack};
use crate::facts::{ends, peers, waits};
use crate::finding::{Confidence, Evidence, Finding, Fix, Severity};
use crate::parse::log::{self, DnsAnswer, Failure, Signature};
use crate::parse::wait::Awaited;
use crate::pods::{ContainerView, Role};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// Network policies select the pod, or its peer, and no rule of them lets this traffic through: packets are dropped, and
    /// the program sees a timeout, though the peer is well.
    /// ## Signals
    /// None in the API itself. A log that tells of a timeout (not of a refusal) towards a peer whose Service has ready
    /// endpoints, or of a name server that does not answer while the cluster's DNS is well; then all NetworkPolicies that
    /// select the pod for Egress or the peer for Ingress: the union of their rules, peers and ports, leaves no way. It began
    /// with the policy's `creationTimestamp`.
    /// ## Look-alikes
    /// `dependency-unreachable`: the peer refuses, is outside, or no policy is in the way. `service-no-endpoints`: refused,
    /// since nobody is behind the Service. `dns-failing`: nobody gets an answer from DNS. `kube-proxy-down`: timeouts from
    /// one node only. Policies of other kinds (CiliumNetworkPolicy, Calico's GlobalNetworkPolicy, AdminNetworkPolicy) are not
    /// worked out; a network plugin without support ignores policies.
    /// ## Fixes
    /// Add the rule that is lacking to the policy, or a further policy that allows it: allowed is what any of them allows.
    /// ## Source
    /// <https://kubernetes.io/docs/concepts/services-networking/network-policies/>
    NetworkPolicyBlocks, stage Workload, since "0.1.0", detect
}

/// How long something may be waited for.
const PATIENCE: SignedDuration = SignedDuration::from_secs(30);

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(policy) = case.subject_as::<NetworkPolicy>() {
        return Ok(selects_nobody(case, &policy)?.into_iter().collect());
    }
    if case.pod().is_none() {
        return Ok(Vec::new());
    }
    let crashed = ends::explained(case, Code::NetworkPolicyBlocks, is_loss, |container, finding, signature| {
        explain(case, container, finding, signature)
    });
    let waiting = waiting(case);
    let mut found = crashed?;
    found.extend(waiting?);
    Ok(found)
}

/// What dropped packets look like to a program.
fn is_loss(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Timeout { .. }
            | Failure::Unreachable { .. }
            | Failure::UnknownHost { answer: DnsAnswer::NoAnswer, .. }
    )
}

/// Tells whether policies explain such a failure of this pod.
///
/// # Errors
/// [`Needs`] where something has not been asked yet.
pub(crate) fn closes(case: &Case<'_>, failure: &Failure) -> Result<bool, Needs> {
    Ok(is_loss(failure) && !detect(case)?.is_empty())
}

/// Tells whether policies explain that an init container of this pod waits.
///
/// # Errors
/// [`Needs`] where something has not been asked yet.
pub(crate) fn holds_init(case: &Case<'_>) -> Result<bool, Needs> {
    Ok(!waiting(case)?.is_empty())
}

fn explain(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    finding: Finding,
    signature: &Signature,
) -> Result<Option<Finding>, Needs> {
    let loss = match &signature.kind {
        Failure::UnknownHost { .. } => losses::towards_dns(case)?,
        Failure::Timeout { peer } | Failure::Unreachable { peer } => {
            let peer = peers::resolve(case, container, peer.as_ref())?;
            losses::towards(case, &peer)?
        }
        _ => None,
    };
    Ok(loss.map(|loss| tell(case, finding, &loss)))
}

/// An init container that waits for a peer that looks well, and for ever.
fn waiting(case: &Case<'_>) -> Verdict {
    let blocking = |container: &ContainerView<'_>| {
        let since = container.running().and_then(|running| running.started_at.as_ref());
        container.role == Role::Init && since.is_some_and(|since| case.age(since.0) > PATIENCE)
    };
    let Some(container) = case.containers().find(blocking) else { return Ok(Vec::new()) };
    let wait = waits::wait_of(case, &container)?;
    let Some(Awaited::Peer { host, port }) = &wait.awaited else { return Ok(Vec::new()) };
    let refused = wait.tail.iter().any(|line| line.to_lowercase().contains("refused"));
    if refused {
        return Ok(Vec::new());
    }
    let silent = ["timed out", "Temporary failure", "EAI_AGAIN", "no servers could be reached", "i/o timeout"];
    let unresolved = wait.tail.iter().any(|line| silent.iter().any(|words| line.contains(words)));
    let dns = if unresolved { losses::towards_dns(case)? } else { None };
    let loss = match dns {
        Some(loss) => Some(loss),
        None => {
            let named = log::Peer { host: host.clone(), port: *port, ip: None };
            let peer = peers::resolve(case, &container, Some(&named))?;
            losses::towards(case, &peer)?
        }
    };
    let finding = case
        .finding_in(Code::NetworkPolicyBlocks, &container)
        .confidence(Confidence::Likely)
        .explain(text![container.subject(), " waits for ", name(host.clone()), "."])
        .evidence(case.field(&format!("{}.state.running", container.status_path()), "waits"));
    Ok(loss.map(|loss| tell(case, finding, &loss)).into_iter().collect())
}

fn shown_port(loss: &Loss) -> Option<Text> {
    loss.port.as_ref().map(|port| text![" at port ", port.number, if port.protocol == "UDP" { "/UDP" } else { "" }])
}

fn tell(case: &Case<'_>, finding: Finding, loss: &Loss) -> Finding {
    let Some(newest) = losses::newest(&loss.closing) else { return finding };
    let policy = &newest.policy;
    let pod = name(case.reference().to_string());
    let (peer, port) = (loss.peer.clone(), shown_port(loss));
    let all: Vec<String> = loss.closing.iter().map(|closing| closing.policy.name.clone()).collect();
    let (title, selected) = match loss.direction {
        Direction::Egress => {
            (text!["leaves ", pod.clone(), " no way out to ", peer.clone(), port.clone()], text![pod.clone()])
        }
        Direction::Ingress => (
            text!["lets nobody like ", pod.clone(), " in to ", peer.clone(), port.clone()],
            text!["the pods of ", peer.clone()],
        ),
    };
    let alone = all.len() == 1;
    let together = if alone { text!["it has"] } else { text!["none of them has"] };
    let lacks = if alone { lacks(newest) } else { text!["a rule that lets this traffic through"] };
    let mut finding = finding
        .confidence(Confidence::Likely)
        .root(policy.clone())
        .title(text!["NetworkPolicy ", name(policy.path()), " ", title])
        .also(text![
            "Its packets to ",
            peer.clone(),
            port,
            " are dropped and not refused, and ",
            peer,
            " itself looks well. For ",
            own(loss.direction.name()),
            " ",
            selected,
            if loss.direction == Direction::Egress { " is" } else { " are" },
            if alone { " selected by NetworkPolicy " } else { " selected by NetworkPolicies " },
            Text::names(all, 4),
            ", and ",
            together,
            " ",
            lacks,
            "."
        ])
        .also(newest.created.map(|created| {
            text![if alone { "The policy was made at " } else { "The newest of them was made at " }, created, "."]
        }));
    for closing in loss.closing.iter().take(4) {
        let path = if loss.direction == Direction::Egress { ".spec.egress" } else { ".spec.ingress" };
        let evidence = Evidence::field(&closing.policy, path, words(closing.lacks)).at(closing.created);
        finding = finding.evidence(evidence);
    }
    finding.fix(allow(case, loss, newest)).fix(
        Fix::safe(text!["look at all policies that select ", pod])
            .command(case.kubectl_in(policy.namespace.as_deref().unwrap_or_default(), ["describe", "networkpolicies"])),
    )
}

fn lacks(closing: &Closing) -> Text {
    match closing.lacks {
        Lack::Everything => text!["no rule at all: it denies everything"],
        Lack::ThePort => text!["a rule for the other end, and not for this port"],
        Lack::TheEnd => text!["rules for others only"],
    }
}

const fn words(lack: Lack) -> &'static str {
    match lack {
        Lack::Everything => "no rule: denies everything",
        Lack::ThePort => "a rule for the other end, with other ports",
        Lack::TheEnd => "rules for other ends only",
    }
}

/// The rule that is lacking, ready to add.
fn allow(case: &Case<'_>, loss: &Loss, newest: &Closing) -> Fix {
    let list = if loss.direction == Direction::Egress { "egress" } else { "ingress" };
    let patch = if loss.has_rules {
        json!([{"op": "add", "path": format!("/spec/{list}/-"), "value": loss.rule}])
    } else {
        json!([{"op": "add", "path": format!("/spec/{list}"), "value": [loss.rule]}])
    };
    let namespace = newest.policy.namespace.as_deref().unwrap_or_default();
    Fix::disruptive(text![
        "let it through: add the ",
        own(list),
        " rule that is lacking to NetworkPolicy ",
        name(newest.policy.name.clone()),
        ", or make a policy of its own for it"
    ])
    .command(case.kubectl_in(
        namespace,
        ["patch", "networkpolicy", &newest.policy.name, "--type=json", "-p", &patch.to_string()],
    ))
}

/// A policy asked about itself that selects no pod.
fn selects_nobody(case: &Case<'_>, policy: &NetworkPolicy) -> Result<Option<Finding>, Needs> {
    let Some(spec) = policy.spec.as_ref().filter(|_| policy.metadata.deletion_timestamp.is_none()) else {
        return Ok(None);
    };
    let selector = spec.pod_selector.as_ref().map(Selector::from_api).unwrap_or_default();
    let Some(selected) = case.list::<Pod>(case.namespace(), Filter::Labels(selector.clone()))?.found() else {
        return Ok(None);
    };
    // A policy for all pods of a namespace that has none at the moment waits for them.
    if !selected.is_empty() || selector.is_empty() {
        return Ok(None);
    }
    let path = name(case.reference().path());
    Ok(Some(
        case.finding(Code::NetworkPolicyBlocks)
            .severity(Severity::Warning)
            .title(text!["NetworkPolicy ", path.clone(), " selects no pod: it protects and blocks nothing"])
            .explain(text![
                "No pod of the namespace has the labels ",
                code(selector.to_string()),
                " that NetworkPolicy ",
                path,
                " selects. Either its pods are not there at the moment, or the selector is not meant so."
            ])
            .evidence(case.field(".spec.podSelector", selector.to_string()))
            .fix(
                Fix::safe(text!["compare its selector with the labels of the pods"])
                    .command(case.kubectl(["get", "pods", "--show-labels"]))
                    .command(case.kubectl(["edit", "networkpolicy", case.name()])),
            ),
    ))
}
