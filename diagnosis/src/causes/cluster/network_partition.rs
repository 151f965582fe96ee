//! `network-partition`.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Node;
use kubewhy_text::{Text, code, name, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::node_state;
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// Several nodes of one zone or subnet fell silent at one instant while others go on: what they share has failed, a
    /// switch, a router, the zone itself, not each machine by itself. When all nodes fall silent at once, it is the way to
    /// the API server or the API server's own side.
    /// ## Signals
    /// Condition Ready Unknown (`NodeStatusUnknown`) of several nodes, turned within a minute, that share
    /// `topology.kubernetes.io/zone` or the subnet of their InternalIP, no other node of which is Ready, while nodes elsewhere
    /// are. All nodes of the cluster at once: the controller manager stops evictions then (full disruption).
    /// ## Look-alikes
    /// `node-kubelet-down`: one node, or several at different times. `apiserver-unreachable`: nobody reaches it.
    /// ## Fixes
    /// See what the zone or subnet has in common: its cloud status, switch, route, firewall, NAT. Do not delete the nodes: their
    /// pods may still run.
    /// ## Source
    /// pkg/controller/nodelifecycle/node_lifecycle_controller.go (zone states, full and partial disruption);
    /// <https://kubernetes.io/docs/concepts/architecture/nodes/#node-controller>
    NetworkPartition, stage Cluster, since "0.1.0", detect
}

/// How far apart nodes may turn Unknown: the controller looks every 5 s and gives each its own grace.
const ONE_INSTANT: SignedDuration = SignedDuration::from_secs(60);

/// Nodes that fell silent together.
#[derive(Clone, Debug)]
pub(crate) struct Partition {
    shared: Shared,
    /// Their names, in order.
    pub(crate) silent: Vec<String>,
    /// Nodes elsewhere that are ready.
    pub(crate) ready: Vec<String>,
    /// When the first of them turned.
    pub(crate) since: Timestamp,
}

/// What the silent nodes have in common.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shared {
    Zone(String),
    Subnet(String),
    /// All nodes of the cluster.
    Everything,
}

impl Partition {
    /// Tells whether that node is one of them.
    pub(crate) fn holds(&self, node: &str) -> bool {
        self.silent.iter().any(|silent| silent == node)
    }

    /// What they share, as an object that a person can look for.
    fn root(&self) -> ObjectRef {
        match &self.shared {
            Shared::Zone(zone) => ObjectRef::virtual_("Zone", zone),
            Shared::Subnet(subnet) => ObjectRef::virtual_("Subnet", subnet),
            Shared::Everything => ObjectRef::virtual_("Cluster", "nodes"),
        }
    }
}

fn detect(case: &Case<'_>) -> Verdict {
    let of_cluster = case.object().kind() == Kind::Cluster;
    let of_node = node_state::subject(case);
    let silent = of_node.as_ref().is_some_and(|node| node_state::is(node, "Ready", "Unknown"));
    if !of_cluster && !silent {
        return Ok(Vec::new());
    }
    let Some(partition) = among(case)? else { return Ok(Vec::new()) };
    if of_node.is_some_and(|node| !partition.holds(node_state::name_of(&node))) {
        return Ok(Vec::new());
    }
    let nodes = all(case)?;
    Ok(vec![explain(case, &partition, &nodes)])
}

/// Nodes that fell silent together, if there are such.
///
/// # Errors
/// [`Needs`] where the nodes have not been asked yet.
pub(crate) fn among(case: &Case<'_>) -> Result<Option<Partition>, Needs> {
    Ok(find(&all(case)?))
}

fn all(case: &Case<'_>) -> Result<Vec<Arc<Node>>, Needs> {
    Ok(case.list::<Node>(None, Filter::All)?.found().unwrap_or_default())
}

/// The largest group of nodes that share something and fell silent at one instant.
fn find(nodes: &[Arc<Node>]) -> Option<Partition> {
    let silent: Vec<(&Node, Timestamp)> =
        nodes.iter().filter_map(|node| Some((&**node, silent_since(node)?))).collect();
    let ready: Vec<&Node> =
        nodes.iter().map(|node| &**node).filter(|node| node_state::is(node, "Ready", "True")).collect();
    if silent.len() < 2 {
        return None;
    }
    if ready.is_empty() {
        // Of two nodes one may simply be down before the other.
        let whole = (silent.len() > 2 && silent.len() == nodes.len()).then_some(Shared::Everything)?;
        return gather(whole, &silent, &[]).filter(|it| it.silent.len() == nodes.len());
    }
    let mut groups: BTreeMap<Shared, Vec<(&Node, Timestamp)>> = BTreeMap::new();
    for (node, at) in &silent {
        for shared in places(node) {
            groups.entry(shared).or_default().push((node, *at));
        }
    }
    let partitions = groups.into_iter().filter_map(|(shared, group)| {
        let lasting = ready.iter().filter(|node| places(node).contains(&shared)).count();
        let outside = ready.len() - lasting;
        let enough = match shared {
            Shared::Zone(_) => 2,
            _ => 3,
        };
        (lasting == 0 && outside > 0 && group.len() >= enough).then(|| gather(shared, &group, &ready)).flatten()
    });
    partitions.filter(|it| it.silent.len() > 1).max_by_key(|it| (it.silent.len(), matches!(it.shared, Shared::Zone(_))))
}

/// The members that turned within a minute of each other.
fn gather(shared: Shared, group: &[(&Node, Timestamp)], ready: &[&Node]) -> Option<Partition> {
    let mut times: Vec<Timestamp> = group.iter().map(|(_, at)| *at).collect();
    times.sort_unstable();
    let near = |from: Timestamp, at: Timestamp| at >= from && at.duration_since(from) <= ONE_INSTANT;
    let since = times
        .iter()
        .copied()
        .max_by_key(|from| (times.iter().filter(|at| near(*from, **at)).count(), std::cmp::Reverse(*from)))?;
    let mut silent: Vec<String> =
        group.iter().filter(|(_, at)| near(since, *at)).map(|(node, _)| node_state::name_of(node).to_owned()).collect();
    silent.sort_unstable();
    let ready = ready.iter().map(|node| node_state::name_of(node).to_owned()).collect();
    // One that was silent before or falls silent later does not make it another matter; most of the place has to agree.
    (silent.len() * 2 > group.len()).then_some(Partition { shared, silent, ready, since })
}

fn silent_since(node: &Node) -> Option<Timestamp> {
    let ready = node_state::condition(node, "Ready").filter(|ready| ready.status == "Unknown")?;
    // Machines that their cloud calls switched off were switched off, mostly a whole pool at once.
    let is_off = node_state::taint(node, "node.cloudprovider.kubernetes.io/shutdown").is_some();
    (!is_off && ready.reason.as_deref() != Some("NodeStatusNeverUpdated")).then(|| node_state::since(ready)).flatten()
}

/// What a node may share with others: its zone, and the subnet of its address.
fn places(node: &Node) -> Vec<Shared> {
    let labels = node.metadata.labels.as_ref();
    let label = |key: &str| labels.and_then(|labels| labels.get(key)).filter(|zone| !zone.is_empty());
    let zone = label("topology.kubernetes.io/zone").or_else(|| label("failure-domain.beta.kubernetes.io/zone"));
    let subnet = node_state::address(node).and_then(subnet);
    zone.map(|zone| Shared::Zone(zone.clone())).into_iter().chain(subnet.map(Shared::Subnet)).collect()
}

/// The /24 of an IPv4 address, the /64 of an IPv6 one.
fn subnet(address: &str) -> Option<String> {
    match address.parse().ok()? {
        std::net::IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            Some(format!("{a}.{b}.{c}.0/24"))
        }
        std::net::IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Some(format!("{a:x}:{b:x}:{c:x}:{d:x}::/64"))
        }
    }
}

fn explain(case: &Case<'_>, partition: &Partition, nodes: &[Arc<Node>]) -> Finding {
    let count = partition.silent.len();
    let names = || Text::names(partition.silent.iter().cloned(), 6);
    let (title, what): (Text, Text) = match &partition.shared {
        Shared::Zone(zone) => (
            text![count, " nodes of zone ", name(zone.clone()), " fell silent at once: ", names()],
            text!["They share the zone ", name(zone.clone()), ", no node of it is Ready, and nodes elsewhere are"],
        ),
        Shared::Subnet(subnet) => (
            text![count, " nodes of subnet ", name(subnet.clone()), " fell silent at once: ", names()],
            text!["They share the subnet ", name(subnet.clone()), ", no node of it is Ready, and nodes elsewhere are"],
        ),
        Shared::Everything => (
            text!["All ", count, " nodes fell silent at once: ", names()],
            text![
                "Not one node is Ready, so it is hardly their kubelets: suspect the way to the API server (address, load balancer, \
                 firewall, certificates) or the control plane itself. The controller manager evicts nothing meanwhile (full \
                 disruption)"
            ],
        ),
    };
    let still =
        (!partition.ready.is_empty()).then(|| text![" (", Text::names(partition.ready.iter().cloned(), 3), ")"]);
    let finding = case
        .finding(Code::NetworkPartition)
        .confidence(Confidence::Likely)
        .root(partition.root())
        .title(title)
        .explain(text![
            "Their kubelets stopped reporting within a minute, at ",
            partition.since,
            ". ",
            what,
            still,
            ". Machines do not fail together: the network between them and the control plane, or the place itself, has. Their \
             pods may still run, cut off."
        ])
        .since(Some(partition.since));
    let finding = nodes
        .iter()
        .filter(|node| partition.holds(node_state::name_of(node)))
        .take(4)
        .filter_map(|node| node_state::condition(node, "Ready").map(|ready| node_state::evidence(node, ready)))
        .fold(finding, Finding::evidence);
    let finding = match &partition.shared {
        Shared::Zone(zone) => finding.evidence(labels_evidence(partition, "topology.kubernetes.io/zone", zone)),
        Shared::Subnet(subnet) => finding.evidence(labels_evidence(partition, "InternalIP", subnet)),
        Shared::Everything => finding,
    };
    fixes(case, partition, nodes, finding)
}

fn labels_evidence(partition: &Partition, key: &str, value: &str) -> Evidence {
    let object = ObjectRef::virtual_("Nodes", "all");
    Evidence::field(&object, key, format!("{value}: {}", partition.silent.join(", ")))
}

fn fixes(case: &Case<'_>, partition: &Partition, nodes: &[Arc<Node>], finding: Finding) -> Finding {
    let first = nodes.iter().find(|node| partition.holds(node_state::name_of(node)));
    let ping = first
        .and_then(|node| node_state::address(node))
        .map(|address| format!("ping -c 3 {0}; nc -vz {0} 10250", crate::case::shell_quoted(address)));
    let look = match &partition.shared {
        Shared::Zone(_) => {
            text!["see the state of the zone at the cloud, and the network between it and the control plane"]
        }
        Shared::Subnet(_) => text!["see what the subnet hangs on: switch, route, firewall, NAT"],
        Shared::Everything => text!["see whether nodes reach the API server's address, from a node"],
    };
    let look = Fix::safe(look).command(case.kubectl_cluster([
        "get",
        "nodes",
        "-o",
        "wide",
        "-L",
        "topology.kubernetes.io/zone",
    ]));
    let look = match ping {
        Some(ping) => look.command(ping),
        None => look,
    };
    let look = if partition.shared == Shared::Everything {
        look.command("curl -k \"$(sed -n 's/.*server: //p' /etc/kubernetes/kubelet.conf)/livez\"")
    } else {
        look
    };
    finding
        .fix(look)
        .fix(
            Fix::safe(text!["on one of the nodes, see whether its kubelet runs and what it does not reach"]).command(
                "systemctl status kubelet; journalctl -u kubelet --since '30 min ago' --no-pager | tail -n 50",
            ),
        )
        .fix(Fix::safe(text![
            "leave the nodes and their pods: they come back with the network. Delete a Node, or set ",
            code("node.kubernetes.io/out-of-service"),
            " on it, only when its machine is surely off"
        ]))
}
