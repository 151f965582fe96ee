//! Commands and sentences that several causes of the stage share.

use kubewhy_text::{Text, name, text};

use crate::case::Case;
use crate::facts::capacity::shortage::Shortage;
use crate::facts::capacity::sites::Site;
use crate::finding::{Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::quantity::Amount;
use crate::reader::Needs;

/// The command that opens what the pod is made from; a pod without a controller is shown, for it has to be made anew.
pub(crate) fn edit_template(case: &Case<'_>) -> Result<String, Needs> {
    let owner = case.controllers(case.object())?.pop();
    Ok(match owner {
        Some(owner) => case.kubectl(["edit", &owner.kind.to_lowercase(), &owner.name]),
        None => case.kubectl(["get", "pod", case.name(), "-o", "yaml"]),
    })
}

/// The nodes' names as a list, the first few of them.
pub(crate) fn names(sites: &[&Site]) -> Text {
    Text::names(sites.iter().map(|site| site.name()), 4)
}

/// The root where nodes are the matter: the node where it is one, else the cluster's nodes.
pub(crate) fn root_of_nodes(sites: &[&Site], what: &str) -> ObjectRef {
    match sites {
        [one] => ObjectRef::new(Kind::Node, None, one.name()),
        _ => ObjectRef::virtual_("Cluster", what),
    }
}

/// Who uses most of what lacks, and how much of it pods of lower priority hold.
pub(crate) fn users(shortage: &Shortage, own_priority: i32) -> Option<Text> {
    let users = shortage.users();
    let (first, ..) = users.first()?;
    let most = users.first().map(|(_, node, amount, _)| (node.clone(), shortage.show(*amount)))?;
    let lower: Amount =
        users.iter().filter(|(_, _, _, priority)| *priority < own_priority).map(|(_, _, amount, _)| *amount).sum();
    let lower = (lower > Amount::ZERO)
        .then(|| text![" Pods of lower priority hold ", kubewhy_text::own(shortage.show(lower)), " of it."]);
    Some(text![
        "Most is held by Pod ",
        name(first.clone()),
        " on ",
        name(most.0),
        " (",
        kubewhy_text::own(most.1),
        ").",
        lower,
    ])
}

/// A step that shows what the pods of a node ask for.
pub(crate) fn look_at_node(case: &Case<'_>, node: &str) -> Fix {
    Fix::safe(text!["see what the pods of Node ", name(node), " request"])
        .command(case.kubectl_cluster(["describe", "node", node]))
}
