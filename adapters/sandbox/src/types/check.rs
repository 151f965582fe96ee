//! Whether an object is what its kind says.

use serde_json::{Map, Value};

use super::{Field, Type};

/// How deep an object is looked into.
const DEEPEST: usize = 64;

/// What is odd about an object.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Findings {
    /// The first value of another type than its field has.
    pub mismatch: Option<Mismatch>,
    /// Paths of fields that the kind does not have, with the places in lists: `spec.containers[0].imag`.
    pub unknown: Vec<String>,
}

/// A value of another type than its field has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// What is there: `string`.
    pub found: String,
    /// Which field it is: `DeploymentSpec.spec.replicas`.
    pub field: String,
    /// What should be there: `int32`.
    pub wanted: String,
}

impl Mismatch {
    /// The mismatch in the words of Go's decoder.
    pub(crate) fn decoding_error(&self) -> String {
        let Self { found, field, wanted } = self;
        format!("json: cannot unmarshal {found} into Go struct field {field} of type {wanted}")
    }

    /// The mismatch in the fewer words of a strategic patch, which is converted without being decoded.
    pub(crate) fn conversion_error(&self) -> String {
        let Self { found, wanted, .. } = self;
        match (found.as_str(), wanted.as_str()) {
            ("number", "string") => "cannot convert int64 to string".to_owned(),
            ("bool", "string") => "cannot convert bool to string".to_owned(),
            (found, wanted) if wanted.starts_with("[]") => format!("cannot restore slice from {found}"),
            _ => format!("unrecognized type: {wanted}"),
        }
    }
}

/// Looks an object of a built-in kind through and takes out of it what its kind does not have.
/// A kind whose types are not known has nothing odd about it.
pub(crate) fn check(api_version: &str, kind: &str, object: &mut Value) -> Findings {
    let mut findings = Findings::default();
    if let (Some(own), Value::Object(fields)) = (Type::of(api_version, kind), object) {
        findings.object(own, fields, &Path::default(), 0);
    }
    findings
}

/// Where a value stands, with and without places in lists.
#[derive(Clone, Default)]
struct Path {
    full: String,
    plain: String,
}

impl Path {
    fn field(&self, name: &str) -> Self {
        let dot = if self.full.is_empty() { "" } else { "." };
        Self { full: format!("{}{dot}{name}", self.full), plain: format!("{}{dot}{name}", self.plain) }
    }

    fn item(&self, place: usize) -> Self {
        Self { full: format!("{}[{place}]", self.full), plain: self.plain.clone() }
    }

    fn entry(&self, key: &str) -> Self {
        Self { full: format!("{}.{key}", self.full), plain: self.plain.clone() }
    }
}

impl Findings {
    fn object(&mut self, own: Type, fields: &mut Map<String, Value>, path: &Path, depth: usize) {
        if depth > DEEPEST {
            return;
        }
        let is_whole = own.field("metadata").is_some() || depth == 0;
        fields.retain(|name, value| {
            let path = path.field(name);
            match own.field(name) {
                Some((owner, field)) => self.value(owner, field.kind, field, value, &path, depth),
                None if is_whole && matches!(name.as_str(), "apiVersion" | "kind") => {}
                None => {
                    self.unknown.push(path.full);
                    return false;
                }
            }
            true
        });
    }

    fn value(&mut self, owner: Type, kind: &str, field: Field, value: &mut Value, path: &Path, depth: usize) {
        if value.is_null() {
            return;
        }
        if let Some(kind) = kind.strip_prefix("List:")
            && let Value::Array(items) = value
        {
            for (place, item) in items.iter_mut().enumerate() {
                self.value(owner, kind, field, item, &path.item(place), depth);
            }
            return;
        }
        if let Some(kind) = kind.strip_prefix("Map:")
            && let Value::Object(entries) = value
        {
            for (key, entry) in entries {
                self.value(owner, kind, field, entry, &path.entry(key), depth);
            }
            return;
        }
        if let ("Part", Value::Object(fields)) = (kind, &mut *value) {
            if let Some(part) = Type::named(field.target) {
                self.object(part, fields, path, depth + 1);
            }
            return;
        }
        if !fits(kind, value) && self.mismatch.is_none() {
            self.mismatch = Some(Mismatch {
                found: found(kind, value),
                field: format!("{}.{}", owner.short_name(), path.plain),
                wanted: wanted(kind, field.target),
            });
        }
    }
}

fn fits(kind: &str, value: &Value) -> bool {
    match kind {
        "Text" | "Time" | "Micro" | "Bytes" => value.is_string(),
        "Flag" => value.is_boolean(),
        "Int32" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        "Int64" => value.is_i64(),
        "IntOrText" => value.is_string() || value.is_i64(),
        "Quantity" => value.is_string() || value.is_number(),
        "Items" => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
        "Fields" | "Raw" => true,
        _ => false,
    }
}

/// What is there, as Go's decoder says it.
fn found(kind: &str, value: &Value) -> String {
    match value {
        Value::Number(number) if kind.starts_with("Int") => format!("number {number}"),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Array(_) => "array".to_owned(),
        Value::Object(_) => "object".to_owned(),
        Value::Null => "null".to_owned(),
    }
}

/// What should be there, as Go calls it.
fn wanted(kind: &str, target: &str) -> String {
    if let Some(kind) = kind.strip_prefix("List:") {
        return format!("[]{}", wanted(kind, target));
    }
    if let Some(kind) = kind.strip_prefix("Map:") {
        return format!("map[string]{}", wanted(kind, target));
    }
    match kind {
        "Text" => "string".to_owned(),
        "Flag" => "bool".to_owned(),
        "Int32" => "int32".to_owned(),
        "Int64" => "int64".to_owned(),
        "Bytes" => "[]uint8".to_owned(),
        "Time" => "v1.Time".to_owned(),
        "Micro" => "v1.MicroTime".to_owned(),
        "Quantity" => "resource.Quantity".to_owned(),
        "IntOrText" => "intstr.IntOrString".to_owned(),
        "Part" => {
            let mut parts = target.rsplit('/');
            let (name, version) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            format!("{}.{name}", if version == "meta" { "v1" } else { version })
        }
        other => other.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn deployment(spec: Value) -> Value {
        let mut object = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}});
        object["spec"] = spec;
        object
    }

    fn error(mut object: Value) -> Option<String> {
        check("apps/v1", "Deployment", &mut object).mismatch.map(|mismatch| mismatch.decoding_error())
    }

    // The words of a 1.34 server.
    #[test]
    fn a_value_of_another_type_is_named_with_its_field() {
        let ports = json!({"template": {"spec": {"containers": [{"name": "c", "ports": [{"containerPort": "80"}]}]}}});
        assert_eq!(
            error(deployment(ports)).as_deref(),
            Some(
                "json: cannot unmarshal string into Go struct field \
                ContainerPort.spec.template.spec.containers.ports.containerPort of type int32"
            )
        );
        assert_eq!(
            error(deployment(json!({"replicas": "three"}))).as_deref(),
            Some("json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32")
        );
        assert_eq!(
            error(json!({"metadata": {"labels": {"a": 1}}})).as_deref(),
            Some("json: cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string")
        );
        assert_eq!(error(deployment(json!({"strategy": {"rollingUpdate": {"maxSurge": 1}}}))), None);
        assert_eq!(error(deployment(json!({"replicas": null}))), None);
    }

    #[test]
    fn unknown_fields_are_named_with_their_place_and_taken_out() {
        let mut object = deployment(json!({
            "replica": 3,
            "template": {"spec": {"containers": [{"name": "c", "imagePullPolice": "x"}],
                "volumes": [{"name": "v", "configMap": {"name": "c", "nope": 1}}]}},
        }));
        let findings = check("apps/v1", "Deployment", &mut object);
        assert_eq!(findings.mismatch, None);
        assert_eq!(
            findings.unknown,
            [
                "spec.replica",
                "spec.template.spec.containers[0].imagePullPolice",
                "spec.template.spec.volumes[0].configMap.nope"
            ]
        );
        assert_eq!(object["spec"]["template"]["spec"]["containers"], json!([{"name": "c"}]));
        assert_eq!(object["spec"].get("replica"), None);
        assert_eq!(check("apps/v1", "Deployment", &mut object), Findings::default());
    }

    #[test]
    fn kinds_without_known_types_are_left_alone() {
        let mut object = json!({"spec": {"anything": 1}});
        assert_eq!(check("example.org/v1", "Widget", &mut object), Findings::default());
        assert_eq!(object, json!({"spec": {"anything": 1}}));
    }

    #[test]
    fn templates_of_claims_may_say_their_kind() {
        let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "v"}});
        let mut set =
            json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "spec": {"volumeClaimTemplates": [claim]}});
        assert_eq!(check("apps/v1", "StatefulSet", &mut set), Findings::default());
    }

    proptest! {
        #[test]
        fn no_value_panics(key in "[a-z]{1,4}|spec|metadata|template|containers", text in "\\PC{0,6}", number in any::<i64>()) {
            let leaf = json!({&key: text, "spec": number, "metadata": [text], "template": {&key: [number, {&key: null}]}});
            let mut object = json!({"spec": {"template": leaf, &key: leaf}, "metadata": leaf, "status": [leaf]});
            check("apps/v1", "Deployment", &mut object);
        }
    }
}
