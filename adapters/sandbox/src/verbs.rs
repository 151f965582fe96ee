//! The verbs: what each request does to the store and is answered with.

mod bind;
mod body;
mod change;
mod create;
mod delete;
mod evict;
mod fields;
mod immutable;
mod list;
mod log;
mod page;
mod read;
mod scale;
mod shape;
mod watch;

use std::sync::Arc;

use bytes::Bytes;
use jiff::Timestamp;

use crate::access::{User, is_review};
use crate::answer::{Answer, Form};
use crate::call::{Query, Target, Verb};
use crate::faults::WatchFault;
use crate::handle::Sandbox;
use crate::resources::Resource;
use crate::status::Status;
use crate::store::Place;

/// A request to a resource that is served.
pub(crate) struct Request {
    pub(crate) verb: Verb,
    pub(crate) target: Target,
    pub(crate) query: Query,
    pub(crate) resource: Arc<Resource>,
    pub(crate) user: User,
    pub(crate) form: Form,
    pub(crate) content_type: String,
    pub(crate) body: Bytes,
    /// The revision that a replica which lags has reached.
    pub(crate) stale: Option<u64>,
    pub(crate) watch_faults: Vec<WatchFault>,
    pub(crate) now: Timestamp,
}

impl Request {
    /// The place of the object that the path names.
    fn place(&self) -> Place {
        let namespace = if self.resource.namespaced { self.target.namespace.as_str() } else { "" };
        self.resource.place(namespace, &self.target.name)
    }

    /// The namespace of a collection; `None` for all.
    fn namespace(&self) -> Option<&str> {
        Some(self.target.namespace.as_str()).filter(|namespace| self.resource.namespaced && !namespace.is_empty())
    }

    /// The refusal for an object that is not there.
    fn not_found(&self) -> Status {
        Status::not_found(&self.resource.group, &self.resource.plural, &self.target.name)
    }

    /// Whether nothing is to be stored.
    ///
    /// # Errors
    /// 422 for anything but `All`.
    fn dry_run(&self, options: &str) -> Result<bool, Status> {
        let values: Vec<&str> = self.query.all("dryRun").filter(|value| !value.is_empty()).collect();
        dry_run(&values, options)
    }
}

/// Refuses a way of validation that there is not. Fields nobody knows are kept, whatever it says.
fn check_field_validation(request: &Request, options: &str) -> Result<(), Status> {
    let asked = request.query.get("fieldValidation");
    if matches!(asked, "" | "Ignore" | "Warn" | "Strict") {
        return Ok(());
    }
    let cause =
        crate::status::Cause::not_supported("fieldValidation", &asked.into(), &["", "Ignore", "Strict", "Warn"]);
    Err(Status::invalid("meta.k8s.io", options, "", vec![cause]))
}

fn dry_run(values: &[&str], options: &str) -> Result<bool, Status> {
    if values.iter().any(|value| *value != "All") {
        let cause = crate::status::Cause::not_supported("dryRun", &values.into(), &["All"]);
        return Err(Status::invalid("meta.k8s.io", options, "", vec![cause]));
    }
    Ok(!values.is_empty())
}

/// Does what is asked.
///
/// # Errors
/// What an API server would refuse.
pub(crate) fn answer(sandbox: &Sandbox, request: &Request) -> Result<Answer, Status> {
    let Request { verb, target, resource, .. } = request;
    check_route(*verb, target, resource)?;
    match (target.subresource.as_str(), verb) {
        ("", Verb::Create) if is_review(resource) => create::review(sandbox, request),
        ("", Verb::Create) => create::create(sandbox, request),
        ("" | "status" | "ephemeralcontainers" | "resize" | "approval", Verb::Get) => read::get(sandbox, request),
        ("", Verb::List) => list::list(sandbox, request),
        ("", Verb::Watch) => watch::watch(sandbox, request),
        ("", Verb::Delete) => delete::delete(sandbox, request),
        ("", Verb::DeleteCollection) => delete::delete_collection(sandbox, request),
        ("scale", Verb::Get) => scale::get(sandbox, request),
        ("scale", Verb::Update | Verb::Patch) => scale::change(sandbox, request),
        ("log", Verb::Get) => log::read(sandbox, request),
        ("binding", Verb::Create) => bind::bind(sandbox, request),
        ("eviction", Verb::Create) => evict::evict(sandbox, request),
        ("attach" | "exec" | "portforward", _) => Err(connect(sandbox, request)),
        ("" | "status" | "ephemeralcontainers" | "resize" | "approval" | "finalize", Verb::Update | Verb::Patch) => {
            change::change(sandbox, request)
        }
        _ => Err(Status::method_not_allowed()),
    }
}

/// The refusal of a connection into a pod: nothing runs in one here.
fn connect(sandbox: &Sandbox, request: &Request) -> Status {
    let store = sandbox.store();
    let Some(pod) = store.at(&request.place()) else { return request.not_found() };
    let container = log::container(pod, request.query.get("container"));
    match container {
        Err(status) if request.target.subresource != "portforward" => status,
        _ if crate::object::text(pod, "/spec/nodeName").is_empty() => {
            Status::bad_request(format!("pod {} does not have a host assigned", request.target.name))
        }
        _ => Status::bad_request("Upgrade request required"),
    }
}

/// Refuses paths and verbs that no server of this version routes.
fn check_route(verb: Verb, target: &Target, resource: &Resource) -> Result<(), Status> {
    let named = !target.name.is_empty();
    let spaced = !target.namespace.is_empty() && target.plural != "namespaces";
    if spaced && !resource.namespaced || named && resource.namespaced && !spaced {
        return Err(Status::no_such_resource());
    }
    let verbs = match target.subresource.as_str() {
        "" => &resource.verbs,
        name => &resource.subresource(name).ok_or_else(Status::no_such_resource)?.verbs,
    };
    let collection_write = verb == Verb::Create && target.subresource.is_empty();
    let named_wrongly = collection_write && (named || resource.namespaced && !spaced && !is_review(resource));
    let nameless = !named && matches!(verb, Verb::Update | Verb::Patch);
    let spaceless = verb == Verb::DeleteCollection && resource.namespaced && !spaced;
    if named_wrongly || nameless || spaceless || !verbs.iter().any(|known| known == verb.as_str()) {
        return Err(Status::method_not_allowed());
    }
    Ok(())
}
