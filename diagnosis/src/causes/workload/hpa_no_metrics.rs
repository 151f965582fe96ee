//! `hpa-no-metrics`.

use std::sync::Arc;

use jiff::SignedDuration;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, code, name, quoted, text};

use crate::ask::{Filter, Selector};
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::metrics_api::{self, Api, State};
use crate::facts::scaling::{self, Family, Lack, Said, Target, Trouble};
use crate::finding::{Confidence, Finding, Fix, Severity};
use crate::pods;
use crate::reader::Needs;
use crate::triage::{PodDigest, Triage, triage};

cause! {
    /// ## What it means
    /// The autoscaler has no figures to go by (`<unknown>`), so the number of replicas stays as it is, whatever the load.
    /// ## Signals
    /// ScalingActive False with `FailedGetResourceMetric`, `FailedGetContainerResourceMetric`, `FailedGetPodsMetric`,
    /// `FailedGetObjectMetric`, `FailedGetExternalMetric` or `InvalidMetricSourceType`; before there are conditions, the
    /// events of these names. The words say which API was asked: `unable to fetch metrics from resource metrics API: the
    /// server could not find the requested resource (get pods.metrics.k8s.io)`, `the server is currently unable to handle the
    /// request`, `no metrics returned from resource metrics API`, `did not receive metrics for targeted pods (pods might be
    /// unready)`, `the server could not find the metric NAME for pods`.
    /// ## Look-alikes
    /// What ails the API leads: `metrics-server-missing`, `metrics-server-failing`, `scaled-to-zero`,
    /// `apiservice-unavailable`; unready pods lead by their own cause. `hpa-missing-requests`: figures are there, a request
    /// is not. Pods that have just started have no figures for a minute or two. With one good metric of several it still
    /// scales up, and never down.
    /// ## Fixes
    /// Repair the API that serves the figures; let the adapter know the metric; correct the metric's name.
    /// ## Source
    /// pkg/controller/podautoscaler/horizontal.go, replica_calculator.go, metrics/client.go.
    HpaNoMetrics, stage Workload, since "0.1.0", detect
}

/// How long pods may be without figures after their start: two scrapes, and the autoscaler's own patience.
const WARM_UP: SignedDuration = SignedDuration::from_mins(3);
/// How long figures may be away, while metrics-server restarts, before that is worth a word.
const BREAK_SECONDS: i64 = 90;

fn detect(case: &Case<'_>) -> Verdict {
    let Some(it) = case.subject_as::<HorizontalPodAutoscaler>() else { return Ok(Vec::new()) };
    let Some(Trouble::Figures { said, partial }) = scaling::trouble(case, &it)? else { return Ok(Vec::new()) };
    let Some(target) = scaling::target(&it) else { return Ok(Vec::new()) };
    let lack = scaling::lack(&said);
    let finding = base(case, &said, partial);
    let finding = match lack {
        Lack::Request { .. } => None,
        Lack::Api(family) => Some(of_api(case, finding, family, &said)?),
        Lack::Metric(family) => Some(of_metric(case, finding, &it, family)),
        Lack::Forbidden(family) => Some(of_rights(case, finding, family)),
        Lack::Figures(family) => of_pods(case, finding, &target, Some(family))?,
        Lack::Pods => of_pods(case, finding, &target, None)?,
        Lack::Other(family) => Some(of_other(case, finding, &it, family)?),
    };
    Ok(finding.into_iter().collect())
}

fn base(case: &Case<'_>, said: &Said, partial: bool) -> Finding {
    let words = if said.words.is_empty() { said.evidence.text.clone() } else { said.words.clone() };
    let effect = if partial {
        text![" By its other metrics it still scales up, and as long as one is missing it never scales down."]
    } else {
        text![" So the number of replicas stays as it is, whatever the load."]
    };
    case.finding(Code::HpaNoMetrics)
        .severity(if partial { Severity::Warning } else { Severity::Error })
        .since(said.since)
        .root(case.reference())
        .title(text![
            "HorizontalPodAutoscaler ",
            name(case.name()),
            if partial { " lacks the figures of one of its metrics" } else { " has no figures to scale by" },
            ": ",
            quoted(last_clause(&words).to_owned())
        ])
        .explain(text!["The autoscaler asks for the figures of its target and gets: ", quoted(words), ".", effect])
        .evidence(said.evidence.clone())
}

/// The end of an error that is wrapped several times.
fn last_clause(words: &str) -> &str {
    let starts = ["unable to fetch metrics from ", "no metrics returned", "did not receive ", "no pods returned"];
    let tail = starts.iter().find_map(|start| words.rsplit_once(start).map(|(before, _)| before.len()));
    tail.and_then(|at| words.get(at..)).unwrap_or(words)
}

/// The API that serves the figures does not answer: its own cause leads.
fn of_api(case: &Case<'_>, finding: Finding, family: Family, said: &Said) -> Result<Finding, Needs> {
    let api = metrics_api::of_family(case, family)?;
    let look = case.kubectl_cluster(["get", "apiservice", &api.reference.name]);
    let finding = finding.via(api.reference.clone());
    Ok(match &api.state {
        State::Missing if family == Family::Resource => finding
            .follows(Code::MetricsServerMissing)
            .fix(Fix::safe(text!["install metrics-server; the autoscaler goes on by itself"]).command(look)),
        State::Missing => unregistered(case, finding, &api, family).fix(keda(case)),
        State::Down(down) => {
            let finding = finding.evidence(down.evidence.clone()).fix(
                Fix::safe(text![
                    "repair APIService ",
                    name(api.reference.name.clone()),
                    "; the autoscaler goes on by itself"
                ])
                .command(case.kubectl_cluster(["describe", "apiservice", &api.reference.name])),
            );
            if family == Family::Resource && down.scaled_to_zero().is_none() {
                if down.is_left_over() {
                    return Ok(finding.follows(Code::MetricsServerMissing));
                }
                if down.lacks_pods() {
                    return Ok(finding.follows(Code::MetricsServerFailing));
                }
            }
            finding.caused_in(api.reference.clone())
        }
        State::Fine => finding
            .confidence(Confidence::Likely)
            .also(text![
                "APIService ",
                name(api.reference.name.clone()),
                " answers the API server at this moment, so this may be over, or its pods are too slow for real questions."
            ])
            .fix(Fix::safe(text!["ask that API yourself, and see how long it takes"]).command(raw(case, family))),
        State::Unknown => finding
            .confidence(if said.words.is_empty() { Confidence::Possible } else { Confidence::Likely })
            .fix(Fix::safe(text!["see whether the API that serves the figures is there and answers"]).command(look)),
    })
}

fn raw(case: &Case<'_>, family: Family) -> String {
    match family {
        Family::Resource => case.kubectl(["top", "pods"]),
        Family::Custom => case.kubectl_cluster(["get", "--raw", "/apis/custom.metrics.k8s.io/v1beta1"]),
        Family::External => case.kubectl_cluster(["get", "--raw", "/apis/external.metrics.k8s.io/v1beta1"]),
    }
}

/// Nothing serves custom or external metrics in this cluster.
fn unregistered(case: &Case<'_>, finding: Finding, api: &Api, family: Family) -> Finding {
    finding
        .root(api.reference.clone())
        .title(text![
            "HorizontalPodAutoscaler ",
            name(case.name()),
            " has no figures to scale by: nothing in this cluster serves ",
            code(family.group())
        ])
        .also(text![
            "There is no APIService ",
            name(api.reference.name.clone()),
            ": metrics of type ",
            if family == Family::External { "External" } else { "Pods or Object" },
            " need an adapter that registers it."
        ])
        .evidence(crate::finding::Evidence::field(&api.reference, "", "does not exist"))
        .fix(
            Fix::safe(text![
                "install the adapter that these metrics are meant for (",
                if family == Family::External {
                    "KEDA, or a cloud's metrics adapter"
                } else {
                    "prometheus-adapter, mostly"
                },
                ")"
            ])
            .command(case.kubectl_cluster(["get", "apiservices"])),
        )
}

/// A hint where the autoscaler is one that KEDA has made.
fn keda(case: &Case<'_>) -> Option<Fix> {
    let labels = case.meta().labels.as_ref()?;
    let scaled = labels.get("scaledobject.keda.sh/name")?;
    Some(
        Fix::safe(text!["see what KEDA says of ScaledObject ", name(scaled.clone())])
            .command(case.kubectl(["describe", "scaledobject", scaled]))
            .command(case.kubectl_in("keda", ["logs", "deploy/keda-operator", "--tail=50"])),
    )
}

/// The adapter answers, and knows no such metric.
fn of_metric(case: &Case<'_>, finding: Finding, it: &HorizontalPodAutoscaler, family: Family) -> Finding {
    let names = metric_names(it, family);
    finding
        .also(text![
            "The adapter behind ",
            code(family.group()),
            " answers and has no such metric for these objects: its name, its labels or the adapter's rules do not fit (the \
             spec names ",
            Text::names(names, 5),
            ")."
        ])
        .fix(
            Fix::safe(text!["see which metrics the adapter offers, and correct the name in the autoscaler or its rules"])
                .command(raw(case, family))
                .command(case.kubectl(["edit", "horizontalpodautoscaler", case.name()])),
        )
        .fix(keda(case))
}

fn metric_names(it: &HorizontalPodAutoscaler, family: Family) -> Vec<String> {
    let metrics = it.spec.iter().flat_map(|spec| spec.metrics.iter().flatten());
    metrics
        .filter_map(|metric| match family {
            Family::Resource => metric.resource.as_ref().map(|it| it.name.clone()),
            Family::External => metric.external.as_ref().map(|it| it.metric.name.clone()),
            Family::Custom => {
                let pods = metric.pods.as_ref().map(|it| it.metric.name.clone());
                pods.or_else(|| metric.object.as_ref().map(|it| it.metric.name.clone()))
            }
        })
        .collect()
}

/// The controller may not ask.
fn of_rights(case: &Case<'_>, finding: Finding, family: Family) -> Finding {
    finding
        .also(text![
            "The controller may not read ",
            code(family.group()),
            ": the ClusterRole that allows it is missing or not bound to the ServiceAccount that the words name."
        ])
        .fix(
            Fix::safe(text![
                "let kube-system/horizontal-pod-autoscaler get and list that group (ClusterRole ",
                code("system:controller:horizontal-pod-autoscaler"),
                " for cpu and memory, the adapter's own for others)"
            ])
            .command(case.kubectl_cluster([
                "auth",
                "can-i",
                "list",
                &format!("pods.{}", family.group()),
                "--as=system:serviceaccount:kube-system:horizontal-pod-autoscaler",
            ])),
        )
}

/// The API answers and has no figures of these pods: they are new, or not ready, or nobody measures them.
fn of_pods(
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

/// Words that tell of nothing known.
fn of_other(case: &Case<'_>, finding: Finding, it: &HorizontalPodAutoscaler, family: Family) -> Result<Finding, Needs> {
    let invalid = it.spec.iter().flat_map(|spec| spec.metrics.iter().flatten()).any(|metric| {
        !matches!(metric.type_.as_str(), "Resource" | "ContainerResource" | "Pods" | "Object" | "External")
    });
    if invalid {
        return Ok(finding.fix(
            Fix::safe(text!["correct the type of its metrics: Resource, ContainerResource, Pods, Object or External"])
                .command(case.kubectl(["edit", "horizontalpodautoscaler", case.name()])),
        ));
    }
    let api = metrics_api::of_family(case, family)?;
    let finding = match &api.state {
        State::Down(down) => finding.evidence(down.evidence.clone()).caused_in(api.reference.clone()),
        State::Missing if family == Family::Resource => finding.follows(Code::MetricsServerMissing),
        State::Missing => unregistered(case, finding, &api, family),
        State::Fine | State::Unknown => finding.confidence(Confidence::Likely),
    };
    Ok(finding
        .fix(
            Fix::safe(text!["ask the API that serves the figures for them"])
                .command(raw(case, family))
                .command(case.kubectl(["describe", "horizontalpodautoscaler", case.name()])),
        )
        .fix(keda(case)))
}
