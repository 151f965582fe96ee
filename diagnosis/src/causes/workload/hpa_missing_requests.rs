//! `hpa-missing-requests`.

use std::sync::Arc;

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict, Workload};
use crate::causes::{Code, cause};
use crate::facts::scaling::{self, Lack, Said, Target, Trouble};
use crate::finding::{Finding, Fix, ObjectRef, Severity};
use crate::kind::{Kind, Object};
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The autoscaler is to keep a share of what the pods request, and some container requests nothing, so there is no share
    /// to work out. One container without a request is enough, a sidecar too.
    /// ## Signals
    /// ScalingActive False `FailedGetResourceMetric` with `missing request for cpu in container NAME of Pod NAME` (`missing
    /// pod-level request for cpu in Pod NAME`); the metric's target is `Utilization`.
    /// ## Look-alikes
    /// `hpa-no-metrics`: the metrics API gives no figures. Right after a start both come one after the other: `did not
    /// receive metrics` first, and this once there are figures.
    /// ## Fixes
    /// Requests for every container; a ContainerResource metric that looks at one container; an AverageValue.
    /// ## Source
    /// pkg/controller/podautoscaler/replica_calculator.go.
    HpaMissingRequests, stage Workload, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(it) = case.subject_as::<HorizontalPodAutoscaler>() else { return Ok(Vec::new()) };
    let Some(Trouble::Figures { said, partial }) = scaling::trouble(case, &it)? else { return Ok(Vec::new()) };
    let Lack::Request { resource, container, pod } = scaling::lack(&said) else { return Ok(Vec::new()) };
    let Some(target) = scaling::target(&it) else { return Ok(Vec::new()) };
    let lacking = Lacking { resource, container, pod };
    Ok(vec![lacking.finding(case, &target, &said, partial)?])
}

/// The request that is missing, as the controller names it.
struct Lacking<'w> {
    resource: &'w str,
    container: Option<&'w str>,
    pod: &'w str,
}

impl Lacking<'_> {
    fn finding(&self, case: &Case<'_>, target: &Target, said: &Said, partial: bool) -> Result<Finding, Needs> {
        let pod = match self.pod {
            "" => Ok(Read::Unreadable),
            pod => case.get::<Pod>(case.namespace(), pod),
        };
        let workload = scaling::workload(case, target);
        let (pod, workload) = (pod?.found(), workload?.found());
        let without = workload.as_ref().map(|it| without(it, self.resource)).unwrap_or_default();
        let stranger = match &pod {
            Some(pod) => self.stranger(case, pod, target)?,
            None => None,
        };
        let whose = stranger.clone().unwrap_or_else(|| target.reference.clone());
        let root = match self.container {
            Some(container) => whose.clone().with_container(container),
            None => whose.clone(),
        };
        let finding = case
            .finding(Code::HpaMissingRequests)
            .severity(if partial { Severity::Warning } else { Severity::Error })
            .since(said.since)
            .root(root)
            .title(text![
                "HorizontalPodAutoscaler ",
                name(case.name()),
                " cannot work out ",
                code(self.resource),
                ": ",
                self.where_(),
                " requests none"
            ])
            .explain(text![
                "It is to keep a percentage of what the pods request of ",
                code(self.resource),
                ", and ",
                self.of_pod(),
                " requests none, so there is nothing to take the percentage of. Until it does, nothing is scaled by it."
            ])
            .also(self.note(workload.as_ref(), stranger.as_ref(), &without))
            .evidence(said.evidence.clone())
            .evidence(pod.as_deref().and_then(|pod| self.evidence(pod)));
        Ok(self
            .fixes(case, &whose, &without, stranger.is_none() && self.is_injected(workload.as_ref()))
            .into_iter()
            .fold(finding, Finding::fix))
    }

    fn where_(&self) -> Text {
        match self.container {
            Some(container) => text!["container ", name(container)],
            None => text!["the pod"],
        }
    }

    fn of_pod(&self) -> Text {
        let pod = (!self.pod.is_empty()).then(|| text!["Pod ", name(self.pod)]);
        match (self.container, pod) {
            (Some(container), Some(pod)) => text!["container ", name(container), " of ", pod],
            (None, Some(pod)) => pod,
            _ => self.where_(),
        }
    }

    /// Tells whether something else than the template put the container into the pod.
    fn is_injected(&self, workload: Option<&Workload>) -> bool {
        let template = workload.and_then(|it| it.template()?.spec.as_ref());
        template.zip(self.container).is_some_and(|(template, wanted)| counted(template).all(|it| it.name != wanted))
    }

    /// The controller of the pod, where that is not what the autoscaler scales: it only has the same labels.
    fn stranger(&self, case: &Case<'_>, pod: &Arc<Pod>, target: &Target) -> Result<Option<ObjectRef>, Needs> {
        let mut controllers = case.controllers(&Object::Pod(Arc::clone(pod)))?;
        let known = controllers.iter().any(|it| it.is_same_object(&target.reference));
        let foreign = target.kind.is_none();
        let bare = || ObjectRef::new(Kind::Pod, case.namespace(), self.pod);
        Ok((!known && !foreign).then(|| controllers.pop().unwrap_or_else(bare)))
    }

    fn note(&self, workload: Option<&Workload>, stranger: Option<&ObjectRef>, without: &[String]) -> Option<Text> {
        if let Some(stranger) = stranger {
            return Some(text![
                "That pod is not of the target at all: it belongs to ",
                name(stranger.to_string()),
                ", whose pods carry the labels that the target selects by."
            ]);
        }
        let container = self.container?;
        if self.is_injected(Some(workload?)) {
            return Some(text![
                "The target's template has no container ",
                name(container),
                ": something puts it into the pods (a service mesh or an agent), and it counts too."
            ]);
        }
        if without.is_empty() {
            return Some(text![
                "The template has the request by now; pods of an older revision that lack it are still there."
            ]);
        }
        let others: Vec<&String> = without.iter().filter(|it| it.as_str() != container).collect();
        (!others.is_empty())
            .then(|| text!["The template lacks it for ", Text::names(others.into_iter().cloned(), 8), " too."])
    }

    fn evidence(&self, pod: &Pod) -> Option<crate::finding::Evidence> {
        let spec = pod.spec.as_ref()?;
        let name = pod.metadata.name.as_deref()?;
        let reference = ObjectRef::new(Kind::Pod, pod.metadata.namespace.as_deref(), name);
        let container = counted(spec).find(|it| Some(it.name.as_str()) == self.container)?;
        let requests = container.resources.as_ref().and_then(|resources| resources.requests.as_ref());
        let shown = requests.map_or_else(
            || "none".to_owned(),
            |all| all.iter().map(|(key, value)| format!("{key}: {}", value.0)).collect::<Vec<_>>().join(", "),
        );
        let path = format!(".spec.containers[{}].resources.requests", container.name);
        Some(crate::finding::Evidence::field(&reference, &path, shown))
    }

    fn fixes(&self, case: &Case<'_>, whose: &ObjectRef, without: &[String], injected: bool) -> Vec<Fix> {
        let amount = if self.resource == "memory" { "128Mi" } else { "100m" };
        let container = self.container.unwrap_or_default();
        let mut names: Vec<&str> = without.iter().map(String::as_str).collect();
        if names.is_empty() && !container.is_empty() {
            names.push(container);
        }
        let request = format!("--requests={}={amount}", self.resource);
        let target = format!("{}/{}", whose.kind.to_lowercase(), whose.name);
        let set = names.iter().map(|container| case.kubectl(["set", "resources", &target, "-c", container, &request]));
        let one = "ContainerResource";
        let metric = Fix::safe(text![
            "or measure without requests: a ",
            code(one),
            " metric of a container that has one, or a target of type ",
            code("AverageValue"),
            " instead of ",
            code("Utilization")
        ])
        .command(case.kubectl(["edit", "horizontalpodautoscaler", case.name()]));
        if injected {
            return vec![self.of_injected(), metric];
        }
        let mut give = Fix::disruptive(text![
            "give every container a request for ",
            code(self.resource),
            " (what it uses on an ordinary day; the pods are made anew)"
        ]);
        if matches!(Kind::from_name(&whose.kind), Some(Kind::Deployment | Kind::StatefulSet | Kind::ReplicaSet)) {
            give = give.commands(set);
        }
        vec![give, metric]
    }
}

impl Lacking<'_> {
    /// What is put into the pods gets its request where that is set up.
    fn of_injected(&self) -> Fix {
        let setting = match (self.container, self.resource) {
            (Some("istio-proxy"), "cpu") => Some("sidecar.istio.io/proxyCPU: 100m"),
            (Some("istio-proxy"), _) => Some("sidecar.istio.io/proxyMemory: 128Mi"),
            (Some("linkerd-proxy"), "cpu") => Some("config.linkerd.io/proxy-cpu-request: 100m"),
            (Some("linkerd-proxy"), _) => Some("config.linkerd.io/proxy-memory-request: 128Mi"),
            _ => None,
        };
        let by = setting.map(|setting| text![": annotation ", code(setting), " in the template"]);
        Fix::disruptive(text![
            "let what puts container ",
            name(self.container.unwrap_or_default()),
            " into the pods give it a request for ",
            code(self.resource),
            by
        ])
    }
}

/// The containers that count: the main ones and the sidecars that are written as init containers.
fn counted(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    let sidecars = spec.init_containers.iter().flatten();
    spec.containers.iter().chain(sidecars.filter(|it| it.restart_policy.as_deref() == Some("Always")))
}

/// The containers of its template without a request for that resource; a limit is a request too.
fn without(workload: &Workload, resource: &str) -> Vec<String> {
    let Some(spec) = workload.template().and_then(|template| template.spec.as_ref()) else { return Vec::new() };
    let has = |it: &&Container| {
        let resources = it.resources.as_ref();
        let in_ =
            |all: Option<&std::collections::BTreeMap<String, _>>| all.is_some_and(|all| all.contains_key(resource));
        in_(resources.and_then(|it| it.requests.as_ref())) || in_(resources.and_then(|it| it.limits.as_ref()))
    };
    counted(spec).filter(|it| !has(it)).map(|it| it.name.clone()).collect()
}
