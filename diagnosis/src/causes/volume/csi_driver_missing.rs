//! `csi-driver-missing`.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode};
use kubewhy_text::{Text, name, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::mounts::{self, What};
use crate::facts::operators;
use crate::finding::{Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::mount::{self, Trouble};
use crate::pods;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The storage driver of the volume is not registered on the node, so the kubelet cannot mount anything with it.
    /// ## Signals
    /// FailedMount with `driver name NAME not found in the list of registered CSI drivers`; FailedAttachVolume with
    /// `CSINode NODE does not contain driver NAME`; `volume mode "Ephemeral" not supported by driver NAME (no CSIDriver
    /// object)`; from 1.35 the scheduler's `NAME CSI driver is not installed on the node`.
    /// ## Look-alikes
    /// `volume-mount-failed`, `volume-attach-failed`: the driver is there and fails. `pvc-provisioning-failed`: its
    /// controller does not run, so there is no volume yet.
    /// ## Fixes
    /// Bring up the driver's pod on that node: its DaemonSet may not tolerate the node's taints, or its kubelet
    /// directory may be another one than the driver was told.
    /// ## Source
    /// pkg/volume/csi/csi_client.go, csi_plugin.go, csi_attacher.go.
    CsiDriverMissing, stage Volume, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for holdup in mounts::of_kind(case, What::DriverMissing)? {
        if let Trouble::DriverMissing(driver) = mount::trouble("", &holdup.error) {
            found.push(explain(case, driver, Evidence::event(&holdup.event))?);
        }
    }
    if let Some((driver, words)) = of_scheduler(case) {
        let evidence = case.field(".status.conditions[PodScheduled]", words);
        found.push(explain(case, &driver, evidence)?);
    }
    Ok(found)
}

/// `1 NAME CSI driver is not installed on the node`
fn of_scheduler(case: &Case<'_>) -> Option<(String, String)> {
    let pod = case.pod().filter(|pod| pods::node_name(pod).is_none())?;
    let condition = pods::condition(pod, "PodScheduled").filter(|condition| condition.status == "False")?;
    let words = condition.message.clone()?;
    let (before, _) = words.split_once(" CSI driver is not installed on the node")?;
    let driver = before.rsplit(' ').next().unwrap_or_default().to_owned();
    Some((driver, words))
}

fn explain(case: &Case<'_>, driver: &str, evidence: Evidence) -> Result<Finding, Needs> {
    let node = mounts::node_name(case);
    let object = case.get::<CSIDriver>(None, driver);
    let of_node = if node.is_empty() { Ok(Read::Unreadable) } else { case.get::<CSINode>(None, &node) };
    let absent = object?.is_absent();
    let registered: Option<Vec<String>> =
        of_node?.found().map(|of_node| of_node.spec.drivers.iter().map(|driver| driver.name.clone()).collect());
    // A driver that is installed is only down here: a similar name would lead astray.
    let known = registered.iter().flatten().filter(|_| absent).map(String::as_str);
    let nearest = crate::nearest::nearest(driver, known);
    let place = if node.is_empty() { text!["the nodes"] } else { text!["node ", name(&node)] };
    let has = registered.map(|all| {
        if all.is_empty() {
            text![" No driver at all is registered there."]
        } else {
            text![" Registered there: ", Text::names(all, 6), "."]
        }
    });
    let installed = if absent {
        text![" The cluster has no CSIDriver ", name(driver), " either: it is not installed, or its name is another."]
    } else {
        text![" Most likely the driver's own pod does not run there."]
    };
    let nearest = nearest.map(|nearest| text![" Did you mean ", name(nearest), "?"]);
    let root = if absent || node.is_empty() {
        ObjectRef::new(Kind::CSIDriver, None, driver)
    } else {
        ObjectRef::new(Kind::CSINode, None, &node).with_detail(driver)
    };
    let start = Fix::safe(text![
        "bring up the pod of driver ",
        name(driver),
        " on ",
        place.clone(),
        " (taints it does not tolerate, image, crash)"
    ]);
    let start = if node.is_empty() {
        start
    } else {
        start.command(format!("kubectl get pods -A -o wide --field-selector spec.nodeName={node}"))
    };
    let (its_pod, of_daemon) = if absent || node.is_empty() { (None, None) } else { daemon(case, driver, &node)? };
    let finding = case.finding(Code::CsiDriverMissing).root(root);
    let finding = match its_pod {
        // What keeps the driver's pod from running keeps the driver from being registered.
        Some(pod) => finding.caused_in(pod),
        None => finding,
    };
    Ok(finding
        .title(text!["Storage driver ", name(driver), " is not registered on ", place.clone()])
        .explain(text![
            "Pod ",
            name(case.name()),
            " has a volume of storage driver ",
            name(driver),
            ", and that driver is not registered on ",
            place,
            ", so the volume cannot be used there.",
            has,
            installed,
            nearest,
        ])
        .also(of_daemon)
        .evidence(evidence)
        .fix(start.command(case.kubectl_cluster(["get", "csidriver,csinode"]))))
}

/// The driver's pod on the node where it is there and not ready, and what is to be said of its `DaemonSet`.
fn daemon(case: &Case<'_>, driver: &str, node: &str) -> Result<(Option<ObjectRef>, Option<Text>), Needs> {
    let Some(daemon) = operators::daemon(case, driver)? else { return Ok((None, None)) };
    let path = daemon.workload.path();
    let Read::Found(on_node) = case.list::<Pod>(None, Filter::OnNode(node.to_owned()))? else {
        return Ok((None, None));
    };
    let is_its = |pod: &&Arc<Pod>| {
        pod.metadata.namespace == daemon.workload.namespace
            && pod
                .metadata
                .owner_references
                .iter()
                .flatten()
                .any(|owner| owner.kind == "DaemonSet" && owner.name == daemon.workload.name)
    };
    let Some(pod) = on_node.iter().find(is_its) else {
        return Ok((None, Some(text!["Its DaemonSet ", name(path), " has no pod on node ", name(node), "."])));
    };
    let own = pod.metadata.name.as_deref().unwrap_or_default();
    if pods::is_true(pod, "Ready") {
        let ready =
            text!["Its pod ", name(own), " of DaemonSet ", name(path), " is ready there and has not registered it."];
        return Ok((None, Some(ready)));
    }
    let reference = ObjectRef::new(Kind::Pod, pod.metadata.namespace.as_deref(), own);
    Ok((Some(reference), Some(text!["Its pod ", name(own), " of DaemonSet ", name(path), " is not ready there."])))
}
