//! The log of every write that reached the API: who sent what, under which preconditions, and what came of it.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde_json::Value;

use crate::call::{Call, Verb};

/// How many writes are kept; a demo may run for days.
const KEPT: usize = 20_000;

/// How many bytes the bodies of the writes that are kept may have together.
const KEPT_BYTES: usize = 32 * 1024 * 1024;

/// One write as it arrived and was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When it arrived.
    pub at: Timestamp,
    /// Who sent it, after impersonation.
    pub user: String,
    /// The client's name for itself.
    pub user_agent: String,
    /// What it was to do.
    pub verb: Verb,
    /// The path with its query.
    pub path: String,
    /// The API group; the core group is empty.
    pub group: String,
    /// The plural of the resource.
    pub resource: String,
    /// The subresource; mostly empty.
    pub subresource: String,
    /// The namespace; empty for what lives in none.
    pub namespace: String,
    /// The object's name; empty for a collection.
    pub name: String,
    /// The body's media type.
    pub content_type: String,
    /// The body; a string where it is no JSON, null where there was none.
    pub body: Value,
    /// What had to hold for the write to be done.
    pub preconditions: Preconditions,
    /// Whether nothing was to be stored.
    pub dry_run: bool,
    /// The HTTP status code of the answer; 0 where the connection was dropped.
    pub code: u16,
    /// The reason of a refusal; empty for a success.
    pub reason: String,
    /// Whether the objects were changed by it, whatever the client was told.
    pub applied: bool,
}

/// What a write demanded of the object it was for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// The UID it has to have.
    pub uid: Option<String>,
    /// The resource version it has to have.
    pub resource_version: Option<String>,
    /// Whether a JSON patch tests a value.
    pub test: bool,
}

impl Preconditions {
    /// Whether nothing was demanded: such a write can hit another object than the one that was looked at.
    pub fn is_empty(&self) -> bool {
        self.uid.is_none() && self.resource_version.is_none() && !self.test
    }

    /// What a body demands, by the kind of write.
    pub(crate) fn of(verb: Verb, body: &Value) -> Self {
        let word = |pointer: &str| {
            let word = body.pointer(pointer).and_then(Value::as_str);
            word.filter(|word| !word.is_empty()).map(ToOwned::to_owned)
        };
        let under = |parent: &str| Self {
            uid: word(&format!("{parent}/uid")),
            resource_version: word(&format!("{parent}/resourceVersion")),
            test: false,
        };
        match (verb, body) {
            (Verb::Patch, Value::Array(operations)) => Self {
                test: operations.iter().any(|operation| operation.get("op").and_then(Value::as_str) == Some("test")),
                ..Self::default()
            },
            (Verb::Delete | Verb::DeleteCollection, _) => under("/preconditions"),
            (Verb::Create, _) => under("/deleteOptions/preconditions"),
            _ => under("/metadata"),
        }
    }
}

/// Whether nothing is to be stored: a query can say so, and the body of a deletion or an eviction.
pub(crate) fn is_dry_run(call: &Call, body: &Value) -> bool {
    let mut bodies = ["/dryRun", "/deleteOptions/dryRun"].into_iter();
    call.query.all("dryRun").any(|value| value == "All")
        || bodies.any(|pointer| crate::object::elements(body, pointer).iter().any(|value| value == "All"))
}

/// The last writes, oldest first, each with the size of its body.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: VecDeque<(Entry, usize)>,
    bytes: usize,
}

impl Journal {
    /// Writes one down that had so many bytes of body; the oldest go where there are too many.
    pub(crate) fn push(&mut self, entry: Entry, bytes: usize) {
        self.entries.push_back((entry, bytes));
        self.bytes += bytes;
        while self.entries.len() > KEPT || self.bytes > KEPT_BYTES {
            let Some((_, gone)) = self.entries.pop_front() else { return };
            self.bytes -= gone;
        }
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.entries.iter().map(|(entry, _)| entry.clone()).collect()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}
