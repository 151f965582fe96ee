//! Faults in the stream of a watch.

use bytes::Bytes;

use super::line::Event;
use crate::faults::WatchFault;
use crate::status::Status;

/// The faults of one watch.
pub(super) struct Tamper(Vec<WatchFault>);

impl Tamper {
    pub(super) fn new(faults: Vec<WatchFault>) -> Self {
        Self(faults)
    }

    pub(super) fn is_silent(&self) -> bool {
        self.has(WatchFault::Silent)
    }

    pub(super) fn ends_at_once(&self) -> bool {
        self.has(WatchFault::EndAtOnce)
    }

    pub(super) fn refusal(&self) -> Option<Status> {
        self.has(WatchFault::Expired).then(|| Status::too_old(1, 2))
    }

    pub(super) fn garbage(&self) -> Option<Bytes> {
        self.has(WatchFault::Garbage).then(|| Bytes::from_static(b"{\"type\":\"ADDED\",\"object\":{\"metadata\"\n"))
    }

    /// What is told in place of these events.
    pub(super) fn change(&self, mut events: Vec<Event>) -> Vec<Event> {
        let is_bookmark = |event: &Event| matches!(event, Event::Bookmark(_) | Event::InitialEnd(_));
        for fault in &self.0 {
            match fault {
                WatchFault::NoBookmarks => events.retain(|event| !is_bookmark(event)),
                WatchFault::OnlyBookmarks => events.retain(is_bookmark),
                WatchFault::NoDeletions => events.retain(|event| !matches!(event, Event::Deleted(_))),
                WatchFault::Doubled => events = events.into_iter().flat_map(|event| [event.clone(), event]).collect(),
                WatchFault::Reordered => events.reverse(),
                WatchFault::BackwardBookmarks => events = events.into_iter().flat_map(backward).collect(),
                WatchFault::EndAtOnce | WatchFault::Silent | WatchFault::Expired | WatchFault::Garbage => {}
            }
        }
        events
    }

    fn has(&self, fault: WatchFault) -> bool {
        self.0.contains(&fault)
    }
}

fn backward(event: Event) -> Vec<Event> {
    match event {
        Event::Bookmark(revision) => vec![event, Event::Bookmark(revision.saturating_sub(5).max(1))],
        other => vec![other],
    }
}
