//! The workload shorthand, expanded into owners and pods.

mod batch;
mod deployment;
mod sets;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::event::{Regarding, write_event};
use super::format::{EventText, PodEntry, PodRevision, Workload, WorkloadKind};
use super::identity::Seed;
use super::json::{self, Map};
use super::pod::{self, BuiltPod, Course, Log, PodPlan};
use super::time::{Moment, Time};

/// How many pods one workload may have.
const MAX_PODS: u32 = 500;
/// The nodes over which healthy pods are spread.
const NODES: [&str; 4] = ["worker-1", "worker-2", "worker-3", "worker-4"];

/// Where and when a workload is expanded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    pub(crate) scenario: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) moment: Moment,
    /// When what names no time was created.
    pub(crate) created: Time,
}

impl Context<'_> {
    /// The uid of an object that this scenario makes.
    pub(crate) fn uid(&self, kind: &str, namespace: &str, name: &str) -> String {
        Seed::of(&[self.scenario, kind, namespace, name, ""]).uid()
    }
}

/// All that a workload stands for, owners before what they own.
#[derive(Debug, Default)]
pub(crate) struct Expansion {
    pub(crate) objects: Vec<Value>,
    pub(crate) logs: Vec<Log>,
    /// Events on what the workload does not own.
    pub(crate) events: Vec<EventText>,
    /// How each pod was made.
    pub(crate) plans: Vec<PodPlan>,
}

/// Expands a workload.
pub(crate) fn expand(context: &Context<'_>, workload: &Workload) -> Expansion {
    let draft = Draft::new(context, workload);
    let mut expansion = match workload.kind {
        WorkloadKind::Deployment => deployment::expand(&draft),
        WorkloadKind::StatefulSet => sets::expand_stateful(&draft),
        WorkloadKind::DaemonSet => sets::expand_daemon(&draft),
        WorkloadKind::Job => batch::expand_job(&draft),
        WorkloadKind::CronJob => batch::expand_cron(&draft),
        WorkloadKind::Pod => bare(&draft),
    };
    for object in &mut expansion.objects {
        context.moment.fill_in(object);
    }
    expansion
}

/// A workload with its defaults.
struct Draft<'a> {
    context: &'a Context<'a>,
    workload: &'a Workload,
    namespace: &'a str,
    labels: Map,
    created: Time,
    template: Map,
    hash: String,
}

/// Of which owner pods are made.
struct Owner<'a> {
    kind: &'a str,
    api_version: &'a str,
    name: &'a str,
    uid: String,
}

impl Owner<'_> {
    fn reference(&self) -> Value {
        json!({
            "apiVersion": self.api_version, "kind": self.kind, "name": self.name, "uid": self.uid,
            "controller": true, "blockOwnerDeletion": true,
        })
    }
}

impl<'a> Draft<'a> {
    fn new(context: &'a Context<'a>, workload: &'a Workload) -> Self {
        let usual = || BTreeMap::from([("app".to_owned(), workload.name.clone())]);
        let labels = workload.labels.clone().unwrap_or_else(usual);
        let labels = labels.into_iter().map(|(key, value)| (key, Value::from(value))).collect();
        let is_batch = matches!(workload.kind, WorkloadKind::Job | WorkloadKind::CronJob);
        let mut template = workload.pod.clone();
        pod::for_template(&mut template, if is_batch { "Never" } else { "Always" });
        let hash =
            named_hash(workload, PodRevision::Current).unwrap_or_else(|| hash_of(context, workload, &workload.pod));
        Self {
            context,
            workload,
            namespace: workload.namespace.as_deref().unwrap_or(context.namespace),
            labels,
            created: workload.created.unwrap_or(context.created),
            template,
            hash,
        }
    }

    fn uid(&self, kind: &str, name: &str) -> String {
        self.context.uid(kind, self.namespace, name)
    }

    /// How many pods are wanted.
    fn replicas(&self) -> u32 {
        self.workload.replicas.unwrap_or(1).min(MAX_PODS)
    }

    /// The pods as written, one entry each; healthy ones where nothing is written.
    fn entries(&self, healthy: u32) -> Vec<PodEntry> {
        let Some(pods) = &self.workload.pods else {
            let first = Seed::of(&[&self.workload.name]).below(4);
            let node =
                |index: u32| NODES.iter().cycle().nth(usize::try_from(first + u64::from(index % 4)).unwrap_or(0));
            let entry = |index| PodEntry { node: node(index).map(|&node| node.to_owned()), ..PodEntry::default() };
            return (0..healthy).map(entry).collect();
        };
        let mut entries = Vec::new();
        for pod in pods {
            for index in 0..pod.count.unwrap_or(1).min(MAX_PODS) {
                let name = pod.name.clone().filter(|_| index == 0);
                entries.push(PodEntry { name, ..pod.clone() });
            }
        }
        entries
    }

    /// The metadata of an owner.
    fn metadata(&self, name: &str, labels: &Map, annotations: &Map, generation: u32) -> Map {
        let mut metadata = Map::new();
        metadata.insert("name".into(), name.into());
        metadata.insert("namespace".into(), self.namespace.into());
        metadata.insert("generation".into(), generation.into());
        metadata.insert("labels".into(), labels.clone().into());
        if !annotations.is_empty() {
            metadata.insert("annotations".into(), annotations.clone().into());
        }
        metadata
    }

    /// The owner's annotations as written.
    fn annotations(&self) -> Map {
        self.workload.annotations.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect()
    }

    /// A pod template with these labels.
    fn template(&self, labels: &Map, spec: &Map) -> Value {
        let mut metadata = Map::from_iter([("labels".to_owned(), Value::from(labels.clone()))]);
        if !self.workload.pod_annotations.is_empty() {
            metadata.insert("annotations".into(), self.pod_annotations().into());
        }
        json!({"metadata": metadata, "spec": spec})
    }

    fn pod_annotations(&self) -> Map {
        self.workload.pod_annotations.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))).collect()
    }

    /// The owner itself, what the text says of it merged over.
    fn owner_object(&self, metadata: Map, spec: Value, mut status: Map, mut conditions: Vec<Value>) -> Value {
        let kind = self.workload.kind;
        let mut metadata = metadata;
        metadata.insert("uid".into(), self.uid(kind.name(), &self.workload.name).into());
        metadata.insert("creationTimestamp".into(), self.context.moment.write(self.created).into());
        json::merge(&mut metadata, &self.workload.metadata);
        let mut spec = json::map_of(spec);
        json::merge(&mut spec, &self.workload.spec);
        json::merge_keyed(&mut conditions, &self.workload.conditions, "type");
        for condition in conditions.iter_mut().filter_map(Value::as_object_mut) {
            json::fill(condition, "status", "True");
            json::fill(condition, "lastTransitionTime", self.context.moment.write(self.created));
            let key = match kind {
                WorkloadKind::Deployment => "lastUpdateTime",
                WorkloadKind::Job => "lastProbeTime",
                _ => continue,
            };
            let since = condition.get("lastTransitionTime").cloned().unwrap_or_default();
            json::fill(condition, key, since);
        }
        if !conditions.is_empty() {
            status.insert("conditions".into(), conditions.into());
        }
        status.retain(|_, value| *value != json!(0));
        json::merge(&mut status, &self.workload.status);
        json!({"apiVersion": kind.api_version(), "kind": kind.name(), "metadata": metadata, "spec": spec, "status": status})
    }

    /// How a pod of an owner is made.
    fn plan(&self, name: String, labels: Map, owner: Option<&Owner<'_>>, entry: PodEntry, created: Time) -> PodPlan {
        PodPlan {
            scenario: self.context.scenario.to_owned(),
            namespace: self.namespace.to_owned(),
            salt: String::new(),
            workload: self.workload.name.clone(),
            generate_name: owner.map(|owner| format!("{}-", owner.name)),
            hash: self.hash.clone(),
            labels,
            annotations: self.pod_annotations(),
            owner: owner.map(Owner::reference),
            template: self.template.clone(),
            daemon: false,
            created: entry.created.unwrap_or(created),
            name,
            entry,
            moment: self.context.moment,
            course: Course::AsWritten,
        }
    }

    /// A generated pod name that is the same every time.
    fn pod_name(&self, prefix: &str, index: usize) -> String {
        let index = index.to_string();
        format!("{prefix}-{}", Seed::of(&[self.context.scenario, self.namespace, prefix, "pod", &index]).letters(5))
    }

    /// Writes the workload's events: on itself, on one of its objects by kind, or on something else.
    fn events(&self, expansion: &mut Expansion, mut own: Vec<EventText>) {
        let given = |event: &EventText| self.workload.events.iter().any(|other| other.reason == event.reason);
        own.retain(|event| !given(event));
        own.extend(self.workload.events.iter().cloned());
        for mut event in own {
            for (word, value) in
                [("{hash}", self.hash.as_str()), ("{workload}", &self.workload.name), ("{namespace}", self.namespace)]
            {
                event.message = event.message.replace(word, value);
            }
            let kind = event.on.as_deref().unwrap_or(self.workload.kind.name());
            let about = expansion.objects.iter().rev().find(|object| json::text_at(object, &["kind"]) == kind);
            let Some(about) = about.cloned() else {
                expansion.events.push(event);
                continue;
            };
            let regarding = Regarding {
                kind,
                api_version: json::text_at(&about, &["apiVersion"]),
                namespace: self.namespace,
                name: json::text_at(&about, &["metadata", "name"]),
                uid: json::text_at(&about, &["metadata", "uid"]),
            };
            expansion.objects.push(write_event(&event, &regarding, "", None, &self.context.moment));
        }
    }

    /// Tells whether something is so young that its events are still there.
    fn is_young(&self, time: Time) -> bool {
        let age = self.context.moment.at.duration_since(self.context.moment.resolve(time));
        age < jiff::SignedDuration::from_hours(1)
    }
}

/// Builds pods and puts them, their events and logs into the expansion.
fn add_pods(expansion: &mut Expansion, plans: Vec<PodPlan>) -> Vec<BuiltPod> {
    let built: Vec<BuiltPod> = plans.iter().map(pod::build).collect();
    expansion.plans.extend(plans);
    for pod in &built {
        expansion.objects.push(pod.object.clone());
        expansion.objects.extend(pod.events.iter().cloned());
        expansion.logs.extend(pod.logs.iter().cloned());
    }
    built
}

fn bare(draft: &Draft<'_>) -> Expansion {
    let mut expansion = Expansion::default();
    let entries = draft.entries(1);
    let alone = entries.len() == 1;
    let plans = entries.into_iter().enumerate().map(|(index, mut entry)| {
        let number = || format!("{}-{index}", draft.workload.name);
        let name = entry.name.clone().unwrap_or_else(|| if alone { draft.workload.name.clone() } else { number() });
        let mut metadata = Map::new();
        metadata.extend(draft.workload.metadata.clone());
        metadata.extend(std::mem::take(&mut entry.metadata));
        entry.metadata = metadata;
        json::merge(&mut entry.spec, &draft.workload.spec);
        json::merge(&mut entry.status, &draft.workload.status);
        let mut plan = draft.plan(name, draft.labels.clone(), None, entry, draft.created);
        plan.annotations.extend(draft.annotations());
        plan
    });
    let plans = plans.collect();
    add_pods(&mut expansion, plans);
    draft.events(&mut expansion, Vec::new());
    expansion
}

/// The template hash that a written pod name has in it: `7c9d8` of `cart-7c9d8-x2x4z`.
fn named_hash(workload: &Workload, revision: PodRevision) -> Option<String> {
    let named = workload.pods.iter().flatten().filter(|pod| pod.revision == revision);
    named.filter_map(|pod| pod.name.as_deref()).find_map(|name| {
        let rest = name.strip_prefix(&workload.name)?.strip_prefix('-')?;
        rest.rsplit_once('-').map(|(hash, _)| hash.to_owned())
    })
}

/// The hash of a template as it stands in names.
fn hash_of(context: &Context<'_>, workload: &Workload, pod: &Map) -> String {
    let text = Value::Object(pod.clone()).to_string();
    Seed::of(&[context.scenario, &workload.name, "template", &text]).letters(10)
}

/// Adds a label.
fn with(labels: &Map, key: &str, value: &str) -> Map {
    let mut labels = labels.clone();
    labels.insert(key.to_owned(), value.into());
    labels
}
