//! The cluster: its control plane, its nodes, and the add-ons that everybody needs.

use std::sync::Arc;

use kubewhy_text::text;

use super::{NoScope, Scope, lone};
use crate::health::Cluster;
use crate::kind::Object;
use crate::reader::Reader;
use crate::report::Status;

pub(super) fn of_cluster(_reader: &Reader<'_>, it: &Arc<Cluster>) -> Result<Scope, NoScope> {
    Ok(lone(&Object::Cluster(Arc::clone(it)), (Status::Healthy, text!["The cluster is healthy"])))
}
