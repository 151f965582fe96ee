//! `topology-spread-unsatisfied`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Pod, TopologySpreadConstraint};
use kubewhy_text::{Text, name, text};

use crate::ask::{Filter, Selector};
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::edit_template;
use crate::facts::capacity::blockers::{Blocker, blockers};
use crate::facts::capacity::matching::label;
use crate::facts::capacity::neighbours::by_domain;
use crate::facts::capacity::sites::Site;
use crate::finding::{Confidence, Evidence, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::scheduler::Reason;
use crate::pods;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// A spread constraint with `whenUnsatisfiable: DoNotSchedule` allows the pod only in the domains (zones, nodes)
    /// that hold fewest of its kind, and no node there takes it.
    /// ## Signals
    /// Condition `PodScheduled` False `Unschedulable`: `node(s) didn't match pod topology spread constraints`, with
    /// `(missing required label)` where the node lacks the topology key. With `minDomains` and fewer domains than that
    /// Kubernetes counts as if one were empty, so that no domain may hold more than `maxSkew`. Tainted nodes count as domains unless
    /// `nodeTaintsPolicy: Honor` is set.
    /// ## Look-alikes
    /// `pod-anti-affinity-conflict`: a rule about other pods. `cluster-out-of-capacity`: the domain with fewest is
    /// full.
    /// ## Fixes
    /// Make room in the domain that is short of pods, count only nodes that take the pod (`nodeTaintsPolicy: Honor`),
    /// allow a larger `maxSkew`, or `ScheduleAnyway`.
    /// ## Source
    /// pkg/scheduler/framework/plugins/podtopologyspread/filtering.go.
    TopologySpreadUnsatisfied, stage Scheduling, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let (Some(blockers), Some(pod)) = (blockers(case)?, case.pod()) else { return Ok(Vec::new()) };
    let Some(finding) = blockers.start(case, Code::TopologySpreadUnsatisfied, Blocker::Spread) else {
        return Ok(Vec::new());
    };
    let edit = edit_template(case)?;
    let sites: Vec<&Site> = blockers.known().map(|sites| sites.all.iter().collect()).unwrap_or_default();
    let missing =
        blockers.unscheduled.verdict.says(|reason| matches!(reason, Reason::TopologySpread { label_missing: true }));
    let hard: Vec<&TopologySpreadConstraint> = constraints(pod);
    let mut counted: Option<(&TopologySpreadConstraint, BTreeMap<String, usize>)> = None;
    for constraint in &hard {
        let Read::Found(peers) = peers(case, pod, constraint)? else { continue };
        let counts = counts(&sites, constraint, &peers);
        let skew = |counts: &BTreeMap<String, usize>| {
            counts.values().max().copied().unwrap_or(0) - counts.values().min().copied().unwrap_or(0)
        };
        if counted.as_ref().is_none_or(|(_, other)| skew(&counts) > skew(other)) {
            counted = Some((constraint, counts));
        }
    }
    let constraint = counted.as_ref().map(|(constraint, _)| *constraint).or_else(|| hard.first().copied());
    let key = constraint.map(|constraint| constraint.topology_key.clone()).unwrap_or_default();
    let lacking: Vec<&str> = sites
        .iter()
        .filter(|site| hard.iter().any(|it| label(&site.node, &it.topology_key).is_none()))
        .map(|site| site.name())
        .collect();
    let table = counted.as_ref().map(|(_, counts)| counts.clone()).unwrap_or_default();
    let fewest = table.values().min().copied();
    let max_skew = constraint.map_or(1, |constraint| constraint.max_skew);
    let too_few = constraint.and_then(|constraint| constraint.min_domains).filter(|wanted| {
        // Below minDomains Kubernetes counts as if one domain were empty.
        !table.is_empty() && usize::try_from(*wanted).is_ok_and(|wanted| table.len() < wanted)
    });
    let most = usize::try_from(max_skew).unwrap_or(1).max(1);
    let may_take = |count: usize| if too_few.is_some() { count < most } else { Some(count) == fewest };
    let allowed: Vec<String> =
        table.iter().filter(|(_, count)| may_take(**count)).map(|(domain, _)| domain.clone()).collect();
    let finding = if table.is_empty() { finding.confidence(Confidence::Likely) } else { finding };
    let short =
        (!allowed.is_empty() && !missing).then(|| text![": only ", Text::names(allowed.clone(), 3), " may take it"]);
    let finding = finding
        .title(text![
            "The topology spread over ",
            name(key.clone()),
            " leaves no node for Pod ",
            name(case.reference().path()),
            short
        ])
        .explain(text![
            "The pod may be placed only where its kind stays evenly spread over ",
            name(key.clone()),
            " (at most ",
            max_skew,
            " more in one domain than in another). ",
            show(&table),
        ])
        .also((!allowed.is_empty()).then(|| {
            text![
                "So only ",
                Text::names(allowed, 3),
                " may take the next one, and no node there \
                does."
            ]
        }))
        .also(too_few.map(|wanted| {
            text![
                "The constraint asks for ",
                wanted,
                " domains (minDomains) and the cluster has ",
                table.len(),
                ": until there are as many, no domain may hold more than ",
                max_skew,
                "."
            ]
        }))
        .also((missing && !lacking.is_empty()).then(|| {
            text![
                "Without the label ",
                name(key.clone()),
                ", and so left out: ",
                Text::names(lacking.iter().copied(), 4),
                "."
            ]
        }))
        .evidence(constraint.map(|it| {
            case.field(
                ".spec.topologySpreadConstraints",
                format!("topologyKey {}, maxSkew {}, {}", it.topology_key, it.max_skew, it.when_unsatisfiable),
            )
        }));
    let finding = lacking.iter().take(2).filter(|_| missing).fold(finding, |finding, node| {
        let reference = ObjectRef::new(Kind::Node, None, node);
        finding.evidence(Evidence::field(&reference, ".metadata.labels", format!("{key} absent")))
    });
    let add_label = (missing && !lacking.is_empty()).then(|| {
        Fix::safe(text![
            "label the nodes with ",
            name(key.clone()),
            ", each with its domain, or spread over a label that they have"
        ])
        .command(case.kubectl_cluster(["get", "nodes", "-L", &key]))
    });
    let room = (!missing && too_few.is_none()).then(|| {
        Fix::safe(text!["see why the nodes of the domain that is short of pods do not take it"])
            .command(case.kubectl_cluster(["get", "nodes", "-L", &key]))
    });
    let more = too_few.map(|wanted| {
        Fix::safe(text!["add nodes in other domains of ", name(key.clone()), ", or lower minDomains from ", wanted])
            .command(case.kubectl_cluster(["get", "nodes", "-L", &key]))
    });
    let relax = Fix::disruptive(text![
        "or relax the constraint in the template: nodeTaintsPolicy Honor (tainted nodes then do not count), a \
        larger maxSkew, or whenUnsatisfiable ScheduleAnyway",
    ])
    .command(edit);
    Ok(blockers.finish(finding.fix(add_label).fix(more).fix(room).fix(relax)))
}

fn constraints(pod: &Pod) -> Vec<&TopologySpreadConstraint> {
    let all = pods::spec(pod).into_iter().flat_map(|spec| spec.topology_spread_constraints.iter().flatten());
    all.filter(|constraint| constraint.when_unsatisfiable == "DoNotSchedule").collect()
}

/// The pods that a constraint counts.
fn peers(case: &Case<'_>, pod: &Pod, constraint: &TopologySpreadConstraint) -> Result<Read<Vec<Arc<Pod>>>, Needs> {
    let Some(selector) = &constraint.label_selector else { return Ok(Read::Unreadable) };
    let keys = constraint.match_label_keys.clone().unwrap_or_default();
    let same = |other: &Arc<Pod>| {
        let value = |pod: &Pod, key: &String| pod.metadata.labels.as_ref().and_then(|labels| labels.get(key)).cloned();
        keys.iter().all(|key| value(other, key) == value(pod, key))
    };
    let listed = case.list::<Pod>(case.namespace(), Filter::Labels(Selector::from_api(selector)))?;
    Ok(listed.map(|pods| pods.into_iter().filter(same).collect()))
}

/// How many of them stand in each domain that counts; by default nodes that the pod's own selector leaves out do not.
fn counts(sites: &[&Site], constraint: &TopologySpreadConstraint, peers: &[Arc<Pod>]) -> BTreeMap<String, usize> {
    use crate::facts::capacity::sites::Block;
    let honors_taints = constraint.node_taints_policy.as_deref() == Some("Honor");
    let counts_here = |site: &&&Site| {
        let selected = !site.has(|block| matches!(block, Block::Selector(..) | Block::Affinity | Block::OtherNode));
        let tainted = site
            .has(|block| matches!(block, Block::Taint(_) | Block::ControlPlane(_) | Block::Unready | Block::Cordoned));
        selected && !(honors_taints && tainted)
    };
    let domains: BTreeSet<String> = sites
        .iter()
        .filter(counts_here)
        .filter_map(|site| label(&site.node, &constraint.topology_key))
        .map(str::to_owned)
        .collect();
    let domain_of = |node: &str| {
        let site = sites.iter().find(|site| site.name() == node)?;
        label(&site.node, &constraint.topology_key).map(str::to_owned)
    };
    let mut counts = by_domain(peers, domain_of);
    for domain in domains {
        counts.entry(domain).or_default();
    }
    counts
}

fn show(table: &BTreeMap<String, usize>) -> Text {
    if table.is_empty() {
        return text!["How many stand where could not be read."];
    }
    let mut text = text!["Now there are"];
    for (index, (domain, count)) in table.iter().take(6).enumerate() {
        text.push(if index == 0 { " " } else { ", " });
        text.push(text![*count, " in ", name(domain.clone())]);
    }
    text.push(".");
    text
}
