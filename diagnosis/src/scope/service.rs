//! A Service or an Ingress, and the pods behind it.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::networking::v1::Ingress;
use kubewhy_text::text;

use super::{NoScope, Scope, lone, named};
use crate::kind::Object;
use crate::reader::Reader;
use crate::report::Status;

pub(super) fn of_service(_reader: &Reader<'_>, service: &Arc<Service>) -> Result<Scope, NoScope> {
    let object = Object::Service(Arc::clone(service));
    let otherwise = (Status::Healthy, text![named(&object), " has ready endpoints"]);
    Ok(lone(&object, otherwise))
}

pub(super) fn of_ingress(_reader: &Reader<'_>, ingress: &Arc<Ingress>) -> Result<Scope, NoScope> {
    let object = Object::Ingress(Arc::clone(ingress));
    let otherwise = (Status::Healthy, text![named(&object), " leads to what there is"]);
    Ok(lone(&object, otherwise))
}
