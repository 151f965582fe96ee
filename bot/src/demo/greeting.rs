//! What a person sees first in the demo.

use kubewhy_chat::{Block, Message, Table, Tone};
use kubewhy_diagnosis::scan::Scan;
use kubewhy_sandbox::scenario::Scenario;
use kubewhy_text::{Text, code, own, text};

use super::Demo;

/// A story for each stage of a pod's life, in its order; what most people meet first.
pub const TOUR: [&str; 17] = [
    "admission-quota-memory",
    "scheduling-fragmented",
    "image-tag-missing",
    "dependency-secret-key",
    "creation-program-absent",
    "network-service-selects-nothing",
    "init-waits-for-database",
    "hooks-poststart-command-missing",
    "readiness-wrong-port",
    "liveness-slow-start",
    "exit-go-panic",
    "memory-jvm-heap",
    "eviction-memory",
    "node-lost-statefulset",
    "terminating-finalizer",
    "workload-rollout-stalled",
    "healthy-restarted-long-ago",
];

impl Demo {
    /// What there is to see: a question for each stage of a pod's life. `scan` is what is broken now.
    pub fn greeting(&self, scan: &Scan) -> Message {
        let count = |kind: &str| self.sandbox().list("v1", kind, None).len();
        let headline = text![
            "kubewhy demo: ",
            count("Node"),
            " nodes, ",
            count("Pod"),
            " pods, ",
            scan.roots.len(),
            " things broken, and more while you watch"
        ];
        let stories = TOUR.iter().filter_map(|name| self.scenarios().iter().find(|scenario| scenario.name() == *name));
        let rows = stories
            .filter_map(|scenario| Some((scenario, question(scenario)?)))
            .map(|(scenario, question)| {
                vec![text![own(scenario.kind().to_string())], text![own(scenario.title())], text![code(question)]]
            })
            .collect();
        Message::new(Tone::Plain, headline)
            .with(Block::Paragraph(text![
                "The cluster lives in this process; nothing outside is read or changed. Ask about anything in it:"
            ]))
            .with(Block::Table(Table { heads: ["stage", "story", "ask"].map(Text::from).to_vec(), rows }))
            .with(Block::Paragraph(text![
                code("scan"),
                " lists all that is broken, ",
                code("help"),
                " what else can be asked, ",
                code("quit"),
                " leaves."
            ]))
    }
}

/// What to ask about a scenario.
fn question(scenario: &Scenario) -> Option<String> {
    let ask = scenario.asks().iter().find(|ask| ask.after().is_zero())?;
    Some(format!("why {}", ask.why))
}
