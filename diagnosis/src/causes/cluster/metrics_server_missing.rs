//! `metrics-server-missing`.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kubewhy_text::{code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::metrics_api::{self, Api, State};
use crate::facts::scaling::{self, Family, Lack, Trouble};
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::reader::{Needs, Read, Reading};

cause! {
    /// ## What it means
    /// Nothing in this cluster serves cpu and memory figures (`metrics.k8s.io`): metrics-server is not installed, or only its
    /// registration is left. Autoscalers by cpu or memory, `kubectl top` and dashboards have no figures.
    /// ## Signals
    /// No APIService v1beta1.metrics.k8s.io; `the server could not find the requested resource (get pods.metrics.k8s.io)`;
    /// kubectl top says `Metrics API not available`. Or the APIService is there, and its Service or Deployment is not
    /// (`ServiceNotFound`).
    /// ## Look-alikes
    /// `metrics-server-failing`: it is installed and does not work. `scaled-to-zero`: it is installed and wants no pods.
    /// ## Fixes
    /// Install metrics-server. Heapster, which older guides name, is retired.
    /// ## Source
    /// <https://github.com/kubernetes-sigs/metrics-server>, pkg/controller/podautoscaler/metrics/client.go.
    MetricsServerMissing, stage Cluster, since "0.1.0", detect
}

const MANIFEST: &str = "https://github.com/kubernetes-sigs/metrics-server/releases/latest/download/components.yaml";

fn detect(case: &Case<'_>) -> Verdict {
    let Some(it) = case.subject_as::<HorizontalPodAutoscaler>() else { return Ok(Vec::new()) };
    let Some(Trouble::Figures { said, .. }) = scaling::trouble(case, &it)? else { return Ok(Vec::new()) };
    if !matches!(scaling::lack(&said), Lack::Api(Family::Resource) | Lack::Other(Family::Resource)) {
        return Ok(Vec::new());
    }
    let api = metrics_api::of_family(case, Family::Resource)?;
    Ok(match &api.state {
        State::Missing => vec![finding(case, &api, said.since, said.evidence.clone())?],
        State::Down(down) if down.is_left_over() => {
            let gone = text![
                "The APIService is left over: ",
                quoted(down.message.clone()),
                ". As long as it stays, no namespace can be deleted completely either."
            ];
            let finding = finding(case, &api, down.since.or(said.since), down.evidence.clone())?.also(gone);
            let standing = down.behind.iter().flat_map(|standing| standing.evidence.iter().cloned());
            vec![
                standing.fold(finding, Finding::evidence).fix(
                    Fix::disruptive(text!["or, if no figures are wanted here: delete the registration that is left"])
                        .command(case.kubectl_cluster(["delete", "apiservice", &api.reference.name])),
                ),
            ]
        }
        // Its own words say as much where the registrations cannot be read.
        State::Unknown if said.words.contains("could not find the requested resource") => {
            let found = finding(case, &api, said.since, said.evidence.clone())?;
            let installed = deployment(case)?.found().is_some();
            if installed { Vec::new() } else { vec![found.confidence(Confidence::Likely)] }
        }
        _ => Vec::new(),
    })
}

fn deployment(case: &Case<'_>) -> Reading<Arc<Deployment>> {
    case.get::<Deployment>(Some("kube-system"), "metrics-server")
}

fn finding(case: &Case<'_>, api: &Api, since: Option<jiff::Timestamp>, evidence: Evidence) -> Result<Finding, Needs> {
    let unregistered = matches!(api.state, State::Missing);
    let deployment =
        if unregistered { case.get::<Deployment>(Some("kube-system"), "metrics-server")? } else { Read::Absent };
    let reference = ObjectRef::new(Kind::Deployment, Some("kube-system"), "metrics-server");
    let there = matches!(deployment, Read::Found(_)).then(|| {
        text![
            name(reference.to_string()),
            " is there, and it is not registered: without the APIService nobody is led to it."
        ]
    });
    let heapster = evidence.text.contains("heapster").then(|| {
        text!["The words name Heapster, which is retired: clusters of today have metrics-server in its place."]
    });
    let absent = unregistered.then(|| Evidence::field(&api.reference, "", "does not exist"));
    Ok(case
        .finding(Code::MetricsServerMissing)
        .root(api.reference.clone())
        .since(since)
        .title(text!["No figures of cpu and memory in this cluster: metrics-server is not installed"])
        .explain(text![
            "Cpu and memory figures come from the API group ",
            code("metrics.k8s.io"),
            ", and nothing in this cluster serves it",
            unregistered.then(|| text![": there is no APIService ", name(api.reference.name.clone())]),
            ". Autoscalers by cpu or memory, kubectl top and dashboards have no figures until something does."
        ])
        .also(there)
        .also(heapster)
        .evidence(evidence)
        .evidence(absent)
        .fix(
            Fix::safe(text!["install metrics-server (managed clusters have it as an add-on)"])
                .command(case.kubectl_cluster(["apply", "-f", MANIFEST])),
        ))
}
