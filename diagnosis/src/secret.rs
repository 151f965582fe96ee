//! A Secret as kubewhy knows it: its type and the names of its keys, never a value.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::{Deserializer, IgnoredAny};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The outside of a Secret. Values are dropped while it is parsed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Secret {
    /// Its metadata, with managed fields where the source has them.
    pub metadata: ObjectMeta,
    /// Its type, such as `kubernetes.io/dockerconfigjson`, where known.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
    /// The names of its keys; `None` where they could not be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub keys: Option<BTreeSet<String>>,
}

#[derive(Deserialize)]
#[expect(clippy::zero_sized_map_values, reason = "serde reads keys and drops values this way")]
struct Raw {
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(default, rename = "type")]
    type_: Option<String>,
    #[serde(default)]
    keys: Option<BTreeSet<String>>,
    #[serde(default)]
    data: Option<BTreeMap<String, IgnoredAny>>,
    #[serde(default, rename = "stringData")]
    string_data: Option<BTreeMap<String, IgnoredAny>>,
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Raw { metadata, type_, keys, data, string_data } = Raw::deserialize(deserializer)?;
        let known = keys.is_some() || data.is_some() || string_data.is_some() || !managed(&metadata);
        let keys = known.then(|| {
            let mut all = keys.unwrap_or_default();
            all.extend(data.into_iter().flatten().map(|(key, _)| key));
            all.extend(string_data.into_iter().flatten().map(|(key, _)| key));
            all
        });
        Ok(Self { keys: keys.or_else(|| managed_keys(&metadata)), metadata, type_ })
    }
}

fn managed(metadata: &ObjectMeta) -> bool {
    metadata.managed_fields.as_ref().is_some_and(|fields| !fields.is_empty())
}

/// The keys of `data` that managed fields name; `None` without managed fields. Every key of an object of a real server is
/// owned by some manager, so the union is the whole set.
pub fn managed_keys(metadata: &ObjectMeta) -> Option<BTreeSet<String>> {
    let fields = metadata.managed_fields.as_ref().filter(|fields| !fields.is_empty())?;
    let mut keys = BTreeSet::new();
    for entry in fields {
        let data = entry.fields_v1.as_ref().and_then(|fields| fields.0.get("f:data")).and_then(|data| data.as_object());
        keys.extend(data.into_iter().flatten().filter_map(|(key, _)| key.strip_prefix("f:").map(str::to_owned)));
    }
    Some(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_never_kept() {
        let json =
            r#"{"metadata":{"name":"s"},"type":"Opaque","data":{"password":"aHVudGVyMg=="},"stringData":{"user":"x"}}"#;
        let secret: Secret = serde_json::from_str(json).expect("a Secret");
        assert_eq!(secret.keys, Some(["password", "user"].map(str::to_owned).into()));
        assert!(!format!("{secret:?}").contains("aHVudGVy"));
    }

    #[test]
    fn keys_come_from_managed_fields_where_only_metadata_was_asked() {
        let json = r#"{"metadata":{"name":"s","managedFields":[{"manager":"kubectl","fieldsV1":{"f:data":{".":{},"f:username":{}},"f:type":{}}}]}}"#;
        let secret: Secret = serde_json::from_str(json).expect("a Secret");
        assert_eq!(secret.keys, Some(["username".to_owned()].into()));
    }
}
