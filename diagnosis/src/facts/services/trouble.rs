//! What ails a pod behind a Service, in one clause.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, name, own, quoted, text};

use crate::ask::Instance;
use crate::case::{Case, Subject};
use crate::finding::Evidence;
use crate::parse::log;
use crate::pods::{self, ContainerView};
use crate::reader::{Needs, Read};

/// What ails a pod that does not answer, in one clause, and where that is seen.
///
/// # Errors
/// [`Needs`] where its log has not been asked yet.
pub(crate) fn trouble(case: &Case<'_>, pod: &Arc<Pod>) -> Result<(Text, Vec<Evidence>), Needs> {
    let peer = Case::new(case, Subject::Pod(Arc::clone(pod)), None);
    let condition = pods::condition(pod, "PodScheduled").filter(|condition| condition.status == "False");
    if let Some(condition) = condition {
        let message = condition.message.clone().unwrap_or_default();
        let evidence = peer.field(".status.conditions[PodScheduled]", message.clone());
        return Ok((text!["it has no node: ", quoted(message)], vec![evidence]));
    }
    let ailing = peer.containers().find(|container| is_ailing(pod, container, case.now()));
    let Some(container) = ailing else {
        return Ok((
            text!["its phase is ", own(known_phase(pods::phase(pod)))],
            vec![peer.field(".status.phase", pods::phase(pod))],
        ));
    };
    let reason = container.waiting_reason();
    if !matches!(reason, "" | "CrashLoopBackOff") {
        let evidence = peer.waiting_evidence(&container);
        let ails = text!["its container ", name(container.name()), " waits: ", quoted(evidence.text.clone())];
        return Ok((ails, vec![evidence]));
    }
    let line = last_line(&peer, pod, &container)?;
    let said = line.as_ref().map(|evidence| text![": ", quoted(evidence.text.clone())]);
    let end = container.last_end().filter(|_| container.running().is_none() || container.restarts() >= 2);
    let ails = match end {
        Some(end) if end.reason.as_deref() == Some("OOMKilled") => {
            text!["its container ", name(container.name()), " is killed for memory (OOMKilled)"]
        }
        Some(end) => {
            text!["its container ", name(container.name()), " ends with exit code ", end.exit_code, said]
        }
        None => text!["its container ", name(container.name()), " runs and is not ready", said],
    };
    let mut evidence: Vec<Evidence> = end.and_then(|_| peer.end_evidence(&container)).into_iter().collect();
    evidence.extend(line);
    Ok((ails, evidence))
}

fn known_phase(phase: &str) -> &'static str {
    match phase {
        "Pending" => "Pending",
        "Succeeded" => "Succeeded",
        "Failed" => "Failed",
        "Running" => "Running",
        _ => "unknown",
    }
}

fn is_ailing(pod: &Pod, container: &ContainerView<'_>, now: jiff::Timestamp) -> bool {
    let over = container.role == pods::Role::Init && container.terminated().is_some_and(|end| end.exit_code == 0);
    !over && (!container.is_ready() || pods::troubling_end(pod, container, now).is_some())
}

/// The line of its log that tells most.
fn last_line(peer: &Case<'_>, pod: &Pod, container: &ContainerView<'_>) -> Result<Option<Evidence>, Needs> {
    let words = match peer.last_words(container)? {
        Read::Found(words) => words,
        // A restarted container that runs now may say it again.
        _ if container.running().is_some() => match peer.log(pod, container.name(), Instance::Current)? {
            Read::Found(text) => std::rc::Rc::new(log::read(&text)),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    let found = words.signature.as_ref().map(|signature| (signature.line_number, signature.line.clone()));
    Ok(match found {
        Some((number, line)) => Some(peer.log_evidence(container, number, &line)),
        None => words.tail.last().map(|_| {
            let source = peer.log_evidence(container, 0, "").source.replace(", line 0", ", last lines");
            Evidence { source, text: words.tail.join(" | "), at: None }
        }),
    })
}
