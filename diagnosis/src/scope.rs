//! What a question about an object comes down to: which subjects the rules look at.
//!
//! A pod is looked at itself. A workload is looked at through its own conditions, the refused creations of its pods, and
//! its failing pods: of those that fail alike one is read, and stands for the others. A Service is looked at with the pods
//! behind it, a node with what runs it, the cluster with its parts.

mod autoscaler;
mod census;
mod claim;
mod cluster;
mod members;
mod node;
mod other;
mod pod;
mod service;
mod workload;

use std::sync::Arc;

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Namespace;
use kubewhy_text::{Text, name, text};

use crate::case::{Subject, Workload};
use crate::finding::ObjectRef;
use crate::health::Cluster;
use crate::kind::{Kind, Object};
use crate::reader::{Needs, Read, Reader};
use crate::report::Status;

pub(crate) use census::tell;
pub(crate) use workload::{REVISION, is_owned_by, is_satisfied, refusals, replicas, revision};

/// How long something may be on its way before "pending" is no longer an answer.
const YOUNG: SignedDuration = SignedDuration::from_mins(5);

/// A subject, and how many pods it stands for.
#[derive(Debug)]
pub(crate) struct Scoped {
    pub(crate) subject: Subject,
    pub(crate) stands_for: usize,
    pub(crate) newest_revision: bool,
}

/// What a question comes down to.
#[derive(Debug)]
pub(crate) struct Scope {
    pub(crate) subjects: Vec<Scoped>,
    /// How the target is where no rule finds anything.
    pub(crate) otherwise: (Status, Text),
    /// Failing pods, and all.
    pub(crate) pods: Option<(usize, usize)>,
}

/// Why there is no scope.
#[derive(Debug)]
pub(crate) enum NoScope {
    /// Something has to be asked first.
    Needs,
    /// The target does not exist.
    Absent,
    /// The target could not be read.
    Unreadable,
}

impl From<Needs> for NoScope {
    fn from(_: Needs) -> Self {
        Self::Needs
    }
}

/// Sorts out what the rules have to look at.
pub(crate) fn of(
    reader: &Reader<'_>,
    kind: Kind,
    namespace: Option<&str>,
    object_name: &str,
) -> Result<Scope, NoScope> {
    let object = reader.object(kind, namespace, object_name);
    if kind == Kind::Pod {
        // A pod that is asked about is mostly in trouble: its events come in the same round.
        let _ = reader.events(Kind::Pod, namespace, object_name, None);
    }
    let object = match object? {
        Read::Found(object) => object,
        // The rest of the cluster can be read where its health endpoints cannot.
        Read::Absent | Read::Unreadable if kind == Kind::Cluster => {
            Object::Cluster(Arc::new(Cluster::named(object_name)))
        }
        Read::Absent => return Err(NoScope::Absent),
        Read::Unreadable => return Err(NoScope::Unreadable),
    };
    Ok(match &object {
        Object::Pod(pod) => pod::of_pod(reader, pod),
        Object::PersistentVolumeClaim(claim) => claim::of_claim(reader, claim)?,
        Object::Namespace(it) => of_namespace(it),
        Object::Node(node) => node::of_node(reader, node)?,
        Object::Service(service) => service::of_service(reader, service)?,
        Object::Ingress(ingress) => service::of_ingress(reader, ingress)?,
        Object::HorizontalPodAutoscaler(it) => autoscaler::of_autoscaler(reader, it)?,
        Object::Cluster(it) => cluster::of_cluster(reader, it)?,
        other => match Workload::of(other) {
            Some(workload) => workload::of_workload(reader, &workload)?,
            None => other::of_other(reader, other)?,
        },
    })
}

/// An object whose own rules say all, and how it is where they say nothing.
fn lone(object: &Object, otherwise: (Status, Text)) -> Scope {
    Scope { subjects: vec![alone(Subject::Other(object.clone()))], otherwise, pods: None }
}

/// An object in words: `Service shop/cart`.
fn named(object: &Object) -> Text {
    let reference = ObjectRef::new(object.kind(), object.namespace(), object.name());
    text![object.kind().name(), " ", name(reference.path())]
}

/// What is said of a whole cluster beside its first finding: how many of its parts are well.
pub(crate) fn figures(scope: &Scope) -> Option<Text> {
    let first = scope.subjects.first().map(|scoped| &scoped.subject);
    matches!(first, Some(Subject::Other(Object::Cluster(_)))).then(|| scope.otherwise.1.clone())
}

fn of_namespace(it: &Arc<Namespace>) -> Scope {
    let path = name(it.metadata.name.clone().unwrap_or_default());
    let phase = it.status.as_ref().and_then(|status| status.phase.as_deref());
    let otherwise = if it.metadata.deletion_timestamp.is_some() || phase == Some("Terminating") {
        (Status::Pending, text!["Namespace ", path, " is being deleted"])
    } else {
        (Status::Healthy, text!["Namespace ", path, " is active"])
    };
    Scope { otherwise, subjects: vec![alone(Subject::Namespace(Arc::clone(it)))], pods: None }
}

fn alone(subject: Subject) -> Scoped {
    Scoped { subject, stands_for: 1, newest_revision: true }
}
