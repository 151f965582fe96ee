//! `volume-multi-attach`.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, PersistentVolume, Pod};
use k8s_openapi::api::storage::v1::VolumeAttachment;
use kubewhy_text::{Text, code, name, quoted, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::departure;
use crate::facts::mounts::{self, Holdup, What};
use crate::finding::{Action, Confidence, Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::mount;
use crate::pods;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The volume may be used on one node (ReadWriteOnce) or by one pod (ReadWriteOncePod) at a time, and another one
    /// has it.
    /// ## Signals
    /// FailedAttachVolume `Multi-Attach error for volume "NAME" Volume is already used by pod(s) ...` (a live pod has
    /// it) or `... Volume is already exclusively attached to one node and can't be attached to another` (the pod is
    /// gone, the detach is not through); FailedMount `volume uses the ReadWriteOncePod access mode and is already in
    /// use by another pod`; the scheduler's `node has pod using PersistentVolumeClaim with the same name and
    /// ReadWriteOncePod access mode` and `node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access
    /// mode already in-use by another pod`.
    /// ## Look-alikes
    /// `volume-attach-failed`: the driver could not attach a volume that nobody has. `node-lost`: why the old node
    /// holds on.
    /// ## Fixes
    /// A Deployment with such a volume needs strategy Recreate. After the loss of a node the detach is forced after 6
    /// minutes, or at once with the out-of-service taint, which is right only when the machine is off.
    /// ## Source
    /// pkg/controller/volume/attachdetach/reconciler/reconciler.go.
    VolumeMultiAttach, stage Volume, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for holdup in mounts::of_kind(case, What::HeldElsewhere)? {
        found.push(explain(case, &holdup)?);
    }
    found.extend(of_scheduler(case));
    Ok(found)
}

/// Who has the volume.
struct Holder {
    node: Option<String>,
    node_is_dead: bool,
    pods: Vec<String>,
    detach_error: Option<String>,
}

fn explain(case: &Case<'_>, holdup: &Holdup) -> Result<Finding, Needs> {
    let here = mounts::node_name(case);
    let holder = holder(case, holdup, &here)?;
    let volume = mounts::called(case, &holdup.volume);
    let for_one_pod = holdup.error.contains("ReadWriteOncePod");
    let who = match (holder.pods.as_slice(), &holder.node) {
        ([], Some(node)) => text!["node ", name(node)],
        ([], None) if for_one_pod => text!["another pod"],
        ([], None) => text!["another node"],
        (pods, Some(node)) => text!["pod ", Text::names(pods.to_vec(), 3), " on node ", name(node)],
        (pods, None) => text!["pod ", Text::names(pods.to_vec(), 3)],
    };
    let elsewhere = mount::multi_attach(&holdup.event.message).is_some_and(|held| held.elsewhere);
    let state = if elsewhere && holder.pods.is_empty() {
        text!["A pod of another namespace uses it, and this one can only start when that has gone."]
    } else if for_one_pod && holder.pods.is_empty() {
        text!["With access mode ReadWriteOncePod only one pod at a time may use it."]
    } else if holder.node_is_dead {
        text![
            "That node does not answer, so nothing says that the volume is free; Kubernetes detaches it by force 6 \
                minutes after the pod there is gone."
        ]
    } else if holder.pods.is_empty() {
        text!["No pod there is known to use it any more, so its detach is not through yet."]
    } else {
        text!["That pod still uses it, and this one can only start when it has gone."]
    };
    let failed = holder.detach_error.clone().map(|words| text!["Detaching it fails: ", quoted(words), "."]);
    let finding = case
        .finding(Code::VolumeMultiAttach)
        .title(text!["The volume of pod ", name(case.name()), " is still held by ", who.clone()])
        .explain(text![
            "Pod ",
            name(case.name()),
            " is to run on node ",
            name(here),
            ", and its ",
            volume,
            " can be used in one place at a time: ",
            who,
            " has it. ",
            state,
        ])
        .also(failed)
        .evidence(Evidence::event(&holdup.event))
        .since(holdup.event.first);
    Ok(with_fixes(case, finding, &holder))
}

fn with_fixes(case: &Case<'_>, finding: Finding, holder: &Holder) -> Finding {
    if let Some(node) = holder.node.as_deref().filter(|_| holder.node_is_dead) {
        let taint = "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute";
        return finding
            .root(ObjectRef::new(Kind::Node, None, node))
            .fix(
                Fix::safe(text![
                    "bring node ",
                    name(node),
                    " back, or wait: the forced detach comes 6 minutes after \
                    its pod is gone"
                ])
                .command(case.kubectl_cluster(["get", "node", node])),
            )
            .fix(
                Fix::risking_data(text![
                    "only if that machine is switched off: mark it out of service, and its volumes are detached at \
                        once (a machine that still writes would damage the volume)"
                ])
                .command(case.kubectl_cluster(["taint", "nodes", node, taint]))
                .remedy(Action::TaintOutOfService),
            );
    }
    let deployment = deployment_of(case);
    let patch = r#"{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null}}}"#;
    let recreate = deployment.map(|deployment| {
        Fix::disruptive(text![
            "let Deployment ",
            name(&deployment),
            " stop the old pod before it starts the new one (strategy ",
            code("Recreate"),
            "): with a volume for one node, a rolling update blocks itself"
        ])
        .command(case.kubectl(["patch", "deployment", &deployment, "-p", patch]))
    });
    let Some(first) = holder.pods.first() else {
        let look = Fix::safe(text!["look at the attachment; the detach is tried again, and forced after 6 minutes"])
            .command(case.kubectl_cluster(["get", "volumeattachment"]));
        return finding.fix(look).fix(recreate);
    };
    let stop = Fix::disruptive(text!["stop pod ", name(first), ", which has the volume (or scale its owner down)"])
        .command(case.kubectl(["delete", "pod", first]))
        .remedy(Action::DeletePod);
    finding.fix(recreate).fix(stop)
}

/// Reads who has the volume: the attachment to another node, and the pods there that use the same claim.
fn holder(case: &Case<'_>, holdup: &Holdup, here: &str) -> Result<Holder, Needs> {
    let attachments = case.list::<VolumeAttachment>(None, Filter::All);
    let volume = case.get::<PersistentVolume>(None, &holdup.volume);
    let listed = case.list::<Pod>(case.namespace(), Filter::All);
    let attachments = attachments?.found().unwrap_or_default();
    let claim = volume?.found().and_then(|volume| volume.spec.as_ref()?.claim_ref.as_ref()?.name.clone());
    let claim = claim.or_else(|| mounts::only_claim(case));
    let attachment = attachments.iter().find(|attachment| {
        attachment.spec.source.persistent_volume_name.as_deref() == Some(&holdup.volume)
            && attachment.spec.node_name != here
    });
    let listed = listed?.found().unwrap_or_default();
    let uses = |pod: &&Arc<Pod>| {
        pod.metadata.name.as_deref() != Some(case.name())
            && pods::occupies(pod).is_some()
            && claim.as_ref().is_some_and(|claim| pods::claims(pod).any(|used| used == *claim))
    };
    let consumers: Vec<&Arc<Pod>> = listed.iter().filter(uses).collect();
    let said = mount::multi_attach(&holdup.event.message).map(|held| held.pods).unwrap_or_default();
    let mut names: Vec<String> = consumers.iter().filter_map(|pod| pod.metadata.name.clone()).collect();
    if names.is_empty() {
        names = said.into_iter().map(str::to_owned).collect();
    }
    let node = attachment
        .map(|attachment| attachment.spec.node_name.clone())
        .or_else(|| consumers.first().and_then(|pod| pods::node_name(pod)).map(str::to_owned));
    let node_is_dead = match node.as_deref() {
        Some(node) => departure::is_lost(&case.get::<Node>(None, node)?),
        None => false,
    };
    let detach_error = attachment.and_then(|it| it.status.as_ref()?.detach_error.as_ref()?.message.clone());
    Ok(Holder { node, node_is_dead, pods: names, detach_error })
}

fn deployment_of(case: &Case<'_>) -> Option<String> {
    let owners = case.controllers(case.object()).ok()?;
    owners.into_iter().find(|owner| owner.kind == Kind::Deployment.name()).map(|owner| owner.name)
}

/// The scheduler refuses a second pod of a claim with `ReadWriteOncePod`.
fn of_scheduler(case: &Case<'_>) -> Option<Finding> {
    let pod = case.pod().filter(|pod| pods::node_name(pod).is_none() && pod.metadata.deletion_timestamp.is_none())?;
    let condition = pods::condition(pod, "PodScheduled").filter(|condition| condition.status == "False")?;
    let words = condition.message.as_deref()?;
    if !words.contains("ReadWriteOncePod") {
        return None;
    }
    let claims: Vec<String> = pods::claims(pod).collect();
    let claim = claims.first().map(|claim| case.neighbour(Kind::PersistentVolumeClaim, claim));
    let mut finding = case.finding(Code::VolumeMultiAttach);
    if let Some(claim) = claim {
        finding = finding.via(claim.clone()).root(claim);
    }
    Some(
        finding
            .confidence(Confidence::Certain)
            .title(text![
                "Pod ",
                name(case.name()),
                " waits for a claim that another pod has for itself \
                (ReadWriteOncePod)"
            ])
            .explain(text![
                "Pod ",
                name(case.name()),
                " uses ",
                Text::names(claims, 4),
                "; with access mode ReadWriteOncePod only one pod at a time may, and another one does. It is \
                    scheduled when that pod has gone.",
            ])
            .evidence(case.field(".status.conditions[PodScheduled]", words))
            .fix(
                Fix::disruptive(text![
                    "stop the pod that uses the claim, or use ReadWriteOnce or ReadWriteMany \
                    where several may share it"
                ])
                .command(case.kubectl(["get", "pods", "-o", "wide"])),
            ),
    )
}
