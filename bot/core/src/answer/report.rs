//! A report as a message.

mod details;

use std::collections::BTreeSet;

use kubewhy_chat::{Block, Button, Choice, Message, Press, Style};
use kubewhy_diagnosis::ask::Instance;
use kubewhy_diagnosis::finding::{Action, Confidence, Fix, Follows, Severity, Stage};
use kubewhy_diagnosis::kind::Kind;
use kubewhy_diagnosis::{Change, RankedFinding, Report, Status};
use kubewhy_text::{Text, name, text};

use super::{Extras, Surface, dotted, object, since, tone};
use crate::commands::{self, Command, Feature};
use crate::remedy::{self, Class};
use crate::resolve::Wanted;

/// The most steps that the first screen shows.
const MOST_STEPS: usize = 3;

/// The most remedies that the first screen offers.
const MOST_REMEDIES: usize = 3;

/// The most changes that the first screen names.
pub(super) const MOST_CHANGES: usize = 2;

/// Turns a report into a message: on the first screen the root cause, what changed and what to do; in the thread all that it
/// rests on. What is healthy is said to be healthy, and nothing else.
pub fn report(report: &Report, extras: &Extras) -> Message {
    let mut message = Message::new(tone(report.status), headline(report));
    message = message.with(Block::Context(context(report)));
    if let Some(error) = &report.error {
        return unanswered(message, &error.next, extras);
    }
    if report.status != Status::Healthy {
        message = first_screen(message, report, extras);
    }
    details::of_report(message, report, extras)
}

pub(super) fn headline(report: &Report) -> Text {
    // What an API server or a dump says of itself is nothing of ours.
    report.error.as_ref().map_or_else(|| report.summary.clone(), |error| text![name(error.message.clone())])
}

/// `prod · Deployment shop/cart · 3 of 3 pods cannot start · since 03:12 (4 min) · likely`.
pub(super) fn context(report: &Report) -> Text {
    let mut parts = vec![text![name(report.target.cluster.clone())], object(&report.target.reference())];
    if report.target.cluster.is_empty() {
        parts.remove(0);
    }
    if let Some((failing, all)) = report.pods.filter(|(failing, _)| *failing > 0) {
        let do_what = match report.status {
            // What is on its way has not failed.
            Status::Pending if failing == 1 => "is not ready yet",
            Status::Pending => "are not ready yet",
            _ => what_they_do(report, failing),
        };
        parts.push(text![failing, " of ", all, if all == 1 { " pod " } else { " pods " }, do_what]);
    }
    if let Some(since_when) = report.findings.iter().filter_map(|ranked| ranked.finding.since).min() {
        parts.push(since(since_when));
    }
    parts.push(match report.lead().map(|lead| lead.finding.confidence) {
        Some(Confidence::Likely) => text!["likely, not certain"],
        Some(Confidence::Possible) => text!["possible, not certain"],
        Some(Confidence::Certain) | None => Text::default(),
    });
    dotted(parts)
}

/// What failing pods have in common, where the root cause says it of all of them.
fn what_they_do(report: &Report, failing: usize) -> &'static str {
    let one = failing == 1;
    let fail = if one { "fails" } else { "fail" };
    let Some(lead) = report.lead().filter(|lead| lead.finding.affected >= failing) else { return fail };
    match lead.finding.code.cause().stage {
        Stage::Scheduling => "cannot be placed",
        Stage::Image | Stage::Config | Stage::Volume | Stage::Start | Stage::Init => "cannot start",
        Stage::Terminating => "cannot go away",
        Stage::Admission
        | Stage::Probe
        | Stage::Exit
        | Stage::Memory
        | Stage::Workload
        | Stage::Storage
        | Stage::Node
        | Stage::Cluster => fail,
    }
}

fn unanswered(message: Message, next: &[String], extras: &Extras) -> Message {
    if next.is_empty() {
        return message;
    }
    if extras.offers(Feature::Chat) {
        let options =
            next.iter().map(|next| (text![name(next.clone())], Press::Command(format!("why {next}")))).collect();
        return message.with(Block::Choice(Choice { prompt: text!["Did you mean"], options }));
    }
    message.with(Block::Paragraph(text!["Did you mean ", Text::names(next.iter().cloned(), 10), "?"]))
}

fn first_screen(mut message: Message, report: &Report, extras: &Extras) -> Message {
    let Some(lead) = report.lead() else { return message };
    if !lead.finding.explanation.is_empty() {
        message = message.with(Block::Paragraph(lead.finding.explanation.clone()));
    }
    if let Some(consequence) = consequence(report) {
        message = message.with(Block::Paragraph(consequence));
    }
    if let Some(other) = other_roots(report, extras) {
        message = message.with(Block::Paragraph(other));
    }
    if let Some(changed) = changed(report) {
        message = message.with(Block::Paragraph(changed));
    }
    let steps = steps(&lead.finding.fixes);
    // On paper all is open: the steps stand with their commands below, once.
    if !steps.is_empty() && extras.surface != Surface::Paper {
        message = message.with(Block::Heading(text!["Fix"])).with(Block::Steps(steps));
    }
    let buttons = buttons(report, lead, extras);
    if buttons.is_empty() { message } else { message.with(Block::Buttons(buttons)) }
}

/// The first fixes. The way back to what worked is among them: at night it is the one that helps at once.
fn steps(fixes: &[Fix]) -> Vec<Text> {
    let mut first: Vec<&Fix> = fixes.iter().take(MOST_STEPS).collect();
    let way_back = fixes.iter().skip(MOST_STEPS).find(|fix| fix.remedy == Some(Action::Undo));
    if let (Some(way_back), Some(last)) = (way_back, first.last_mut()) {
        *last = way_back;
    }
    first.into_iter().map(|fix| fix.title.clone()).collect()
}

/// What the root cause, which lies in another object, does to the one that was asked about: `Because of it: ...`.
fn consequence(report: &Report) -> Option<Text> {
    let spine = report.findings.iter().enumerate().skip(1).take_while(|(index, ranked)| {
        ranked.caused_by == Some(index - 1) && ranked.finding.follows == Follows::Nothing
    });
    let (_, own) = spine.last()?;
    Some(text!["Because of it: ", own.finding.title.clone()])
}

/// What else is broken by itself, so that nobody repairs the first and wonders: `Also: Secret shop/cart-db does not exist`.
fn other_roots(report: &Report, extras: &Extras) -> Option<Text> {
    let others = report.findings.iter().skip(1);
    let mut others = others.filter(|other| other.caused_by.is_none() && other.finding.severity == Severity::Error);
    let first = others.next()?;
    let more = others.count();
    let rest = (more > 0).then(|| text!["; and ", more, " more, ", extras.where_the_rest_is()]);
    Some(text!["Also: ", first.finding.title.clone(), rest])
}

/// `Changed: Deployment shop/cart, 03:11: image v1.4.2 -> v1.4.3`.
fn changed(report: &Report) -> Option<Text> {
    let mut line = text!["Changed: "];
    let changes: Vec<&Change> = report.changed.iter().filter(|change| is_near(change, report)).collect();
    for (index, change) in changes.iter().take(MOST_CHANGES).enumerate() {
        if index > 0 {
            line.push("; ");
        }
        line.push(text![object(&change.object), ", ", change.at, ": ", change.what.clone()]);
    }
    match changes.len() {
        0 => return None,
        all if all > MOST_CHANGES => line.push(text!["; and ", all - MOST_CHANGES, " more before that"]),
        _ => {}
    }
    Some(line)
}

/// Whether a change may have to do with the root cause. What happened to a node that the root cause does not speak of is for
/// the thread: of a pod that can be placed nowhere, every node of the cluster has been read.
pub(super) fn is_near(change: &Change, report: &Report) -> bool {
    let Some(lead) = report.lead().filter(|_| change.object.kind == Kind::Node.name()) else { return true };
    let root = lead.root();
    let says = |words: String| {
        words.split(|c: char| !is_of_name(c)).any(|word| word.trim_end_matches('.') == change.object.name)
    };
    (root.kind == change.object.kind && root.name == change.object.name)
        || says(lead.finding.title.plain())
        || says(lead.finding.explanation.plain())
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.')
}

fn buttons(report: &Report, lead: &RankedFinding, extras: &Extras) -> Vec<Button> {
    let mut buttons = Vec::new();
    if extras.offers(Feature::Plans) {
        for action in super::plan::offered(report).into_iter().take(MOST_REMEDIES) {
            buttons.push(remedy_button(extras.named(report), action));
        }
    }
    if extras.offers(Feature::Logs)
        && let Some(logs) = logs_of(lead)
    {
        let line = Command::Logs(commands::Logs { object: extras.in_cluster(logs.object.clone(), report), ..logs })
            .to_string();
        buttons.push(Button::command("Logs", line));
    }
    if extras.offers(Feature::Tell) {
        let line = Command::Tell(commands::Tell { object: extras.named(report) }).to_string();
        buttons.push(Button::command("Tell me when healthy", line));
    }
    if extras.offers(Feature::Console) {
        buttons.push(Button::command("Details", Command::More.to_string()));
    }
    buttons
}

/// The button that shows the plan of an action.
pub(super) fn remedy_button(object: Wanted, action: Action) -> Button {
    let style = match remedy::class(action) {
        Class::Low | Class::Disruptive => Style::Normal,
        Class::DataLoss => Style::Danger,
    };
    let line = Command::Fix(commands::Fix { object, action: Some(action) }).to_string();
    Button::command(remedy::label(action), line).style(style)
}

/// The log that tells most, where a container ran: the instance that the evidence quotes, else the current one.
fn logs_of(lead: &RankedFinding) -> Option<commands::Logs> {
    let finding = &lead.finding;
    let ran = matches!(finding.code.cause().stage, Stage::Init | Stage::Probe | Stage::Exit | Stage::Memory);
    let container = finding.object.container.clone()?;
    let object = Wanted::of_reference(&finding.object).filter(|_| ran)?;
    let sources: BTreeSet<&str> = finding.evidence.iter().map(|evidence| evidence.source.as_str()).collect();
    let previous = sources.iter().any(|source| source.starts_with(&format!("log of container {container} (previous)")));
    let instance = if previous { Instance::Previous } else { Instance::Current };
    Some(commands::Logs { object, container: Some(container), instance, lines: commands::LINES })
}
