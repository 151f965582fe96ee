//! Field selectors: the few fields by which each kind can be selected.

use serde_json::Value;

use crate::object::{meta, text};
use crate::resources::Resource;

/// Conditions on fields that must all hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<Condition>);

#[derive(Clone, Debug)]
struct Condition {
    path: String,
    value: String,
    equal: bool,
}

impl Fields {
    /// Reads the text of a `fieldSelector` parameter.
    ///
    /// # Errors
    /// What could not be understood, or the field that this kind cannot be selected by.
    pub(super) fn parse(resource: &Resource, selector: &str) -> Result<Self, String> {
        let mut conditions = Vec::new();
        for part in split(selector) {
            if part.is_empty() {
                continue;
            }
            let Some((field, value, equal)) = condition(&part) else {
                return Err(format!("invalid selector: '{selector}'; can't understand '{part}'"));
            };
            let path = supported(resource, field)?;
            conditions.push(Condition { path, value: unescape(value)?, equal });
        }
        Ok(Self(conditions))
    }

    pub(super) fn is_everything(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|condition| (shown(object, &condition.path) == condition.value) == condition.equal)
    }
}

/// Splits at commas that no backslash protects.
fn split(selector: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut protected = false;
    for letter in selector.chars() {
        if letter == ',' && !protected {
            parts.push(String::new());
            continue;
        }
        protected = letter == '\\' && !protected;
        if let Some(last) = parts.last_mut() {
            last.push(letter);
        }
    }
    parts
}

fn condition(part: &str) -> Option<(&str, &str, bool)> {
    let at = part.find(['=', '!'])?;
    let (field, rest) = part.split_at_checked(at)?;
    for (operator, equal) in [("!=", false), ("==", true), ("=", true)] {
        if let Some(value) = rest.strip_prefix(operator) {
            return Some((field, value, equal));
        }
    }
    None
}

fn unescape(value: &str) -> Result<String, String> {
    let mut plain = String::new();
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some(escaped @ ('\\' | ',' | '=')) => plain.push(escaped),
                _ => return Err(format!("invalid field selector: invalid escape sequence: {value}")),
            },
            '=' => return Err(format!("invalid field selector: unescaped character in value: {value}")),
            other => plain.push(other),
        }
    }
    Ok(plain)
}

/// The path of a field in the version that is kept, if the kind can be selected by it.
fn supported(resource: &Resource, field: &str) -> Result<String, String> {
    const EVENT: &[&str] = &[
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ];
    const POD: &[&str] = &[
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.podIPs",
        "status.nominatedNodeName",
    ];
    if field == "metadata.name" || (field == "metadata.namespace" && resource.kind != "Node") {
        return Ok(field.to_owned());
    }
    let (group, kind) = (resource.group.as_ref(), resource.kind.as_ref());
    let renamed = field.replace("regarding.", "involvedObject.").replace("reportingController", "reportingComponent");
    let (known, field): (&[&str], &str) = match (group, kind) {
        ("", "Pod") if field == "spec.host" => (POD, "spec.nodeName"),
        ("", "Pod") => (POD, field),
        ("", "Event") => (EVENT, field),
        ("events.k8s.io", "Event") => (EVENT, &renamed),
        ("", "Node") => (&["spec.unschedulable"], field),
        ("", "Namespace") => (&["status.phase", "name"], field),
        ("", "Secret") => (&["type"], field),
        ("", "ReplicationController") | ("apps", "ReplicaSet") => (&["status.replicas"], field),
        ("batch", "Job") => (&["status.successful"], field),
        ("certificates.k8s.io", "CertificateSigningRequest") => (&["spec.signerName"], field),
        _ => (&[], field),
    };
    if known.contains(&field) {
        return Ok(field.to_owned());
    }
    Err(match (group, kind) {
        ("batch", "Job") => format!("field label \"{field}\" not supported for Job"),
        _ if known.is_empty() && resource.custom.is_none() => {
            format!("\"{field}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")
        }
        _ => format!("field label not supported: {field}"),
    })
}

/// The value of a field as selectors compare it.
fn shown(object: &Value, path: &str) -> String {
    match path {
        "metadata.name" | "name" => meta(object, "name").to_owned(),
        "metadata.namespace" => meta(object, "namespace").to_owned(),
        "source" => {
            let component = text(object, "/source/component");
            if component.is_empty() { text(object, "/reportingComponent").to_owned() } else { component.to_owned() }
        }
        "status.podIP" | "status.podIPs" => text(object, "/status/podIP").to_owned(),
        "status.successful" => counted(object, "/status/succeeded"),
        "status.replicas" => counted(object, "/status/replicas"),
        "spec.hostNetwork" | "spec.unschedulable" => {
            let value = object.pointer(&pointer(path)).and_then(Value::as_bool);
            value.unwrap_or(false).to_string()
        }
        other => text(object, &pointer(other)).to_owned(),
    }
}

fn counted(object: &Value, pointer: &str) -> String {
    crate::object::number(object, pointer).unwrap_or(0).to_string()
}

fn pointer(path: &str) -> String {
    format!("/{}", path.replace('.', "/"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::resources::Registry;

    fn parse(api_version: &str, kind: &str, selector: &str) -> Result<Fields, String> {
        let resource = Registry::builtin().by_kind(api_version, kind).expect("a kind");
        Fields::parse(&resource, selector)
    }

    #[test]
    fn pods_are_selected_by_node_and_phase() {
        let pod = json!({"metadata": {"name": "a", "namespace": "b"}, "spec": {"nodeName": "n"}});
        let matches = |selector: &str| parse("v1", "Pod", selector).expect("a selector").matches(&pod);
        assert!(matches("spec.nodeName=n,status.phase!=Running") && matches("metadata.name==a"));
        assert!(matches("spec.hostNetwork=false") && !matches("spec.nodeName!=n") && !matches("status.phase=Running"));
    }

    #[test]
    fn events_are_selected_alike_in_both_groups() {
        let event = json!({"involvedObject": {"kind": "Pod", "name": "a"}, "type": "Warning", "reason": "Failed"});
        let matches = |group: &str, selector: &str| parse(group, "Event", selector).expect(selector).matches(&event);
        assert!(matches("v1", "involvedObject.name=a,type=Warning"));
        assert!(matches("events.k8s.io/v1", "regarding.name=a,reason=Failed"));
        assert!(!matches("v1", "type=Normal"));
    }

    #[test]
    fn other_fields_are_refused_in_the_servers_words() {
        let wrong = |version: &str, kind: &str, selector: &str| parse(version, kind, selector).expect_err(selector);
        assert_eq!(wrong("v1", "Pod", "spec.foo=1"), "field label not supported: spec.foo");
        assert_eq!(
            wrong("apps/v1", "Deployment", "spec.replicas=1"),
            "\"spec.replicas\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
        );
        assert_eq!(wrong("v1", "Pod", "foo"), "invalid selector: 'foo'; can't understand 'foo'");
        assert!(wrong("v1", "Pod", "metadata.name=a=b").contains("unescaped"));
    }
}
