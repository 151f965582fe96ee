//! Watch: the changes of a collection as they happen.

mod line;
mod tamper;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Request, list, read};
use crate::answer::{Answer, Error};
use crate::handle::Sandbox;
use crate::selector::Selector;
use crate::status::{Cause, Status};
use crate::store::{Change, ShelfName, Store};
use line::{Event, Writer};
use tamper::Tamper;

/// How long a watch runs whose client does not say; a real server draws 30 to 60 minutes.
const DEFAULT_TIMEOUT: Duration = Duration::from_mins(30);

/// How often a bookmark is sent when nothing else is.
const BOOKMARK_INTERVAL: Duration = Duration::from_mins(1);

/// Follows a collection.
pub(super) fn watch(sandbox: &Sandbox, request: &Request) -> Result<Answer, Status> {
    check_options(request)?;
    let selector = Selector::of(&request.resource, &request.query)?;
    let asked = read::revision(request)?;
    let initial = request.query.flag("sendInitialEvents");
    let timeout = request.query.number("timeoutSeconds")?.and_then(|seconds| u64::try_from(seconds).ok());
    let timeout = timeout.filter(|seconds| *seconds > 0).map_or(DEFAULT_TIMEOUT, Duration::from_secs);
    let shelf = request.resource.shelf();
    let mut store = sandbox.store();
    if initial {
        read::check_reached(&store, request)?;
    }
    let bookmarks = request.query.flag("allowWatchBookmarks");
    let mut follower = Follower {
        sandbox: sandbox.clone(),
        changes: store.changes_of(&shelf),
        closed: sandbox.closing(),
        closings: 0,
        scope: Scope {
            shelf,
            namespace: request.namespace().map(ToOwned::to_owned),
            name: watched_name(request),
            selector,
        },
        writer: Writer::new(request),
        position: asked,
        bookmarks,
        // A timeout beyond what the clock can hold is no timeout.
        deadline: Instant::now().checked_add(timeout).unwrap_or_else(|| Instant::now() + DEFAULT_TIMEOUT),
        tamper: Tamper::new(request.watch_faults.clone()),
        ready: VecDeque::new(),
        ended: false,
    };
    follower.closings = *follower.closed.borrow();
    if initial || asked == 0 && !is_from_scratch_refused(request) {
        // A watch from scratch is taken for one that asks for its beginning, and hears where that ends.
        follower.begin(&store, bookmarks);
    }
    drop(store);
    follower.start();
    let frames = stream::unfold(follower, |mut follower| async move {
        let bytes = follower.next().await?;
        Some((Ok::<_, Error>(Frame::data(bytes)), follower))
    });
    Ok(Answer::Stream("application/json", StreamBody::new(frames).boxed_unsync()))
}

/// `sendInitialEvents=false` asks for changes only, from the current state on.
fn is_from_scratch_refused(request: &Request) -> bool {
    request.query.has("sendInitialEvents") && !request.query.flag("sendInitialEvents")
}

/// The old form of a watch can name one object.
fn watched_name(request: &Request) -> Option<String> {
    Some(request.target.name.clone()).filter(|name| !name.is_empty())
}

/// Which objects are followed.
struct Scope {
    shelf: ShelfName,
    namespace: Option<String>,
    name: Option<String>,
    selector: Selector,
}

/// One watch on its way.
struct Follower {
    sandbox: Sandbox,
    changes: watch::Receiver<u64>,
    closed: watch::Receiver<u64>,
    closings: u64,
    scope: Scope,
    writer: Writer,
    /// Everything up to this revision was told.
    position: u64,
    bookmarks: bool,
    deadline: Instant,
    tamper: Tamper,
    ready: VecDeque<Bytes>,
    ended: bool,
}

impl Follower {
    /// Tells what is there now.
    fn begin(&mut self, store: &Store, mark_end: bool) {
        let objects = store.objects(&self.scope.shelf, self.scope.namespace.as_deref());
        let mut events: Vec<Event> =
            objects.filter(|object| self.scope.selects(object)).map(|object| Event::Added(object.clone())).collect();
        self.position = store.revision();
        if mark_end {
            events.push(Event::InitialEnd(self.position));
        }
        self.tell(events);
    }

    /// Does what the faults want before the first event.
    fn start(&mut self) {
        if let Some(status) = self.tamper.refusal() {
            self.ready = VecDeque::from([line::error(&status)]);
            self.ended = true;
        }
        if let Some(garbage) = self.tamper.garbage() {
            self.ready.push_front(garbage);
        }
        if self.tamper.ends_at_once() {
            self.ready.clear();
            self.ended = true;
        }
        if self.position == 0 {
            self.position = self.sandbox.revision();
        }
    }

    /// The next lines; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        let mut marked = Instant::now();
        loop {
            if self.tamper.is_silent() {
                // Like a connection whose other end is gone: not even the deadline is kept.
                std::future::pending::<()>().await;
            }
            if let Some(bytes) = self.ready.pop_front() {
                return Some(bytes);
            }
            if self.ended {
                return None;
            }
            // Seen before the changes are read, so that one in between wakes the wait below.
            self.changes.borrow_and_update();
            self.read();
            if !self.ready.is_empty() || self.ended {
                continue;
            }
            let mark = if self.bookmarks { marked + BOOKMARK_INTERVAL } else { self.deadline };
            tokio::select! {
                // Both receivers only look at a value: nothing is lost when another arm wins.
                _ = self.changes.changed() => {}
                closings = wait_for_closing(&mut self.closed, self.closings) => {
                    self.closings = closings;
                    self.ended = true;
                }
                () = tokio::time::sleep_until(mark.min(self.deadline)) => {
                    marked = Instant::now();
                    self.ended = marked >= self.deadline;
                    if self.bookmarks {
                        self.tell(vec![Event::Bookmark(self.position)]);
                    }
                }
            }
        }
    }

    /// Reads the changes since the last time.
    fn read(&mut self) {
        let sandbox = self.sandbox.clone();
        let store = sandbox.store();
        let Some(past) = store.past(&self.scope.shelf) else { return };
        let Some(changes) = past.since(self.position) else {
            let status = Status::too_old(self.position, past.start());
            self.ready.push_back(line::error(&status));
            self.ended = true;
            return;
        };
        let events: Vec<Event> = changes.filter_map(|change| self.scope.event(change)).collect();
        // A store that went back in time leaves the watch where it was: it is not told, as with a restored etcd.
        self.position = self.position.max(store.revision());
        drop(store);
        self.tell(events);
    }

    fn tell(&mut self, events: Vec<Event>) {
        for event in self.tamper.change(events) {
            let line = self.writer.line(&event);
            self.ready.push_back(line);
        }
    }
}

async fn wait_for_closing(closed: &mut watch::Receiver<u64>, known: u64) -> u64 {
    let closings = closed.wait_for(|closings| *closings != known).await.ok().map(|closings| *closings);
    match closings {
        Some(closings) => closings,
        // Nobody can close any more.
        None => std::future::pending().await,
    }
}

impl Scope {
    fn selects(&self, object: &serde_json::Value) -> bool {
        self.name.as_ref().is_none_or(|name| name == crate::object::meta(object, "name"))
            && (self.selector.is_everything() || self.selector.matches(object))
    }

    /// What a change means to this watch, if anything.
    fn event(&self, change: &Change) -> Option<Event> {
        if self.namespace.as_ref().is_some_and(|namespace| *namespace != change.namespace) {
            return None;
        }
        let before = change.before.as_ref().filter(|object| self.selects(object));
        let after = change.after.as_ref().filter(|object| self.selects(object));
        match (before, after) {
            (None, None) => None,
            (None, Some(after)) => Some(Event::Added(after.clone())),
            (Some(_), Some(after)) => Some(Event::Modified(after.clone())),
            // Gone, or gone from the selection: the last state that was selected, at the version of the change.
            (Some(before), None) => {
                Some(Event::Deleted(Arc::clone(&crate::object::with_revision(before, change.revision))))
            }
        }
    }
}

/// Refuses combinations of options that mean nothing.
fn check_options(request: &Request) -> Result<(), Status> {
    let query = &request.query;
    let matching = query.get("resourceVersionMatch");
    let mut causes = Vec::new();
    let forbid = |why: &str| Cause::forbidden("resourceVersionMatch", why);
    if query.has("sendInitialEvents") && matching != "NotOlderThan" {
        causes.push(forbid("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
    }
    if !matching.is_empty() {
        if !query.has("sendInitialEvents") {
            causes.push(forbid("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
        }
        if matching != "NotOlderThan" {
            causes.push(Cause::not_supported("resourceVersionMatch", &matching.into(), &["NotOlderThan"]));
        }
        if !query.get("continue").is_empty() {
            causes.push(forbid("resourceVersionMatch is forbidden when continue is provided"));
        }
    }
    list::refuse(causes)
}
