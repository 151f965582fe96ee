//! What a person sees first in the demo.

use std::collections::BTreeMap;

use kubewhy_chat::{Block, Message, Table, Tone};
use kubewhy_diagnosis::scan::Scan;
use kubewhy_sandbox::scenario::{Scenario, ScenarioKind};
use kubewhy_text::{Text, code, own, text};

use super::Demo;

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
        let mut stories: BTreeMap<ScenarioKind, (&str, String)> = BTreeMap::new();
        for scenario in self.scenarios().iter().filter(|scenario| scenario.begins().is_zero()) {
            if let Some(question) = question(scenario) {
                stories.entry(scenario.kind()).or_insert((scenario.title(), question));
            }
        }
        let rows = stories
            .into_iter()
            .map(|(kind, (title, question))| {
                vec![text![own(kind.to_string())], text![own(title)], text![code(question)]]
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
    let ask = scenario.asks().iter().find(|ask| ask.code != "healthy" && ask.after().is_zero())?;
    Some(format!("why {}", ask.why))
}
