//! Lists on the wire, without copying what is in them.

use std::sync::Arc;

use jiff::Timestamp;
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::{Form, List};

/// Writes a list in the form that was asked for.
pub(crate) fn encode_list(list: &List, form: Form, now: Timestamp) -> Vec<u8> {
    let api_version = list.resource.api_version();
    let head = match form {
        Form::Object => (list.resource.list_kind.as_ref(), api_version.as_str()),
        Form::Metadata => ("PartialObjectMetadataList", "meta.k8s.io/v1"),
        Form::Table(include) => {
            let table = crate::table::table(&list.resource, &list.objects, list.metadata.clone(), include, now);
            return table.to_string().into_bytes();
        }
    };
    let shown = Shown {
        head,
        metadata: &list.metadata,
        items: Items {
            objects: &list.objects,
            only_metadata: form == Form::Metadata,
            // Built-in lists say their kind once; lists of custom resources say it in every item as well.
            bare: list.resource.custom.is_none(),
        },
    };
    // Values that came from JSON go back into it; there is nothing that could fail.
    serde_json::to_vec(&shown).unwrap_or_default()
}

/// An object without anything but its metadata.
pub(crate) fn metadata_only(object: &Value) -> Value {
    json!({
        "kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": object.get("metadata").cloned().unwrap_or_else(|| json!({})),
    })
}

struct Shown<'a> {
    head: (&'a str, &'a str),
    metadata: &'a Value,
    items: Items<'a>,
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("kind", self.head.0)?;
        map.serialize_entry("apiVersion", self.head.1)?;
        map.serialize_entry("metadata", self.metadata)?;
        map.serialize_entry("items", &self.items)?;
        map.end()
    }
}

struct Items<'a> {
    objects: &'a [Arc<Value>],
    only_metadata: bool,
    bare: bool,
}

impl Serialize for Items<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut items = serializer.serialize_seq(Some(self.objects.len()))?;
        for object in self.objects {
            let object = object.as_ref();
            if self.only_metadata {
                items.serialize_element(&OnlyMetadata(object))?;
            } else if self.bare {
                items.serialize_element(&Bare(object))?;
            } else {
                items.serialize_element(object)?;
            }
        }
        items.end()
    }
}

struct OnlyMetadata<'a>(&'a Value);

impl Serialize for OnlyMetadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("kind", "PartialObjectMetadata")?;
        map.serialize_entry("apiVersion", "meta.k8s.io/v1")?;
        if let Some(metadata) = self.0.get("metadata") {
            map.serialize_entry("metadata", metadata)?;
        }
        map.end()
    }
}

struct Bare<'a>(&'a Value);

impl Serialize for Bare<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Value::Object(fields) = self.0 else { return self.0.serialize(serializer) };
        let mut map = serializer.serialize_map(None)?;
        for (key, value) in fields.iter().filter(|(key, _)| !matches!(key.as_str(), "kind" | "apiVersion")) {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}
