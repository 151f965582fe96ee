//! What containers wrote: kept by line with its time, as a kubelet keeps it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use tokio::sync::watch;

/// Lines kept of one container's run; older ones go, as a kubelet rotates files away.
const KEPT_LINES: usize = 100_000;

/// One line and when it was written.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) at: Timestamp,
    pub(crate) text: String,
}

/// Namespace, pod, container, and whether it is the run before.
type Key = (String, String, String, bool);

/// The logs of all containers.
#[derive(Debug, Default)]
pub(crate) struct Logs {
    runs: BTreeMap<Key, Run>,
    changed: watch::Sender<()>,
}

/// The log of one run of a container.
#[derive(Clone, Debug, Default)]
struct Run {
    lines: Vec<Line>,
    /// How many lines went before the first one that is kept.
    dropped: usize,
}

fn key(namespace: &str, pod: &str, container: &str, previous: bool) -> Key {
    (namespace.to_owned(), pod.to_owned(), container.to_owned(), previous)
}

impl Logs {
    pub(crate) fn set(
        &mut self,
        namespace: &str,
        pod: &str,
        container: &str,
        previous: bool,
        lines: impl IntoIterator<Item = (Timestamp, String)>,
    ) {
        let lines = lines.into_iter().map(|(at, text)| Line { at, text }).collect();
        self.runs.insert(key(namespace, pod, container, previous), Run { lines, dropped: 0 });
        self.changed.send_replace(());
    }

    pub(crate) fn append(
        &mut self,
        namespace: &str,
        pod: &str,
        container: &str,
        lines: impl IntoIterator<Item = (Timestamp, String)>,
    ) {
        let run = self.runs.entry(key(namespace, pod, container, false)).or_default();
        run.lines.extend(lines.into_iter().map(|(at, text)| Line { at, text }));
        // In large steps: dropping one line each time would move all others each time.
        if run.lines.len() > KEPT_LINES + KEPT_LINES / 4 {
            let excess = run.lines.len() - KEPT_LINES;
            run.lines.drain(..excess);
            run.dropped += excess;
        }
        self.changed.send_replace(());
    }

    pub(crate) fn rotate(&mut self, namespace: &str, pod: &str, container: &str) {
        let run = self.runs.remove(&key(namespace, pod, container, false)).unwrap_or_default();
        self.runs.insert(key(namespace, pod, container, true), run);
        self.changed.send_replace(());
    }

    /// The lines of a run from a position on, and the position after them. A run nobody set has none.
    pub(crate) fn from(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        previous: bool,
        position: usize,
    ) -> (Vec<Line>, usize) {
        let Some(run) = self.runs.get(&key(namespace, pod, container, previous)) else { return (Vec::new(), position) };
        let end = run.dropped + run.lines.len();
        let skipped = position.saturating_sub(run.dropped);
        (run.lines.iter().skip(skipped).cloned().collect(), end)
    }

    /// Whether a log of this run was ever set.
    pub(crate) fn has(&self, namespace: &str, pod: &str, container: &str, previous: bool) -> bool {
        self.runs.contains_key(&key(namespace, pod, container, previous))
    }

    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Wakes who follows: the pod changed.
    pub(crate) fn wake(&self) {
        self.changed.send_replace(());
    }
}
