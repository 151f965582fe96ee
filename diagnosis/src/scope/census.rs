//! What an answer about a workload says of its pods as a whole: how many of them it holds for, and what the others do.
//!
//! A finding is drawn from one pod that stands for those that fail alike; these sentences are added to it once.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, code, name, own, text};

use super::members::{Members, members};
use super::workload::{alike, is_over, is_owned_by, is_superseded, owned, revision};
use crate::ask::Filter;
use crate::case::Workload;
use crate::causes::Code;
use crate::facts::ends::show;
use crate::finding::{Finding, ObjectRef, Severity};
use crate::kind::{Kind, Object};
use crate::pods;
use crate::reader::{Needs, Read, Reader};
use crate::report::{RankedFinding, Target};
use crate::triage::{PodDigest, Triage, triage};

/// How many names a sentence lists.
const MOST_NAMES: usize = 5;

/// Adds to the finding that leads an answer about a workload how many of its pods it holds for, and how the others are.
pub(crate) fn tell(reader: &Reader<'_>, target: &Target, found: &mut [RankedFinding]) {
    // What is not read yet is told in a later round.
    let _ = told(reader, target, found);
}

fn told(reader: &Reader<'_>, target: &Target, found: &mut [RankedFinding]) -> Result<(), Needs> {
    let Read::Found(object) = reader.object(target.kind, target.namespace.as_deref(), &target.name)? else {
        return Ok(());
    };
    let Some(workload) = Workload::of(&object) else { return Ok(()) };
    let of_kind = |finding: &Finding, kind: Kind| finding.object.kind == kind.name();
    let mut findings = found.iter_mut().map(|ranked| &mut ranked.finding).filter(|it| it.severity != Severity::Info);
    if let Workload::CronJob(cron) = &workload {
        let of_run = |finding: &&mut Finding| of_kind(finding, Kind::Pod) || of_kind(finding, Kind::Job);
        if let Some(lead) = findings.find(of_run) {
            add(lead, runs(reader, cron)?);
        }
        return Ok(());
    }
    let mut findings = findings.filter(|finding| of_kind(finding, Kind::Pod));
    let census = Census::take(reader, &workload, members(reader, &workload)?);
    let lead = findings.find_map(|finding| Some((census.shown(finding)?, finding)));
    // Frequent restarts are compared with those of the siblings already.
    if let Some((shown, lead)) = lead.filter(|(_, lead)| lead.code != Code::FrequentRestarts) {
        for sentence in census.sentences(&workload, shown, lead) {
            add(lead, sentence);
        }
    }
    Ok(())
}

fn add(finding: &mut Finding, sentence: Text) {
    if !finding.explanation.is_empty() {
        finding.explanation.push(" ");
    }
    finding.explanation.push(sentence);
}

/// How a pod is, as seen from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    Works,
    Leaves,
    /// It is not up yet, and nothing has failed in it.
    Starts,
    /// It fails; pods that fail alike have the same words.
    Fails(String),
}

#[derive(Clone, Debug)]
struct Member {
    pod: Arc<Pod>,
    state: State,
    /// The revision of its set, and whether that is the present one.
    revision: i64,
    newest: bool,
}

impl Member {
    fn name(&self) -> &str {
        self.pod.metadata.name.as_deref().unwrap_or_default()
    }

    fn node(&self) -> Option<&str> {
        pods::node_name(&self.pod)
    }

    fn is_troubled(&self) -> bool {
        matches!(self.state, State::Fails(_) | State::Starts)
    }
}

/// All pods of a workload that count.
struct Census {
    members: Vec<Member>,
}

impl Census {
    fn take(reader: &Reader<'_>, workload: &Workload, members: Members) -> Self {
        let now = reader.now();
        let Members { sets, newest, pods } = members;
        let counted = pods.into_iter().filter(|pod| !is_over(workload) && !is_superseded(workload, pod));
        let members = counted.map(|pod| {
            let set = sets.iter().find(|set| is_owned_by(&pod.metadata, &Object::ReplicaSet(Arc::clone(set))));
            let is_new = |newest: &Arc<_>| is_owned_by(&pod.metadata, &Object::ReplicaSet(Arc::clone(newest)));
            Member {
                state: state(&pod, now),
                revision: set.map_or(0, |set| revision(set)),
                newest: newest.as_ref().is_none_or(is_new),
                pod,
            }
        });
        Self { members: members.collect() }
    }

    /// The pod that a finding was drawn from, if it is one of these.
    fn shown(&self, finding: &Finding) -> Option<&Member> {
        self.members.iter().find(|member| is_about(finding, &member.pod))
    }

    fn sentences(&self, workload: &Workload, shown: &Member, lead: &Finding) -> Vec<Text> {
        let alike = self.alike(shown, lead);
        let mut sentences: Vec<Text> = self.counts(shown, &alike, lead).into_iter().collect();
        sentences.extend(self.place(workload, &alike, lead));
        match workload {
            Workload::StatefulSet(set) => sentences.extend(self.order(set, shown)),
            Workload::Job(job) => sentences.extend(index(job, shown).or_else(|| attempts(job))),
            _ => {}
        }
        sentences
    }

    /// The pods that the finding holds for, where that can be told one by one.
    fn alike(&self, shown: &Member, lead: &Finding) -> Vec<&Member> {
        let troubled: Vec<&Member> = self.members.iter().filter(|member| member.is_troubled()).collect();
        if troubled.len() == lead.affected {
            return troubled;
        }
        let same = |member: &&&Member| member.state == shown.state && member.newest == shown.newest;
        troubled.iter().filter(same).copied().collect()
    }

    /// `That is so for 3 of 5 pods, all of revision 7; 2 of revision 6 still serve.`
    fn counts(&self, shown: &Member, alike: &[&Member], lead: &Finding) -> Option<Text> {
        let all = self.members.len();
        if all < 2 {
            return None;
        }
        let affected = lead.affected.clamp(1, all);
        let mut sentence = if affected == all {
            text!["That is so for all ", all, " pods"]
        } else {
            text!["That is so for ", affected, " of ", all, " pods"]
        };
        let mixed = self.members.iter().any(|member| member.revision != shown.revision);
        let of_revision = mixed && alike.iter().all(|member| member.revision == shown.revision) && shown.revision > 0;
        if of_revision {
            sentence.push(if affected == 1 { ", of revision " } else { ", all of revision " });
            sentence.push(shown.revision);
        }
        let mut others = Vec::new();
        let of = |wanted: fn(&State) -> bool| self.members.iter().filter(move |member| wanted(&member.state));
        let working: Vec<&Member> = of(|state| *state == State::Works).collect();
        let former: Vec<&&Member> = working.iter().filter(|member| !member.newest && shown.newest).collect();
        if let Some(first) = former.first() {
            let serve = if former.len() == 1 { " still serves" } else { " still serve" };
            others.push(text![former.len(), " of revision ", first.revision, serve]);
        }
        let works = working.len() - former.len();
        if works > 0 {
            others.push(text![works, if works == 1 { " works" } else { " work" }]);
        }
        let leave = of(|state| *state == State::Leaves).count();
        if leave > 0 {
            others.push(text![leave, if leave == 1 { " is being deleted" } else { " are being deleted" }]);
        }
        let troubled = self.members.iter().filter(|member| member.is_troubled()).count();
        let otherwise: Vec<&Member> = self
            .members
            .iter()
            .filter(|member| member.is_troubled() && !alike.iter().any(|it| it.name() == member.name()))
            .collect();
        if otherwise.len() == troubled.saturating_sub(affected) {
            others.extend(different(&otherwise, shown));
        } else if troubled > affected {
            let rest = troubled - affected;
            others.push(text![rest, if rest == 1 { " fails otherwise" } else { " fail otherwise" }]);
        }
        if others.is_empty() && !of_revision {
            // That all of them fail stands above the answer.
            return None;
        }
        if !others.is_empty() {
            sentence.push("; ");
            sentence.push(joined(others));
        }
        sentence.push(".");
        Some(sentence)
    }

    /// Where they run, if that says something.
    fn place(&self, workload: &Workload, alike: &[&Member], lead: &Finding) -> Option<Text> {
        let nodes: BTreeSet<&str> = alike.iter().filter_map(|member| member.node()).collect();
        let of_node = lead.root.as_ref().is_some_and(|root| root.kind == Kind::Node.name());
        let bound = alike.iter().all(|member| member.node().is_some());
        if nodes.is_empty() || of_node || !bound {
            return None;
        }
        let working = self.members.iter().filter(|member| member.state == State::Works);
        let elsewhere: BTreeSet<&str> = working.filter_map(|member| member.node()).collect();
        if let (Some(node), 1) = (nodes.first(), nodes.len())
            && alike.len() > 1
            && !elsewhere.is_empty()
            && !elsewhere.contains(node)
        {
            // Two on one of a few nodes may be chance.
            let verdict = if alike.len() > 2 { "the node is likely the matter" } else { "look at that node too" };
            return Some(text![
                "All of them are on node ",
                name((*node).to_owned()),
                ", and those on ",
                names(&elsewhere),
                " work: ",
                verdict,
                "."
            ]);
        }
        let is_daemon = matches!(workload, Workload::DaemonSet(_)) && alike.len() < self.members.len();
        is_daemon.then(|| {
            let are = if nodes.len() == 1 { "It is on node " } else { "They are on nodes " };
            text![are, names(&nodes), "."]
        })
    }

    /// What an ordered `StatefulSet` holds back until a pod is ready.
    fn order(&self, set: &StatefulSet, shown: &Member) -> Option<Text> {
        let spec = set.spec.as_ref()?;
        let at = ordinal(shown.name())?;
        if spec.pod_management_policy.as_deref() == Some("Parallel") {
            return None;
        }
        let start = spec.ordinals.as_ref().and_then(|ordinals| ordinals.start).unwrap_or(0);
        let last = i64::from(start) + i64::from(spec.replicas.unwrap_or(1)) - 1;
        let made = self.members.iter().filter_map(|member| ordinal(member.name())).max()?;
        if made < last {
            let base = set.metadata.name.clone().unwrap_or_default();
            let next = name(format!("{base}-{}", made + 1));
            let waiting = last - made;
            let more = (waiting > 1).then(|| text![" and ", waiting - 1, " more"]);
            let wait = if waiting == 1 { " is" } else { " are" };
            return Some(text![
                "Its pods are made in order: ",
                next,
                more,
                wait,
                " not made before ",
                name(shown.name()),
                " is ready."
            ]);
        }
        let status = set.status.as_ref()?;
        let (current, update) = (status.current_revision.as_deref()?, status.update_revision.as_deref()?);
        let hash = |member: &Member| {
            let labels = member.pod.metadata.labels.as_ref()?;
            labels.get("controller-revision-hash").cloned()
        };
        let former = |member: &&Member| hash(member).is_some_and(|hash| hash != update);
        let behind: Vec<&Member> = self
            .members
            .iter()
            .filter(former)
            .filter(|member| ordinal(member.name()).is_some_and(|other| other < at))
            .collect();
        (current != update && !behind.is_empty() && hash(shown).as_deref() == Some(update)).then(|| {
            let keep = if behind.len() == 1 { " keeps" } else { " keep" };
            let kept = Text::names(behind.iter().map(|member| member.name().to_owned()), MOST_NAMES);
            text!["The update goes from the highest ordinal down and stops here; ", kept, keep, " the former revision."]
        })
    }
}

/// Tells whether a finding was drawn from that pod.
fn is_about(finding: &Finding, pod: &Pod) -> bool {
    let meta = &pod.metadata;
    let reference = ObjectRef::new(Kind::Pod, meta.namespace.as_deref(), meta.name.as_deref().unwrap_or_default());
    reference.is_same_object(&finding.object)
}

fn state(pod: &Pod, now: Timestamp) -> State {
    match triage(&PodDigest::from(pod), now) {
        Triage::Fine | Triage::Worn => State::Works,
        Triage::Gone => State::Leaves,
        Triage::Suspect if pod.metadata.deletion_timestamp.is_some() => State::Fails(alike(pod)),
        Triage::Suspect if starts(pod) => State::Starts,
        Triage::Suspect => State::Fails(alike(pod)),
    }
}

/// Bound, and nothing has failed in it yet.
fn starts(pod: &Pod) -> bool {
    let calm = |reason: &str| matches!(reason, "" | "ContainerCreating" | "PodInitializing");
    pods::node_name(pod).is_some()
        && pods::phase(pod) == "Pending"
        && pods::containers(pod)
            .all(|it| calm(it.waiting_reason()) && it.last_end().is_none_or(|end| end.exit_code == 0))
}

/// `1 fails otherwise (cart-7c9-x: ImagePullBackOff)`, `1 has not started yet`.
fn different(members: &[&Member], shown: &Member) -> Vec<Text> {
    let mut parts = Vec::new();
    let starting = members.iter().filter(|member| member.state == State::Starts).count();
    let failing: Vec<&&Member> = members.iter().filter(|member| member.state != State::Starts).collect();
    if let Some(first) = failing.first() {
        let fail = if failing.len() == 1 { " fails otherwise (" } else { " fail otherwise (" };
        let example = if failing.len() > 1 { text!["such as "] } else { Text::default() };
        let of_another = first.revision != shown.revision && failing.iter().all(|it| it.revision == first.revision);
        let revision = of_another.then(|| text![" of revision ", first.revision]);
        parts.push(text![
            failing.len(),
            revision,
            fail,
            example,
            name(first.name()),
            ": ",
            own(in_a_word(&first.pod)),
            ")"
        ]);
    }
    if starting > 0 {
        parts.push(text![starting, if starting == 1 { " has not started yet" } else { " have not started yet" }]);
    }
    parts
}

/// What `kubectl get` would say of a pod that fails.
fn in_a_word(pod: &Pod) -> String {
    if pod.metadata.deletion_timestamp.is_some() {
        return "Terminating".to_owned();
    }
    if pods::node_name(pod).is_none() {
        return "not placed on a node".to_owned();
    }
    let words = pods::containers(pod).filter(|container| !container.is_ready()).find_map(|container| {
        match (container.waiting_reason(), container.last_end()) {
            ("" | "PodInitializing", Some(end)) if end.exit_code != 0 => Some(format!("exit code {}", end.exit_code)),
            ("" | "PodInitializing", _) => None,
            (reason, _) => Some(kubewhy_text::printable(reason).into_owned()),
        }
    });
    words.unwrap_or_else(|| "not ready".to_owned())
}

/// `attempt 3 of 7 failed`, as the Job counts.
fn attempts(job: &Job) -> Option<Text> {
    let (spec, status) = (job.spec.as_ref()?, job.status.as_ref()?);
    let failed = status.failed.unwrap_or(0);
    if failed < 1 || spec.backoff_limit_per_index.is_some() || spec.parallelism.unwrap_or(1) > 1 {
        return None;
    }
    let limit = spec.backoff_limit.unwrap_or(6);
    let attempts = i64::from(limit) + 1;
    if attempts == 1 {
        return Some(text!["Its only attempt (", code("backoffLimit"), " 0) has failed: the Job gives up."]);
    }
    let given_up = i64::from(failed) >= attempts;
    let end = if given_up { ": the Job gives up" } else { "" };
    let have = if failed == 1 { " has failed" } else { " have failed" };
    Some(text![failed, " of ", attempts, " attempts (", code("backoffLimit"), " ", limit, ")", have, end, "."])
}

/// The label and annotation in which the pods of an indexed Job carry their index.
const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// Which index of an indexed Job it is, and how far the others are.
fn index(job: &Job, shown: &Member) -> Option<Text> {
    let (spec, status) = (job.spec.as_ref()?, job.status.as_ref()?);
    let meta = &shown.pod.metadata;
    let index = [&meta.labels, &meta.annotations].into_iter().flatten().find_map(|all| all.get(INDEX))?;
    if spec.completion_mode.as_deref() != Some("Indexed") {
        return None;
    }
    let list = |indexes: &Option<String>| indexes.clone().filter(|indexes| !indexes.is_empty());
    let done = list(&status.completed_indexes).map(|done| text![", completed so far: ", code(done)]);
    let failed = list(&status.failed_indexes).map(|failed| text![", given up: ", code(failed)]);
    let of = spec.completions.map(|completions| text![" of ", completions]);
    Some(text!["The pod is that of index ", name(index.clone()), of, done, failed, "."])
}

/// When a `CronJob` last ran well, and how many runs have failed since.
fn runs(reader: &Reader<'_>, cron: &Arc<CronJob>) -> Result<Text, Needs> {
    let object = Object::CronJob(Arc::clone(cron));
    let jobs = reader.list::<Job>(object.namespace(), Filter::All)?.found().unwrap_or_default();
    let well = cron.status.as_ref().and_then(|status| status.last_successful_time.as_ref()).map(|time| time.0);
    let failed = owned(jobs, &object).iter().filter(|job| has_failed(job) && begun(job) > well).count();
    let failed = match failed {
        0 => None,
        1 => Some(text!["one run has failed"]),
        many => Some(text![many, " runs have failed"]),
    };
    let Some(well) = well else {
        return Ok(text!["No run of it has succeeded yet", failed.map(|failed| text!["; ", failed]), "."]);
    };
    let ago = own(show(reader.now().duration_since(well)));
    let failed = failed.map(|failed| text![", and ", failed, " since"]);
    Ok(text!["Its last run that succeeded ended ", ago, " ago", failed, "."])
}

fn begun(job: &Job) -> Option<Timestamp> {
    job.metadata.creation_timestamp.as_ref().map(|time| time.0)
}

fn has_failed(job: &Job) -> bool {
    let conditions = job.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Failed" && condition.status == "True")
}

/// The number of a `StatefulSet`'s pod.
fn ordinal(name: &str) -> Option<i64> {
    name.rsplit_once('-')?.1.parse().ok()
}

fn names(all: &BTreeSet<&str>) -> Text {
    Text::names(all.iter().map(|name| (*name).to_owned()), MOST_NAMES)
}

fn joined(parts: Vec<Text>) -> Text {
    let mut out = Text::default();
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            out.push(", ");
        }
        out.push(part);
    }
    out
}
