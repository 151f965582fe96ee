//! `hpa-no-metrics`.

mod of_pods;

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::metrics_api::{self, Api, State};
use crate::facts::scaling::{self, Family, Lack, Said, Target, Trouble};
use crate::finding::{Confidence, Finding, Fix, Severity};
use crate::nearest::nearest;
use crate::reader::Needs;

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

fn detect(case: &Case<'_>) -> Verdict {
    let Some(it) = case.subject_as::<HorizontalPodAutoscaler>() else { return Ok(Vec::new()) };
    let Some(Trouble::Figures { said, partial }) = scaling::trouble(case, &it)? else { return Ok(Vec::new()) };
    let Some(target) = scaling::target(&it) else { return Ok(Vec::new()) };
    let lack = scaling::lack(&said);
    let finding = base(case, &said, partial);
    let finding = match lack {
        Lack::Request { .. } => None,
        Lack::Container(container) => Some(of_container(case, finding, &target, container)?),
        Lack::Api(family) => Some(of_api(case, finding, family, &said)?),
        Lack::Metric(family) => Some(of_metric(case, finding, &it, family)),
        Lack::Forbidden(family) => Some(of_rights(case, finding, family)),
        Lack::Figures(family) => of_pods::of_pods(case, finding, &target, Some(family))?,
        Lack::Pods => of_pods::of_pods(case, finding, &target, None)?,
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
        State::Fine if family != Family::Resource => of_source(case, finding, family),
        State::Fine => finding
            .confidence(Confidence::Likely)
            .also(text![
                "APIService ",
                name(api.reference.name.clone()),
                " answers the API server at this moment, so this may be over, or its pods are too slow for real questions."
            ])
            .fix(Fix::safe(text!["ask that API yourself, and see how long it takes"]).command(raw(case, family))),
        State::Unknown => finding
            .follows(Code::MetricsServerMissing)
            .confidence(if said.words.is_empty() { Confidence::Possible } else { Confidence::Likely })
            .fix(Fix::safe(text!["see whether the API that serves the figures is there and answers"]).command(look)),
    })
}

/// The adapter answers, and what it measures at does not.
fn of_source(case: &Case<'_>, finding: Finding, family: Family) -> Finding {
    finding
        .confidence(Confidence::Likely)
        .also(text![
            "The adapter behind ",
            code(family.group()),
            " answers the API server, so these are its own words about the source that it asks: a Prometheus, a queue, a \
             cloud's API, or the credentials for it."
        ])
        .fix(
            Fix::safe(text!["repair what the adapter asks, as its words tell; then ask it again"]).command(raw(case, family)),
        )
        .fix(keda(case))
}

/// The metric is of a container that the pods do not have.
fn of_container(case: &Case<'_>, finding: Finding, target: &Target, container: &str) -> Result<Finding, Needs> {
    let workload = scaling::workload(case, target)?.found();
    let template = workload.as_ref().and_then(|it| it.template()?.spec.as_ref());
    let names: Vec<String> = template.iter().flat_map(|spec| &spec.containers).map(|it| it.name.clone()).collect();
    let near = nearest(container, names.iter().map(String::as_str));
    let meant = near.map(|near| text![" Did you mean ", name(near), "?"]);
    let has = (!names.is_empty()).then(|| text!["; they have ", Text::names(names, 8)]);
    Ok(finding
        .also(text![
            "Its metric is one of container ",
            name(container),
            ", which the pods do not have",
            has,
            ".",
            meant
        ])
        .fix(Fix::safe(text!["correct the container of its ContainerResource metric"]).command(case.kubectl([
            "edit",
            "horizontalpodautoscaler",
            case.name(),
        ]))))
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
        State::Fine if family != Family::Resource => return Ok(of_source(case, finding, family)),
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
