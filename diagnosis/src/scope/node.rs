//! A node, and what keeps it from running pods.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Node;
use kubewhy_text::text;

use super::{NoScope, Scope, lone, named};
use crate::kind::Object;
use crate::reader::Reader;
use crate::report::Status;

pub(super) fn of_node(_reader: &Reader<'_>, node: &Arc<Node>) -> Result<Scope, NoScope> {
    let object = Object::Node(Arc::clone(node));
    let otherwise = (Status::Healthy, text![named(&object), " is ready"]);
    Ok(lone(&object, otherwise))
}
