//! `node-disk-pressure`.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Node;
use kubewhy_text::{Text, code, name, own, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::event::Event;
use crate::facts::node_pressure::Evicted;
use crate::facts::{node_advice, node_load, node_pressure, node_state};
use crate::finding::{Confidence, Evidence, Finding, Fix, Severity};
use crate::parse::eviction::Pressure;
use crate::parse::quantity::bytes;

cause! {
    /// ## What it means
    /// A disk of the node is nearly full (bytes or inodes, of the kubelet's or the images' file system): its kubelet removes
    /// images, evicts pods and takes no new ones.
    /// ## Signals
    /// Condition DiskPressure True, `KubeletHasDiskPressure`, `kubelet has disk pressure`; taint
    /// `node.kubernetes.io/disk-pressure`; Node events `EvictionThresholdMet` `Attempting to reclaim ephemeral-storage` or
    /// `inodes`, `FreeDiskSpaceFailed`, `ImageGCFailed`, `ContainerGCFailed`. A pod refused with `The node had condition:
    /// [DiskPressure]`. `InvalidDiskCapacity` `invalid capacity 0 on image filesystem` once at the kubelet's start is harmless.
    /// ## Look-alikes
    /// `evicted-disk`: a pod that ran was evicted for it. `evicted-ephemeral-limit`: one pod over its own limit.
    /// `image-disk-full`: a pull found no room. `node-disk-io-error`: the disk is broken, not full.
    /// ## Fixes
    /// Remove images and old logs, find what writes, limit ephemeral storage, enlarge the disk; the condition goes by itself
    /// 5 minutes after there is room.
    /// ## Source
    /// pkg/kubelet/eviction; pkg/kubelet/images/image_gc_manager.go.
    NodeDiskPressure, stage Node, since "0.1.0", detect
}

/// Events that tell of a full disk, whatever the condition says.
const FULL: [&str; 3] = ["FreeDiskSpaceFailed", "ImageGCFailed", "ContainerGCFailed"];

fn detect(case: &Case<'_>) -> Verdict {
    let Some(node) = node_state::subject(case) else {
        return node_pressure::of_refused_pod(case, "DiskPressure", Code::NodeDiskPressure, "disk space");
    };
    let event = node_state::recent_event(case, &node, &FULL, |event| !is_start_noise(event));
    let Some(condition) = node_pressure::now(&node, "DiskPressure") else {
        return Ok(cannot_clean_up(case, &node, event?).into_iter().collect());
    };
    let load = node_load::of(case, &node, "ephemeral-storage");
    let threshold = node_state::recent_event(case, &node, &["EvictionThresholdMet"], |event| is_disk(&event.message));
    let evicted = node_pressure::evicted(case, &node, Pressure::Disk);
    let (event, load, threshold, evicted) = (event?, load?, threshold?, evicted?);
    let inodes = threshold.as_ref().is_some_and(|event| event.message.contains("inodes"));
    let what = if inodes { "inodes (too many small files)" } else { "space" };
    let finding = node_pressure::start(case, &node, condition, Code::NodeDiskPressure)
        .title(text!["A disk of ", node_state::called(&node), " is nearly full (DiskPressure)"])
        .explain(text![
            "The kubelet found too little ",
            what,
            " on its own or the images' file system (by default below 10 or 15 % free). It removes unused images and \
             evicts pods, and takes no new ones until 5 minutes after there is room again."
        ])
        .also(event.as_ref().map(|event| cleaning(event)))
        .also(images(&node))
        .also(node_pressure::told(&evicted))
        .also(load.sentence())
        .evidence(evicted.first().map(Evicted::evidence))
        .evidence(threshold.map(|event| Evidence::event(&event)))
        .evidence(event.map(|event| Evidence::event(&event)));
    Ok(vec![fixes(case, &node, finding, inodes)])
}

/// At its start a kubelet has no figures yet, and says so once.
fn is_start_noise(event: &Event) -> bool {
    event.message.contains("invalid capacity 0") || event.message.contains("unable to find data in memory cache")
}

fn is_disk(message: &str) -> bool {
    ["ephemeral-storage", "inodes", "nodefs", "imagefs", "containerfs"].iter().any(|word| message.contains(word))
}

/// No pressure yet, and the kubelet cannot get the disk below its mark.
fn cannot_clean_up(case: &Case<'_>, node: &Node, event: Option<Arc<Event>>) -> Option<Finding> {
    let event = event?;
    let about_disk = event.reason == "FreeDiskSpaceFailed" || event.message.contains("bytes");
    if !about_disk || event.count < 2 {
        return None;
    }
    let finding = case
        .finding(Code::NodeDiskPressure)
        .root(node_state::reference(node))
        .severity(Severity::Warning)
        .confidence(Confidence::Likely)
        .title(text!["The images' disk of ", node_state::called(node), " is filling up: the kubelet cannot free enough of it"])
        .explain(text![
            "The disk is over the mark at which the kubelet removes unused images (by default 85 % used), and what it could \
             remove is too little: pods, logs or files outside Kubernetes take it. Pods are evicted when it goes on."
        ])
        .also(cleaning(&event))
        .evidence(Evidence::event(&event))
        .since(event.first);
    Some(fixes(case, node, finding, false))
}

/// What the kubelet says of its cleaning.
fn cleaning(event: &Event) -> Text {
    let number = |after: &str| -> Option<i128> {
        let (_, rest) = event.message.split_once(after)?;
        rest.split(|c: char| !c.is_ascii_digit()).find(|word| !word.is_empty())?.parse().ok()
    };
    let wanted = number("Attempted to free ").or_else(|| number("wanted to free "));
    let got = number("only found ").or_else(|| number("freed "));
    match (wanted, got) {
        (Some(wanted), Some(got)) => text![
            "It wanted to free ",
            own(bytes(wanted)),
            " of images and found ",
            own(bytes(got)),
            " that nobody uses: the rest is taken by something else."
        ],
        _ => text!["The kubelet says: ", quoted(event.message.clone()), "."],
    }
}

/// What the images on the node take, as far as its status lists them.
fn images(node: &Node) -> Option<Text> {
    let images = node.status.as_ref()?.images.as_ref()?;
    let sum: i128 = images.iter().filter_map(|image| image.size_bytes).map(i128::from).sum();
    let largest = images.iter().max_by_key(|image| image.size_bytes)?;
    let size = i128::from(largest.size_bytes?);
    let called =
        largest.names.as_ref()?.iter().find(|name| !name.contains("@sha256:")).or(largest.names.as_ref()?.first())?;
    Some(text![
        "Its ",
        images.len(),
        " listed images take ",
        own(bytes(sum)),
        ", the largest ",
        name(called.clone()),
        " ",
        own(bytes(size)),
        "."
    ])
}

fn fixes(case: &Case<'_>, node: &Node, finding: Finding, inodes: bool) -> Finding {
    let node_name = node_state::name_of(node);
    let look = Fix::safe(text!["on node ", name(node_name), ", see which file system is full and what fills it"])
        .command(node_advice::shell(case, node))
        .command("df -h; df -i");
    let look = if inodes {
        look.command("find / -xdev -printf '%h\\n' | sort | uniq -c | sort -rn | head -n 20")
    } else {
        look.command("du -xh -d 2 /var/lib /var/log 2>/dev/null | sort -rh | head -n 20")
    };
    finding
        .fix(look)
        .fix(
            Fix::disruptive(text!["free space: images that no container uses, and old journals"])
                .command("crictl rmi --prune")
                .command("journalctl --vacuum-size=500M"),
        )
        .fix(Fix::disruptive(text![
            "set ",
            code("ephemeral-storage"),
            " limits on pods that write to local disk, rotate logs, or give the node a larger disk"
        ]))
}
