//! The remedies that a report offers, and what one of them would do.

mod step;

use kubewhy_chat::{Block, Button, Fact, Message, Tone};
use kubewhy_diagnosis::finding::{Action, Confidence, Fix, ObjectRef};
use kubewhy_diagnosis::kind::Kind;
use kubewhy_diagnosis::{RankedFinding, Report};
use kubewhy_text::{Text, code, name, own, text};

use super::{Extras, Surface, object};
use crate::UserError;
use crate::commands::{self, Command};
use crate::remedy::{self, Class};
use step::Step;

/// What stands below every plan until plans can be confirmed.
const ONLY_SHOWN: &str = "Confirming a plan comes with remediation, which is not here yet. Nothing was changed.";

/// The actions that a report offers, those of the root cause first.
pub(super) fn offered(report: &Report) -> Vec<Action> {
    let mut offered = Vec::new();
    for (_, _, action) in remedies_of(report) {
        if !offered.contains(&action) {
            offered.push(action);
        }
    }
    offered
}

fn remedies_of(report: &Report) -> impl Iterator<Item = (&RankedFinding, &Fix, Action)> {
    report.findings.iter().flat_map(|ranked| {
        ranked.finding.fixes.iter().filter_map(move |fix| fix.remedy.map(|action| (ranked, fix, action)))
    })
}

/// The remedies that apply, each with what it would do and a button for its plan; without any, what is to be done by hand.
pub fn remedies(report: &Report, extras: &Extras) -> Message {
    let target = object(&report.target.reference());
    let actions = offered(report);
    let Some(lead) = report.lead() else {
        return Message::new(super::tone(report.status), super::report::headline(report))
            .with(Block::Paragraph(text!["There is nothing to repair."]));
    };
    if actions.is_empty() {
        let steps: Vec<Text> = lead.finding.fixes.iter().map(|fix| fix.title.clone()).collect();
        let message =
            Message::new(Tone::Plain, text!["No remedy applies to ", target, ": it is to be repaired by hand"])
                .with(Block::Paragraph(lead.finding.title.clone()));
        return if steps.is_empty() { message } else { message.with(Block::Steps(steps)) };
    }
    let mut points = Vec::new();
    for action in &actions {
        let class = Class::of(*action, report);
        let word: &str = action.into();
        points.push(text![code(word), " (", own(class.to_string()), "): ", remedy::effect(*action)]);
    }
    let buttons: Vec<Button> =
        actions.iter().map(|action| super::report::remedy_button(extras.named(report), *action)).collect();
    let message = Message::new(Tone::Plain, text!["What can be done about ", target])
        .with(Block::Paragraph(lead.finding.title.clone()))
        .with(Block::Points(points));
    let message = if extras.surface == Surface::Paper { message } else { message.with(Block::Buttons(buttons)) };
    message.with(Block::Context(text!["A button shows the plan; nothing is changed by that."]))
}

/// What an action would do to which objects, what it costs, and the command that does it. Nothing is changed by showing it.
///
/// # Errors
/// Where the report does not offer that action; the error names those that it offers.
pub fn plan_preview(report: &Report, action: Action, extras: &Extras) -> Result<Message, UserError> {
    let Some((ranked, fix, _)) = remedies_of(report).find(|(_, _, offered)| *offered == action) else {
        return Err(not_offered(report, action, extras));
    };
    let word: &str = action.into();
    let steps: Vec<Step> = fix.commands.iter().filter_map(|command| Step::of(action, command)).collect();
    let mut objects: Vec<ObjectRef> = steps.iter().flat_map(|step| step.objects.iter().cloned()).collect();
    if objects.is_empty() {
        objects.extend(by_finding(action, report, ranked));
    }
    let class = Class::of(action, report);
    let replicas = fix.commands.iter().find_map(|command| replicas(command)).filter(|_| action == Action::Scale);
    let does = match &replicas {
        Some(replicas) => text!["The number of replicas becomes ", own(replicas.clone()), "."],
        None => Text::from(remedy::effect(action)),
    };
    let mut facts = vec![fact("does", does)];
    facts.push(fact("to", listed(&objects)));
    facts.push(fact("cost", text![own(class.to_string()), ": ", remedy::loss(action)]));
    facts.push(fact("because", text![ranked.finding.title.clone(), confidence(ranked)]));
    let mut message = Message::new(Tone::Plain, headline(word, &objects)).with(Block::Facts(facts));
    let risks = risks(action, report, ranked, &objects);
    if !risks.is_empty() {
        message = message.with(Block::Heading(text!["Before you do it"])).with(Block::Points(risks));
    }
    let commands: Vec<String> = match steps.as_slice() {
        [] => fix.commands.clone(),
        steps => steps.iter().map(|step| step.command.clone()).collect(),
    };
    if !commands.is_empty() {
        let by_hand = if commands.len() == 1 { "The command that does it" } else { "The commands that do it" };
        message = message.with(Block::Heading(Text::from(by_hand))).with(Block::Commands(commands));
    }
    Ok(message.with(Block::Context(Text::from(ONLY_SHOWN))))
}

/// The number of replicas that a command asks for.
fn replicas(command: &str) -> Option<String> {
    let number = command.split_whitespace().find_map(|word| word.strip_prefix("--replicas="))?;
    number.parse::<u32>().ok().map(|number| number.to_string())
}

fn headline(word: &str, objects: &[ObjectRef]) -> Text {
    match objects {
        [] => text!["Plan: ", code(word)],
        [only] => text!["Plan: ", code(word), " on ", object(only)],
        many => text!["Plan: ", code(word), " on ", many.len(), " objects"],
    }
}

fn listed(objects: &[ObjectRef]) -> Text {
    let mut list = Text::default();
    for (at, one) in objects.iter().enumerate() {
        if at > 0 {
            list.push(", ");
        }
        list.push(object(one));
    }
    if list.is_empty() { Text::from("the object that its first command finds") } else { list }
}

fn fact(what: &'static str, value: Text) -> Fact {
    Fact { name: Text::from(what), value }
}

fn confidence(ranked: &RankedFinding) -> &'static str {
    match ranked.finding.confidence {
        Confidence::Certain => "",
        Confidence::Likely => " (likely, not certain)",
        Confidence::Possible => " (possible, not certain)",
    }
}

/// What speaks against it, as far as the report shows.
fn risks(action: Action, report: &Report, ranked: &RankedFinding, objects: &[ObjectRef]) -> Vec<Text> {
    let mut risks = Vec::new();
    let is_kind = |link: &ObjectRef, kind: Kind| link.kind == kind.name();
    let removes_pod = matches!(action, Action::DeletePod | Action::ForceDeletePod | Action::EvictPod);
    if removes_pod {
        let own_pod = objects.iter().all(|pod| pod.is_same_object(&ranked.finding.object));
        let owned = ranked.chain.iter().any(|link| {
            [Kind::Deployment, Kind::ReplicaSet, Kind::StatefulSet, Kind::DaemonSet, Kind::Job]
                .iter()
                .any(|kind| is_kind(link, *kind))
        });
        if own_pod && !owned {
            risks.push(text!["No controller of the pod was seen: nothing may make it again."]);
        }
        let root = ranked.root();
        if is_mended_elsewhere(root) {
            risks.push(text!["The cause is ", object(root), ": until that is mended, a new pod meets the same."]);
        }
        if report.pods.is_some_and(|(_, all)| all == 1) {
            risks.push(text!["It is the only pod of ", object(&report.target.reference()), "."]);
        }
    }
    if ranked.chain.iter().any(|link| is_kind(link, Kind::StatefulSet)) {
        risks.push(text![
            "A StatefulSet is concerned: its pods have names and volumes of their own, and no two may run at once."
        ]);
    }
    if action == Action::Undo || action == Action::Scale {
        risks.push(text![
            "Where Argo CD, Flux, Helm or an autoscaler owns that field, it puts its own value back: change it there."
        ]);
    }
    if matches!(action, Action::ForceDeletePod | Action::DeleteNode | Action::TaintOutOfService) {
        risks.push(text!["Make sure first that the machine is off, or that nothing of it can write any more."]);
    }
    if !report.caveats.is_empty() {
        risks.push(text![report.caveats.len(), " things could not be read for this answer; see its details."]);
    }
    risks
}

/// Tells whether a new pod would meet the same root: an object that the pod only refers to.
fn is_mended_elsewhere(root: &ObjectRef) -> bool {
    [
        Kind::Secret,
        Kind::ConfigMap,
        Kind::PersistentVolumeClaim,
        Kind::StorageClass,
        Kind::ServiceAccount,
        Kind::Service,
    ]
    .iter()
    .any(|kind| root.kind == kind.name())
}

fn not_offered(report: &Report, action: Action, extras: &Extras) -> UserError {
    let word: &str = action.into();
    let error = UserError::new(text![
        code(word),
        " is not among the remedies for what ",
        object(&report.target.reference()),
        " has now"
    ])
    .undone("Nothing was changed.");
    let actions = offered(report);
    if actions.is_empty() {
        return error.next(text!["None applies: it is ", name(<&str>::from(report.status)), "."]);
    }
    actions.into_iter().fold(error, |error, action| {
        error.meant(Command::Fix(commands::Fix { object: extras.named(report), action: Some(action) }).to_string())
    })
}

/// The object of an action whose fix has no command for it: the link of the chain that has its kind.
fn by_finding(action: Action, report: &Report, ranked: &RankedFinding) -> Option<ObjectRef> {
    let kinds: &[Kind] = match action {
        Action::DeletePod | Action::ForceDeletePod | Action::EvictPod | Action::DebugCopy => &[Kind::Pod],
        Action::DeleteJob => &[Kind::Job],
        Action::Cordon | Action::Uncordon | Action::TaintOutOfService | Action::DeleteNode => &[Kind::Node],
        Action::Undo | Action::Restart | Action::Scale => &[Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet],
        Action::Suspend | Action::Resume => &[Kind::CronJob, Kind::Job],
        Action::DeleteVolumeAttachment => &[Kind::VolumeAttachment],
        Action::RemoveFinalizers | Action::DeleteFailedPods => &[],
    };
    let target = report.target.reference();
    let links = ranked.chain.iter().chain([ranked.root(), &ranked.finding.object, &target]);
    let found = links.into_iter().find(|link| kinds.iter().any(|kind| link.kind == kind.name()))?;
    Some(ObjectRef { container: None, detail: None, ..found.clone() })
}

impl Class {
    /// What an action costs where that report is true: what is done to a `StatefulSet` can lose data, whatever it is.
    fn of(action: Action, report: &Report) -> Self {
        let stateful = remedies_of(report)
            .filter(|(_, _, offered)| *offered == action)
            .any(|(ranked, ..)| ranked.chain.iter().any(|link| link.kind == Kind::StatefulSet.name()));
        let touches_pods = !matches!(action, Action::Cordon | Action::Uncordon | Action::Resume | Action::DebugCopy);
        if stateful && touches_pods { Self::DataLoss } else { remedy::class(action) }
    }
}
