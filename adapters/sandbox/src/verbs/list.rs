//! List: selection, pages, and which revision is shown.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::page::{self, Start};
use super::{Request, read};
use crate::answer::{Answer, List};
use crate::handle::Sandbox;
use crate::object::meta;
use crate::selector::Selector;
use crate::status::{Cause, Status};
use crate::store::Store;

/// Reads a collection.
pub(super) fn list(sandbox: &Sandbox, request: &Request) -> Result<Answer, Status> {
    check_options(request)?;
    let selector = Selector::of(&request.resource, &request.query)?;
    let limit = request.query.number("limit")?.unwrap_or(0);
    // Served from the cache of a real server, which does not cut.
    let unpaged = request.query.get("resourceVersion") == "0";
    let limit = if unpaged { 0 } else { usize::try_from(limit).unwrap_or(0) };
    let store = sandbox.store();
    read::check_reached(&store, request)?;
    let (start, revision) = start(&store, request)?;
    let found = objects(&store, request, start.as_ref(), revision)?;
    let page = Page::take(&selector, limit, found);
    let mut metadata = Map::new();
    metadata.insert("resourceVersion".to_owned(), revision.to_string().into());
    if let Some(last) = page.objects.last().filter(|_| page.rest > 0) {
        let after = (meta(last, "namespace").to_owned(), meta(last, "name").to_owned());
        let next = Start { revision: Some(revision), after };
        metadata.insert("continue".to_owned(), next.encode(request.namespace()).into());
        // What is left is only known where everything is selected.
        if selector.is_everything() {
            metadata.insert("remainingItemCount".to_owned(), page.rest.into());
        }
    }
    drop(store);
    let resource = request.resource.clone();
    let objects = page.objects.iter().map(|object| crate::convert::to_version(&resource, object)).collect();
    Ok(Answer::List(List { resource, objects, metadata: metadata.into() }))
}

/// Where the page starts and which revision it shows.
fn start(store: &Store, request: &Request) -> Result<(Option<Start>, u64), Status> {
    let current = request.stale.unwrap_or(store.revision());
    let token = request.query.get("continue");
    if !token.is_empty() {
        let asked = request.query.get("resourceVersion");
        if !asked.is_empty() && asked != "0" {
            return Err(Status::bad_request("specifying resource version is not allowed when using continue"));
        }
        let start = Start::decode(token, request.namespace())?;
        let revision = start.revision.unwrap_or(current);
        if revision > current {
            return Err(Status::too_large(revision, current));
        }
        return Ok((Some(start), revision));
    }
    let (matching, asked) = (request.query.get("resourceVersionMatch"), request.query.get("resourceVersion"));
    // A page of a version meant exactly that one before clients could say so.
    let page = request.query.number("limit")?.is_some_and(|limit| limit > 0);
    let exact = matching == "Exact" || matching.is_empty() && page && !matches!(asked, "" | "0");
    Ok((None, if exact { read::revision(request)? } else { current }))
}

/// The objects of a revision from the page's start on.
fn objects<'a>(
    store: &'a Store,
    request: &'a Request,
    start: Option<&'a Start>,
    revision: u64,
) -> Result<Box<dyn Iterator<Item = Arc<Value>> + 'a>, Status> {
    let shelf = request.resource.shelf();
    let namespace = request.namespace();
    if revision == store.revision() || !store.changed_since(&shelf, revision) {
        return Ok(match start {
            Some(start) => Box::new(store.objects_after(&shelf, namespace, &start.after).cloned()),
            None => Box::new(store.objects(&shelf, namespace).cloned()),
        });
    }
    let Some(then) = store.objects_at(&shelf, namespace, revision) else {
        return Err(match start {
            Some(start) => page::expired(start, request.namespace()),
            None => Status::expired("The resourceVersion for the provided list is too old."),
        });
    };
    let behind = move |object: &Arc<Value>| {
        start.is_none_or(|start| {
            (meta(object, "namespace"), meta(object, "name")) > (start.after.0.as_str(), start.after.1.as_str())
        })
    };
    Ok(Box::new(then.into_iter().filter(behind)))
}

/// What fits on a page.
struct Page {
    objects: Vec<Arc<Value>>,
    /// How many objects are left behind it.
    rest: usize,
}

impl Page {
    fn take(selector: &Selector, limit: usize, found: impl Iterator<Item = Arc<Value>>) -> Self {
        let mut selected = found.filter(|object| selector.is_everything() || selector.matches(object));
        if limit == 0 {
            return Self { objects: selected.collect(), rest: 0 };
        }
        let objects: Vec<Arc<Value>> = selected.by_ref().take(limit).collect();
        // With a selector one more is enough to know that there is a next page.
        let rest = if selector.is_everything() { selected.count() } else { selected.take(1).count() };
        Self { objects, rest }
    }
}

/// Refuses combinations of options that mean nothing.
fn check_options(request: &Request) -> Result<(), Status> {
    let query = &request.query;
    let matching = query.get("resourceVersionMatch");
    let mut causes = Vec::new();
    if !matching.is_empty() {
        let forbid = |why: &str| Cause::forbidden("resourceVersionMatch", why);
        if query.get("resourceVersion").is_empty() {
            causes.push(forbid("resourceVersionMatch is forbidden unless resourceVersion is provided"));
        }
        if !query.get("continue").is_empty() {
            causes.push(forbid("resourceVersionMatch is forbidden when continue is provided"));
        }
        if !matches!(matching, "Exact" | "NotOlderThan") {
            let supported = ["Exact", "NotOlderThan", ""];
            causes.push(Cause::not_supported("resourceVersionMatch", &matching.into(), &supported));
        }
        if matching == "Exact" && query.get("resourceVersion") == "0" {
            causes.push(forbid("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""));
        }
    }
    if query.has("sendInitialEvents") {
        causes.push(Cause::forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
    }
    refuse(causes)
}

/// Refuses list options for these causes, if there are any.
pub(super) fn refuse(causes: Vec<Cause>) -> Result<(), Status> {
    if causes.is_empty() { Ok(()) } else { Err(Status::invalid("meta.k8s.io", "ListOptions", "", causes)) }
}
