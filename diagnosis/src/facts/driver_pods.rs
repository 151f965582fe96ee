//! The pod of a storage driver on the node of a pod: found by the socket folder that it mounts, with its state.

use k8s_openapi::api::core::v1::{PersistentVolume, Pod};
use kubewhy_text::{Text, code, name, text};

use crate::case::Case;
use crate::facts::neighbours;
use crate::finding::Fix;
use crate::pods;
use crate::reader::Needs;

/// The folder in which drivers have their sockets.
const PLUGINS: &str = "/plugins/";

/// The sentence and the step about the pod of the driver that a persistent volume is of; none where the volume is of no CSI
/// driver or no such pod is seen.
///
/// # Errors
/// [`Needs`] where the volume or the pods of the node have not been asked yet.
pub(crate) fn of_volume(case: &Case<'_>, volume: &str) -> Result<Option<(Text, Fix)>, Needs> {
    if volume.is_empty() {
        return Ok(None);
    }
    let read = case.get::<PersistentVolume>(None, volume)?.found();
    let Some(driver) = read.and_then(|volume| Some(volume.spec.as_ref()?.csi.as_ref()?.driver.clone())) else {
        return Ok(None);
    };
    let there = neighbours::beside(case)?;
    let mut mine = there.iter().filter(|pod| serves(pod, &driver)).peekable();
    let node = case.pod().and_then(pods::node_name).unwrap_or_default();
    let Some(first) = mine.peek().copied() else { return Ok(None) };
    let shown = mine.find(|pod| !pods::is_true(pod, "Ready")).unwrap_or(first);
    let namespace = shown.metadata.namespace.as_deref().unwrap_or_default();
    let pod_name = shown.metadata.name.as_deref().unwrap_or_default();
    let path = format!("{namespace}/{pod_name}");
    let says = text![
        "The pod of driver ",
        name(driver),
        " on node ",
        name(node),
        ", ",
        name(path.as_str()),
        ", is ",
        code(pods::in_short(shown)),
        "."
    ];
    let fix = Fix::safe(text!["read what the driver's pod ", name(path), " says of this volume"])
        .command(case.kubectl_in(namespace, ["logs", pod_name, "--all-containers", "--prefix", "--tail", "50"]));
    Ok(Some((says, fix)))
}

/// Tells whether the pod mounts the folder of that driver's socket.
fn serves(pod: &Pod, driver: &str) -> bool {
    let volumes = pods::spec(pod).into_iter().flat_map(|spec| spec.volumes.iter().flatten());
    let paths = volumes.filter_map(|volume| volume.host_path.as_ref()).map(|host| host.path.as_str());
    paths
        .into_iter()
        .any(|path| path.split_once(PLUGINS).is_some_and(|(_, rest)| rest.split('/').any(|part| part == driver)))
}
