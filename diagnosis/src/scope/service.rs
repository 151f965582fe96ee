//! A Service or an Ingress: how it stands. What fails behind it is followed from its findings.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::Ingress;
use kubewhy_text::{Text, name, text};

use super::{NoScope, Scope, YOUNG, lone, named};
use crate::case::{Case, Subject};
use crate::facts::services::{self, Standing, State};
use crate::kind::Object;
use crate::reader::Reader;
use crate::report::Status;

pub(super) fn of_service(reader: &Reader<'_>, service: &Arc<Service>) -> Result<Scope, NoScope> {
    let object = Object::Service(Arc::clone(service));
    if service.metadata.deletion_timestamp.is_some() {
        return Ok(lone(&object, (Status::Pending, text![named(&object), " is being deleted"])));
    }
    let case = Case::new(reader, Subject::Other(object.clone()), None);
    let _ = reader.events(object.kind(), object.namespace(), object.name(), object.meta().uid.as_deref());
    let standing = services::standing(&case, object.namespace().unwrap_or_default(), object.name(), None)?;
    let otherwise = otherwise(reader, service, &standing);
    Ok(lone(&object, otherwise))
}

/// How a Service is in which no rule finds trouble.
fn otherwise(reader: &Reader<'_>, service: &Service, standing: &Standing) -> (Status, Text) {
    let wants_address = service.spec.as_ref().and_then(|spec| spec.type_.as_deref()) == Some("LoadBalancer");
    let ingress = service.status.as_ref().and_then(|status| status.load_balancer.as_ref()).map(|it| &it.ingress);
    let addressed = ingress.is_some_and(|ingress| ingress.as_ref().is_some_and(|all| !all.is_empty()));
    let young =
        service.metadata.creation_timestamp.as_ref().is_some_and(|time| reader.now().duration_since(time.0) < YOUNG);
    let service = text!["Service ", name(standing.service.path())];
    match &standing.state {
        State::Fine if wants_address && !addressed && young => {
            (Status::Pending, text![standing.clause(), ", and its load balancer is on its way"])
        }
        State::Fine | State::External(_) => (Status::Healthy, standing.clause()),
        State::Completed(_) => (Status::Healthy, text![standing.clause(), ": its work is done"]),
        State::NotReady(trouble) if trouble.starting => (Status::Pending, standing.clause()),
        State::Unknown => (Status::Unknown, text![service, " is there, and its endpoints could not be read"]),
        // A CronJob's pods come and go.
        State::SelectsNothing(..) => (Status::Healthy, text![service, " has no endpoints at the moment, by design"]),
        _ => (Status::Unknown, standing.clause()),
    }
}

pub(super) fn of_ingress(reader: &Reader<'_>, ingress: &Arc<Ingress>) -> Result<Scope, NoScope> {
    let object = Object::Ingress(Arc::clone(ingress));
    if ingress.metadata.deletion_timestamp.is_some() {
        return Ok(lone(&object, (Status::Pending, text![named(&object), " is being deleted"])));
    }
    let _ = reader.events(object.kind(), object.namespace(), object.name(), object.meta().uid.as_deref());
    let otherwise = (Status::Healthy, text![named(&object), " leads to Services and ports that there are"]);
    Ok(lone(&object, otherwise))
}
