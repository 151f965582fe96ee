//! One question, asked step by step: what has to be read next, or the report. Does no I/O itself.

use std::collections::BTreeSet;
use std::rc::Rc;

use jiff::Timestamp;
use kubewhy_text::{Text, text};

use crate::ask::{Answer, Ask};
use crate::case::{Case, Subject};
use crate::changes;
use crate::finding::{Finding, Fix, Severity};
use crate::findings;
use crate::reader::{Reader, World};
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
    findings::run_rules(&Case::new(reader, Subject::Pod(pod), None))
}

fn draft(reader: &Reader<'_>, target: &Target) -> Result<Draft, NoScope> {
    let scope = Rc::new(scope::of(reader, target.kind, target.namespace.as_deref(), &target.name)?);
    let context = target.context.as_deref();
    let (mut found, lead) = findings::findings(reader, &scope, target.reference(), context);
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
