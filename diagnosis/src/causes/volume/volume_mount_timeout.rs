//! `volume-mount-timeout`.

use k8s_openapi::api::core::v1::Volume;
use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::mounts::{self, Holdup, What};
use crate::facts::storage_address;
use crate::finding::{Confidence, Evidence, Finding, Fix};
use crate::kind::Kind;
use crate::parse::mount;
use crate::pods;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The pod's volumes do not come, and nothing says why: only that it took too long.
    /// ## Signals
    /// FailedMount `Unable to attach or mount volumes: unmounted volumes=[..], ...: timed out waiting for the
    /// condition` (or `context deadline exceeded`) and no specific event about the volume; a mount or attach whose own
    /// error is only a timeout; VolumePermissionChangeInProgress `Setting volume ownership for DIRECTORY is taking
    /// longer than expected`.
    /// ## Look-alikes
    /// Every other cause of this stage and `configmap-missing`, `secret-missing`: they say why. The summary comes with
    /// all.
    /// ## Fixes
    /// Look at the side that lacks: the driver's controller (attach) or its pod on the node (mount); a slow change of
    /// ownership ends with `fsGroupChangePolicy: OnRootMismatch`.
    /// ## Source
    /// pkg/kubelet/volumemanager/volume_manager.go, pkg/volume/volume_linux.go.
    VolumeMountTimeout, stage Volume, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let all = mounts::holdups(case)?;
    // Whatever gives a reason speaks for all: one volume holds up the others.
    if all.iter().any(|holdup| holdup.what != What::Timeout) {
        return Ok(Vec::new());
    }
    let Some(holdup) = all.last() else { return Ok(Vec::new()) };
    Ok(vec![explain(case, holdup)?])
}

fn explain(case: &Case<'_>, holdup: &Holdup) -> Result<Finding, Needs> {
    let slow = case.newest_event(&["VolumePermissionChangeInProgress"], |_| true)?;
    let summary = mount::summary(&holdup.event.message);
    let lacking: Vec<String> = match &summary {
        Some(summary) => summary.unmounted.iter().map(|volume| (*volume).to_owned()).collect(),
        None => vec![holdup.volume.clone()],
    };
    let node = mounts::node_name(case);
    let attach = summary.as_ref().is_some_and(mount::Summary::waits_for_attach);
    let side = if slow.is_some() {
        text![
            "The kubelet is changing the owner of every file on it (",
            code("fsGroup"),
            "), which takes long on a large volume."
        ]
    } else if attach {
        text!["It is not attached to the node yet: the driver's controller or attacher has not answered."]
    } else {
        text!["The kubelet gives no reason; the driver's pod on that node and the storage network are where to look."]
    };
    let address = match lacking.first() {
        Some(volume) if slow.is_none() => storage_address::of_volume(case, volume)?,
        _ => None,
    };
    let made_of = lacking.iter().find_map(|volume| sources(case, volume));
    let ownership = slow.as_ref().map(|_| {
        Fix::disruptive(text![
            "set ",
            code("securityContext.fsGroupChangePolicy: OnRootMismatch"),
            " in the pod's template: the owner is then changed only where the top directory has the wrong one"
        ])
        .command(case.kubectl(["describe", "pod", case.name()]))
    });
    let confidence = if slow.is_some() { Confidence::Likely } else { Confidence::Possible };
    let mut finding = case.finding(Code::VolumeMountTimeout);
    if let Some(claim) = mounts::only_claim(case) {
        finding = finding.via(case.neighbour(Kind::PersistentVolumeClaim, &claim));
    }
    Ok(finding
        .follows_lead()
        .confidence(confidence)
        .title(text![
            "Volume ",
            Text::names(lacking.clone(), 4),
            " of pod ",
            name(case.name()),
            " does not come up on node ",
            name(&node)
        ])
        .explain(text![
            "Pod ",
            name(case.name()),
            " waits on node ",
            name(&node),
            " for its volume ",
            Text::names(lacking, 4),
            made_of,
            ", and the wait has timed out. ",
            side,
        ])
        .also(address.as_ref().map(|(host, port)| {
            text![
                "Its storage is reached at ",
                name(host.as_str()),
                " port ",
                name(port.as_str()),
                ": a security group or firewall that drops it leaves the mount waiting like that."
            ]
        }))
        .evidence(Evidence::event(&holdup.event))
        .evidence(slow.as_deref().map(Evidence::event))
        .fix(ownership)
        .fix(address.map(|(host, port)| try_the_way(case, &node, &host, &port)))
        .fix(
            Fix::safe(text!["look at the driver's pods on node ", name(&node), " and at the attachment"])
                .command(case.kubectl_cluster(["get", "volumeattachment"]))
                .command(format!("kubectl get pods -A -o wide --field-selector spec.nodeName={node}"))
                .command(case.kubectl(["describe", "pod", case.name()])),
        )
        .since(holdup.event.first))
}

/// The step that tells whether the node reaches the storage at all.
fn try_the_way(case: &Case<'_>, node: &str, host: &str, port: &str) -> Fix {
    let target = format!("node/{node}");
    let words = ["debug", target.as_str(), "-it", "--image=busybox", "--", "nc", "-zv", "-w", "5", host, port];
    Fix::safe(text![
        "try the way from node ",
        name(node),
        " to the storage; where it gets no answer, open it (security group)"
    ])
    .command(case.kubectl_cluster(words))
}

/// What the volume is made of.
fn sources(case: &Case<'_>, volume: &str) -> Option<Text> {
    let spec = case.pod().and_then(pods::spec)?;
    let volume: &Volume = spec.volumes.iter().flatten().find(|own| own.name == volume)?;
    if let Some(claim) = &volume.persistent_volume_claim {
        return Some(text![" (claim ", name(&claim.claim_name), ")"]);
    }
    if let Some(nfs) = &volume.nfs {
        return Some(text![" (NFS server ", name(&nfs.server), ")"]);
    }
    if let Some(secret) = volume.secret.as_ref().and_then(|secret| secret.secret_name.clone()) {
        return Some(text![" (Secret ", name(secret), ")"]);
    }
    volume.config_map.as_ref().map(|map| text![" (ConfigMap ", name(&map.name), ")"])
}
