//! One question, asked step by step: what has to be read next, or the report. Does no I/O itself.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::Timestamp;
use kubewhy_text::{Text, text};

use crate::ask::{Answer, Ask};
use crate::case::{Case, Subject};
use crate::causes::Code;
use crate::changes;
use crate::finding::{Beneath, Confidence, Finding, Fix, Follows, ObjectRef, Severity, Stage};
use crate::kind::Kind;
use crate::reader::{Needs, Reader, World};
use crate::redact::Gate;
use crate::report::{Change, RankedFinding, Report, Status, Target, TargetError};
use crate::scope::{self, NoScope, Scope};

/// How often the world is asked before the answer is given with what is there.
pub const MAX_ROUNDS: usize = 12;
/// How many asks a question may take.
pub const MAX_ASKS: usize = 60;

/// What an [`Inquiry`] says next.
#[derive(Clone, Debug)]
pub enum Step {
    /// These have to be asked, together.
    Needs(Vec<Ask>),
    /// The answer.
    Done(Box<Report>),
}

/// One question about one target at one time.
#[derive(Clone, Debug)]
pub struct Inquiry {
    target: Target,
    now: Timestamp,
    world: World,
    rounds: usize,
    notes: Vec<String>,
}

impl Inquiry {
    /// Asks about that target; `now` is the clock of the answer.
    pub fn new(target: Target, now: Timestamp) -> Self {
        Self { target, now, world: World::default(), rounds: 0, notes: Vec::new() }
    }

    /// Asks about that target with answers that are there already.
    pub fn with_world(target: Target, now: Timestamp, world: World) -> Self {
        Self { target, now, world, rounds: 0, notes: Vec::new() }
    }

    /// The same with what limits the answer beyond its own reads: what a dump could not be read of.
    #[must_use]
    pub fn noting(mut self, notes: &[String]) -> Self {
        self.notes.extend(notes.iter().cloned());
        self
    }

    /// Takes the answers to the asks of the step before and says what comes next. The first step takes none.
    pub fn step(&mut self, answers: impl IntoIterator<Item = (Ask, Answer)>) -> Step {
        for (ask, answer) in answers {
            self.world.insert(ask, answer);
        }
        let reader = Reader::new(&self.world, self.now);
        let draft = draft(&reader, &self.target);
        let mut wanted: Vec<Ask> = reader.wanted().into_iter().collect();
        let room = MAX_ASKS.saturating_sub(self.world.len());
        let cut = wanted.len() > room || self.rounds >= MAX_ROUNDS;
        wanted.truncate(if self.rounds >= MAX_ROUNDS { 0 } else { room });
        if !wanted.is_empty() {
            self.rounds += 1;
            return Step::Needs(wanted);
        }
        let mut report = self.finish(draft);
        if cut {
            report.caveats.push(format!(
                "the question was cut off after {} reads in {} rounds",
                self.world.len(),
                self.rounds
            ));
        }
        report.caveats.splice(0..0, self.notes.iter().cloned());
        // The one place where words leave: what comes after it adds none of the cluster's.
        Gate::new(&self.world).pass(&mut report);
        Step::Done(Box::new(report))
    }

    /// How many rounds of asks it took so far.
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    /// Everything that was read, for a recording.
    pub fn world(&self) -> &World {
        &self.world
    }

    fn finish(&self, draft: Result<Draft, NoScope>) -> Report {
        let mut report = Report {
            target: self.target.clone(),
            now: self.now,
            status: Status::Unknown,
            summary: Text::default(),
            findings: Vec::new(),
            changed: Vec::new(),
            caveats: self.caveats(),
            checked: self.world.iter().map(|(ask, _)| ask.subject()).collect::<BTreeSet<_>>(),
            pods: None,
            requests: self.world.len(),
            elapsed_ms: 0,
            error: None,
        };
        match draft {
            Ok(draft) => {
                report.status = draft.status;
                report.summary = draft.summary;
                report.findings = draft.findings;
                report.changed = draft.changed;
                report.pods = draft.pods;
            }
            Err(no) => {
                let error = self.target_error(&no);
                report.summary = text![kubewhy_text::own(error.message.clone())];
                report.error = Some(error);
            }
        }
        report
    }

    fn target_error(&self, no: &NoScope) -> TargetError {
        let target = self.target.reference();
        let ask = Ask::Get {
            kind: self.target.kind,
            namespace: self.target.namespace.clone(),
            name: self.target.name.clone(),
        };
        let (code, message) = match (no, self.world.get(&ask)) {
            (NoScope::Absent, _) => ("not-found", format!("{target} does not exist")),
            (_, Some(Answer::Forbidden(why))) => ("forbidden", format!("{target} may not be read: {why}")),
            (_, Some(Answer::Failed(why))) => ("failed", format!("{target} could not be read: {why}")),
            _ => ("not-in-dump", format!("{target} is not in the dump")),
        };
        TargetError { code, message: kubewhy_text::printable(&message).into_owned(), next: Vec::new() }
    }

    /// What could not be read.
    fn caveats(&self) -> Vec<String> {
        let mut caveats: Vec<String> = self
            .world
            .iter()
            .filter_map(|(ask, answer)| match answer {
                Answer::Forbidden(why) => Some(format!("{ask} could not be read: forbidden ({why})")),
                Answer::Failed(why) => Some(format!("{ask} could not be read: {why}")),
                Answer::NotCovered => Some(format!("{ask} could not be read: not in the dump")),
                Answer::List { complete: false, .. } => Some(format!("{ask} could be read only in part")),
                Answer::Object(_) | Answer::List { .. } | Answer::Log(_) | Answer::Absent => None,
            })
            .map(|caveat| kubewhy_text::printable(&caveat).into_owned())
            .collect();
        caveats.dedup();
        caveats
    }
}

/// What one run over the world gives.
struct Draft {
    status: Status,
    summary: Text,
    findings: Vec<RankedFinding>,
    changed: Vec<Change>,
    pods: Option<(usize, usize)>,
}

/// Runs all rules over one pod, whatever triage says of it: what the property tests hold triage against.
#[doc(hidden)]
pub fn examine(reader: &Reader<'_>, pod: std::sync::Arc<k8s_openapi::api::core::v1::Pod>) -> Vec<Finding> {
    run_rules(&Case::new(reader, Subject::Pod(pod), None))
}

fn draft(reader: &Reader<'_>, target: &Target) -> Result<Draft, NoScope> {
    let scope = Rc::new(scope::of(reader, target.kind, target.namespace.as_deref(), &target.name)?);
    let context = target.context.as_deref();
    let mut beneath = Beneaths::new(reader, context, target.reference());
    let candidates = beneath.examine(&scope, 0);
    let (mut found, lead) = place(candidates, &beneath);
    scope::tell(reader, target, &mut found);
    if let (Some(first), Some(figures)) = (found.first_mut(), scope::figures(&scope)) {
        first.finding.explanation.push(text![" ", figures, "."]);
    }
    let mut changed = Vec::new();
    if let (Some(first), Some(lead)) = (found.first_mut(), lead)
        && first.finding.severity == Severity::Error
    {
        let whole = std::mem::replace(&mut first.chain, lead.chain);
        changed = changes::before(reader, &lead.scope, first).unwrap_or_default();
        let back = changes::way_back(reader, &lead.scope, first, context);
        if let Some(back) = back.unwrap_or_default() {
            // The way back with its revision says more than one without.
            let undoes = |fix: &Fix| fix.commands.iter().any(|command| command.contains(" rollout undo "));
            first.finding.fixes.retain(|fix| !undoes(fix));
            first.finding.fixes.push(back);
        }
        first.chain = whole;
    }
    let (status, summary) = conclude(&scope, &found);
    Ok(Draft { status, summary, findings: found, changed, pods: scope.pods })
}

fn conclude(scope: &Scope, findings: &[RankedFinding]) -> (Status, Text) {
    let worst = findings.iter().map(|ranked| ranked.finding.severity).min();
    let title = findings.first().map(|ranked| ranked.finding.title.clone());
    match (worst, title) {
        (Some(Severity::Error), Some(title)) => (Status::Failing, title),
        (Some(Severity::Warning), Some(title)) => (Status::Degraded, title),
        (Some(Severity::Info), Some(title)) => {
            let status = if scope.otherwise.0 == Status::Healthy { Status::Healthy } else { Status::Pending };
            (status, title)
        }
        _ => scope.otherwise.clone(),
    }
}

/// Runs all rules over a case. A certain root of a pod that has not started drops what later stages want to ask, unless it
/// holds one container and another is held by something of its own.
fn run_rules(case: &Case<'_>) -> Vec<Finding> {
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
struct Lead {
    scope: Rc<Scope>,
    chain: Vec<ObjectRef>,
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
            for beneath in std::mem::take(&mut candidate.finding.beneath) {
                self.descend(beneath.object(), depth);
                match &beneath {
                    Beneath::Leads(_) => candidate.finding.beneath.push(beneath),
                    Beneath::Explains(object) => {
                        if let Some(cause) = self.spines.get(object).and_then(|spine| spine.first()) {
                            explain_by(&mut candidate.finding, &mut candidate.chain, cause);
                        }
                    }
                }
            }
        }
        found
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
    let mut own: Vec<(Code, usize)> = Vec::new();
    for candidate in candidates {
        // What another finding was followed to has its place already.
        let is_placed = |it: &RankedFinding| {
            it.finding.code == candidate.finding.code && Some(it.root()) == candidate.finding.root.as_ref()
        };
        if let Some(index) = placed.iter().position(is_placed) {
            own.push((candidate.finding.code, index));
            continue;
        }
        let mut cause = match candidate.finding.follows {
            Follows::Lead if candidate.follows => Some(0),
            Follows::Cause(code) if candidate.follows => {
                own.iter().find(|(other, _)| *other == code).map(|(_, index)| *index)
            }
            _ => None,
        };
        let spine =
            candidate.finding.beneath.iter().map(|it| beneath.spine(it.object())).find(|spine| !spine.is_empty());
        if let (Some(spine), false) = (spine, candidate.follows) {
            let mut above: Option<usize> = None;
            for root in spine {
                let same = |it: &RankedFinding| it.finding.code == root.finding.code && it.root() == root_of(root);
                above = Some(match placed.iter().position(same) {
                    Some(index) => index,
                    None => {
                        lead.get_or_insert_with(|| Lead { scope: Rc::clone(&root.scope), chain: root.chain.clone() });
                        let mut chain = candidate.chain.clone();
                        for upper in spine.iter().rev() {
                            extend_chain(&mut chain, &upper.chain);
                            if std::ptr::eq(upper, root) {
                                break;
                            }
                        }
                        placed.push(RankedFinding { finding: root.finding.clone(), chain, caused_by: above });
                        placed.len() - 1
                    }
                });
            }
            cause = above;
        }
        lead.get_or_insert_with(|| Lead { scope: Rc::clone(&candidate.scope), chain: candidate.chain.clone() });
        own.push((candidate.finding.code, placed.len()));
        placed.push(RankedFinding { finding: candidate.finding, chain: candidate.chain, caused_by: cause });
    }
    (placed, lead)
}

fn root_of(candidate: &Candidate) -> &ObjectRef {
    candidate.finding.root.as_ref().unwrap_or(&candidate.finding.object)
}
