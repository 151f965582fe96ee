//! How well volumes fit a claim: which come into question, and why each does not.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{ObjectReference, PersistentVolume, PersistentVolumeClaim, VolumeMount};
use kubewhy_text::{Text, code, name, own, text};

use crate::case::Case;
use crate::facts::claims::wanted_size;
use crate::parse::quantity::Amount;
use crate::pods::{self, ContainerView};

/// The volume's phase.
pub(crate) fn phase(volume: &PersistentVolume) -> &str {
    volume.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

/// The class that a volume carries; empty for none.
pub(crate) fn class(volume: &PersistentVolume) -> &str {
    volume.spec.as_ref().and_then(|spec| spec.storage_class_name.as_deref()).unwrap_or_default()
}

/// The volumes that come into question, the nearest first: those of the class, then by how little is wrong with them.
pub(crate) fn by_fitness(
    claim: &PersistentVolumeClaim,
    wanted: &str,
    mut volumes: Vec<Arc<PersistentVolume>>,
) -> Vec<Arc<PersistentVolume>> {
    let bound_elsewhere = |volume: &Arc<PersistentVolume>| phase(volume) == "Bound";
    volumes.sort_by_cached_key(|volume| {
        (
            class(volume) != wanted,
            bound_elsewhere(volume),
            misfits(claim, wanted, volume).len(),
            volume.metadata.name.clone(),
        )
    });
    volumes
}

/// Why a volume does not fit a claim; empty where it does.
pub(crate) fn misfits(claim: &PersistentVolumeClaim, wanted: &str, volume: &PersistentVolume) -> Vec<Text> {
    let mut why = Vec::new();
    let (Some(spec), Some(wants)) = (volume.spec.as_ref(), claim.spec.as_ref()) else { return why };
    why.extend(taken(claim, volume));
    if class(volume) != wanted {
        why.push(text!["its class is ", named_or_none(class(volume)), ", the claim's ", named_or_none(wanted)]);
    }
    let (size, least) = (Amount::in_list(spec.capacity.as_ref(), "storage"), wanted_size(claim));
    if let (Some(size), Some(least)) = (size, least)
        && size < least
    {
        why.push(text!["it holds ", own(size.show("storage")), " and the claim asks for ", own(least.show("storage"))]);
    }
    let offers: Vec<String> = spec.access_modes.clone().unwrap_or_default();
    let lacking = |mode: &&String| !offers.contains(mode);
    if let Some(mode) = wants.access_modes.iter().flatten().find(lacking) {
        let offers = if offers.is_empty() { "nothing".to_owned() } else { offers.join(", ") };
        why.push(text!["it offers ", code(offers), " and the claim asks for ", code(mode.clone())]);
    }
    let mode = |mode: Option<&String>| mode.cloned().unwrap_or_else(|| "Filesystem".to_owned());
    let (has, asked) = (mode(spec.volume_mode.as_ref()), mode(wants.volume_mode.as_ref()));
    if has != asked {
        why.push(text!["its volumeMode is ", code(has), ", the claim's ", code(asked)]);
    }
    if let Some(selector) = &wants.selector {
        let selector = crate::ask::Selector::from_api(selector);
        if !selector.matches(volume.metadata.labels.as_ref()) {
            why.push(text!["its labels do not match the claim's selector ", code(selector.to_string())]);
        }
    }
    if volume.metadata.deletion_timestamp.is_some() {
        why.push(text!["it is being deleted"]);
    }
    why
}

fn named_or_none(class: &str) -> Text {
    if class.is_empty() { text!["none"] } else { text![name(class)] }
}

/// Another claim, alive or gone, has the volume.
fn taken(claim: &PersistentVolumeClaim, volume: &PersistentVolume) -> Option<Text> {
    let holder = volume.spec.as_ref()?.claim_ref.as_ref();
    let path = |holder: &ObjectReference| {
        format!("{}/{}", holder.namespace.as_deref().unwrap_or_default(), holder.name.as_deref().unwrap_or_default())
    };
    let ours = holder.is_some_and(|holder| {
        holder.name == claim.metadata.name
            && holder.namespace == claim.metadata.namespace
            && holder.uid.as_deref().is_none_or(|uid| uid.is_empty() || claim.metadata.uid.as_deref() == Some(uid))
    });
    match (phase(volume), holder) {
        ("Released", Some(holder)) => {
            Some(text!["it is Released: its ", code("claimRef"), " still names the deleted claim ", name(path(holder))])
        }
        ("Released", None) => Some(text!["it is Released"]),
        ("Failed", _) => Some(text!["it is Failed: it could not be cleaned up"]),
        (_, Some(holder)) if !ours => Some(text!["it belongs to claim ", name(path(holder))]),
        _ => None,
    }
}

/// Where on the node a mount of a hostPath volume comes to.
pub(crate) fn node_path(case: &Case<'_>, mount: &VolumeMount) -> Option<String> {
    let spec = case.pod().and_then(pods::spec)?;
    let volume = spec.volumes.iter().flatten().find(|volume| volume.name == mount.name)?;
    let base = volume.host_path.as_ref()?.path.trim_end_matches('/');
    let below = mount.sub_path.as_deref().map(|path| path.trim_matches('/')).filter(|path| !path.is_empty());
    Some(below.map_or_else(|| base.to_owned(), |below| format!("{base}/{below}")))
}

/// The mount of a hostPath volume, and the path of the node that is not there, where the kubelet says
/// `stat PATH: no such file or directory` before it makes the container.
pub(crate) fn absent_on_node<'c>(
    case: &Case<'_>,
    container: &ContainerView<'c>,
    message: &str,
) -> Option<(&'c VolumeMount, String)> {
    if container.waiting_reason() != "CreateContainerConfigError" {
        return None;
    }
    let rest = message.strip_prefix("stat ").or_else(|| message.strip_prefix("lstat "))?;
    let (path, _) = rest.split_once(": no such file or directory")?;
    let path = path.trim_end_matches('/');
    let below = |inner: &str, outer: &str| inner == outer || inner.starts_with(&format!("{outer}/"));
    container.spec.volume_mounts.iter().flatten().find_map(|mount| {
        let on_node = node_path(case, mount).filter(|on_node| !on_node.is_empty() && !path.is_empty())?;
        (below(path, &on_node) || below(&on_node, path)).then(|| (mount, path.to_owned()))
    })
}
