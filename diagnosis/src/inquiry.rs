//! One question, asked step by step: what has to be read next, or the report. Does no I/O itself.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::Timestamp;
use kubewhy_text::{Text, text};

use crate::ask::{Answer, Ask};
use crate::case::{Case, Subject};
use crate::causes::Code;
use crate::changes;
use crate::finding::{Confidence, Finding, Fix, Follows, ObjectRef, Severity, Stage};
use crate::kind::Kind;
use crate::reader::{Needs, Reader, World};
use crate::redact::Gate;
use crate::report::{Change, RankedFinding, Report, Status, Target, TargetError};
use crate::scope::{self, NoScope, Scope};

/// How often the world is asked before the answer is given with what is there.
pub const MAX_ROUNDS: usize = 8;
/// How many asks a question may take.
pub const MAX_ASKS: usize = 40;

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
            (NoScope::OtherKind, _) => {
                ("unsupported-kind", format!("{} is a kind that is not explained yet", target.kind))
            }
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
    let scope = scope::of(reader, target)?;
    let mut found: Vec<Candidate> = Vec::new();
    for scoped in &scope.subjects {
        let case = Case::new(reader, scoped.subject.clone(), target.context.as_deref());
        for mut finding in run_rules(&case) {
            finding.affected = scoped.stands_for;
            let (root, chain) = trace(&case, &finding);
            finding.root = Some(root);
            found.push(Candidate { finding, chain, newest: scoped.newest_revision });
        }
    }
    let mut found = rank(merge(found), matches!(scope.pods, Some((_, all)) if all > 0));
    let mut changed = Vec::new();
    if let Some(lead) = found.first_mut().filter(|lead| lead.finding.severity == Severity::Error) {
        changed = changes::before(reader, &scope, lead).unwrap_or_default();
        let back = changes::way_back(reader, &scope, lead, target.context.as_deref());
        if let Some(back) = back.unwrap_or_default() {
            // The way back with its revision says more than one without.
            let undoes = |fix: &Fix| fix.commands.iter().any(|command| command.contains(" rollout undo "));
            lead.finding.fixes.retain(|fix| !undoes(fix));
            lead.finding.fixes.push(back);
        }
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
struct Candidate {
    finding: Finding,
    chain: Vec<ObjectRef>,
    newest: bool,
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

/// Orders the findings: root before what it causes, severity, newest revision, pods affected (of workloads), stage,
/// confidence, code.
fn rank(mut candidates: Vec<Candidate>, of_workload: bool) -> Vec<RankedFinding> {
    let has_root =
        candidates.iter().any(|c| c.finding.follows == Follows::Nothing && c.finding.severity == Severity::Error);
    let codes: BTreeSet<Code> = candidates.iter().map(|c| c.finding.code).collect();
    let follows = |finding: &Finding| match finding.follows {
        Follows::Nothing => false,
        Follows::Lead => has_root,
        Follows::Cause(code) => codes.contains(&code) && code != finding.code,
    };
    candidates.sort_by_cached_key(|c| {
        let finding = &c.finding;
        let stage: Stage = finding.code.cause().stage;
        let shared = if of_workload { finding.affected } else { 0 };
        (
            (follows(finding), finding.severity, !c.newest, Reverse(shared)),
            (stage, finding.confidence, finding.code, finding.root.clone(), finding.object.clone()),
        )
    });
    let order: Vec<(Code, bool)> = candidates.iter().map(|c| (c.finding.code, follows(&c.finding))).collect();
    let ranked = candidates.into_iter().map(|candidate| {
        let caused_by = match candidate.finding.follows {
            Follows::Nothing => None,
            Follows::Lead => order.iter().position(|(_, follows)| !follows),
            Follows::Cause(code) => order.iter().position(|(other, _)| *other == code),
        };
        let caused_by = caused_by.filter(|_| follows(&candidate.finding));
        RankedFinding { finding: candidate.finding, chain: candidate.chain, caused_by }
    });
    ranked.collect()
}
