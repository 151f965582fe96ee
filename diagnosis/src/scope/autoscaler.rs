//! An autoscaler, and where its figures come from.

use std::sync::Arc;

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use kubewhy_text::{Text, name, quoted, text};

use super::workload::is_satisfied;
use super::{NoScope, Scope, YOUNG, lone, named, workload};
use crate::case::Workload;
use crate::facts::control_plane::{self, Component};
use crate::facts::scaling::{self, Family};
use crate::kind::Object;
use crate::reader::{Read, Reader};
use crate::report::Status;

pub(super) fn of_autoscaler(reader: &Reader<'_>, it: &Arc<HorizontalPodAutoscaler>) -> Result<Scope, NoScope> {
    let object = Object::HorizontalPodAutoscaler(Arc::clone(it));
    let otherwise = standing(reader, it, &named(&object));
    let target = target(reader, it);
    let down = control_plane::down(reader, Component::ControllerManager);
    // Where its figures fail, what serves them is looked at next.
    if let Some(family) = failing(it) {
        for version in family.versions() {
            let _ = reader.get::<APIService>(None, &format!("{version}.{}", family.group()));
        }
    }
    if down?.is_some() {
        let lease = Component::ControllerManager.lease();
        if let Read::Found(lease) = reader.get::<Lease>(lease.namespace.as_deref(), &lease.name)? {
            // Nobody looks at it any more: what its conditions say is history.
            return Ok(lone(&Object::Lease(lease), otherwise));
        }
    }
    let mut scope = lone(&object, otherwise);
    if let Some(workload) = target?.filter(|workload| !is_satisfied(workload)) {
        // It scales well, and the pods that it asks for do not start: their own cause is what a person looks for.
        scope.subjects.extend(workload::of_workload(reader, &workload)?.subjects);
    }
    Ok(scope)
}

/// Where the figures come from that it lacks.
fn failing(it: &HorizontalPodAutoscaler) -> Option<Family> {
    let conditions = scaling::conditions(it);
    let active = conditions.iter().find(|it| it.type_ == "ScalingActive" && it.status == "False")?;
    if active.message.as_deref().is_some_and(|message| message.contains("missing request")) {
        return None;
    }
    match active.reason.as_deref()? {
        "FailedGetResourceMetric" | "FailedGetContainerResourceMetric" => Some(Family::Resource),
        "FailedGetPodsMetric" | "FailedGetObjectMetric" => Some(Family::Custom),
        "FailedGetExternalMetric" => Some(Family::External),
        _ => None,
    }
}

/// What it scales, where nothing keeps it from that.
fn target(reader: &Reader<'_>, it: &HorizontalPodAutoscaler) -> Result<Option<Workload>, NoScope> {
    let blind = scaling::conditions(it)
        .iter()
        .any(|it| it.status != "True" && matches!(it.type_.as_str(), "AbleToScale" | "ScalingActive"));
    match scaling::target(it).filter(|_| !blind) {
        Some(target) => Ok(scaling::workload(reader, &target)?.found()),
        None => Ok(None),
    }
}

/// How it is where no rule finds anything.
fn standing(reader: &Reader<'_>, it: &HorizontalPodAutoscaler, subject: &Text) -> (Status, Text) {
    let subject = subject.clone();
    if it.metadata.deletion_timestamp.is_some() {
        return (Status::Pending, text![subject, " is being deleted"]);
    }
    let conditions = scaling::conditions(it);
    let find = |type_: &str| conditions.iter().find(|condition| condition.type_ == type_);
    let created = it.metadata.creation_timestamp.as_ref().map(|time| time.0);
    if conditions.is_empty() {
        return match created {
            Some(created) if reader.now().duration_since(created) >= YOUNG => (
                Status::Unknown,
                text![subject, " has no conditions: no controller has looked at it since it was made"],
            ),
            _ => (Status::Pending, text![subject, " is new: its controller has not looked at it yet"]),
        };
    }
    let resting = find("ScalingActive").is_some_and(|active| active.reason.as_deref() == Some("ScalingDisabled"));
    if resting {
        return (Status::Healthy, text![subject, " rests: its target has no replicas"]);
    }
    if let Some(off) =
        conditions.iter().find(|it| it.status != "True" && matches!(it.type_.as_str(), "AbleToScale" | "ScalingActive"))
    {
        let words = off.message.clone().unwrap_or_default();
        return (Status::Pending, text![subject, " does not scale yet: ", quoted(words)]);
    }
    let status = it.status.as_ref();
    let current = status.and_then(|status| status.current_replicas).unwrap_or_default();
    let (least, most) = it.spec.as_ref().map_or((1, 0), |spec| (spec.min_replicas.unwrap_or(1), spec.max_replicas));
    let figures = Text::names(scaling::figures(it).iter().map(ToString::to_string), 4);
    let figures = (!figures.is_empty()).then(|| text![", ", figures]);
    let waits = find("AbleToScale")
        .filter(|able| able.reason.as_deref() == Some("ScaleDownStabilized"))
        .map(|_| text![" (it waits before it scales down)"]);
    let target = scaling::target(it).map(|target| text![" of ", name(target.reference.to_string())]);
    (
        Status::Healthy,
        text![subject, " works: ", current, " replicas", target, " between ", least, " and ", most, figures, waits],
    )
}
