//! `metrics-server-failing`.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use kubewhy_text::{Text, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::metrics_api::{self, Api, Down, Scrape, State};
use crate::facts::owner;
use crate::facts::scaling::{self, Family, Lack, Said, Trouble};
use crate::facts::services::Standing;
use crate::finding::{Confidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::pods;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// metrics-server is installed and gives no figures: its pods do not run or are not ready, or it cannot read the
    /// kubelets. Autoscalers by cpu or memory, `kubectl top` and dashboards go without.
    /// ## Signals
    /// APIService v1beta1.metrics.k8s.io is not Available for want of ready pods (`MissingEndpoints`); the log of
    /// metrics-server: `Failed to scrape node` with `x509: cannot validate certificate for IP because it doesn't contain any
    /// IP SANs`, `no such host`, `i/o timeout`, `401 Unauthorized`, `403 Forbidden`; `no metrics to serve`.
    /// ## Look-alikes
    /// `metrics-server-missing`: there is none. `scaled-to-zero`: nobody wants its pods. `apiservice-unavailable`: its pods
    /// are ready, and the API server does not reach them. One node without figures is that node's kubelet.
    /// ## Fixes
    /// Its pods' own cause; certificates of the kubelets that the cluster's CA has signed; addresses instead of names; TCP
    /// 10250 open between its pods and the nodes.
    /// ## Source
    /// <https://github.com/kubernetes-sigs/metrics-server> pkg/scraper, pkg/server.
    MetricsServerFailing, stage Cluster, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(it) = case.subject_as::<HorizontalPodAutoscaler>() {
        let Some(Trouble::Figures { said, .. }) = scaling::trouble(case, &it)? else { return Ok(Vec::new()) };
        return of_autoscaler(case, &said);
    }
    of_its_pod(case)
}

fn of_autoscaler(case: &Case<'_>, said: &Said) -> Verdict {
    let lack = scaling::lack(said);
    if !matches!(lack, Lack::Api(Family::Resource) | Lack::Figures(Family::Resource) | Lack::Other(Family::Resource)) {
        return Ok(Vec::new());
    }
    let api = metrics_api::of_family(case, Family::Resource)?;
    match &api.state {
        State::Down(down) if down.lacks_pods() && !down.is_left_over() => Ok(vec![without_pods(case, &api, down)?]),
        State::Fine if matches!(lack, Lack::Figures(_)) => without_figures(case, &api, said),
        _ => Ok(Vec::new()),
    }
}

/// Its pods are what fails: their own cause explains it.
fn without_pods(case: &Case<'_>, api: &Api, down: &Down) -> Result<Finding, Needs> {
    let service = down.behind.as_ref().map(|standing| standing.service.clone());
    let scrape = match &service {
        Some(service) => metrics_api::scrape_behind(case, service)?,
        None => None,
    };
    let workload = down.workload.clone();
    let root = workload.clone().or_else(|| service.clone()).unwrap_or_else(|| api.reference.clone());
    let clause = down.behind.as_ref().map(|standing| text![": ", standing.clause()]);
    let mut finding = case
        .finding(Code::MetricsServerFailing)
        .root(root.clone())
        .since(down.since)
        .via(api.reference.clone())
        .title(text!["metrics-server (", name(root.to_string()), ") gives no figures", clause])
        .explain(text![
            "Cpu and memory figures come from metrics-server, and none of its pods answers, so APIService ",
            name(api.reference.name.clone()),
            " is not available. Autoscalers by cpu or memory and kubectl top go without until one does."
        ])
        .also(down.behind.as_ref().map(Standing::sentence))
        .evidence(down.evidence.clone());
    if let Some(standing) = &down.behind {
        finding = standing.evidence.iter().cloned().fold(finding, Finding::evidence);
        finding = finding.via(standing.service.clone());
    }
    let finding = with_scrape(case, finding, scrape.as_ref(), &root);
    let fixes = down.behind.as_ref().map(|standing| standing.fixes(case)).unwrap_or_default();
    let finding = fixes.into_iter().fold(finding, Finding::fix).fix(logs(case, &root));
    Ok(match workload.filter(|_| scrape.is_none()) {
        Some(workload) => finding.explained_by(workload),
        None => finding,
    })
}

/// It answers, and has no figures of these pods: what its log says it cannot read.
fn without_figures(case: &Case<'_>, api: &Api, said: &Said) -> Verdict {
    let service = case.get::<APIService>(None, &api.reference.name)?;
    let backend = service.found().and_then(|service| {
        let backend = service.spec.as_ref()?.service.clone()?;
        Some(ObjectRef::new(Kind::Service, Some(backend.namespace?.as_str()), backend.name?.as_str()))
    });
    let Some(backend) = backend else { return Ok(Vec::new()) };
    let Some(scrape) = metrics_api::scrape_behind(case, &backend)? else { return Ok(Vec::new()) };
    let finding = case
        .finding(Code::MetricsServerFailing)
        .confidence(Confidence::Likely)
        .since(said.since)
        .via(api.reference.clone())
        .title(title(&scrape))
        .explain(text!["metrics-server answers, and has no figures of these pods."])
        .evidence(said.evidence.clone());
    let root = match &scrape.node {
        Some(node) => ObjectRef::new(Kind::Node, None, node),
        None => backend.clone(),
    };
    let workload = ObjectRef::new(Kind::Deployment, backend.namespace.as_deref(), &backend.name);
    Ok(vec![with_scrape(case, finding.root(root), Some(&scrape), &workload).fix(logs(case, &workload))])
}

fn title(scrape: &Scrape) -> Text {
    match &scrape.node {
        Some(node) => {
            text!["metrics-server has no figures of node ", name(node.clone()), ": it cannot read its kubelet"]
        }
        None => text!["metrics-server has no figures: it cannot read the kubelets"],
    }
}

fn with_scrape(case: &Case<'_>, finding: Finding, scrape: Option<&Scrape>, workload: &ObjectRef) -> Finding {
    let Some(scrape) = scrape else { return finding };
    let finding = finding.also(scrape.sentence()).evidence(scrape.evidence.clone());
    scrape.fixes(case, workload).into_iter().fold(finding, Finding::fix)
}

fn logs(case: &Case<'_>, workload: &ObjectRef) -> Fix {
    let namespace = workload.namespace.as_deref().unwrap_or("kube-system");
    let target = format!("{}/{}", workload.kind.to_lowercase(), workload.name);
    let command = if workload.kind == Kind::Service.name() {
        case.kubectl_in(namespace, ["get", "pods", "-o", "wide"])
    } else {
        case.kubectl_in(namespace, ["logs", &target, "--tail=50"])
    };
    Fix::safe(text!["read what metrics-server itself says"]).command(command)
}

/// metrics-server's own pod runs and is not ready since it cannot read the kubelets.
fn of_its_pod(case: &Case<'_>) -> Verdict {
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let labels = pod.metadata.labels.as_ref();
    let is_it = ["k8s-app", "app.kubernetes.io/name", "app"]
        .iter()
        .any(|key| labels.and_then(|labels| labels.get(*key)).is_some_and(|value| value == "metrics-server"));
    if !is_it || pods::is_true(pod, "Ready") {
        return Ok(Vec::new());
    }
    let Some(scrape) = metrics_api::scrape(case, pod)? else { return Ok(Vec::new()) };
    let owner = owner::top(case)?;
    let finding = case
        .finding(Code::MetricsServerFailing)
        .root(owner.clone())
        .title(title(&scrape))
        .explain(text!["metrics-server is ready only once it has figures to serve."]);
    Ok(vec![with_scrape(case, finding, Some(&scrape), &owner).fix(logs(case, &owner))])
}
