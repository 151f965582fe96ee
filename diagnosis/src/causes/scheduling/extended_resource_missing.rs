//! `extended-resource-missing`.

use std::collections::BTreeSet;

use kubewhy_text::{Text, name, own, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::edit_template;
use crate::facts::capacity::blockers::Blocker;
use crate::facts::capacity::demand::is_extended;
use crate::facts::capacity::shortage::{Shape, Shortage, shortage};
use crate::facts::capacity::sites::{Block, Site};
use crate::facts::device_plugins;
use crate::finding::{Confidence, Evidence, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::quantity::Amount;

cause! {
    /// ## What it means
    /// The pod asks for a device (a GPU, a network card, another resource with a domain in its name) that no node it
    /// may run on offers. Nodes offer devices through a device plugin; without it they have none, whatever hardware
    /// is in them.
    /// ## Signals
    /// Condition `PodScheduled` False `Unschedulable`: `Insufficient nvidia.com/gpu`, and `status.allocatable` of the
    /// nodes lacks the resource or says 0. In `status.capacity` but 0 allocatable means that the plugin calls the
    /// devices unhealthy.
    /// ## Look-alikes
    /// `cluster-out-of-capacity`: the devices exist and are in use. `untolerated-taint`: the nodes with devices are
    /// tainted. `resource-claim-failed`: devices asked for through a ResourceClaim. `rejected-by-kubelet`: the plugin
    /// went away after the pod was placed. `hugepages-unavailable`: huge pages.
    /// ## Fixes
    /// Run the device plugin on the nodes that have the hardware, correct the resource's name, or add such nodes.
    /// ## Source
    /// <https://kubernetes.io/docs/concepts/extend-kubernetes/compute-storage-net/device-plugins/>
    ExtendedResourceMissing, stage Scheduling, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(shortage) = shortage(case)?.filter(|shortage| shortage.shape == Shape::Missing) else {
        return Ok(Vec::new());
    };
    let Some(finding) = shortage.blockers.start(case, Code::ExtendedResourceMissing, Blocker::Capacity) else {
        return Ok(Vec::new());
    };
    let edit = edit_template(case);
    let resource = shortage.resource.clone();
    let sites: Vec<&Site> = shortage.blockers.known().map(|sites| sites.all.iter().collect()).unwrap_or_default();
    let plugins = device_plugins::told(case, &resource, &sites);
    let (edit, plugins) = (edit?, plugins?);
    let offered = offered(&sites);
    let nearest = crate::nearest::nearest(&resource, offered.iter().map(String::as_str))
        .or_else(|| same_vendor(&resource, &offered));
    let unhealthy = sites.iter().find(|site| capacity(site, &resource) > Amount::ZERO);
    let elsewhere: Vec<&&Site> =
        sites.iter().filter(|site| site.allocatable(&resource).unwrap_or_default() > Amount::ZERO).collect();
    let holder = case.containers().find(|container| {
        crate::facts::capacity::demand::asked(container.spec.resources.as_ref(), &resource) > Amount::ZERO
    });
    let finding = if shortage.certain { finding } else { finding.confidence(Confidence::Likely) };
    let finding = match &holder {
        Some(container) => finding.container(container.name()).evidence(case.field(
            &format!("{}.resources.limits[{resource}]", container.spec_path()),
            shortage.show(shortage.asked()),
        )),
        None => finding,
    };
    let finding = finding
        .root(ObjectRef::virtual_("Cluster", &resource))
        .title(text!["No node that Pod ", name(case.reference().path()), " may run on offers ", name(resource.clone())])
        .explain(text![
            "The pod asks for ",
            own(shortage.show(shortage.asked())),
            " of ",
            name(resource.clone()),
            ". A node offers such a device only while its device plugin runs there; ",
            what_is_there(&offered, sites.is_empty()),
        ])
        .also(elsewhere.first().map(|site| {
            text!["Node ", name(site.name()), " offers it, and is shut to this pod (", why_shut(site), ")."]
        }))
        .also(unhealthy.filter(|_| elsewhere.is_empty()).map(|site| {
            text![
                "Node ",
                name(site.name()),
                " has the device and can give none of it: its plugin calls it \
            unhealthy."
            ]
        }))
        .also(plugins)
        .evidence(evidence(&shortage, &sites));
    let rename = nearest.map(|nearest| {
        Fix::disruptive(text!["name the resource that the nodes offer: did you mean ", name(nearest), "?"])
            .command(edit)
    });
    let plugin = Fix::safe(text![
        "see whether the device plugin (a DaemonSet) runs on the nodes that have the hardware, for example of a GPU"
    ])
    .command(case.kubectl_cluster(["get", "daemonsets", "--all-namespaces"]));
    let nodes = Fix::safe(text!["see what each node offers; add nodes that offer ", name(resource)])
        .command(case.kubectl_cluster(["describe", "nodes"]));
    Ok(shortage.blockers.finish(finding.fix(rename).fix(plugin).fix(nodes)))
}

/// The device resources that nodes offer.
fn offered(sites: &[&Site]) -> BTreeSet<String> {
    let lists = sites.iter().filter_map(|site| site.node.status.as_ref()?.allocatable.as_ref());
    let all = lists.flatten().filter(|(resource, amount)| is_extended(resource) && Amount::of(amount) > Amount::ZERO);
    all.map(|(resource, _)| resource.clone()).collect()
}

/// Another resource of the same vendor: `nvidia.com/mig-1g.5gb` for `nvidia.com/gpu`.
fn same_vendor(resource: &str, offered: &BTreeSet<String>) -> Option<String> {
    let vendor = resource.split_once('/')?.0;
    offered.iter().find(|other| other.split_once('/').is_some_and(|(domain, _)| domain == vendor)).cloned()
}

fn capacity(site: &Site, resource: &str) -> Amount {
    let capacity = site.node.status.as_ref().and_then(|status| status.capacity.as_ref());
    Amount::in_list(capacity, resource).unwrap_or_default()
}

fn what_is_there(offered: &BTreeSet<String>, unread: bool) -> Text {
    match (offered.is_empty(), unread) {
        (_, true) => text!["the nodes themselves could not be read."],
        (true, false) => text!["the nodes offer no device at all."],
        (false, false) => text!["the nodes offer ", Text::names(offered.iter().cloned(), 5), "."],
    }
}

fn why_shut(site: &Site) -> Text {
    match site.blocks.first() {
        Some(Block::Selector(key, value)) => text!["label ", name(format!("{key}={value}")), " lacks"],
        Some(Block::Affinity) => text!["node affinity"],
        Some(Block::Taint(taint) | Block::Pressure(taint) | Block::ControlPlane(taint)) => {
            text!["taint ", name(taint.key.clone())]
        }
        Some(Block::Cordoned) => text!["cordoned"],
        _ => text!["not eligible"],
    }
}

fn evidence(shortage: &Shortage, sites: &[&Site]) -> Option<Evidence> {
    let site = sites.iter().find(|site| capacity(site, &shortage.resource) > Amount::ZERO).or(sites.first())?;
    let node = ObjectRef::new(Kind::Node, None, site.name());
    let path = format!(".status.allocatable[{}]", shortage.resource);
    let value = site.allocatable(&shortage.resource).map_or_else(|| "absent".to_owned(), |amount| amount.to_string());
    let capacity = capacity(site, &shortage.resource);
    let capacity = if capacity > Amount::ZERO { format!(" (capacity {capacity})") } else { String::new() };
    Some(Evidence::field(&node, &path, format!("{value}{capacity}")))
}
