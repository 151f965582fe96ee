//! Events, normalised: core/v1 and events.k8s.io/v1 say the same in different fields.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::Deserializer;
use serde::{Deserialize, Serialize};

/// An event about an object.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Event {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// `Normal` or `Warning`.
    #[serde(rename = "type")]
    pub type_: String,
    /// The reason in one word, such as `FailedMount`.
    pub reason: String,
    /// The message, whole.
    pub message: String,
    /// The object it is about.
    #[serde(rename = "involvedObject")]
    pub involved: Involved,
    /// The component that says so (`kubelet`, `default-scheduler`, ...).
    #[serde(rename = "reportingComponent")]
    pub component: String,
    /// The node of that component, where it has one.
    #[serde(rename = "reportingInstance")]
    pub host: String,
    /// The first time it was seen.
    #[serde(rename = "firstTimestamp")]
    pub first: Option<Timestamp>,
    /// The last time it was seen.
    #[serde(rename = "lastTimestamp")]
    pub last: Option<Timestamp>,
    /// How often it was seen, at least 1.
    pub count: u32,
}

/// The object that an event is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Involved {
    /// Its kind.
    #[serde(deserialize_with = "nullable")]
    pub kind: String,
    /// Its namespace, empty for cluster-wide objects.
    #[serde(deserialize_with = "nullable")]
    pub namespace: String,
    /// Its name.
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    /// Its UID, where the event has it.
    #[serde(deserialize_with = "nullable")]
    pub uid: String,
    /// The part of the object, such as `spec.containers{app}`.
    #[serde(deserialize_with = "nullable")]
    pub field_path: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Source {
    #[serde(deserialize_with = "nullable")]
    component: String,
    #[serde(deserialize_with = "nullable")]
    host: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Series {
    count: Option<i64>,
    last_observed_time: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(default, rename = "type", deserialize_with = "nullable")]
    type_: String,
    #[serde(default, deserialize_with = "nullable")]
    reason: String,
    #[serde(default, alias = "note", deserialize_with = "nullable")]
    message: String,
    #[serde(default, alias = "regarding")]
    involved_object: Option<Involved>,
    #[serde(default)]
    source: Option<Source>,
    #[serde(default, alias = "deprecatedSource")]
    old_source: Option<Source>,
    #[serde(default, alias = "reportingController", deserialize_with = "nullable")]
    reporting_component: String,
    #[serde(default, deserialize_with = "nullable")]
    reporting_instance: String,
    #[serde(default, alias = "deprecatedFirstTimestamp")]
    first_timestamp: Option<Timestamp>,
    #[serde(default, alias = "deprecatedLastTimestamp")]
    last_timestamp: Option<Timestamp>,
    #[serde(default)]
    event_time: Option<Timestamp>,
    #[serde(default)]
    series: Option<Series>,
    #[serde(default, alias = "deprecatedCount")]
    count: Option<i64>,
}

fn nullable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default())
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Raw::deserialize(deserializer)?;
        let source = raw.source.or(raw.old_source).unwrap_or_default();
        let series = raw.series.unwrap_or_default();
        let created = raw.metadata.creation_timestamp.as_ref().map(|time| time.0);
        let first = raw.first_timestamp.or(raw.event_time).or(created);
        let last = series.last_observed_time.or(raw.last_timestamp).or(raw.event_time).or(created);
        let count = raw.count.into_iter().chain(series.count).max().unwrap_or(1).max(1);
        let pick = |a: String, b: String| if a.is_empty() { b } else { a };
        Ok(Self {
            metadata: raw.metadata,
            type_: raw.type_,
            reason: raw.reason,
            message: raw.message,
            involved: raw.involved_object.unwrap_or_default(),
            component: pick(source.component, raw.reporting_component),
            host: pick(source.host, raw.reporting_instance),
            first,
            last,
            count: u32::try_from(count).unwrap_or(u32::MAX),
        })
    }
}

impl Event {
    /// Tells whether it is a Warning.
    pub fn is_warning(&self) -> bool {
        self.type_ == "Warning"
    }

    /// The container it is about, from `spec.containers{NAME}` and its kin.
    pub fn container(&self) -> Option<&str> {
        self.involved.field_path.split_once('{').and_then(|(_, rest)| rest.strip_suffix('}'))
    }

    /// Tells whether the event is about that object; the UID decides where both have one, so that an event about an
    /// earlier object of the same name is not taken for this one's.
    pub fn is_about(&self, kind: &str, name: &str, uid: Option<&str>) -> bool {
        self.involved.kind == kind
            && self.involved.name == name
            && (self.involved.uid.is_empty() || uid.is_none_or(|uid| uid == self.involved.uid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_apis_read_alike() {
        let core = r#"{"reason":"FailedMount","message":"m","type":"Warning","count":3,"firstTimestamp":"2026-01-01T00:00:00Z",
            "lastTimestamp":"2026-01-01T00:05:00Z","source":{"component":"kubelet","host":"n1"},
            "involvedObject":{"kind":"Pod","name":"p","namespace":"x","fieldPath":"spec.containers{app}"}}"#;
        let new = r#"{"reason":"FailedMount","note":"m","type":"Warning","eventTime":"2026-01-01T00:00:00.5Z",
            "series":{"count":3,"lastObservedTime":"2026-01-01T00:05:00.1Z"},"reportingController":"kubelet","reportingInstance":"n1",
            "regarding":{"kind":"Pod","name":"p","namespace":"x","fieldPath":"spec.containers{app}"}}"#;
        for json in [core, new] {
            let event: Event = serde_json::from_str(json).expect("an event");
            assert_eq!((event.message.as_str(), event.count, event.container()), ("m", 3, Some("app")));
            assert_eq!((event.component.as_str(), event.host.as_str()), ("kubelet", "n1"));
            assert!(event.last > event.first);
        }
    }
}
