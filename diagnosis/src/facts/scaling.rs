//! How an autoscaler stands: what it scales, by which figures, and what it says keeps it from doing so.

mod lack;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::autoscaling::v2::{
    HorizontalPodAutoscaler, HorizontalPodAutoscalerCondition, MetricSpec, MetricStatus, MetricTarget,
    MetricValueStatus,
};

use crate::case::{Case, Workload};
use crate::finding::{Evidence, ObjectRef};
use crate::kind::Kind;
use crate::reader::{Needs, Read, Reader};

pub(crate) use lack::{Family, Lack, lack};

/// Where autoscaling/v1 keeps the conditions.
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
/// The controller looks every 15 seconds: what it has not said again for this long is over.
const LATELY: SignedDuration = SignedDuration::from_mins(5);

/// What the controller says keeps it from scaling.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// The reason in one word: `FailedGetResourceMetric`.
    pub(crate) reason: String,
    /// The error, without the words that every such error begins with.
    pub(crate) words: String,
    pub(crate) evidence: Evidence,
    pub(crate) since: Option<Timestamp>,
}

/// What keeps an autoscaler from its work.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// Its target cannot be read or written.
    Target(Said),
    /// The selector of its target is missing, wrong or shared.
    Selector(Said),
    /// Its target has no replicas, so it does nothing.
    Disabled(Said),
    /// A figure is missing; `partial` where it has others.
    Figures {
        /// The controller's words.
        said: Said,
        /// Other figures are there: it scales up by them, and never down.
        partial: bool,
    },
}

/// What keeps this autoscaler from its work, if anything.
///
/// # Errors
/// [`Needs`] where its events have not been asked yet.
pub(crate) fn trouble(case: &Case<'_>, it: &HorizontalPodAutoscaler) -> Result<Option<Trouble>, Needs> {
    if it.metadata.deletion_timestamp.is_some() {
        return Ok(None);
    }
    let conditions = conditions(it);
    let find = |type_: &str| conditions.iter().find(|condition| condition.type_ == type_);
    if let Some(able) = find("AbleToScale").filter(|able| is_refusal(able)) {
        return Ok(Some(Trouble::Target(said(case, able))));
    }
    let partial = has_a_figure(it);
    match find("ScalingActive") {
        Some(active) if active.status == "False" => Ok(Some(match active.reason.as_deref().unwrap_or_default() {
            "ScalingDisabled" => Trouble::Disabled(said(case, active)),
            "InvalidSelector" | "AmbiguousSelector" => Trouble::Selector(said(case, active)),
            _ => Trouble::Figures { said: said(case, active), partial },
        })),
        Some(_) if lacks_a_figure(it) && partial => {
            let told = event(case, is_about_figures)?;
            let lacking = Said {
                reason: "FailedGetMetric".to_owned(),
                words: String::new(),
                evidence: case.field(".status.currentMetrics", "a metric of the spec has no figure"),
                since: None,
            };
            Ok(Some(Trouble::Figures { said: told.unwrap_or(lacking), partial }))
        }
        Some(_) => Ok(None),
        // The controller has not got as far as conditions: what it tells in events is all.
        None => {
            let told = event(case, |reason| {
                is_about_figures(reason) || matches!(reason, "FailedGetScale" | "AmbiguousSelector")
            })?;
            Ok(told.map(|said| match said.reason.as_str() {
                "FailedGetScale" => Trouble::Target(said),
                "AmbiguousSelector" => Trouble::Selector(said),
                _ => Trouble::Figures { said, partial },
            }))
        }
    }
}

/// `AbleToScale` is False also while it waits out a former change, which is no trouble.
fn is_refusal(able: &HorizontalPodAutoscalerCondition) -> bool {
    able.status == "False" && able.reason.as_deref().is_some_and(|reason| reason.starts_with("Failed"))
}

fn is_about_figures(reason: &str) -> bool {
    reason.starts_with("FailedGet") && reason.ends_with("Metric")
        || matches!(reason, "InvalidMetricSourceType" | "FailedComputeMetricsReplicas")
}

/// The conditions, also where autoscaling/v1 keeps them in an annotation.
pub(crate) fn conditions(it: &HorizontalPodAutoscaler) -> Vec<HorizontalPodAutoscalerCondition> {
    let own = it.status.as_ref().and_then(|status| status.conditions.clone()).filter(|own| !own.is_empty());
    own.unwrap_or_else(|| {
        let noted = it.metadata.annotations.as_ref().and_then(|annotations| annotations.get(CONDITIONS));
        noted.and_then(|noted| serde_json::from_str(noted).ok()).unwrap_or_default()
    })
}

fn said(case: &Case<'_>, condition: &HorizontalPodAutoscalerCondition) -> Said {
    let (reason, message) =
        (condition.reason.clone().unwrap_or_default(), condition.message.clone().unwrap_or_default());
    let since = condition.last_transition_time.as_ref().map(|time| time.0);
    let path = format!(".status.conditions[{}]", condition.type_);
    let evidence = case.field(&path, format!("{}, {reason}: {message}", condition.status)).at(since);
    Said { reason, words: bare(&message).to_owned(), evidence, since }
}

/// The newest event of the last minutes with such a reason; the first of a pair says which metric it is about.
fn event(case: &Case<'_>, wanted: impl Fn(&str) -> bool) -> Result<Option<Said>, Needs> {
    let lately = |last: Option<Timestamp>| last.is_some_and(|last| case.age(last) < LATELY);
    let mut told: Vec<_> = case
        .own_events()?
        .iter()
        .filter(|event| event.is_warning() && wanted(&event.reason) && lately(event.last))
        .collect();
    told.sort_by_key(|event| (event.last, event.reason != "FailedComputeMetricsReplicas"));
    Ok(told.last().map(|event| Said {
        reason: event.reason.clone(),
        words: bare(&event.message).to_owned(),
        evidence: Evidence::event(event),
        since: event.first,
    }))
}

/// The error without what the controller puts before each.
fn bare(message: &str) -> &str {
    let mut rest = message;
    for opening in [
        "the HPA was unable to compute the replica count: ",
        "the HPA controller was unable to get the target's current scale: ",
        "the HPA controller was unable to update the target scale: ",
    ] {
        rest = rest.strip_prefix(opening).unwrap_or(rest);
    }
    rest.split_once("first error is: ").map_or(rest, |(_, first)| first)
}

/// A metric of which there is no figure is noted without a type.
fn lacks_a_figure(it: &HorizontalPodAutoscaler) -> bool {
    figures_of(it).iter().any(|figure| figure.type_.is_empty())
}

fn has_a_figure(it: &HorizontalPodAutoscaler) -> bool {
    figures_of(it).iter().any(|figure| !figure.type_.is_empty())
}

fn figures_of(it: &HorizontalPodAutoscaler) -> &[MetricStatus] {
    it.status.as_ref().and_then(|status| status.current_metrics.as_deref()).unwrap_or_default()
}

/// What is scaled; the kind is one that rules know where [`Target::kind`] is there.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) kind: Option<Kind>,
    pub(crate) reference: ObjectRef,
    /// As it stands in the spec: `apps/v1 Deployment`.
    pub(crate) written: String,
}

/// What an autoscaler scales.
pub(crate) fn target(it: &HorizontalPodAutoscaler) -> Option<Target> {
    let wanted = &it.spec.as_ref()?.scale_target_ref;
    let api = wanted.api_version.as_deref().unwrap_or_default();
    let group = api.split_once('/').map_or("", |(group, _)| group);
    let kind = Kind::from_name(&wanted.kind).filter(|kind| api.is_empty() || kind.group() == group);
    let namespace = it.metadata.namespace.as_deref();
    let reference = match kind {
        Some(kind) => ObjectRef::new(kind, namespace, &wanted.name),
        None => ObjectRef::foreign(&wanted.kind, namespace, &wanted.name),
    };
    let written = if api.is_empty() { wanted.kind.clone() } else { format!("{api} {}", wanted.kind) };
    Some(Target { kind, reference, written })
}

/// The workload that is scaled, where it is one that Kubernetes itself has.
///
/// # Errors
/// [`Needs`] where it has not been asked yet.
pub(crate) fn workload(reader: &Reader<'_>, target: &Target) -> Result<Read<Workload>, Needs> {
    let (namespace, name) = (target.reference.namespace.as_deref(), target.reference.name.as_str());
    Ok(match target.kind {
        Some(Kind::Deployment) => reader.get::<Deployment>(namespace, name)?.map(Workload::Deployment),
        Some(Kind::StatefulSet) => reader.get::<StatefulSet>(namespace, name)?.map(Workload::StatefulSet),
        Some(Kind::ReplicaSet) => reader.get::<ReplicaSet>(namespace, name)?.map(Workload::ReplicaSet),
        _ => Read::Unreadable,
    })
}

/// A figure beside what it should be: `cpu 330% of 60%`.
#[derive(Clone, Debug)]
pub(crate) struct Figure {
    pub(crate) metric: String,
    pub(crate) now: String,
    pub(crate) wanted: String,
    /// Both in percent of the request, where the target is one.
    pub(crate) percent: Option<(i32, i32)>,
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {} of {}", self.metric, self.now, self.wanted)
    }
}

/// The figures that an autoscaler has, each beside its target.
pub(crate) fn figures(it: &HorizontalPodAutoscaler) -> Vec<Figure> {
    let wanted = it.spec.as_ref().and_then(|spec| spec.metrics.as_deref()).unwrap_or_default();
    let figures = figures_of(it).iter().filter(|figure| !figure.type_.is_empty());
    figures
        .filter_map(|figure| {
            let (metric, now) = measured(figure)?;
            let wanted = wanted.iter().filter_map(aim).find(|(name, _)| *name == metric)?.1;
            Some(Figure {
                metric,
                now: shown(now.average_utilization, now.average_value.as_ref(), now.value.as_ref())?,
                wanted: shown(wanted.average_utilization, wanted.average_value.as_ref(), wanted.value.as_ref())?,
                percent: now.average_utilization.zip(wanted.average_utilization),
            })
        })
        .collect()
}

type Quantity = k8s_openapi::apimachinery::pkg::api::resource::Quantity;

fn shown(percent: Option<i32>, average: Option<&Quantity>, value: Option<&Quantity>) -> Option<String> {
    let percent = percent.map(|percent| format!("{percent}%"));
    percent.or_else(|| average.or(value).map(|quantity| quantity.0.clone()))
}

fn measured(figure: &MetricStatus) -> Option<(String, &MetricValueStatus)> {
    if let Some(it) = &figure.resource {
        return Some((it.name.clone(), &it.current));
    }
    if let Some(it) = &figure.container_resource {
        return Some((format!("{} of container {}", it.name, it.container), &it.current));
    }
    let other = figure.pods.as_ref().map(|it| (&it.metric, &it.current));
    let other = other.or_else(|| figure.object.as_ref().map(|it| (&it.metric, &it.current)));
    let other = other.or_else(|| figure.external.as_ref().map(|it| (&it.metric, &it.current)));
    other.map(|(metric, current)| (metric.name.clone(), current))
}

fn aim(metric: &MetricSpec) -> Option<(String, &MetricTarget)> {
    if let Some(it) = &metric.resource {
        return Some((it.name.clone(), &it.target));
    }
    if let Some(it) = &metric.container_resource {
        return Some((format!("{} of container {}", it.name, it.container), &it.target));
    }
    let other = metric.pods.as_ref().map(|it| (&it.metric, &it.target));
    let other = other.or_else(|| metric.object.as_ref().map(|it| (&it.metric, &it.target)));
    let other = other.or_else(|| metric.external.as_ref().map(|it| (&it.metric, &it.target)));
    other.map(|(metric, target)| (metric.name.clone(), target))
}
