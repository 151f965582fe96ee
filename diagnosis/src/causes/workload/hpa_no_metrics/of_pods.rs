//! The API answers, and has no figures of the pods.

use std::sync::Arc;

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{name, text};

use super::raw;
use crate::ask::{Filter, Selector};
use crate::case::Case;
use crate::causes::Code;
use crate::facts::metrics_api::{self, State};
use crate::facts::scaling::{self, Family, Target};
use crate::finding::{Confidence, Finding, Fix, Severity};
use crate::pods;
use crate::reader::Needs;
use crate::triage::{PodDigest, Triage, triage};

/// How long pods may be without figures after their start: two scrapes, and the autoscaler's own patience.
const WARM_UP: SignedDuration = SignedDuration::from_mins(3);
/// How long figures may be away, while metrics-server restarts, before that is worth a word.
const BREAK_SECONDS: i64 = 90;

/// The API answers and has no figures of these pods: they are new, or not ready, or nobody measures them.
pub(super) fn of_pods(
    case: &Case<'_>,
    finding: Finding,
    target: &Target,
    family: Option<Family>,
) -> Result<Option<Finding>, Needs> {
    let workload = scaling::workload(case, target)?.found();
    // Figures may fail for a moment; without a time they have failed for long.
    let began = finding.since.unwrap_or_default();
    let selector = workload.as_ref().and_then(|it| it.selector()).map(Selector::from_api);
    let listed = match selector.filter(|selector| !selector.is_empty()) {
        Some(selector) => case.list::<Pod>(case.namespace(), Filter::Labels(selector))?.found(),
        None => None,
    };
    let look = Fix::safe(text!["see which of its pods have figures"]).command(case.kubectl(["top", "pods"]));
    let Some(listed) = listed else {
        return Ok(Some(finding.confidence(Confidence::Likely).fix(look)));
    };
    let alive: Vec<Arc<Pod>> =
        listed.into_iter().filter(|pod| pod.metadata.deletion_timestamp.is_none() && !pods::is_finished(pod)).collect();
    let young = is_warming_up(case, &alive);
    let failing = alive.iter().any(|pod| triage(&PodDigest::from(&**pod), case.now()) == Triage::Suspect);
    if young && !failing {
        return Ok(None);
    }
    // Young as it is, what fails already is worth telling.
    let finding = if young { finding.severity(Severity::Info) } else { finding };
    let unready = alive.iter().filter(|pod| !pods::is_true(pod, "Ready")).count();
    let repair = |finding: Finding| {
        finding.caused_in(target.reference.clone()).fix(
            Fix::safe(text!["see why its pods are not ready; the figures come when they are"]).command(
                case.kubectl([
                    "describe",
                    &format!("{}/{}", target.reference.kind.to_lowercase(), target.reference.name),
                ]),
            ),
        )
    };
    if alive.is_empty() {
        let none = text!["There is no pod of ", name(target.reference.to_string()), " that could be measured."];
        return Ok(Some(repair(finding.also(none))));
    }
    if unready > 0 {
        let count =
            text![unready, " of its ", alive.len(), " pods are not ready, and those that are not do not count."];
        return Ok(Some(repair(finding.also(count))));
    }
    if case.age(began).as_secs() < BREAK_SECONDS {
        return Ok(None);
    }
    if let Some(node) = metrics_api::silent_node(case, &alive)? {
        let host =
            text!["Its pods are on ", name(node.to_string()), ", which is not ready: that has no figures to give."];
        return Ok(Some(finding.also(host).caused_in(node).fix(look)));
    }
    let finding = finding.also(text![
        "Its pods are ready for more than ",
        WARM_UP.as_mins(),
        " minutes, so it is not for their youth that there are no figures."
    ]);
    Ok(Some(match family {
        Some(Family::Resource) => of_api_without_figures(case, finding)?.fix(look),
        Some(family) => {
            finding.fix(Fix::safe(text!["see what the adapter offers for these pods"]).command(raw(case, family)))
        }
        None => finding.fix(look),
    }))
}

/// metrics-server answers and has nothing of these pods: what it cannot read leads.
fn of_api_without_figures(case: &Case<'_>, finding: Finding) -> Result<Finding, Needs> {
    let api = metrics_api::of_family(case, Family::Resource)?;
    Ok(match api.state {
        State::Missing => finding.follows(Code::MetricsServerMissing),
        State::Down(_) => finding.caused_in(api.reference.clone()).follows(Code::MetricsServerFailing),
        State::Fine | State::Unknown => finding.follows(Code::MetricsServerFailing),
    })
}

/// No figures yet are no trouble while the target has just been made or rolled out.
fn is_warming_up(case: &Case<'_>, alive: &[Arc<Pod>]) -> bool {
    let young = |time: Option<jiff::Timestamp>| time.is_some_and(|time| case.age(time) < WARM_UP);
    let fresh = |pod: &Arc<Pod>| {
        let ready = pods::condition(pod, "Ready").filter(|condition| condition.status == "True");
        let since = ready.and_then(|condition| condition.last_transition_time.as_ref()).map(|time| time.0);
        young(pods::created(pod)) || young(since)
    };
    if alive.is_empty() {
        return young(case.meta().creation_timestamp.as_ref().map(|time| time.0));
    }
    alive.iter().all(fresh)
}
