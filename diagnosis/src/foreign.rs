//! Kinds that the table does not have: custom resources, and what newer servers serve.

use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Serialize;
use serde_json::Value;

/// How many foreign kinds one process gets to know; no cluster serves as many. Their names are kept until it ends.
const MOST: usize = 4096;

/// The longest name of a kind, a group or a resource that is taken, in bytes.
const LONGEST: usize = 253;

/// A kind of object that only the cluster knows; the same for the same group and kind, whatever the version.
#[derive(Clone, Copy, Debug)]
pub struct ForeignKind(&'static Names);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Names {
    kind: String,
    api_version: String,
    plural: String,
    namespaced: bool,
}

impl ForeignKind {
    /// The kind that a cluster's discovery describes; `None` for names that no server would serve.
    pub fn new(api_version: &str, kind: &str, plural: &str, namespaced: bool) -> Option<Self> {
        static KNOWN: Mutex<BTreeSet<&'static Names>> = Mutex::new(BTreeSet::new());
        let word = |word: &str| {
            let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'));
            !word.is_empty() && word.len() <= LONGEST && plain
        };
        let fits =
            word(kind) && word(plural) && api_version.split('/').count() <= 2 && api_version.split('/').all(word);
        if !fits {
            return None;
        }
        let names =
            Names { kind: kind.to_owned(), api_version: api_version.to_owned(), plural: plural.to_owned(), namespaced };
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = known.get(&names) {
            return Some(Self(names));
        }
        if known.len() >= MOST {
            return None;
        }
        let names: &'static Names = Box::leak(Box::new(names));
        known.insert(names);
        Some(Self(names))
    }

    /// The kind of an object as it stands in a dump, its resource guessed from its kind.
    pub(crate) fn of_value(value: &Value) -> Option<Self> {
        let word = |key: &str| value.get(key).and_then(Value::as_str);
        let meta = |key: &str| value.get("metadata").and_then(|meta| meta.get(key)).and_then(Value::as_str);
        let (api_version, kind) = (word("apiVersion")?, word("kind")?);
        meta("name").filter(|name| !name.is_empty())?;
        Self::new(api_version, kind, &plural_of(kind), meta("namespace").is_some())
    }

    /// Its name, as in the `kind` field.
    pub const fn name(self) -> &'static str {
        self.0.kind.as_str()
    }

    /// `group/version` as in the `apiVersion` field.
    pub const fn api_version(self) -> &'static str {
        self.0.api_version.as_str()
    }

    /// The resource's name in URLs.
    pub const fn plural(self) -> &'static str {
        self.0.plural.as_str()
    }

    /// Tells whether its objects live in a namespace.
    pub const fn is_namespaced(self) -> bool {
        self.0.namespaced
    }

    fn identity(self) -> (&'static str, &'static str) {
        let api = self.api_version();
        (api.split_once('/').map_or("", |(group, _)| group), self.name())
    }
}

/// The plural that English and most resources use.
fn plural_of(kind: &str) -> String {
    let singular = kind.to_ascii_lowercase();
    if let Some(stem) = singular.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u'])) {
        return format!("{stem}ies");
    }
    let hisses = ["s", "x", "ch", "sh"].iter().any(|end| singular.ends_with(end));
    format!("{singular}{}", if hisses { "es" } else { "s" })
}

impl PartialEq for ForeignKind {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for ForeignKind {}

impl PartialOrd for ForeignKind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ForeignKind {
    fn cmp(&self, other: &Self) -> Ordering {
        self.identity().cmp(&other.identity())
    }
}

impl Hash for ForeignKind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

/// An object of a foreign kind: metadata typed, the rest as it stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Foreign {
    /// Its kind.
    #[serde(skip)]
    pub kind: ForeignKind,
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// Its other fields: mostly `spec` and `status`.
    #[serde(flatten)]
    pub fields: serde_json::Map<String, Value>,
}

impl Foreign {
    pub(crate) fn parse(kind: ForeignKind, value: Value) -> Result<Self, serde_json::Error> {
        let mut fields = match value {
            Value::Object(fields) => fields,
            _ => serde_json::Map::new(),
        };
        let metadata = serde_json::from_value(fields.remove("metadata").unwrap_or_default())?;
        fields.retain(|key, _| key != "kind" && key != "apiVersion");
        Ok(Self { kind, metadata, fields })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_the_same_in_every_version() {
        let old = ForeignKind::new("example.com/v1beta1", "Widget", "widgets", true).expect("a kind");
        let new = ForeignKind::new("example.com/v1", "Widget", "widgets", true).expect("a kind");
        assert_eq!(old, new);
        assert_ne!(old, ForeignKind::new("other.com/v1", "Widget", "widgets", true).expect("a kind"));
        assert_eq!((new.plural(), new.api_version()), ("widgets", "example.com/v1"));
    }

    #[test]
    fn what_no_server_would_serve_is_no_kind() {
        for (api, kind) in [("example.com/v1", "../pods"), ("a/b/c", "X"), ("", "X"), ("v1", ""), ("v1", "Ge t")] {
            assert!(ForeignKind::new(api, kind, "things", true).is_none(), "{api} {kind}");
        }
    }

    #[test]
    fn plurals_follow_english() {
        for (kind, plural) in
            [("Policy", "policies"), ("Gateway", "gateways"), ("Ingress", "ingresses"), ("Certificate", "certificates")]
        {
            assert_eq!(plural_of(kind), plural);
        }
    }
}
