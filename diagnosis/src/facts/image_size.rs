//! How large an image is, as another node tells that has it.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{Node, Pod};
use kubewhy_text::{Text, code, name, text};

use crate::ask::{Filter, Selector};
use crate::case::Case;
use crate::finding::{Evidence, ObjectRef};
use crate::kind::Kind;
use crate::parse::quantity::bytes;
use crate::pods;
use crate::reader::Needs;

/// Labels that tell the replicas of a `StatefulSet` apart; all others of a pod are those of its template.
const OF_ONE_REPLICA: [&str; 2] = ["statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"];

/// The sentence about the size of an image that has been pulled for so long, with the fact it rests on. A replica that
/// runs the same image elsewhere is looked for, and its node is asked; none where there is no such replica.
///
/// # Errors
/// [`Needs`] where the replicas or the node have not been asked yet.
pub(crate) fn told_elsewhere(
    case: &Case<'_>,
    image: &str,
    age: SignedDuration,
) -> Result<Option<(Text, Evidence)>, Needs> {
    let Some(replica_node) = node_that_has_it(case, image)? else { return Ok(None) };
    let Some(node) = case.get::<Node>(None, &replica_node)?.found() else { return Ok(None) };
    let images = node.status.iter().flat_map(|status| status.images.iter().flatten());
    let is_it = |names: &[String]| names.iter().any(|known| known == image || known.ends_with(&format!("/{image}")));
    let size = images
        .filter(|known| is_it(known.names.as_deref().unwrap_or_default()))
        .find_map(|known| known.size_bytes)
        .map(i128::from)
        .filter(|size| *size > 0);
    let Some(size) = size else { return Ok(None) };
    let seconds = i128::from(age.as_secs().max(1));
    let sentence = text![
        "On node ",
        name(replica_node.as_str()),
        " the image takes ",
        code(bytes(size)),
        ", so less than ",
        code(format!("{}/s", bytes(size / seconds))),
        " has come through here so far."
    ];
    let reference = ObjectRef::new(Kind::Node, None, &replica_node);
    Ok(Some((sentence, Evidence::field(&reference, ".status.images", format!("{image}: sizeBytes {size}")))))
}

fn node_that_has_it(case: &Case<'_>, image: &str) -> Result<Option<String>, Needs> {
    let owned = case.meta().owner_references.iter().flatten().any(|owner| owner.controller == Some(true));
    let Some(mut labels) = case.meta().labels.clone().filter(|_| owned) else { return Ok(None) };
    labels.retain(|key, _| !OF_ONE_REPLICA.contains(&key.as_str()));
    if labels.is_empty() {
        return Ok(None);
    }
    let replicas = case.list::<Pod>(case.namespace(), Filter::Labels(Selector::labels(&labels)))?.found();
    let here = case.pod().and_then(pods::node_name);
    let has_it =
        |pod: &Pod| pods::containers(pod).any(|container| container.image() == image && container.running().is_some());
    let elsewhere = |pod: &Pod| pods::node_name(pod).filter(|node| Some(*node) != here).map(str::to_owned);
    Ok(replicas.iter().flatten().filter(|pod| has_it(pod)).find_map(|pod| elsewhere(pod)))
}
