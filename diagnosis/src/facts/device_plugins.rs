//! The pods that offer devices to the kubelet: which run on the nodes that a pod could use, and how they fare.

use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, code, name, text};

use crate::case::Case;
use crate::facts::capacity::shortage::pods_on;
use crate::facts::capacity::sites::Site;
use crate::pods;
use crate::reader::{Needs, Read};

/// So many nodes are looked at.
const LOOKED_AT: usize = 3;

/// What can be said of the plugin pods for a resource on these nodes; none where the nodes' pods could not be read.
///
/// # Errors
/// [`Needs`] where they have not been asked yet.
pub(crate) fn told(case: &Case<'_>, resource: &str, sites: &[&Site]) -> Result<Option<Text>, Needs> {
    let vendor = vendor(resource);
    let has_sign = |site: &&&Site| {
        let labels = site.node.metadata.labels.iter().flatten();
        labels.into_iter().any(|(key, value)| key.contains(vendor) || value.contains(vendor))
    };
    let mut nodes: Vec<&str> = sites.iter().filter(has_sign).map(|site| site.name()).take(LOOKED_AT).collect();
    if nodes.is_empty() {
        nodes = sites.iter().map(|site| site.name()).take(LOOKED_AT).collect();
    }
    if nodes.is_empty() {
        return Ok(None);
    }
    let Read::Found(there) = pods_on(case, nodes.clone())? else { return Ok(None) };
    let is_plugin = |pod: &Pod| {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        name.contains("device-plugin") && (name.contains(vendor) || !is_of_known_vendor(name))
    };
    let plugins: Vec<&Pod> = there.iter().map(|pod| &**pod).filter(|pod| is_plugin(pod)).collect();
    let Some(first) = plugins.first().copied() else {
        return Ok(Some(text!["No pod of a device plugin runs on ", Text::names(nodes, LOOKED_AT), "."]));
    };
    let shown = plugins.iter().find(|pod| !pods::is_true(pod, "Ready")).copied().unwrap_or(first);
    let path = format!(
        "{}/{}",
        shown.metadata.namespace.as_deref().unwrap_or_default(),
        shown.metadata.name.as_deref().unwrap_or_default()
    );
    Ok(Some(text![
        "Its plugin pod ",
        name(path),
        " on node ",
        name(pods::node_name(shown).unwrap_or_default()),
        " is ",
        code(pods::in_short(shown)),
        "."
    ]))
}

/// `nvidia` of `nvidia.com/gpu`.
fn vendor(resource: &str) -> &str {
    let domain = resource.split('/').next().unwrap_or_default();
    let labels = domain.trim_end_matches(".com").rsplit('.').next();
    labels.filter(|label| !label.is_empty()).unwrap_or(domain)
}

fn is_of_known_vendor(name: &str) -> bool {
    ["nvidia", "amd", "intel", "rdma", "sriov"].iter().any(|vendor| name.contains(vendor))
}
