//! What a person applied and the server dropped: fields that stand in the last applied manifest and that Kubernetes does
//! not know there.
//!
//! Typed objects lose unknown fields when they are parsed, so the manifest is parsed and written again: what is lacking then
//! is unknown. Values are never compared.

use k8s_openapi::api::apps::v1::{DaemonSetSpec, DeploymentSpec, DeploymentStrategy, ReplicaSetSpec, StatefulSetSpec};
use k8s_openapi::api::batch::v1::{CronJobSpec, JobSpec, JobTemplateSpec};
use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvFromSource, EnvVar, EnvVarSource, ExecAction, HTTPGetAction, Lifecycle,
    PodSecurityContext, PodSpec, PodTemplateSpec, Probe, ResourceRequirements, SecurityContext, Toleration, Volume,
    VolumeMount,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::value::Error;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};
use serde_json::Value;

use crate::kind::{Kind, Object};

/// The annotation in which `kubectl apply` keeps what was applied.
pub(crate) const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Fields that servers newer than the linked API version know.
const NEWER: &[&str] = &[
    "restartPolicyRules",
    "fileKeyRef",
    "hostnameOverride",
    "workloadRef",
    "schedulingGroup",
    "podCertificate",
    "userAnnotations",
    "podReplacementPolicy",
    "terminatingReplicas",
    "stopSignal",
];

/// A field that was dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dropped {
    /// Its path: `.spec.template.spec.containers[app].comand`.
    pub(crate) path: String,
    /// Its name.
    pub(crate) key: String,
    /// The container in which it stands.
    pub(crate) container: Option<String>,
    /// The field of that place that is probably meant.
    pub(crate) meant: Option<String>,
    /// Where a field of that name belongs.
    pub(crate) belongs: Option<&'static str>,
}

/// The fields of an object's last applied manifest that Kubernetes does not know.
pub(crate) fn dropped(object: &Object) -> Vec<Dropped> {
    let applied = object.meta().annotations.as_ref().and_then(|all| all.get(ANNOTATION));
    let Some(manifest) = applied.and_then(|text| serde_json::from_str::<Value>(text).ok()) else { return Vec::new() };
    let Some(known) = Object::from_value(manifest.clone()).ok().filter(|it| it.kind() == object.kind()) else {
        return Vec::new();
    };
    let known = match &known {
        Object::Deployment(it) => serde_json::to_value(&**it),
        Object::ReplicaSet(it) => serde_json::to_value(&**it),
        Object::StatefulSet(it) => serde_json::to_value(&**it),
        Object::DaemonSet(it) => serde_json::to_value(&**it),
        Object::Job(it) => serde_json::to_value(&**it),
        Object::CronJob(it) => serde_json::to_value(&**it),
        Object::Pod(it) => serde_json::to_value(&**it),
        _ => return Vec::new(),
    };
    let (Ok(known), Some(spec)) = (known, manifest.get("spec")) else { return Vec::new() };
    let Some(known) = known.get("spec") else { return Vec::new() };
    let mut place = Place { kind: object.kind(), path: vec!["spec".to_owned()], found: Vec::new() };
    place.compare(spec, known);
    // A server that knows the field notes who set it.
    place.found.retain(|dropped| !is_managed(object, &dropped.key));
    place.found
}

fn is_managed(object: &Object, key: &str) -> bool {
    let key = format!("f:{key}");
    let entries = object.meta().managed_fields.iter().flatten();
    entries.filter_map(|entry| entry.fields_v1.as_ref()).any(|fields| mentions(&fields.0, &key))
}

fn mentions(value: &Value, key: &str) -> bool {
    let Value::Object(fields) = value else { return false };
    fields.iter().any(|(name, inner)| name == key || mentions(inner, key))
}

struct Place {
    kind: Kind,
    path: Vec<String>,
    found: Vec<Dropped>,
}

impl Place {
    fn compare(&mut self, applied: &Value, known: &Value) {
        match (applied, known) {
            (Value::Object(applied), Value::Object(known)) => {
                let set: Vec<&str> = applied.keys().map(String::as_str).collect();
                for (key, value) in applied.iter().filter(|(_, value)| !value.is_null()) {
                    if let Some(known) = known.get(key) {
                        self.path.push(key.clone());
                        self.compare(value, known);
                        self.path.pop();
                    } else if !NEWER.contains(&key.as_str()) {
                        self.drop(key, &set);
                    }
                }
            }
            (Value::Array(applied), Value::Array(known)) => {
                for (index, (applied, known)) in applied.iter().zip(known).enumerate() {
                    let label =
                        applied.get("name").and_then(Value::as_str).map_or_else(|| index.to_string(), str::to_owned);
                    self.path.push(format!("[{label}]"));
                    self.compare(applied, known);
                    self.path.pop();
                }
            }
            _ => {}
        }
    }

    fn drop(&mut self, key: &str, set: &[&str]) {
        let fields = self.fields();
        // A field that is set besides is not the one that is missing.
        let free = fields.iter().copied().filter(|field| !set.contains(field));
        let meant = crate::nearest::nearest(key, free);
        let path = self.path.iter().fold(String::new(), |path, part| {
            if part.starts_with('[') { format!("{path}{part}") } else { format!("{path}.{part}") }
        });
        let belongs = self.belongs(key, fields);
        let dropped = Dropped {
            path: format!("{path}.{key}"),
            key: key.to_owned(),
            container: self.container(),
            meant: meant.filter(|_| belongs.is_none()),
            belongs,
        };
        self.found.push(dropped);
    }

    fn container(&self) -> Option<String> {
        let at = self.path.iter().position(|part| is_containers(part))?;
        self.path.get(at + 1).map(|part| part.trim_matches(['[', ']']).to_owned())
    }

    /// The last part of the path that is no index.
    fn parent(&self) -> &str {
        self.path.iter().rev().find(|part| !part.starts_with('[')).map_or("", String::as_str)
    }

    fn is_pod_spec(&self) -> bool {
        self.parent() == "spec" && (self.kind == Kind::Pod || self.path.iter().any(|part| part == "template"))
    }

    fn fields(&self) -> &'static [&'static str] {
        if self.is_pod_spec() {
            return fields_of::<PodSpec>();
        }
        match self.parent() {
            "spec" if self.path.len() == 1 => self.spec_fields(),
            "spec" => fields_of::<JobSpec>(),
            parent if is_containers(parent) => fields_of::<Container>(),
            "securityContext" if self.container().is_some() => fields_of::<SecurityContext>(),
            "securityContext" => fields_of::<PodSecurityContext>(),
            "livenessProbe" | "readinessProbe" | "startupProbe" => fields_of::<Probe>(),
            "httpGet" => fields_of::<HTTPGetAction>(),
            "exec" => fields_of::<ExecAction>(),
            "env" => fields_of::<EnvVar>(),
            "valueFrom" => fields_of::<EnvVarSource>(),
            "envFrom" => fields_of::<EnvFromSource>(),
            "ports" => fields_of::<ContainerPort>(),
            "volumeMounts" => fields_of::<VolumeMount>(),
            "volumes" => fields_of::<Volume>(),
            "resources" => fields_of::<ResourceRequirements>(),
            "lifecycle" => fields_of::<Lifecycle>(),
            "tolerations" => fields_of::<Toleration>(),
            "strategy" => fields_of::<DeploymentStrategy>(),
            "metadata" => fields_of::<ObjectMeta>(),
            "template" => fields_of::<PodTemplateSpec>(),
            "jobTemplate" => fields_of::<JobTemplateSpec>(),
            _ => &[],
        }
    }

    fn spec_fields(&self) -> &'static [&'static str] {
        match self.kind {
            Kind::Deployment => fields_of::<DeploymentSpec>(),
            Kind::ReplicaSet => fields_of::<ReplicaSetSpec>(),
            Kind::StatefulSet => fields_of::<StatefulSetSpec>(),
            Kind::DaemonSet => fields_of::<DaemonSetSpec>(),
            Kind::Job => fields_of::<JobSpec>(),
            Kind::CronJob => fields_of::<CronJobSpec>(),
            Kind::Pod => fields_of::<PodSpec>(),
            _ => &[],
        }
    }

    /// Where a known field of that name belongs, if it only stands in the wrong place.
    fn belongs(&self, key: &str, here: &[&str]) -> Option<&'static str> {
        if here.contains(&key) {
            return None;
        }
        let in_container = is_containers(self.parent());
        let in_pod = self.is_pod_spec();
        let above = self.path.len() == 1 || matches!(self.parent(), "template" | "jobTemplate" | "spec") && !in_pod;
        if in_container && matches!(key, "limits" | "requests" | "cpu" | "memory") {
            return Some("under resources");
        }
        if in_container && fields_of::<SecurityContext>().contains(&key) {
            return Some("under securityContext");
        }
        if in_container && fields_of::<PodSpec>().contains(&key) {
            return Some("in the pod's spec, beside containers");
        }
        if (in_pod || above) && fields_of::<Container>().contains(&key) && key != "name" {
            return Some("in a container");
        }
        if above && fields_of::<PodSpec>().contains(&key) {
            return Some("in the pod's spec (template.spec)");
        }
        if in_pod && self.kind != Kind::Pod && self.spec_fields().contains(&key) {
            return Some("in the spec of the workload, one level up");
        }
        let probe = matches!(self.parent(), "httpGet" | "tcpSocket" | "exec");
        if probe && fields_of::<Probe>().contains(&key) {
            return Some("in the probe itself, one level up");
        }
        None
    }
}

fn is_containers(part: &str) -> bool {
    matches!(part, "containers" | "initContainers" | "ephemeralContainers")
}

/// The names of the fields of an API type, as its own parser declares them.
fn fields_of<'de, T: Deserialize<'de>>() -> &'static [&'static str] {
    let mut names: &'static [&'static str] = &[];
    // The parser names its fields and gets nothing to read: it always fails.
    let _ = T::deserialize(Names(&mut names));
    names
}

/// Takes the names of the fields that a type asks for.
struct Names<'n>(&'n mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
        Err(Error::custom("only names"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Error> {
        *self.0 = fields;
        Err(Error::custom("only names"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(spec: &Value) -> Vec<(String, Option<String>, Option<&'static str>)> {
        let manifest = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": spec});
        let mut live = manifest.clone();
        live["metadata"]["annotations"] = json!({ANNOTATION: manifest.to_string()});
        let object = Object::from_value(live).expect("a Deployment");
        dropped(&object).into_iter().map(|it| (it.path, it.meant, it.belongs)).collect()
    }

    #[test]
    fn slips_and_misplaced_fields_are_told_apart() {
        let got = found(&json!({"replica": 3, "selector": {"matchLabels": {"any": "key"}}, "template": {"spec": {
            "env": [{"name": "A", "value": "b"}],
            "containers": [{"name": "app", "comand": ["x"], "nodeSelector": {"a": "b"}, "limits": {"cpu": 1},
                "livenessProbe": {"httpGet": {"path": "/", "port": 80, "initialDelaySeconds": 3}},
                "volumeMounts": [{"name": "d", "mountpath": "/d"}]}]}}}));
        let got: Vec<_> =
            got.iter().map(|(path, meant, belongs)| (path.as_str(), meant.as_deref(), *belongs)).collect();
        let pod = ".spec.template.spec";
        assert_eq!(
            got,
            [
                (".spec.replica", Some("replicas"), None),
                (&*format!("{pod}.containers[app].comand"), Some("command"), None),
                (&*format!("{pod}.containers[app].limits"), None, Some("under resources")),
                (
                    &*format!("{pod}.containers[app].livenessProbe.httpGet.initialDelaySeconds"),
                    None,
                    Some("in the probe itself, one level up")
                ),
                (&*format!("{pod}.containers[app].nodeSelector"), None, Some("in the pod's spec, beside containers")),
                (&*format!("{pod}.containers[app].volumeMounts[d].mountpath"), Some("mountPath"), None),
                (&*format!("{pod}.env"), None, Some("in a container")),
            ]
        );
    }

    #[test]
    fn what_the_server_takes_is_not_called_dropped() {
        let got = found(&json!({"replicas": 0, "strategy": {}, "selector": {"matchLabels": {"a": "b"}}, "template": {
            "metadata": {"creationTimestamp": null, "labels": {"a": "b"}},
            "spec": {"serviceAccount": "x", "hostnameOverride": "y", "volumes": [], "containers": [{"name": "app", "image": "a",
                "resources": {"limits": {"cpu": 0.5, "memory": "1Gi"}}, "ports": [{"containerPort": 80}],
                "env": [{"name": "E", "value": ""}]}]}}}));
        assert_eq!(got, []);
    }
}
