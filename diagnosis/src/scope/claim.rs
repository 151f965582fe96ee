//! A claim, and the pod that waits for it.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod};
use kubewhy_text::{name, text};

use super::{NoScope, Scope, YOUNG, alone};
use crate::ask::Filter;
use crate::case::Subject;
use crate::finding::ObjectRef;
use crate::kind::Kind;
use crate::pods;
use crate::reader::Reader;
use crate::report::Status;

pub(super) fn of_claim(reader: &Reader<'_>, claim: &Arc<PersistentVolumeClaim>) -> Result<Scope, NoScope> {
    let namespace = claim.metadata.namespace.as_deref();
    let claim_name = claim.metadata.name.clone().unwrap_or_default();
    let path = ObjectRef::new(Kind::PersistentVolumeClaim, namespace, &claim_name).path();
    let bound = claim.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Bound");
    let mut subjects = vec![alone(Subject::Claim(Arc::clone(claim)))];
    if bound && claim.metadata.deletion_timestamp.is_none() {
        let otherwise = (Status::Healthy, text!["PersistentVolumeClaim ", name(path), " is bound"]);
        return Ok(Scope { subjects, otherwise, pods: None });
    }
    // An unbound claim may wait for its pod: what holds that pod holds the claim.
    let consumers = reader.list::<Pod>(namespace, Filter::All)?.found().unwrap_or_default();
    for pod in consumers {
        let uses = pods::claims(&pod).any(|used| used == claim_name);
        if uses && pods::node_name(&pod).is_none() && pod.metadata.deletion_timestamp.is_none() {
            subjects.push(alone(Subject::Pod(pod)));
            break;
        }
    }
    let young =
        claim.metadata.creation_timestamp.as_ref().is_some_and(|time| reader.now().duration_since(time.0) < YOUNG);
    let status = if young { Status::Pending } else { Status::Unknown };
    Ok(Scope {
        subjects,
        otherwise: (status, text!["PersistentVolumeClaim ", name(path), " is not bound"]),
        pods: None,
    })
}
