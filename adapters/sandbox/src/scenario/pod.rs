//! One pod of a workload, as the API server, the scheduler and the kubelet write it.

mod spec;
mod status;

use serde_json::{Value, json};

use super::event::{Regarding, write_event};
use super::format::{EventText, EventType, PodEntry};
use super::identity::{Seed, pod_address};
use super::json::{self, Map};
use super::time::{Moment, Time};
pub(crate) use spec::{for_node, for_template};

/// How far a pod has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Course {
    /// As the text says.
    AsWritten,
    /// It was made just now in the place of another; its containers are being created.
    Starting,
    /// It is young and took the same course as the one before.
    Again,
}

/// What a pod is made of.
#[derive(Clone, Debug)]
pub(crate) struct PodPlan {
    /// The scenario's name.
    pub(crate) scenario: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// What makes it another pod than an earlier one of that name.
    pub(crate) salt: String,
    pub(crate) workload: String,
    pub(crate) generate_name: Option<String>,
    pub(crate) hash: String,
    pub(crate) labels: Map,
    pub(crate) annotations: Map,
    /// The owner's reference, if it has an owner.
    pub(crate) owner: Option<Value>,
    /// The template's spec, defaults filled in.
    pub(crate) template: Map,
    pub(crate) daemon: bool,
    pub(crate) entry: PodEntry,
    pub(crate) created: Time,
    pub(crate) moment: Moment,
    pub(crate) course: Course,
}

/// A log of a pod's container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) namespace: String,
    pub(crate) pod: String,
    pub(crate) container: String,
    pub(crate) previous: bool,
    pub(crate) text: String,
}

/// A pod with what is around it.
#[derive(Clone, Debug)]
pub(crate) struct BuiltPod {
    pub(crate) object: Value,
    pub(crate) events: Vec<Value>,
    pub(crate) logs: Vec<Log>,
}

impl BuiltPod {
    /// Tells whether its Ready condition is true, even on its way out.
    pub(crate) fn says_ready(&self) -> bool {
        let conditions = json::at(&self.object, &["status", "conditions"]).and_then(Value::as_array);
        conditions.into_iter().flatten().any(|condition| {
            json::text_at(condition, &["type"]) == "Ready" && json::text_at(condition, &["status"]) == "True"
        })
    }

    /// Tells whether its Ready condition is true and nobody deletes it.
    pub(crate) fn is_ready(&self) -> bool {
        self.says_ready() && json::at(&self.object, &["metadata", "deletionTimestamp"]).is_none()
    }

    /// Tells whether a controller counts it: it has not ended and nobody deletes it.
    pub(crate) fn is_active(&self) -> bool {
        !matches!(self.phase(), "Succeeded" | "Failed")
            && json::at(&self.object, &["metadata", "deletionTimestamp"]).is_none()
    }

    /// Its phase.
    pub(crate) fn phase(&self) -> &str {
        json::text_at(&self.object, &["status", "phase"])
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        json::text_at(&self.object, &["metadata", "name"])
    }
}

/// Makes a pod with its events and logs.
pub(crate) fn build(plan: &PodPlan) -> BuiltPod {
    let entry = &plan.entry;
    let moment = &plan.moment;
    let uid = Seed::of(&[&plan.scenario, "Pod", &plan.namespace, &plan.name, &plan.salt]).uid();
    let node = entry.node.as_deref().filter(|node| !node.is_empty());
    let mut spec = plan.template.clone();
    json::merge(&mut spec, &entry.spec);
    spec::for_pod(&mut spec, node, plan.daemon, &Seed::of(&["token", &uid]).letters(5));
    let facts = status::Facts {
        spec: &spec,
        entry,
        node,
        uid: &uid,
        name: &plan.name,
        namespace: &plan.namespace,
        created: moment.resolve(plan.created),
        moment,
        course: plan.course,
    };
    let status = status::build(&facts);
    let mut object = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata(plan, &uid),
        "spec": spec,
        "status": status,
    });
    moment.fill_in(&mut object);
    let words = Words::of(plan, &uid, node);
    json::each_string(&mut object, "", &mut |_, text| words.fill_in(text));
    if plan.course == Course::AsWritten
        && let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
    {
        let mut over = Value::Object(entry.metadata.clone());
        moment.fill_in(&mut over);
        json::merge(metadata, &json::map_of(over));
    }
    let events = events(plan, &object, &uid, node, &words);
    let logs = if plan.course == Course::Starting { Vec::new() } else { logs(plan, &words) };
    BuiltPod { object, events, logs }
}

fn metadata(plan: &PodPlan, uid: &str) -> Map {
    let mut labels = plan.labels.clone();
    labels.extend(plan.entry.labels.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))));
    let mut annotations = plan.annotations.clone();
    annotations.extend(plan.entry.annotations.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str()))));
    let mut metadata = Map::new();
    metadata.insert("name".into(), plan.name.clone().into());
    if let Some(prefix) = &plan.generate_name {
        metadata.insert("generateName".into(), prefix.clone().into());
    }
    metadata.insert("namespace".into(), plan.namespace.clone().into());
    metadata.insert("uid".into(), uid.into());
    metadata.insert("generation".into(), 1.into());
    metadata.insert("creationTimestamp".into(), plan.moment.write(plan.created).into());
    metadata.insert("labels".into(), labels.into());
    if !annotations.is_empty() {
        metadata.insert("annotations".into(), annotations.into());
    }
    if let Some(owner) = &plan.owner {
        metadata.insert("ownerReferences".into(), json!([owner]));
    }
    if let (Some(deleting), Course::AsWritten) = (&plan.entry.deleting, plan.course) {
        let at = plan.moment.resolve(deleting.at);
        let end = at.checked_add(jiff::SignedDuration::from_secs(deleting.grace.into())).unwrap_or(at);
        metadata.insert("deletionTimestamp".into(), super::time::write(end).into());
        metadata.insert("deletionGracePeriodSeconds".into(), deleting.grace.into());
        metadata.insert("generation".into(), 2.into());
        if !deleting.finalizers.is_empty() {
            metadata.insert("finalizers".into(), deleting.finalizers.clone().into());
        }
    }
    metadata
}

/// What `{pod}` and its like stand for.
struct Words(Vec<(&'static str, String)>);

impl Words {
    fn of(plan: &PodPlan, uid: &str, node: Option<&str>) -> Self {
        Self(vec![
            ("{pod}", plan.name.clone()),
            ("{namespace}", plan.namespace.clone()),
            ("{uid}", uid.to_owned()),
            ("{node}", node.unwrap_or_default().to_owned()),
            ("{hash}", plan.hash.clone()),
            ("{workload}", plan.workload.clone()),
            ("{ip}", node.map(|node| pod_address(node, uid)).unwrap_or_default()),
        ])
    }

    fn fill_in(&self, text: &str) -> Option<String> {
        if !text.contains('{') {
            return None;
        }
        let mut out = text.to_owned();
        for (word, value) in &self.0 {
            out = out.replace(word, value);
        }
        Some(out)
    }
}

fn logs(plan: &PodPlan, words: &Words) -> Vec<Log> {
    let log = |(key, text): (&String, &String)| {
        let (container, previous) = key.strip_suffix(".previous").map_or((key.as_str(), false), |name| (name, true));
        let text = plan.moment.fill_in_text(text);
        Log {
            namespace: plan.namespace.clone(),
            pod: plan.name.clone(),
            container: container.to_owned(),
            previous,
            text: words.fill_in(&text).unwrap_or(text),
        }
    };
    plan.entry.logs.iter().map(log).collect()
}

/// Reasons of events that are about a container.
const OF_CONTAINER: &[&str] = &[
    "Pulling",
    "Pulled",
    "Created",
    "Started",
    "Failed",
    "BackOff",
    "Unhealthy",
    "Killing",
    "ErrImageNeverPull",
    "InspectFailed",
    "FailedPostStartHook",
    "FailedPreStopHook",
    "ProbeWarning",
];

fn events(plan: &PodPlan, object: &Value, uid: &str, node: Option<&str>, words: &Words) -> Vec<Value> {
    let moment = &plan.moment;
    let regarding = Regarding { kind: "Pod", api_version: "v1", namespace: &plan.namespace, name: &plan.name, uid };
    let containers: Vec<&Map> = object
        .get("spec")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|spec| json::each(spec, "containers"))
        .collect();
    let only = match containers.as_slice() {
        [one] => Some(json::text(one, "name")),
        _ => None,
    };
    let host = node.unwrap_or_default();
    let created = moment.resolve(plan.created);
    let young = moment.at.duration_since(created) < jiff::SignedDuration::from_hours(1);
    let given = |reason: &str| plan.entry.events.iter().any(|event| event.reason == reason);
    let mut texts: Vec<EventText> = Vec::new();
    if let (Some(node), true, false) = (node, young && !plan.daemon, given("Scheduled")) {
        let message = format!("Successfully assigned {}/{} to {node}", plan.namespace, plan.name);
        texts.push(normal("Scheduled", message, plan.created, "default-scheduler"));
    }
    if node.is_some() && young && plan.course != Course::Starting {
        for container in &containers {
            let name = json::text(container, "name");
            if !plan.entry.containers.contains_key(name) && is_running(object, name) {
                texts.extend(
                    start_of(name, json::text(container, "image"), plan.created)
                        .into_iter()
                        .filter(|event| !given(&event.reason)),
                );
            }
        }
    }
    if plan.course == Course::AsWritten || plan.course == Course::Again || node.is_none() {
        texts.extend(plan.entry.events.iter().cloned().map(|mut event| {
            if plan.course != Course::AsWritten {
                event.count = event.count.map(|count| count.min(2));
            }
            event
        }));
    }
    let written = texts.into_iter().map(|mut text| {
        text.message = words.fill_in(&text.message).unwrap_or(text.message);
        if let Some(on) = &mut text.on {
            *on = words.fill_in(on).unwrap_or_else(|| on.clone());
        }
        let container = only.filter(|_| OF_CONTAINER.contains(&text.reason.as_str()));
        write_event(&text, &regarding, host, container, moment)
    });
    written.collect()
}

fn is_running(object: &Value, container: &str) -> bool {
    let status = object.get("status").and_then(Value::as_object);
    status.into_iter().flat_map(|status| json::each(status, "containerStatuses")).any(|status| {
        json::text(status, "name") == container
            && status.get("state").is_some_and(|state| state.get("running").is_some())
    })
}

fn start_of(container: &str, image: &str, created: Time) -> [EventText; 3] {
    let pulled = format!("Container image \"{image}\" already present on machine and can be accessed by the pod");
    let event = |reason, message| {
        let mut event = normal(reason, message, later(created, 1), "kubelet");
        event.container = Some(container.to_owned());
        event
    };
    [
        event("Pulled", pulled),
        event("Created", format!("Created container: {container}")),
        event("Started", format!("Started container {container}")),
    ]
}

/// So many seconds later.
pub(crate) fn later(time: Time, seconds: i64) -> Time {
    let span = jiff::SignedDuration::from_secs(seconds);
    match time {
        Time::Relative(offset) => Time::Relative(offset.saturating_add(span)),
        Time::Absolute(at) => Time::Absolute(at.checked_add(span).unwrap_or(at)),
    }
}

/// An event that says that all goes its way.
pub(crate) fn normal(reason: &str, message: String, at: Time, from: &str) -> EventText {
    EventText {
        on: None,
        type_: EventType::Normal,
        reason: reason.to_owned(),
        message,
        count: None,
        first: Some(at),
        last: Some(at),
        from: Some(from.to_owned()),
        host: None,
        container: None,
        namespace: None,
        uid: None,
    }
}
