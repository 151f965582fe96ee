//! `terminating-unobserved`.

use kubewhy_text::{name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::departure::{self, Story};
use crate::finding::{Action, Confidence, Fix, ObjectRef};
use crate::kind::Kind;
use crate::pods;

cause! {
    /// ## What it means
    /// The pod was deleted, its grace is over, its node is Ready, and nothing shows that the kubelet has begun to stop
    /// it.
    /// ## Signals
    /// `deletionTimestamp` is more than a minute past; no event Killing; containers run on (or have never been made);
    /// the status is still that of the generation before the deletion.
    /// ## Look-alikes
    /// `terminating-ignores-sigterm`, `terminating-runtime-hung`: Killing was seen. `terminating-node-lost`: the node
    /// is not Ready.
    /// ## Fixes
    /// Restart the kubelet of that node: it then sees the deletion. A static pod is deleted by its file on the node.
    /// ## Source
    /// pkg/kubelet/config/apiserver.go, pkg/kubelet/pod_workers.go.
    TerminatingUnobserved, stage Terminating, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(departure) = departure::of(case)? else { return Ok(Vec::new()) };
    let Story::Unobserved = departure.story else { return Ok(Vec::new()) };
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let node = pods::node_name(pod).unwrap_or_default().to_owned();
    let annotations = pod.metadata.annotations.as_ref();
    let is_mirror = annotations.is_some_and(|all| all.contains_key("kubernetes.io/config.mirror"));
    let mirror =
        is_mirror.then(|| text!["It is the image of a static pod: it goes only when its file on the node does."]);
    let state = match case.containers().find(|container| container.running().is_some()) {
        Some(container) => case.field(&format!("{}.state", container.status_path()), "running"),
        None => case.field(".status.phase", pods::phase(pod)),
    };
    let restart = Fix::disruptive(text![
        "restart the kubelet of node ",
        name(&node),
        " (containers run on): it reads its pods anew"
    ])
    .command(format!("kubectl debug node/{node} -it --image=busybox -- chroot /host systemctl restart kubelet"));
    Ok(vec![
        case.finding(Code::TerminatingUnobserved)
            .confidence(Confidence::Possible)
            .root(ObjectRef::new(Kind::Node, None, &node))
            .title(text![
                "Pod ",
                name(case.reference().path()),
                " was deleted, and the kubelet of node ",
                name(&node),
                " has not begun to stop it"
            ])
            .explain(text![
                "Pod ",
                name(case.name()),
                " was deleted at ",
                departure.asked,
                " with a grace of ",
                departure::spoken(departure.grace),
                ". Node ",
                name(&node),
                " is not known to be down, and there is no sign (event Killing, newer status) that its kubelet has \
                    taken the deletion up.",
            ])
            .also(mirror)
            .evidence(case.field(".metadata.deletionTimestamp", departure.grace_ends.to_string()))
            .evidence(state)
            .fix(
                Fix::safe(text!["see whether the kubelet of node ", name(&node), " is well"])
                    .command(case.kubectl_cluster(["describe", "node", &node])),
            )
            .fix(restart)
            .fix(
                Fix::risking_data(text!["last: delete the pod by force; its processes may run on and still write"])
                    .command(case.kubectl(["delete", "pod", case.name(), "--grace-period=0", "--force"]))
                    .remedy(Action::ForceDeletePod),
            )
            .since(Some(departure.asked)),
    ])
}
