//! `kubewhy demo`: a conversation about the embedded cluster, in which everything is broken and more breaks.

use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::sync::Arc;

use kubewhy_chat::{Block, Message, Table, Tone};
use kubewhy_core::commands::Capabilities;
use kubewhy_diagnosis::scan::Scan;
use kubewhy_sandbox::scenario::Scenario;
use kubewhy_text::{Text, code, own, text};

use crate::Ending;
use crate::cli::DemoArgs;
use crate::commands::{sandbox, why};
use crate::conversation;
use crate::demo::{Demo, Watch};
use crate::desk::{Desk, Served};
use crate::output::Output;

pub(crate) fn run(arguments: &DemoArgs, output: &mut Output) -> Ending {
    let demo = match Demo::start(arguments.after.try_into().unwrap_or_default(), arguments.at) {
        Ok(demo) => demo,
        Err(error) => {
            output.error(&why::chain(&error));
            return Ending::Unreadable;
        }
    };
    let listening = arguments.listen.map(|address| sandbox::listen(demo.sandbox(), demo.runtime(), address, output));
    let _server = match listening.transpose() {
        Ok(server) => server,
        Err(ending) => return ending,
    };
    let source = demo.source();
    let scan = source.scan(None, None, source.clock());
    let desk = Arc::new(Desk::new(Served { source, context: None }, Capabilities::console()));
    match talk(&demo, &desk, &scan) {
        Ok(()) => Ending::Fine,
        Err(error) => {
            output.error(&format!("the conversation ended: {error}"));
            Ending::Unreadable
        }
    }
}

fn talk(demo: &Demo, desk: &Arc<Desk>, scan: &Scan) -> std::io::Result<()> {
    let mut session = conversation::open(desk, None)?;
    if std::io::stdin().is_terminal() {
        Watch::new(scan).follow(Arc::clone(desk), session.printer());
    }
    conversation::talk(desk, &mut session, &greeting(demo, scan))
}

/// What there is to see: a question for each stage of a pod's life.
fn greeting(demo: &Demo, scan: &Scan) -> Message {
    let count = |kind: &str| demo.sandbox().list("v1", kind, None).len();
    let headline = text![
        "kubewhy demo: ",
        count("Node"),
        " nodes, ",
        count("Pod"),
        " pods, ",
        scan.roots.len(),
        " root causes of trouble, and more while you watch"
    ];
    let mut told = BTreeSet::new();
    let rows = demo
        .scenarios()
        .iter()
        .filter(|scenario| scenario.begins().is_zero())
        .filter_map(|scenario| Some((scenario, question(scenario)?)))
        .filter(|(scenario, _)| told.insert(scenario.kind()))
        .map(|(scenario, question)| {
            vec![text![own(scenario.kind().to_string())], text![own(scenario.title())], text![code(question)]]
        })
        .collect();
    Message::new(Tone::Plain, headline)
        .with(Block::Paragraph(text![
            "The cluster lives in this process; nothing outside is read or changed. Ask about anything in it:"
        ]))
        .with(Block::Table(Table {
            heads: ["stage", "story", "ask"].map(Text::from).to_vec(),
            rows,
        }))
        .with(Block::Paragraph(text![
            code("scan"),
            " lists all that is broken, ",
            code("help"),
            " what else can be asked, ",
            code("quit"),
            " leaves."
        ]))
}

/// What to ask about a scenario.
fn question(scenario: &Scenario) -> Option<String> {
    let ask = scenario.asks().iter().find(|ask| ask.code != "healthy" && ask.after().is_zero())?;
    Some(format!("why {}", ask.why))
}
