//! `hpa-at-maximum`.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::scaling::{self, Figure};
use crate::finding::{Fix, Severity};
use crate::scope;

cause! {
    /// ## What it means
    /// The figures ask for more replicas than `maxReplicas` allows: all that are allowed run, and the load is still above
    /// the target.
    /// ## Signals
    /// ScalingLimited True with `TooManyReplicas` (`the desired replica count is more than the maximum replica count`), and
    /// as many replicas as the maximum.
    /// ## Look-alikes
    /// New pods that cannot start or are killed while they are flooded: the replicas are there in number, not in work, and
    /// their own cause leads. `TooFewReplicas`, `ScaleUpLimit`, `ScaleDownLimit` and `ScaleDownStabilized` are the
    /// autoscaler at its work.
    /// ## Fixes
    /// Raise the maximum where the nodes have room for it; make a pod do more; find out where the load comes from.
    /// ## Source
    /// pkg/controller/podautoscaler/horizontal.go, <https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/>
    HpaAtMaximum, stage Workload, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(it) = case.subject_as::<HorizontalPodAutoscaler>() else { return Ok(Vec::new()) };
    let (Some(spec), Some(status)) = (it.spec.as_ref(), it.status.as_ref()) else { return Ok(Vec::new()) };
    let conditions = scaling::conditions(&it);
    let find = |type_: &str| conditions.iter().find(|condition| condition.type_ == type_);
    let Some(limited) = find("ScalingLimited")
        .filter(|limited| limited.status == "True" && limited.reason.as_deref() == Some("TooManyReplicas"))
    else {
        return Ok(Vec::new());
    };
    // What it said last before it lost sight of its target or its figures is history.
    let blind = ["AbleToScale", "ScalingActive"].iter().any(|type_| find(type_).is_some_and(|it| it.status == "False"));
    let current = status.current_replicas.unwrap_or_default();
    if blind || current < spec.max_replicas {
        return Ok(Vec::new());
    }
    let Some(target) = scaling::target(&it) else { return Ok(Vec::new()) };
    let workload = scaling::workload(case, &target)?.found();
    let lame = workload.as_ref().and_then(scope::replicas).filter(|(wanted, ready)| ready < wanted);
    let figures = scaling::figures(&it);
    let since = limited.last_transition_time.as_ref().map(|time| time.0);
    let message = limited.message.clone().unwrap_or_default();
    let fixed = spec.min_replicas.unwrap_or(1) >= spec.max_replicas;
    let shown = Text::names(figures.iter().map(ToString::to_string), 4);
    let mut finding = case
        .finding(Code::HpaAtMaximum)
        .severity(Severity::Warning)
        .since(since)
        .root(case.reference())
        .title(text![
            "HorizontalPodAutoscaler ",
            name(case.name()),
            " is at its maximum of ",
            spec.max_replicas,
            (!figures.is_empty()).then(|| text![": ", shown])
        ])
        .explain(text![
            "It wants more replicas of ",
            name(target.reference.to_string()),
            " than ",
            code("maxReplicas"),
            " allows: ",
            quoted(message.clone()),
            ". All ",
            current,
            " run, and the load per pod stays above the target."
        ])
        .also(wanted(&figures, current))
        .also(fixed.then(|| text![code("minReplicas"), " is as large, so it cannot scale at all."]))
        .also(lame.map(|(wanted, ready)| {
            text!["Only ", ready, " of ", wanted, " replicas are ready, so the others carry no load yet."]
        }))
        .evidence(
            case.field(".status.conditions[ScalingLimited]", format!("True, TooManyReplicas: {message}")).at(since),
        )
        .evidence(case.field(".spec.maxReplicas", spec.max_replicas.to_string()))
        .evidence(case.field(".status.currentReplicas", current.to_string()));
    for figure in figures.iter().take(4) {
        finding = finding.evidence(case.field(".status.currentMetrics", figure.to_string()));
    }
    if lame.is_some() {
        finding = finding.caused_in(target.reference.clone());
    }
    let raise = estimate(&figures, current).unwrap_or_else(|| spec.max_replicas.saturating_mul(2));
    let body = format!(r#"{{"spec":{{"maxReplicas":{raise}}}}}"#);
    Ok(vec![
        finding
            .fix(
                Fix::safe(text![
                    "raise maxReplicas, where the nodes and the quota have room for it (and what the pods lean on can \
                     take the load)"
                ])
                .command(case.kubectl([
                    "patch",
                    "horizontalpodautoscaler",
                    case.name(),
                    "--type=merge",
                    "-p",
                    &body,
                ])),
            )
            .fix(
                Fix::safe(text!["or see what a pod spends, and let it do more: its request sets what 100% is"])
                    .command(case.kubectl(["top", "pods", "--containers"])),
            ),
    ])
}

/// How many replicas the figures ask for, where they are percentages.
fn estimate(figures: &[Figure], current: i32) -> Option<i32> {
    let asks = figures.iter().filter_map(|figure| figure.percent).filter(|(_, wanted)| *wanted > 0);
    let most =
        asks.map(|(now, wanted)| (i64::from(current) * i64::from(now) + i64::from(wanted) - 1) / i64::from(wanted));
    most.max().and_then(|most| i32::try_from(most).ok()).filter(|most| *most > current)
}

fn wanted(figures: &[Figure], current: i32) -> Option<Text> {
    estimate(figures, current).map(|wanted| text!["By these figures it would take some ", wanted, " replicas."])
}
