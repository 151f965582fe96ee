//! Events as kubelets, the scheduler and controllers write them.

use serde_json::{Value, json};

use super::format::{EventText, EventType};
use super::identity::Seed;
use super::json::Map;
use super::time::{Moment, Time, write, write_micro};

/// What an event is about.
#[derive(Clone, Debug)]
pub(crate) struct Regarding<'a> {
    pub(crate) kind: &'a str,
    pub(crate) api_version: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) name: &'a str,
    pub(crate) uid: &'a str,
}

/// Writes an event. `host` is the node of a kubelet's event; `container` the one it is about where the text names none.
pub(crate) fn write_event(
    text: &EventText,
    regarding: &Regarding<'_>,
    host: &str,
    container: Option<&str>,
    moment: &Moment,
) -> Value {
    let last = text.last.or(if text.count.unwrap_or(1) > 1 { None } else { text.first }).unwrap_or(Time::NOW);
    let first = text.first.unwrap_or(last);
    let (first, last) = (moment.resolve(first), moment.resolve(last));
    let first = first.min(last);
    let from = text.from.as_deref().unwrap_or_else(|| default_source(regarding.kind));
    let namespace = if regarding.namespace.is_empty() { "default" } else { regarding.namespace };
    let message = moment.fill_in_text(&text.message);
    let mut seed = Seed::of(&["event", regarding.uid, regarding.name, &text.reason, &text.message]);
    let mut involved = Map::new();
    involved.insert("apiVersion".into(), regarding.api_version.into());
    involved.insert("kind".into(), regarding.kind.into());
    involved.insert("name".into(), regarding.name.into());
    if !regarding.namespace.is_empty() {
        involved.insert("namespace".into(), regarding.namespace.into());
    }
    // Node events carry the node's name for its uid.
    let uid = if regarding.kind == "Node" && from == "kubelet" { regarding.name } else { regarding.uid };
    involved.insert("uid".into(), uid.into());
    if let Some(container) = text.container.as_deref().or(container) {
        let field = if text.container.as_deref().is_some_and(|name| name.starts_with("init:")) {
            "initContainers"
        } else {
            "containers"
        };
        let container = container.trim_start_matches("init:");
        involved.insert("fieldPath".into(), format!("spec.{field}{{{container}}}").into());
    }
    let mut event = json!({
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": format!("{}.{}", regarding.name, seed.hex(16)),
            "namespace": namespace,
            "uid": seed.uid(),
            "creationTimestamp": write(first),
        },
        "involvedObject": involved,
        "type": if text.type_ == EventType::Normal { "Normal" } else { "Warning" },
        "reason": text.reason,
        "message": message,
        "reportingComponent": from,
    });
    let fields = if from == "default-scheduler" {
        let mut fields = json!({
            "eventTime": write_micro(first), "firstTimestamp": null, "lastTimestamp": null, "source": {},
            "action": match text.reason.as_str() { "Scheduled" => "Binding", "Preempted" => "Preempting", _ => "Scheduling" },
            "reportingInstance": "default-scheduler-control-plane-1",
        });
        if let (Some(count @ 2..), Some(fields)) = (text.count, fields.as_object_mut()) {
            fields.insert("series".into(), json!({"count": count, "lastObservedTime": write_micro(last)}));
        }
        fields
    } else {
        let host = text.host.as_deref().unwrap_or(if from == "kubelet" { host } else { "" });
        let mut source = Map::from_iter([("component".to_owned(), Value::from(from))]);
        if !host.is_empty() {
            source.insert("host".into(), host.into());
        }
        json!({
            "eventTime": null, "firstTimestamp": write(first), "lastTimestamp": write(last),
            "count": text.count.unwrap_or(1), "source": source, "reportingInstance": host,
        })
    };
    if let (Some(event), Value::Object(fields)) = (event.as_object_mut(), fields) {
        event.extend(fields);
    }
    event
}

fn default_source(kind: &str) -> &'static str {
    match kind {
        "Deployment" => "deployment-controller",
        "ReplicaSet" => "replicaset-controller",
        "StatefulSet" => "statefulset-controller",
        "DaemonSet" => "daemonset-controller",
        "Job" => "job-controller",
        "CronJob" => "cronjob-controller",
        "PersistentVolumeClaim" | "PersistentVolume" => "persistentvolume-controller",
        "HorizontalPodAutoscaler" => "horizontal-pod-autoscaler",
        _ => "kubelet",
    }
}
