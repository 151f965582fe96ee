//! `volume-node-affinity-conflict`.

use k8s_openapi::api::core::v1::PersistentVolume;
use kubewhy_text::{Text, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::{edit_template, names};
use crate::facts::capacity::blockers::{Blocker, Blockers, blockers};
use crate::facts::capacity::matching::{label, show};
use crate::facts::capacity::sites::{Block, HeldVolume, Site, held_volumes};
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::scheduler::Reason;
use crate::pods;

cause! {
    /// ## What it means
    /// The pod's volume exists and can be reached only from certain nodes (one zone, or one machine), and the pod
    /// cannot be placed on any of those.
    /// ## Signals
    /// Condition `PodScheduled` False `Unschedulable`: `node(s) had volume node affinity conflict` (up to 1.32),
    /// `node(s) didn't match PersistentVolume's node affinity` (1.33 and later), `node(s) had no available volume
    /// zone`. The PersistentVolume's `spec.nodeAffinity` or zone label names the nodes.
    /// ## Look-alikes
    /// `node-selector-mismatch`: the pod's own rule leaves out all nodes; here it leaves one, which the volume leaves
    /// out. `cluster-out-of-capacity`: the nodes of the volume's zone are there and full. `pvc-no-matching-volume`:
    /// nothing is bound yet. `volume-multi-attach`: the volume is still attached elsewhere.
    /// ## Fixes
    /// Let the pod run where the volume is, bring that node or zone back, or make the volume anew where the pod runs;
    /// for the future a StorageClass with `volumeBindingMode: WaitForFirstConsumer`.
    /// ## Source
    /// pkg/scheduler/framework/plugins/volumebinding, volumezone.
    VolumeNodeAffinityConflict, stage Scheduling, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let (Some(blockers), Some(pod)) = (blockers(case)?, case.pod()) else { return Ok(Vec::new()) };
    let Some(finding) = blockers.start(case, Code::VolumeNodeAffinityConflict, Blocker::VolumeAffinity) else {
        return Ok(Vec::new());
    };
    let edit = edit_template(case)?;
    let sites: Vec<&Site> = blockers.known().map(|sites| sites.all.iter().collect()).unwrap_or_default();
    let volumes = blockers.known().map(|sites| sites.volumes.as_slice()).unwrap_or_default();
    let barred = |volume: &&HeldVolume| sites.iter().any(|site| !volume.reaches(&site.node));
    let Some(volume) = volumes.iter().find(barred) else {
        let claims: Vec<String> = pods::claims(pod).collect();
        let known = held_volumes(case, pod)?.into_iter().find(|held| !rule(&held.volume).is_empty());
        return Ok(blockers.finish(unread(case, finding, &claims, known.as_ref(), &blockers)));
    };
    let rule = rule(&volume.volume);
    let reached: Vec<&Site> = sites.iter().copied().filter(|site| volume.reaches(&site.node)).collect();
    let allowed = blockers.nodes_with(|block| matches!(block, Block::Volume));
    let finding = finding
        .root(ObjectRef::new(Kind::PersistentVolume, None, volume.name()))
        .via(case.neighbour(Kind::PersistentVolumeClaim, &volume.claim))
        .title(text![
            "Volume ",
            name(volume.name()),
            " of claim ",
            name(volume.claim.clone()),
            " can be reached only from ",
            Text::names(rule.clone(), 3),
            ", where Pod ",
            name(case.reference().path()),
            " cannot run"
        ])
        .explain(text![
            "The data of claim ",
            name(volume.claim.clone()),
            " lie in volume ",
            name(volume.name()),
            ", which only nodes with ",
            Text::names(rule.clone(), 3),
            " can reach. ",
            where_is(&reached, &allowed),
        ])
        .also(own_rule(case, &reached, &allowed))
        .evidence(Evidence::field(
            &ObjectRef::new(Kind::PersistentVolume, None, volume.name()),
            ".spec.nodeAffinity",
            rule.join(" and "),
        ));
    let local = volume.volume.spec.as_ref().is_some_and(|spec| spec.local.is_some() || spec.host_path.is_some());
    let run_there = match reached.as_slice() {
        [] => Fix::safe(text![
            "bring back a node with ",
            Text::names(rule, 3),
            ": the volume is whole as far as that node is"
        ])
        .command(case.kubectl_cluster(["get", "nodes", "--show-labels"])),
        some => Fix::disruptive(text![
            "let the pod run where the volume is (",
            names(some),
            "): change its nodeSelector, affinity or tolerations"
        ])
        .command(edit),
    };
    let look = Fix::safe(text!["see the volume's node affinity"]).command(case.kubectl_cluster([
        "describe",
        "pv",
        volume.name(),
    ]));
    let what = if local {
        "or, where its data can be lost, delete claim and PersistentVolume, so that a new one is made where the \
        pod runs"
    } else {
        "or copy the data to a volume where the pod runs (snapshot, restore), and delete claim and \
        PersistentVolume here"
    };
    let anew = Fix::risking_data(text![what]).command(case.kubectl(["delete", "pvc", &volume.claim]));
    Ok(blockers.finish(finding.fix(run_there).fix(look).fix(anew)))
}

/// What the volume asks of a node.
fn rule(volume: &PersistentVolume) -> Vec<String> {
    let required = volume.spec.as_ref().and_then(|spec| spec.node_affinity.as_ref()?.required.as_ref());
    let terms = required.into_iter().flat_map(|required| &required.node_selector_terms);
    let mut rules: Vec<String> = terms.flat_map(|term| term.match_expressions.iter().flatten()).map(show).collect();
    if rules.is_empty() {
        let labels = volume.metadata.labels.iter().flatten().filter(|(key, _)| key.ends_with("/zone"));
        rules.extend(labels.map(|(key, value)| format!("{key}={value}")));
    }
    rules
}

fn where_is(reached: &[&Site], allowed: &[&Site]) -> Text {
    let allowed = (!allowed.is_empty()).then(|| text![" The pod itself may run on ", names(allowed), "."]);
    if reached.is_empty() {
        return text!["No node of the cluster is such: it has left, or has other labels.", allowed];
    }
    text!["These are ", names(reached), ", and the pod may not run there.", allowed]
}

/// The pod's own selector, where that is what keeps it from the volume.
fn own_rule(case: &Case<'_>, reached: &[&Site], allowed: &[&Site]) -> Option<Text> {
    let site = reached.first()?;
    let other = allowed.first()?;
    let _ = case;
    site.blocks.iter().find_map(|block| match block {
        Block::Selector(key, value) => {
            let has = label(&site.node, key).map(|has| text![" (", name(site.name()), " has ", name(has), ")"]);
            Some(text![
                "The pod's nodeSelector ",
                name(format!("{key}={value}")),
                " holds it to ",
                name(other.name()),
                has,
                "."
            ])
        }
        Block::Affinity => Some(text!["The pod's node affinity keeps it off ", name(site.name()), "."]),
        Block::Taint(taint) => {
            Some(text!["The taint ", name(taint.key.clone()), " keeps it off ", name(site.name()), "."])
        }
        Block::Cordoned => Some(text!["Node ", name(site.name()), " is cordoned."]),
        Block::Unready => Some(text!["Node ", name(site.name()), " is not ready."]),
        _ => None,
    })
}

/// The nodes could not be read: which of them the volume is on stands in the volume at best.
fn unread(
    case: &Case<'_>,
    finding: Finding,
    claims: &[String],
    known: Option<&HeldVolume>,
    blockers: &Blockers,
) -> Finding {
    let claim = known.map(|held| held.claim.clone()).or_else(|| claims.first().filter(|_| claims.len() == 1).cloned());
    let of = claim.as_ref().map(|claim| text![" (claim ", name(claim.clone()), ")"]);
    let only = known.map(|held| text!["only from ", Text::names(rule(&held.volume), 3)]);
    let finding = match (&claim, known) {
        (_, Some(held)) => {
            let volume = ObjectRef::new(Kind::PersistentVolume, None, held.name());
            let rule = Evidence::field(&volume, ".spec.nodeAffinity", rule(&held.volume).join(" and "));
            finding.root(volume).via(case.neighbour(Kind::PersistentVolumeClaim, &held.claim)).evidence(rule)
        }
        (Some(claim), None) => finding.root(case.neighbour(Kind::PersistentVolumeClaim, claim)),
        (None, None) => finding,
    };
    let verdict = &blockers.unscheduled.verdict;
    let conflict = verdict.count(|reason| matches!(reason, Reason::VolumeNodeAffinity | Reason::VolumeZone));
    let dead = verdict.count(|reason| match reason {
        Reason::NotReady => true,
        Reason::Taint { key, .. } => key == "node.kubernetes.io/not-ready" || key == "node.kubernetes.io/unreachable",
        _ => false,
    });
    let mut words = vec!["get".to_owned(), "pvc".to_owned()];
    words.extend(claims.iter().cloned());
    let volume = known.map_or_else(Vec::new, |held| vec![held.name().to_owned()]);
    let describe = case.kubectl_cluster(["describe".to_owned(), "pv".to_owned()].into_iter().chain(volume));
    finding
        .confidence(Confidence::Likely)
        .title(text![
            "A volume of Pod ",
            name(case.reference().path()),
            of.clone(),
            " can be reached ",
            only.unwrap_or_else(|| text!["from other nodes only"]),
        ])
        .explain(text![
            "A volume of the pod",
            of,
            " is bound to a zone or a machine, and the nodes on which the pod may run are elsewhere",
            (conflict > 0).then(|| text![" (volume node affinity shuts out ", conflict, " of them)"]),
            ". Either the pod's own rules keep it from that zone, or the nodes there are gone or full.",
        ])
        .also((dead > 0).then(|| {
            let nodes = if dead == 1 { " node is" } else { " nodes are" };
            text![dead, nodes, " not ready or unreachable: if the volume lies there, that node has to come back."]
        }))
        .fix(
            Fix::safe(text![
                "see which volume the claim is bound to, and the Node Affinity of that \
        PersistentVolume"
            ])
            .command(case.kubectl(words))
            .command(describe),
        )
        .fix(Fix::disruptive(text![
            "let the pod run where the volume is, bring the node or zone of the volume back, or add a node there"
        ]))
}
