//! `terminating-volume-busy`.

use kubewhy_text::{Text, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::departure::{self, Story};
use crate::finding::{Action, Confidence, Fix, ObjectRef};
use crate::kind::Kind;
use crate::pods;

cause! {
    /// ## What it means
    /// All containers have ended, no finalizer is left, and the pod is still there: the kubelet cannot unmount or clean
    /// up its volumes. It writes no event about that.
    /// ## Signals
    /// `deletionTimestamp` is more than a minute past, every container is terminated, no finalizers, the node is Ready.
    /// The kubelet's log has `UnmountVolume.TearDown failed` (`target is busy`, `the device is in use when it was no
    /// longer expected to be in use`) or `orphaned pod ... found, but failed to rmdir() volume`.
    /// ## Look-alikes
    /// `terminating-finalizer`: finalizers are left. `terminating-runtime-hung`: containers run on.
    /// `volume-multi-attach`: what the next pod sees of it.
    /// ## Fixes
    /// The driver's pod on that node back; free the mount; restart the kubelet. By force only when nothing writes any
    /// more.
    /// ## Source
    /// pkg/kubelet/kubelet.go SyncTerminatedPod, pkg/volume/util/operationexecutor/operation_generator.go.
    TerminatingVolumeBusy, stage Terminating, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(departure) = departure::of(case)? else { return Ok(Vec::new()) };
    let Story::VolumeBusy = departure.story else { return Ok(Vec::new()) };
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let node = pods::node_name(pod).unwrap_or_default().to_owned();
    let claims: Vec<String> = pods::claims(pod).collect();
    let remote = pods::spec(pod).into_iter().flat_map(|spec| spec.volumes.iter().flatten()).filter(|volume| {
        volume.nfs.is_some() || volume.cephfs.is_some() || volume.csi.is_some() || volume.flex_volume.is_some()
    });
    let mut suspects = claims;
    suspects.extend(remote.map(|volume| volume.name.clone()));
    let which = if suspects.is_empty() {
        text!["It has no volume from outside the node, so its own directories there are what is left to look at."]
    } else {
        text!["Its volumes from outside the node: ", Text::names(suspects.clone(), 5), "."]
    };
    let confidence = if suspects.is_empty() { Confidence::Possible } else { Confidence::Likely };
    let ended = case.containers().find_map(|container| case.end_evidence(&container));
    Ok(vec![
        case.finding(Code::TerminatingVolumeBusy)
            .confidence(confidence)
            .root(ObjectRef::new(Kind::Node, None, &node))
            .title(text![
                "Pod ",
                name(case.reference().path()),
                " has ended, and node ",
                name(&node),
                " cannot \
                clean up its volumes"
            ])
            .explain(text![
                "Pod ",
                name(case.name()),
                " was deleted at ",
                departure.asked,
                "; all its containers have ended and no finalizer is left. What remains for node ",
                name(&node),
                " is to unmount its volumes, and that has not come about for ",
                departure::spoken(case.age(departure.grace_ends)),
                ". ",
                which,
            ])
            .evidence(ended)
            .evidence(case.field(".metadata.deletionTimestamp", departure.grace_ends.to_string()))
            .fix(
                Fix::safe(text![
                    "read the kubelet's log on node ",
                    name(&node),
                    " for this pod's volumes, and see \
                    that the storage driver's pod runs there"
                ])
                .command(format!(
                    "kubectl debug node/{node} -it --image=busybox -- chroot /host sh -c \
                        'journalctl -u kubelet --since -15min | grep -i -e unmount -e rmdir'"
                ))
                .command(format!("kubectl get pods -A -o wide --field-selector spec.nodeName={node}")),
            )
            .fix(Fix::disruptive(text!["restart the kubelet of node ", name(&node), " (containers run on)"]).command(
                format!(
                    "kubectl debug node/{node} -it --image=busybox -- chroot /host systemctl \
                        restart kubelet"
                ),
            ))
            .fix(
                Fix::risking_data(text!["last: delete the pod by force, when nothing writes to its volumes any more"])
                    .command(case.kubectl(["delete", "pod", case.name(), "--grace-period=0", "--force"]))
                    .remedy(Action::ForceDeletePod),
            )
            .since(Some(departure.asked)),
    ])
}
