//! Says so when something new breaks in the embedded cluster: what a scan finds that the scans before did not.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use kubewhy_chat::Message;
use kubewhy_console::Printer;
use kubewhy_diagnosis::scan::Scan;

use crate::desk::Desk;

/// How long the cluster is left to settle between two looks.
const PACE: Duration = Duration::from_secs(3);

/// What was broken at the last look.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    known: BTreeSet<String>,
}

impl Watch {
    /// Takes what is broken now for known.
    pub(crate) fn new(scan: &Scan) -> Self {
        Self { known: roots(scan).map(|(key, _)| key).collect() }
    }

    /// Prints what breaks from now on, on a thread of its own that ends with the process.
    pub(crate) fn follow(mut self, desk: Arc<Desk>, printer: Printer) {
        std::thread::spawn(move || {
            // What the first steps of the stories break belongs to what is there from the start.
            std::thread::sleep(PACE);
            self.news(&desk);
            loop {
                std::thread::sleep(PACE);
                // A terminal that is gone ends the conversation too.
                let told: Result<(), _> = self.news(&desk).iter().try_for_each(|message| printer.notice(message));
                if told.is_err() {
                    break;
                }
            }
        });
    }

    /// What broke since the last look.
    fn news(&mut self, desk: &Desk) -> Vec<Message> {
        let source = desk.source();
        let scan = source.scan(None, None, source.clock());
        roots(&scan)
            .filter(|(key, _)| self.known.insert(key.clone()))
            .map(|(_, root)| desk.news(&root.report))
            .collect()
    }
}

/// The roots in trouble, each with what makes it the same at the next look.
fn roots(scan: &Scan) -> impl Iterator<Item = (String, &kubewhy_diagnosis::scan::Root)> {
    scan.roots.iter().filter(|root| root.report.is_failing()).filter_map(|root| {
        let lead = root.report.lead()?;
        Some((format!("{:?}", lead.root()), root))
    })
}
