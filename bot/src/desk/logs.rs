//! The tail of a container's log: which pod and which container are meant, and what it wrote.

use std::cell::OnceCell;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Container, Pod};
use kubewhy_chat::Message;
use kubewhy_core::answer::{self, Log};
use kubewhy_core::commands::{Command, Logs};
use kubewhy_core::resolve::{Candidate, Wanted};
use kubewhy_core::{UserError, nearest};
use kubewhy_diagnosis::ask::{Answer, Ask, Filter, Instance, Selector};
use kubewhy_diagnosis::kind::{Kind, Object};
use kubewhy_diagnosis::redact::redact;
use kubewhy_diagnosis::{Report, pods};
use kubewhy_text::{Text, name, quoted, text};

use super::{Answered, Counter};

/// The annotation by which a pod says which of its containers it is about
/// (<https://kubernetes.io/docs/reference/labels-annotations-taints/#kubectl-kubernetes-io-default-container>).
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// The report about the object, once it was asked for.
type Told = OnceCell<Option<Report>>;

impl Counter<'_> {
    pub(super) fn log(&self, command: &Command, logs: &Logs) -> Result<Answered, Message> {
        let found = self.find(command, &logs.object)?;
        let told = Told::new();
        let pod = self.pod_of(&found, &told)?;
        let named = logs.container.as_deref();
        let container = self.container_of(&pod, &found, named, &told).map_err(|error| error.message())?;
        let not_started = not_started(&pod, &container);
        let runs = Runs::of(&pod, &container);
        let metadata = &pod.metadata;
        let (namespace, pod) =
            (metadata.namespace.clone().unwrap_or_default(), metadata.name.clone().unwrap_or_default());
        let ask = Ask::Log {
            namespace: namespace.clone(),
            pod: pod.clone(),
            container: container.clone(),
            instance: logs.instance,
        };
        let what = ask.to_string();
        if let Some(reason) = not_started {
            return Err(UserError::new(text![
                name(what),
                " has no lines: the container has not started (",
                name(redact(&reason)),
                ")"
            ])
            .meant(format!("why pod {pod} -n {namespace}"))
            .message());
        }
        if logs.instance == Instance::Previous && runs == Runs::One {
            let object = Wanted {
                kind: Some(Kind::Pod),
                word: None,
                name: pod,
                namespace: Some(namespace),
                cluster: found.cluster.clone(),
            };
            let this =
                Logs { object, container: Some(container.clone()), instance: Instance::Current, lines: logs.lines };
            return Err(UserError::new(text![
                "container ",
                name(container),
                " has not been restarted: there is no run before"
            ])
            .meant(Command::Logs(this).to_string())
            .message());
        }
        let words = match self.ask(&found, ask) {
            Answer::Log(words) => words,
            Answer::Absent => Arc::from(""),
            Answer::Forbidden(why) | Answer::Failed(why) => return Err(unread(&what, text![quoted(redact(&why))])),
            Answer::NotCovered => return Err(unread(&what, "it is not in the dump".into())),
            Answer::Object(_) | Answer::List { .. } => return Err(unread(&what, "the answer was no log".into())),
        };
        let pod = Wanted {
            kind: Some(Kind::Pod),
            word: None,
            name: pod,
            namespace: Some(namespace),
            cluster: found.cluster.clone(),
        };
        let (instance, lines) = (logs.instance, logs.lines);
        let has_other = runs == Runs::Several;
        let log = Log { pod, container: &container, instance, redacted: &redact(&words), lines, has_other };
        let message = answer::log(&log);
        Ok(Answered { about: Some(found.to_wanted()), ..Answered::to_everybody(message) })
    }

    /// The pod itself, or that one of a workload's pods which shows its trouble; where all are well, the first.
    fn pod_of(&self, found: &Candidate, told: &Told) -> Result<Arc<Pod>, Message> {
        let Candidate { kind, namespace, name, .. } = found;
        if *kind == Kind::Pod {
            return self.pod(found, namespace.as_deref(), name).ok_or_else(|| answer::no_pod(found));
        }
        let troubled = self.report_of(found, told).and_then(|report| {
            report.findings.iter().map(|ranked| &ranked.finding.object).find(|object| object.kind == Kind::Pod.name())
        });
        if let Some(pod) = troubled.and_then(|pod| self.pod(found, pod.namespace.as_deref(), &pod.name)) {
            return Ok(pod);
        }
        let selector = match self.ask(found, Ask::Get { kind: *kind, namespace: namespace.clone(), name: name.clone() })
        {
            Answer::Object(object) => selector_of(&object),
            _ => None,
        };
        let filter = Filter::Labels(selector.ok_or_else(|| match kind {
            Kind::Deployment
            | Kind::ReplicaSet
            | Kind::StatefulSet
            | Kind::DaemonSet
            | Kind::Job
            | Kind::CronJob
            | Kind::Service => answer::no_pod(found),
            _ => answer::no_log(found),
        })?);
        match self.ask(found, Ask::List { kind: Kind::Pod, namespace: namespace.clone(), filter }) {
            Answer::List { items, .. } => items.into_iter().find_map(|item| match item {
                Object::Pod(pod) => Some(pod),
                _ => None,
            }),
            _ => None,
        }
        .ok_or_else(|| answer::no_pod(found))
    }

    fn pod(&self, found: &Candidate, namespace: Option<&str>, name: &str) -> Option<Arc<Pod>> {
        let ask = Ask::Get { kind: Kind::Pod, namespace: namespace.map(str::to_owned), name: name.to_owned() };
        match self.ask(found, ask) {
            Answer::Object(Object::Pod(pod)) => Some(pod),
            _ => None,
        }
    }

    /// What is wrong with the object; it is asked at most once.
    fn report_of<'t>(&self, found: &Candidate, told: &'t Told) -> Option<&'t Report> {
        told.get_or_init(|| {
            self.served(found).ok().map(|served| served.explained(found)).filter(|report| report.error.is_none())
        })
        .as_ref()
    }

    /// The container that was named; else the only one, the one in trouble, the one that the pod says it is about.
    fn container_of(
        &self,
        pod: &Pod,
        found: &Candidate,
        named: Option<&str>,
        told: &Told,
    ) -> Result<String, UserError> {
        let containers = containers(pod);
        if let Some(named) = named {
            return match containers.iter().find(|container| **container == named) {
                Some(container) => Ok((*container).to_owned()),
                None => Err(no_container(named, &containers)),
            };
        }
        if let [only] = containers.as_slice() {
            return Ok((*only).to_owned());
        }
        let troubled =
            || self.report_of(found, told)?.findings.iter().find_map(|ranked| ranked.finding.object.container.clone());
        let marked = || pod.metadata.annotations.as_ref()?.get(DEFAULT_CONTAINER).cloned();
        let first = || pods::containers(pod).next().map(|container| container.name().to_owned());
        troubled()
            .or_else(marked)
            .filter(|container| containers.contains(&container.as_str()))
            .or_else(first)
            .ok_or_else(|| UserError::new(text!["the pod has no container"]))
    }

    fn ask(&self, found: &Candidate, ask: Ask) -> Answer {
        let answer = self.served(found).ok().and_then(|served| served.source.answer(vec![ask]).pop());
        answer.map_or_else(|| Answer::Failed("no answer".to_owned()), |(_, answer)| answer)
    }
}

/// All containers of a pod: those that run first, then those before them.
fn containers(pod: &Pod) -> Vec<&str> {
    let spec = pod.spec.as_ref();
    let main = spec.into_iter().flat_map(|spec| &spec.containers);
    let init = spec.into_iter().flat_map(|spec| spec.init_containers.iter().flatten());
    main.chain(init).map(|container: &Container| container.name.as_str()).collect()
}

/// Why a container that never ran waits.
fn not_started(pod: &Pod, container: &str) -> Option<String> {
    let view = pods::containers(pod).find(|view| view.name() == container)?;
    if view.status.is_none() && pods::phase(pod) == "Pending" {
        let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
        return Some(if node.is_none() { "its pod is on no node yet" } else { "its pod is Pending" }.to_owned());
    }
    view.waiting()?;
    view.last_terminated().is_none().then(|| view.waiting_reason().to_owned())
}

/// The runs of a container that have a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Runs {
    /// It was never restarted.
    One,
    /// It waits to be started again: its last run is all that is kept.
    Last,
    /// The one that is there, and the one before.
    Several,
}

impl Runs {
    fn of(pod: &Pod, container: &str) -> Self {
        let Some(view) = pods::containers(pod).find(|view| view.name() == container) else { return Self::Several };
        match view.last_terminated() {
            None if view.restarts() == 0 && view.status.is_some() => Self::One,
            Some(_) if view.waiting().is_none() => Self::Several,
            _ => Self::Last,
        }
    }
}

fn selector_of(object: &Object) -> Option<Selector> {
    let selector = match object {
        Object::Deployment(it) => Some(&it.spec.as_ref()?.selector),
        Object::ReplicaSet(it) => Some(&it.spec.as_ref()?.selector),
        Object::StatefulSet(it) => Some(&it.spec.as_ref()?.selector),
        Object::DaemonSet(it) => Some(&it.spec.as_ref()?.selector),
        Object::Job(it) => it.spec.as_ref()?.selector.as_ref(),
        Object::Service(it) => {
            let labels = it.spec.as_ref()?.selector.as_ref()?;
            return Some(Selector::labels(labels)).filter(|selector| !selector.is_empty());
        }
        _ => None,
    };
    selector.map(Selector::from_api).filter(|selector| !selector.is_empty())
}

fn no_container(named: &str, containers: &[&str]) -> UserError {
    let all = Text::names(containers.iter().copied(), 10);
    let error = UserError::new(text!["the pod has no container ", quoted(named)]);
    let near = nearest::nearest(named, containers.iter().copied(), 0.75, 1);
    let error = error.next(text!["Its containers: ", all, "."]);
    match near.first() {
        Some(near) => error.next(text!["Did you mean ", name(*near), "?"]),
        None => error,
    }
}

fn unread(what: &str, why: Text) -> Message {
    UserError::new(text![name(what), " could not be read: ", why]).message()
}
