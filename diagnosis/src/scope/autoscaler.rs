//! An autoscaler, and where its figures come from.

use std::sync::Arc;

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kubewhy_text::text;

use super::{NoScope, Scope, lone, named};
use crate::kind::Object;
use crate::reader::Reader;
use crate::report::Status;

pub(super) fn of_autoscaler(_reader: &Reader<'_>, it: &Arc<HorizontalPodAutoscaler>) -> Result<Scope, NoScope> {
    let object = Object::HorizontalPodAutoscaler(Arc::clone(it));
    let otherwise = (Status::Healthy, text![named(&object), " scales as it should"]);
    Ok(lone(&object, otherwise))
}
