//! From a scope to findings in their order: the rules over each subject, what lies beneath a finding in other objects, and
//! the place of each.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use kubewhy_text::{name, own, text};

use crate::case::{Case, Subject};
use crate::causes::Code;
use crate::finding::{Beneath, Confidence, Finding, Fix, Follows, ObjectRef, Severity, Stage};
use crate::kind::Kind;
use crate::reader::{Needs, Reader};
use crate::report::RankedFinding;
use crate::scan::TEMPLATES;
use crate::scope::{self, Scope};

/// Runs all rules over a case. A certain root of a pod that has not started drops what later stages want to ask, unless it
/// holds one container and another is held by something of its own.
pub(crate) fn run_rules(case: &Case<'_>) -> Vec<Finding> {
    let started = case.containers().any(|container| container.running().is_some() || container.last_end().is_some());
    let mut found: Vec<Finding> = Vec::new();
    for code in Code::all() {
        let entry = code.cause();
        let settled = !started && matches!(case.subject(), Subject::Pod(_)) && {
            let roots = found.iter().filter(|finding| {
                finding.severity == Severity::Error
                    && finding.confidence == Confidence::Certain
                    && finding.code.cause().stage < entry.stage
            });
            let holding: Vec<Option<&str>> = roots.map(|root| root.object.container.as_deref()).collect();
            !holding.is_empty() && (holding.contains(&None) || held(case).all(|name| holding.contains(&Some(name))))
        };
        let mark = settled.then(|| case.wanted());
        match (entry.detect)(case) {
            Ok(findings) => found.extend(findings),
            Err(Needs { .. }) => {
                if let Some(mark) = mark {
                    case.forget_since(mark);
                }
            }
        }
    }
    found
}

/// The containers that wait for something of their own, not for the pod.
fn held<'c>(case: &'c Case<'_>) -> impl Iterator<Item = &'c str> {
    let own = |reason: &str| !["", "ContainerCreating", "PodInitializing"].contains(&reason);
    case.containers().filter(move |container| own(container.waiting_reason())).map(|container| container.name())
}

/// A finding with its chain, not yet in its place.
#[derive(Clone)]
struct Candidate {
    finding: Finding,
    chain: Vec<ObjectRef>,
    newest: bool,
    /// Whether it follows from another one of its own scope.
    follows: bool,
    /// The scope it was found in.
    scope: Rc<Scope>,
}

/// What leads a report, as its own scope sees it.
pub(crate) struct Lead {
    pub(crate) scope: Rc<Scope>,
    pub(crate) chain: Vec<ObjectRef>,
}

/// The findings about a scope, what lies beneath them included, in the order in which a report tells them.
pub(crate) fn findings(
    reader: &Reader<'_>,
    scope: &Rc<Scope>,
    asked: ObjectRef,
    context: Option<&str>,
) -> (Vec<RankedFinding>, Option<Lead>) {
    let mut beneath = Beneaths::new(reader, context, asked);
    let candidates = beneath.examine(scope, 0);
    place(candidates, &beneath)
}

/// How far one cause is followed into other objects: crash, Service, its pods, their own dependency.
const DEEPEST: usize = 4;

/// What lies beneath findings: the causes that were found in other objects, each object examined once.
struct Beneaths<'r> {
    reader: &'r Reader<'r>,
    context: Option<&'r str>,
    /// The roots found in an object, the deepest first, what it was named for last; empty where nothing leads there.
    spines: BTreeMap<ObjectRef, Vec<Candidate>>,
}

impl<'r> Beneaths<'r> {
    fn new(reader: &'r Reader<'r>, context: Option<&'r str>, asked: ObjectRef) -> Self {
        Self { reader, context, spines: BTreeMap::from([(asked, Vec::new())]) }
    }

    /// What the rules find in a scope, in order, with what lies beneath.
    fn examine(&mut self, scope: &Rc<Scope>, depth: usize) -> Vec<Candidate> {
        let mut found: Vec<Candidate> = Vec::new();
        for scoped in &scope.subjects {
            let case = Case::new(self.reader, scoped.subject.clone(), self.context);
            for mut finding in run_rules(&case) {
                finding.affected = scoped.stands_for;
                let (root, chain) = trace(&case, &finding);
                finding.root = Some(root);
                let scope = Rc::clone(scope);
                found.push(Candidate { finding, chain, newest: scoped.newest_revision, follows: false, scope });
            }
        }
        let mut found = order(merge(found), matches!(scope.pods, Some((_, all)) if all > 0));
        for candidate in &mut found {
            self.look_beneath(candidate, depth);
        }
        found
    }

    /// Examines the objects that a finding names; what explains it is taken into it, what leads stays named.
    fn look_beneath(&mut self, candidate: &mut Candidate, depth: usize) {
        let (leading, explaining): (Vec<_>, Vec<_>) = std::mem::take(&mut candidate.finding.beneath)
            .into_iter()
            .partition(|beneath| matches!(beneath, Beneath::Leads(_)));
        for beneath in leading.iter().chain(&explaining) {
            self.descend(beneath.object(), depth);
        }
        for beneath in &explaining {
            if let Some(cause) = self.spine(beneath.object()).first() {
                explain_by(&mut candidate.finding, &mut candidate.chain, cause);
            }
        }
        candidate.finding.beneath = leading;
    }

    /// Examines an object that a finding names, once.
    fn descend(&mut self, object: &ObjectRef, depth: usize) {
        let known = self.spines.keys().any(|known| known.is_same_object(object));
        let Some(kind) = Kind::from_name(&object.kind).filter(|_| depth < DEEPEST && !known) else { return };
        let key = ObjectRef::new(kind, object.namespace.as_deref(), &object.name);
        // While it is examined nothing in it leads back to itself.
        self.spines.insert(key.clone(), Vec::new());
        let Ok(scope) = scope::of(self.reader, kind, object.namespace.as_deref(), &object.name) else { return };
        let found = self.examine(&Rc::new(scope), depth + 1);
        let Some(lead) = found.into_iter().next().filter(leads) else { return };
        let mut spine = Vec::new();
        for object in lead.finding.beneath.iter().map(Beneath::object) {
            let deeper = self.spine(object);
            if !deeper.is_empty() {
                spine.extend(deeper.iter().cloned());
                break;
            }
        }
        spine.push(lead);
        self.spines.insert(key, spine);
    }

    /// What was found in an object, whatever part of it was named.
    fn spine(&self, object: &ObjectRef) -> &[Candidate] {
        let found = self.spines.iter().find(|(known, _)| known.is_same_object(object));
        found.map_or(&[], |(_, spine)| spine.as_slice())
    }
}

/// What may lead the report about another object: an error. That the object fails is certain, even where its cause is not.
fn leads(candidate: &Candidate) -> bool {
    candidate.finding.severity == Severity::Error
}

/// Adds the cause that was found in another object to the finding that it explains.
fn explain_by(finding: &mut Finding, chain: &mut Vec<ObjectRef>, cause: &Candidate) {
    let own = std::mem::take(&mut finding.explanation);
    finding.explanation = text![own, " The reason: ", cause.finding.title.clone(), "."];
    for evidence in &cause.finding.evidence {
        if !finding.evidence.contains(evidence) {
            finding.evidence.push(evidence.clone());
        }
    }
    let fixes = cause.finding.fixes.iter().filter(|fix| !finding.fixes.contains(fix)).cloned();
    let fixes: Vec<Fix> = fixes.collect();
    finding.fixes.splice(0..0, fixes);
    extend_chain(chain, &cause.chain);
    finding.reason = Some((cause.finding.code, root_of(cause).clone()));
}

fn extend_chain(chain: &mut Vec<ObjectRef>, further: &[ObjectRef]) {
    for link in further {
        if !chain.iter().any(|known| known.is_same_object(link)) {
            chain.push(link.clone());
        }
    }
}

/// The root (the template's top controller where the rule named none) and the chain to it.
/// Controllers that are not read yet are asked for; a question that is cut off goes without them.
fn trace(case: &Case<'_>, finding: &Finding) -> (ObjectRef, Vec<ObjectRef>) {
    let mut chain = case.controllers(case.object()).unwrap_or_default();
    chain.reverse();
    let mut template = chain.first().cloned().unwrap_or_else(|| case.reference());
    template.detail.clone_from(&finding.object.container);
    chain.push(case.reference());
    chain.extend(finding.via.iter().cloned());
    let root = finding.root.clone().unwrap_or(template);
    if !chain.iter().any(|link| link.is_same_object(&root)) {
        chain.push(root.clone());
    }
    (root, chain)
}

/// Joins what is the same cause at the same root.
fn merge(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut merged: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        let same = merged
            .iter_mut()
            .find(|other| other.finding.code == candidate.finding.code && other.finding.root == candidate.finding.root);
        if let Some(same) = same {
            // A workload's own view of what its pods show stands for no pod; two groups of pods add up.
            let is_pod = |finding: &Finding| finding.object.kind == Kind::Pod.name();
            if !is_pod(&same.finding) && is_pod(&candidate.finding) {
                same.finding.affected = same.finding.affected.max(candidate.finding.affected);
            } else if same.finding.object != candidate.finding.object {
                same.finding.affected += candidate.finding.affected;
            }
            same.newest |= candidate.newest;
            same.finding.since = match (same.finding.since, candidate.finding.since) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        } else {
            merged.push(candidate);
        }
    }
    merged
}

/// Orders the findings of a scope: root before what it causes, severity, newest revision, pods affected (of workloads),
/// stage, confidence, code.
fn order(mut candidates: Vec<Candidate>, of_workload: bool) -> Vec<Candidate> {
    let has_root =
        candidates.iter().any(|c| c.finding.follows == Follows::Nothing && c.finding.severity == Severity::Error);
    let codes: BTreeSet<Code> = candidates.iter().map(|c| c.finding.code).collect();
    for candidate in &mut candidates {
        candidate.follows = match candidate.finding.follows {
            Follows::Nothing => false,
            Follows::Lead => has_root,
            Follows::Cause(code) => codes.contains(&code) && code != candidate.finding.code,
        };
    }
    candidates.sort_by_cached_key(|c| {
        let finding = &c.finding;
        let stage: Stage = finding.code.cause().stage;
        let shared = if of_workload { finding.affected } else { 0 };
        (
            (c.follows, finding.severity, !c.newest, Reverse(shared)),
            (stage, finding.confidence, finding.code, finding.root.clone(), finding.object.clone()),
        )
    });
    candidates
}

/// Puts the findings of the asked object in their places, each behind the causes that were found in other objects.
fn place(candidates: Vec<Candidate>, beneath: &Beneaths<'_>) -> (Vec<RankedFinding>, Option<Lead>) {
    let mut placed: Vec<RankedFinding> = Vec::new();
    let mut lead: Option<Lead> = None;
    // Where each finding of the scope itself stands, for those that follow from it.
    let mut own_places: Vec<(Code, usize)> = Vec::new();
    for candidate in candidates {
        // What another finding was followed to has its place already.
        let is_placed = |it: &RankedFinding| {
            it.finding.code == candidate.finding.code && Some(it.root()) == candidate.finding.root.as_ref()
        };
        if let Some(index) = placed.iter().position(is_placed) {
            own_places.push((candidate.finding.code, index));
            continue;
        }
        let mut cause = match candidate.finding.follows {
            Follows::Lead if candidate.follows => Some(0),
            Follows::Cause(code) if candidate.follows => {
                own_places.iter().find(|(other, _)| *other == code).map(|(_, index)| *index)
            }
            _ => None,
        };
        let spine =
            candidate.finding.beneath.iter().map(|it| beneath.spine(it.object())).find(|spine| !spine.is_empty());
        if let (Some(spine), false) = (spine, candidate.follows) {
            for (depth, root) in spine.iter().enumerate() {
                let same = |it: &RankedFinding| it.finding.code == root.finding.code && it.root() == root_of(root);
                if let Some(index) = placed.iter().position(same) {
                    cause = Some(index);
                    continue;
                }
                lead.get_or_insert_with(|| Lead { scope: Rc::clone(&root.scope), chain: root.chain.clone() });
                let chain = chain_down(&candidate, spine, depth);
                placed.push(RankedFinding { finding: root.finding.clone(), chain, caused_by: cause });
                cause = Some(placed.len() - 1);
            }
        }
        if let (None, Some((code, root))) = (cause, &candidate.finding.reason) {
            // What explains it is told already: it follows from that.
            cause = placed.iter().position(|it| it.finding.code == *code && it.root() == root);
        }
        lead.get_or_insert_with(|| Lead { scope: Rc::clone(&candidate.scope), chain: candidate.chain.clone() });
        own_places.push((candidate.finding.code, placed.len()));
        placed.push(RankedFinding { finding: candidate.finding, chain: candidate.chain, caused_by: cause });
    }
    for ranked in &mut placed {
        name_owner(ranked);
    }
    (placed, lead)
}

/// The title of a fault in another workload than the one asked about says in which: its containers are not the asked one's.
fn name_owner(ranked: &mut RankedFinding) {
    let root = ranked.root();
    let kind = Kind::from_name(&root.kind);
    let is_workload = kind.is_some_and(|kind| kind == Kind::Pod || TEMPLATES.contains(&kind));
    let is_asked = ranked.chain.first().is_none_or(|first| first.is_same_object(root));
    if !is_workload || is_asked || ranked.finding.title.plain().contains(&root.name) {
        return;
    }
    let owner = text![own(root.kind.to_string()), " ", name(root.path()), ": "];
    ranked.finding.title = text![owner, ranked.finding.title.clone()];
}

/// The way from what was asked about through the spine down to one of its roots; the spine begins with the deepest.
fn chain_down(candidate: &Candidate, spine: &[Candidate], depth: usize) -> Vec<ObjectRef> {
    let mut chain = candidate.chain.clone();
    for link in spine.iter().skip(depth).rev() {
        extend_chain(&mut chain, &link.chain);
    }
    chain
}

fn root_of(candidate: &Candidate) -> &ObjectRef {
    candidate.finding.root.as_ref().unwrap_or(&candidate.finding.object)
}
