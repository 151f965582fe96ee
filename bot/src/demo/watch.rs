//! Says so when something new breaks in the embedded cluster: what a scan finds that the scans before did not.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kubewhy_chat::Message;
use kubewhy_console::Printer;
use kubewhy_diagnosis::finding::ObjectRef;
use kubewhy_diagnosis::scan::{Root, Scan};

use crate::desk::Desk;

/// How long the cluster is left to settle between two looks, at least.
const PACE: Duration = Duration::from_secs(3);

/// The longest that news may wait for a look.
const LONGEST_PACE: Duration = Duration::from_secs(20);

/// A look may take one part in so many of the time: an idle demo leaves the machine alone.
const SHARE: u32 = 60;

/// What was broken at the last look.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    known: BTreeSet<String>,
    /// What was broken, whatever by.
    broken: BTreeSet<ObjectRef>,
}

impl Watch {
    /// Takes what is broken now for known.
    pub(crate) fn new(scan: &Scan) -> Self {
        let mut watch = Self::default();
        let _known: usize = watch.unknown(scan).count();
        watch
    }

    /// Prints what breaks from now on, on a thread of its own that ends with the process.
    pub(crate) fn follow(mut self, desk: Arc<Desk>, printer: Printer) {
        std::thread::spawn(move || {
            // What the first steps of the stories break belongs to what is there from the start.
            std::thread::sleep(PACE);
            self.news(&desk);
            let mut pace = PACE;
            loop {
                std::thread::sleep(pace);
                let began = Instant::now();
                let news = self.news(&desk);
                pace = pace_after(began.elapsed());
                // A terminal that is gone ends the conversation too.
                let told: Result<(), _> = news.iter().try_for_each(|message| printer.notice(message));
                if told.is_err() {
                    break;
                }
            }
        });
    }

    /// What broke since the last look.
    fn news(&mut self, desk: &Desk) -> Vec<Message> {
        let Some(source) = desk.sources().next() else { return Vec::new() };
        let scan = source.scan(None, None, source.clock());
        self.unknown(&scan).map(|root| desk.news(&root.report)).collect()
    }

    /// The roots that were not known, which are known then. A root that is told more exactly now is none of them: what it
    /// breaks was broken before.
    fn unknown<'s>(&mut self, scan: &'s Scan) -> impl Iterator<Item = &'s Root> {
        let broken: BTreeSet<ObjectRef> = roots(scan).flat_map(|(_, root)| root.affects.iter().cloned()).collect();
        let before = std::mem::replace(&mut self.broken, broken);
        let known = &mut self.known;
        let roots = roots(scan).filter(|(key, _)| known.insert(key.clone())).map(|(_, root)| root).collect::<Vec<_>>();
        roots.into_iter().filter(move |root| root.affects.iter().any(|object| !before.contains(object)))
    }
}

/// How long to wait after a look that took so long.
fn pace_after(look: Duration) -> Duration {
    look.saturating_mul(SHARE).clamp(PACE, LONGEST_PACE)
}

/// The roots in trouble, each with what makes it the same at the next look.
fn roots(scan: &Scan) -> impl Iterator<Item = (String, &Root)> {
    scan.roots.iter().filter(|root| root.report.is_failing()).filter_map(|root| {
        let lead = root.report.lead()?;
        Some((format!("{:?}", lead.root()), root))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::Demo;

    fn scan(after: Duration) -> Scan {
        let at = "2026-11-21T03:16:00Z".parse().expect("a time");
        let source = Demo::start(after, Some(at)).expect("the demo plays").source();
        source.scan(None, None, source.clock())
    }

    #[test]
    fn an_idle_demo_leaves_the_machine_alone() {
        assert_eq!(pace_after(Duration::from_millis(1)), PACE);
        assert_eq!(pace_after(Duration::from_millis(250)), Duration::from_secs(15));
        assert_eq!(pace_after(Duration::from_mins(5)), LONGEST_PACE);
    }

    #[test]
    fn what_breaks_is_told_once_and_not_again_when_its_root_is_told_more_exactly() {
        let at_start = scan(Duration::ZERO);
        let mut watch = Watch::new(&at_start);
        assert_eq!(watch.unknown(&at_start).count(), 0);
        let mut later = at_start.clone();
        // The same objects under another root.
        let other = at_start.roots.last().expect("a root").report.clone();
        let first = later.roots.first_mut().expect("a root");
        first.report = other;
        later.roots.truncate(1);
        watch.known.clear();
        assert_eq!(watch.unknown(&later).count(), 0, "it was broken before");
        let new = scan(Duration::from_mins(6));
        let mut watch = Watch::new(&at_start);
        assert!(watch.unknown(&new).count() > 2);
        assert_eq!(watch.unknown(&new).count(), 0);
    }
}
