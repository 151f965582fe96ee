//! Facts of evictions: which pressure took a pod, and by how much.

use k8s_openapi::api::core::v1::Node;
use kubewhy_text::{Text, code, name, own, text};

use crate::case::{Case, Verdict};
use crate::causes::Code;
use crate::facts::node_pressure;
use crate::facts::owner::edited;
use crate::finding::{Action, Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::eviction::{self, Pressure, Status, Use};
use crate::parse::quantity::Amount;
use crate::pods;
use crate::reader::{Needs, Read};

/// The finding of that code where the pod was evicted because its node ran low on that.
///
/// # Errors
/// [`Needs`] where the node or a controller has not been asked yet.
pub(crate) fn evicted(case: &Case<'_>, code_: Code, wanted: Pressure) -> Verdict {
    let Some(Status::NodeLow { pressure, resource, threshold, available, users }) = case.pod().and_then(eviction::of)
    else {
        return Ok(Vec::new());
    };
    if pressure != wanted {
        return Ok(Vec::new());
    }
    let node = case.pod().and_then(pods::node_name).unwrap_or_default();
    let state = case.node()?;
    let greedy: Vec<&Use> = users.iter().filter(|one| is_over(one)).collect();
    let biggest = greedy.iter().max_by_key(|one| Amount::parse(&one.used)).copied();
    let amount = |text: &Option<String>| text.as_deref().map(|text| shown(text, &resource));
    let left = amount(&available).map(|left| text![": ", code(left), " left"]);
    let below = amount(&threshold).map(|below| text![", and the kubelet evicts below ", code(below)]);
    let what = match (pressure, resource.as_str()) {
        (Pressure::Memory, _) => "memory",
        (Pressure::Disk, "inodes" | "nodefsInodes" | "imagefsInodes") => "inodes of its disk",
        (Pressure::Disk, _) => "disk space (ephemeral-storage)",
        (Pressure::Pids, _) => "process ids (pids)",
    };
    let title = if let Some(one) = biggest {
        text![
            "Evicted: node ",
            name(node),
            " ran low on ",
            what,
            "; ",
            name(one.who.as_str()),
            " used ",
            code(shown(&one.used, &resource)),
            ", requested ",
            code(shown(&one.request, &resource))
        ]
    } else {
        text!["Evicted: node ", name(node), " ran low on ", what]
    };
    let finding = case
        .finding(code_)
        .title(title)
        .explain(text!["Node ", name(node), " ran low on ", what, left, below, ", and so it ended this pod."])
        .also(others(&greedy, &resource, pressure))
        .also(how_it_is_now(&state, pressure))
        .evidence(message(case))
        .since(case.pod().and_then(pods::newest_time));
    let finding = match biggest {
        Some(one) => by_request(case, finding, one, pressure, &resource)?,
        None => finding.root(ObjectRef::new(Kind::Node, None, node)),
    };
    let finding = if biggest.is_some() { finding.via(ObjectRef::new(Kind::Node, None, node)) } else { finding };
    // The eviction leads; what the node is short of still is said with it.
    let lasts = state.found().is_some_and(|node| node_pressure::now(&node, condition_of(pressure)).is_some());
    let finding = if lasts { finding.explained_by(ObjectRef::new(Kind::Node, None, node)) } else { finding };
    Ok(vec![finding.fix(node_fix(case, node, pressure)).fix(clean_up(case))])
}

fn is_over(one: &Use) -> bool {
    match (Amount::parse(&one.used), Amount::parse(&one.request)) {
        (Some(used), Some(request)) => used > request,
        _ => true,
    }
}

fn shown(amount: &str, resource: &str) -> String {
    let unit = if matches!(resource, "memory" | "ephemeral-storage" | "nodefs" | "imagefs") { "memory" } else { "" };
    Amount::parse(amount).map_or_else(|| amount.to_owned(), |parsed| parsed.show(unit))
}

fn others(greedy: &[&Use], resource: &str, pressure: Pressure) -> Text {
    if greedy.is_empty() && pressure == Pressure::Pids {
        return text![
            "The kubelet does not tell how many processes the pod had; it takes low priority first, then who has most."
        ];
    }
    if greedy.is_empty() {
        return text!["It had not used more than it had requested: others on the node, or the node itself, took it."];
    }
    let mut text = text!["The kubelet takes first who uses more than requested: "];
    for (index, one) in greedy.iter().enumerate() {
        if index > 0 {
            text.push(", ");
        }
        text.push(name(one.who.as_str()));
        text.push(" used ");
        text.push(code(shown(&one.used, resource)));
        text.push(" of ");
        text.push(code(shown(&one.request, resource)));
    }
    text.push(".");
    text
}

/// The condition by which a node says that it is short of it.
fn condition_of(pressure: Pressure) -> &'static str {
    match pressure {
        Pressure::Memory => "MemoryPressure",
        Pressure::Disk => "DiskPressure",
        Pressure::Pids => "PIDPressure",
    }
}

fn how_it_is_now(node: &Read<std::sync::Arc<Node>>, pressure: Pressure) -> Option<Text> {
    let Read::Found(node) = node else { return None };
    let type_ = condition_of(pressure);
    let conditions = node.status.as_ref()?.conditions.as_ref()?;
    let now = conditions.iter().find(|condition| condition.type_ == type_)?;
    let still = now.status == "True";
    Some(if still {
        let which = if pressure == Pressure::Memory { " without a request" } else { "" };
        text!["The node is still under ", own(type_), ": no new pod", which, " is placed there."]
    } else {
        text!["The node has recovered since."]
    })
}

fn by_request(
    case: &Case<'_>,
    finding: Finding,
    one: &Use,
    pressure: Pressure,
    resource: &str,
) -> Result<Finding, Needs> {
    let who = name(one.who.as_str());
    let used = code(shown(&one.used, resource));
    let title = match pressure {
        Pressure::Memory => {
            text!["request the memory that ", who, " really uses (", used, " when it was evicted) and set a limit"]
        }
        Pressure::Disk => text![
            "have ",
            who,
            " write less to local disk (logs, emptyDir, container layer), or request ",
            code("ephemeral-storage"),
            " for what it uses (",
            used,
            ") and set a limit"
        ],
        Pressure::Pids => text!["have ", who, " start fewer processes and threads (", used, " when it was evicted)"],
    };
    Ok(finding.fix(edited(case, Fix::disruptive(title))?))
}

fn node_fix(case: &Case<'_>, node: &str, pressure: Pressure) -> Fix {
    let title = match pressure {
        Pressure::Memory => {
            text!["see who uses the memory of node ", name(node), ": pods far over their requests, daemons"]
        }
        Pressure::Disk => text![
            "free disk space on node ",
            name(node),
            ": images, logs, files outside Kubernetes; the kubelet tells the heaviest pods and how full each file system is"
        ],
        Pressure::Pids => text![
            "see who has most processes and threads on node ",
            name(node),
            ", and set a limit (",
            code("podPidsLimit"),
            ")"
        ],
    };
    let fix = Fix::safe(title).command(case.kubectl_cluster(["describe", "node", node]));
    if pressure != Pressure::Disk {
        return fix;
    }
    // Who fills the disk stands in no object; the kubelet tells.
    let path = format!("/api/v1/nodes/{node}/proxy/stats/summary");
    let heaviest = r#".pods | sort_by(-."ephemeral-storage".usedBytes)[:10][] | "\(."ephemeral-storage".usedBytes) \(.podRef.namespace)/\(.podRef.name)""#;
    let sizes = r".node | {nodefs: .fs, imagefs: .runtime.imageFs}";
    let raw = case.kubectl_cluster(["get", "--raw", path.as_str()]);
    fix.command(format!("{raw} | jq -r '{heaviest}'")).command(format!("{raw} | jq '{sizes}'"))
}

/// The fix that removes the failed pod itself, which stays behind as a record.
pub(crate) fn clean_up(case: &Case<'_>) -> Fix {
    let owned = case.meta().owner_references.iter().flatten().any(|owner| owner.controller == Some(true));
    let title = if owned {
        text!["then delete the failed pod: it is only a record, its controller makes a new one"]
    } else {
        text!["then delete the failed pod, and make it anew if it is needed: no controller does that for it"]
    };
    Fix::safe(title).command(case.kubectl(["delete", "pod", case.name()])).remedy(Action::DeleteFailedPods)
}

/// What the kubelet left in the status.
pub(crate) fn message(case: &Case<'_>) -> Option<Evidence> {
    let status = case.pod().and_then(pods::status)?;
    let condition = case.pod().and_then(|pod| pods::condition(pod, "DisruptionTarget"));
    let words = status.message.as_deref().or_else(|| condition.and_then(|condition| condition.message.as_deref()))?;
    let reason = status.reason.as_deref().unwrap_or("none");
    Some(case.field(".status", format!("reason {reason}, message: {}", words.trim())))
}
