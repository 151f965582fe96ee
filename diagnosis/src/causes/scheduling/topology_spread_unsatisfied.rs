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
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef};
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
    let mut counted: Option<Counted<'_>> = None;
    for constraint in &hard {
        let Read::Found(peers) = peers(case, pod, constraint)? else { continue };
        let found = Counted { constraint, table: counts(&sites, constraint, &peers) };
        if counted.as_ref().is_none_or(|other| found.skew() > other.skew()) {
            counted = Some(found);
        }
    }
    let constraint = counted.as_ref().map(|counted| counted.constraint).or_else(|| hard.first().copied());
    let key = constraint.map(|constraint| constraint.topology_key.clone()).unwrap_or_default();
    let lacking: Vec<&str> = sites
        .iter()
        .filter(|site| hard.iter().any(|it| label(&site.node, &it.topology_key).is_none()))
        .map(|site| site.name())
        .collect();
    let table = counted.as_ref().map(|counted| counted.table.clone()).unwrap_or_default();
    let too_few = counted.as_ref().and_then(Counted::too_few);
    let allowed = counted.as_ref().map(Counted::allowed).unwrap_or_default();
    let max_skew = constraint.map_or(1, |constraint| constraint.max_skew);
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
    let unlabelled = missing && !lacking.is_empty();
    Ok(blockers.finish(fixes(case, finding, &key, missing, unlabelled, too_few).fix(relax(edit))))
}

fn fixes(
    case: &Case<'_>,
    finding: Finding,
    key: &str,
    missing: bool,
    unlabelled: bool,
    too_few: Option<i32>,
) -> Finding {
    let look = || case.kubectl_cluster(["get", "nodes", "-L", key]);
    let add_label = unlabelled.then(|| {
        Fix::safe(text![
            "label the nodes with ",
            name(key),
            ", each with its domain, or spread over a label that they have"
        ])
        .command(look())
    });
    let more = too_few.map(|wanted| {
        Fix::safe(text!["add nodes in other domains of ", name(key), ", or lower minDomains from ", wanted])
            .command(look())
    });
    let room = (!missing && too_few.is_none()).then(|| {
        Fix::safe(text!["see why the nodes of the domain that is short of pods do not take it"]).command(look())
    });
    finding.fix(add_label).fix(more).fix(room)
}

fn relax(edit: String) -> Fix {
    Fix::disruptive(text![
        "or relax the constraint in the template: nodeTaintsPolicy Honor (tainted nodes then do not count), a \
        larger maxSkew, or whenUnsatisfiable ScheduleAnyway",
    ])
    .command(edit)
}

/// A constraint and how many pods stand in each of its domains.
struct Counted<'c> {
    constraint: &'c TopologySpreadConstraint,
    table: BTreeMap<String, usize>,
}

impl Counted<'_> {
    /// `minDomains`, where there are fewer domains: Kubernetes then counts as if one were empty.
    fn too_few(&self) -> Option<i32> {
        let short = |wanted: &i32| usize::try_from(*wanted).is_ok_and(|wanted| self.table.len() < wanted);
        self.constraint.min_domains.filter(short).filter(|_| !self.table.is_empty())
    }

    fn fewest(&self) -> usize {
        if self.too_few().is_some() { 0 } else { self.table.values().min().copied().unwrap_or(0) }
    }

    fn skew(&self) -> usize {
        self.table.values().max().copied().unwrap_or(0).saturating_sub(self.fewest())
    }

    /// The domains that may take one more.
    fn allowed(&self) -> Vec<String> {
        let most = usize::try_from(self.constraint.max_skew).unwrap_or(1).max(1);
        let may_take = |count: usize| if self.too_few().is_some() { count < most } else { count == self.fewest() };
        self.table.iter().filter(|(_, count)| may_take(**count)).map(|(domain, _)| domain.clone()).collect()
    }
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
