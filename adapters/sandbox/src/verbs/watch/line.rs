//! The lines of a watch.

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::answer::{Form, metadata_only};
use crate::object::meta;
use crate::resources::Resource;
use crate::status::Status;
use crate::verbs::Request;

/// One thing to tell.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Added(Arc<Value>),
    Modified(Arc<Value>),
    Deleted(Arc<Value>),
    Bookmark(u64),
    /// The bookmark after the last of the initial events.
    InitialEnd(u64),
}

/// Writes events in the form that was asked for.
pub(super) struct Writer {
    resource: Arc<Resource>,
    form: Form,
    now: Timestamp,
}

impl Writer {
    pub(super) fn new(request: &Request) -> Self {
        Self { resource: request.resource.clone(), form: request.form, now: request.now }
    }

    pub(super) fn line(&self, event: &Event) -> Bytes {
        let (kind, object) = match event {
            Event::Added(object) => ("ADDED", self.shown(object)),
            Event::Modified(object) => ("MODIFIED", self.shown(object)),
            Event::Deleted(object) => ("DELETED", self.shown(object)),
            Event::Bookmark(revision) => ("BOOKMARK", self.bookmark(*revision, false)),
            Event::InitialEnd(revision) => ("BOOKMARK", self.bookmark(*revision, true)),
        };
        line(kind, &object)
    }

    fn shown(&self, object: &Arc<Value>) -> Value {
        let object = crate::convert::to_version(&self.resource, object);
        match self.form {
            Form::Object => Arc::unwrap_or_clone(object),
            Form::Metadata => metadata_only(&object),
            Form::Table(include) => {
                let metadata = json!({"resourceVersion": meta(&object, "resourceVersion")});
                crate::table::table(&self.resource, std::slice::from_ref(&object), metadata, include, self.now)
            }
        }
    }

    fn bookmark(&self, revision: u64, ends_initial: bool) -> Value {
        let mut metadata = json!({"resourceVersion": revision.to_string(), "creationTimestamp": null});
        if ends_initial {
            let annotations = json!({"k8s.io/initial-events-end": "true"});
            crate::object::as_map(&mut metadata).insert("annotations".to_owned(), annotations);
        }
        let object = json!({
            "kind": self.resource.kind,
            "apiVersion": self.resource.api_version(),
            "metadata": metadata,
        });
        match self.form {
            Form::Object => object,
            Form::Metadata => metadata_only(&object),
            Form::Table(include) => {
                let list_metadata = json!({"resourceVersion": revision.to_string()});
                crate::table::table(&self.resource, &[Arc::new(object)], list_metadata, include, self.now)
            }
        }
    }
}

/// The line with which a watch is refused after all.
pub(super) fn error(status: &Status) -> Bytes {
    line("ERROR", &status.to_value())
}

fn line(kind: &str, object: &Value) -> Bytes {
    format!("{{\"type\":\"{kind}\",\"object\":{object}}}\n").into()
}
