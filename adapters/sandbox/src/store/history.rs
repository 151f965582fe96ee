//! The last changes of one resource: what watches are told and what lets an old page be read again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;

/// One change of one object.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) revision: u64,
    pub(crate) namespace: String,
    pub(crate) name: String,
    /// The object before; `None` when it was created.
    pub(crate) before: Option<Arc<Value>>,
    /// The object after; `None` when it was removed.
    pub(crate) after: Option<Arc<Value>>,
}

/// The changes that are still known.
#[derive(Debug)]
pub(crate) struct Past {
    changes: VecDeque<Change>,
    /// Every change after this revision is in `changes`.
    start: u64,
    kept: usize,
}

/// Objects as they were, `None` for those that were not there, by namespace and name.
type Overlay<'a> = BTreeMap<(&'a str, &'a str), Option<&'a Arc<Value>>>;

impl Past {
    pub(crate) fn new(kept: usize) -> Self {
        Self { changes: VecDeque::new(), start: 0, kept }
    }

    pub(crate) fn push(&mut self, change: Change) {
        self.changes.push_back(change);
        if self.changes.len() > self.kept
            && let Some(dropped) = self.changes.pop_front()
        {
            self.start = dropped.revision;
        }
    }

    pub(crate) fn compact(&mut self, revision: u64) {
        self.changes.clear();
        self.start = revision;
    }

    /// The oldest revision from which a watch can still go on.
    pub(crate) fn start(&self) -> u64 {
        self.start
    }

    /// The changes after a revision, oldest first; `None` where some of them are no longer known.
    pub(crate) fn since(&self, revision: u64) -> Option<impl Iterator<Item = &Change>> {
        if revision < self.start {
            return None;
        }
        let first = self.changes.partition_point(|change| change.revision <= revision);
        Some(self.changes.range(first..))
    }

    /// What was different at a revision; `None` where that is no longer known.
    pub(crate) fn overlay(&self, revision: u64) -> Option<Overlay<'_>> {
        let mut overlay = Overlay::new();
        for change in self.since(revision)? {
            // The first change after that moment tells what was there at that moment.
            overlay.entry((change.namespace.as_str(), change.name.as_str())).or_insert(change.before.as_ref());
        }
        Some(overlay)
    }
}
