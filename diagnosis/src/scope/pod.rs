//! A pod itself.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, name, quoted, text};

use super::{Scope, Scoped, YOUNG, alone};
use crate::case::Subject;
use crate::finding::ObjectRef;
use crate::kind::Kind;
use crate::pods;
use crate::reader::Reader;
use crate::report::Status;
use crate::triage::{PodDigest, Triage, triage};

/// How much of a message a summary quotes, in characters.
const LONGEST_QUOTE: usize = 300;

pub(super) fn of_pod(reader: &Reader<'_>, pod: &Arc<Pod>) -> Scope {
    let reference =
        ObjectRef::new(Kind::Pod, pod.metadata.namespace.as_deref(), pod.metadata.name.as_deref().unwrap_or_default());
    let verdict = triage(&PodDigest::from(&**pod), reader.now());
    if verdict.works() {
        let how = if pods::phase(pod) == "Succeeded" { " has completed" } else { " is running and ready" };
        let otherwise = (Status::Healthy, text!["Pod ", name(reference.path()), how]);
        // A pod that restarts often works; the rules tell whether that is worth a word.
        let worn = (verdict == Triage::Worn).then(|| alone(Subject::Pod(Arc::clone(pod))));
        return Scope { subjects: worn.into_iter().collect(), otherwise, pods: None };
    }
    Scope {
        subjects: vec![alone(Subject::Pod(Arc::clone(pod)))],
        otherwise: undecided(reader, pod, &reference),
        pods: None,
    }
}

/// What is said of a pod that is not fine and in which no rule finds a cause.
fn undecided(reader: &Reader<'_>, pod: &Pod, reference: &ObjectRef) -> (Status, Text) {
    let young =
        pods::newest_time(pod).max(pods::created(pod)).is_some_and(|time| reader.now().duration_since(time) < YOUNG);
    if pod.metadata.deletion_timestamp.is_some() {
        return (Status::Pending, text!["Pod ", name(reference.path()), " is being deleted"]);
    }
    // What starts again and again is not starting: it fails.
    let crashes =
        || pods::containers(pod).any(|container| pods::troubling_end(pod, &container, reader.now()).is_some());
    if young && !crashes() {
        return (Status::Pending, text!["Pod ", name(reference.path()), " is still starting; too early to say"]);
    }
    let seen = pods::containers(pod).find(|container| !container.is_ready()).map(|container| {
        let state = match (container.waiting_reason(), container.terminated()) {
            ("", Some(end)) => format!("ended with exit code {}", end.exit_code),
            ("", None) => "not ready".to_owned(),
            (reason, _) => format!("waiting: {reason}"),
        };
        text![" (container ", name(container.name()), " ", kubewhy_text::own(state), ")"]
    });
    let sentence =
        text!["Pod ", name(reference.path()), " is not ready", seen, ", and nothing that was read tells why"];
    (Status::Unknown, text![sentence, heard(reader, pod, reference)])
}

/// What others say of a pod in which no rule finds a cause: the decisive words may be among them.
fn heard(reader: &Reader<'_>, pod: &Pod, reference: &ObjectRef) -> Text {
    let mut sentence = Text::default();
    let all = [verdict(pod), newest_warning(reader, pod, reference)].into_iter().flatten();
    for (who, words) in all {
        sentence.push("; ");
        sentence.push(text![who, ": ", quoted(words)]);
    }
    sentence
}

/// The same of the first of a workload's failing pods.
pub(super) fn heard_of_pods(reader: &Reader<'_>, subjects: &[Scoped]) -> Option<Text> {
    let pod = subjects.iter().find_map(|scoped| match &scoped.subject {
        Subject::Pod(pod) => Some(pod),
        _ => None,
    })?;
    let meta = &pod.metadata;
    let reference = ObjectRef::new(Kind::Pod, meta.namespace.as_deref(), meta.name.as_deref().unwrap_or_default());
    Some(heard(reader, pod, &reference))
}

/// What the scheduler says of a pod that it could not place.
fn verdict(pod: &Pod) -> Option<(Text, String)> {
    let condition = pods::condition(pod, "PodScheduled").filter(|condition| condition.status == "False")?;
    let words = condition.message.as_deref().filter(|words| !words.is_empty()).or(condition.reason.as_deref())?;
    Some((text!["the scheduler says"], clipped(words)))
}

/// The newest Warning about a pod, where it says something else than the condition.
fn newest_warning(reader: &Reader<'_>, pod: &Pod, reference: &ObjectRef) -> Option<(Text, String)> {
    let uid = pod.metadata.uid.as_deref();
    let events = reader.events(Kind::Pod, reference.namespace.as_deref(), &reference.name, uid).ok()?;
    let event = events.iter().rev().find(|event| event.is_warning())?;
    let known = pods::condition(pod, "PodScheduled").and_then(|condition| condition.message.as_deref());
    (known != Some(event.message.as_str()))
        .then(|| (text!["the newest warning is ", name(event.reason.clone())], clipped(&event.message)))
}

/// A sentence of the cluster, no longer than a summary bears.
fn clipped(words: &str) -> String {
    let short: String = words.chars().take(LONGEST_QUOTE).collect();
    if short.len() < words.len() { format!("{short} ...") } else { short }
}
